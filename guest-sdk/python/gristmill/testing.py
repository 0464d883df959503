"""Records made by hand, for the unit tests of handlers.

    from gristmill.testing import Record

    record = Record.modify("orders").key("id", "1").old_attribute("status", "new").new_attribute("status", "paid")
    file(record.build())

What a test does not say has a value that AWS could have sent: ids, sequence number, ARN, time, size. The same calls make
the same record. Each call gives a new record and leaves the old one as it was. A record that cannot be, such as an insert
with an old image, is a `ValueError` at the line that asks for it.
"""

from __future__ import annotations

import copy
import json
import re
from decimal import Decimal
from typing import Any, Iterable, Optional

from ._local import parse_arn
from ._scan import EmptySet
from .record import EventName, StreamRecord, UserIdentity
from .values import attributes_of, from_dynamodb_json, is_same, to_dynamodb_json, value_to_dynamodb_json

__all__ = ["Record", "event"]

# 2026-01-05T09:30:00Z, which is also the label of the stream.
_CREATED_AT_S = 1_767_605_400
# An event's records count from these on, so that each is one of its own.
_FIRST_EVENT_ID = 0x1A87201789A6E14315B8038EBBD3B99D
_FIRST_SEQUENCE_NUMBER = 261_800_000_000_059_086_429_283

# What a stream carries of each change: the new image, the old image.
_VIEW_TYPES = {
    "KEYS_ONLY": (False, False),
    "NEW_IMAGE": (True, False),
    "OLD_IMAGE": (False, True),
    "NEW_AND_OLD_IMAGES": (True, True),
}


