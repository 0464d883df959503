"""Making and changing a stack's resources, in dependency order, with the events that tell of it.

User Guide, "Understand CloudFormation stack creation events" and "Update behaviors of stack resources". Creation is an
update of a stack that has nothing yet. It goes forward only: undoing is `rollback`'s.
"""

from __future__ import annotations

import copy
import json
import traceback
from dataclasses import dataclass, field
from typing import Any, Callable

from botocore.exceptions import BotoCoreError, ClientError

from changes import Plan, existing, live_scope, needs_replacement, plan
from control import Control
from errors import ApiError, ResourceError, from_service
from resources import HANDLERS
from resources.handler import Context, Handler, Made
from store import Deployment, Resource, Stack, Store
from validation import refuse_at_execution

# A state is shown for at least this long, so that a client that polls can see it.
STEP_SECONDS = 0.005


@dataclass
class Services:
    """What an operation works with."""

    store: Store
    control: Control
    client: Callable[[str, str], Any]  # a boto3 client for a service and a Region

    def context(self, stack: Stack, logical_id: str) -> Context:
        return Context(stack.name, logical_id, stack.region, lambda service: self.client(service, stack.region))

    def call(self, stack: Stack, logical_id: str, handler: Handler, action: str, *arguments: Any) -> Any:
        """One handler call; whatever the service refuses with is a ResourceError."""
        self.control.seeded_failure(logical_id, action)
        try:
            return getattr(handler, action)(self.context(stack, logical_id), *arguments)
        except ClientError as error:
            raise from_service(error, handler.service) from error
        except BotoCoreError as error:
            # The SDK's own check of parameters, or moto out of reach: neither has a service's code.
            raise ResourceError(str(error), "InternalFailure") from error
        except ResourceError:
            raise
        except Exception as error:  # a fault of a handler here: the stack must not hang in progress for it
            traceback.print_exc()
            raise ResourceError(repr(error), "InternalFailure") from error


@dataclass
class Undo:
    """One thing that was done, for the way back."""

    action: str  # created, updated, replaced, or kept when only the template's own attributes changed
    before: Resource | None
    after: Resource


@dataclass
class Step:
    """What is to be done for one resource."""

    logical_id: str
    action: str  # create, update, replace, keep
    resource: Resource
    before: Resource | None


