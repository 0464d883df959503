"""DynamoDB JSON to Python's own values and back, without loss.

| DynamoDB | Python |
|---|---|
| S | `str` |
| N | `decimal.Decimal` |
| B | `bytes` |
| SS, NS, BS | `set` of these |
| M | `dict` |
| L | `list` |
| BOOL | `bool` |
| NULL | `None` |
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import enum
import re
import uuid
from decimal import Decimal
from json import JSONDecoder, JSONEncoder
from typing import Any, Callable, Iterator

from . import _number, _scan
from ._number import MAX_DIGITS
from ._scan import MAX_DEPTH, EmptySet
from .errors import path_of


def from_dynamodb_json(text: str) -> dict[str, Any]:
    """Reads an image, or keys, from its DynamoDB JSON: `{"id":{"S":"1"}, …}`.

    Raises `ImageError` when the text is not DynamoDB JSON, has a name twice, or is nested deeper than 64 levels.

    >>> from_dynamodb_json('{"id":{"S":"1"},"price":{"N":"1.50"}}')
    {'id': '1', 'price': Decimal('1.50')}
    """
    try:
        if "\\" in text and _half_pair(text) and _half_pair(_whole_pairs("", text)):
            return _scan.read_item(text)
        tree, end = _decode(text, 0)
        if end == len(text):
            return _read_map(tree, 1)
    # Whatever is odd, and there are many exceptions by which `json` and the functions below show it.
    except (ValueError, TypeError, AttributeError, KeyError, StopIteration, RecursionError):
        pass
    return _scan.read_item(text)


def value_from_dynamodb_json(text: str) -> Any:
    """Reads one attribute's value from its DynamoDB JSON: `{"S":"text"}`. Raises `ImageError` as `from_dynamodb_json`."""
    return _scan.read_value(text)


def to_dynamodb_json(item: Any) -> str:
    """Writes an item, a `dict` or a dataclass, as DynamoDB JSON without white space.

    Beside what is read, it takes `int`, `tuple`, `frozenset`, `bytearray`, dataclasses, enums by their values, and
    `datetime`, `date` and `UUID` as strings. A float is refused: say what number it is, `Decimal("0.1")`.

    Raises `TypeError` for what DynamoDB has no type for, `ValueError` for numbers that it does not have. Both name the
    attribute: `orders[3].price: 1.5 is a float, …`.

    >>> to_dynamodb_json({"id": "1", "tags": {"b", "a"}})
    '{"id":{"S":"1"},"tags":{"SS":["a","b"]}}'
    """
    attributes = attributes_of(item)
    try:
        return _text(_map(attributes, 1))
    except (TypeError, ValueError) as error:
        raise _placed(error, attributes) from None


def value_to_dynamodb_json(value: Any) -> str:
    """Writes one value as DynamoDB JSON, such as `{"S":"text"}`. Raises as `to_dynamodb_json`."""
    try:
        return _text(_tagged(value, 1))
    except (TypeError, ValueError) as error:
        raise _placed(error, value) from None


def attributes_of(item: Any) -> dict[str, Any]:
    """The attributes of an item, which is a `dict` or a dataclass. Raises `TypeError` when it is neither."""
    if isinstance(item, dict):
        return item
    if _is_of_dataclass(item):
        return _fields(item)
    raise TypeError(f"an item is a dict or a dataclass, and this is of type {type(item).__name__}")


def is_same(a: Any, b: Any) -> bool:
    """Whether two values are one to DynamoDB: `1` and `1.0` are one number, sets and maps have no order, lists have one.

    `==` alone would take `True` for the number 1.
    """
    if type(a) is not type(b):
        both_sets = isinstance(a, (set, frozenset)) and isinstance(b, (set, frozenset))
        return both_sets and a == b and getattr(a, "tag", None) == getattr(b, "tag", None)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(is_same(value, b[name]) for name, value in a.items())
    if isinstance(a, list):
        return len(a) == len(b) and all(map(is_same, a, b))
    if isinstance(a, EmptySet):
        return a.tag == b.tag
    return a == b


# ---- Reading -------------------------------------------------------------------------------------------------------

