//! The event as Lambda sends it, and the document of a batch that was given up.
//! Text in, text out: records go in as they came.

use serde::Serialize;

use crate::Timestamp;
use crate::configuration::OnFailure;
use crate::destination::FailureDocument;
use crate::positions::Window;
use crate::record::{Record, with_source_arn};
use crate::trace::Condition;

/// The largest payload of an invocation (AWS-FACTS, The event source mapping).
pub(crate) const MOST_PAYLOAD_BYTES: usize = 6 * 1024 * 1024;

/// What stands around records in a payload, with room for a window's fields but
/// not its state.
pub(crate) const AROUND_BYTES: usize = 1_024;

/// The tumbling window that an invocation belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InWindow<'a> {
    pub(crate) window: &'a Window,
    /// The last invocation of the window, which has no records.
    pub(crate) is_final: bool,
    /// The window ends because its state is too large.
    pub(crate) is_early: bool,
}

/// The event that Lambda would make of records as GetRecords gives them.
pub fn event_of(records: &[String], stream_arn: &str) -> String {
    let arn = serde_json::Value::from(stream_arn).to_string();
    let records: Vec<_> = records.iter().map(|record| with_source_arn(record, &arn)).collect();
    format!("{{\"Records\":[{}]}}", records.join(","))
}

/// The event of an invocation.
pub(crate) fn event<'r>(
    records: impl Iterator<Item = &'r Record> + Clone,
    shard: &str,
    stream_arn: &str,
    window: Option<InWindow<'_>>,
) -> String {
    let bytes: usize = records.clone().map(|record| record.json.len() + 1).sum();
    let state = window.map_or(0, |window| window.window.state.len());
    let mut text = String::with_capacity(bytes + state + AROUND_BYTES);
    text.push_str("{\"Records\":[");
    for (index, record) in records.enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&record.json);
    }
    text.push(']');
    if let Some(InWindow { window, is_final, is_early }) = window {
        let (start, end) = (window.start_ms.iso(), window.end_ms.iso());
        let (shard, arn) = (serde_json::Value::from(shard), serde_json::Value::from(stream_arn));
        let state = &window.state;
        text.push_str(&format!(
            ",\"window\":{{\"start\":\"{start}\",\"end\":\"{end}\"}},\"state\":{state},\"shardId\":{shard},\
             \"eventSourceARN\":{arn},\"isFinalInvokeForWindow\":{is_final},\"isWindowTerminatedEarly\":{is_early}"
        ));
    }
    text.push('}');
    text
}

/// What is told of a batch that was given up.
pub(crate) struct GivenUp<'a> {
    pub(crate) request_id: &'a str,
    pub(crate) function_arn: &'a str,
    pub(crate) condition: Condition,
    pub(crate) invokes: u32,
    /// The `functionError` of the last answer; none within when the function
    /// returned. None at all when there is no `responseContext`.
    pub(crate) response: Option<Option<&'a str>>,
    pub(crate) shard: &'a str,
    pub(crate) stream_arn: &'a str,
    pub(crate) mapping: &'a str,
    /// The first and last number, and when the records came.
    pub(crate) first: (&'a str, Option<Timestamp>),
    pub(crate) last: (&'a str, Option<Timestamp>),
    pub(crate) batch_size: usize,
    pub(crate) event: String,
}

/// The fields in AWS's order (AWS-FACTS, Golden traces).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    request_context: RequestContext<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_context: Option<ResponseContext<'a>>,
    version: &'a str,
    timestamp: String,
    #[serde(rename = "DDBStreamBatchInfo")]
    batch_info: BatchInfo<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    request_id: &'a str,
    function_arn: &'a str,
    condition: Condition,
    approximate_invoke_count: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseContext<'a> {
    status_code: u16,
    executed_version: &'a str,
    function_error: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BatchInfo<'a> {
    shard_id: &'a str,
    start_sequence_number: &'a str,
    end_sequence_number: &'a str,
    approximate_arrival_of_first_record: Option<String>,
    approximate_arrival_of_last_record: Option<String>,
    batch_size: usize,
    stream_arn: &'a str,
}

/// The document of a batch that was given up. `uuid` makes an object's key its
/// own.
pub(crate) fn document(to: &OnFailure, given_up: GivenUp<'_>, now: Timestamp, uuid: &str) -> FailureDocument {
    let GivenUp { mapping, shard, .. } = given_up;
    let is_s3 = match to {
        OnFailure::S3(_) => true,
        OnFailure::Sqs(_) | OnFailure::Sns(_) => false,
    };
    let document = Document {
        request_context: RequestContext {
            request_id: given_up.request_id,
            function_arn: given_up.function_arn,
            condition: given_up.condition,
            approximate_invoke_count: given_up.invokes,
        },
        response_context: given_up.response.map(|function_error| ResponseContext {
            status_code: 200,
            executed_version: "$LATEST",
            function_error,
        }),
        version: "1.0",
        timestamp: now.iso_ms(),
        batch_info: BatchInfo {
            shard_id: shard,
            start_sequence_number: given_up.first.0,
            end_sequence_number: given_up.last.0,
            approximate_arrival_of_first_record: given_up.first.1.map(Timestamp::iso),
            approximate_arrival_of_last_record: given_up.last.1.map(Timestamp::iso),
            batch_size: given_up.batch_size,
            stream_arn: given_up.stream_arn,
        },
        payload: is_s3.then_some(given_up.event),
    };
    FailureDocument {
        to: to.clone(),
        key: is_s3.then(|| format!("aws/lambda/{mapping}/{shard}/{}-{uuid}", now.s3_path())),
        // Only maps with keys that are no strings cannot be written.
        body: serde_json::to_string(&document).unwrap_or_default(),
    }
}
