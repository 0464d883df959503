//! An event source mapping, with every parameter of AWS-FACTS ("The event source
//! mapping on a DynamoDB stream"). What is AWS's default is said too, so that a key
//! that is taken out of the manifest changes the mapping back.

use serde_json::{Map, Value, json};

use super::ids::Ids;
use super::{Generation, failure_bucket, function};
use crate::functions::Function;
use crate::manifest::{Destination, StartingPosition, Stream};

pub(super) fn add(
    function: &Function<'_>,
    stream: &Stream,
    generation: &Generation,
    resources: &mut Map<String, Value>,
) {
    let ids = Ids::of(function);
    let mapping = &stream.mapping;
    let limit = |limit: Option<u32>| limit.map_or(-1, i64::from);
    let destination = match &mapping.on_failure {
        Some(Destination::S3(arn) | Destination::Sqs(arn) | Destination::Sns(arn)) => json!(arn),
        None => json!({ "Fn::GetAtt": [failure_bucket(), "Arn"] }),
    };
    let mut properties = json!({
        "EventSourceArn": { "Ref": generation.arn_parameter(&stream.name) },
        "FunctionName": { "Ref": ids.alias() },
        "Enabled": mapping.enabled && generation.enabled,
        "BatchSize": mapping.batch_size,
        "MaximumBatchingWindowInSeconds": mapping.maximum_batching_window_in_seconds,
        "ParallelizationFactor": mapping.parallelization_factor,
        "StartingPosition": starting_position(stream, generation),
        "MaximumRecordAgeInSeconds": limit(mapping.maximum_record_age_in_seconds),
        "MaximumRetryAttempts": limit(mapping.maximum_retry_attempts),
        "BisectBatchOnFunctionError": mapping.bisect_batch_on_function_error,
        // R11: without it Lambda ignores what the function answers.
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "DestinationConfig": { "OnFailure": { "Destination": destination } },
    });
    let filters = function.filters_of(&stream.name);
    if !filters.is_empty() {
        let filters: Vec<_> = filters.into_iter().map(|pattern| json!({ "Pattern": pattern })).collect();
        properties["FilterCriteria"] = json!({ "Filters": filters });
    }
    if let Some(key) = &mapping.kms_key_arn {
        properties["KmsKeyArn"] = json!(key);
    }
    if mapping.event_count_metrics {
        properties["MetricsConfig"] = json!({ "Metrics": ["EventCount"] });
    }
    if !mapping.tags.is_empty() {
        properties["Tags"] = function::tags(&mapping.tags);
    }
    let mut depends = vec![ids.policy()];
    // Lambda tries the destination when the mapping is made.
    if mapping.on_failure.is_none() {
        depends.push(super::bucket::failure_bucket_policy().to_owned());
    }
    let resource = json!({ "Type": "AWS::Lambda::EventSourceMapping", "DependsOn": depends, "Properties": properties });
    resources.insert(ids.mapping(&stream.name, generation.number), resource);
}

/// Where the mapping of a generation begins, or has begun. Behind another stream
/// of the same table it begins with the oldest record: nothing may be left out
/// between the two.
pub(super) fn starting_position(stream: &Stream, generation: &Generation) -> String {
    if let Some(position) = &generation.starting_position {
        return position.clone();
    }
    match stream.mapping.starting_position {
        StartingPosition::Latest if generation.number == 1 => "LATEST",
        StartingPosition::Latest | StartingPosition::TrimHorizon => "TRIM_HORIZON",
    }
    .to_owned()
}
