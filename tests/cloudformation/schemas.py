"""The schemas of CloudFormation's resource providers, as cfn-lint carries them.

They say which properties a type has, which are required, which replace the resource, and which are its attributes
(CloudFormation CLI User Guide, "Resource type schema"). cfn-lint's own additions to them (`requiredXor` and the like)
are not rules of CloudFormation and are not read here.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intrinsics import Unknown

# One Region's list is enough: the types in use here are the same in all.
REGION = "us-east-1"

# What Fn::GetAtt gives beside the read-only properties (Template Reference, "Return values" of each type).
MORE_ATTRIBUTES = {"AWS::SQS::Queue": {"QueueName"}, "AWS::SNS::Topic": {"TopicName"}}


@functools.cache
def _folder() -> Path:
    spec = importlib.util.find_spec("cfnlint")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("cfn-lint is not on PYTHONPATH; tests/tools/cfn-lint installs it")
    return Path(spec.submodule_search_locations[0]) / "data" / "schemas"


@functools.cache
def _types() -> dict[str, str]:
    types: dict[str, str] = json.loads((_folder() / "providers" / f"{REGION}.json").read_text())
    return types


@functools.cache
def schema(type_name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((_folder() / "resources" / f"{_types()[type_name]}.json").read_text())
    return loaded


def exists(type_name: str) -> bool:
    return type_name in _types()


def _names(type_name: str, key: str) -> set[str]:
    """Property names that a list of JSON pointers in a schema names: nested ones with dots."""
    return {pointer.removeprefix("/properties/").replace("/", ".") for pointer in schema(type_name).get(key, [])}


def has_attribute(type_name: str, attribute: str) -> bool:
    return attribute in _names(type_name, "readOnlyProperties") | MORE_ATTRIBUTES.get(type_name, set())


def recreation(type_name: str, name: str) -> str:
    """Whether a change of a property replaces the resource: RequiresRecreation in a change set's words.

    User Guide, "Understand update behaviors of stack resources". A property within a property counts for the whole.
    """
    for key, answer in ("createOnlyProperties", "Always"), ("conditionalCreateOnlyProperties", "Conditionally"):
        if name in {each.partition(".")[0] for each in _names(type_name, key)}:
            return answer
    return "Never"


def tag_property(type_name: str) -> str | None:
    """Where a type has its tags; None if it has none, or if they cannot change without a replacement."""
    tagging = schema(type_name).get("tagging", {})
    if tagging.get("taggable") and tagging.get("tagUpdatable", True) and "tagProperty" in tagging:
        return str(tagging["tagProperty"]).removeprefix("/properties/")
    return None


@dataclass(frozen=True)
class Problem:
    """A property that does not fit the schema: where, in the words of a handler, and in those of early validation."""

    path: tuple[str, ...]
    text: str
    early: str

    def pointer(self) -> str:
        return "#" + "".join(f"/{part}" for part in self.path)


def check(type_name: str, properties: dict[str, Any]) -> list[Problem]:
    """What is wrong with a resource's properties. Values that only execution can tell pass."""
    root = schema(type_name)
    problems: list[Problem] = []
    for name in sorted(_names(type_name, "readOnlyProperties") & set(properties)):
        problems.append(Problem((), f"extraneous key [{name}] is not permitted", f"Unsupported property [{name}]"))
    _check(root, root, properties, (), problems)
    return problems


def convert(type_name: str, properties: dict[str, Any]) -> dict[str, Any]:
    """The properties with numbers and booleans that were written as strings turned into what the schema says they
    are."""
    root = schema(type_name)
    return {name: _convert(root, root["properties"].get(name, {}), value) for name, value in properties.items()}


