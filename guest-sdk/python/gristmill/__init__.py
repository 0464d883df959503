"""Write handlers of DynamoDB stream records for gristmill in Python.

A handler is a function with the decorator `handler`, in the module `handler.py`:

    from gristmill import Reject, StreamRecord, handler

    @handler
    def file(record: StreamRecord) -> None:
        if record.new_image and "total" not in record.new_image:
            raise Reject("not an order")

When it returns, the record need not come again. Any exception means that it must, and `Reject` that it will never go
better.
"""

from . import invocation
from ._change import ABSENT, Change
from ._number import DECIMAL
from ._register import handler
from .errors import ChangeError, Failure, ImageError, RecordError, Reject, Retry
from .record import EventName, StreamRecord, UserIdentity
from .values import (
    from_dynamodb_json,
    to_dynamodb_json,
    value_from_dynamodb_json,
    value_to_dynamodb_json,
)

__version__ = "0.1.0"

__all__ = [
    "ABSENT",
    "Change",
    "ChangeError",
    "DECIMAL",
    "EventName",
    "Failure",
    "ImageError",
    "RecordError",
    "Reject",
    "Retry",
    "StreamRecord",
    "UserIdentity",
    "from_dynamodb_json",
    "handler",
    "invocation",
    "to_dynamodb_json",
    "value_from_dynamodb_json",
    "value_to_dynamodb_json",
]
