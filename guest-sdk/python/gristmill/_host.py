"""What the host gives, by its own names (`wit/events.wit`); stand-ins for it where there is no host, as in a unit test.

The module `wit_world` is generated while a component is built, and is nowhere else.
"""

from __future__ import annotations

import sys
import weakref
from typing import Any

try:
    from componentize_py_types import Err  # type: ignore[import-not-found]
    from wit_world.imports import invocation  # type: ignore[import-not-found]
    from wit_world.imports import log as _log
    from wit_world.imports import types as _types

    IN_COMPONENT = True
except ModuleNotFoundError:
    IN_COMPONENT = False

# In the order of the contract.
EVENT_NAMES = ("INSERT", "MODIFY", "REMOVE")
LEVELS = ("trace", "debug", "info", "warn", "error", "critical")

if IN_COMPONENT:
    # The generated code looks this up when the component is built, and calls it for each event name that it is given. An
    # enum's own call is slow.
    _types.EventName = EVENT_NAMES.__getitem__
    _levels = {name: getattr(_log.Level, name.upper()) for name in LEVELS}

    def write_log(level: str, message: str, fields: list[tuple[str, str]]) -> None:
        _log.write(_levels[level], message, fields)

    def retry(text: str) -> BaseException:
        """The exception that the generated code takes for the failure `retry`."""
        return Err(_types.Failure_Retry(text))

    def reject(text: str) -> BaseException:
        return Err(_types.Failure_Reject(text))

    class _Held:
        """In the place of a `weakref.finalize`, which takes longer than a small handler does.

        The generated code makes one for each record, to give it back to the host when nobody holds it any more. Here it is
        given back at the end of the call, when the host takes it back anyway.
        """

        __slots__ = ("_drop", "_kind", "_handle")

        def __init__(self, record: Any, drop: Any, kind: int, handle: int) -> None:
            self._drop, self._kind, self._handle = drop, kind, handle

        def detach(self) -> None:
            pass

        def give_back(self) -> None:
            self._drop(self._kind, self._handle)

    _finalize = weakref.finalize

    def hold_records() -> None:
        """The generated code looks `weakref.finalize` up once, when the component is built."""
        weakref.finalize = _Held  # type: ignore[assignment,misc]

    def begin() -> None:
        """At the first call: what was changed for the generated code alone is as it was."""
        weakref.finalize = _finalize  # type: ignore[misc]

    def give_back(record: Any) -> None:
        record.finalizer.give_back()

else:

    def write_log(level: str, message: str, fields: list[tuple[str, str]]) -> None:
        line = "".join([level.upper(), " ", message, *(f" {name}={value!r}" for name, value in fields)])
        print(line, file=sys.stderr)

    class invocation:  # type: ignore[no-redef]  # In the place of a module.
        @staticmethod
        def request_id() -> str:
            return "00000000-0000-0000-0000-000000000000"

        @staticmethod
        def handler() -> str:
            return "handler"

        @staticmethod
        def function_name() -> str:
            return "function"

        @staticmethod
        def function_version() -> str:
            return "$LATEST"

        @staticmethod
        def attempt() -> int:
            return 1

        @staticmethod
        def deadline_ms() -> Any:
            return None

        @staticmethod
        def trace_header() -> Any:
            return None


def clean(text: str) -> str:
    """Half a surrogate pair is a character to Python, and to nobody else: it is written as an escape."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
