//! DynamoDB and DynamoDB Streams by their API, as far as dev mode uses them:
//! which streams a table has, and a stream as the mapping reads it. Knows the
//! API's forms, and not who answers.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use gristmill_mapping::{IteratorPosition, RecordPage, ShardDescription, ShardPage, SourceError, StreamSource};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::watch;

/// Who answers: the embedded endpoint, in this process.
pub(super) trait Api: Send + Sync + 'static {
    /// One request: `X-Amz-Target` and body in, status and body out.
    fn call(&self, target: &str, body: String) -> impl Future<Output = (u16, String)> + Send;

    /// Changes when something was written to a stream, or may have been.
    fn changes(&self) -> watch::Receiver<u64>;
}

/// An API's refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub(super) struct Refusal {
    /// The exception's name, without its namespace.
    pub(super) kind: String,
    /// What it says.
    pub(super) message: String,
}

/// Makes a request and reads the answer.
///
/// # Errors
///
/// [`Refusal`], also for an answer of another form.
pub(super) async fn call<T: DeserializeOwned>(api: &impl Api, target: &str, body: Value) -> Result<T, Refusal> {
    let (status, answer) = api.call(target, body.to_string()).await;
    if status == 200 {
        return serde_json::from_str(&answer)
            .map_err(|error| Refusal { kind: "UnexpectedAnswer".to_owned(), message: error.to_string() });
    }
    let error: Value = serde_json::from_str(&answer).unwrap_or_default();
    let text = |name: &str| error.get(name).and_then(Value::as_str);
    let kind = text("__type").map_or("UnexpectedAnswer", |kind| kind.rsplit('#').next().unwrap_or(kind)).to_owned();
    let message = text("message").or(text("Message")).map_or_else(|| format!("status {status}"), str::to_owned);
    Err(Refusal { kind, message })
}

/// How a table stands to its streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TableStreams {
    /// There is no such table, and no stream is left of one.
    NoTable,
    /// It has no stream that is on, and none that can still be read.
    NoStream,
    /// Its streams, oldest first, as the endpoint lists them (a label is a time
    /// of a clock that may have been set back): those that were switched off can be read for
    /// 24 hours (AWS-FACTS, The event source mapping).
    Streams(Vec<String>),
}

/// The streams of a table.
///
/// # Errors
///
/// [`Refusal`]
pub(super) async fn streams_of(api: &impl Api, table: &str) -> Result<TableStreams, Refusal> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Page {
        streams: Vec<Found>,
        last_evaluated_stream_arn: Option<String>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Found {
        stream_arn: String,
    }
    let mut found: Vec<Found> = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let mut request = json!({ "TableName": table });
        if let Some(after) = &after {
            request["ExclusiveStartStreamArn"] = json!(after);
        }
        let page: Page = call(api, "DynamoDBStreams_20120810.ListStreams", request).await?;
        found.extend(page.streams);
        // One that is named twice would be asked for for ever.
        if page.last_evaluated_stream_arn.is_none() || page.last_evaluated_stream_arn == after {
            break;
        }
        after = page.last_evaluated_stream_arn;
    }
    if !found.is_empty() {
        return Ok(TableStreams::Streams(found.into_iter().map(|found| found.stream_arn).collect()));
    }
    match call::<Value>(api, "DynamoDB_20120810.DescribeTable", json!({ "TableName": table })).await {
        Ok(_) => Ok(TableStreams::NoStream),
        Err(refusal) if refusal.kind == "ResourceNotFoundException" => Ok(TableStreams::NoTable),
        Err(refusal) => Err(refusal),
    }
}

/// One stream.
pub(super) struct Source<A> {
    /// Who answers.
    pub(super) api: Arc<A>,
    /// The stream.
    pub(super) stream_arn: String,
}

