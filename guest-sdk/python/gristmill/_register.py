"""Which function is the handler: the one with the decorator."""

from __future__ import annotations

import inspect
from typing import Any, Callable, TypeVar

from .record import StreamRecord

F = TypeVar("F", bound=Callable[[StreamRecord], None])

registered: list[Callable[[Any], Any]] = []


def handler(function: F) -> F:
    """Makes a function the handler of this component: it is called once for each record.

    There is one in a component. The function stays what it is, so that a test calls it by its name.

    Raises `TypeError` when it cannot be called with a record and nothing else, or when calling it would run nothing: an
    `async def`, or a generator.
    """
    if not inspect.isfunction(function) and not inspect.isbuiltin(function) and not callable(function):
        raise TypeError(f"@handler is for a function, and this is {function!r}")
    name = getattr(function, "__qualname__", repr(function))
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(
            f"the handler {name} is an `async def`: write `def {name}(record)`, nothing here waits for anything"
        )
    if inspect.isgeneratorfunction(function):
        raise TypeError(f"the handler {name} has a `yield`, so that a call of it runs nothing")
    if inspect.isfunction(function):
        try:
            inspect.signature(function).bind(None)
        except TypeError as error:
            raise TypeError(f"the handler {name} is called with one argument, the record: {error}") from None
    registered.append(function)
    return function
