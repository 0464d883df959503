"""Python's `logging`, to the host's log: a call of the host for each line."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping
from itertools import islice
from typing import Any

from . import _host

TRACE = 5
"""What `logging` has no name for: below DEBUG."""

# What a LogRecord has by itself. The rest came by `extra`, and is fields of the line.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class _Line(logging.LogRecord):
    """A LogRecord that does not find out what nothing shows: the file, the thread, the process."""

    def __init__(
        self,
        name: str,
        level: int,
        pathname: str,
        lineno: int,
        msg: Any,
        args: Any,
        exc_info: Any,
        func: Any = None,
        sinfo: Any = None,
        **_: Any,
    ) -> None:
        # `log.info("%(a)s", {"a": 1})`, as the base class has it.
        if args and len(args) == 1 and isinstance(args[0], Mapping) and args[0]:
            args = args[0]
        created = time.time()
        self.__dict__ = {
            **_UNKNOWN,
            "name": name,
            "msg": msg,
            "args": args,
            "levelname": logging.getLevelName(level),
            "levelno": level,
            "exc_info": exc_info,
            "stack_info": sinfo,
            "created": created,
            "msecs": float(int(created % 1 * 1000)),
        }


_UNKNOWN = {
    **dict.fromkeys(vars(logging.makeLogRecord({}))),
    "pathname": "(unknown file)",
    "filename": "(unknown file)",
    "module": "(unknown)",
    "funcName": "(unknown function)",
    "lineno": 0,
    "relativeCreated": 0.0,
}


class HostHandler(logging.Handler):
    """Writes to the host's log. What is in `extra` becomes the line's fields.

    A name that `logging` keeps for itself, such as `name` or `message`, goes by `extra={"fields": {"name": "Zoë"}}`.
    """

    def handle(self, record: logging.LogRecord) -> bool:
        # As the base class does it, without a lock: there is one thread.
        if self.filters and not self.filter(record):
            return False
        self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = self.format(record) if self.formatter else record.getMessage()
            _host.write_log(level_of(record.levelno), _host.clean(message), fields_of(record))
        except RecursionError:
            raise
        except Exception:
            self.handleError(record)


def level_of(number: int) -> str:
    """The host's name of a level of `logging`."""
    if number >= logging.CRITICAL:
        return "critical"
    if number >= logging.ERROR:
        return "error"
    if number >= logging.WARNING:
        return "warn"
    if number >= logging.INFO:
        return "info"
    return "debug" if number >= logging.DEBUG else "trace"


def fields_of(record: logging.LogRecord) -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = []
    own = vars(record)
    # What came by `extra` comes last.
    for name, value in islice(own.items(), len(_UNKNOWN) if record.__class__ is _Line else 0, None):
        if name in _OWN:
            continue
        if name == "fields" and isinstance(value, dict):
            fields.extend((_clean(key), _clean(held)) for key, held in value.items())
        else:
            fields.append((_clean(name), _clean(value)))
    if record.exc_info and record.exc_info[1] is not None:
        # The traceback has the text of the exception as its last line.
        fields.append(("traceback", _host.clean(_formatter.formatException(record.exc_info))))
    if record.stack_info:
        fields.append(("stack", _host.clean(record.stack_info)))
    return fields


_formatter = logging.Formatter()


def _clean(value: Any) -> str:
    return _host.clean(value if value.__class__ is str else str(value))


_find_caller_by_walk = logging.Logger.findCaller


def _find_caller(
    logger: logging.Logger, stack_info: bool = False, stacklevel: int = 1
) -> tuple[str, int, str, str | None]:
    """Who called is looked for by a walk up the stack. Nothing shows it, unless the stack is asked for."""
    if stack_info:
        return _find_caller_by_walk(logger, stack_info, stacklevel + 1)
    return "(unknown file)", 0, "(unknown function)", None


def before_import() -> None:
    """The root's level, which the handler's own module may change while it is imported."""
    logging.addLevelName(TRACE, "TRACE")
    logging.getLogger().setLevel(logging.INFO)
    # Of no use where there is one thread, and looked up for every line.
    logging.logThreads = False
    logging.logProcesses = False
    logging.logMultiprocessing = False
    if hasattr(logging, "logAsyncioTasks"):
        logging.logAsyncioTasks = False
    logging.setLogRecordFactory(_Line)
    logging.Logger.findCaller = _find_caller  # type: ignore[assignment,method-assign]


def after_import() -> None:
    """Puts the host in the place of what `logging.basicConfig` has set up, if it was called."""
    root = logging.getLogger()
    for handler in list(root.handlers):
        if type(handler) is logging.StreamHandler and handler.stream in (
            sys.stderr,
            sys.stdout,
            sys.__stderr__,
            sys.__stdout__,
        ):
            root.removeHandler(handler)
    root.addHandler(HostHandler())
