"""An item to a type of the handler's own, by the type's annotations.

A type is looked at once: what comes of it is a function that reads a value, kept for the next record.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import enum
import sys
import typing
import uuid
from decimal import Decimal
from typing import Any, Callable, Type, TypeVar, Union

from ._scan import NAMES, EmptySet
from .errors import ImageError, quoted

T = TypeVar("T")
Read = Callable[[Any], Any]

_UNIONS = [Union]
if sys.version_info >= (3, 10):
    import types

    _UNIONS.append(types.UnionType)  # type: ignore[arg-type]

_readers: dict[Any, Read] = {}


def to(kind: Type[T], item: dict[str, Any]) -> T:
    """The item as this type. Raises `ImageError` when it is none, `TypeError` when the type cannot be read at all."""
    return reader(kind)(item)


def reader(kind: Any) -> Read:
    """What reads a value of this type."""
    try:
        known = _readers.get(kind)
    except TypeError:  # An annotation that cannot be a key, such as a `Literal` of a list.
        return _reader(kind)
    if known is None:
        # A type may hold itself. Until its own reader is there, this one stands for it.
        _readers[kind] = lambda value: _readers[kind](value)
        try:
            known = _readers[kind] = _reader(kind)
        except BaseException:
            del _readers[kind]
            raise
    return known


def tag_of(value: Any) -> str:
    """The DynamoDB type of a value that was read."""
    if isinstance(value, (set, frozenset)):
        if isinstance(value, EmptySet):
            return value.tag
        return tag_of(next(iter(value))) + "S"
    return _TAGS[type(value)]


_TAGS = {str: "S", Decimal: "N", bytes: "B", bool: "BOOL", type(None): "NULL", dict: "M", list: "L"}


def instead(expected: str, value: Any) -> ImageError:
    return ImageError(f"expected {expected}, found {NAMES[tag_of(value)]}")


def _reader(kind: Any) -> Read:
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    if isinstance(kind, TypeVar):
        return _SIMPLE[Any]
    if hasattr(kind, "__supertype__"):  # NewType
        return reader(kind.__supertype__)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if hasattr(kind, "__metadata__"):  # Annotated
        return reader(arguments[0])
    if origin in _UNIONS:
        return _union(arguments)
    if origin is typing.Literal:
        return _literal(arguments)
    if isinstance(origin or kind, type):
        plain: Any = origin or kind
        if dataclasses.is_dataclass(plain):
            return _dataclass(plain)
        if issubclass(plain, enum.Enum):
            return _enum(plain)
        if hasattr(plain, "__total__") and hasattr(plain, "__required_keys__"):
            return _typed_dict(plain)
        if plain in (dict, collections.abc.Mapping, collections.abc.MutableMapping):
            return _dict(*(arguments or (str, Any)))
        if plain is tuple:
            return _tuple(arguments)
        if plain in (list, collections.abc.Sequence, collections.abc.Iterable):
            return _list(*(arguments or (Any,)))
        if plain in (set, frozenset, collections.abc.Set, collections.abc.MutableSet):
            return _set(frozenset if plain is frozenset else set, *(arguments or (Any,)))
    raise TypeError(f"no attribute can become {getattr(kind, '__name__', kind)}: see StreamRecord.new_image_as")


def _any(value: Any) -> Any:
    return value


def _only(plain: type, tag: str) -> Read:
    def read(value: Any) -> Any:
        if value.__class__ is not plain:
            raise instead(NAMES[tag], value)
        return value

    return read


def _number(value: Any) -> Decimal:
    if value.__class__ is not Decimal:
        raise instead(NAMES["N"], value)
    return value


def _int(value: Any) -> int:
    number = _number(value)
    integer = int(number)
    if integer != number:
        raise ImageError(f"the number {number} has a fraction, and int has none")
    return integer


def _float(value: Any) -> float:
    return float(_number(value))


def _text(make: Callable[[str], Any], what: str) -> Read:
    def read(value: Any) -> Any:
        if value.__class__ is not str:
            raise instead(NAMES["S"], value)
        try:
            return make(value)
        except ValueError:
            raise ImageError(f"{quoted(value[:48])} is no {what}") from None

    return read


_string = _only(str, "S")

_SIMPLE: dict[Any, Read] = {
    Any: _any,
    object: _any,
    str: _string,
    bool: _only(bool, "BOOL"),
    bytes: _only(bytes, "B"),
    Decimal: _number,
    int: _int,
    float: _float,
    None: _only(type(None), "NULL"),
    type(None): _only(type(None), "NULL"),
    datetime.datetime: _text(datetime.datetime.fromisoformat, "date and time"),
    datetime.date: _text(datetime.date.fromisoformat, "date"),
    uuid.UUID: _text(uuid.UUID, "UUID"),
}


def _union(arguments: tuple[Any, ...]) -> Read:
    others = [argument for argument in arguments if argument is not type(None)]
    readers = [reader(argument) for argument in others]
    optional = len(others) < len(arguments)
    if len(readers) == 1:
        (only,) = readers
        return lambda value: None if value is None else only(value)

    def read(value: Any) -> Any:
        if optional and value is None:
            return None
        errors = []
        for attempt in readers:
            try:
                return attempt(value)
            except ImageError as error:
                errors.append(str(error))
        raise ImageError(", and ".join(errors))

    return read


def _literal(values: tuple[Any, ...]) -> Read:
    def read(value: Any) -> Any:
        for literal in values:
            if literal == value and isinstance(literal, bool) == isinstance(value, bool):
                return literal
        raise ImageError(f"expected one of {', '.join(map(repr, values))}, found {_shown(value)}")

    return read


def _enum(kind: Any) -> Read:
    def read(value: Any) -> Any:
        try:
            return kind(value)
        except ValueError:
            raise ImageError(f"{_shown(value)} is no {kind.__name__}") from None

    return read


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return quoted(value[:48])
    return str(value) if isinstance(value, Decimal) else NAMES[tag_of(value)]


def _dataclass(kind: Any) -> Read:
    hints = typing.get_type_hints(kind, include_extras=True)
    required, optional = [], []
    for field in dataclasses.fields(kind):
        if not field.init:
            continue
        entry = (field.name, field.metadata.get("attribute", field.name), _of_field(kind, field.name, hints))
        has_default = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        if has_default:
            optional.append(entry)
        else:
            required.append((*entry, _takes_none(hints[field.name])))
    if not required and not optional:
        raise TypeError(f"{kind.__name__} has no field that could be an attribute")

    def read(value: Any) -> Any:
        if value.__class__ is not dict:
            raise instead(NAMES["M"], value)
        fields = {}
        name = ""
        try:
            for field, name, read_field, takes_none in required:
                if name in value:
                    fields[field] = read_field(value[name])
                elif takes_none:
                    fields[field] = None
                else:
                    raise _Missing(f"missing field `{name}`")
            for field, name, read_field in optional:
                if name in value:
                    fields[field] = read_field(value[name])
        except _Missing as error:
            raise ImageError(error.message) from None
        except ImageError as error:
            raise error.within(name)
        # The class may check its fields, in `__post_init__`.
        return kind(**fields)

    return read


class _Missing(ImageError):
    """Of the map itself, and not of an attribute in it."""


def _of_field(kind: Any, name: str, hints: dict[str, Any]) -> Read:
    try:
        return reader(hints[name])
    except TypeError as error:
        raise TypeError(f"{kind.__name__}.{name}: {error}") from None


def _takes_none(hint: Any) -> bool:
    return hint in (Any, None, type(None)) or (
        typing.get_origin(hint) in _UNIONS and type(None) in typing.get_args(hint)
    )


def _typed_dict(kind: Any) -> Read:
    hints = typing.get_type_hints(kind)
    readers = {name: _of_field(kind, name, hints) for name in hints}
    required = kind.__required_keys__

    def read(value: Any) -> Any:
        if value.__class__ is not dict:
            raise instead(NAMES["M"], value)
        fields = {}
        for name, read_field in readers.items():
            if name in value:
                try:
                    fields[name] = read_field(value[name])
                except ImageError as error:
                    raise error.within(name)
            elif name in required:
                raise ImageError(f"missing field `{name}`")
        return fields

    return read


def _dict(names: Any, values: Any) -> Read:
    if names not in (str, Any):
        raise TypeError("the names of a map are strings: dict[str, …]")
    read_value = reader(values)

    def read(value: Any) -> Any:
        if value.__class__ is not dict:
            raise instead(NAMES["M"], value)
        fields = {}
        for name, held in value.items():
            try:
                fields[name] = read_value(held)
            except ImageError as error:
                raise error.within(name)
        return fields

    return read


def _list(elements: Any) -> Read:
    read_element = reader(elements)

    def read(value: Any) -> Any:
        if value.__class__ is not list:
            raise instead(NAMES["L"], value)
        found: list[Any] = []
        for element in value:
            try:
                found.append(read_element(element))
            except ImageError as error:
                raise error.within(len(found))
        return found

    return read


def _tuple(arguments: tuple[Any, ...]) -> Read:
    if not arguments or (len(arguments) == 2 and arguments[1] is Ellipsis):
        read_list = _list(arguments[0] if arguments else Any)
        return lambda value: tuple(read_list(value))
    readers = [reader(argument) for argument in arguments]

    def read(value: Any) -> Any:
        if value.__class__ is not list:
            raise instead(NAMES["L"], value)
        if len(value) != len(readers):
            raise ImageError(f"expected {len(readers)} elements, found {len(value)}")
        found: list[Any] = []
        for element, read_element in zip(value, readers):
            try:
                found.append(read_element(element))
            except ImageError as error:
                raise error.within(len(found))
        return tuple(found)

    return read


def _set(kind: Any, elements: Any) -> Read:
    read_element = reader(elements)

    def read(value: Any) -> Any:
        if not isinstance(value, (set, frozenset)):
            raise instead("a set (SS, NS, BS)", value)
        try:
            return kind(map(read_element, value))
        except ImageError as error:
            raise ImageError(f"an element: {error.message}") from None

    return read