# An object comes as a tuple of its names and values: a dict would have dropped a name that is there twice, and `tuple` is
# called without a step through Python. Lists stay lists, so that the two can be told apart.
_decode = JSONDecoder(object_pairs_hook=tuple).scan_once  # type: ignore[attr-defined]

# `json` lets half of a surrogate pair pass.
_half_pair = re.compile(r"\\u[dD][89a-fA-F]").search
_whole_pairs = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}").sub

Tree = Any


class _Numbers(dict):
    """The numbers of the texts that came lately. To read one again costs several times what it costs to find it here."""

    def __missing__(self, text: Any) -> Decimal:
        # A run of digits, as nearly every number is.
        if text.isdigit() and text.isascii() and len(text) <= MAX_DIGITS:
            number = Decimal(text)
        else:
            number = _number.from_text(text)
        if len(self) >= 1024:
            self.clear()
        self[text] = number
        return number


_numbers = _Numbers()


def _read_map(tree: Tree, depth: int) -> dict[str, Any]:
    """The values of what `json` has read. Anything that is not as it must be raises one exception or another."""
    if tree.__class__ is not tuple or depth > MAX_DEPTH:
        raise ValueError
    item: dict[str, Any] = {}
    for name, tagged in tree:
        if tagged.__class__ is not tuple:
            raise ValueError
        ((tag, held),) = tagged
        if tag == "S":
            if held.__class__ is not str:
                raise ValueError
            item[name] = held
        elif tag == "N":
            item[name] = _numbers[held]
        elif tag == "M":
            item[name] = _read_map(held, depth + 1)
        else:
            item[name] = _READ[tag](held, depth + 1)
    if len(item) != len(tree):
        raise ValueError("a name is there twice")
    return item


def _read_list(tree: Tree, depth: int) -> list[Any]:
    if tree.__class__ is not list or depth > MAX_DEPTH:
        raise ValueError
    elements = []
    for tagged in tree:
        if tagged.__class__ is not tuple:
            raise ValueError
        ((tag, held),) = tagged
        elements.append(_READ[tag](held, depth + 1))
    return elements


def _read_string(held: Tree, depth: int) -> str:
    if held.__class__ is not str:
        raise ValueError
    return held


def _read_number(held: Tree, depth: int) -> Decimal:
    return _numbers[held]


def _read_bytes(held: Tree, depth: int) -> bytes:
    return _scan.bytes_from_text(held)


def _read_bool(held: Tree, depth: int) -> bool:
    if held.__class__ is not bool:
        raise ValueError
    return held


def _read_null(held: Tree, depth: int) -> None:
    if held is not True:
        raise ValueError


def _read_set(tag: str, read: Callable[[Tree, int], Any]) -> Callable[[Tree, int], Any]:
    def read_set(held: Tree, depth: int) -> Any:
        if held.__class__ is not list or depth > MAX_DEPTH:
            raise ValueError
        return {read(element, depth) for element in held} or EmptySet(tag)

    return read_set


_READ: dict[str, Callable[[Tree, int], Any]] = {
    "S": _read_string,
    "N": _read_number,
    "B": _read_bytes,
    "SS": _read_set("SS", _read_string),
    "NS": _read_set("NS", _read_number),
    "BS": _read_set("BS", _read_bytes),
    "M": _read_map,
    "L": _read_list,
    "BOOL": _read_bool,
    "NULL": _read_null,
}

# ---- Writing -------------------------------------------------------------------------------------------------------

_encode = JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


def _text(tree: Tree) -> str:
    text = _encode(tree)
    if not text.isascii():
        # Half of a surrogate pair, which Python has and no other place takes, is an error.
        text.encode()
    return text


def _placed(error: Exception, value: Any) -> Exception:
    """The same error, with the path of what cannot be written. It is looked for now, so that writing has not to keep it."""
    path = path_of(_steps_to(value, 1))
    kind = TypeError if isinstance(error, TypeError) else ValueError
    return kind(f"{path}: {error}" if path else str(error))