class Record:
    """A stream record in the making.

    Say what the change was, and the view type says what of it the record carries. The key attributes are part of every
    image by themselves. An attribute that is given twice has the later value.
    """

    def __init__(self, event_name: str, table: str) -> None:
        if not re.fullmatch(r"[a-zA-Z0-9_.-]+", table):
            raise ValueError(f"{table!r} is no table's name: a–z, A–Z, 0–9, `_`, `-` and `.`")
        self._event_name = EventName(event_name)
        self._stream_arn = f"arn:aws:dynamodb:us-east-1:123456789012:table/{table}/stream/2026-01-05T09:30:00.000"
        self._keys: dict[str, Any] = {}
        self._old: dict[str, Any] = {}
        self._new: dict[str, Any] = {}
        self._view_type = "NEW_AND_OLD_IMAGES"
        self._event_id: Optional[str] = None
        self._sequence_number: Optional[str] = None
        self._created_at_ms: Optional[int] = None
        self._user_identity: Optional[UserIdentity] = None

    @classmethod
    def insert(cls, table: str) -> Record:
        """An item of this table is new."""
        return cls("INSERT", table)

    @classmethod
    def modify(cls, table: str) -> Record:
        """An item of this table has changed."""
        return cls("MODIFY", table)

    @classmethod
    def remove(cls, table: str) -> Record:
        """A caller deleted an item of this table."""
        return cls("REMOVE", table)

    @classmethod
    def ttl_delete(cls, table: str) -> Record:
        """Time to Live deleted an item of this table."""
        return cls("REMOVE", table).user_identity(UserIdentity("Service", "dynamodb.amazonaws.com"))

    def key(self, name: str, value: Any) -> Record:
        """A key attribute of the item: the partition key, and a second for the sort key where the table has one."""
        if isinstance(value, bool) or not isinstance(value, (str, int, Decimal, bytes)):
            raise ValueError(f"the key {name!r} is {value!r}: DynamoDB takes a string (S), a number (N) or binary (B)")
        other = self._with()
        other._keys[name] = value
        if len(other._keys) > 2:
            raise ValueError(f"the key {name!r} is the third: an item has a partition key and may have a sort key")
        return other

    def attribute(self, name: str, value: Any) -> Record:
        """An attribute of the item that the change left as it was: part of each image that the change has."""
        other = self._with()
        if self._event_name is not EventName.INSERT:
            other._old[name] = value
        if self._event_name is not EventName.REMOVE:
            other._new[name] = value
        return other

    def old_attribute(self, name: str, value: Any) -> Record:
        """An attribute of the item before the change."""
        return self.old_image({name: value})

    def new_attribute(self, name: str, value: Any) -> Record:
        """An attribute of the item after the change."""
        return self.new_image({name: value})

    def old_image(self, item: Any) -> Record:
        """Attributes of the item before the change, a dict or a dataclass, beside those that were given already."""
        if self._event_name is EventName.INSERT:
            raise ValueError("an insert has no old image: there was no item")
        other = self._with()
        other._old.update(attributes_of(item))
        return other

    def new_image(self, item: Any) -> Record:
        """Attributes of the item after the change, a dict or a dataclass, beside those that were given already."""
        if self._event_name is EventName.REMOVE:
            raise ValueError("a removal has no new image: there is no item")
        other = self._with()
        other._new.update(attributes_of(item))
        return other

    def old_image_json(self, text: str) -> Record:
        """The same as `old_image`, from DynamoDB JSON."""
        return self.old_image(from_dynamodb_json(text))

    def new_image_json(self, text: str) -> Record:
        """The same as `new_image`, from DynamoDB JSON."""
        return self.new_image(from_dynamodb_json(text))

    def view_type(self, view_type: str) -> Record:
        """What the stream carries: `KEYS_ONLY`, `NEW_IMAGE`, `OLD_IMAGE`, or `NEW_AND_OLD_IMAGES` as otherwise."""
        if view_type not in _VIEW_TYPES:
            raise ValueError(f"{view_type!r} is no view type: {', '.join(_VIEW_TYPES)}")
        return self._with(_view_type=view_type)

    def stream_arn(self, arn: str) -> Record:
        """The ARN of the stream, in place of the one that is made of the table's name."""
        if parse_arn(arn) is None:
            raise ValueError(f"{arn!r} is no stream's ARN: arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL")
        return self._with(_stream_arn=arn)

    def event_id(self, event_id: str) -> Record:
        """The record's `eventID`. Otherwise 32 hexadecimal digits."""
        return self._with(_event_id=event_id)

    def sequence_number(self, digits: str) -> Record:
        """The position in the shard. Otherwise 24 digits."""
        if not re.fullmatch("[0-9]+", digits):
            raise ValueError(f"{digits!r} is no sequence number: decimal digits")
        return self._with(_sequence_number=digits)

    def created_at_ms(self, created_at_ms: int) -> Record:
        """About when the change was made, in milliseconds since the Unix epoch. Otherwise 2026-01-05T09:30:00Z."""
        return self._with(_created_at_ms=created_at_ms)

    def user_identity(self, identity: UserIdentity) -> Record:
        """Who made the change. Otherwise a caller, or Time to Live for `ttl_delete`."""
        return self._with(_user_identity=identity)

    def build(self) -> StreamRecord:
        """The record, as a handler is given it."""
        return StreamRecord.from_json(self.to_json())

    def to_json(self) -> str:
        """The record as Lambda sends it: one element of an event's `Records`. `event` makes a whole event."""
        return self._numbered(0)

    def _with(self, **fields: Any) -> Record:
        other = copy.copy(self)
        other._keys, other._old, other._new = dict(self._keys), dict(self._old), dict(self._new)
        vars(other).update(fields)
        return other

    def _numbered(self, index: int) -> str:
        """The record in its place among those of an event, which decides what was not said of it."""
        carries_new, carries_old = _VIEW_TYPES[self._view_type]
        images = [
            ("NewImage", self._new, carries_new and self._event_name is not EventName.REMOVE),
            ("OldImage", self._old, carries_old and self._event_name is not EventName.INSERT),
        ]
        texts = [("Keys", to_dynamodb_json(_sorted(self._keys)))]
        size_bytes = _item_size(self._keys)
        for name, attributes, is_carried in images:
            image = self._with_keys(attributes)
            if is_carried:
                texts.append((name, to_dynamodb_json(_sorted(image))))
                size_bytes += _item_size(image)
        arn = parse_arn(self._stream_arn)
        event_id = f"{_FIRST_EVENT_ID + index:032x}" if self._event_id is None else self._event_id
        created_at_ms = (_CREATED_AT_S + index) * 1000 if self._created_at_ms is None else self._created_at_ms
        change = "".join(
            [
                f'"ApproximateCreationDateTime":{_seconds(created_at_ms)}',
                *(f',"{name}":{text}' for name, text in texts),
                f',"SequenceNumber":"{self._sequence_number or _FIRST_SEQUENCE_NUMBER + index}"',
                f',"SizeBytes":{size_bytes},"StreamViewType":"{self._view_type}"',
            ]
        )
        identity = ""
        if self._user_identity is not None:
            principal, kind = _json_string(self._user_identity.principal_id), _json_string(self._user_identity.type)
            identity = f'"userIdentity":{{"principalId":{principal},"type":{kind}}},'
        return (
            f'{{"eventID":{_json_string(event_id)},"eventName":"{self._event_name}","eventVersion":"1.1",'
            f'"eventSource":"aws:dynamodb","awsRegion":{_json_string(arn.region if arn else "")},{identity}'
            f'"dynamodb":{{{change}}},"eventSourceARN":{_json_string(self._stream_arn)}}}'
        )

    def _with_keys(self, attributes: dict[str, Any]) -> dict[str, Any]:
        """The image of an item with these attributes. A change never changes a key: it is another item then."""
        if not self._keys:
            raise ValueError('the record has no key: say which item it is of, for example by .key("id", "1")')
        image = dict(attributes)
        for name, key in self._keys.items():
            if name in image and not _is_same(image[name], key):
                key_json, other = value_to_dynamodb_json(key), value_to_dynamodb_json(image[name])
                raise ValueError(f"the key {name!r} of the item is {key_json}, and {other} in an image")
            image[name] = key
        return image


