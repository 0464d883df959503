//! The document that Lambda leaves of a batch that it gave up on (AWS-FACTS, Golden
//! traces, the failure document). Pure.

use gristmill_host::event::Arn;
use gristmill_host::log::escape_json;
use serde::Deserialize;
use serde_json::{Value, json};

/// What is needed of it. More may come, and stays in what is shown.
#[derive(Clone, Debug)]
pub struct Document {
    read: Read,
    whole: Value,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    request_context: RequestContext,
    timestamp: Option<String>,
    #[serde(rename = "DDBStreamBatchInfo")]
    batch: Batch,
    /// Only in S3.
    payload: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    function_arn: String,
    condition: Option<String>,
    approximate_invoke_count: Option<u64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Batch {
    shard_id: String,
    start_sequence_number: String,
    end_sequence_number: String,
    batch_size: Option<u64>,
    stream_arn: String,
}

impl Document {
    /// Reads one.
    ///
    /// # Errors
    ///
    /// Why it is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let whole: Value = serde_json::from_slice(bytes).map_err(|error| format!("it is no JSON: {error}"))?;
        let read: Read =
            serde_json::from_value(whole.clone()).map_err(|error| format!("it is no document of Lambda's: {error}"))?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(&read.batch.start_sequence_number) || !digits(&read.batch.end_sequence_number) {
            return Err("it is no document of Lambda's: a sequence number has digits only".to_owned());
        }
        Ok(Self { read, whole })
    }

    /// The table whose stream it is of.
    pub fn table(&self) -> Option<&str> {
        Arn::parse(&self.read.batch.stream_arn).map(|arn| arn.table())
    }

    /// Whether the function by this name was called with it.
    pub fn is_of(&self, function: &str) -> bool {
        self.function() == Some(function)
    }

    /// The name of the function that was called with it.
    pub fn function(&self) -> Option<&str> {
        // arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]
        self.read.request_context.function_arn.split(':').nth(6)
    }

    /// What delivers it again, when it is in the document.
    pub fn payload(&self) -> Option<&str> {
        self.read.payload.as_deref()
    }

    /// Documents of one stream in this order were written in this order: numbers
    /// are compared without leading zeros, by length and then as text (R2). Numbers
    /// of a child shard are above those of its parent's.
    pub fn order(&self) -> (String, usize, String) {
        let number = self.read.batch.start_sequence_number.trim_start_matches('0');
        (self.read.batch.stream_arn.clone(), number.len(), number.to_owned())
    }

    /// One line.
    pub fn words(&self) -> String {
        let Batch { shard_id, start_sequence_number: start, end_sequence_number: end, batch_size, .. } =
            &self.read.batch;
        let context = &self.read.request_context;
        let records = batch_size.map_or_else(
            || "records".to_owned(),
            |size| if size == 1 { "1 record".to_owned() } else { format!("{size} records") },
        );
        format!(
            "{} {}, {records} of {} {shard_id} from {start} to {end}: {} after {} invokes",
            self.read.timestamp.as_deref().unwrap_or("-"),
            self.function().unwrap_or("-"),
            self.table().unwrap_or("-"),
            context.condition.as_deref().unwrap_or("given up on"),
            context.approximate_invoke_count.map_or_else(|| "?".to_owned(), |count| count.to_string()),
        )
    }

    /// For programs.
    pub fn summary(&self, bucket: &str, key: &str) -> Value {
        let batch = &self.read.batch;
        json!({
            "bucket": bucket,
            "key": key,
            "time": self.read.timestamp,
            "function": self.function(),
            "table": self.table(),
            "stream-arn": batch.stream_arn,
            "shard": batch.shard_id,
            "from": batch.start_sequence_number,
            "to": batch.end_sequence_number,
            "records": batch.batch_size,
            "condition": self.read.request_context.condition,
            "invokes": self.read.request_context.approximate_invoke_count,
            "has-payload": self.read.payload.is_some(),
        })
    }

    /// The whole document, with its payload as JSON where it is some.
    pub fn pretty(&self) -> String {
        let mut whole = self.whole.clone();
        if let Some(payload) = self.payload().and_then(|text| serde_json::from_str::<Value>(text).ok()) {
            whole["payload"] = payload;
        }
        // Line by line: its own ends of lines stay.
        let pretty = serde_json::to_string_pretty(&whole).unwrap_or_default();
        pretty.lines().map(|line| escape_json(line).into_owned() + "\n").collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(number: &str) -> Value {
        json!({
            "requestContext": {
                "requestId": "r",
                "functionArn": "arn:aws:lambda:eu-west-1:112233445566:function:demo-dev:live",
                "condition": "RetryAttemptsExhausted",
                "approximateInvokeCount": 11,
            },
            "version": "1.0",
            "timestamp": "2026-09-01T10:00:00.000Z",
            "DDBStreamBatchInfo": {
                "shardId": "shardId-1",
                "startSequenceNumber": number,
                "endSequenceNumber": number,
                "batchSize": 1,
                "streamArn": "arn:aws:dynamodb:eu-west-1:112233445566:table/orders/stream/2026-08-01T00:00:00.000",
            },
            "payload": "{\"Records\":[]}",
        })
    }

    fn parse(value: &Value) -> Result<Document, String> {
        Document::parse(value.to_string().as_bytes())
    }

    #[test]
    fn a_document_says_what_it_is_of() {
        let document = parse(&document("007")).unwrap();
        assert!(document.is_of("demo-dev") && !document.is_of("demo") && !document.is_of("live"));
        assert_eq!((document.table(), document.payload()), (Some("orders"), Some("{\"Records\":[]}")));
        assert_eq!(
            document.words(),
            "2026-09-01T10:00:00.000Z demo-dev, 1 record of orders shardId-1 from 007 to 007: RetryAttemptsExhausted after 11 invokes"
        );
        assert!(document.pretty().contains("\"Records\": []"));
    }

    #[test]
    fn r02_documents_stand_in_the_order_of_their_records() {
        let order = |number: &str| parse(&document(number)).unwrap().order();
        let mut numbers = ["100", "0099", "9", "1000000000000000000000000000000000000001"].map(order);
        numbers.sort();
        assert_eq!(
            numbers.map(|(_, _, number)| number),
            ["9", "99", "100", "1000000000000000000000000000000000000001"]
        );
    }

    #[test]
    fn what_is_no_document_is_told() {
        for (text, why) in [
            ("", "no JSON"),
            ("[]", "no document"),
            ("{}", "requestContext"),
            ("{\"requestContext\":1}", "no document"),
        ] {
            let error = Document::parse(text.as_bytes()).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        let mut hostile = document("1");
        hostile["DDBStreamBatchInfo"]["startSequenceNumber"] = json!("1e9");
        assert!(parse(&hostile).unwrap_err().contains("digits only"));
    }
}
