"""CloudFormation's wire protocol: AWS Query in, XML out.

Names, nesting and types come from botocore's model of the API (2010-05-15), so that a request with a parameter that
CloudFormation does not have is refused, and an answer cannot have a misspelt element. It knows nothing of stacks.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from errors import ApiError, validation

MODEL = ServiceModel(Loader().load_service_model("cloudformation", "service-2"))
NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
VERSION = "2010-05-15"

# API Reference, CreateStack, TemplateBody: "maximum length of 51,200 bytes". The model in botocore has no lengths.
INLINE_TEMPLATE_BYTES = 51_200
# API Reference, CreateStack, StackName: letters, digits and hyphens, first a letter, at most 128; CreateChangeSet,
# ChangeSetName: the same.
NAME = "[a-zA-Z][-a-zA-Z0-9]*"
NAME_LENGTH = 128


def read_form(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True))


def operation_of(form: dict[str, str]) -> OperationModel:
    """The operation that a request asks for.

    API Reference, "Common Errors": an action that is not valid is answered with InvalidAction.
    """
    action = form.get("Action")
    if not action:
        raise ApiError("MissingAction", "The request is missing an action or a required parameter.")
    if action not in MODEL.operation_names:
        raise ApiError("InvalidAction", f"Could not find operation {action} for version {form.get('Version')}")
    if form.get("Version") != VERSION:
        raise ApiError("InvalidAction", f"Could not find operation {action} for version {form.get('Version')}")
    return MODEL.operation_model(action)


def read_input(operation: OperationModel, form: dict[str, str]) -> dict[str, Any]:
    """The request's parameters as a client gave them; refuses what the model does not have."""
    keys = {key for key in form if key not in ("Action", "Version")}
    used: set[str] = set()
    value = {} if operation.input_shape is None else _read(operation.input_shape, "", form, keys, used)
    unknown = sorted(keys - used)
    if unknown:
        raise validation(f"Parameter {unknown[0]} is not one of {operation.name}")
    for name, shape in ("StackName", "stackName"), ("ChangeSetName", "changeSetName"):
        if name in value:
            _check_name(value[name], shape)
    body = value.get("TemplateBody")
    if body is not None and len(body.encode()) > INLINE_TEMPLATE_BYTES:
        raise validation(
            f"1 validation error detected: Value '{body}' at 'templateBody' failed to satisfy constraint: Member must"
            f" have length less than or equal to {INLINE_TEMPLATE_BYTES}"
        )
    return value


def _check_name(value: str, member: str) -> None:
    if value.startswith("arn:"):
        return
    constraint = ""
    if not re.fullmatch(NAME, value):
        constraint = f"Member must satisfy regular expression pattern: {NAME}"
    elif len(value) > NAME_LENGTH:
        constraint = f"Member must have length less than or equal to {NAME_LENGTH}"
    if constraint:
        raise validation(
            f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
        )


def _read(shape: Shape, prefix: str, form: dict[str, str], keys: set[str], used: set[str]) -> Any:
    if isinstance(shape, StructureShape):
        value = {}
        for name, member in shape.members.items():
            key = f"{prefix}.{name}" if prefix else name
            if any(other == key or other.startswith(key + ".") for other in keys):
                value[name] = _read(member, key, form, keys, used)
        for name in shape.required_members:
            if name not in value:
                member = name[0].lower() + name[1:]
                raise validation(
                    f"1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must"
                    " not be null"
                )
        return value
    if isinstance(shape, ListShape):
        # AWS Query: a list is `Name.member.1`, `Name.member.2` and so on; an empty one is `Name=`.
        used.add(prefix)
        indexes = set()
        for key in keys:
            found = re.match(re.escape(prefix) + r"\.member\.(\d+)(\.|$)", key)
            if found:
                indexes.add(int(found.group(1)))
        return [_read(shape.member, f"{prefix}.member.{index}", form, keys, used) for index in sorted(indexes)]
    used.add(prefix)
    text = form.get(prefix, "")
    if shape.type_name == "boolean":
        if text not in ("true", "false"):
            raise ApiError("MalformedInput", f"{prefix} is not a boolean")
        return text == "true"
    if shape.type_name == "integer":
        return int(text)
    if shape.enum and text not in shape.enum:
        member = prefix[0].lower() + prefix[1:]
        raise validation(
            f"1 validation error detected: Value '{text}' at '{member}' failed to satisfy constraint: Member must"
            f" satisfy enum value set: [{', '.join(shape.enum)}]"
        )
    return text


def answer(operation: OperationModel, output: dict[str, Any], request_id: str) -> bytes:
    result = ""
    if operation.output_shape is not None:
        # The wrapper is in the model's raw form only.
        wrapper = f"{operation.name}Result"
        result = f"<{wrapper}>{_members(operation.output_shape, output)}</{wrapper}>"
    name = f"{operation.name}Response"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{name} xmlns="{NAMESPACE}">{result}'
        f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{name}>"
    ).encode()


def error(problem: ApiError, request_id: str) -> bytes:
    kind = "Sender" if problem.status < 500 else "Receiver"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>{kind}</Type>'
        f"<Code>{escape(problem.code)}</Code><Message>{escape(problem.message)}</Message></Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    ).encode()


def _members(shape: StructureShape, value: dict[str, Any]) -> str:
    unknown = sorted(set(value) - set(shape.members))
    if unknown:
        raise AssertionError(f"{shape.name} has no member {unknown}")
    return "".join(
        f"<{name}>{_write(member, value[name])}</{name}>"
        for name, member in shape.members.items()
        if value.get(name) is not None
    )


def _write(shape: Shape, value: Any) -> str:
    if isinstance(shape, StructureShape):
        return _members(shape, value)
    if isinstance(shape, ListShape):
        return "".join(f"<member>{_write(shape.member, item)}</member>" for item in value)
    if isinstance(shape, MapShape):
        return "".join(
            f"<entry><key>{escape(key)}</key><value>{_write(shape.value, item)}</value></entry>"
            for key, item in value.items()
        )
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"
    return escape(str(value))
