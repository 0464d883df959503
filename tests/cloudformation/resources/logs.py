"""AWS::Logs::LogGroup."""

from __future__ import annotations

from typing import Any

from resources.handler import Context, Handler, Made, tags_as_map


class LogGroup(Handler):
    """DataProtectionPolicy, FieldIndexPolicies and the like are kept by the engine alone."""

    type = "AWS::Logs::LogGroup"
    service = "CloudWatchLogs"
    name = "LogGroupName"

    def exists(self, context: Context, name: str) -> bool:
        groups = context.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        return any(group["logGroupName"] == name for group in groups)

    def create(self, context: Context, properties: dict[str, Any]) -> Made:
        name = properties.get("LogGroupName") or context.generated_name(512)
        more: dict[str, Any] = {}
        if "KmsKeyId" in properties:
            more["kmsKeyId"] = properties["KmsKeyId"]
        if properties.get("Tags"):
            more["tags"] = tags_as_map(properties)
        self.refuse_existing(context, name)
        context.client("logs").create_log_group(logGroupName=name, **more)
        self._put_retention(context, name, properties)
        return Made(name, self._attributes(context, name))

    def update(self, context: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        logs = context.client("logs")
        self._put_retention(context, physical_id, new)
        before, after = tags_as_map(old), tags_as_map(new)
        arn = context.arn("logs", f"log-group:{physical_id}")
        if set(before) - set(after):
            logs.untag_resource(resourceArn=arn, tagKeys=sorted(set(before) - set(after)))
        if after and before != after:
            logs.tag_resource(resourceArn=arn, tags=after)
        return self._attributes(context, physical_id)

    def _put_retention(self, context: Context, name: str, properties: dict[str, Any]) -> None:
        logs = context.client("logs")
        if "RetentionInDays" in properties:
            logs.put_retention_policy(logGroupName=name, retentionInDays=properties["RetentionInDays"])
        else:
            logs.delete_retention_policy(logGroupName=name)

    def _attributes(self, context: Context, name: str) -> dict[str, Any]:
        # Template Reference, AWS::Logs::LogGroup, return values: the ARN ends with `:*`.
        return {"Arn": context.arn("logs", f"log-group:{name}:*")}

    def delete(self, context: Context, physical_id: str, properties: dict[str, Any]) -> None:
        context.client("logs").delete_log_group(logGroupName=physical_id)
