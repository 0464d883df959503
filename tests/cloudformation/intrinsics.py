"""Intrinsic functions and conditions (Template Reference, "Intrinsic functions" and "Conditions").

The same walk serves execution, where every reference has its value, and the comparison for a change set, where the
value of a resource that is yet to be made or replaced is `Unknown`: AWS calls such a change Dynamic.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Callable

from errors import not_emulated, validation

FUNCTIONS = {
    "Ref", "Condition", "Fn::GetAtt", "Fn::Sub", "Fn::Join", "Fn::If", "Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or",
    "Fn::Select", "Fn::Split", "Fn::FindInMap",
}  # fmt: skip

# Template Reference, "Pseudo parameters".
PSEUDO_PARAMETERS = {
    "AWS::AccountId", "AWS::NoValue", "AWS::NotificationARNs", "AWS::Partition", "AWS::Region", "AWS::StackId",
    "AWS::StackName", "AWS::URLSuffix",
}  # fmt: skip

# Template Reference, "Fn::Sub": `${!Literal}` stays `${Literal}`.
PLACEHOLDER = re.compile(r"\$\{(!?)([^}]*)\}")


class _NoValue:
    """What `AWS::NoValue` resolves to: the property is as if it were not there."""


NO_VALUE = _NoValue()


@dataclass(frozen=True)
class Cause:
    """Why a value is unknown before execution: a reference to a resource."""

    entity: str  # "Version.Version" for an attribute, "Version" for a Ref
    source: str  # ResourceAttribute or ResourceReference


class Unknown:
    """A value that only execution can tell. Equal to nothing, itself included."""

    def __init__(self, causes: frozenset[Cause]) -> None:
        self.causes = causes

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]


def causes_in(value: Any) -> frozenset[Cause]:
    """The causes of every unknown value inside."""
    if isinstance(value, Unknown):
        return value.causes
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return frozenset().union(*(causes_in(item) for item in value))
    return frozenset()


@dataclass
class Scope:
    """What names mean: parameters with the pseudo parameters, resources, mappings, and conditions."""

    parameters: dict[str, Any]
    conditions: dict[str, bool]
    mappings: dict[str, Any]
    ref: Callable[[str], Any]
    get_att: Callable[[str, str], Any]


def function_in(value: Any) -> str | None:
    """The intrinsic function that an object is a call of."""
    if isinstance(value, dict) and len(value) == 1:
        name = str(next(iter(value)))
        if name == "Ref" or name.startswith("Fn::") or (name == "Condition" and isinstance(value[name], str)):
            return name
    return None


def split_get_att(argument: Any) -> tuple[str, str]:
    """Template Reference, "Fn::GetAtt": a list of two, or a string with a dot."""
    if isinstance(argument, str) and "." in argument:
        logical_id, _, attribute = argument.partition(".")
        return logical_id, attribute
    if isinstance(argument, list) and len(argument) == 2 and all(isinstance(part, str) for part in argument):
        return argument[0], argument[1]
    raise validation(
        "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource"
        " attribute"
    )


def split_sub(argument: Any) -> tuple[str, dict[str, Any]]:
    """Template Reference, "Fn::Sub": a string, or a list of a string and a map."""
    if isinstance(argument, str):
        return argument, {}
    if (
        isinstance(argument, list)
        and len(argument) == 2
        and isinstance(argument[0], str)
        and isinstance(argument[1], dict)
    ):
        return argument[0], argument[1]
    raise validation("Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments.")


def resolve(value: Any, scope: Scope) -> Any:
    """The value with every function replaced by what it stands for, and what is NoValue left out."""
    name = function_in(value)
    if name is not None:
        return _call(name, value[name], scope)
    if isinstance(value, dict):
        resolved = {key: resolve(item, scope) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not NO_VALUE}
    if isinstance(value, list):
        items = [resolve(item, scope) for item in value]
        return [item for item in items if item is not NO_VALUE]
    if isinstance(value, str) and "{{resolve:" in value:
        raise not_emulated("dynamic references")
    return value


def _call(name: str, argument: Any, scope: Scope) -> Any:
    if name == "Ref":
        return _ref(argument, scope)
    if name == "Fn::GetAtt":
        return scope.get_att(*split_get_att(argument))
    if name == "Fn::Sub":
        return _sub(argument, scope)
    if name == "Fn::Join":
        return _join(argument, scope)
    if name == "Fn::If":
        if not isinstance(argument, list) or len(argument) != 3:
            raise validation("Template error: Fn::If requires a list argument with three elements")
        return resolve(argument[1] if _condition(argument[0], scope) else argument[2], scope)
    if name == "Fn::Select":
        return _select(argument, scope)
    if name == "Fn::Split":
        return _split(argument, scope)
    if name == "Fn::FindInMap":
        return _find_in_map(argument, scope)
    if name in ("Condition", "Fn::Equals", "Fn::Not", "Fn::And", "Fn::Or"):
        return evaluate(name, argument, scope)
    raise not_emulated(f"the intrinsic function {name}")


def _ref(name: Any, scope: Scope) -> Any:
    if name == "AWS::NoValue":
        return NO_VALUE
    if name in scope.parameters:
        return scope.parameters[name]
    return scope.ref(name)


def _text(value: Any) -> str:
    """Numbers and booleans inside a string, as JSON writes them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _sub(argument: Any, scope: Scope) -> Any:
    text, variables = split_sub(argument)
    unknown: set[Cause] = set()

    def replace(found: re.Match[str]) -> str:
        literal, name = found.groups()
        name = name.strip()
        if literal:
            return "${" + name + "}"
        if name in variables:
            value = resolve(variables[name], scope)
        elif "." in name:
            value = scope.get_att(*split_get_att(name))
        else:
            value = _ref(name, scope)
        if isinstance(value, Unknown):
            unknown.update(value.causes)
            return ""
        return _text(value)

    replaced = PLACEHOLDER.sub(replace, text)
    return Unknown(frozenset(unknown)) if unknown else replaced


