//! The parameters of an event source mapping, with the ranges of AWS-FACTS
//! ("The event source mapping on a DynamoDB stream") and safe defaults. They
//! stand in `[stream.NAME]`.

use std::collections::BTreeMap;

use super::super::fields::{At, Fields};
use super::tags;
use crate::edge::quoted;

/// An event source mapping's parameters. Those that gristmill decides itself
/// (FunctionResponseTypes, FilterCriteria, TumblingWindowInSeconds) are not
/// here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Whether records are delivered. Default true.
    pub enabled: bool,
    /// The most records of a batch, 1–10,000. Default 100, as AWS's.
    pub batch_size: u32,
    /// How long a batch may wait to fill, 0–300. Default 0.
    pub maximum_batching_window_in_seconds: u32,
    /// Batches of a shard at one time, 1–10. Default 1.
    pub parallelization_factor: u32,
    /// Where a new mapping begins. Default [`StartingPosition::TrimHorizon`].
    pub starting_position: StartingPosition,
    /// 60–604,800; none is no limit, the default (R14).
    pub maximum_record_age_in_seconds: Option<u32>,
    /// 0–10,000; none is until the record expires. Default 10 (R14).
    pub maximum_retry_attempts: Option<u32>,
    /// Whether a failed batch is split. Default true (R14).
    pub bisect_batch_on_function_error: bool,
    /// Where what was given up goes; none is gristmill's own bucket.
    pub on_failure: Option<Destination>,
    /// The key of one's own that encrypts what is in the destination.
    pub on_failure_kms_key_arn: Option<String>,
    /// The key of one's own that the table is encrypted with.
    pub table_kms_key_arn: Option<String>,
    /// The key that encrypts the filter.
    pub kms_key_arn: Option<String>,
    /// Whether the mapping counts events (MetricsConfig EventCount). Default true:
    /// what it drops shows in nothing else, and an alarm stands on that.
    pub event_count_metrics: bool,
    /// The mapping's tags.
    pub tags: BTreeMap<String, String>,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            enabled: true,
            batch_size: 100,
            maximum_batching_window_in_seconds: 0,
            parallelization_factor: 1,
            starting_position: StartingPosition::TrimHorizon,
            maximum_record_age_in_seconds: None,
            maximum_retry_attempts: Some(10),
            bisect_batch_on_function_error: true,
            on_failure: None,
            on_failure_kms_key_arn: None,
            table_kms_key_arn: None,
            kms_key_arn: None,
            event_count_metrics: true,
            tags: BTreeMap::new(),
        }
    }
}

/// Where a new mapping begins to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartingPosition {
    /// With the oldest record.
    TrimHorizon,
    /// With the newest. Can miss records while the mapping is made.
    Latest,
}

/// Where records go that Lambda gives up on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// The ARN of a bucket, the only kind that gets the records themselves.
    S3(String),
    /// The ARN of a standard queue.
    Sqs(String),
    /// The ARN of a standard topic.
    Sns(String),
}

/// -1 is AWS's way to say that there is no limit.
const NO_LIMIT: std::ops::RangeInclusive<i64> = -1..=-1;

pub(super) fn read(fields: &mut Fields<'_, '_, '_>) -> Mapping {
    let default = Mapping::default();
    let enabled = fields.boolean("enabled");
    let batch_size = fields.integer("batch-size", &[1..=10_000]);
    let window = fields.integer("maximum-batching-window-in-seconds", &[0..=300]);
    let factor = fields.integer("parallelization-factor", &[1..=10]);
    let age = fields.integer("maximum-record-age-in-seconds", &[NO_LIMIT, 60..=604_800]);
    let retries = fields.integer("maximum-retry-attempts", &[NO_LIMIT, 0..=10_000]);
    let bisect = fields.boolean("bisect-batch-on-function-error");
    warn(fields, bisect.as_ref(), age.as_ref());
    Mapping {
        enabled: enabled.map_or(default.enabled, |at| at.value),
        batch_size: number(batch_size, default.batch_size),
        maximum_batching_window_in_seconds: number(window, default.maximum_batching_window_in_seconds),
        parallelization_factor: number(factor, default.parallelization_factor),
        starting_position: starting_position(fields).unwrap_or(default.starting_position),
        maximum_record_age_in_seconds: limit(age, default.maximum_record_age_in_seconds),
        maximum_retry_attempts: limit(retries, default.maximum_retry_attempts),
        bisect_batch_on_function_error: bisect.map_or(default.bisect_batch_on_function_error, |at| at.value),
        on_failure: on_failure(fields),
        on_failure_kms_key_arn: kms_key_arn(fields, "on-failure-kms-key-arn"),
        table_kms_key_arn: kms_key_arn(fields, "table-kms-key-arn"),
        kms_key_arn: kms_key_arn(fields, "kms-key-arn"),
        event_count_metrics: fields.boolean("event-count-metrics").map_or(default.event_count_metrics, |at| at.value),
        tags: tags::read(fields),
    }
}

