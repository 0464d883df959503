//! What tells that records wait, were dropped or were given up on.

use serde_json::{Map, Value, json};

use super::Generations;
use super::ids::Ids;
use crate::functions::Function;
use crate::manifest::Manifest;

pub(super) fn add(
    manifest: &Manifest,
    function: &Function<'_>,
    generations: &Generations,
    resources: &mut Map<String, Value>,
) {
    let ids = Ids::of(function);
    let name = function.name();
    let of_function = json!([{ "Name": "FunctionName", "Value": { "Ref": ids.function() } }]);
    let age = manifest.alarms.iterator_age_seconds;
    let mut add =
        |id: String, metric: &str, dimensions: &Value, statistic: &str, above: u64, periods: u32, why: String| {
            let mut properties = json!({
                "AlarmDescription": why,
                "Namespace": "AWS/Lambda",
                "MetricName": metric,
                "Dimensions": dimensions,
                "Statistic": statistic,
                "Period": 60,
                "EvaluationPeriods": periods,
                "ComparisonOperator": "GreaterThanThreshold",
                "Threshold": above,
                // No metric is no record.
                "TreatMissingData": "notBreaching",
            });
            if !manifest.alarms.actions.is_empty() {
                properties["AlarmActions"] = json!(manifest.alarms.actions);
            }
            resources.insert(id, json!({ "Type": "AWS::CloudWatch::Alarm", "Properties": properties }));
        };
    add(
        ids.alarm("IteratorAge"),
        "IteratorAge",
        &of_function,
        "Maximum",
        u64::from(age) * 1_000,
        3,
        format!("{name}: records are older than {age} s when they are done. After 24 hours a stream drops them"),
    );
    add(
        ids.alarm("Delivery"),
        "DestinationDeliveryFailures",
        &of_function,
        "Sum",
        0,
        1,
        format!(
            "{name}: records that were given up on could not be kept, and are lost. Look at the rights of its role"
        ),
    );
    for stream in &function.streams {
        // The two stand on metrics that only such a mapping has.
        if !stream.mapping.event_count_metrics {
            continue;
        }
        for generation in generations.of(&stream.name) {
            let mapping = ids.mapping(&stream.name, generation.number);
            let of_mapping = json!([{ "Name": "EventSourceMappingUUID", "Value": { "Ref": mapping } }]);
            add(
                format!("{mapping}DroppedAlarm"),
                "DroppedEventCount",
                &of_mapping,
                "Sum",
                0,
                1,
                format!("{name}: records of the stream {} were given up on", stream.name),
            );
            add(
                format!("{mapping}FailedAlarm"),
                "OnFailureDestinationDeliveredEventCount",
                &of_mapping,
                "Sum",
                0,
                1,
                format!(
                    "{name}: records of the stream {} are in the destination for failed ones. `gristmill failed list` shows \
                     them",
                    stream.name
                ),
            );
        }
    }
}
