"""A template's parameters (Template Reference, "Parameters") and its conditions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from errors import validation
from intrinsics import Scope, Unknown, evaluate, function_in
from template import Template

# API Reference, "Parameter": a value of NoEcho is returned as asterisks.
MASKED = "****"


@dataclass
class Values:
    """Parameter values as strings, as a client gave them or the template defaults them."""

    raw: dict[str, str]
    no_echo: frozenset[str]

    def described(self) -> list[dict[str, str]]:
        return [
            {"ParameterKey": key, "ParameterValue": MASKED if key in self.no_echo else value}
            for key, value in self.raw.items()
        ]


def take(template: Template, given: list[dict[str, Any]], previous: Values | None) -> Values:
    """The values for a template; refuses what is missing, not declared or not allowed."""
    declared = template.parameters
    by_key = {entry["ParameterKey"]: entry for entry in given}
    unknown = sorted(set(by_key) - set(declared))
    if unknown:
        raise validation(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    raw, missing = {}, []
    for key, declaration in declared.items():
        entry = by_key.get(key, {})
        if entry.get("UsePreviousValue"):
            if "ParameterValue" in entry:
                raise validation(
                    f"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true and non empty"
                    " value for a parameter"
                )
            if previous is None or key not in previous.raw:
                raise validation(
                    f"Invalid input for parameter key {key}. Cannot specify usePreviousValue as true for a parameter"
                    " key not in the previous template"
                )
            raw[key] = previous.raw[key]
        elif "ParameterValue" in entry:
            raw[key] = entry["ParameterValue"]
        elif "Default" in declaration:
            raw[key] = _default(declaration["Default"])
        else:
            missing.append(key)
    if missing:
        raise validation(f"Parameters: [{', '.join(sorted(missing))}] must have values")
    for key, value in raw.items():
        _check(key, value, declared[key])
    return Values(raw, frozenset(key for key in declared if str(declared[key].get("NoEcho", "")).lower() == "true"))


def _default(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _check(key: str, value: str, declaration: dict[str, Any]) -> None:
    kind = declaration.get("Type", "String")
    items = [item.strip() for item in value.split(",")] if _is_list(kind) else [value]
    if "Number" in kind:
        for item in items:
            if not re.fullmatch(r"-?\d+(\.\d+)?", item):
                raise validation(f"Parameter '{key}' must be a number")
    # "ConstraintDescription: a string that explains a constraint when the constraint is violated"
    description = declaration.get("ConstraintDescription")

    def refuse(text: str) -> None:
        if description:
            raise validation(f"Parameter {key} failed to satisfy constraint: {description}")
        raise validation(f"Parameter '{key}' {text}")

    allowed = declaration.get("AllowedValues")
    pattern = declaration.get("AllowedPattern")
    for item in items:
        if allowed is not None and item not in [_default(each) for each in allowed]:
            refuse("must be one of AllowedValues")
        # "The pattern must match the entire parameter value provided."
        if pattern is not None and not re.fullmatch(pattern, item):
            refuse(f"must match pattern {pattern}")
        if "MinLength" in declaration and len(item) < int(declaration["MinLength"]):
            refuse(f"must contain at least {declaration['MinLength']} characters")
        if "MaxLength" in declaration and len(item) > int(declaration["MaxLength"]):
            refuse(f"must contain at most {declaration['MaxLength']} characters")
        if "MinValue" in declaration and float(item) < float(declaration["MinValue"]):
            refuse(f"must be a number not less than {declaration['MinValue']}")
        if "MaxValue" in declaration and float(item) > float(declaration["MaxValue"]):
            refuse(f"must be a number not greater than {declaration['MaxValue']}")


def _is_list(kind: str) -> bool:
    return kind == "CommaDelimitedList" or kind.startswith("List<")


def values_in_scope(template: Template, values: Values) -> dict[str, Any]:
    """What a Ref to each parameter gives: a list for the list types, the text for all others."""
    return {
        key: (
            [item.strip() for item in value.split(",")]
            if _is_list(template.parameters[key].get("Type", "String"))
            else value
        )
        for key, value in values.raw.items()
    }


def evaluate_conditions(template: Template, parameters: dict[str, Any]) -> dict[str, bool]:
    """Every condition's truth, each after those that it names."""
    results: dict[str, bool] = {}
    pending: set[str] = set()

    def no_resource(*_: str) -> Unknown:
        raise validation("Template format error: Cannot reference resources in the Conditions block of the template")

    class Lazily(dict[str, bool]):  # a condition that another one names is evaluated when it is asked for
        def __contains__(self, name: object) -> bool:
            return name in template.conditions

        def __getitem__(self, name: str) -> bool:
            return truth(name)

    scope = Scope(parameters, Lazily(), template.mappings, no_resource, no_resource)

    def truth(name: str) -> bool:
        if name not in results:
            if name in pending:
                raise validation(f"Template format error: Circular dependency in conditions: [{name}]")
            pending.add(name)
            condition = template.conditions[name]
            function = function_in(condition)
            if function is None:
                raise validation(
                    "Template format error: Conditions can only be boolean operations on parameters and other"
                    " conditions"
                )
            results[name] = evaluate(function, condition[function], scope)
        return results[name]

    return {name: truth(name) for name in template.conditions}


def active_resources(template: Template, conditions: dict[str, bool]) -> set[str]:
    """Template Reference, "Conditions": a resource whose condition is false is not created, and removed by an
    update."""
    return {
        name
        for name, resource in template.resources.items()
        if "Condition" not in resource or conditions[resource["Condition"]]
    }
