"""What an update would do: the new template's resources beside those that the stack has.

A change set shows it; pre-deployment validation and execution build on the same comparison, so that they cannot
disagree. It calls no service.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import schemas
from errors import ResourceError, not_emulated, validation
from intrinsics import Cause, Scope, Unknown, causes_in, resolve
from parameters import active_resources, evaluate_conditions, values_in_scope
from resources import HANDLERS
from store import ACCOUNT, PARTITION, URL_SUFFIX, Deployment, Resource, Stack
from template import dependencies, order, references


@dataclass
class Plan:
    """A deployment with its conditions evaluated: which resources there are, in which order, and what names mean."""

    deployment: Deployment
    parameters: dict[str, Any]
    conditions: dict[str, bool]
    active: set[str]
    needs: dict[str, set[str]]
    waves: list[list[str]]

    def raw(self, logical_id: str) -> dict[str, Any]:
        resource: dict[str, Any] = self.deployment.template.resources[logical_id]
        return resource

    def scope(self, ref: Any, get_att: Any) -> Scope:
        return Scope(self.parameters, self.conditions, self.deployment.template.mappings, ref, get_att)

    def properties(self, logical_id: str, scope: Scope) -> dict[str, Any]:
        """A resource's properties as its handler gets them: resolved, converted, with the stack's tags."""
        raw = self.raw(logical_id)
        properties = resolve(raw.get("Properties", {}), scope)
        properties = schemas.convert(raw["Type"], properties)
        # User Guide, "Add tags to stacks": "CloudFormation propagates these tags to supported resources in the stack".
        # A tag of the resource's own wins.
        if self.deployment.tags and schemas.tag_property(raw["Type"]) == "Tags":
            tags = properties.get("Tags", [])
            if isinstance(tags, list):
                own = {tag.get("Key") for tag in tags if isinstance(tag, dict)}
                more = [{"Key": key, "Value": value} for key, value in self.deployment.tags.items() if key not in own]
                if more:
                    properties["Tags"] = [*tags, *more]
        return properties


def plan(stack: Stack, deployment: Deployment) -> Plan:
    template = deployment.template
    parameters = values_in_scope(template, deployment.parameters)
    parameters |= {
        "AWS::AccountId": ACCOUNT,
        "AWS::NotificationARNs": deployment.notification_arns,
        "AWS::Partition": PARTITION,
        "AWS::Region": stack.region,
        "AWS::StackId": stack.id,
        "AWS::StackName": stack.name,
        "AWS::URLSuffix": URL_SUFFIX,
    }
    conditions = evaluate_conditions(template, parameters)
    active = active_resources(template, conditions)
    for logical_id in sorted(active):
        type_name = template.resources[logical_id]["Type"]
        if type_name not in HANDLERS:
            raise not_emulated(f"the resource type {type_name}")
        before = stack.resources.get(logical_id)
        if before is not None and before.type != type_name:
            raise validation(
                "Update of resource type is not permitted. The new template modifies resource type of the following"
                f" resources: [{logical_id}]"
            )
    needs = dependencies(template, active)
    return Plan(deployment, parameters, conditions, active, needs, order(needs))


@dataclass
class Preview:
    """One resource of the new template, with what is known of it before execution."""

    logical_id: str
    properties: dict[str, Any]
    action: str  # Add, Modify or None
    replacement: str = "False"
    details: list[dict[str, Any]] = field(default_factory=list)


class Comparison:
    """The previews of all resources, in dependency order, and the list for DescribeChangeSet."""

    def __init__(self, stack: Stack, deployment: Deployment) -> None:
        self.stack = stack
        self.plan = plan(stack, deployment)
        self.previews: dict[str, Preview] = {}
        self.scope = self.plan.scope(self._ref, self._get_att)
        for wave in self.plan.waves:
            for logical_id in wave:
                self.previews[logical_id] = self._preview(logical_id)

    def _known(self, logical_id: str) -> Resource:
        if logical_id not in self.plan.active:
            raise validation(
                f"Template format error: Unresolved resource dependencies [{logical_id}] in the Resources block of the"
                " template"
            )
        return existing(self.stack, logical_id) or Resource(logical_id, self.plan.raw(logical_id)["Type"])

    def _ref(self, logical_id: str) -> Any:
        resource = self._known(logical_id)
        preview = self.previews.get(logical_id)
        if preview is None or preview.action == "Add" or preview.replacement != "False":
            return Unknown(frozenset({Cause(logical_id, "ResourceReference")}))
        return resource.physical_id

    def _get_att(self, logical_id: str, attribute: str) -> Any:
        """User Guide, "View a change set": an attribute of a resource that changes at all may change, so its users are
        listed as changing too (Evaluation Dynamic), although execution may find them unchanged."""
        resource = self._known(logical_id)
        preview = self.previews.get(logical_id)
        if preview is None or preview.action != "None" or attribute not in resource.attributes:
            return Unknown(frozenset({Cause(f"{logical_id}.{attribute}", "ResourceAttribute")}))
        return resource.attributes[attribute]

    def _preview(self, logical_id: str) -> Preview:
        properties = self.plan.properties(logical_id, self.scope)
        before = existing(self.stack, logical_id)
        if before is None:
            return Preview(logical_id, properties, "Add")
        details = []
        for name in sorted(set(before.properties) | set(properties)):
            if before.properties.get(name) != properties.get(name):
                details.extend(self._property_details(logical_id, before.type, name, properties.get(name)))
        raw = self.plan.raw(logical_id)
        for attribute, old, new in (
            ("Metadata", before.metadata, raw.get("Metadata")),
            ("DeletionPolicy", before.deletion_policy, raw.get("DeletionPolicy", "Delete")),
            ("UpdateReplacePolicy", before.update_replace_policy, raw.get("UpdateReplacePolicy", "Delete")),
        ):
            if old != new:
                details.append(
                    _detail({"Attribute": attribute, "RequiresRecreation": "Never"}, "Static", "DirectModification")
                )
        return Preview(logical_id, properties, "Modify" if details else "None", _replacement(details), details)

    def _property_details(self, logical_id: str, type_name: str, name: str, value: Any) -> list[dict[str, Any]]:
        """API Reference, ResourceChangeDetail: what changes, whether its value is known, and what causes it."""
        if name == schemas.tag_property(type_name):
            target = {"Attribute": "Tags", "RequiresRecreation": "Never"}
        else:
            target = {
                "Attribute": "Properties",
                "Name": name,
                "RequiresRecreation": schemas.recreation(type_name, name),
            }
        causes = causes_in(value)
        details = [
            _detail(target, "Dynamic", cause.source, cause.entity)
            for cause in sorted(causes, key=lambda each: each.entity)
        ]
        deployed = self.stack.deployed
        raw = self.plan.raw(logical_id).get("Properties", {}).get(name)
        old_raw = deployed.template.resources.get(logical_id, {}).get("Properties", {}).get(name) if deployed else None
        if raw != old_raw or deployed is None:
            details.append(_detail(target, "Dynamic" if causes else "Static", "DirectModification"))
        else:
            for key in sorted({each.name for each in references(raw)}):
                new, old = self.plan.deployment.parameters.raw.get(key), deployed.parameters.raw.get(key)
                if new != old:
                    details.append(_detail(target, "Static", "ParameterReference", key))
        # The stack's tags, a condition or a reference to what is as it was: none of the above, and yet a change.
        return details or [_detail(target, "Static", "DirectModification")]

    def removed(self) -> list[Resource]:
        return [
            resource
            for name, resource in self.stack.resources.items()
            if name not in self.plan.active and resource.physical_id
        ]

    def outputs_differ(self) -> bool:
        deployed = self.stack.deployed
        if deployed is None or deployed.template.outputs != self.plan.deployment.template.outputs:
            return True
        return resolve_outputs(self.plan, self.scope) != self.stack.outputs

    def changes(self) -> list[dict[str, Any]]:
        """API Reference, ResourceChange; in the order of the template, what is removed last."""
        result = []
        for logical_id in self.plan.deployment.template.resources:
            preview = self.previews.get(logical_id)
            if preview is None or preview.action == "None":
                continue
            change = {
                "Action": preview.action,
                "LogicalResourceId": logical_id,
                "ResourceType": self.plan.raw(logical_id)["Type"],
                "Scope": [],
                "Details": [],
            }
            before = existing(self.stack, logical_id)
            if preview.action == "Modify" and before is not None:
                change |= {
                    "PhysicalResourceId": before.physical_id,
                    "Replacement": preview.replacement,
                    "Scope": sorted({detail["Target"]["Attribute"] for detail in preview.details}),
                    "Details": preview.details,
                }
                if preview.replacement == "True":
                    policy = self.plan.raw(logical_id).get("UpdateReplacePolicy", "Delete")
                    change["PolicyAction"] = f"ReplaceAnd{policy}"
            result.append({"Type": "Resource", "ResourceChange": change})
        for resource in self.removed():
            kept = resource.deletion_policy in ("Retain", "RetainExceptOnCreate")
            change = {
                "PolicyAction": "Retain" if kept else resource.deletion_policy,
                "Action": "Remove",
                "LogicalResourceId": resource.logical_id,
                "PhysicalResourceId": resource.physical_id,
                "ResourceType": resource.type,
                "Scope": [],
                "Details": [],
            }
            result.append({"Type": "Resource", "ResourceChange": change})
        return result


def existing(stack: Stack, logical_id: str) -> Resource | None:
    """A resource that the stack really has: one whose creation failed has no physical id."""
    resource = stack.resources.get(logical_id)
    return resource if resource is not None and resource.physical_id else None


def _detail(target: dict[str, str], evaluation: str, source: str, entity: str | None = None) -> dict[str, Any]:
    detail = {"Target": target, "Evaluation": evaluation, "ChangeSource": source}
    return detail if entity is None else {**detail, "CausingEntity": entity}


def _replacement(details: list[dict[str, Any]]) -> str:
    """API Reference, ResourceChange, Replacement: True if a value that is known to change requires it, Conditional if
    it depends on one that only execution can tell, or on the kind of the change."""
    answers = {(detail["Target"]["RequiresRecreation"], detail["Evaluation"]) for detail in details}
    if ("Always", "Static") in answers:
        return "True"
    if any(recreation != "Never" for recreation, _ in answers):
        return "Conditional"
    return "False"


def needs_replacement(type_name: str, old: dict[str, Any], new: dict[str, Any]) -> bool:
    """At execution: whether a property that cannot be changed in place has changed."""
    return any(
        old.get(name) != new.get(name) and schemas.recreation(type_name, name) != "Never"
        for name in set(old) | set(new)
    )


def resolve_outputs(plan: Plan, scope: Scope) -> list[dict[str, Any]]:
    """Template Reference, "Outputs": one whose condition is false is not there."""
    outputs = []
    for name, output in plan.deployment.template.outputs.items():
        if "Condition" in output and not plan.conditions[output["Condition"]]:
            continue
        value = resolve(output["Value"], scope)
        described = {"OutputKey": name, "OutputValue": value if isinstance(value, Unknown) else str(value)}
        if "Description" in output:
            described["Description"] = output["Description"]
        if "Export" in output:
            described["ExportName"] = resolve(output["Export"]["Name"], scope)
        outputs.append(described)
    return outputs


def live_scope(plan: Plan, stack: Stack) -> Scope:
    """What names mean while the stack is being made: physical ids and attributes as they are now."""

    def ref(logical_id: str) -> str:
        resource = existing(stack, logical_id)
        if resource is None:
            raise ResourceError(
                f"Unresolved resource dependencies [{logical_id}] in the Resources block of the template"
            )
        return resource.physical_id

    def get_att(logical_id: str, attribute: str) -> Any:
        resource = existing(stack, logical_id)
        if resource is None or attribute not in resource.attributes:
            raise ResourceError(f"Attribute: {attribute} was not found for resource: {logical_id}")
        return resource.attributes[attribute]

    return plan.scope(ref, get_att)
