"""A template's text: parsed, and checked for all that CloudFormation refuses before it looks at a resource.

It knows the template's form, its quotas and its references, not what a resource's properties mean (`schemas`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Iterator

import yaml

import schemas
from errors import not_emulated, validation
from intrinsics import FUNCTIONS, PLACEHOLDER, PSEUDO_PARAMETERS, function_in, split_get_att, split_sub

# User Guide, "Understand CloudFormation quotas": 1 MB for a template in S3 (the inline limit is `wire`'s), 500
# resources, 200 parameters, 200 outputs, 200 mappings.
S3_TEMPLATE_BYTES = 1_000_000
RESOURCES = 500
PARAMETERS = 200
OUTPUTS = 200

# Template Reference, "Template sections".
SECTIONS = {
    "AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings", "Conditions", "Transform",
    "Resources", "Outputs", "Hooks",
}  # fmt: skip

# Template Reference, "Resource attribute reference".
RESOURCE_ATTRIBUTES = {
    "Type", "Properties", "DependsOn", "Condition", "Metadata", "DeletionPolicy", "UpdateReplacePolicy", "UpdatePolicy",
    "CreationPolicy",
}  # fmt: skip

# Template Reference, "DeletionPolicy attribute" and "UpdateReplacePolicy attribute".
DELETION_POLICIES = {"Delete", "Retain", "RetainExceptOnCreate", "Snapshot"}
UPDATE_REPLACE_POLICIES = {"Delete", "Retain", "Snapshot"}

# User Guide, "Acknowledging IAM resources in CloudFormation templates": these need CAPABILITY_IAM, and with the
# property on the right CAPABILITY_NAMED_IAM.
IAM_TYPES = {
    "AWS::IAM::AccessKey": None,
    "AWS::IAM::Group": "GroupName",
    "AWS::IAM::InstanceProfile": "InstanceProfileName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Policy": None,
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::UserToGroupAddition": None,
}


@dataclass
class Template:
    """A template as written, with the parts that every reader needs."""

    text: str
    body: dict[str, Any]
    parameters: dict[str, Any] = field(default_factory=dict)
    conditions: dict[str, Any] = field(default_factory=dict)
    mappings: dict[str, Any] = field(default_factory=dict)
    resources: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)

    @property
    def description(self) -> str | None:
        return self.body.get("Description")


def parse(text: str) -> Template:
    """The template in a text, JSON or YAML without short tags; a fault is a ValidationError in CloudFormation's
    words."""
    if text.lstrip().startswith("{"):
        try:
            body = json.loads(text)
        except json.JSONDecodeError as error:
            raise validation(
                f"Template format error: JSON not well-formed. (line {error.lineno}, column {error.colno})"
            ) from None
    else:
        try:
            body = yaml.safe_load(text)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
            raise validation(f"Template format error: YAML not well-formed.{where}") from None
    if not isinstance(body, dict):
        raise validation("Template format error: unsupported structure.")
    template = Template(
        text,
        body,
        *(body.get(name) or {} for name in ("Parameters", "Conditions", "Mappings", "Resources", "Outputs")),
    )
    _check_form(template)
    _check_references(template)
    return template


def _check_form(template: Template) -> None:
    unknown = sorted(set(template.body) - SECTIONS)
    if unknown:
        raise validation(f"Invalid template property or properties [{', '.join(unknown)}]")
    for section in ("Transform", "Rules", "Hooks"):
        if section in template.body:
            raise not_emulated(f"the template section {section}")
    if not template.resources:
        raise validation("Template format error: At least one Resources member must be defined.")
    for what, count, limit in (
        ("resources", len(template.resources), RESOURCES),
        ("parameters", len(template.parameters), PARAMETERS),
        ("outputs", len(template.outputs), OUTPUTS),
    ):
        if count > limit:
            raise validation(
                f"Template format error: Number of {what}, {count}, is greater than maximum allowed, {limit}"
            )
    for logical_id, resource in template.resources.items():
        _check_resource(logical_id, resource)
    for name, parameter in template.parameters.items():
        _check_parameter(name, parameter)
    unknown_types = sorted({r["Type"] for r in template.resources.values() if not schemas.exists(r["Type"])})
    if unknown_types:
        raise validation(f"Template format error: Unrecognized resource types: [{', '.join(unknown_types)}]")
    for name, output in template.outputs.items():
        if not isinstance(output, dict) or "Value" not in output:
            raise validation(
                f"Template format error: Output {name} is malformed. The Value field of every Outputs member must be"
                " specified"
            )


def _check_parameter(name: str, parameter: Any) -> None:
    """Template Reference, "Parameters", Type: String, Number, lists of them, and AWS-specific types, which are strings."""
    kind = parameter.get("Type") if isinstance(parameter, dict) else None
    if not isinstance(kind, str):
        raise validation(f"Template format error: Every Parameters object must contain a Type member. ({name})")
    if kind.startswith("AWS::SSM::"):
        raise not_emulated(f"parameters of type {kind}")
    inner = kind.removeprefix("List<").removesuffix(">")
    if inner not in ("String", "Number", "CommaDelimitedList") and not inner.startswith("AWS::"):
        raise validation(f"Template format error: Unrecognized parameter type: {kind}")


def _check_resource(logical_id: str, resource: Any) -> None:
    # Template Reference, "Resources": "The logical ID must be alphanumeric (A-Za-z0-9) and unique within the template".
    if not (logical_id.isascii() and logical_id.isalnum()):
        raise validation(f"Template format error: Resource name {logical_id} is non alphanumeric.")
    if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
        raise validation(
            f"Template format error: [/Resources/{logical_id}] Every Resources object must contain a Type member."
        )
    unknown = sorted(set(resource) - RESOURCE_ATTRIBUTES)
    if unknown:
        raise validation(f"Invalid template resource property '{unknown[0]}'")
    for attribute, allowed in ("DeletionPolicy", DELETION_POLICIES), ("UpdateReplacePolicy", UPDATE_REPLACE_POLICIES):
        if attribute in resource and resource[attribute] not in allowed:
            raise validation(
                f"Template format error: Unrecognized {attribute} {resource[attribute]} for resource {logical_id}"
            )


@dataclass(frozen=True)
class Reference:
    """One name that a value refers to: by Ref, by an attribute, or by a condition."""

    kind: str  # ref, attribute or condition
    name: str
    attribute: str = ""


def references(value: Any) -> Iterator[Reference]:
    """Every reference inside a value, those in Fn::Sub's text too."""
    name = function_in(value)
    if name is None:
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from references(item)
        return
    argument = value[name]
    if name not in FUNCTIONS:
        raise not_emulated(f"the intrinsic function {name}")
    if name == "Ref":
        yield Reference("ref", argument)
    elif name == "Condition":
        yield Reference("condition", argument)
    elif name == "Fn::GetAtt":
        yield Reference("attribute", *split_get_att(argument))
    elif name == "Fn::Sub":
        text, variables = split_sub(argument)
        for literal, placeholder in PLACEHOLDER.findall(text):
            placeholder = placeholder.strip()
            if literal or placeholder in variables:
                continue
            if "." in placeholder:
                yield Reference("attribute", *split_get_att(placeholder))
            else:
                yield Reference("ref", placeholder)
        yield from references(list(variables.values()))
    else:
        if name == "Fn::If" and isinstance(argument, list) and argument and isinstance(argument[0], str):
            yield Reference("condition", argument[0])
        yield from references(argument)