def _join(argument: Any, scope: Scope) -> Any:
    if not isinstance(argument, list) or len(argument) != 2 or not isinstance(argument[0], str):
        raise validation(
            "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of"
            " strings to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
        )
    parts = resolve(argument[1], scope)
    causes = causes_in(parts)
    return Unknown(causes) if causes else argument[0].join(_text(part) for part in parts)


def _select(argument: Any, scope: Scope) -> Any:
    if not isinstance(argument, list) or len(argument) != 2:
        raise validation(
            "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"
        )
    index, items = resolve(argument[0], scope), resolve(argument[1], scope)
    if isinstance(items, Unknown):
        return items
    if not str(index).isdigit() or int(index) >= len(items):
        raise validation(f"Template error: Fn::Select cannot select nonexistent value at index {index}")
    return items[int(index)]


def _split(argument: Any, scope: Scope) -> Any:
    if not isinstance(argument, list) or len(argument) != 2 or not isinstance(argument[0], str):
        raise validation(
            "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to"
            " be split"
        )
    source = resolve(argument[1], scope)
    return source if isinstance(source, Unknown) else source.split(argument[0])


def _find_in_map(argument: Any, scope: Scope) -> Any:
    name, top, second = (resolve(part, scope) for part in argument)
    try:
        return scope.mappings[name][top][second]
    except (KeyError, TypeError):
        raise validation(f"Template error: Unable to get mapping for {name}::{top}::{second}") from None


def _condition(name: Any, scope: Scope) -> bool:
    if isinstance(name, str):
        if name not in scope.conditions:
            raise validation(f"Template error: unresolved condition dependency: {name}")
        return scope.conditions[name]
    return bool(resolve(name, scope))


def evaluate(name: str, argument: Any, scope: Scope) -> bool:
    """Template Reference, "Condition functions"."""
    if name == "Condition":
        return _condition(argument, scope)
    if not isinstance(argument, list):
        raise validation(f"Template error: {name} requires a list argument")
    if name == "Fn::Equals":
        if len(argument) != 2:
            raise validation("Template error: Fn::Equals requires a list argument with two elements")
        left, right = (resolve(part, scope) for part in argument)
        return _text(left) == _text(right)
    values = [bool(resolve(part, scope)) for part in argument]
    if name == "Fn::Not":
        if len(values) != 1:
            raise validation("Template error: Fn::Not requires a list argument with one element")
        return not values[0]
    # "Fn::And ... The minimum number of conditions that you can include is 2, and the maximum is 10."
    if not 2 <= len(values) <= 10:
        raise validation(
            f"Template error: every {name} object requires a list of at least 2 and at most 10 boolean parameters."
        )
    return all(values) if name == "Fn::And" else any(values)
