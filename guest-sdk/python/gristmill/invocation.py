"""What a handler can know about the invocation that it runs in.

Each function is one call of the host, some microseconds. In a unit test, where there is no host, each gives the stand-in
that its documentation names; `unittest.mock.patch("gristmill.invocation.attempt", return_value=2)` gives another.
"""

from __future__ import annotations

import time
from typing import Optional

from ._host import invocation as _host


def request_id() -> str:
    """The id of the Lambda invocation. A delivery that repeats an unchanged batch keeps its id.

    Without a host `00000000-0000-0000-0000-000000000000`.
    """
    return _host.request_id()


def handler() -> str:
    """This handler's name in the manifest. Without a host `handler`."""
    return _host.handler()


def function_name() -> str:
    """The name of the Lambda function, or of what stands in for it. Without a host `function`."""
    return _host.function_name()


def function_version() -> str:
    """The version of the Lambda function. Without a host `$LATEST`."""
    return _host.function_version()


def attempt() -> int:
    """How often this execution environment has handed this record to this handler, this time included: at least 1.

    A lower bound, not for decisions: another environment may have tried before. Without a host 1.
    """
    return _host.attempt()


def deadline_ms() -> Optional[int]:
    """When the host will stop this call, in milliseconds since the Unix epoch. None when nothing limits it, as without a host."""
    return _host.deadline_ms()


def remaining_ms() -> Optional[int]:
    """The milliseconds that are left until the host stops this call, 0 when it is past. None when nothing limits it."""
    deadline = deadline_ms()
    return None if deadline is None else max(0, deadline - time.time_ns() // 1_000_000)


def trace_header() -> Optional[str]:
    """The AWS X-Ray trace header of the invocation. Without a host None."""
    return _host.trace_header()
