"""The answers' shapes: stacks, events, resources, change sets and templates as the API tells of them."""

from __future__ import annotations

import base64
import json
from typing import Any

from errors import ApiError, validation
from store import ChangeSet, Event, Resource, Stack, Store
from template import Template, required_capabilities

# API Reference, DescribeStackEvents and ListStackResources page at 100 or 1 MB; one size does for all here.
PAGE = 100


def page(member: str, items: list[Any], token: str | None) -> dict[str, Any]:
    """One page of a list: an opaque token stands for where the next one starts."""
    try:
        start = int(base64.b64decode(token, validate=True)) if token else 0
    except ValueError:
        raise validation(f"NextToken {token} is not valid") from None
    answer: dict[str, Any] = {member: items[start : start + PAGE]}
    if start + PAGE < len(items):
        answer["NextToken"] = base64.b64encode(str(start + PAGE).encode()).decode()
    return answer


def _tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def stack(each: Stack) -> dict[str, Any]:
    described: dict[str, Any] = {
        "StackId": each.id,
        "StackName": each.name,
        "ChangeSetId": each.change_set_id,
        "CreationTime": each.created,
        "LastUpdatedTime": each.updated,
        "DeletionTime": each.deleted,
        "RollbackConfiguration": {"RollbackTriggers": []},
        "StackStatus": each.status,
        "StackStatusReason": each.reason,
        "DisableRollback": each.disable_rollback,
        "EnableTerminationProtection": each.protected,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
        "NotificationARNs": [],
        "Capabilities": [],
        "Tags": [],
    }
    if each.operation:
        described["LastOperations"] = [{"OperationType": each.operation[0], "OperationId": each.operation[1]}]
    if each.deployed is not None:
        described |= {
            "Description": each.deployed.template.description,
            "Parameters": each.deployed.parameters.described() or None,
            "Capabilities": each.deployed.capabilities,
            "NotificationARNs": each.deployed.notification_arns,
            "RoleARN": each.deployed.role_arn,
            "Tags": _tags(each.deployed.tags),
            "Outputs": each.outputs or None,
        }
    return described


def stack_summary(each: Stack) -> dict[str, Any]:
    return {
        "StackId": each.id,
        "StackName": each.name,
        "TemplateDescription": each.deployed.template.description if each.deployed else None,
        "CreationTime": each.created,
        "LastUpdatedTime": each.updated,
        "DeletionTime": each.deleted,
        "StackStatus": each.status,
        "StackStatusReason": each.reason,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
    }


def event(owner: Stack, each: Event) -> dict[str, Any]:
    return {
        "StackId": owner.id,
        "EventId": each.id,
        "StackName": owner.name,
        "OperationId": each.operation_id,
        "LogicalResourceId": each.logical_id,
        "PhysicalResourceId": each.physical_id,
        "ResourceType": each.type,
        "Timestamp": each.at,
        "ResourceStatus": each.status,
        "ResourceStatusReason": each.reason,
        "ResourceProperties": each.properties,
        "ClientRequestToken": each.token,
    }


def operation_events(store: Store, request: dict[str, Any], region: str) -> dict[str, Any]:
    """API Reference, DescribeEvents: by stack, operation or change set; the findings of validation are only here."""
    if "ChangeSetName" in request:
        owner, change = store.change_set(request["ChangeSetName"], request.get("StackName"), region)
        owners, changes, events = [owner], [change], []
    elif "StackName" in request:
        owners = [store.find(request["StackName"], region)]
        changes, events = list(owners[0].change_sets.values()), owners[0].events
    elif "OperationId" in request:
        wanted = request["OperationId"]
        owners = [each for each in store.stacks.values() if any(item.operation_id == wanted for item in each.events)]
        events = [item for each in owners for item in each.events if item.operation_id == wanted]
        changes = []
    else:
        raise ApiError("ValidationError", "Either StackName, ChangeSetName or OperationId must be specified.")
    found = [_validation_event(owners[0], change, each) for change in changes for each in change.validations]
    for each in events:
        kind = "STACK_EVENT" if each.logical_id == owners[0].name else "PROGRESS_EVENT"
        if each.status.endswith("_FAILED"):
            kind = "PROVISIONING_ERROR"
        described = event(owners[0], each)
        del described["StackName"]
        found.append({**described, "EventType": kind})
    if request.get("Filters", {}).get("FailedEvents"):
        found = [each for each in found if each["EventType"].endswith("_ERROR")]
    found.sort(key=lambda each: each["Timestamp"], reverse=True)
    return page("OperationEvents", found, request.get("NextToken"))


