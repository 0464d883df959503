//! `gristmill generate sample`.

use std::collections::BTreeSet;

use gristmill_host::event::Event;
use serde_json::Value;

use super::{Folder, Ran, fails};

const ORDERS: &str = "[project]\nname = \"demo\"\n[stream.orders]\ntable = \"orders\"\n";

fn sample(folder: &Folder, args: &[&str]) -> Ran {
    folder.run(&[&["generate", "sample"], args].concat())
}

fn records(folder: &Folder, args: &[&str]) -> Vec<Value> {
    let ran = sample(folder, args);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let event: Value = serde_json::from_str(&ran.stdout).unwrap();
    event["Records"].as_array().unwrap().clone()
}

#[test]
fn the_event_is_of_the_namespaced_table_and_the_host_takes_it() {
    let folder = Folder::with_manifest(ORDERS, &[]);
    let text = sample(&folder, &[]).stdout;
    let event = Event::from_slice(text.as_bytes()).unwrap();
    assert_eq!(event.records().len(), 4);
    let arn = "arn:aws:dynamodb:us-east-1:123456789012:table/demo-dev_orders/stream/2026-01-05T09:30:00.000";
    assert!(records(&folder, &[]).iter().all(|record| record["eventSourceARN"] == arn));
    let of_prod = records(&folder, &["--env", "prod"]);
    assert!(of_prod[0]["eventSourceARN"].as_str().unwrap().contains("table/demo-prod_orders/stream/"));
}

#[test]
fn a_record_has_the_keys_of_aws_in_their_order() {
    let folder = Folder::with_manifest(ORDERS, &[]);
    let text = sample(&folder, &[]).stdout;
    let lines: Vec<_> = text.lines().filter(|line| line.starts_with("{\"eventID\"")).collect();
    assert_eq!(lines.len(), 4);
    let ordered = |line: &str, keys: &[&str]| {
        let places: Vec<_> = keys.iter().map(|key| line.find(&format!("\"{key}\":")).unwrap()).collect();
        assert!(places.is_sorted(), "{line}");
    };
    for line in &lines {
        ordered(
            line,
            &["eventID", "eventName", "eventVersion", "eventSource", "awsRegion", "dynamodb", "eventSourceARN"],
        );
        ordered(line, &["ApproximateCreationDateTime", "Keys", "SequenceNumber", "SizeBytes", "StreamViewType"]);
    }
    ordered(lines[1], &["Keys", "NewImage", "OldImage", "SequenceNumber"]);
    ordered(lines[3], &["awsRegion", "userIdentity", "dynamodb"]);
    let removed_by_ttl: Value = serde_json::from_str(lines[3]).unwrap();
    let identity = serde_json::json!({ "type": "Service", "principalId": "dynamodb.amazonaws.com" });
    assert_eq!(removed_by_ttl["userIdentity"], identity);
}

#[test]
fn every_attribute_type_is_in_the_first_record() {
    fn types(value: &Value, found: &mut BTreeSet<String>) {
        for (name, value) in value.as_object().unwrap() {
            found.insert(name.clone());
            match name.as_str() {
                "M" => value.as_object().unwrap().values().for_each(|value| types(value, found)),
                "L" => value.as_array().unwrap().iter().for_each(|value| types(value, found)),
                _ => {}
            }
        }
    }
    let folder = Folder::with_manifest(ORDERS, &[]);
    let mut found = BTreeSet::new();
    let first = &records(&folder, &["-n", "1"])[0]["dynamodb"]["NewImage"];
    first.as_object().unwrap().values().for_each(|value| types(value, &mut found));
    let all = ["B", "BOOL", "BS", "L", "M", "N", "NS", "NULL", "S", "SS"].map(str::to_owned);
    assert_eq!(found, BTreeSet::from(all));
}

#[test]
fn the_same_arguments_give_the_same_bytes() {
    let folder = Folder::with_manifest(ORDERS, &[]);
    let of = |args: &[&str]| sample(&folder, args).stdout;
    assert_eq!(of(&["-n", "50"]), of(&["-n", "50"]));
    assert_eq!(of(&[]), of(&["--seed", "0"]));
    assert_ne!(of(&["--seed", "1"]), of(&["--seed", "2"]));
}

#[test]
fn none_and_the_largest_batch() {
    let folder = Folder::with_manifest(ORDERS, &[]);
    assert_eq!(sample(&folder, &["-n", "0"]).stdout, "{\"Records\":[]}\n");
    assert_eq!(records(&folder, &["-n", "10000"]).len(), 10_000);
    let more = sample(&folder, &["-n", "10001"]);
    assert_eq!(more.code, 2);
    assert!(more.stderr.starts_with("error: invalid value '10001' for '--records <N>': 10001 is not in 0..=10000"));
}

#[test]
fn an_arn_is_taken_as_it_is_and_gets_a_label_when_it_has_none() {
    let table = "arn:aws-us-gov:dynamodb:us-gov-west-1:112233445566:table/orders";
    let with = |arn: &str| {
        let text = format!("[project]\nname = \"demo\"\n[stream.orders]\nstream-arn = \"{arn}\"\n");
        records(&Folder::with_manifest(&text, &[]), &[])[0].clone()
    };
    let labelled = format!("{table}/stream/2019-02-15T23:01:06.871");
    assert_eq!(with(&labelled)["eventSourceARN"], labelled);
    assert_eq!(with(table)["eventSourceARN"], format!("{table}/stream/2026-01-05T09:30:00.000"));
    assert_eq!(with(table)["awsRegion"], "us-gov-west-1");
}

#[test]
fn which_stream_must_be_known() {
    let none = Folder::with_manifest("[project]\nname = \"demo\"\n", &[]);
    fails(
        &sample(&none, &[]),
        2,
        "gristmill.toml has no stream yet; `gristmill generate event NAME --trigger dynamodb --table TABLE` adds one",
    );
    let two = Folder::with_manifest(&format!("{ORDERS}[stream.people]\ntable = \"people\"\n"), &[]);
    fails(&sample(&two, &[]), 2, "gristmill.toml has the streams `orders` and `people`; choose by --stream");
    fails(
        &sample(&two, &["--stream", "order"]),
        2,
        "there is no `[stream.order]` in gristmill.toml; did you mean `orders`?",
    );
    assert_eq!(records(&two, &["--stream", "people"]).len(), 4);
    fails(
        &sample(&two, &["--env", "Prod"]),
        2,
        "--env `Prod` is not a name: 1 to 63 of a–z, 0–9 and `-`, the first a letter; for example `prod`",
    );
}
