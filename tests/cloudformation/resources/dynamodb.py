"""AWS::DynamoDB::Table."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from errors import is_not_found
from resources.handler import Context, Handler, Made, picked, tags_as_map

# What CreateTable takes under the property's own name; the rest has its own call below or is kept by the engine alone.
PASSED = (
    "AttributeDefinitions", "BillingMode", "DeletionProtectionEnabled", "GlobalSecondaryIndexes", "KeySchema",
    "LocalSecondaryIndexes", "OnDemandThroughput", "ProvisionedThroughput", "TableClass",
)  # fmt: skip
# What UpdateTable takes; indexes are changed by UpdateTable one at a time, which is not emulated.
UPDATED = ("BillingMode", "DeletionProtectionEnabled", "OnDemandThroughput", "ProvisionedThroughput", "TableClass")


class Table(Handler):
    type = "AWS::DynamoDB::Table"
    service = "DynamoDb"
    name = "TableName"

    def exists(self, context: Context, name: str) -> bool:
        try:
            context.client("dynamodb").describe_table(TableName=name)
        except ClientError as error:
            if is_not_found(error):
                return False
            raise
        return True

    def _stream(self, properties: dict[str, Any]) -> dict[str, Any]:
        """In a template a stream is on by its view type alone (Template Reference, AWS::DynamoDB::Table
        StreamSpecification)."""
        view = properties["StreamSpecification"]["StreamViewType"]
        return {"StreamEnabled": True, "StreamViewType": view}

    def create(self, context: Context, properties: dict[str, Any]) -> Made:
        name = properties.get("TableName") or context.generated_name(255)
        self.refuse_existing(context, name)
        more = picked(properties, PASSED)
        if "StreamSpecification" in properties:
            more["StreamSpecification"] = self._stream(properties)
        if properties.get("SSESpecification"):
            sse = properties["SSESpecification"]
            more["SSESpecification"] = {"Enabled": sse["SSEEnabled"], **picked(sse, ("SSEType", "KMSMasterKeyId"))}
        table = context.client("dynamodb").create_table(TableName=name, Tags=properties.get("Tags", []), **more)[
            "TableDescription"
        ]
        self._put_rest(context, name, {}, properties)
        return Made(name, self._attributes(table))

    def update(self, context: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        dynamodb = context.client("dynamodb")
        changed = {key: new[key] for key in UPDATED if key in new and old.get(key) != new[key]}
        if old.get("StreamSpecification") != new.get("StreamSpecification"):
            # DynamoDB changes a view type in no other way than off and on, and so the stream's ARN.
            if "StreamSpecification" in old:
                dynamodb.update_table(TableName=physical_id, StreamSpecification={"StreamEnabled": False})
            if "StreamSpecification" in new:
                changed["StreamSpecification"] = self._stream(new)
        if changed:
            dynamodb.update_table(TableName=physical_id, **changed)
        self._put_rest(context, physical_id, old, new)
        table = dynamodb.describe_table(TableName=physical_id)["Table"]
        before, after = tags_as_map(old), tags_as_map(new)
        if set(before) - set(after):
            dynamodb.untag_resource(ResourceArn=table["TableArn"], TagKeys=sorted(set(before) - set(after)))
        if after and before != after:
            dynamodb.tag_resource(ResourceArn=table["TableArn"], Tags=new["Tags"])
        return self._attributes(table)

    def _put_rest(self, context: Context, name: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        dynamodb = context.client("dynamodb")
        if old.get("TimeToLiveSpecification") != new.get("TimeToLiveSpecification"):
            ttl = new.get("TimeToLiveSpecification") or {**old["TimeToLiveSpecification"], "Enabled": False}
            dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=ttl)
        if old.get("PointInTimeRecoverySpecification") != new.get("PointInTimeRecoverySpecification"):
            recovery = new.get("PointInTimeRecoverySpecification", {"PointInTimeRecoveryEnabled": False})
            dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)

    def _attributes(self, table: dict[str, Any]) -> dict[str, Any]:
        attributes = {"Arn": table["TableArn"]}
        if table.get("LatestStreamArn"):
            attributes["StreamArn"] = table["LatestStreamArn"]
        return attributes

    def delete(self, context: Context, physical_id: str, properties: dict[str, Any]) -> None:
        context.client("dynamodb").delete_table(TableName=physical_id)