def event(records: Iterable[Record]) -> str:
    """An event with these records, as Lambda sends it: for `gristmill invoke --event`. A record a line.

    Records that do not say their event id, sequence number and time count on from one another, in this order.
    """
    records = list(records)
    arns = {record._stream_arn for record in records}
    if len(arns) > 1:
        raise ValueError(f"an event is of one stream: {' and '.join(sorted(arns))} are {len(arns)}")
    texts = ",\n".join(record._numbered(index) for index, record in enumerate(records))
    return f'{{"Records":[\n{texts}\n]}}\n' if texts else '{"Records":[]}\n'


def _json_string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _is_same(a: Any, b: Any) -> bool:
    return is_same(Decimal(a) if isinstance(a, int) else a, Decimal(b) if isinstance(b, int) else b)


def _sorted(item: dict[str, Any]) -> dict[str, Any]:
    """By name, since DynamoDB promises no order."""
    return dict(sorted(item.items()))


def _seconds(ms: int) -> str:
    """Seconds since the Unix epoch as AWS writes them: with a fraction when there is one."""
    return f"{ms // 1000}.{ms % 1000:03}" if ms % 1000 else str(ms // 1000)


# Of a list or map, whatever is in it; each element adds one.
_OVERHEAD = 3


def _item_size(item: dict[str, Any]) -> int:
    """Names and values in bytes, as a stream's `SizeBytes` counts them."""
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Any) -> int:
    if value is None or isinstance(value, bool):
        return 1
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, (int, Decimal)):
        # A byte for every two significant digits, one more, and one for a sign.
        number = Decimal(value)
        digits = "".join(map(str, number.as_tuple().digits)).strip("0")
        return (len(digits) + 1) // 2 + 1 + (number < 0)
    if isinstance(value, (bytes, bytearray)):
        return len(value)
    if isinstance(value, EmptySet):
        return 0
    if isinstance(value, (set, frozenset)):
        return sum(map(_size, value))
    if isinstance(value, dict):
        return _OVERHEAD + len(value) + _item_size(value)
    if isinstance(value, (list, tuple)):
        return _OVERHEAD + sum(1 + _size(element) for element in value)
    # What is written as something else: an enum, a date, a dataclass.
    return _item_size(from_dynamodb_json(f'{{"":{value_to_dynamodb_json(value)}}}'))
