"""What the server remembers: stacks, their resources, events and change sets. Plain data behind one lock."""

from __future__ import annotations

import random
import string
import threading
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from errors import ApiError, validation
from parameters import Values
from template import Template

ACCOUNT = "123456789012"
PARTITION = "aws"
URL_SUFFIX = "amazonaws.com"
STACK_TYPE = "AWS::CloudFormation::Stack"


def now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass
class Resource:
    """A resource of a stack as it was last made or changed."""

    logical_id: str
    type: str
    physical_id: str = ""
    properties: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    metadata: Any = None
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"
    needs: set[str] = field(default_factory=set)
    status: str = ""
    reason: str | None = None
    at: datetime = field(default_factory=now)


@dataclass
class Event:
    id: str
    operation_id: str
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str | None
    at: datetime
    token: str | None
    properties: str | None = None


@dataclass
class ValidationEvent:
    """A finding of pre-deployment validation, for DescribeEvents."""

    id: str
    logical_id: str
    type: str
    name: str
    mode: str
    reason: str
    path: str
    at: datetime


@dataclass
class Deployment:
    """All that a deployment of a template needs: what a change set holds and an execution takes."""

    template: Template
    parameters: Values
    tags: dict[str, str]
    capabilities: list[str]
    role_arn: str | None
    notification_arns: list[str]
    token: str | None = None
    on_failure: str = "ROLLBACK"
    retain_except_on_create: bool = False


@dataclass
class ChangeSet:
    id: str
    name: str
    stack_id: str
    type: str
    deployment: Deployment
    description: str | None
    created: datetime
    status: str = "CREATE_PENDING"
    reason: str | None = None
    execution_status: str = "UNAVAILABLE"
    changes: list[dict[str, Any]] = field(default_factory=list)
    validations: list[ValidationEvent] = field(default_factory=list)
    operation_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    on_stack_failure: str | None = None
    disable_validation: bool = False


@dataclass
class Stack:
    id: str
    name: str
    region: str
    created: datetime
    status: str
    reason: str | None = None
    deployed: Deployment | None = None  # of the last execution that completed
    resources: dict[str, Resource] = field(default_factory=dict)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    change_sets: dict[str, ChangeSet] = field(default_factory=dict)
    change_set_id: str | None = None
    updated: datetime | None = None
    deleted: datetime | None = None
    protected: bool = False
    disable_rollback: bool = False
    policy: str | None = None
    operation: tuple[str, str] | None = None  # type and id of the last operation
    token: str | None = None  # the client's own token of that operation
    # Asked for by a client in the middle of an operation: "delete" or "cancel".
    interruption: str | None = None
    # What a rollback that failed has still to undo.
    unfinished: Any = None

    @property
    def busy(self) -> bool:
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"


class Store:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.stacks: dict[str, Stack] = {}  # by id, in the order of their creation

    def named(self, name: str, region: str) -> Stack | None:
        """The stack that has a name now: a deleted one is found by its id only (API Reference, DescribeStacks)."""
        for stack in self.stacks.values():
            if stack.name == name and stack.region == region and stack.status != "DELETE_COMPLETE":
                return stack
        return None

    def find(self, name_or_id: str, region: str) -> Stack:
        """API Reference, DescribeStacks: "If the stack doesn't exist, a ValidationError is returned"."""
        stack = self.stacks.get(name_or_id) if name_or_id.startswith("arn:") else self.named(name_or_id, region)
        if stack is None:
            raise validation(f"Stack with id {name_or_id} does not exist")
        return stack

    def change_set(self, name: str, stack_name: str | None, region: str) -> tuple[Stack, ChangeSet]:
        """API Reference, DescribeChangeSet: by its ARN, or by its name with that of the stack."""
        if name.startswith("arn:"):
            for stack in self.stacks.values():
                if name in stack.change_sets:
                    return stack, stack.change_sets[name]
            raise ApiError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)
        if stack_name is None:
            raise validation("StackName must be specified if ChangeSetName is not specified as an ARN.")
        stack = self.find(stack_name, region)
        for change_set in reversed(stack.change_sets.values()):
            if change_set.name == name:
                return stack, change_set
        raise ApiError("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)

    def new_stack(self, name: str, region: str, status: str) -> Stack:
        stack_id = f"arn:{PARTITION}:cloudformation:{region}:{ACCOUNT}:stack/{name}/{uuid.uuid4()}"
        stack = Stack(stack_id, name, region, now(), status)
        self.stacks[stack_id] = stack
        return stack

    def resource_event(
        self, stack: Stack, resource: Resource, status: str, reason: str | None = None, properties: str | None = None
    ) -> None:
        """A resource's new status, with the event that tells of it."""
        with self.lock:
            resource.status, resource.reason, resource.at = status, reason, now()
            self._event(
                stack,
                f"{resource.logical_id}-{status}-{_suffix()}",
                resource.logical_id,
                resource.physical_id,
                resource.type,
                status,
                reason,
                properties,
            )

    def stack_event(self, stack: Stack, status: str, reason: str | None = None) -> None:
        with self.lock:
            stack.status, stack.reason = status, reason
            self._event(stack, str(uuid.uuid4()), stack.name, stack.id, STACK_TYPE, status, reason, None)

    def _event(
        self,
        stack: Stack,
        event_id: str,
        logical_id: str,
        physical_id: str,
        type_name: str,
        status: str,
        reason: str | None,
        properties: str | None,
    ) -> None:
        operation_id = stack.operation[1] if stack.operation else str(uuid.uuid4())
        stack.events.append(
            Event(
                event_id,
                operation_id,
                logical_id,
                physical_id,
                type_name,
                status,
                reason,
                now(),
                stack.token,
                properties,
            )
        )


def _suffix() -> str:
    return now().strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def random_suffix(length: int = 12, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(random.choices(alphabet, k=length))
