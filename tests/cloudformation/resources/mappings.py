"""AWS::Lambda::EventSourceMapping."""

from __future__ import annotations

from typing import Any

from resources.handler import Context, Handler, Made, tags_as_map

# Properties that CreateEventSourceMapping does not take under the same name are renamed below.
RENAMED = {"KmsKeyArn": "KMSKeyArn"}
# UpdateEventSourceMapping does not take these; all but the last replace the resource.
CREATE_ONLY = (
    "EventSourceArn",
    "StartingPosition",
    "StartingPositionTimestamp",
    "SelfManagedEventSource",
    "Topics",
    "Queues",
    "Tags",
)
# What a property that was removed from the template goes back to (Lambda API Reference, CreateEventSourceMapping).
DEFAULTS: dict[str, Any] = {
    "BatchSize": 100,
    "BisectBatchOnFunctionError": False,
    "DestinationConfig": {"OnFailure": {}},
    "Enabled": True,
    "FilterCriteria": {},
    "FunctionResponseTypes": [],
    "KmsKeyArn": "",
    "MaximumBatchingWindowInSeconds": 0,
    "MaximumRecordAgeInSeconds": -1,
    "MaximumRetryAttempts": -1,
    "MetricsConfig": {"Metrics": []},
    "ParallelizationFactor": 1,
    "TumblingWindowInSeconds": 0,
}


class EventSourceMapping(Handler):
    type = "AWS::Lambda::EventSourceMapping"
    service = "Lambda"

    def create(self, context: Context, properties: dict[str, Any]) -> Made:
        request = {RENAMED.get(name, name): value for name, value in properties.items() if name != "Tags"}
        if properties.get("Tags"):
            request["Tags"] = tags_as_map(properties)
        # A second mapping of the same stream and function is refused by what stands before moto (`lambda_front`).
        mapping = context.client("lambda").create_event_source_mapping(**request)
        return self._made(context, mapping["UUID"])

    def update(self, context: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        changed = {name for name in set(old) | set(new) if old.get(name) != new.get(name)} - set(CREATE_ONLY)
        request = {RENAMED.get(name, name): new.get(name, DEFAULTS.get(name)) for name in changed}
        if request:
            context.client("lambda").update_event_source_mapping(UUID=physical_id, **request)
        return self._made(context, physical_id).attributes

    def _made(self, context: Context, uuid: str) -> Made:
        return Made(uuid, {"Id": uuid, "EventSourceMappingArn": context.arn("lambda", f"event-source-mapping:{uuid}")})

    def delete(self, context: Context, physical_id: str, properties: dict[str, Any]) -> None:
        context.client("lambda").delete_event_source_mapping(UUID=physical_id)