def _convert(root: dict[str, Any], rule: dict[str, Any], value: Any) -> Any:
    if "$ref" in rule:
        target: Any = root
        for part in rule["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return _convert(root, target, value)
    if isinstance(value, dict):
        known = rule.get("properties", {})
        every: dict[str, Any] = next(iter(rule.get("patternProperties", {}).values()), {})
        return {name: _convert(root, known.get(name, every), item) for name, item in value.items()}
    if isinstance(value, list):
        return [_convert(root, rule.get("items", {}), item) for item in value]
    kind = rule.get("type")
    if isinstance(value, str):
        if kind == "integer" and _is("integer", value):
            return int(value)
        if kind == "number" and _is("number", value):
            return float(value)
        if kind == "boolean" and _is("boolean", value):
            return value.lower() == "true"
    elif kind == "string" and isinstance(value, (bool, int, float)):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value


def _check(
    root: dict[str, Any], rule: dict[str, Any], value: Any, path: tuple[str, ...], problems: list[Problem]
) -> None:
    if isinstance(value, Unknown):
        return
    if "$ref" in rule:
        target: Any = root
        for part in rule["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        _check(root, target, value, path, problems)
        return
    if not _check_type(rule, value, path, problems):
        return
    if isinstance(value, dict):
        _check_object(root, rule, value, path, problems)
    elif isinstance(value, list):
        _check_list(root, rule, value, path, problems)
    else:
        _check_scalar(rule, value, path, problems)


def _add(problems: list[Problem], path: tuple[str, ...], text: str) -> None:
    problems.append(Problem(path, text, text[0].upper() + text[1:]))


def _check_type(rule: dict[str, Any], value: Any, path: tuple[str, ...], problems: list[Problem]) -> bool:
    types = rule.get("type")
    if types is None:
        return True
    types = [types] if isinstance(types, str) else types
    if any(_is(kind, value) for kind in types):
        return True
    found = {dict: "JSONObject", list: "JSONArray", str: "String", bool: "Boolean", int: "Integer", float: "Double"}[
        type(value)
    ]
    _add(problems, path, f"expected type: {types[0].capitalize()}, found: {found}")
    return False


def _is(kind: str, value: Any) -> bool:
    """Template Reference, "Template anatomy": values may be written as strings, which CloudFormation converts."""
    if kind == "object":
        return isinstance(value, dict)
    if kind == "array":
        return isinstance(value, list)
    if kind == "string":
        return isinstance(value, (str, int, float))
    if kind == "boolean":
        return isinstance(value, bool) or value in ("true", "false", "True", "False")
    if kind == "null":
        return value is None
    pattern = r"-?\d+" if kind == "integer" else r"-?\d+(\.\d+)?([eE][-+]?\d+)?"
    return (
        not isinstance(value, bool)
        and isinstance(value, (str, int, float))
        and re.fullmatch(pattern, str(value)) is not None
    )


def _check_object(
    root: dict[str, Any], rule: dict[str, Any], value: dict[str, Any], path: tuple[str, ...], problems: list[Problem]
) -> None:
    known = rule.get("properties", {})
    patterns = rule.get("patternProperties", {})
    for name in rule.get("required", []):
        if name not in value:
            problems.append(Problem(path, f"required key [{name}] not found", f"Required property [{name}] not found"))
    for name, item in value.items():
        if name in known:
            _check(root, known[name], item, (*path, name), problems)
            continue
        matching = [patterns[pattern] for pattern in patterns if re.search(pattern, name)]
        for each in matching:
            _check(root, each, item, (*path, name), problems)
        if not matching and rule.get("additionalProperties") is False and (known or patterns):
            problems.append(
                Problem(path, f"extraneous key [{name}] is not permitted", f"Unsupported property [{name}]")
            )
    for key in "anyOf", "oneOf":
        alternatives = [each for each in rule.get(key, []) if set(each) == {"required"}]
        if alternatives and not any(set(each["required"]) <= set(value) for each in alternatives):
            wanted = ", ".join(sorted({name for each in alternatives for name in each["required"]}))
            problems.append(
                Problem(path, f"required key [{wanted}] not found", f"Required property [{wanted}] not found")
            )


def _check_list(
    root: dict[str, Any], rule: dict[str, Any], value: list[Any], path: tuple[str, ...], problems: list[Problem]
) -> None:
    if len(value) < rule.get("minItems", 0):
        _add(problems, path, f"expected minimum item count: {rule['minItems']}, found: {len(value)}")
    if len(value) > rule.get("maxItems", len(value)):
        _add(problems, path, f"expected maximum item count: {rule['maxItems']}, found: {len(value)}")
    for index, item in enumerate(value):
        _check(root, rule.get("items", {}), item, (*path, str(index)), problems)


def _check_scalar(rule: dict[str, Any], value: Any, path: tuple[str, ...], problems: list[Problem]) -> None:
    text = str(value)
    if "enum" in rule and text not in [str(each) for each in rule["enum"]]:
        _add(problems, path, f"{text} is not a valid enum value")
    if rule.get("type") == "string":
        if len(text) < rule.get("minLength", 0):
            _add(problems, path, f"expected minLength: {rule['minLength']}, actual: {len(text)}")
        if len(text) > rule.get("maxLength", len(text)):
            _add(problems, path, f"expected maxLength: {rule['maxLength']}, actual: {len(text)}")
        pattern = _compiled(rule.get("pattern"))
        if pattern is not None and not pattern.search(text):
            _add(problems, path, f"string [{text}] does not match pattern {rule['pattern']}")
    elif rule.get("type") in ("integer", "number"):
        if "minimum" in rule and float(text) < rule["minimum"]:
            _add(problems, path, f"{text} is not greater or equal to {rule['minimum']}")
        if "maximum" in rule and float(text) > rule["maximum"]:
            _add(problems, path, f"{text} is not less or equal to {rule['maximum']}")


@functools.cache
def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    """Some patterns are of a dialect that Python does not read; those are not checked."""
    if pattern is None:
        return None
    try:
        return re.compile(pattern)
    except re.error:
        return None