def _validation_event(owner: Stack, change: ChangeSet, each: Any) -> dict[str, Any]:
    return {
        "EventId": each.id,
        "StackId": owner.id,
        "OperationId": change.operation_id,
        "OperationType": "CREATE_CHANGESET",
        "EventType": "VALIDATION_ERROR",
        "LogicalResourceId": each.logical_id,
        "ResourceType": each.type,
        "Timestamp": each.at,
        "ValidationFailureMode": each.mode,
        "ValidationName": each.name,
        "ValidationStatus": "FAILED",
        "ValidationStatusReason": each.reason,
        "ValidationPath": each.path,
    }


def _resource(each: Resource) -> dict[str, Any]:
    return {
        "LogicalResourceId": each.logical_id,
        "PhysicalResourceId": each.physical_id or None,
        "ResourceType": each.type,
        "ResourceStatus": each.status,
        "ResourceStatusReason": each.reason,
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    }


def resource(owner: Stack, each: Resource) -> dict[str, Any]:
    return {**_resource(each), "StackName": owner.name, "StackId": owner.id, "Timestamp": each.at}


def resource_detail(owner: Stack, each: Resource) -> dict[str, Any]:
    metadata = json.dumps(each.metadata) if each.metadata is not None else None
    return {
        **_resource(each),
        "StackName": owner.name,
        "StackId": owner.id,
        "LastUpdatedTimestamp": each.at,
        "Metadata": metadata,
    }


def resource_summary(each: Resource) -> dict[str, Any]:
    return {**_resource(each), "LastUpdatedTimestamp": each.at}


def change_set(owner: Stack, each: ChangeSet, token: str | None) -> dict[str, Any]:
    deployment = each.deployment
    return {
        "ChangeSetName": each.name,
        "ChangeSetId": each.id,
        "StackId": owner.id,
        "StackName": owner.name,
        "Description": each.description,
        "Parameters": deployment.parameters.described() or None,
        "CreationTime": each.created,
        "ExecutionStatus": each.execution_status,
        "Status": each.status,
        "StatusReason": each.reason,
        "NotificationARNs": deployment.notification_arns,
        "RollbackConfiguration": {},
        "Capabilities": deployment.capabilities,
        "Tags": _tags(deployment.tags),
        "IncludeNestedStacks": False,
        "OnStackFailure": each.on_stack_failure,
        **page("Changes", each.changes, token),
    }


def change_set_summary(owner: Stack, each: ChangeSet) -> dict[str, Any]:
    return {
        "StackId": owner.id,
        "StackName": owner.name,
        "ChangeSetId": each.id,
        "ChangeSetName": each.name,
        "ExecutionStatus": each.execution_status,
        "Status": each.status,
        "StatusReason": each.reason,
        "CreationTime": each.created,
        "Description": each.description,
        "IncludeNestedStacks": False,
    }


def _declared(template: Template) -> list[dict[str, Any]]:
    declared = []
    for key, each in template.parameters.items():
        described = {"ParameterKey": key, "NoEcho": str(each.get("NoEcho", "")).lower() == "true"}
        if "Default" in each:
            described["DefaultValue"] = str(each["Default"])
        if "Description" in each:
            described["Description"] = each["Description"]
        declared.append(described)
    return declared


def template_validation(template: Template) -> dict[str, Any]:
    capabilities, reason = required_capabilities(template, set(template.resources))
    return {
        "Parameters": _declared(template),
        "Description": template.description,
        "Capabilities": capabilities or None,
        "CapabilitiesReason": reason,
    }


def template_summary(template: Template) -> dict[str, Any]:
    declared = _declared(template)
    for described in declared:
        each = template.parameters[described["ParameterKey"]]
        described["ParameterType"] = each.get("Type", "String")
        allowed = [str(value) for value in each.get("AllowedValues", [])]
        described["ParameterConstraints"] = {"AllowedValues": allowed} if allowed else {}
    metadata = template.body.get("Metadata")
    return {
        **template_validation(template),
        "Parameters": declared,
        "ResourceTypes": sorted({each["Type"] for each in template.resources.values()}),
        "Version": template.body.get("AWSTemplateFormatVersion"),
        "Metadata": json.dumps(metadata) if metadata is not None else None,
    }
