"""AWS::CloudWatch::Alarm."""

from __future__ import annotations

from typing import Any

from resources.handler import Context, Handler, Made, picked

# What PutMetricAlarm takes under the property's own name.
PASSED = (
    "ActionsEnabled",
    "AlarmActions",
    "AlarmDescription",
    "ComparisonOperator",
    "DatapointsToAlarm",
    "Dimensions",
    "EvaluateLowSampleCountPercentile",
    "EvaluationPeriods",
    "ExtendedStatistic",
    "InsufficientDataActions",
    "MetricName",
    "Metrics",
    "Namespace",
    "OKActions",
    "Period",
    "Statistic",
    "Tags",
    "Threshold",
    "ThresholdMetricId",
    "TreatMissingData",
    "Unit",
)


class Alarm(Handler):
    type = "AWS::CloudWatch::Alarm"
    service = "CloudWatch"
    name = "AlarmName"

    def exists(self, context: Context, name: str) -> bool:
        return bool(context.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"])

    def create(self, context: Context, properties: dict[str, Any]) -> Made:
        name = properties.get("AlarmName") or context.generated_name(255)
        self.refuse_existing(context, name)
        return Made(name, self._put(context, name, properties))

    def update(self, context: Context, physical_id: str, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
        return self._put(context, physical_id, new)

    def _put(self, context: Context, name: str, properties: dict[str, Any]) -> dict[str, Any]:
        context.client("cloudwatch").put_metric_alarm(AlarmName=name, **picked(properties, PASSED))
        return {"Arn": context.arn("cloudwatch", f"alarm:{name}")}

    def delete(self, context: Context, physical_id: str, properties: dict[str, Any]) -> None:
        context.client("cloudwatch").delete_alarms(AlarmNames=[physical_id])
