//! A handler that is changed while records flow.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gristmill_tests::Project;
use gristmill_tests::dev::{Dev, try_ask};
use serde_json::{Value, json};

use crate::cases::COMMAND;

const MANIFEST: &str = r#"
[project]
name = "demo"
namespace = false

[stream.orders]
table = "orders"
parallelization-factor = 4

[handler.clerk-file]
source = "handlers/clerk-file"
stream = "orders"
"#;

/// Says its version at the beginning and at the end of each record. Version 1
/// fails at what is poison for it.
const SOURCE: &str = r#"
use gristmill_sdk::{AttributeValue, Failure, StreamRecord};

gristmill_sdk::handler!(file);

const VERSION: u32 = @VERSION@;

fn file(record: &StreamRecord) -> Result<(), Failure> {
    let image = record.new_image()?.unwrap_or_default();
    let text = |name: &str| match image.get(name) {
        Some(AttributeValue::S(text)) => text.clone(),
        _ => String::new(),
    };
    println!("version {VERSION} begins {} {}", text("id"), text("change"));
    if VERSION == 1 && text("change") == "poison" {
        return Err(Failure::retry("version 1 cannot"));
    }
    // So that a swap finds an invocation that is under way.
    std::thread::sleep(std::time::Duration::from_millis(3));
    println!("version {VERSION} ends {} {}", text("id"), text("change"));
    Ok(())
}
"#;

const FILE: &str = "handlers/clerk-file/src/lib.rs";
const ITEMS: usize = 7;

#[test]
fn a_handler_is_changed_while_records_flow() {
    let project = Project::empty(COMMAND);
    for arguments in [
        &["new", ".", "--name", "demo"][..],
        &["g", "event", "clerk", "--trigger", "dynamodb", "--table", "orders", "--method", "file"],
    ] {
        let ran = project.run(arguments);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    project.write("gristmill.toml", MANIFEST.as_bytes());
    let version = |version: &str| project.write(FILE, SOURCE.replace("@VERSION@", version).as_bytes());
    version("1");
    let mut dev = Dev::start(&project, &["--create-tables"]);
    dev.ready();

    let stop = Arc::new(AtomicBool::new(false));
    let writer = std::thread::spawn({
        let (endpoint, stop) = (dev.endpoint.clone(), Arc::clone(&stop));
        move || {
            let mut changes = 0;
            while !stop.load(Ordering::Relaxed) {
                put(&endpoint, changes % ITEMS, &changes.to_string());
                changes += 1;
                std::thread::sleep(Duration::from_millis(10));
            }
            changes
        }
    });
    dev.records("done", 20);
    put(&dev.endpoint, ITEMS, "poison");
    dev.records("retry", 2);

    // A build that breaks leaves version 1 running, and says what cargo said.
    version("no number");
    let refused = dev.wait_for("the refusal", |event| event["type"] == "refused");
    assert!(refused["error"].as_str().unwrap().contains("cargo failed in"), "{refused}");
    dev.records("done", 20);
    assert!(!says(&dev.told, "version 2"));

    version("2");
    dev.wait_for("the swap", |event| event["type"] == "swapped");
    let cured = dev.wait_for("the poison's cure", |event| event["message"] == "version 2 ends 7 poison");
    dev.records("done", 20);
    stop.store(true, Ordering::Relaxed);
    let changes = writer.join().unwrap();
    put(&dev.endpoint, ITEMS, "last");
    dev.wait_for("the last record", |event| event["message"] == "version 2 ends 7 last");
    for item in 0..ITEMS {
        // Of each lane: the last record of another may be done before.
        put(&dev.endpoint, item, "last");
        dev.wait_for("an item's last record", |event| {
            event["message"] == format!("version 2 ends {item} last").as_str()
        });
    }
    dev.wait_for("its answer", |event| event["type"] == "answer");
    let told = std::mem::take(&mut dev.told);
    assert!(dev.interrupt().success());

    // The poison was tried at once, and not when its next retry was due.
    let hurried =
        told.iter().find(|event| event["entry"]["decision"] == "retry-now").expect("it waits when it is cured");
    assert_eq!(hurried["entry"]["request_id"], cured["requestId"], "the same batch, the same request id");
    assert_no_mix(&told);
    assert_all_are_done(&told, changes);
}

/// From the first line of a request to its answer there is one version.
fn assert_no_mix(told: &[Value]) {
    let mut open: BTreeMap<&str, BTreeSet<char>> = BTreeMap::new();
    let mut invocations: BTreeMap<char, u32> = BTreeMap::new();
    for event in told {
        let Some(request) = event["requestId"].as_str() else { continue };
        match (event["type"].as_str(), event["message"].as_str()) {
            (Some("line"), Some(message)) => {
                let version = message.strip_prefix("version ").unwrap().chars().next().unwrap();
                open.entry(request).or_default().insert(version);
            }
            (Some("answer"), _) => {
                // On a busy machine a call may be cut before the handler says anything: then it failed, and
                // mixes nothing.
                let Some(versions) = open.remove(request) else {
                    assert!(has_failed(event), "it says something: {event}");
                    continue;
                };
                assert_eq!(versions.len(), 1, "request {request}");
                *invocations.entry(*versions.first().unwrap()).or_default() += 1;
            }
            _ => {}
        }
    }
    assert!(open.is_empty() && invocations.len() == 2, "{invocations:?}, open: {open:?}");
}

/// Whether an answer names a record that must come again, or the function failed.
fn has_failed(answer: &Value) -> bool {
    let names_one = answer["answer"].as_str().is_some_and(|text| text.contains("itemIdentifier"));
    names_one || answer["error"].is_string()
}

/// Every change was handled to its end, those of an item in their order.
fn assert_all_are_done(told: &[Value], changes: usize) {
    let mut ended: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for event in told {
        let Some((_, what)) = event["message"].as_str().and_then(|message| message.split_once(" ends ")) else {
            continue;
        };
        let (item, change) = what.split_once(' ').unwrap();
        if let Ok(change) = change.parse() {
            ended.entry(item.parse().unwrap()).or_default().push(change);
        }
    }
    for item in 0..ITEMS {
        let written: Vec<usize> = (item..changes).step_by(ITEMS).collect();
        // Nothing but the poison ever failed, so nothing came twice but with it:
        // and it is alone in its item.
        let mut firsts: Vec<usize> = Vec::new();
        for change in &ended[&item] {
            if !firsts.contains(change) {
                firsts.push(*change);
            }
        }
        assert_eq!(firsts, written, "item {item}");
    }
}

fn says(told: &[Value], words: &str) -> bool {
    told.iter().any(|event| event["message"].as_str().is_some_and(|message| message.starts_with(words)))
}

fn put(endpoint: &str, item: usize, change: &str) {
    let item = json!({ "id": { "S": item.to_string() }, "change": { "S": change } });
    let put = json!({ "TableName": "orders", "Item": item });
    let (status, answer) = try_ask(endpoint, "DynamoDB_20120810.PutItem", &put).unwrap();
    assert_eq!(status, 200, "{answer}");
}
