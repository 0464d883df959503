"""Taking things back: deleting resources in reverse dependency order, and undoing an update that failed."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from errors import ResourceError
from execution import STEP_SECONDS, Services, Undo
from resources import HANDLERS
from store import Resource, Stack
from template import order


def delete(services: Services, stack: Stack, resources: list[Resource], keep: set[int]) -> list[str]:
    """Deletes resources, those first that others do not need; the logical ids of those that failed.

    `keep` has the ids (Python's) of those that a policy retains. What a resource that failed still needs is not tried.
    """
    by_name: dict[str, list[Resource]] = {}
    for resource in resources:
        by_name.setdefault(resource.logical_id, []).append(resource)
    needs = {
        name: set().union(*(each.needs for each in group)) & set(by_name) - {name} for name, group in by_name.items()
    }
    failed: list[str] = []
    left: set[str] = set()  # what failed, and what that needs
    for wave in reversed(order(needs)):
        ready = [name for name in wave if not any(name in needs[other] for other in left)]
        left.update(set(wave) - set(ready))
        group = [resource for name in ready for resource in by_name[name]]
        for resource in group:
            if id(resource) not in keep and resource.physical_id:
                services.store.resource_event(stack, resource, "DELETE_IN_PROGRESS")
        services.control.breathe(STEP_SECONDS)
        for resource in group:
            # Template Reference, "DeletionPolicy attribute": what is retained is not touched, and its event says
            # skipped.
            if id(resource) in keep and resource.physical_id:
                services.store.resource_event(stack, resource, "DELETE_SKIPPED")
            elif not resource.physical_id:
                services.store.resource_event(stack, resource, "DELETE_COMPLETE")
            elif not _delete_one(services, stack, resource):
                failed.append(resource.logical_id)
                left.add(resource.logical_id)
    return failed


def _delete_one(services: Services, stack: Stack, resource: Resource) -> bool:
    handler = HANDLERS[resource.type]
    try:
        services.call(
            stack, resource.logical_id, handler, "delete", resource.physical_id, copy.deepcopy(resource.properties)
        )
    except ResourceError as error:
        # CloudFormation CLI User Guide, "Delete handlers": NotFound means that someone has deleted it already, and the
        # stack's deletion goes on.
        if error.handler_code != "NotFound":
            services.store.resource_event(stack, resource, "DELETE_FAILED", error.reason)
            return False
    services.store.resource_event(stack, resource, "DELETE_COMPLETE")
    return True


def kept_by_deletion_policy(
    resources: list[Resource], creation_rolled_back: bool, except_on_create: bool = False
) -> set[int]:
    """Template Reference, "DeletionPolicy attribute": Retain keeps always; RetainExceptOnCreate, and Retain in an
    operation that asks for it, not in the rollback of the operation that made the resource."""
    kept = set()
    for resource in resources:
        policy = resource.deletion_policy
        if creation_rolled_back and (policy == "RetainExceptOnCreate" or except_on_create):
            continue
        if policy in ("Retain", "RetainExceptOnCreate"):
            kept.add(id(resource))
    return kept


@dataclass
class Rollback:
    """The way back of an update: what is still to be undone, and what is deleted when all else is."""

    todo: list[Undo]
    made: list[Resource] = field(default_factory=list)
    except_on_create: bool = False

    def undo(self, services: Services, stack: Stack, skip: set[str]) -> list[str]:
        """Puts old values back in dependency order; the logical ids that would not go back (left in `todo`)."""
        failed, left = [], []
        for undo in self.todo:
            logical_id = undo.after.logical_id
            if undo.action == "created":
                self.made.append(undo.after)
                continue
            assert undo.before is not None
            if undo.action == "updated" and logical_id not in skip and not self._restore(services, stack, undo):
                failed.append(logical_id)
                left.append(undo)
                continue
            if undo.action == "replaced":
                # The old one is still there: only cleaning up would have deleted it.
                services.store.resource_event(stack, undo.before, "UPDATE_IN_PROGRESS")
                services.store.resource_event(stack, undo.before, "UPDATE_COMPLETE")
                self.made.append(undo.after)
            stack.resources[logical_id] = undo.before
        self.todo = left
        return failed

    def _restore(self, services: Services, stack: Stack, undo: Undo) -> bool:
        before, after = undo.before, undo.after
        assert before is not None
        services.store.resource_event(stack, before, "UPDATE_IN_PROGRESS")
        services.control.breathe(STEP_SECONDS)
        arguments = before.physical_id, copy.deepcopy(after.properties), copy.deepcopy(before.properties)
        try:
            before.attributes = services.call(stack, before.logical_id, HANDLERS[before.type], "update", *arguments)
        except ResourceError as error:
            services.store.resource_event(stack, before, "UPDATE_FAILED", error.reason)
            return False
        services.store.resource_event(stack, before, "UPDATE_COMPLETE")
        return True

    def clean_up(self, services: Services, stack: Stack) -> list[str]:
        """Deletes what the failed update had made."""
        for resource in [each for each in stack.resources.values() if not each.physical_id]:
            # Its creation failed: nothing is there to be deleted, and the event says so all the same.
            services.store.resource_event(stack, resource, "DELETE_COMPLETE")
            del stack.resources[resource.logical_id]
        keep = kept_by_deletion_policy(self.made, True, self.except_on_create)
        failed = delete(services, stack, self.made, keep)
        for resource in self.made:
            if stack.resources.get(resource.logical_id) is resource:
                del stack.resources[resource.logical_id]
        return failed
