"""The life of a stack: which statuses an operation leads it through (User Guide, "Stack status codes").

Each operation runs in a thread of its own, as CloudFormation's do beside the call that started them.
"""

from __future__ import annotations

import threading
import traceback
import uuid
from typing import Callable

from changes import Comparison, live_scope, resolve_outputs
from errors import ApiError, ResourceError
from execution import Execution, Services
from rollback import Rollback, delete, kept_by_deletion_policy
from store import ChangeSet, Deployment, Stack, now
from validation import examine, failure

# How long a stack's first status is shown at least.
HOLD_SECONDS = 0.03
# How long a change set is CREATE_PENDING and CREATE_IN_PROGRESS.
CHANGE_SET_SECONDS = 0.015

# What AWS says of a change set that changes nothing; clients know it by this text.
NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


class Engine:
    def __init__(self, services: Services) -> None:
        self.services = services
        self.store = services.store
        self.control = services.control

    def _start(self, target: Callable[[], None]) -> None:
        def guarded() -> None:
            try:
                target()
            except Exception:  # a fault of this server: it must show in a test's output and not end it
                traceback.print_exc()

        threading.Thread(target=guarded, daemon=True).start()

    def _begin(self, stack: Stack, operation: str, status: str, token: str | None) -> None:
        stack.operation = (operation, str(uuid.uuid4()))
        stack.token = token
        stack.interruption = None
        self.store.stack_event(stack, status, "User Initiated")

    # Change sets

    def make_change_set(self, stack: Stack, change_set: ChangeSet) -> None:
        """User Guide, "Create change sets": made beside the call; FAILED when it would change nothing."""

        def run() -> None:
            self.control.breathe(CHANGE_SET_SECONDS)
            change_set.status = "CREATE_IN_PROGRESS"
            self.control.breathe(CHANGE_SET_SECONDS)
            reason = None
            try:
                comparison = Comparison(stack, change_set.deployment)
                change_set.changes = comparison.changes()
                if change_set.type != "CREATE" and not change_set.changes and not comparison.outputs_differ():
                    reason = NO_CHANGES
                elif not change_set.disable_validation:
                    change_set.validations = examine(comparison, lambda name: self.services.context(stack, name))
                    reason = failure(change_set.validations)
            except ApiError as error:
                reason = error.message
            with self.store.lock:
                if change_set.id not in stack.change_sets:
                    return
                change_set.reason = reason
                change_set.execution_status = "UNAVAILABLE" if reason else "AVAILABLE"
                change_set.status = "FAILED" if reason else "CREATE_COMPLETE"

        self._start(run)

    def execute(self, stack: Stack, change_set: ChangeSet) -> None:
        """API Reference, ExecuteChangeSet: "CloudFormation deletes all change sets associated with the stack": they are
        not valid for the updated stack. The executed one can still be described."""
        for other in list(stack.change_sets.values()):
            if other is not change_set:
                del stack.change_sets[other.id]
        change_set.execution_status = "EXECUTE_IN_PROGRESS"
        stack.change_set_id = change_set.id

        (self.create if change_set.type == "CREATE" else self.update)(stack, change_set.deployment)

    def _end(self, stack: Stack, status: str, reason: str | None = None) -> None:
        """The last status of an operation, which is that of the change set too."""
        with self.store.lock:
            change_set = stack.change_sets.get(stack.change_set_id or "")
            if change_set is not None and change_set.execution_status == "EXECUTE_IN_PROGRESS":
                good = status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
                change_set.execution_status = "EXECUTE_COMPLETE" if good else "EXECUTE_FAILED"
            self.store.stack_event(stack, status, reason)

    # Stacks

    def create(self, stack: Stack, deployment: Deployment, check: bool = False) -> None:
        self._begin(stack, "CREATE_STACK", "CREATE_IN_PROGRESS", deployment.token)
        stack.deployed = deployment

        def run() -> None:
            self.control.breathe(HOLD_SECONDS)
            reason = self._validate(stack, deployment) if check else None
            if reason is None:
                execution = Execution(self.services, stack, deployment)
                if execution.run() and self._finish(stack, execution):
                    with self.store.lock:
                        if stack.interruption is None:
                            self._end(stack, "CREATE_COMPLETE")
                            return
                reason = execution.failure.reason()
            if stack.interruption == "delete":
                self._delete(stack, set(), False)
            else:
                self._undo_creation(stack, deployment, reason)

        self._start(run)

    def _validate(self, stack: Stack, deployment: Deployment) -> str | None:
        """Pre-deployment validation of CreateStack and UpdateStack."""
        found = examine(Comparison(stack, deployment), lambda name: self.services.context(stack, name))
        return failure(found)

    def _finish(self, stack: Stack, execution: Execution) -> bool:
        """The outputs, which are the last that can fail."""
        try:
            stack.outputs = resolve_outputs(execution.plan, live_scope(execution.plan, stack))
        except (ApiError, ResourceError) as error:
            execution.failure.text = f"{error}. "
            return False
        stack.deployed = execution.plan.deployment
        return True

    def _undo_creation(self, stack: Stack, deployment: Deployment, reason: str) -> None:
        """User Guide, "Stack failure options": roll back, delete, or leave as it is."""
        if deployment.on_failure == "DO_NOTHING":
            self._end(stack, "CREATE_FAILED", reason)
            return
        if deployment.on_failure == "DELETE":
            self.store.stack_event(stack, "DELETE_IN_PROGRESS", f"{reason}Delete requested by user.")
            self._delete(stack, set(), False)
            return
        self.store.stack_event(stack, "ROLLBACK_IN_PROGRESS", f"{reason}Rollback requested by user.")
        self.control.breathe(HOLD_SECONDS)
        resources = list(stack.resources.values())
        keep = kept_by_deletion_policy(resources, True, deployment.retain_except_on_create)
        failed = delete(self.services, stack, resources, keep)
        if failed:
            self._end(stack, "ROLLBACK_FAILED", f"The following resource(s) failed to delete: [{', '.join(failed)}]. ")
        else:
            self._end(stack, "ROLLBACK_COMPLETE")

    def update(self, stack: Stack, deployment: Deployment, check: bool = False) -> None:
        self._begin(stack, "UPDATE_STACK", "UPDATE_IN_PROGRESS", deployment.token)
        stack.updated = now()

        def run() -> None:
            self.control.breathe(HOLD_SECONDS)
            reason = self._validate(stack, deployment) if check else None
            execution = Execution(self.services, stack, deployment)
            if reason is None:
                before = stack.outputs
                if execution.run() and self._finish(stack, execution):
                    self._clean_up_update(stack, execution)
                    return
                stack.outputs = before
                reason = execution.failure.reason()
            if deployment.on_failure == "DO_NOTHING" and stack.interruption is None:
                self._end(stack, "UPDATE_FAILED", reason)
                return
            self.store.stack_event(stack, "UPDATE_ROLLBACK_IN_PROGRESS", reason or "User Initiated")
            self._roll_back(stack, Rollback(execution.undo, except_on_create=deployment.retain_except_on_create))

        self._start(run)

    def _clean_up_update(self, stack: Stack, execution: Execution) -> None:
        """User Guide, "Update behaviors of stack resources": what was replaced or removed goes after all else has
        worked."""
        self.store.stack_event(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        self.control.breathe(HOLD_SECONDS)
        removed = [resource for name, resource in stack.resources.items() if name not in execution.plan.active]
        keep = kept_by_deletion_policy(removed, False)
        for resource in execution.replaced:
            # Template Reference, "UpdateReplacePolicy attribute": what becomes of the old physical resource.
            if stack.resources[resource.logical_id].update_replace_policy == "Retain":
                keep.add(id(resource))
        failed = delete(self.services, stack, removed + execution.replaced, keep)
        for resource in removed:
            del stack.resources[resource.logical_id]
        reason = "One or more resources could not be deleted." if failed else None
        self._end(stack, "UPDATE_COMPLETE", reason)

    def _roll_back(self, stack: Stack, rollback: Rollback, skip: frozenset[str] = frozenset()) -> None:
        self.control.breathe(HOLD_SECONDS)
        failed = rollback.undo(self.services, stack, set(skip))
        if failed:
            stack.unfinished = rollback
            text = f"The following resource(s) failed to update: [{', '.join(failed)}]. "
            self._end(stack, "UPDATE_ROLLBACK_FAILED", text)
            return
        stack.unfinished = None
        self.store.stack_event(stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        self.control.breathe(HOLD_SECONDS)
        left = rollback.clean_up(self.services, stack)
        self._end(stack, "UPDATE_ROLLBACK_COMPLETE", "One or more resources could not be deleted." if left else None)

    def continue_rollback(self, stack: Stack, skip: list[str], token: str | None) -> None:
        """User Guide, "Continue rolling back an update": what is skipped is taken to be as the old template has it."""
        rollback: Rollback = stack.unfinished
        self._begin(stack, "CONTINUE_ROLLBACK", "UPDATE_ROLLBACK_IN_PROGRESS", token)
        self._start(lambda: self._roll_back(stack, rollback, frozenset(skip)))

    def delete(self, stack: Stack, retain: set[str], force: bool, token: str | None) -> None:
        self._begin(stack, "DELETE_STACK", "DELETE_IN_PROGRESS", token)

        def run() -> None:
            self.control.breathe(HOLD_SECONDS)
            self._delete(stack, retain, force)

        self._start(run)

    def _delete(self, stack: Stack, retain: set[str], force: bool) -> None:
        if stack.status != "DELETE_IN_PROGRESS":
            self._begin(stack, "DELETE_STACK", "DELETE_IN_PROGRESS", stack.token)
        failed = self._delete_resources(stack, retain)
        while failed and force:
            # API Reference, DeleteStack, DeletionMode FORCE_DELETE_STACK: what cannot be deleted is left behind.
            failed = self._delete_resources(stack, retain | set(failed))
        if failed:
            self._end(stack, "DELETE_FAILED", f"The following resource(s) failed to delete: [{', '.join(failed)}]. ")
            return
        with self.store.lock:
            stack.deleted = now()
            stack.change_sets.clear()
            self.store.stack_event(stack, "DELETE_COMPLETE")

    def _delete_resources(self, stack: Stack, retain: set[str]) -> list[str]:
        resources = [
            each for each in stack.resources.values() if each.status not in ("DELETE_COMPLETE", "DELETE_SKIPPED")
        ]
        keep = kept_by_deletion_policy(resources, False) | {id(each) for each in resources if each.logical_id in retain}
        return delete(self.services, stack, resources, keep)