fn warn(fields: &mut Fields<'_, '_, '_>, bisect: Option<&At<bool>>, age: Option<&At<i64>>) {
    if let Some(At { value: false, offset }) = bisect {
        fields.report.warning(
            *offset,
            "without bisect, Lambda discards the rest of a batch with the record that it gives up on; leave \
             `bisect-batch-on-function-error` on",
        );
    }
    match age {
        Some(At { value: 86_401.., offset }) => {
            let message = "an age above 86400 does nothing: the stream keeps a record for 24 hours";
            fields.report.warning(*offset, message);
        }
        Some(At { value: 60.., offset }) => fields.report.warning(
            *offset,
            "with a maximum age, records that waited longer are given up untried, as after every long pause; leave \
             `maximum-record-age-in-seconds` out",
        ),
        Some(_) | None => {}
    }
}

/// The range was checked, so the number fits.
fn number(read: Option<At<i64>>, default: u32) -> u32 {
    read.and_then(|at| u32::try_from(at.value).ok()).unwrap_or(default)
}

/// None for -1. The range was checked.
fn limit(read: Option<At<i64>>, default: Option<u32>) -> Option<u32> {
    read.map_or(default, |at| u32::try_from(at.value).ok())
}

fn starting_position(fields: &mut Fields<'_, '_, '_>) -> Option<StartingPosition> {
    let key = "starting-position";
    let At { value, offset } = fields.string(key, "\"TRIM_HORIZON\" or \"LATEST\"")?;
    match value.as_str() {
        "TRIM_HORIZON" => Some(StartingPosition::TrimHorizon),
        "LATEST" => {
            let message = "LATEST can miss records while the mapping is made or changed; TRIM_HORIZON misses none";
            fields.report.warning(offset, message);
            Some(StartingPosition::Latest)
        }
        "AT_TIMESTAMP" => {
            fields.report.problem(offset, "Lambda refuses AT_TIMESTAMP for DynamoDB; it takes TRIM_HORIZON or LATEST");
            None
        }
        other => {
            let message = format!("`{key}` takes \"TRIM_HORIZON\" or \"LATEST\", and this is {}", quoted(other));
            fields.report.problem(offset, message);
            None
        }
    }
}

fn on_failure(fields: &mut Fields<'_, '_, '_>) -> Option<Destination> {
    let At { value, offset } = fields.string("on-failure", "the ARN of a bucket, queue or topic")?;
    let parts: Vec<_> = value.splitn(6, ':').collect();
    let why = match parts.as_slice() {
        ["arn", partition, "s3", "", "", bucket] if partition.starts_with("aws") && !bucket.contains('/') => {
            return Some(Destination::S3(value));
        }
        ["arn", _, "sqs" | "sns", _, _, name] if name.ends_with(".fifo") => "is FIFO, which Lambda refuses",
        ["arn", partition, "sqs", _, _, _] if partition.starts_with("aws") => return Some(Destination::Sqs(value)),
        ["arn", partition, "sns", _, _, _] if partition.starts_with("aws") => return Some(Destination::Sns(value)),
        ["arn", _, "kafka", ..] | ["kafka", ..] => "is a Kafka topic, which is for Kafka's own mappings",
        _ => "is no such ARN",
    };
    let message = format!(
        "`on-failure` takes the ARN of a bucket, of a standard queue or of a standard topic, and {} {why}",
        quoted(&value)
    );
    fields.report.problem(offset, message);
    None
}

fn kms_key_arn(fields: &mut Fields<'_, '_, '_>, key: &'static str) -> Option<String> {
    let At { value, offset } = fields.string(key, "the ARN of a key")?;
    let is_key = matches!(value.splitn(6, ':').collect::<Vec<_>>().as_slice(), ["arn", _, "kms", _, _, key] if key.starts_with("key/"));
    if !is_key {
        let message = format!("`{key}` takes arn:aws:kms:REGION:ACCOUNT:key/ID, and this is {}", quoted(&value));
        fields.report.problem(offset, message);
        return None;
    }
    Some(value)
}
