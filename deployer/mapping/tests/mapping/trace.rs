//! The trace as users read it: JSON lines.

use gristmill_mapping::testing::Rig;
use gristmill_mapping::{Parameters, SourceError};
use serde_json::Value;

use super::*;

#[test]
fn every_entry_is_a_line_of_json_with_its_time_and_decision() {
    let parameters = Parameters {
        bisect_batch_on_function_error: Some(true),
        maximum_retry_attempts: Some(1),
        filter_criteria: filter(r#"{"dynamodb":{"Keys":{"id":{"S":[{"anything-but":"no"}]}}}}"#),
        ..with_destination(BUCKET)
    };
    let mut rig = Rig::new(parameters, fail_with("2"));
    rig.stream.fail(SourceError::Throttled);
    for key in ["1", "no", "2", "3"] {
        rig.stream.put(key);
    }
    rig.advance(seconds(30));
    let lines: Vec<String> = rig.trace.entries().iter().map(|entry| entry.to_json_line()).collect();
    let mut decisions = Vec::new();
    for line in &lines {
        assert!(!line.contains('\n'));
        let entry: Value = serde_json::from_str(line).unwrap();
        assert!(entry["at_ms"].is_u64(), "{line}");
        decisions.push(entry["decision"].as_str().unwrap().to_owned());
    }
    let mut once = decisions.clone();
    once.dedup();
    assert_eq!(
        once,
        [
            "state",
            "source-failed",
            "shard-found",
            "state",
            "shard-started",
            "iterator",
            "checkpoint",
            "read",
            "filtered",
            "invoked",
            "answered",
            "bisected",
            "invoked",
            "answered",
            "checkpoint",
            "invoked",
            "answered",
            "bisected",
            "invoked",
            "answered",
            "waits",
            "invoked",
            "answered",
            "given-up",
            "sent",
            "checkpoint",
            "invoked",
            "answered",
            "checkpoint",
        ]
    );
    // An image, or the value of a key, is nowhere.
    assert!(lines.iter().all(|line| !line.contains("NewImage")));
}

#[test]
fn an_invoke_tells_what_was_sent_and_why() {
    let mut rig = Rig::new(gristmill_mapping::testing::parameters(), |_| gristmill_mapping::testing::succeed());
    let number = rig.stream.put("1");
    rig.advance(seconds(1));
    let entries = rig.trace.entries();
    let invoked = entries.iter().map(|entry| entry.to_json_line()).find(|line| line.contains("\"invoked\"")).unwrap();
    let call = &rig.target.calls()[0];
    let expected = format!(
        "{{\"at_ms\":{},\"decision\":\"invoked\",\"shard\":\"{}\",\"lane\":0,\"request_id\":\"{}\",\
         \"sequence_numbers\":[\"{number}\"],\"why\":\"new-batch\",\"invoke\":1,\"payload_bytes\":{}}}",
        call.at.ms(),
        rig.stream.shards()[0],
        call.request_id,
        call.payload.len(),
    );
    assert_eq!(invoked, expected);
}
