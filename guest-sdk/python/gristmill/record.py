"""One record of a DynamoDB stream, as a handler reads it.

In a component the record stays in the host, and is asked for one thing after another. In a unit test it is a record's
JSON.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import Any, Optional, Type, TypeVar

from . import _change, _convert
from ._local import LocalRecord
from .errors import ImageError
from .values import from_dynamodb_json

T = TypeVar("T")


class EventName(str, enum.Enum):
    """What happened to the item. Equal to DynamoDB's word: `record.event_name == "INSERT"`."""

    INSERT = "INSERT"
    """The item is new."""
    MODIFY = "MODIFY"
    """An attribute of the item, or several, changed."""
    REMOVE = "REMOVE"
    """The item was deleted, by a caller or by Time to Live."""

    def __str__(self) -> str:
        return str(self.value)


_EVENT_NAMES = {name.value: name for name in EventName}


@dataclasses.dataclass(frozen=True)
class UserIdentity:
    """Who made the change, when it was a service and not a caller."""

    type: str
    """For example `Service`."""
    principal_id: str
    """For example `dynamodb.amazonaws.com`."""

    @property
    def is_time_to_live(self) -> bool:
        """Whether this is DynamoDB itself, which deletes an item whose Time to Live is over."""
        return self.type == "Service" and self.principal_id == "dynamodb.amazonaws.com"


_UNREAD: Any = object()


