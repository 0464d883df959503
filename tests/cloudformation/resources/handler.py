"""What the engine asks of a resource type: make it, change it, delete it, through the service's own API at moto."""

from __future__ import annotations

import string
from dataclasses import dataclass, field
from typing import Any, Callable

from errors import ResourceError
from store import ACCOUNT, PARTITION, random_suffix


@dataclass
class Made:
    """A physical resource: what Ref gives, and what Fn::GetAtt gives."""

    physical_id: str
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """What a handler may know of the stack that it works for."""

    stack_name: str
    logical_id: str
    region: str
    client: Callable[[str], Any]  # a boto3 client for a service

    def arn(self, service: str, resource: str) -> str:
        return f"arn:{PARTITION}:{service}:{self.region}:{ACCOUNT}:{resource}"

    def generated_name(self, limit: int, lower: bool = False) -> str:
        """A name for a resource that the template does not name.

        Template Reference, "Name type": the stack's name, the logical id and a random part, such as
        `mystack-mytable-1ABCD2EFGHIJK`, shortened to what the service takes.
        """
        alphabet = string.ascii_lowercase + string.digits if lower else string.ascii_letters + string.digits
        suffix = random_suffix(12, alphabet)
        room = limit - len(suffix) - 2
        logical_id = self.logical_id[: max(room // 2, room - len(self.stack_name))]
        stack = self.stack_name[: room - len(logical_id)].rstrip("-")
        name = f"{stack}-{logical_id}-{suffix}"
        return name.lower() if lower else name


class Handler:
    """One resource type."""

    type: str
    # As the message of a failed call names it.
    service: str
    # Properties that reach the service. One that is in the schema and not here is kept by the engine alone, as part of
    # the resource's properties: moto has no place for it.
    name: str | None = None  # the property that may name the resource

    def exists(self, context: Context, name: str) -> bool:
        """Whether something has the name already, for pre-deployment validation and for services that would
        overwrite."""
        return False

    def create(self, context: Context, properties: dict[str, Any]) -> Made:
        raise NotImplementedError

    def update(self, context: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        """Changes in place; the attributes afterwards."""
        raise NotImplementedError

    def delete(self, context: Context, physical_id: str, properties: dict[str, Any]) -> None:
        raise NotImplementedError

    def refuse_existing(self, context: Context, name: str) -> None:
        """Create handlers must fail for what is there already (CloudFormation CLI User Guide, "Create handlers")."""
        if self.exists(context, name):
            raise ResourceError(already_exists(self.type, name), "AlreadyExists")


def already_exists(type_name: str, identifier: str) -> str:
    return f"Resource of type '{type_name}' with identifier '{identifier}' already exists."


def tags_as_map(properties: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}


def picked(properties: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: properties[name] for name in names if name in properties}