def _steps_to(value: Any, depth: int) -> Iterator[str | int]:
    """The steps to the innermost part that cannot be written either."""
    if depth > MAX_DEPTH:
        return
    parts: Any = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, (list, tuple)):
        parts = enumerate(value)
    elif _is_of_dataclass(value):
        parts = _fields(value).items()
    for step, part in parts:
        try:
            _text(_tagged(part, depth + 1))
        except (TypeError, ValueError):
            yield step
            yield from _steps_to(part, depth + 1)
            return


def _is_of_dataclass(value: Any) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _fields(item: Any) -> dict[str, Any]:
    """The attributes of a dataclass. A field that is `None` is not written: absent is what it is read from."""
    attributes = {}
    for field in dataclasses.fields(item):
        value = getattr(item, field.name)
        if value is not None:
            attributes[field.metadata.get("attribute", field.name)] = value
    return attributes


def _map(item: dict[str, Any], depth: int) -> Tree:
    if depth > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    tree: dict[str, Any] = {}
    for name, value in item.items():
        if value.__class__ is str:
            tree[name] = {"S": value}
        else:
            tree[name] = _tagged(value, depth + 1)
        if not isinstance(name, str):
            raise TypeError(f"the name of an attribute is a string, and {name!r} is none")
    return tree


def _tagged(value: Any, depth: int) -> Tree:
    """A value with its type, for `json` to write."""
    write = _WRITE.get(value.__class__)
    if write is not None:
        return write(value, depth)
    if isinstance(value, enum.Enum):
        return _tagged(value.value, depth)
    for kind, write in _WRITE.items():
        if isinstance(value, kind):
            return write(value, depth)
    if _is_of_dataclass(value):
        return {"M": _map(_fields(value), depth)}
    if isinstance(value, float):
        raise TypeError(f'{value!r} is a float, which is not exact: make it a Decimal, such as Decimal("{value!r}")')
    raise TypeError(f"DynamoDB has no type for {type(value).__name__}")


def _number_tree(value: Any, depth: int) -> Tree:
    return {"N": _number.to_text(value)}


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _list_tree(value: Any, depth: int) -> Tree:
    if depth > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    return {"L": [_tagged(element, depth + 1) for element in value]}


def _set_tree(elements: Any, depth: int) -> Tree:
    """In order, since Python's own order of a set says nothing and changes."""
    if isinstance(elements, EmptySet):
        return {elements.tag: []}
    if not elements:
        raise TypeError("an empty set: DynamoDB has none, leave the attribute out")
    if all(isinstance(element, str) for element in elements):
        return {"SS": sorted(elements)}
    if all(isinstance(element, (Decimal, int)) and not isinstance(element, bool) for element in elements):
        return {"NS": [_number.to_text(element) for element in sorted(elements)]}
    if all(isinstance(element, bytes) for element in elements):
        return {"BS": [_base64(element) for element in sorted(elements)]}
    # What is written as something else, such as enums by their values.
    tagged = [_tagged(element, depth) for element in elements]
    tags = {tag for tree in tagged for tag in tree}
    if len(tags) == 1 and tags <= {"S", "N", "B"}:
        (tag,) = tags
        return {f"{tag}S": sorted({tree[tag] for tree in tagged}, key=Decimal if tag == "N" else None)}
    raise TypeError("the elements of a set are all strings, all numbers or all bytes")


# By class, and then in this order for classes that are made of these: `bool` is an `int` to Python.
_WRITE: dict[type, Callable[[Any, int], Tree]] = {
    str: lambda value, depth: {"S": value},
    bool: lambda value, depth: {"BOOL": value},
    type(None): lambda value, depth: {"NULL": True},
    Decimal: _number_tree,
    int: _number_tree,
    dict: lambda value, depth: {"M": _map(value, depth)},
    list: _list_tree,
    tuple: _list_tree,
    bytes: lambda value, depth: {"B": _base64(value)},
    bytearray: lambda value, depth: {"B": _base64(value)},
    memoryview: lambda value, depth: {"B": _base64(value)},
    set: _set_tree,
    frozenset: _set_tree,
    datetime.date: lambda value, depth: {"S": value.isoformat()},
    uuid.UUID: lambda value, depth: {"S": str(value)},
}