class StreamRecord:
    """One record of a DynamoDB stream.

    Everything is asked of the host when it is asked for here, once; images that nobody asks for cost nothing.

    In a unit test, make one with `gristmill.testing.Record`, or of a record's text with `StreamRecord.from_json`.
    """

    __slots__ = ("_host", "_event_name", "_keys_json", "_new_json", "_old_json", "_keys", "_new", "_old")

    def __init__(self, host: Any) -> None:
        self._host = host
        self._event_name = _UNREAD
        self._keys_json = _UNREAD
        self._new_json = _UNREAD
        self._old_json = _UNREAD
        self._keys = _UNREAD
        self._new = _UNREAD
        self._old = _UNREAD

    @staticmethod
    def from_json(text: str) -> StreamRecord:
        """A record from its JSON as Lambda sends it: one element of an event's `Records`. For unit tests.

        Raises `RecordError` when the text is no JSON, or the record has no event name, ARN, sequence number or keys.
        """
        return StreamRecord(LocalRecord(text))

    @property
    def event_id(self) -> str:
        """The record's `eventID`, the same on every delivery."""
        return self._host.event_id()

    @property
    def table(self) -> str:
        """The table's name, as it stands in the stream's ARN."""
        return self._host.table()

    @property
    def stream_arn(self) -> str:
        """The ARN of the stream, label included."""
        return self._host.stream_arn()

    @property
    def region(self) -> str:
        """The Region that the record comes from."""
        return self._host.region()

    @property
    def sequence_number(self) -> str:
        """The position in the shard: decimal digits. `int(…)` of it compares as the shard does."""
        return self._host.sequence_number()

    @property
    def event_name(self) -> EventName:
        """What happened to the item."""
        if self._event_name is _UNREAD:
            self._event_name = _EVENT_NAMES[self._host.event_name()]
        return self._event_name

    @property
    def size_bytes(self) -> Optional[int]:
        """The size of keys and images in bytes, as DynamoDB counts it."""
        return self._host.size_bytes()

    @property
    def created_at_ms(self) -> Optional[int]:
        """About when the change was made, in milliseconds since the Unix epoch."""
        return self._host.created_at_ms()

    @property
    def user_identity(self) -> Optional[UserIdentity]:
        """Who made the change, when it was a service and not a caller."""
        identity = self._host.user_identity()
        return None if identity is None else UserIdentity(identity.type, identity.principal_id)

    @property
    def is_ttl_delete(self) -> bool:
        """Whether Time to Live deleted the item, and no caller did.

        It is so in the Region that deleted it. A replica of a global table removes the item as any caller would.
        """
        if self.event_name is not EventName.REMOVE:
            return False
        identity = self.user_identity
        return identity is not None and identity.is_time_to_live

    @property
    def keys_json(self) -> str:
        """The item's key attributes as DynamoDB JSON, byte for byte as they came."""
        if self._keys_json is _UNREAD:
            self._keys_json = self._host.keys()
        return self._keys_json

    @property
    def new_image_json(self) -> Optional[str]:
        """The item after the change as DynamoDB JSON, byte for byte as it came.

        None when the record has none, which is not the same as an empty image: a removal has none, nor does a stream of
        view type `KEYS_ONLY` or `OLD_IMAGE`.
        """
        if self._new_json is _UNREAD:
            self._new_json = self._host.new_image()
        return self._new_json

    @property
    def old_image_json(self) -> Optional[str]:
        """The item before the change as DynamoDB JSON, byte for byte as it came.

        None when the record has none: an insert has none, nor does a stream of view type `KEYS_ONLY` or `NEW_IMAGE`.
        """
        if self._old_json is _UNREAD:
            self._old_json = self._host.old_image()
        return self._old_json

    @property
    def json(self) -> str:
        """The whole record, byte for byte as it came, with fields that gristmill does not know."""
        return self._host.json()

    @property
    def keys(self) -> dict[str, Any]:
        """The item's key attributes. Raises `ImageError` when they are not DynamoDB JSON."""
        if self._keys is _UNREAD:
            self._keys = _read(self.keys_json, "keys")
        return self._keys

    @property
    def new_image(self) -> Optional[dict[str, Any]]:
        """The item after the change, see `gristmill.values` for what is in it; None as for `new_image_json`.

        It is read once, and the same dict after that. Raises `ImageError` when it is not DynamoDB JSON, or nested deeper
        than 64 levels.
        """
        if self._new is _UNREAD:
            self._new = _read(self.new_image_json, "new image")
        return self._new

    @property
    def old_image(self) -> Optional[dict[str, Any]]:
        """The item before the change; as `new_image`."""
        if self._old is _UNREAD:
            self._old = _read(self.old_image_json, "old image")
        return self._old

    def keys_as(self, kind: Type[T]) -> T:
        """The item's key attributes as a type of your own; see `new_image_as`."""
        try:
            return _convert.to(kind, self.keys)
        except ImageError as error:
            raise error if error.image else error.of("keys")

    def new_image_as(self, kind: Type[T]) -> Optional[T]:
        """The item after the change as a type of your own, a dataclass as a rule; None as for `new_image_json`.

        | DynamoDB | annotation |
        |---|---|
        | S | `str`, an `enum.Enum` by its values, `Literal`, `datetime`, `date`, `UUID` |
        | N | `Decimal`, `int` (exact or an error), `float` (the nearest one), an `enum.Enum` by its values |
        | B | `bytes` |
        | SS, NS, BS | `set[…]`, `frozenset[…]` |
        | M | a dataclass, `dict[str, …]`, a `TypedDict` |
        | L | `list[…]`, `tuple[…, ...]`, `tuple[…, …]` |
        | BOOL | `bool` |
        | NULL, absent | `None` of `Optional[…]` or `… | None` |
        | any | `Any` |

        Attributes that the dataclass does not name are skipped. A field with a default may be absent. A field with
        `field(metadata={"attribute": "unit-price"})` is the attribute of that name.

        Raises `ImageError` when an attribute is missing, is of another type, or does not fit; it names the attribute:
        `new image: orders[3].price: expected a number (N), found a string (S)`. Raises `TypeError` when the type has an
        annotation that no attribute can become.
        """
        return _as(kind, self.new_image, "new image")

    def old_image_as(self, kind: Type[T]) -> Optional[T]:
        """The item before the change as a type of your own; see `new_image_as`."""
        return _as(kind, self.old_image, "old image")

    def changed(self, attribute: str) -> bool:
        """Whether an attribute of the item differs between the old image and the new one.

        Values are compared by what they mean: `1`, `1.0` and `1E0` are one number, sets and maps have no order, and lists
        have one. An attribute that is in one image alone has changed, also when the value there is `None`. Of an insert
        every attribute of the new image has changed, of a removal every one of the old image. An attribute that is in
        neither image has not.

        Raises `ChangeError` when the stream's view type keeps back an image that the answer needs, and `ImageError` when
        an image is not DynamoDB JSON.
        """
        return _change.changed(self, attribute)

    def changes(self) -> dict[str, _change.Change]:
        """The attributes of the item that differ between the old image and the new one, by name and sorted by it.

        What differs is what `changed` says. Top-level attributes: a map of which one element changed is one change, with
        the whole map before and after. Raises as `changed`.
        """
        return _change.changes(self)

    def __str__(self) -> str:
        """The record in a line: `MODIFY test-table keys {…} old {…} new {…}`, with images as they came."""
        parts = [f"{self.event_name} {self.table} keys {self.keys_json}"]
        old, new = self.old_image_json, self.new_image_json
        if old is not None:
            parts.append(f"old {old}")
        if new is not None:
            parts.append(f"new {new}")
        return " ".join(parts)

    def __repr__(self) -> str:
        return f"<StreamRecord {self.event_id} {self}>"


def _read(text: Optional[str], image: str) -> Any:
    if text is None:
        return None
    try:
        return from_dynamodb_json(text)
    except ImageError as error:
        raise error.of(image)


def _as(kind: Type[T], item: Optional[dict[str, Any]], image: str) -> Optional[T]:
    if item is None:
        return None
    try:
        return _convert.to(kind, item)
    except ImageError as error:
        raise error.of(image)