impl<A: Api> Source<A> {
    async fn ask<T: DeserializeOwned>(&self, operation: &str, body: Value) -> Result<T, SourceError> {
        let target = format!("DynamoDBStreams_20120810.{operation}");
        call(&*self.api, &target, body).await.map_err(|refusal| match refusal.kind.as_str() {
            "ExpiredIteratorException" => SourceError::ExpiredIterator,
            "TrimmedDataAccessException" => SourceError::TrimmedDataAccess,
            "ResourceNotFoundException" => SourceError::ResourceNotFound(refusal.message),
            "AccessDeniedException" => SourceError::AccessDenied(refusal.message),
            "LimitExceededException" | "ProvisionedThroughputExceededException" | "ThrottlingException" => {
                SourceError::Throttled
            }
            _ => SourceError::Failed(refusal.to_string()),
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DescribeStream {
    stream_description: StreamDescription,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StreamDescription {
    #[serde(default)]
    shards: Vec<Shard>,
    last_evaluated_shard_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Shard {
    shard_id: String,
    parent_shard_id: Option<String>,
    #[serde(default)]
    sequence_number_range: Range,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Range {
    starting_sequence_number: Option<String>,
    ending_sequence_number: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ShardIterator {
    shard_iterator: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Records {
    #[serde(default)]
    records: Vec<Box<RawValue>>,
    next_shard_iterator: Option<String>,
}

/// Lambda's events spell the names in `userIdentity` with a small letter, and
/// the API with a large one. All else is the same, and stays as it came.
fn as_lambda_spells_it(record: &str) -> String {
    const FIELD: &str = "userIdentity";
    if !record.contains(FIELD) {
        return record.to_owned();
    }
    // What is of another form passes through: the host says what is wrong with it.
    let Ok(mut fields) = serde_json::from_str::<BTreeMap<String, &RawValue>>(record) else { return record.to_owned() };
    let Some(identity) = fields.get(FIELD).map(|identity| identity.get()) else { return record.to_owned() };
    let Ok(identity) = serde_json::from_str::<BTreeMap<String, &RawValue>>(identity) else { return record.to_owned() };
    let names = [("Type", "type"), ("PrincipalId", "principalId")];
    let spelt: BTreeMap<&str, &RawValue> = identity
        .iter()
        .map(|(name, value)| {
            (names.iter().find(|(theirs, _)| theirs == name).map_or(name.as_str(), |(_, ours)| ours), *value)
        })
        .collect();
    let Ok(spelt) = serde_json::value::to_raw_value(&spelt) else { return record.to_owned() };
    fields.insert(FIELD.to_owned(), &spelt);
    serde_json::to_string(&fields).unwrap_or_else(|_| record.to_owned())
}

impl<A: Api> StreamSource for Source<A> {
    async fn describe(&self, after: Option<&str>) -> Result<ShardPage, SourceError> {
        let mut request = json!({ "StreamArn": self.stream_arn });
        if let Some(after) = after {
            request["ExclusiveStartShardId"] = json!(after);
        }
        let DescribeStream { stream_description: description } = self.ask("DescribeStream", request).await?;
        let shards = description.shards.into_iter().map(|shard| ShardDescription {
            shard_id: shard.shard_id,
            parent_shard_id: shard.parent_shard_id,
            starting_sequence_number: shard.sequence_number_range.starting_sequence_number,
            ending_sequence_number: shard.sequence_number_range.ending_sequence_number,
        });
        Ok(ShardPage { shards: shards.collect(), more: description.last_evaluated_shard_id.is_some() })
    }

    async fn shard_iterator(&self, shard: &str, position: &IteratorPosition) -> Result<String, SourceError> {
        let (kind, number) = match position {
            IteratorPosition::TrimHorizon => ("TRIM_HORIZON", None),
            IteratorPosition::Latest => ("LATEST", None),
            IteratorPosition::At(number) => ("AT_SEQUENCE_NUMBER", Some(number)),
            IteratorPosition::After(number) => ("AFTER_SEQUENCE_NUMBER", Some(number)),
        };
        let mut request = json!({ "StreamArn": self.stream_arn, "ShardId": shard, "ShardIteratorType": kind });
        if let Some(number) = number {
            request["SequenceNumber"] = json!(number);
        }
        let ShardIterator { shard_iterator } = self.ask("GetShardIterator", request).await?;
        Ok(shard_iterator)
    }

    async fn records(&self, iterator: &str, limit: usize) -> Result<RecordPage, SourceError> {
        let request = json!({ "ShardIterator": iterator, "Limit": limit });
        let Records { records, next_shard_iterator } = self.ask("GetRecords", request).await?;
        // As text, byte for byte: what nobody knows passes through.
        let records = records.into_iter().map(|record| as_lambda_spells_it(record.get())).collect();
        Ok(RecordPage { records, next_iterator: next_shard_iterator })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_spelt_as_lambda_spells_it() {
        for (api, lambda) in [
            (r#"{"eventID":"1","dynamodb":{"n": 1.50}}"#, r#"{"eventID":"1","dynamodb":{"n": 1.50}}"#),
            (
                r#"{"userIdentity":{"PrincipalId":"dynamodb.amazonaws.com","Type":"Service"},"dynamodb":{"n": 1.50}}"#,
                r#"{"dynamodb":{"n": 1.50},"userIdentity":{"principalId":"dynamodb.amazonaws.com","type":"Service"}}"#,
            ),
            (r#"{"a":"userIdentity"}"#, r#"{"a":"userIdentity"}"#),
            (r#"{"userIdentity":null}"#, r#"{"userIdentity":null}"#),
            (r#"{"userIdentity":{"type":"x","new":[1]}}"#, r#"{"userIdentity":{"new":[1],"type":"x"}}"#),
        ] {
            assert_eq!(as_lambda_spells_it(api), lambda);
        }
    }
}
