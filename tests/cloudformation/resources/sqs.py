"""AWS::SQS::Queue."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from errors import is_not_found
from resources.handler import Context, Handler, Made, tags_as_map

# Each with SQS's default (SQS API Reference, CreateQueue), which a property goes back to when it is removed.
ATTRIBUTES: dict[str, Any] = {
    "ContentBasedDeduplication": False,
    "DeduplicationScope": "queue",
    "DelaySeconds": 0,
    "FifoThroughputLimit": "perQueue",
    "KmsDataKeyReusePeriodSeconds": 300,
    "KmsMasterKeyId": "",
    "MaximumMessageSize": 262_144,
    "MessageRetentionPeriod": 345_600,
    "ReceiveMessageWaitTimeSeconds": 0,
    "RedriveAllowPolicy": "",
    "RedrivePolicy": "",
    "SqsManagedSseEnabled": True,
    "VisibilityTimeout": 30,
}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, dict) else str(value)


class Queue(Handler):
    type = "AWS::SQS::Queue"
    service = "Sqs"
    name = "QueueName"

    def exists(self, context: Context, name: str) -> bool:
        try:
            context.client("sqs").get_queue_url(QueueName=name)
        except ClientError as error:
            if is_not_found(error):
                return False
            raise
        return True

    def create(self, context: Context, properties: dict[str, Any]) -> Made:
        name = properties.get("QueueName") or context.generated_name(75) + (
            ".fifo" if properties.get("FifoQueue") else ""
        )
        # SQS answers a second CreateQueue with the first one's URL; CloudFormation does not.
        self.refuse_existing(context, name)
        attributes = {key: _text(properties[key]) for key in ATTRIBUTES if key in properties}
        if properties.get("FifoQueue"):
            attributes["FifoQueue"] = "true"
        url = context.client("sqs").create_queue(QueueName=name, Attributes=attributes, tags=tags_as_map(properties))[
            "QueueUrl"
        ]
        return Made(url, self._attributes(context, url))

    def update(self, context: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        sqs = context.client("sqs")
        changed = {
            key: _text(new.get(key, default)) for key, default in ATTRIBUTES.items() if old.get(key) != new.get(key)
        }
        if changed:
            sqs.set_queue_attributes(QueueUrl=physical_id, Attributes=changed)
        before, after = tags_as_map(old), tags_as_map(new)
        if set(before) - set(after):
            sqs.untag_queue(QueueUrl=physical_id, TagKeys=sorted(set(before) - set(after)))
        if after and before != after:
            sqs.tag_queue(QueueUrl=physical_id, Tags=after)
        return self._attributes(context, physical_id)

    def _attributes(self, context: Context, url: str) -> dict[str, Any]:
        name = url.rpartition("/")[2]
        return {"Arn": context.arn("sqs", name), "QueueName": name, "QueueUrl": url}

    def delete(self, context: Context, physical_id: str, properties: dict[str, Any]) -> None:
        context.client("sqs").delete_queue(QueueUrl=physical_id)