def depends_on(resource: dict[str, Any]) -> list[str]:
    """Template Reference, "DependsOn attribute": one name or a list."""
    value = resource.get("DependsOn", [])
    return [value] if isinstance(value, str) else list(value)


def _check_references(template: Template) -> None:
    known = set(template.resources) | set(template.parameters) | PSEUDO_PARAMETERS
    for block, values in ("Resources", template.resources), ("Outputs", template.outputs):
        missing: set[str] = set()
        for value in values.values():
            parts = {
                key: part for key, part in value.items() if key not in ("Type", "DependsOn", "Condition", "Metadata")
            }
            for reference in references(parts):
                if reference.kind == "ref" and reference.name not in known:
                    missing.add(reference.name)
                elif reference.kind == "attribute":
                    _check_attribute(template, reference)
                elif reference.kind == "condition" and reference.name not in template.conditions:
                    raise validation(
                        f"Template format error: Unresolved condition dependency {reference.name} in the {block} block"
                        " of the template"
                    )
            condition = value.get("Condition")
            if condition is not None and condition not in template.conditions:
                raise validation(
                    f"Template format error: Unresolved condition dependency {condition} in the {block} block of the"
                    " template"
                )
            if block == "Resources":
                missing.update(name for name in depends_on(value) if name not in template.resources)
        if missing:
            raise validation(
                f"Template format error: Unresolved resource dependencies [{', '.join(sorted(missing))}] in the {block}"
                " block of the template"
            )
    for condition in template.conditions.values():
        for reference in references(condition):
            if reference.kind == "ref" and reference.name not in set(template.parameters) | PSEUDO_PARAMETERS:
                raise validation(
                    f"Template format error: Unresolved dependencies [{reference.name}]. Cannot reference resources in"
                    " the Conditions block of the template"
                )
    order(dependencies(template, set(template.resources)))


def _check_attribute(template: Template, reference: Reference) -> None:
    if reference.name not in template.resources:
        raise validation(f"Template error: instance of Fn::GetAtt references undefined resource {reference.name}")
    type_name = template.resources[reference.name]["Type"]
    if schemas.exists(type_name) and not schemas.has_attribute(type_name, reference.attribute):
        raise validation(
            f"Template error: resource {reference.name} does not support attribute type {reference.attribute} in"
            " Fn::GetAtt"
        )


def dependencies(template: Template, active: set[str]) -> dict[str, set[str]]:
    """For each resource those that must be there before it: what it refers to, and its DependsOn."""
    result = {}
    for logical_id in template.resources:
        if logical_id not in active:
            continue
        resource = template.resources[logical_id]
        named = {
            reference.name for reference in references(resource.get("Properties", {})) if reference.kind != "condition"
        }
        result[logical_id] = (named | set(depends_on(resource))) & active
    return result


def order(needs: dict[str, set[str]]) -> list[list[str]]:
    """Waves: what is in one can be made at the same time, once the waves before it are done.

    User Guide, "DependsOn attribute": what does not depend on one another is created in parallel.
    """
    left = {name: set(required) for name, required in needs.items()}
    waves = []
    while left:
        wave = [name for name, required in left.items() if not required]
        if not wave:
            raise validation(f"Circular dependency between resources: [{', '.join(sorted(left))}]")
        for name in wave:
            del left[name]
        for required in left.values():
            required.difference_update(wave)
        waves.append(wave)
    return waves


def required_capabilities(template: Template, active: set[str]) -> tuple[list[str], str | None]:
    """The capability that a template needs, and the reason as GetTemplateSummary words it."""
    types = sorted(
        {template.resources[name]["Type"] for name in active if template.resources[name]["Type"] in IAM_TYPES}
    )
    if not types:
        return [], None
    named = any(
        IAM_TYPES.get(resource["Type"]) in resource.get("Properties", {})
        for resource in (template.resources[name] for name in active)
        if IAM_TYPES.get(resource["Type"])
    )
    capability = "CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"
    return [capability], f"The following resource(s) require capabilities: [{', '.join(types)}]"
