//! What is done with a project that runs.

use std::fs;

use gristmill_tests::aws::{ACCOUNT, REGION};
use serde_json::{Value, json};

use super::{MANIFEST, Setting};

#[test]
fn pause_and_resume_and_a_deploy_between_them() {
    let setting = Setting::new(MANIFEST);
    setting.deploy();
    let paused = setting.succeed(&["pause"]);
    assert!(paused.contains("the mapping of the stream orders to demo-dev is Disabled"), "{paused}");
    let said = setting.fails(1, &["status"]);
    assert!(said.contains("> gristmill resume orders"), "{said}");
    setting.manifest(&MANIFEST.replace("table =", "batch-size = 7\ntable ="));
    setting.deploy();
    assert_eq!((&setting.mappings()[0]["State"], &setting.mappings()[0]["BatchSize"]), (&json!("Disabled"), &json!(7)));
    setting.succeed(&["resume", "orders"]);
    let status = setting.json(&["status", "--output", "json"]);
    assert_eq!(status["problems"], json!([]), "{status}");
    let wrong = setting.fails(2, &["pause", "order"]);
    assert!(wrong.contains("did you mean `orders`?"), "{wrong}");
}

/// Lambda's own document, with the records.
fn document(number: &str, payload: &str) -> Value {
    json!({
        "requestContext": {
            "requestId": "r", "functionArn": format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:demo-dev:live"),
            "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 11,
        },
        "responseContext": { "statusCode": 200, "executedVersion": "1", "functionError": "Unhandled" },
        "version": "1.0",
        "timestamp": "2026-09-01T10:00:00.000Z",
        "DDBStreamBatchInfo": {
            "shardId": "shardId-1", "startSequenceNumber": number, "endSequenceNumber": number,
            "approximateArrivalOfFirstRecord": "2026-09-01T09:00:00Z", "approximateArrivalOfLastRecord": "2026-09-01T09:00:00Z",
            "batchSize": 1, "streamArn": format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/demo-dev_orders/stream/2026-08-01T00:00:00.000"),
        },
        "payload": payload,
    })
}

#[test]
fn what_was_given_up_on_is_delivered_again_in_order() {
    let setting = Setting::new(MANIFEST);
    setting.deploy();
    assert_eq!(setting.succeed(&["failed", "list"]), "no batch was given up on\n");
    let stack = setting.aws.cli(&["cloudformation", "describe-stacks", "--stack-name", "demo-dev"]);
    let outputs = stack["Stacks"][0]["Outputs"].as_array().unwrap();
    let bucket = outputs.iter().find(|output| output["OutputKey"] == "FailureBucketName").unwrap();
    let bucket = bucket["OutputValue"].as_str().unwrap();
    let put = |number: &str, key: &str| {
        let path = setting.project.path().join("document.json");
        fs::write(&path, document(number, &format!("{{\"Records\":[{number}]}}")).to_string()).unwrap();
        let key = format!("aws/lambda/uuid/shardId-1/2026/09/01/{key}");
        setting.aws.cli(&["s3api", "put-object", "--bucket", bucket, "--key", &key, "--body", path.to_str().unwrap()]);
        key
    };
    // By their numbers, and not by their names.
    let (third, first, second) = (put("1000", "a"), put("99", "b"), put("100", "c"));
    let listed = setting.json(&["failed", "list", "--output", "json"]);
    let keys: Vec<_> =
        listed["batches"].as_array().unwrap().iter().map(|batch| batch["key"].as_str().unwrap()).collect();
    assert_eq!(keys, [&first, &second, &third]);
    let shown = setting.succeed(&["failed", "show", &second]);
    assert!(shown.contains("\"Records\": [\n"), "{shown}");
    let dry = setting.json(&["failed", "replay", "--dry-run", "--output", "json"]);
    assert_eq!(dry["would-replay"].as_array().unwrap().len(), 3);

    // The second fails: the first is done and gone, the third is not touched.
    let failure = r#"{"batchItemFailures":[{"itemIdentifier":"100"}]}"#;
    setting.aws.moto().answer(&[r#"{"batchItemFailures":[]}"#, failure]);
    let said = setting.fails(1, &["failed", "replay", "--yes"]);
    assert!(said.contains("1 of 3 done") && said.contains("the record 100 must come again"), "{said}");
    assert!(said.contains("later changes of these items may have run since"), "{said}");
    let left = setting.json(&["failed", "list", "--output", "json"]);
    assert_eq!(left["batches"].as_array().unwrap().len(), 2);
    // What is no answer is no success.
    setting.aws.moto().answer(&["happy"]);
    setting.fails(1, &["failed", "replay", "--yes"]);
    setting.aws.moto().answer(&[r#"{"batchItemFailures":[]}"#, r#"{"batchItemFailures":[]}"#]);
    setting.succeed(&["failed", "replay", "--yes"]);
    assert_eq!(setting.succeed(&["failed", "list"]), "no batch was given up on\n");
    // Data goes only when it is asked for.
    put("5", "d");
    let deleted = setting.succeed(&["delete", "--yes", "--data"]);
    assert!(deleted.contains("the bucket with 1 documents"), "{deleted}");
    assert!(!setting.aws.cli(&["s3api", "list-buckets"]).to_string().contains(bucket));
}

#[test]
fn logs_and_invoke_speak_of_what_was_deployed() {
    let setting = Setting::new(MANIFEST);
    setting.deploy();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let group = ["--log-group-name", "/aws/lambda/demo-dev"];
    let stream = ["--log-stream-name", "s"];
    setting.aws.cli(&[&["logs", "create-log-stream"], &group[..], &stream[..]].concat());
    let line = |handler: &str, message: &str| {
        json!({ "timestamp": "t", "level": "INFO", "requestId": "r", "message": message, "handler": handler })
            .to_string()
    };
    let events = json!([
        { "timestamp": now, "message": line("a", "filed") },
        { "timestamp": now, "message": line("b", "other") },
        { "timestamp": now, "message": "plain" },
    ]);
    setting
        .aws
        .cli(&[&["logs", "put-log-events"], &group[..], &stream[..], &["--log-events", &events.to_string()]].concat());
    let all = setting.succeed(&["logs", "--remote"]);
    assert_eq!(all.lines().count(), 3, "{all}");
    let own = setting.succeed(&["logs", "--remote", "-n", "a", "--since", "5m"]);
    assert!(own.trim_end().ends_with("INFO  a filed") && own.lines().count() == 1, "{own}");
    let filtered = setting.succeed(&["logs", "--remote", "--filter", "-filed -other", "--output", "json"]);
    assert!(filtered.contains("\"line\":\"plain\"") && filtered.lines().count() == 1, "{filtered}");

    setting.aws.moto().answer(&[r#"{"batchItemFailures":[{"itemIdentifier":"1"}]}"#, r#"{"batchItemFailures":[]}"#]);
    setting.project.write("event.json", br#"{"Records":[]}"#);
    let failed = setting.fails(1, &["invoke", "--remote", "--event", "event.json"]);
    assert!(failed.contains(r#"answered {"batchItemFailures":[{"itemIdentifier":"1"}]}"#), "{failed}");
    let done = setting.json(&["invoke", "--remote", "--event", "event.json", "--output", "json"]);
    assert_eq!(done["answer"], json!({ "batchItemFailures": [] }));
}
