"""Pre-deployment validation (User Guide, "Validate stack deployments"): what is found before anything is made.

Property syntax and name conflicts fail a change set; a bucket that is not empty is only a warning. The findings are
read through DescribeEvents.
"""

from __future__ import annotations

import uuid
from typing import Any, Callable

import schemas
from changes import Comparison, existing
from resources import HANDLERS
from resources.handler import Context, already_exists
from resources.s3 import Bucket
from store import ValidationEvent, now

PROPERTY, EXISTENCE = "AWS::EarlyValidation::PropertyValidation", "AWS::EarlyValidation::ResourceExistenceCheck"


def examine(comparison: Comparison, context: Callable[[str], Context]) -> list[ValidationEvent]:
    found = []
    for logical_id, preview in comparison.previews.items():
        type_name = comparison.plan.raw(logical_id)["Type"]
        for problem in schemas.check(type_name, preview.properties):
            path = "/".join(("", "Resources", logical_id, "Properties", *problem.path))
            found.append(_event(logical_id, type_name, "PROPERTY_VALIDATION", "FAIL", problem.early, path))
        handler = HANDLERS[type_name]
        name = preview.properties.get(handler.name) if handler.name else None
        before = existing(comparison.stack, logical_id)
        renamed = before is not None and before.properties.get(handler.name or "") != name
        if isinstance(name, str) and (before is None or renamed) and handler.exists(context(logical_id), name):
            path = f"/Resources/{logical_id}"
            found.append(
                _event(logical_id, type_name, "NAME_CONFLICT_VALIDATION", "FAIL", already_exists(type_name, name), path)
            )
    for resource in comparison.removed():
        handler = HANDLERS[resource.type]
        if isinstance(handler, Bucket) and resource.deletion_policy == "Delete":
            bucket = resource.physical_id
            if handler.exists(context(resource.logical_id), bucket) and not handler.is_empty(
                context(resource.logical_id), bucket
            ):
                reason = (
                    f"The bucket '{bucket}' is not empty. You must either delete all objects and versions or use the"
                    " deletion policy to retain it, otherwise the delete operation will fail."
                )
                path = f"/Resources/{resource.logical_id}"
                found.append(
                    _event(resource.logical_id, resource.type, "BUCKET_EMPTINESS_VALIDATION", "WARN", reason, path)
                )
    return found


def _event(logical_id: str, type_name: str, name: str, mode: str, reason: str, path: str) -> ValidationEvent:
    return ValidationEvent(str(uuid.uuid4()), logical_id, type_name, name, mode, reason, path, now())


def failure(found: list[ValidationEvent]) -> str | None:
    """The change set's StatusReason, if a finding forbids its execution; the words are those of published reports."""
    hooks = sorted(
        {PROPERTY if each.name == "PROPERTY_VALIDATION" else EXISTENCE for each in found if each.mode == "FAIL"}
    )
    if not hooks:
        return None
    return (
        f"The following hook(s)/validation failed: [{', '.join(hooks)}]. To troubleshoot Early Validation errors, use"
        " the DescribeEvents API for detailed failure information."
    )


def refuse_at_execution(type_name: str, logical_id: str, properties: dict[str, Any]) -> str | None:
    """The reason of a resource whose properties do not fit its schema once all values are known."""
    problems = schemas.check(type_name, properties)
    if not problems:
        return None
    lines = "\n".join(f"{problem.pointer()}: {problem.text}" for problem in problems)
    return f"Properties validation failed for resource {logical_id} with message:\n[{lines}]"
