"""A record that was made from its JSON, with no host: for unit tests.

Reads what the host reads out of a record, in the same way. It is no check of an event: the host does that.
"""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple, Optional

from . import _scan
from .errors import ImageError, RecordError


class Identity(NamedTuple):
    type: str
    principal_id: str


class StreamArn(NamedTuple):
    region: str
    table: str


def parse_arn(arn: str) -> Optional[StreamArn]:
    """`arn:aws:dynamodb:us-west-2:112233445566:table/NAME/stream/LABEL`"""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn" or parts[2] != "dynamodb" or not parts[5].startswith("table/"):
        return None
    table, found, _label = parts[5][len("table/") :].partition("/stream/")
    return StreamArn(parts[3], table) if found else None


class LocalRecord:
    """Has the methods of the host's record."""

    def __init__(self, text: str) -> None:
        try:
            record = _scan.attributes(text)
            change = _object(record, "dynamodb")
            if change is None:
                raise _field("dynamodb")
            arn = _string(record, "eventSourceARN")
            parsed = parse_arn(arn or "")
            if arn is None or parsed is None:
                raise _field("eventSourceARN")
            event_name = _string(record, "eventName")
            if event_name not in ("INSERT", "MODIFY", "REMOVE"):
                raise _field("eventName")
            sequence_number = _string(change, "SequenceNumber") or ""
            if not (sequence_number.isascii() and sequence_number.isdigit()):
                raise _field("dynamodb.SequenceNumber")
            identity = _object(record, "userIdentity")
            self._values: dict[str, Any] = {
                "event_id": _string(record, "eventID") or "",
                "table": parsed.table,
                "stream_arn": arn,
                "region": _string(record, "awsRegion") or parsed.region,
                "sequence_number": sequence_number,
                "event_name": event_name,
                "size_bytes": _whole(change.get("SizeBytes"), 0),
                "created_at_ms": _whole(change.get("ApproximateCreationDateTime"), 3),
                "user_identity": identity
                and Identity(_string(identity, "type") or "", _string(identity, "principalId") or ""),
                "keys": _image(change, "Keys"),
                "new_image": _image(change, "NewImage"),
                "old_image": _image(change, "OldImage"),
                "json": text,
            }
        except ImageError as error:
            raise RecordError(f"not a stream record: {error}") from None
        if self._values["keys"] is None:
            raise _field("dynamodb.Keys")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._values:
            raise AttributeError(name)
        return lambda: self._values[name]


def _field(path: str) -> RecordError:
    return RecordError(f"not a stream record: {path} is missing or wrong")


def _raw(fields: dict[str, str], name: str) -> Optional[str]:
    """The text of a field; null is as good as absent."""
    text = fields.get(name)
    return None if text == "null" else text


def _string(fields: dict[str, str], name: str) -> Optional[str]:
    text = _raw(fields, name)
    if text is None:
        return None
    try:
        return _scan.Scanner(text).string()
    except ImageError as error:
        raise error.within(name)


def _object(fields: dict[str, str], name: str) -> Optional[dict[str, str]]:
    text = _raw(fields, name)
    return None if text is None else _scan.attributes(text)


def _image(fields: dict[str, str], name: str) -> Optional[str]:
    text = _raw(fields, name)
    if text is not None:
        _scan.Scanner(text).expect("{")
    return text


def _whole(text: Optional[str], shift: int) -> Optional[int]:
    """A number times ten to the `shift`, cut off below. None for what is no number, or negative."""
    try:
        number = Decimal(json.loads(text or "null", parse_float=str, parse_int=str)).scaleb(shift)
    except (ValueError, TypeError, InvalidOperation):
        return None
    return int(number) if 0 <= number < 2**64 and (shift or number == int(number)) else None
