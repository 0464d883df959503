"""A call of the handler: the record in, and what became of it out.

In a component alone, and never imported by a handler.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from typing import Any, Callable

from . import _host
from .errors import Reject, Retry, describe
from .record import StreamRecord

# The host keeps a bounded part of a text.
_MAX_TEXT = 8192


def bind(function: Callable[[StreamRecord], Any]) -> type:
    """The class that the generated code makes one of and calls."""

    class Handler:
        begun = False

        def handle(self, record: Any) -> None:
            if not self.begun:
                _host.begin()
                self.begun = True
            failure = None
            try:
                result = function(StreamRecord(record))
                if result is not None:
                    failure = _host.retry(_returned(function, result))
            except Reject as error:
                failure = _host.reject(_text(error))
            except Retry as error:
                failure = _host.retry(_text(error))
            # SystemExit and KeyboardInterrupt too: nothing that was left early has succeeded.
            except BaseException as error:
                failure = _host.retry(_text(error))
                _print_traceback(error)
            # A component never exits, and what waits for the end of its line is flushed at an exit.
            for stream in (sys.stdout, sys.stderr):
                try:
                    stream.flush()
                except Exception as error:
                    failure = failure or _host.retry(_text(error))
            _host.give_back(record)
            if failure is not None:
                raise failure

    return Handler


def _text(error: BaseException) -> str:
    try:
        return _host.clean(describe(error)[:_MAX_TEXT])
    except Exception as second:
        return f"{type(error).__name__}: its text failed: {type(second).__name__}"


def _returned(function: Callable[..., Any], result: Any) -> str:
    """A handler that gives something back may mean a failure by it, or nothing has run. Neither is a success."""
    kind = type(result).__name__
    if hasattr(result, "close") and kind in ("coroutine", "generator", "async_generator"):
        result.close()
        return f"the handler returned a {kind}, which nobody runs"
    return f"the handler returned a value of type {kind}: it returns nothing, and raises Retry or Reject when it failed"


def _print_traceback(error: BaseException) -> None:
    try:
        frames = error.__traceback__.tb_next if error.__traceback__ else None
        # To show a thousand frames of one recursion takes half a second.
        limit = 32 if isinstance(error, RecursionError) else None
        lines = traceback.format_exception(type(error), error, frames, limit=limit)
        if isinstance(error, ModuleNotFoundError):
            lines.append(
                "A component has the modules that were imported when it was built, and no files: "
                f"`import {error.name}` at the top of the module.\n"
            )
        sys.stderr.write(_host.clean("".join(lines)))
    except Exception as second:
        # The failure's text is told in any case.
        print(f"no traceback: {type(second).__name__}", file=sys.stderr)


class _Raw(io.RawIOBase):
    """A descriptor, which is another one while the component is built."""

    def __init__(self, descriptor: int, name: str) -> None:
        self.descriptor = descriptor
        self.name = name

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.descriptor

    def write(self, data: Any) -> int:
        return os.write(self.descriptor, data)


class Streams:
    """Standard output and error, by line: what was printed before a trap is seen.

    One write for a line. Python's own, in a component, has one for the text and one for its end.
    """

    def __init__(self, printed: int) -> None:
        self._raws = {}
        for name, descriptor in (("stdout", 1), ("stderr", 2)):
            raw = _Raw(printed, f"<{name}>")
            stream = io.TextIOWrapper(
                io.BufferedWriter(raw, 8192),
                encoding="utf-8",
                errors="backslashreplace",
                newline="\n",
                line_buffering=True,
            )
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
            self._raws[descriptor] = raw
        self._printed = printed

    def begin(self) -> None:
        """From here on it is the component's output."""
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        for descriptor, raw in self._raws.items():
            raw.descriptor = descriptor
        os.close(self._printed)


def open_output(printed: str) -> Streams:
    """Sends what is printed to this file, until the build is done."""
    return Streams(os.open(printed, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
