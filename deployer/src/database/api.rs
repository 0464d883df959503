//! DynamoDB and DynamoDB Streams by their API, as far as gristmill uses them
//! itself: requests and refusals, and which streams a table has. Knows the
//! API's forms, and not who answers.

use std::future::Future;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::watch;

/// Who answers.
pub trait Api: Send + Sync + 'static {
    /// One request: `X-Amz-Target` and body in, status and body out.
    fn call(&self, target: &str, body: String) -> impl Future<Output = (u16, String)> + Send;

    /// Changes when something was written to a stream, or may have been.
    fn changes(&self) -> watch::Receiver<u64>;
}

/// An API's refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub(crate) struct Refusal {
    /// The exception's name, without its namespace.
    pub(crate) kind: String,
    /// What it says.
    pub(crate) message: String,
}

/// Makes a request and reads the answer.
///
/// # Errors
///
/// [`Refusal`], also for an answer of another form.
pub(crate) async fn call<T: DeserializeOwned>(api: &impl Api, target: &str, body: Value) -> Result<T, Refusal> {
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
pub(crate) enum TableStreams {
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
pub(crate) async fn streams_of(api: &impl Api, table: &str) -> Result<TableStreams, Refusal> {
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
    Ok(match is_on(api, table).await? {
        None => TableStreams::NoTable,
        Some(_) => TableStreams::NoStream,
    })
}

/// Whether a table's stream is on; none when there is no such table.
///
/// # Errors
///
/// [`Refusal`]
pub(crate) async fn is_on(api: &impl Api, table: &str) -> Result<Option<bool>, Refusal> {
    match call::<Value>(api, "DynamoDB_20120810.DescribeTable", json!({ "TableName": table })).await {
        Ok(answer) => Ok(Some(answer["Table"]["StreamSpecification"]["StreamEnabled"] == json!(true))),
        Err(refusal) if refusal.kind == "ResourceNotFoundException" => Ok(None),
        Err(refusal) => Err(refusal),
    }
}
