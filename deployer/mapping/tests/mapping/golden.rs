//! The golden traces of AWS-FACTS: one shard, four records 1 2 3 4, the second
//! always fails.

use gristmill_mapping::testing::{Call, Rig, START, function_error, naming, succeed};
use gristmill_mapping::trace::Decision;
use gristmill_mapping::{Answer, Clock, Parameters, SourceError, Timestamp};
use serde_json::{Value, json};

use super::*;

/// What an invoke takes in the captured traces, about.
const INVOKE: Duration = Duration::from_millis(10);

fn run(parameters: Parameters, answer: impl FnMut(&Call) -> Answer + Send + 'static) -> Rig {
    let mut rig = Rig::new(parameters, answer);
    rig.target.takes(INVOKE);
    for key in ["1", "2", "3", "4"] {
        rig.stream.put(key);
    }
    rig.advance(seconds(20));
    rig
}

#[track_caller]
fn assert_between(value: u64, least: u64, most: u64) {
    assert!((least..=most).contains(&value), "{value} is not between {least} and {most}");
}

#[test]
fn function_error_with_two_retries() {
    let rig = run(Parameters { maximum_retry_attempts: Some(2), ..with_destination(BUCKET) }, fail_with("2"));
    assert_eq!(calls(&rig), ["1234 a", "1234 a", "1234 a"]);
    let times = times(&rig);
    // Captured: 0, +282, +674.
    assert_between(times[1], 200, 350);
    assert_between(times[2] - times[1], 350, 500);
    let [document] = documents(&rig).try_into().unwrap();
    assert_eq!(document["DDBStreamBatchInfo"]["batchSize"], 4);
    assert_eq!(document["requestContext"]["approximateInvokeCount"], 3);
    assert_eq!(document["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(document["responseContext"]["functionError"], "Unhandled");
    assert_eq!(rig.counts().exhausted, 4);
}

#[test]
fn function_error_with_bisect_and_one_retry() {
    let parameters = Parameters {
        maximum_retry_attempts: Some(1),
        bisect_batch_on_function_error: Some(true),
        ..with_destination(BUCKET)
    };
    let rig = run(parameters, fail_with("2"));
    // Captured: [1234]✗ [12]✗ [1]✓ [2]✗ [2]✗ destination [34]✓.
    assert_eq!(calls(&rig), ["1234 a", "12 b", "1 c", "2 d", "2 d", "34 e"]);
    let times = times(&rig);
    // Captured: 0, +52, +61, +107, +345, +358: only the retry waits.
    assert_between(times[3], 0, 110);
    assert_between(times[4] - times[3], 200, 350);
    assert_between(times[5] - times[4], 0, 50);
    let [document] = documents(&rig).try_into().unwrap();
    assert_eq!(document["DDBStreamBatchInfo"]["batchSize"], 1);
    assert_eq!(document["requestContext"]["approximateInvokeCount"], 2);
    assert_eq!(document["requestContext"]["requestId"], rig.target.calls()[3].request_id);
    // The left half runs to its end, destination included, before the right.
    let entries = rig.trace.entries();
    let sent = entries.iter().position(|entry| matches!(entry.decision, Decision::Sent { .. })).unwrap();
    let last = entries.iter().rposition(|entry| matches!(entry.decision, Decision::Invoked { .. })).unwrap();
    assert!(sent < last);
    assert_eq!((rig.counts().delivered, rig.counts().exhausted), (3, 1));
}

#[test]
fn a_reported_record_with_bisect_and_one_retry() {
    let parameters = Parameters {
        maximum_retry_attempts: Some(1),
        bisect_batch_on_function_error: Some(true),
        function_response_types: reporting(),
        ..with_destination(BUCKET)
    };
    let rig = run(parameters, report("2"));
    // Captured: [1234] 0 · [234] +45 · [2] +65 · [2] +273 · destination · [34].
    assert_eq!(calls(&rig), ["1234 a", "234 b", "2 c", "2 c", "34 d"]);
    let times = times(&rig);
    assert_between(times[2], 0, 65);
    assert_between(times[3] - times[2], 200, 350);
    assert_between(times[4] - times[3], 0, 50);
    let [document] = documents(&rig).try_into().unwrap();
    assert_eq!(document["responseContext"]["functionError"], Value::Null);
    assert_eq!((rig.counts().delivered, rig.counts().exhausted), (3, 1));
}

#[test]
fn an_empty_identifier_with_no_retry() {
    let parameters = Parameters {
        maximum_retry_attempts: Some(0),
        function_response_types: reporting(),
        ..with_destination(BUCKET)
    };
    let rig = run(parameters, |_| naming(""));
    assert_eq!(calls(&rig), ["1234 a"]);
    let [document] = documents(&rig).try_into().unwrap();
    assert_eq!(document["DDBStreamBatchInfo"]["batchSize"], 4);
}

#[test]
fn a_record_that_is_older_than_the_maximum_age() {
    let parameters = Parameters { maximum_record_age_in_seconds: Some(60), ..with_destination(BUCKET) };
    let mut rig = Rig::new(parameters, |_| succeed());
    rig.stream.put_at("old", "", Timestamp::from_ms(START.ms() - 61_000));
    let fresh = rig.stream.put_at("fresh", "", Timestamp::from_ms(START.ms() - 59_000));
    rig.advance(seconds(1));
    // No invoke for it; the fresh one of the same batch is delivered.
    assert_eq!(calls(&rig), ["fresh a"]);
    assert_eq!(rig.target.calls()[0].sequence_numbers, [fresh]);
    let [document] = documents(&rig).try_into().unwrap();
    assert_eq!(document["requestContext"]["condition"], "RecordAgeExceeded");
    assert_eq!(document["requestContext"]["approximateInvokeCount"], 0);
    assert!(document["requestContext"]["requestId"].is_string());
    assert!(document.get("responseContext").is_none());
    assert_eq!(document["DDBStreamBatchInfo"]["batchSize"], 1);
    assert_eq!((rig.counts().delivered, rig.counts().expired), (1, 1));
}

#[test]
fn the_permission_on_the_stream_is_denied_for_two_minutes() {
    let parameters = Parameters { maximum_retry_attempts: Some(0), ..with_destination(BUCKET) };
    let mut rig = Rig::new(parameters, |_| succeed());
    rig.advance(seconds(5));
    rig.stream.outage(Some(SourceError::AccessDenied("dynamodb:GetRecords".to_owned())));
    rig.stream.put("1");
    rig.advance(seconds(120));
    assert_eq!(calls(&rig), [""; 0]);
    assert_eq!(rig.handle().describe().state, "Enabled");
    rig.stream.outage(None);
    rig.advance(seconds(15));
    assert_eq!(calls(&rig), ["1 a"]);
    assert_eq!(rig.counts().delivered, 1);
    assert!(documents(&rig).is_empty());
    assert_eq!(rig.handle().describe().last_processing_result, "OK");
}

#[test]
fn a_tumbling_window_of_ten_seconds_in_batches_of_one() {
    let parameters = Parameters {
        batch_size: Some(1),
        tumbling_window_in_seconds: Some(10),
        ..gristmill_mapping::testing::parameters()
    };
    let mut rig = Rig::new(parameters, |call| {
        let event = call.event();
        let seen = event["state"]["seen"].as_u64().unwrap_or(0) + event["Records"].as_array().unwrap().len() as u64;
        Answer::Returned(json!({"state": {"seen": seen}}).to_string().into_bytes())
    });
    rig.advance(seconds(3));
    for key in ["1", "2", "3", "4"] {
        rig.stream.put(key);
    }
    // Nothing ends a window but a record of a later one.
    rig.advance(seconds(30));
    assert_eq!(rig.target.calls().len(), 4);
    rig.stream.put("5");
    rig.advance(seconds(1));

    let events: Vec<Value> = rig.target.calls().iter().map(Call::event).collect();
    let states: Vec<_> = events.iter().map(|event| event["state"].clone()).collect();
    let seen = |n: u64| json!({"seen": n});
    assert_eq!(states, [json!({}), seen(1), seen(2), seen(3), seen(4), json!({})]);
    let finals: Vec<_> = events.iter().map(|event| event["isFinalInvokeForWindow"].clone()).collect();
    assert_eq!(finals, [false, false, false, false, true, false]);
    assert_eq!(events[4]["Records"], json!([]));
    // Aligned to multiples of ten seconds.
    assert_eq!(events[0]["window"], json!({"start": "2026-09-14T00:00:00Z", "end": "2026-09-14T00:00:10Z"}));
    assert_eq!(events[4]["window"], events[0]["window"]);
    assert_eq!(events[5]["window"], json!({"start": "2026-09-14T00:00:30Z", "end": "2026-09-14T00:00:40Z"}));
    assert_eq!(events[0]["isWindowTerminatedEarly"], false);
    assert_eq!(events[0]["shardId"], rig.stream.shards()[0].as_str());
}

#[test]
fn with_no_retry_limit_and_a_minute_of_age_there_are_about_eight_tries() {
    let parameters = Parameters { maximum_record_age_in_seconds: Some(60), ..with_destination(QUEUE) };
    let mut rig = Rig::new(parameters, |_| function_error());
    rig.target.takes(INVOKE);
    rig.stream.put("1");
    rig.advance(seconds(200));
    let tries = rig.target.calls().len();
    assert!((7..=9).contains(&tries), "{tries} tries");
    let waits: Vec<u64> = times(&rig).windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits.is_sorted(), "{waits:?}");
    let [document] = documents(&rig).try_into().unwrap();
    assert_eq!(document["requestContext"]["condition"], "RecordAgeExceeded");
    assert_eq!(document["requestContext"]["approximateInvokeCount"], tries);
}

#[test]
fn progress_renews_the_allowance() {
    // Six records in batches of three, three retries, only the last reports
    // itself.
    let parameters = Parameters {
        batch_size: Some(3),
        maximum_retry_attempts: Some(3),
        function_response_types: reporting(),
        ..with_destination(QUEUE)
    };
    let mut rig = Rig::new(parameters, report("5"));
    for key in ["0", "1", "2", "3", "4", "5"] {
        rig.stream.put(key);
    }
    rig.advance(seconds(10));
    assert_eq!(calls(&rig), ["012 a", "345 b", "5 c", "5 c", "5 c", "5 c"]);
    let [document] = documents(&rig).try_into().unwrap();
    assert_eq!(document["DDBStreamBatchInfo"]["batchSize"], 1);
    assert_eq!(document["requestContext"]["approximateInvokeCount"], 4);
}

#[test]
fn batches_of_one_with_each_answer_that_was_captured() {
    for (answer, fails) in [
        (r#"{"batchItemFailures":[{"itemIdentifier":"unknown"}]}"#, true),
        (r#"{"batchItemFailures":[{"itemIdentifier":7}]}"#, true),
        (r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#, true),
        (r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#, true),
        ("null", false),
        ("{}", false),
        (r#"{"batchItemFailures":[]}"#, false),
        ("", false),
    ] {
        let parameters = Parameters {
            batch_size: Some(1),
            maximum_retry_attempts: Some(2),
            function_response_types: reporting(),
            ..with_destination(QUEUE)
        };
        let mut rig = Rig::new(parameters, move |_| Answer::Returned(answer.into()));
        rig.stream.put("1");
        rig.advance(seconds(10));
        let expected = if fails { (3, 1, 0) } else { (1, 0, 1) };
        let counts = rig.counts();
        assert_eq!((rig.target.calls().len(), documents(&rig).len(), counts.delivered), expected, "{answer}");
    }
}

#[test]
fn a_document_in_a_bucket_has_the_records_and_its_fields_in_order() {
    let rig = run(Parameters { maximum_retry_attempts: Some(0), ..with_destination(BUCKET) }, fail_with("2"));
    let document = &rig.destination.documents()[0];
    let call = &rig.target.calls()[0];
    let shard = &rig.stream.shards()[0];
    let at = call.at + INVOKE;
    let payload = serde_json::to_string(&call.payload).unwrap();
    let (first, last) = (&call.sequence_numbers[0], &call.sequence_numbers[3]);
    let expected = format!(
        "{{\"requestContext\":{{\"requestId\":\"{}\",\
         \"functionArn\":\"arn:aws:lambda:us-east-1:111122223333:function:handlers\",\
         \"condition\":\"RetryAttemptsExhausted\",\"approximateInvokeCount\":1}},\
         \"responseContext\":{{\"statusCode\":200,\"executedVersion\":\"$LATEST\",\"functionError\":\"Unhandled\"}},\
         \"version\":\"1.0\",\"timestamp\":\"{}\",\
         \"DDBStreamBatchInfo\":{{\"shardId\":\"{shard}\",\"startSequenceNumber\":\"{first}\",\
         \"endSequenceNumber\":\"{last}\",\"approximateArrivalOfFirstRecord\":\"2026-09-14T00:00:00Z\",\
         \"approximateArrivalOfLastRecord\":\"2026-09-14T00:00:00Z\",\"batchSize\":4,\
         \"streamArn\":\"{}\"}},\"payload\":{payload}}}",
        call.request_id,
        at.iso_ms(),
        gristmill_mapping::testing::STREAM_ARN,
    );
    assert_eq!(document.body, expected);
    let key = document.key.as_deref().unwrap();
    let (path, uuid) = key.split_at(key.len() - 36);
    let uuid_of_mapping = gristmill_mapping::testing::UUID;
    assert_eq!(path, format!("aws/lambda/{uuid_of_mapping}/{shard}/2026/09/14/2026-09-14T00.00.00-"));
    assert_eq!(uuid.matches('-').count(), 4);
    // The payload of the document is the event.
    assert_eq!(call.event()["Records"].as_array().unwrap().len(), 4);
    assert!(rig.clock.now() > call.at);
}

#[test]
fn a_document_in_a_queue_or_a_topic_has_no_records() {
    for arn in [QUEUE, "arn:aws:sns:us-east-1:111122223333:failures"] {
        let rig = run(Parameters { maximum_retry_attempts: Some(0), ..with_destination(arn) }, fail_with("2"));
        let document = &rig.destination.documents()[0];
        assert_eq!((document.to.arn(), &document.key), (arn, &None));
        let body: Value = serde_json::from_str(&document.body).unwrap();
        assert!(body.get("payload").is_none());
        assert_eq!(body["DDBStreamBatchInfo"]["batchSize"], 4);
    }
}
