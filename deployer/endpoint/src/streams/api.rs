//! The operations of DynamoDB Streams as JSON: requests are read and checked
//! here, and answers written.

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::read::Stream;
use super::{Dialect, IteratorPosition, Reader, StreamError};
use crate::names::Names;

/// The most streams, shards and records in an answer, which are the defaults
/// too (the model).
const MOST_STREAMS: usize = 100;
const MOST_SHARDS: usize = 100;
const MOST_RECORDS: usize = 1000;

/// What these operations are called.
pub(crate) const OPERATIONS: [&str; 4] = ["DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"];

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ListStreams {
    table_name: Option<String>,
    limit: Option<i64>,
    exclusive_start_stream_arn: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DescribeStream {
    stream_arn: Option<String>,
    limit: Option<i64>,
    exclusive_start_shard_id: Option<String>,
    shard_filter: Option<ShardFilter>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ShardFilter {
    r#type: Option<String>,
    shard_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetShardIterator {
    stream_arn: Option<String>,
    shard_id: Option<String>,
    shard_iterator_type: Option<String>,
    sequence_number: Option<String>,
    timestamp: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct GetRecords {
    shard_iterator: Option<String>,
    limit: Option<i64>,
}

/// The store that requests are answered from.
#[derive(Clone, Copy)]
pub(crate) struct Store<'a> {
    pub(crate) conn: &'a Connection,
    pub(crate) names: &'a Names,
    pub(crate) now_ms: u64,
}

impl<'a> Store<'a> {
    fn reader(self) -> Result<Reader<'a>, StreamError> {
        Reader::at(self.conn, self.names, self.now_ms)
    }
}

/// ListStreams.
pub(crate) fn list_streams(store: Store<'_>, request: &ListStreams) -> Result<String, StreamError> {
    let limit = limit(request.limit, MOST_STREAMS)?;
    let reader = store.reader()?;
    let after = request.exclusive_start_stream_arn.as_deref();
    let (streams, more) = reader.list(request.table_name.as_deref(), after, limit)?;
    let listed: Vec<Value> = streams
        .iter()
        .map(
            |stream| json!({ "StreamArn": reader.arn(stream), "TableName": stream.table, "StreamLabel": stream.label }),
        )
        .collect();
    let mut answer = json!({ "Streams": listed });
    if let (true, Some(last)) = (more, streams.last()) {
        answer["LastEvaluatedStreamArn"] = reader.arn(last).into();
    }
    Ok(answer.to_string())
}

/// DescribeStream.
pub(crate) fn describe_stream(store: Store<'_>, request: &DescribeStream) -> Result<String, StreamError> {
    let arn = required(request.stream_arn.as_deref(), "streamArn")?;
    let limit = limit(request.limit, MOST_SHARDS)?;
    let children_of = match &request.shard_filter {
        None => None,
        Some(filter) => match filter.r#type.as_deref() {
            None => None,
            Some("CHILD_SHARDS") => Some(required(filter.shard_id.as_deref(), "shardFilter.shardId")?),
            Some(other) => return Err(not_in("shardFilter.type", other, "[CHILD_SHARDS]")),
        },
    };
    let reader = store.reader()?;
    let stream = reader.stream(arn)?;
    let page = reader.shards(&stream, children_of, request.exclusive_start_shard_id.as_deref(), limit)?;
    let shards: Vec<Value> = page
        .shards
        .iter()
        .map(|shard| {
            let mut range = json!({ "StartingSequenceNumber": shard.starting_sequence_number });
            if let Some(ending) = &shard.ending_sequence_number {
                range["EndingSequenceNumber"] = ending.as_str().into();
            }
            let mut description = json!({ "ShardId": shard.shard_id, "SequenceNumberRange": range });
            if let Some(parent) = &shard.parent_shard_id {
                description["ParentShardId"] = parent.as_str().into();
            }
            description
        })
        .collect();
    let mut description = description(&reader, &stream)?;
    description["Shards"] = shards.into();
    if let (true, Some(last)) = (page.more, page.shards.last()) {
        description["LastEvaluatedShardId"] = last.shard_id.as_str().into();
    }
    Ok(json!({ "StreamDescription": description }).to_string())
}

fn description(reader: &Reader<'_>, stream: &Stream) -> Result<Value, StreamError> {
    let key_schema: Value = serde_json::from_str(&stream.key_schema)?;
    Ok(json!({
        "StreamArn": reader.arn(stream),
        "StreamLabel": stream.label,
        "StreamStatus": if stream.enabled { "ENABLED" } else { "DISABLED" },
        "StreamViewType": stream.view_type,
        "CreationRequestDateTime": stream.created_at_ms as f64 / 1000.0,
        "TableName": stream.table,
        "KeySchema": key_schema,
    }))
}

/// GetShardIterator.
pub(crate) fn get_shard_iterator(store: Store<'_>, request: &GetShardIterator) -> Result<String, StreamError> {
    let arn = required(request.stream_arn.as_deref(), "streamArn")?;
    let shard_id = required(request.shard_id.as_deref(), "shardId")?;
    let kind = required(request.shard_iterator_type.as_deref(), "shardIteratorType")?;
    let number = || required(request.sequence_number.as_deref(), "sequenceNumber").map(str::to_owned);
    let position = match kind {
        "TRIM_HORIZON" => IteratorPosition::TrimHorizon,
        "LATEST" => IteratorPosition::Latest,
        "AT_SEQUENCE_NUMBER" => IteratorPosition::At(number()?),
        "AFTER_SEQUENCE_NUMBER" => IteratorPosition::After(number()?),
        "AT_TIMESTAMP" => match request.timestamp {
            // Seconds, which a time before 1970 makes the oldest record.
            Some(seconds) => IteratorPosition::AtTimestampMs((seconds * 1000.0).max(0.0) as u64),
            None => return Err(not_given("timestamp")),
        },
        other => {
            let known = "[AFTER_SEQUENCE_NUMBER, AT_SEQUENCE_NUMBER, AT_TIMESTAMP, LATEST, TRIM_HORIZON]";
            return Err(not_in("shardIteratorType", other, known));
        }
    };
    let iterator = store.reader()?.shard_iterator(arn, shard_id, &position)?;
    Ok(json!({ "ShardIterator": iterator }).to_string())
}

/// GetRecords.
pub(crate) fn get_records(store: Store<'_>, request: &GetRecords) -> Result<String, StreamError> {
    #[derive(serde::Serialize)]
    #[serde(rename_all = "PascalCase")]
    struct Answer {
        records: Vec<Box<RawValue>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_shard_iterator: Option<String>,
    }
    let iterator = required(request.shard_iterator.as_deref(), "shardIterator")?;
    let limit = limit(request.limit, MOST_RECORDS)?;
    let page = store.reader()?.records(iterator, limit, Dialect::Streams)?;
    let records = page.records.into_iter().map(RawValue::from_string).collect::<Result<_, _>>()?;
    let answer = Answer { records, next_shard_iterator: page.next_iterator };
    Ok(serde_json::to_string(&answer)?)
}

/// A member that a request must have.
fn required<'a>(member: Option<&'a str>, name: &str) -> Result<&'a str, StreamError> {
    member.filter(|text| !text.is_empty()).ok_or_else(|| not_given(name))
}

fn not_given(name: &str) -> StreamError {
    invalid(&format!("Value null at '{name}' failed to satisfy constraint: Member must not be null"))
}

fn limit(given: Option<i64>, most: usize) -> Result<usize, StreamError> {
    let Some(limit) = given else { return Ok(most) };
    let constraint = |word: &str, bound| {
        let rule = format!("Member must have value {word} than or equal to {bound}");
        invalid(&format!("Value '{limit}' at 'limit' failed to satisfy constraint: {rule}"))
    };
    match usize::try_from(limit) {
        Err(_) | Ok(0) => Err(constraint("greater", 1)),
        Ok(limit) if limit > most => Err(constraint("less", most)),
        Ok(limit) => Ok(limit),
    }
}

fn not_in(name: &str, value: &str, set: &str) -> StreamError {
    invalid(&format!(
        "Value '{value}' at '{name}' failed to satisfy constraint: Member must satisfy enum value set: {set}"
    ))
}

fn invalid(detail: &str) -> StreamError {
    StreamError::Validation(format!("1 validation error detected: {detail}"))
}
