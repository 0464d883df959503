"""What a record changed: the difference of its two images, by attribute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import ChangeError
from .values import is_same, value_to_dynamodb_json

if TYPE_CHECKING:
    from .record import StreamRecord


class _Absent:
    """In the place of a value where there is none, which is not the same as `None`, the value NULL."""

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


ABSENT: Any = _Absent()


class Change:
    """What became of one attribute: `old` and `new`, one of which may be `gristmill.ABSENT`."""

    __slots__ = ("old", "new")

    def __init__(self, old: Any, new: Any) -> None:
        self.old = old
        """The value before the change; `ABSENT` when there was none."""
        self.new = new
        """The value after it; `ABSENT` when there is none."""

    @property
    def kind(self) -> str:
        """`added`, `removed` or `modified`."""
        return "added" if self.old is ABSENT else "removed" if self.new is ABSENT else "modified"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Change):
            return NotImplemented
        return is_same(self.old, other.old) and is_same(self.new, other.new)

    def __str__(self) -> str:
        """For people: `modified from {"N":"1"} to {"N":"2"}`, with values as DynamoDB JSON."""
        if self.old is ABSENT:
            return f"added {value_to_dynamodb_json(self.new)}"
        if self.new is ABSENT:
            return f"removed {value_to_dynamodb_json(self.old)}"
        return f"modified from {value_to_dynamodb_json(self.old)} to {value_to_dynamodb_json(self.new)}"

    def __repr__(self) -> str:
        return f"Change(old={self.old!r}, new={self.new!r})"


def changed(record: StreamRecord, attribute: str) -> bool:
    old, new = _images(record)
    before = old.get(attribute, ABSENT)
    after = new.get(attribute, ABSENT)
    return not is_same(before, after)


def changes(record: StreamRecord) -> dict[str, Change]:
    old, new = _images(record)
    found = {}
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name, ABSENT), new.get(name, ABSENT)
        if not is_same(before, after):
            found[name] = Change(before, after)
    return found


def _images(record: StreamRecord) -> tuple[dict[str, Any], dict[str, Any]]:
    """An image that is absent because there was no item stands for an item without attributes.

    The event's name tells that from an image that the view type keeps back, which stands for nothing: to take it for
    empty would make everything changed, and to take it for the other image nothing.
    """
    old, new = record.old_image, record.new_image
    if old is None:
        if record.event_name != "INSERT":
            raise _kept_back(record, "old")
        old = {}
    if new is None:
        if record.event_name != "REMOVE":
            raise _kept_back(record, "new")
        new = {}
    return old, new


def _kept_back(record: StreamRecord, image: str) -> ChangeError:
    return ChangeError(
        f"the {record.event_name} record has no {image} image, so what changed is not known; the stream's view type must "
        "be NEW_AND_OLD_IMAGES"
    )