@dataclass
class Failure:
    """Which resources failed, by the word of the stack's reason."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    text: str = ""  # when it is no resource that failed, but an output

    def __bool__(self) -> bool:
        return bool(self.created or self.updated)

    def reason(self) -> str:
        parts = [
            f"The following resource(s) failed to {verb}: [{', '.join(names)}]. "
            for verb, names in (("create", self.created), ("update", self.updated))
            if names
        ]
        return "".join(parts) + self.text


class Execution:
    """One deployment of a template, resource by resource."""

    def __init__(self, services: Services, stack: Stack, deployment: Deployment) -> None:
        self.services = services
        self.stack = stack
        self.plan: Plan = plan(stack, deployment)
        self.undo: list[Undo] = []
        self.replaced: list[Resource] = []
        self.failure = Failure()

    def run(self) -> bool:
        """Everything up to the first failure; whether there was none."""
        for wave in self.plan.waves:
            steps = [self._step(logical_id) for logical_id in wave]
            if self.failure or self.stack.interruption:
                return False
            started = [step for step in steps if step and step.action != "keep"]
            for step in started:
                self._start(step)
            self.services.control.breathe(STEP_SECONDS)
            for index, step in enumerate(started):
                if self.stack.interruption or not self._do(step):
                    # What runs beside the one that failed is stopped (User Guide, "Stack failure options").
                    rest = started[index + 1 :] if not self.stack.interruption else started[index:]
                    self._cancel(rest)
                    return False
        return not self.stack.interruption

    def _step(self, logical_id: str) -> Step | None:
        """What is to be done for a resource, now that all it refers to is there."""
        raw = self.plan.raw(logical_id)
        resource = Resource(
            logical_id,
            raw["Type"],
            metadata=raw.get("Metadata"),
            deletion_policy=raw.get("DeletionPolicy", "Delete"),
            update_replace_policy=raw.get("UpdateReplacePolicy", "Delete"),
            needs=set(self.plan.needs[logical_id]),
        )
        before = existing(self.stack, logical_id)
        try:
            resource.properties = self.plan.properties(logical_id, live_scope(self.plan, self.stack))
            if before is not None and before.properties == resource.properties:
                self._keep(before, resource)
                return Step(logical_id, "keep", before, before)
            reason = refuse_at_execution(resource.type, logical_id, resource.properties)
            if reason:
                raise ResourceError(reason)
        except (ApiError, ResourceError) as error:
            resource.physical_id = before.physical_id if before else ""
            self._failed(resource, before, error.reason if isinstance(error, ResourceError) else error.message)
            return None
        if before is None:
            return Step(logical_id, "create", resource, None)
        replace = needs_replacement(resource.type, before.properties, resource.properties)
        return Step(logical_id, "replace" if replace else "update", resource, before)

    def _keep(self, before: Resource, new: Resource) -> None:
        """Attributes of the template that need no call are taken over in silence."""
        changed = copy.copy(before)
        changed.metadata, changed.needs = new.metadata, new.needs
        changed.deletion_policy, changed.update_replace_policy = new.deletion_policy, new.update_replace_policy
        self.undo.append(Undo("kept", before, changed))
        self.stack.resources[before.logical_id] = changed

    def _start(self, step: Step) -> None:
        properties = json.dumps(step.resource.properties)
        reason = None
        if step.action == "create":
            self.stack.resources[step.logical_id] = step.resource
        else:
            assert step.before is not None
            step.resource.physical_id = step.before.physical_id
            step.resource.attributes = dict(step.before.attributes)
        if step.action == "replace":
            reason = "Requested update requires the creation of a new physical resource; hence creating one."
        status = "CREATE_IN_PROGRESS" if step.action == "create" else "UPDATE_IN_PROGRESS"
        self._event(step, status, reason, properties)

    def _event(self, step: Step, status: str, reason: str | None = None, properties: str | None = None) -> None:
        """On the stack's own record of the resource too, which during an update is still the one from before."""
        self.services.store.resource_event(self.stack, step.resource, status, reason, properties)
        if step.before is not None:
            shown = self.stack.resources[step.logical_id]
            shown.status, shown.reason, shown.at = status, reason, step.resource.at

    def _do(self, step: Step) -> bool:
        handler = HANDLERS[step.resource.type]
        properties = copy.deepcopy(step.resource.properties)
        try:
            if step.action == "update":
                assert step.before is not None
                self._update(step, step.before, handler, properties)
                return True
            if step.action == "replace":
                assert step.before is not None
                self._refuse_custom_name(handler, step.before, properties)
            made: Made = self.services.call(self.stack, step.logical_id, handler, "create", properties)
        except ResourceError as error:
            self._failed(step.resource, step.before, error.reason)
            return False
        step.resource.physical_id, step.resource.attributes = made.physical_id, made.attributes
        verb = "CREATE" if step.action == "create" else "UPDATE"
        self._event(step, f"{verb}_IN_PROGRESS", "Resource creation Initiated", json.dumps(step.resource.properties))
        if step.before is not None:
            self.replaced.append(step.before)
            self.undo.append(Undo("replaced", step.before, step.resource))
        else:
            self.undo.append(Undo("created", None, step.resource))
        self.stack.resources[step.logical_id] = step.resource
        self.services.store.resource_event(
            self.stack, step.resource, f"{verb}_COMPLETE", None, json.dumps(step.resource.properties)
        )
        return True

    def _update(self, step: Step, before: Resource, handler: Handler, properties: dict[str, Any]) -> None:
        # Undone even if it fails half-way: a handler makes several calls.
        self.undo.append(Undo("updated", before, step.resource))
        arguments = before.physical_id, copy.deepcopy(before.properties), properties
        step.resource.attributes = self.services.call(self.stack, step.logical_id, handler, "update", *arguments)
        self.stack.resources[step.logical_id] = step.resource
        self.services.store.resource_event(
            self.stack, step.resource, "UPDATE_COMPLETE", None, json.dumps(step.resource.properties)
        )

    def _refuse_custom_name(self, handler: Handler, before: Resource, properties: dict[str, Any]) -> None:
        """Template Reference, "Name type": a resource with a custom name cannot be replaced under the same name."""
        name = properties.get(handler.name) if handler.name else None
        if name is not None and before.properties.get(handler.name or "") == name:
            raise ResourceError(
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename "
                f"{name} and update the stack again."
            )

    def _failed(self, resource: Resource, before: Resource | None, reason: str) -> None:
        if before is None:
            self.failure.created.append(resource.logical_id)
            self.stack.resources[resource.logical_id] = resource
        else:
            self.failure.updated.append(resource.logical_id)
            resource.physical_id = before.physical_id
        status = "CREATE_FAILED" if before is None else "UPDATE_FAILED"
        properties = json.dumps(resource.properties) if resource.properties else None
        self.services.store.resource_event(self.stack, resource, status, reason, properties)
        if before is not None:
            before.status, before.reason, before.at = status, reason, resource.at

    def _cancel(self, steps: list[Step]) -> None:
        for step in steps:
            if step.before is None:
                self.failure.created.append(step.logical_id)
                self.stack.resources[step.logical_id] = step.resource
                self._event(step, "CREATE_FAILED", "Resource creation cancelled")
            else:
                self.failure.updated.append(step.logical_id)
                step.resource.physical_id = step.before.physical_id
                self._event(step, "UPDATE_FAILED", "Resource update cancelled")
