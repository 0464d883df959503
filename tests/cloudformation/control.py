"""What a test may ask of the server beside AWS's API: faults, a pause, and which calls have come."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from errors import HANDLER_ERROR_CODES, ResourceError

# Someone who pauses and never releases would leave threads behind: a test that needs longer than this hangs anyway.
LONGEST_PAUSE_SECONDS = 120


@dataclass
class Fault:
    """The next `times` handler calls for a logical id that end as if the service had refused."""

    logical_id: str
    message: str
    code: str
    times: int
    action: str | None


@dataclass
class Refusal:
    """An operation of a service that is refused, `times` times."""

    service: str
    operation: str
    code: str
    message: str
    status: int
    times: int


class Control:
    def __init__(self, throttle: int = 0) -> None:
        self._lock = threading.Lock()
        self._throttle = throttle
        self._faults: list[Fault] = []
        self._refusals: list[Refusal] = []
        self._not_ours: frozenset[str] = frozenset()
        self._released = threading.Event()
        self._released.set()
        self._calls: Counter[tuple[str, str]] = Counter()

    def command(self, request: dict[str, Any]) -> dict[str, Any]:
        """Does what one control request asks for; a key that is not known is a ValueError."""
        reply: dict[str, Any] = {}
        for key, value in request.items():
            if key == "throttle":
                with self._lock:
                    self._throttle = int(value)
            elif key == "fail":
                self._add_fault(value)
            elif key == "clear-faults":
                with self._lock:
                    self._faults.clear()
                    self._refusals.clear()
                    self._not_ours = frozenset()
            elif key == "refuse":
                self._add_refusal(value)
            elif key == "buckets-of-others":
                with self._lock:
                    self._not_ours = frozenset(value)
            elif key == "pause":
                (self._released.clear if value else self._released.set)()
            elif key == "calls":
                reply["calls"] = self.calls()
            elif key == "reset-calls":
                with self._lock:
                    self._calls.clear()
            else:
                raise ValueError(f"there is no control {key!r}")
        return reply

    def _add_fault(self, value: dict[str, Any]) -> None:
        unknown = set(value) - {"logical-id", "message", "code", "times", "action"}
        if unknown or "logical-id" not in value:
            raise ValueError(f"a fault has logical-id, message, code, times and action, not {sorted(unknown)}")
        if value.get("action") not in (None, "create", "update", "delete"):
            raise ValueError("a fault's action is create, update or delete")
        fault = Fault(
            value["logical-id"],
            value.get("message", "Seeded by a test"),
            value.get("code", "GeneralServiceException"),
            int(value.get("times", 1)),
            value.get("action"),
        )
        with self._lock:
            self._faults.append(fault)

    def _add_refusal(self, value: dict[str, Any]) -> None:
        names = {"service", "operation", "code", "message", "status", "times"}
        if set(value) - names or not {"service", "operation", "code"} <= set(value):
            raise ValueError(f"a refusal has {sorted(names)}, the first three of them always: not {sorted(value)}")
        refusal = Refusal(
            value["service"],
            value["operation"],
            value["code"],
            value.get("message", "Seeded by a test"),
            int(value.get("status", 400)),
            int(value.get("times", 1)),
        )
        with self._lock:
            self._refusals.append(refusal)

    def refusal(self, service: str, operation: str) -> Refusal | None:
        """The refusal that a test has put on a client's call, once for each of its times."""
        with self._lock:
            for refusal in self._refusals:
                if (refusal.service, refusal.operation) == (service, operation) and refusal.times > 0:
                    refusal.times -= 1
                    return refusal
            return None

    def is_another_s(self, bucket: str) -> bool:
        with self._lock:
            return bucket in self._not_ours

    def count(self, service: str, operation: str) -> None:
        with self._lock:
            self._calls[service, operation] += 1

    def calls(self) -> list[dict[str, Any]]:
        with self._lock:
            return [
                {"service": service, "operation": operation, "count": count}
                for (service, operation), count in sorted(self._calls.items())
            ]

    def throttled(self) -> bool:
        """Whether this call is one of those to be throttled; each asks once."""
        with self._lock:
            if self._throttle == 0:
                return False
            self._throttle -= 1
            return True

    def seeded_failure(self, logical_id: str, action: str) -> None:
        """Raises the fault that a test has put on a resource, once for each of its times."""
        with self._lock:
            for fault in self._faults:
                if fault.logical_id == logical_id and fault.times > 0 and fault.action in (None, action):
                    fault.times -= 1
                    raise ResourceError(fault.message, HANDLER_ERROR_CODES.get(fault.code, fault.code))

    def wait_until_released(self) -> None:
        self._released.wait(LONGEST_PAUSE_SECONDS)

    def breathe(self, seconds: float) -> None:
        """Holds a state for as long as a client that polls needs to see it, and while a test has paused the server."""
        time.sleep(seconds)
        self.wait_until_released()
