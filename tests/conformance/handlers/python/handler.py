"""The conformance handler in Python: the record's key `case` says what to do."""

from __future__ import annotations

import logging
import os
import random
import secrets
import sys
import time
from typing import Any, NoReturn

from gristmill import ImageError, Reject, Retry, StreamRecord, handler, invocation, to_dynamodb_json

log = logging.getLogger()
log.setLevel(5)
logging.addLevelName(5, "TRACE")

LEVELS = {
    "trace": 5,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}


@handler
def answer(record: StreamRecord) -> None:
    case = record.keys["case"]
    if case == "echo":
        echo(record)
    elif case == "accessors":
        accessors(record)
    elif case == "retry":
        raise Retry(text_of(record))
    elif case == "reject":
        raise Reject(text_of(record))
    elif case == "throw":
        raise RuntimeError(text_of(record))
    elif case == "trap":
        os.abort()
    elif case == "exit":
        sys.exit(3)
    elif case == "loop":
        while True:
            pass
    elif case == "grow":
        grow()
    elif case == "recurse":
        recurse(0)
    elif case == "print":
        print_it(attributes(record))
    elif case == "log":
        line = attributes(record)
        log.log(LEVELS[line["level"]], line["text"], extra={"fields": line["fields"]})
    elif case == "clock":
        clock()
    elif case == "random":
        log.info("random", extra={"first": f"{random.getrandbits(64):016x}", "second": secrets.token_hex(8)})
    else:
        raise Reject(f"no such case: {case}")


def attributes(record: StreamRecord) -> dict[str, Any]:
    image = record.new_image
    if image is None:
        raise Reject("no new image")
    return image


def text_of(record: StreamRecord) -> str:
    return attributes(record)["text"]


def echo(record: StreamRecord) -> None:
    try:
        fields = {"keys": to_dynamodb_json(record.keys)}
        if record.new_image is not None:
            fields["new"] = to_dynamodb_json(record.new_image)
        if record.old_image is not None:
            fields["old"] = to_dynamodb_json(record.old_image)
    except ImageError as error:
        raise Reject(str(error)) from None
    log.info("echo", extra=fields)


def accessors(record: StreamRecord) -> None:
    identity = record.user_identity
    fields = {
        "event-id": record.event_id,
        "table": record.table,
        "stream-arn": record.stream_arn,
        "region": record.region,
        "sequence-number": record.sequence_number,
        "event-name": record.event_name,
        "size-bytes": record.size_bytes,
        "created-at-ms": record.created_at_ms,
        "identity-type": identity and identity.type,
        "identity-principal-id": identity and identity.principal_id,
        "ttl-delete": "true" if record.is_ttl_delete else "false",
        "json": record.json,
        "request-id": invocation.request_id(),
        "handler": invocation.handler(),
        "function-name": invocation.function_name(),
        "function-version": invocation.function_version(),
        "attempt": invocation.attempt(),
        "deadline-ms": invocation.deadline_ms(),
        "trace-header": invocation.trace_header(),
        "display": record,
    }
    log.info("accessors", extra={name: str(value) for name, value in fields.items() if value is not None})


def grow() -> NoReturn:
    kept = []
    while True:
        kept.append(bytearray(1_000_000))


def recurse(depth: int) -> int:
    return recurse(depth + 1) + 1


def print_it(line: dict[str, Any]) -> None:
    stream = sys.stderr if line.get("stream") == "stderr" else sys.stdout
    print(line["text"] if "text" in line else "x" * int(line["bytes"]), file=stream)


def clock() -> None:
    first_ms = time.time() * 1000
    second_ms = first_ms
    while second_ms < first_ms + 2:
        second_ms = time.time() * 1000
    log.info("clock", extra={"first-ms": first_ms, "second-ms": second_ms})
