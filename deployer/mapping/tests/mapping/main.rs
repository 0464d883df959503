//! The mapping from a stream to a target, in virtual time, through the same
//! traits that everyone else has.
#![allow(clippy::unwrap_used, reason = "only functions that are tests themselves are excepted in clippy.toml")]

mod failures;
mod golden;
mod page;
mod parameters;
mod property;
mod real_time;
mod shards;
mod states;
mod trace;
mod windows;

use std::collections::HashMap;
use std::time::Duration;

use gristmill_mapping::testing::{Call, Rig, function_error, naming, succeed};
use gristmill_mapping::{Answer, Parameters};
use serde_json::Value;

const BUCKET: &str = "arn:aws:s3:::failures";
const QUEUE: &str = "arn:aws:sqs:us-east-1:111122223333:failures";

/// The parameters of the fixtures with a destination.
fn with_destination(arn: &str) -> Parameters {
    let json = serde_json::json!({"OnFailure": {"Destination": arn}});
    Parameters {
        destination_config: Some(serde_json::from_value(json).unwrap()),
        ..gristmill_mapping::testing::parameters()
    }
}

fn reporting() -> Option<Vec<String>> {
    Some(vec!["ReportBatchItemFailures".to_owned()])
}

fn filter(pattern: &str) -> Option<gristmill_mapping::configuration::FilterCriteria> {
    Some(serde_json::from_value(serde_json::json!({"Filters": [{"Pattern": pattern}]})).unwrap())
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Fails every batch in which a key is.
fn fail_with(key: &'static str) -> impl FnMut(&Call) -> Answer + Send + 'static {
    move |call| if call.keys.iter().any(|k| k == key) { function_error() } else { succeed() }
}

/// Names the record of a key, where there is one.
fn report(key: &'static str) -> impl FnMut(&Call) -> Answer + Send + 'static {
    move |call| match call.keys.iter().position(|k| k == key) {
        Some(index) => naming(&call.sequence_numbers[index]),
        None => succeed(),
    }
}

/// The calls in short: the keys of the records and a letter for the request id,
/// `1234 a`.
fn calls(rig: &Rig) -> Vec<String> {
    let mut letters: HashMap<String, char> = HashMap::new();
    let short = |call: &Call| {
        let next = char::from(b'a' + letters.len() as u8);
        format!("{} {}", call.keys.concat(), letters.entry(call.request_id.clone()).or_insert(next))
    };
    rig.target.calls().iter().map(short).collect()
}

/// Milliseconds of each call after the first.
fn times(rig: &Rig) -> Vec<u64> {
    let calls = rig.target.calls();
    calls.iter().map(|call| call.at.since(calls[0].at).as_millis() as u64).collect()
}

/// The documents at the destination, as JSON.
fn documents(rig: &Rig) -> Vec<Value> {
    let read = |body: &str| serde_json::from_str(body).unwrap();
    rig.destination.documents().iter().map(|document| read(&document.body)).collect()
}

/// The keys in all calls, in order, without what came again.
fn first_deliveries(rig: &Rig) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    let calls = rig.target.calls();
    let records = calls.iter().flat_map(|call| call.sequence_numbers.iter().zip(&call.keys));
    records.filter(|(number, _)| seen.insert((*number).clone())).map(|(_, key)| key.clone()).collect()
}
