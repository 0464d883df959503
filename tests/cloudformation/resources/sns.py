"""AWS::SNS::Topic."""

from __future__ import annotations

import json
from typing import Any

from resources.handler import Context, Handler, Made, tags_as_map

# What SetTopicAttributes takes; the rest but Subscription is kept by the engine alone.
ATTRIBUTES = (
    "ArchivePolicy",
    "ContentBasedDeduplication",
    "DisplayName",
    "FifoThroughputScope",
    "KmsMasterKeyId",
    "SignatureVersion",
    "TracingConfig",
)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


class Topic(Handler):
    type = "AWS::SNS::Topic"
    service = "Sns"
    name = "TopicName"

    def exists(self, context: Context, name: str) -> bool:
        topics = context.client("sns").list_topics()["Topics"]
        return any(topic["TopicArn"].rpartition(":")[2] == name for topic in topics)

    def create(self, context: Context, properties: dict[str, Any]) -> Made:
        sns = context.client("sns")
        name = properties.get("TopicName") or context.generated_name(250) + (
            ".fifo" if properties.get("FifoTopic") else ""
        )
        # SNS answers a second CreateTopic with the first one's ARN; CloudFormation does not.
        self.refuse_existing(context, name)
        attributes = {key: _text(properties[key]) for key in ATTRIBUTES if key in properties}
        if properties.get("FifoTopic"):
            attributes["FifoTopic"] = "true"
        arn = sns.create_topic(Name=name, Attributes=attributes, Tags=properties.get("Tags", []))["TopicArn"]
        self._subscribe(context, arn, {}, properties)
        return Made(arn, {"TopicArn": arn, "TopicName": name})

    def update(self, context: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        sns = context.client("sns")
        for key in ATTRIBUTES:
            if old.get(key) != new.get(key):
                sns.set_topic_attributes(
                    TopicArn=physical_id, AttributeName=key, AttributeValue=_text(new.get(key, ""))
                )
        before, after = tags_as_map(old), tags_as_map(new)
        if set(before) - set(after):
            sns.untag_resource(ResourceArn=physical_id, TagKeys=sorted(set(before) - set(after)))
        if after and before != after:
            sns.tag_resource(ResourceArn=physical_id, Tags=new["Tags"])
        self._subscribe(context, physical_id, old, new)
        return {"TopicArn": physical_id, "TopicName": physical_id.rpartition(":")[2]}

    def _subscribe(self, context: Context, arn: str, old: dict[str, Any], new: dict[str, Any]) -> None:
        """Template Reference, AWS::SNS::Topic, Subscription: those that were removed from the list stay subscribed."""
        for each in new.get("Subscription", []):
            if each not in old.get("Subscription", []):
                context.client("sns").subscribe(TopicArn=arn, Protocol=each["Protocol"], Endpoint=each["Endpoint"])

    def delete(self, context: Context, physical_id: str, properties: dict[str, Any]) -> None:
        context.client("sns").delete_topic(TopicArn=physical_id)
