"""CloudFormation's API operations: what they refuse, what they start, and what they tell.

One function an operation, named for it; a request's parameters in, the answer's members out (API Reference, "Actions").
"""

from __future__ import annotations

import uuid
from typing import Any, Callable
from urllib.parse import unquote, urlsplit

from botocore.exceptions import ClientError

import describe
from changes import Comparison, plan
from engine import Engine
from errors import ApiError, validation
from parameters import evaluate_conditions, take, values_in_scope
from store import ACCOUNT, PARTITION, ChangeSet, Deployment, Stack, now
from template import S3_TEMPLATE_BYTES, Template, parse, required_capabilities


class Api:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.store = engine.store

    def call(self, operation: str, request: dict[str, Any], region: str) -> dict[str, Any]:
        function: Callable[..., dict[str, Any]] | None = OPERATIONS.get(operation)
        if function is None:
            raise ApiError("InvalidAction", f"This emulation of CloudFormation does not have the action {operation}")
        with self.store.lock:
            return function(self, request, region)

    # Templates

    def read_template(self, request: dict[str, Any], region: str, stack: Stack | None = None) -> Template:
        given = [key for key in ("TemplateBody", "TemplateURL") if key in request]
        if request.get("UsePreviousTemplate"):
            if given or stack is None or stack.deployed is None:
                raise validation("Either Template URL or Template Body must be specified.")
            return stack.deployed.template
        if len(given) != 1:
            # API Reference, CreateStack: "You must specify either TemplateBody or TemplateURL, but not both."
            raise validation("Either Template URL or Template Body must be specified.")
        return parse(
            request["TemplateBody"] if given[0] == "TemplateBody" else self._fetch(request["TemplateURL"], region)
        )

    def _fetch(self, url: str, region: str) -> str:
        """A template from S3, by either form of its URL (S3 User Guide, "Virtual hosting of buckets")."""
        parts = urlsplit(url)
        host, path = parts.hostname or "", unquote(parts.path.lstrip("/"))
        if ".s3." in host or host.endswith(".s3.amazonaws.com"):
            bucket, key = host.partition(".s3")[0], path
        else:
            bucket, _, key = path.partition("/")
        if parts.scheme not in ("http", "https") or not bucket or not key:
            raise validation("TemplateURL must be a supported URL.")
        try:
            answer = self.engine.services.client("s3", region).get_object(Bucket=bucket, Key=key)
        except ClientError as error:
            raise validation(f"S3 error: {error.response['Error'].get('Message', 'Access Denied')}") from None
        body = answer["Body"].read()
        if len(body) > S3_TEMPLATE_BYTES:
            raise validation(f"Template may not exceed {S3_TEMPLATE_BYTES} bytes in size.")
        return str(body, "utf-8")

    def deployment(self, request: dict[str, Any], region: str, stack: Stack | None, token: str) -> Deployment:
        template = self.read_template(request, region, stack)
        previous = stack.deployed if stack is not None else None
        parameters = take(template, request.get("Parameters", []), previous.parameters if previous else None)
        capabilities = request.get("Capabilities", [])
        conditions = evaluate_conditions(template, _with_pseudo(template, parameters, region, stack))
        active = {name for name, each in template.resources.items() if conditions.get(each.get("Condition", ""), True)}
        required, _ = required_capabilities(template, active)
        # User Guide, "Acknowledging IAM resources": CAPABILITY_NAMED_IAM covers resources without custom names as well.
        if required and not set(capabilities) & {required[0], "CAPABILITY_NAMED_IAM"}:
            raise ApiError("InsufficientCapabilitiesException", f"Requires capabilities : [{required[0]}]")
        # API Reference, UpdateStack, Tags: "If you don't specify this parameter, CloudFormation doesn't modify the
        # stack's tags."
        tags = (
            previous.tags
            if previous and "Tags" not in request
            else {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
        )
        return Deployment(
            template,
            parameters,
            tags,
            capabilities,
            request.get("RoleARN") or (previous.role_arn if previous else None),
            request.get("NotificationARNs", []),
            request.get(token),
        )

    # Change sets

    def create_change_set(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        kind = request.get("ChangeSetType", "UPDATE")
        if kind == "IMPORT":
            raise ApiError("NotImplemented", "This emulation of CloudFormation does not import resources", 501)
        name = request["StackName"]
        stack = self.store.stacks.get(name) if name.startswith("arn:") else self.store.named(name, region)
        if kind == "CREATE":
            # API Reference, CreateChangeSet, ChangeSetType: for a new stack CREATE, which stays REVIEW_IN_PROGRESS.
            if stack is not None and stack.status != "REVIEW_IN_PROGRESS":
                raise ApiError(
                    "AlreadyExistsException",
                    f"Stack [{stack.name}] already exists and cannot be created again with the changeSet"
                    f" [{request['ChangeSetName']}].",
                )
        elif stack is None or stack.status in ("REVIEW_IN_PROGRESS", "DELETE_COMPLETE"):
            # A stack that was only reviewed has nothing to update.
            raise validation(f"Stack [{stack.name if stack else name}] does not exist")
        else:
            _refuse_update(stack)
        if stack is not None:
            for other in stack.change_sets.values():
                # API Reference, ListChangeSets: an executed one is not active any more, and its name is free.
                if other.name == request["ChangeSetName"] and not other.execution_status.startswith("EXECUTE"):
                    if request.get("ClientToken") and other.deployment.token == request["ClientToken"]:
                        return {"Id": other.id, "StackId": stack.id}
                    raise ApiError(
                        "AlreadyExistsException",
                        f"ChangeSet {other.name} cannot be created due to a mismatch with existing attribute Template",
                    )
        deployment = self.deployment(request, region, stack if kind == "UPDATE" else None, "ClientToken")
        if request.get("OnStackFailure"):
            if request["OnStackFailure"] == "DELETE" and kind != "CREATE":
                raise validation("OnStackFailure DELETE is only valid when ChangeSetType is CREATE.")
            deployment.on_failure = request["OnStackFailure"]
        if stack is None:
            stack = self.store.new_stack(name, region, "REVIEW_IN_PROGRESS")
            self.store.stack_event(stack, "REVIEW_IN_PROGRESS", "User Initiated")
        try:
            plan(stack, deployment)
        except ApiError:
            if not stack.change_sets and len(stack.events) == 1:
                del self.store.stacks[stack.id]
            raise
        change_set = ChangeSet(
            f"arn:{PARTITION}:cloudformation:{region}:{ACCOUNT}:changeSet/{request['ChangeSetName']}/{uuid.uuid4()}",
            request["ChangeSetName"],
            stack.id,
            kind,
            deployment,
            request.get("Description"),
            now(),
            on_stack_failure=request.get("OnStackFailure"),
            disable_validation=request.get("DisableValidation", False),
        )
        stack.change_sets[change_set.id] = change_set
        self.engine.make_change_set(stack, change_set)
        return {"Id": change_set.id, "StackId": stack.id}

    def describe_change_set(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        stack, change_set = self.store.change_set(request["ChangeSetName"], request.get("StackName"), region)
        return describe.change_set(stack, change_set, request.get("NextToken"))

    def list_change_sets(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        stack = self.store.find(request["StackName"], region)
        active = [each for each in stack.change_sets.values() if not each.execution_status.startswith("EXECUTE")]
        summaries = [describe.change_set_summary(stack, each) for each in active]
        return describe.page("Summaries", summaries, request.get("NextToken"))

    def delete_change_set(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        try:
            stack, change_set = self.store.change_set(request["ChangeSetName"], request.get("StackName"), region)
        except ApiError as error:
            # API Reference, DeleteChangeSet: "If the call successfully completes, CloudFormation successfully deleted
            # the change set"; one that is not there is no error.
            if error.code != "ChangeSetNotFound":
                raise
            return {}
        if change_set.execution_status == "EXECUTE_IN_PROGRESS":
            raise ApiError("InvalidChangeSetStatus", "An operation on this ChangeSet is currently in progress.")
        del stack.change_sets[change_set.id]
        return {}

    def execute_change_set(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        stack, change_set = self.store.change_set(request["ChangeSetName"], request.get("StackName"), region)
        if change_set.status in ("CREATE_PENDING", "CREATE_IN_PROGRESS", "FAILED"):
            raise ApiError(
                "InvalidChangeSetStatus",
                f"ChangeSet [{change_set.id}] cannot be executed in its current status of [{change_set.status}]",
            )
        if change_set.execution_status != "AVAILABLE":
            raise ApiError(
                "InvalidChangeSetStatus",
                f"ChangeSet [{change_set.id}] cannot be executed in its current execution status of"
                f" [{change_set.execution_status}]",
            )
        if stack.status != "REVIEW_IN_PROGRESS":
            _refuse_update(stack)
        deployment = change_set.deployment
        if "DisableRollback" in request:
            # API Reference, ExecuteChangeSet: not together with the change set's OnStackFailure.
            if change_set.on_stack_failure:
                raise validation(
                    "DisableRollback cannot be specified when OnStackFailure was specified for the change set."
                )
            deployment.on_failure = "DO_NOTHING" if request["DisableRollback"] else "ROLLBACK"
        stack.disable_rollback = deployment.on_failure == "DO_NOTHING"
        deployment.retain_except_on_create = request.get("RetainExceptOnCreate", False)
        deployment.token = request.get("ClientRequestToken", deployment.token)
        self.engine.execute(stack, change_set)
        return {}

    # Stacks

    def create_stack(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        if self.store.named(request["StackName"], region) is not None:
            raise ApiError("AlreadyExistsException", f"Stack [{request['StackName']}] already exists")
        if "OnFailure" in request and "DisableRollback" in request:
            raise validation("Either DisableRollback or OnFailure can be specified, not both.")
        deployment = self.deployment(request, region, None, "ClientRequestToken")
        deployment.on_failure = request.get("OnFailure", "DO_NOTHING" if request.get("DisableRollback") else "ROLLBACK")
        deployment.retain_except_on_create = request.get("RetainExceptOnCreate", False)
        stack = self.store.new_stack(request["StackName"], region, "CREATE_IN_PROGRESS")
        stack.protected = request.get("EnableTerminationProtection", False)
        stack.disable_rollback = deployment.on_failure == "DO_NOTHING"
        try:
            Comparison(stack, deployment)
        except ApiError:
            del self.store.stacks[stack.id]
            raise
        self.engine.create(stack, deployment, check=not request.get("DisableValidation", False))
        return _started(stack)

    def update_stack(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        stack = self.store.named(request["StackName"], region) or self.store.stacks.get(request["StackName"])
        if stack is None or stack.status in ("REVIEW_IN_PROGRESS", "DELETE_COMPLETE"):
            raise validation(f"Stack [{request['StackName']}] does not exist")
        _refuse_update(stack)
        deployment = self.deployment(request, region, stack, "ClientRequestToken")
        deployment.on_failure = "DO_NOTHING" if request.get("DisableRollback") else "ROLLBACK"
        deployment.retain_except_on_create = request.get("RetainExceptOnCreate", False)
        comparison = Comparison(stack, deployment)
        if not comparison.changes() and not comparison.outputs_differ():
            raise validation("No updates are to be performed.")
        stack.disable_rollback = deployment.on_failure == "DO_NOTHING"
        stack.change_sets.clear()
        self.engine.update(stack, deployment, check=not request.get("DisableValidation", False))
        return _started(stack)

    def cancel_update_stack(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        stack = self.store.find(request["StackName"], region)
        # API Reference, CancelUpdateStack: "You can cancel only stacks that are in the UPDATE_IN_PROGRESS state."
        if stack.status != "UPDATE_IN_PROGRESS":
            raise validation("CancelUpdateStack cannot be called from current stack status")
        stack.interruption = "cancel"
        return {}

    def continue_update_rollback(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        stack = self.store.find(request["StackName"], region)
        # API Reference, ContinueUpdateRollback: for a stack in the state UPDATE_ROLLBACK_FAILED.
        if stack.status != "UPDATE_ROLLBACK_FAILED":
            raise validation(f"Stack:{stack.id} is in {stack.status} state and can not be rolled back.")
        skip = request.get("ResourcesToSkip", [])
        failed = {undo.after.logical_id for undo in stack.unfinished.todo}
        if set(skip) - failed:
            raise validation(
                f"ResourcesToSkip: [{', '.join(sorted(set(skip) - failed))}] are not in UPDATE_FAILED state"
            )
        self.engine.continue_rollback(stack, skip, request.get("ClientRequestToken"))
        return {}

    def delete_stack(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        name = request["StackName"]
        stack = self.store.stacks.get(name) if name.startswith("arn:") else self.store.named(name, region)
        if stack is None or stack.status == "DELETE_COMPLETE":
            # API Reference, DeleteStack: deleting what is not there is no error.
            return {}
        # API Reference, UpdateTerminationProtection: "the operation fails and the stack remains unchanged".
        if stack.protected:
            raise validation(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
        retain = set(request.get("RetainResources", []))
        # API Reference, DeleteStack, RetainResources: "For stacks in the DELETE_FAILED state".
        if retain and stack.status != "DELETE_FAILED":
            raise validation(
                f"Invalid operation on stack [{stack.id}]. Stack must be in DELETE_FAILED status to retain resources"
            )
        if retain - set(stack.resources):
            raise validation(
                f"Resources to retain [{', '.join(sorted(retain - set(stack.resources)))}] do not exist in stack"
                f" {stack.name}"
            )
        if stack.status == "DELETE_IN_PROGRESS":
            return {}
        if stack.status == "CREATE_IN_PROGRESS":
            stack.interruption = "delete"
            return {}
        if stack.busy:
            raise validation(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")
        force = request.get("DeletionMode") == "FORCE_DELETE_STACK"
        if force and stack.status != "DELETE_FAILED":
            raise validation("DeletionMode FORCE_DELETE_STACK is only for stacks in the DELETE_FAILED state")
        self.engine.delete(stack, retain, force, request.get("ClientRequestToken"))
        return {}

    def update_termination_protection(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        stack = self.store.find(request["StackName"], region)
        stack.protected = request["EnableTerminationProtection"]
        return {"StackId": stack.id}

    def set_stack_policy(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        """Kept and shown, not enforced."""
        self.store.find(request["StackName"], region).policy = request.get("StackPolicyBody")
        return {}

    def get_stack_policy(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        return {"StackPolicyBody": self.store.find(request["StackName"], region).policy}

    # Reading

    def describe_stacks(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        if "StackName" in request:
            stacks = [self.store.find(request["StackName"], region)]
        else:
            stacks = [each for each in self._in(region) if each.status != "DELETE_COMPLETE"]
        return describe.page("Stacks", [describe.stack(each) for each in stacks], request.get("NextToken"))

    def _in(self, region: str) -> list[Stack]:
        """Newest first, as CloudFormation lists them."""
        return [stack for stack in reversed(self.store.stacks.values()) if stack.region == region]

    def list_stacks(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        wanted = request.get("StackStatusFilter")
        summaries = [describe.stack_summary(each) for each in self._in(region) if not wanted or each.status in wanted]
        return describe.page("StackSummaries", summaries, request.get("NextToken"))

    def describe_stack_events(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        stack = self.store.find(request["StackName"], region)
        events = [describe.event(stack, each) for each in reversed(stack.events)]
        return describe.page("StackEvents", events, request.get("NextToken"))

    def describe_events(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        return describe.operation_events(self.store, request, region)

    def _resource(self, stack: Stack, logical_id: str) -> Any:
        if logical_id not in stack.resources:
            raise validation(f"Resource {logical_id} does not exist for stack {stack.name}")
        return stack.resources[logical_id]

    def describe_stack_resource(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        stack = self.store.find(request["StackName"], region)
        return {
            "StackResourceDetail": describe.resource_detail(stack, self._resource(stack, request["LogicalResourceId"]))
        }

    def describe_stack_resources(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        if "StackName" in request:
            stack = self.store.find(request["StackName"], region)
        else:
            stack = self._owner(request.get("PhysicalResourceId"), region)
        resources = list(stack.resources.values())
        if "LogicalResourceId" in request:
            resources = [self._resource(stack, request["LogicalResourceId"])]
        # API Reference, DescribeStackResources: at most 100; ListStackResources is for more.
        return {"StackResources": [describe.resource(stack, each) for each in resources[:100]]}

    def _owner(self, physical_id: str | None, region: str) -> Stack:
        for stack in self._in(region):
            if physical_id and any(each.physical_id == physical_id for each in list(stack.resources.values())):
                return stack
        raise validation(f"Stack for {physical_id} does not exist")

    def list_stack_resources(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        stack = self.store.find(request["StackName"], region)
        summaries = [describe.resource_summary(each) for each in list(stack.resources.values())]
        return describe.page("StackResourceSummaries", summaries, request.get("NextToken"))

    def get_template(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        if "ChangeSetName" in request:
            _, change_set = self.store.change_set(request["ChangeSetName"], request.get("StackName"), region)
            template = change_set.deployment.template
        elif "StackName" in request:
            stack = self.store.find(request["StackName"], region)
            if stack.deployed is None:
                raise validation(f"Stack with id {request['StackName']} does not exist")
            template = stack.deployed.template
        else:
            raise validation("Either StackName or ChangeSetName must be specified.")
        # Without a macro both stages are the same text.
        return {"TemplateBody": template.text, "StagesAvailable": ["Original", "Processed"]}

    def get_template_summary(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        if "StackName" in request:
            stack = self.store.find(request["StackName"], region)
            if stack.deployed is None:
                raise validation(f"Stack with id {request['StackName']} does not exist")
            return describe.template_summary(stack.deployed.template)
        return describe.template_summary(self.read_template(request, region))

    def validate_template(self, request: dict[str, Any], region: str) -> dict[str, Any]:
        return describe.template_validation(self.read_template(request, region))


def _with_pseudo(template: Template, parameters: Any, region: str, stack: Stack | None) -> dict[str, Any]:
    """What a condition may name before there is a stack."""
    return values_in_scope(template, parameters) | {
        "AWS::AccountId": ACCOUNT,
        "AWS::Partition": PARTITION,
        "AWS::Region": region,
        "AWS::StackName": stack.name if stack else "",
        "AWS::StackId": stack.id if stack else "",
        "AWS::URLSuffix": "amazonaws.com",
        "AWS::NotificationARNs": [],
    }


def _refuse_update(stack: Stack) -> None:
    """User Guide, "Stack status codes": only a stack whose last operation ended, and not in one that must be
    deleted."""
    updatable = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_FAILED", "IMPORT_COMPLETE"}
    if stack.status not in updatable and not (stack.status == "CREATE_FAILED" and stack.disable_rollback):
        raise validation(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")


def _started(stack: Stack) -> dict[str, Any]:
    assert stack.operation is not None
    return {"StackId": stack.id, "OperationId": stack.operation[1]}


OPERATIONS: dict[str, Callable[..., dict[str, Any]]] = {
    "CancelUpdateStack": Api.cancel_update_stack,
    "ContinueUpdateRollback": Api.continue_update_rollback,
    "CreateChangeSet": Api.create_change_set,
    "CreateStack": Api.create_stack,
    "DeleteChangeSet": Api.delete_change_set,
    "DeleteStack": Api.delete_stack,
    "DescribeChangeSet": Api.describe_change_set,
    "DescribeEvents": Api.describe_events,
    "DescribeStackEvents": Api.describe_stack_events,
    "DescribeStackResource": Api.describe_stack_resource,
    "DescribeStackResources": Api.describe_stack_resources,
    "DescribeStacks": Api.describe_stacks,
    "ExecuteChangeSet": Api.execute_change_set,
    "GetStackPolicy": Api.get_stack_policy,
    "GetTemplate": Api.get_template,
    "GetTemplateSummary": Api.get_template_summary,
    "ListChangeSets": Api.list_change_sets,
    "ListStackResources": Api.list_stack_resources,
    "ListStacks": Api.list_stacks,
    "SetStackPolicy": Api.set_stack_policy,
    "UpdateStack": Api.update_stack,
    "UpdateTerminationProtection": Api.update_termination_protection,
    "ValidateTemplate": Api.validate_template,
}
