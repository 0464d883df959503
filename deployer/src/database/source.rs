//! A stream as the mapping reads it, by the API. Records pass as text.

use std::collections::BTreeMap;
use std::sync::Arc;

use gristmill_mapping::{IteratorPosition, RecordPage, ShardDescription, ShardPage, SourceError, StreamSource};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::api::{Api, call};

/// One stream.
pub struct Source<A> {
    /// Who answers.
    pub api: Arc<A>,
    /// The stream.
    pub stream_arn: String,
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

/// How many pages are read for the youngest records. A page has a thousand
/// records or 1 MB, so this is more than anybody looks at; an idle shard's pages
/// are empty.
const MOST_PAGES: usize = 300;

/// How many pages in a row may be empty before an open shard is taken for read.
const MOST_EMPTY_PAGES: usize = 20;

/// The youngest records of a stream.
pub(crate) struct Youngest {
    /// As text, as GetRecords gives them, by their sequence numbers.
    pub(crate) records: Vec<String>,
    /// Whether the stream has no older ones.
    pub(crate) is_all: bool,
    /// Whether there was more to read than is read here, so that they may not be
    /// the youngest.
    pub(crate) is_cut: bool,
}

/// Reads the youngest records of a stream, at most so many.
///
/// # Errors
///
/// When the stream cannot be read.
pub(crate) async fn youngest<A: Api>(api: &Arc<A>, stream_arn: &str, most: usize) -> Result<Youngest, SourceError> {
    let source = Source { api: Arc::clone(api), stream_arn: stream_arn.to_owned() };
    let mut shards = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = source.describe(after.as_deref()).await?;
        let last = page.shards.last().map(|shard| shard.shard_id.clone());
        shards.extend(page.shards);
        // One that is named twice would be asked for for ever.
        if !page.more || last.is_none() || last == after {
            break;
        }
        after = last;
    }
    let (mut found, mut pages, mut is_all) = (Vec::new(), 0, true);
    // Children stand after their parents, and have what is younger. Shards that
    // are open side by side are all read.
    for shard in shards.iter().rev() {
        let is_open = shard.ending_sequence_number.is_none();
        if (found.len() >= most && !is_open) || pages >= MOST_PAGES {
            is_all = false;
            break;
        }
        let mut iterator = Some(source.shard_iterator(&shard.shard_id, &IteratorPosition::TrimHorizon).await?);
        let mut empty = 0;
        while let Some(at) = iterator.take_if(|_| pages < MOST_PAGES) {
            let page = source.records(&at, gristmill_mapping::STREAM_RECORDS_LIMIT).await?;
            pages += 1;
            // An open shard has no end. Empty pages come in the midst of a shard
            // too, some in a row when it is quiet.
            empty = if page.records.is_empty() { empty + 1 } else { 0 };
            found.extend(page.records);
            iterator = page.next_iterator.filter(|_| !is_open || empty < MOST_EMPTY_PAGES);
            if found.len() > 2 * most {
                is_all = false;
                sort(&mut found);
                found.drain(..found.len() - most);
            }
        }
    }
    sort(&mut found);
    if found.len() > most {
        is_all = false;
        found.drain(..found.len() - most);
    }
    Ok(Youngest { records: found, is_all, is_cut: pages >= MOST_PAGES })
}

fn sort(records: &mut [String]) {
    #[derive(Deserialize)]
    struct Record {
        dynamodb: Stream,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Stream {
        sequence_number: String,
    }
    // Numbers without leading zeros: a longer one is larger.
    records.sort_by_cached_key(|record| {
        let number = serde_json::from_str::<Record>(record).map(|record| record.dynamodb.sequence_number);
        number.map_or((0, String::new()), |number| (number.len(), number))
    });
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
