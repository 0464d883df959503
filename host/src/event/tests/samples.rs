//! The DynamoDB samples of the crate aws_lambda_events, read by us and by it.

use std::path::PathBuf;
use std::process::Command;

use aws_lambda_events::event::dynamodb as aws;

use super::*;

/// The samples are in the crate's source, which cargo has on this machine when
/// it could build this test.
fn samples() -> Vec<(String, String)> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    // What other platforms need was never downloaded.
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--offline", "--filter-platform", &platform, "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let package = metadata["packages"].as_array().unwrap().iter().find(|p| p["name"] == "aws_lambda_events").unwrap();
    let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
    let mut samples: Vec<(String, String)> = std::fs::read_dir(manifest.with_file_name("src").join("fixtures"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("example-dynamodb-"))
        .map(|entry| {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            (entry.file_name().to_string_lossy().into_owned(), text)
        })
        .collect();
    samples.sort();
    samples
}

/// Equal in all but one: an image that is absent (or null) and one that is
/// empty are the same to `aws_lambda_events`. To us they are two things
/// (docs/design.md, The contract), so an empty image of theirs says nothing about ours
/// but that it has no attributes.
fn assert_image(ours: Option<&str>, theirs: &Value, sample: &Value) {
    let ours: Option<Value> = ours.map(|json| serde_json::from_str(json).unwrap());
    assert_eq!(ours.as_ref().unwrap_or(&Value::Null), sample, "against the text itself");
    match theirs.as_object().unwrap().is_empty() {
        true => assert!(ours.is_none_or(|image| image == json!({}))),
        false => assert_eq!(ours.as_ref(), Some(theirs)),
    }
}

fn assert_same(ours: Record<'_>, theirs: &aws::EventRecord, sample: &Value) {
    assert_eq!(ours.event_id(), Some(theirs.event_id.as_str()));
    assert_eq!(Some(ours.stream_arn()), theirs.event_source_arn.as_deref());
    assert_eq!(ours.region(), theirs.aws_region.as_str());
    assert_eq!(Some(ours.sequence_number().as_str()), theirs.change.sequence_number.as_deref());
    let json = |item: &_| serde_json::to_value(item).unwrap();
    assert_image(ours.keys(), &json(&theirs.change.keys), &sample["dynamodb"]["Keys"]);
    assert_image(ours.new_image(), &json(&theirs.change.new_image), &sample["dynamodb"]["NewImage"]);
    assert_image(ours.old_image(), &json(&theirs.change.old_image), &sample["dynamodb"]["OldImage"]);
    assert_eq!(&serde_json::from_str::<Value>(ours.json()).unwrap(), sample);
    if theirs.change.keys.is_empty() {
        assert_eq!(ours.malformed(), Some("dynamodb.Keys: missing"));
        return;
    }
    assert_eq!(ours.malformed(), None);
    assert_eq!(ours.name().unwrap().as_str(), theirs.event_name);
    assert_eq!(ours.size_bytes(), u64::try_from(theirs.change.size_bytes).ok());
    let created_at = theirs.change.approximate_creation_date_time.timestamp_millis();
    assert_eq!(ours.created_at_ms(), u64::try_from(created_at).ok());
    let identity = theirs.user_identity.as_ref();
    assert_eq!(ours.identity().as_ref().map(|own| own.kind.as_str()), identity.map(|other| other.type_.as_str()));
    assert_eq!(
        ours.identity().as_ref().map(|own| own.principal_id.as_str()),
        identity.map(|other| other.principal_id.as_str())
    );
}

#[test]
fn every_sample_of_aws_lambda_events_reads_as_it_does_there() {
    let mut seen = Vec::new();
    for (name, text) in samples() {
        let sample: Value = serde_json::from_str(&text).unwrap();
        if sample.get("Records").is_some() {
            let theirs: aws::Event = serde_json::from_str(&text).unwrap();
            let ours = read(&text);
            assert_eq!(ours.len(), theirs.records.len());
            assert!(!ours.is_empty(), "{name}");
            for record in ours.records() {
                assert_same(record, &theirs.records[record.index()], &sample["Records"][record.index()]);
            }
        } else {
            // One record, as Kinesis Data Streams carries it: it has neither
            // sequence number nor stream, and is nothing that Lambda sends.
            let _: aws::EventRecord = serde_json::from_str(&text).unwrap();
            assert_eq!(error(&text), "not a DynamoDB stream event: Records: missing");
            assert_eq!(
                error(format!("{{\"Records\":[{text}]}}")),
                "not a DynamoDB stream event: Records[0].dynamodb.SequenceNumber: missing"
            );
        }
        seen.push(name);
    }
    assert_eq!(
        seen,
        [
            "example-dynamodb-event-null-items.json",
            "example-dynamodb-event-record-with-optional-fields.json",
            "example-dynamodb-event.json"
        ]
    );
}
