//! `gristmill dev`: a database, a mapping and the handlers on this machine.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use gristmill_tests::clients::python;
use gristmill_tests::dev::{Dev, try_ask};
use gristmill_tests::project::ONE_HANDLER;
use gristmill_tests::{Project, guests, root};
use serde_json::{Value, json};

use crate::cases::COMMAND;

fn project(more_of_the_stream: &str) -> Project {
    Project::new(
        COMMAND,
        &ONE_HANDLER.replace("table = \"orders\"", &format!("table = \"orders\"\n{more_of_the_stream}")),
    )
}

/// Dev mode with the table there and being read.
fn start(project: &Project) -> Dev {
    let mut dev = Dev::start(project, &["--create-tables"]);
    dev.ready();
    dev
}

fn numbers(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["sequenceNumber"].as_str().unwrap()).collect()
}

#[test]
fn each_change_reaches_the_handler_and_what_changes_nothing_does_not() {
    let project = project("");
    let mut dev = start(&project);
    dev.put("orders", "1", "ok");
    dev.put("orders", "1", "ok");
    dev.put("orders", "1", "print changed");
    dev.call("DeleteItem", &json!({ "TableName": "orders", "Key": { "id": { "S": "1" } } }));
    let records = dev.records("done", 3);
    let names: Vec<_> = records.iter().map(|event| event["eventName"].as_str().unwrap()).collect();
    assert_eq!(names, ["INSERT", "MODIFY", "REMOVE"]);
    let printed = dev.told.iter().find(|event| event["type"] == "line").unwrap();
    assert_eq!((&printed["message"], &printed["source"]), (&json!("changed"), &json!("stdout")));
    assert!(dev.interrupt().success());
}

#[test]
fn a_table_that_comes_later_is_read_from_its_first_record() {
    let project = project("");
    let mut dev = Dev::start(&project, &[]);
    let event = dev.wait_for("the missing table", |event| event["type"] == "stream");
    assert_eq!((&event["state"], &event["table"]), (&json!("no-table"), &json!("orders")));
    dev.create_table("orders");
    dev.put("orders", "1", "ok");
    assert_eq!(dev.records("done", 1)[0]["eventName"], "INSERT");
}

/// Without a word on the command line, with its own keys, and told.
#[test]
fn a_table_of_the_manifest_is_made_with_its_keys() {
    let table = "[table.orders]\npartition-key = { name = \"order\", type = \"N\" }\nsort-key = \"line\"\n\
                 stream-view-type = \"NEW_IMAGE\"\ntime-to-live = \"ends\"\n";
    let project = Project::new(COMMAND, &format!("{ONE_HANDLER}{table}"));
    let mut dev = Dev::start(&project, &[]);
    let made = dev.wait_for("the table", |event| event["type"] == "note");
    assert_eq!(made["message"], "made the table orders, with the keys `order` (N) and `line` (S) and its stream");
    let described = dev.call("DescribeTable", &json!({ "TableName": "orders" }));
    assert_eq!(described["Table"]["StreamSpecification"]["StreamViewType"], "NEW_IMAGE");
    let ttl = dev.call("DescribeTimeToLive", &json!({ "TableName": "orders" }));
    assert_eq!(ttl["TimeToLiveDescription"]["AttributeName"], "ends");
    dev.call("PutItem", &json!({ "TableName": "orders", "Item": { "order": { "N": "1" }, "line": { "S": "a" } } }));
    dev.records("done", 1);
    assert!(dev.interrupt().success());

    // It stays as it is, whatever the manifest says later; and that is told once.
    project.write("gristmill.toml", format!("{ONE_HANDLER}[table.orders]\n").as_bytes());
    let mut dev = Dev::start(&project, &["--create-tables"]);
    let stays = dev.wait_for("what is different", |event| event["type"] == "note");
    assert_eq!(stays["message"], "the table orders has other keys than the key `id` (S); it stays as it is");
    dev.ready();
    assert_eq!(dev.told.iter().filter(|event| event["type"] == "note").count(), 1, "{:#?}", dev.told);
    assert_eq!(dev.call("Scan", &json!({ "TableName": "orders" }))["Count"], 1);
}

/// What is written before there is anything to run waits for it.
#[test]
fn records_wait_for_the_first_build() {
    let project = project("");
    project.write("scripted.wasm", b"no component");
    let mut dev = Dev::start(&project, &["--create-tables"]);
    dev.wait_for("the refusal", |event| event["type"] == "refused");
    dev.put("orders", "1", "ok");
    dev.wait_for("the batch", |event| event["entry"]["decision"] == "invoked");
    project.write("scripted.wasm", &fs::read(guests().join("scripted.wasm")).unwrap());
    dev.records("done", 1);
    // And dev mode ends while they wait.
    let waiting = self::project("");
    waiting.write("scripted.wasm", b"no component");
    let mut dev = Dev::start(&waiting, &["--create-tables"]);
    dev.wait_for("the refusal", |event| event["type"] == "refused");
    dev.put("orders", "1", "ok");
    dev.wait_for("the batch", |event| event["entry"]["decision"] == "invoked");
    assert!(dev.interrupt().success());
}

#[test]
fn positions_and_data_outlive_it() {
    let project = project("");
    let mut dev = start(&project);
    dev.put("orders", "1", "ok");
    dev.put("orders", "2", "ok");
    let first = dev.records("done", 2);
    // The position is written once the batch is done.
    dev.wait_for("the checkpoint", |event| event["entry"]["decision"] == "checkpoint");
    assert!(dev.interrupt().success());

    let mut dev = Dev::start(&project, &[]);
    dev.ready();
    dev.put("orders", "2", "print again");
    let second = dev.records("done", 1);
    assert_eq!(second[0]["eventName"], "MODIFY", "the item was there");
    assert!(!numbers(&first).contains(&numbers(&second)[0]), "{first:?} {second:?}");
    let item = dev.call("GetItem", &json!({ "TableName": "orders", "Key": { "id": { "S": "1" } } }));
    assert_eq!(item["Item"]["do"]["S"], "ok");
    assert!(dev.interrupt().success());

    // --reset removes both.
    let mut dev = Dev::start(&project, &["--reset", "--create-tables"]);
    dev.ready();
    let scanned = dev.call("Scan", &json!({ "TableName": "orders" }));
    assert_eq!(scanned["Count"], 0);
}

#[test]
fn in_memory_leaves_nothing() {
    let project = project("");
    let mut dev = Dev::start(&project, &["--in-memory", "--create-tables"]);
    dev.ready();
    dev.put("orders", "1", "ok");
    dev.records("done", 1);
    assert!(dev.interrupt().success());
    assert!(!project.path().join(".gristmill/dev").exists());
}

/// The failing record is tried again, split off, and given up with its payload;
/// the others are done once, and later changes of its item after it.
#[test]
fn a_record_that_fails_is_retried_split_off_and_kept() {
    let project = project("maximum-retry-attempts = 1\nmaximum-batching-window-in-seconds = 1");
    let mut dev = start(&project);
    for (id, script) in [("1", "ok"), ("2", "reject poison"), ("3", "ok")] {
        dev.put("orders", id, script);
    }
    let given_up = dev.wait_for("the end of patience", |event| event["entry"]["decision"] == "given-up");
    assert_eq!(given_up["entry"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(given_up["entry"]["sequence_numbers"].as_array().unwrap().len(), 1);
    let document = dev.wait_for("the document", |event| event["type"] == "failure-document");
    let document: Value = serde_json::from_slice(&fs::read(document["path"].as_str().unwrap()).unwrap()).unwrap();
    assert_eq!(document["requestContext"]["condition"], "RetryAttemptsExhausted");
    let payload: Value = serde_json::from_str(document["payload"].as_str().unwrap()).unwrap();
    assert_eq!(payload["Records"][0]["dynamodb"]["Keys"]["id"]["S"], "2");
    // A later change of the same item, which heals it.
    dev.put("orders", "2", "ok");
    dev.wait_for("the item's next change", |event| {
        event["type"] == "record" && event["outcome"] == "done" && event["eventName"] == "MODIFY"
    });
    assert!(dev.interrupt().success());
    let logs = project.run(&["logs", "--filter", "rejected"]);
    assert_eq!(logs.code, 0, "{}", logs.stderr);
    assert!(logs.stdout.contains("rejected: poison"), "{}", logs.stdout);
}

/// A new version takes its place between two batches, and a record that failed
/// under the old one is tried again with it.
#[test]
fn a_handler_is_swapped_while_the_position_stays() {
    let project = project("");
    project.write("scripted.wasm", &fs::read(guests().join("start_trap.wasm")).unwrap());
    let mut dev = start(&project);
    dev.put("orders", "1", "ok");
    let failed = dev.records("trapped", 1);
    // A broken build changes nothing.
    project.write("scripted.wasm", b"\0asm\x0d\0\x01\0garbage");
    let refused = dev.wait_for("the refusal", |event| event["type"] == "refused");
    assert!(refused["error"].as_str().unwrap().contains("scripted.wasm"), "{refused}");
    project.write("scripted.wasm", &fs::read(guests().join("scripted.wasm")).unwrap());
    // Its retry may be due just before the swap is told.
    let done = dev.records("done", 1);
    assert_eq!(numbers(&failed), numbers(&done));
    if !dev.told.iter().skip_while(|event| event["type"] != "refused").any(|event| event["type"] == "swapped") {
        dev.wait_for("the swap", |event| event["type"] == "swapped");
    }
    assert!(dev.interrupt().success());
}

#[test]
fn the_manifest_may_change_while_it_runs() {
    let project = project("");
    let mut dev = start(&project);
    let filtered =
        ONE_HANDLER.replace("stream = \"orders\"", "stream = \"orders\"\nfilter = [{ eventName = [\"REMOVE\"] }]");
    project.write("gristmill.toml", filtered.as_bytes());
    dev.wait_for("the new manifest", |event| event["type"] == "swapped");
    dev.put("orders", "1", "ok");
    dev.call("DeleteItem", &json!({ "TableName": "orders", "Key": { "id": { "S": "1" } } }));
    assert_eq!(dev.records("done", 1)[0]["eventName"], "REMOVE");
    // The mapping has the filter too: what no handler wants is not delivered.
    assert!(dev.told.iter().any(|event| event["entry"]["decision"] == "filtered"), "{:#?}", dev.told);
    project.write("gristmill.toml", b"[project");
    let refused = dev.wait_for("the refusal", |event| event["type"] == "refused");
    assert!(refused["what"].as_str().unwrap().contains("gristmill.toml is not taken"), "{refused}");
    dev.put("orders", "2", "ok");
    dev.call("DeleteItem", &json!({ "TableName": "orders", "Key": { "id": { "S": "2" } } }));
    assert_eq!(dev.records("done", 1)[0]["eventName"], "REMOVE", "what ran before goes on");
}

/// The mappings filter for the handlers that run, and not for those that do not
/// build.
#[test]
fn a_manifest_whose_handlers_do_not_build_changes_no_filter() {
    let project = project("");
    let mut dev = start(&project);
    let filtered =
        ONE_HANDLER.replace("stream = \"orders\"", "stream = \"orders\"\nfilter = [{ eventName = [\"REMOVE\"] }]");
    project.write("scripted.wasm", b"no component");
    project.write("gristmill.toml", filtered.as_bytes());
    dev.wait_for("the refusal", |event| event["type"] == "refused");
    dev.put("orders", "1", "ok");
    assert_eq!(dev.records("done", 1)[0]["eventName"], "INSERT");
}

#[test]
fn a_link_in_the_folder_of_the_data_is_refused() {
    let project = project("");
    let outside = tempfile::tempdir().unwrap();
    let folder = project.path().join(".gristmill/dev");
    fs::create_dir_all(&folder).unwrap();
    for (name, target) in [("log.jsonl", outside.path().join("file")), ("positions", outside.path().to_owned())] {
        let link = folder.join(name);
        std::os::unix::fs::symlink(target, &link).unwrap();
        let ran = project.run(&["dev", "--port", "0", "--reset"]);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("{name} is a symlink")), "{}", ran.stderr);
        fs::remove_file(link).unwrap();
    }
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn a_stream_that_is_switched_off_and_on_is_read_on() {
    let project = project("");
    let mut dev = start(&project);
    dev.put("orders", "1", "ok");
    let off = json!({ "TableName": "orders", "StreamSpecification": { "StreamEnabled": false } });
    dev.call("UpdateTable", &off);
    dev.put("orders", "2", "ok");
    let on = json!({ "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" });
    dev.call("UpdateTable", &json!({ "TableName": "orders", "StreamSpecification": on }));
    dev.put("orders", "3", "ok");
    let mut keys = dev.records("done", 2);
    assert_eq!(keys.len(), 2);
    let drained = dev.told.iter().any(|event| event["state"] == "drained");
    assert!(drained, "{:#?}", dev.told);
    // What was written while it was off is in no stream.
    dev.put("orders", "4", "ok");
    keys.extend(dev.records("done", 1));
    let log = project.run(&["logs", "--output", "json"]);
    assert_eq!(log.stdout.matches("\"type\":\"record\"").count(), 3, "{}", log.stdout);
}

#[test]
fn a_table_without_a_stream_is_told_and_read_once_it_has_one() {
    let project = project("");
    let mut dev = Dev::start(&project, &[]);
    let create = json!({
        "TableName": "orders",
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "BillingMode": "PAY_PER_REQUEST",
    });
    dev.call("CreateTable", &create);
    let told = dev.wait_for("the missing stream", |event| event["state"] == "no-stream");
    assert!(told["detail"].as_str().unwrap().contains("update-table --table-name orders"), "{told}");
    dev.put("orders", "before", "ok");
    let on = json!({ "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" });
    dev.call("UpdateTable", &json!({ "TableName": "orders", "StreamSpecification": on }));
    dev.put("orders", "after", "print after");
    dev.wait_for("the record", |event| event["message"] == "after");
    dev.records("done", 1);
}

/// Its streams are there for a day more: that the table is gone is told all the
/// same, and one that is made in its place is read.
#[test]
fn a_table_that_is_deleted_is_told_and_read_when_it_is_made_again() {
    let project = project("");
    let mut dev = start(&project);
    dev.put("orders", "1", "ok");
    dev.records("done", 1);
    dev.call("DeleteTable", &json!({ "TableName": "orders" }));
    dev.wait_for("the missing table", |event| event["state"] == "no-table");
    dev.create_table("orders");
    dev.put("orders", "2", "print again");
    dev.wait_for("the record", |event| event["message"] == "again");
    dev.records("done", 1);
}

/// LATEST means from now on, also for a table that has had a stream before the one
/// that it has.
#[test]
fn latest_begins_at_the_newest_stream_of_a_table() {
    let without = ONE_HANDLER.split("[stream.orders]").next().unwrap();
    let project = Project::new(COMMAND, without);
    let dev = Dev::start(&project, &[]);
    dev.create_table("orders");
    dev.put("orders", "1", "print old");
    let stream = |enabled: bool| {
        let mut specification = json!({ "StreamEnabled": enabled });
        if enabled {
            specification["StreamViewType"] = json!("NEW_AND_OLD_IMAGES");
        }
        dev.call("UpdateTable", &json!({ "TableName": "orders", "StreamSpecification": specification }));
    };
    stream(false);
    stream(true);
    dev.put("orders", "2", "print before");
    assert!(dev.interrupt().success());
    let latest = ONE_HANDLER.replace("table = \"orders\"", "table = \"orders\"\nstarting-position = \"LATEST\"");
    project.write("gristmill.toml", latest.as_bytes());
    for id in ["3", "4"] {
        // The second time from the position, and still nothing of the old stream.
        let mut dev = Dev::start(&project, &[]);
        dev.ready();
        // What is written in the second that it began in may be from before or after.
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        dev.put("orders", id, &format!("print now {id}"));
        dev.wait_for("the record", |event| event["message"] == format!("now {id}").as_str());
        dev.wait_for("the checkpoint", |event| event["entry"]["decision"] == "checkpoint");
        let said: Vec<_> = dev.told.iter().filter(|event| event["type"] == "line").collect();
        assert_eq!(said.len(), 1, "{said:#?}");
        assert!(dev.interrupt().success());
    }
}

/// A record that two filters want is each handler's, once; one that neither wants
/// is nobody's.
#[test]
fn filters_that_overlap_give_a_record_to_each_handler_once() {
    let manifest = ONE_HANDLER.replace("[handler.a]", "[handler.a]\nfilter = [{ eventName = [\"INSERT\"] }]");
    let second = "\n[handler.b]\ncomponent = \"scripted.wasm\"\nstream = \"orders\"\n\
                  filter = [{ eventName = [\"INSERT\"] }, { eventName = [\"MODIFY\", \"INSERT\"] }]\n";
    let project = Project::new(COMMAND, &format!("{manifest}{second}"));
    let mut dev = start(&project);
    dev.put("orders", "1", "ok");
    dev.put("orders", "1", "print changed");
    dev.call("DeleteItem", &json!({ "TableName": "orders", "Key": { "id": { "S": "1" } } }));
    dev.records("done", 3);
    dev.put("orders", "2", "print last");
    dev.records("done", 2);
    let mut calls: Vec<_> = dev
        .told
        .iter()
        .filter(|event| event["type"] == "record")
        .map(|event| {
            let text = |name: &str| event[name].as_str().unwrap();
            format!("{} {} {}", text("handler"), text("eventName"), text("outcome"))
        })
        .collect();
    calls.sort();
    // The mapping has the OR of both: the removal is not delivered at all.
    assert_eq!(calls, ["a INSERT done", "a INSERT done", "b INSERT done", "b INSERT done", "b MODIFY done"]);
}

/// It is stopped at its limit, its record is kept, and the next one is done.
#[test]
fn a_handler_that_never_returns_holds_nothing_up_for_ever() {
    let project = Project::new(
        COMMAND,
        &ONE_HANDLER
            .replace("table = \"orders\"", "table = \"orders\"\nmaximum-retry-attempts = 0")
            .replace("[handler.a]", "[handler.a]\ntimeout-ms = 200"),
    );
    let mut dev = start(&project);
    dev.put("orders", "1", "loop");
    let stopped = dev.records("timed-out", 1);
    assert_eq!(stopped[0]["eventName"], "INSERT");
    dev.wait_for("the document", |event| event["type"] == "failure-document");
    dev.put("orders", "2", "ok");
    dev.records("done", 1);
    assert!(dev.interrupt().success());
}

#[test]
fn a_port_that_is_taken_and_data_in_use_are_told() {
    let project = project("");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let ran = project.run(&["dev", "--port", &port]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("port {port} is taken")), "{}", ran.stderr);
    let dev = Dev::start(&project, &[]);
    let ran = project.run(&["dev", "--port", "0"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("in use by another process"), "{}", ran.stderr);
    let ran = project.run(&["dev", "--port", "0", "--reset"]);
    assert!(ran.code == 1 && ran.stderr.contains("in use by another process"), "{}", ran.stderr);
    drop(dev);
}

#[test]
fn data_is_the_users_alone_and_a_broken_file_is_told() {
    let project = project("");
    let mut dev = start(&project);
    dev.put("orders", "1", "ok");
    dev.records("done", 1);
    assert!(dev.interrupt().success());
    let folder = project.path().join(".gristmill/dev");
    for path in [folder.clone(), folder.join("data")] {
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700, "{}", path.display());
    }
    let file = fs::read_dir(folder.join("data"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| fs::read(path).unwrap().starts_with(b"SQLite format 3"))
        .unwrap();
    fs::write(&file, b"SQLite format 3\0 and then nothing of it").unwrap();
    let ran = project.run(&["dev", "--port", "0"]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("--reset"), "{}", ran.stderr);
    assert_eq!(fs::read(&file).unwrap().len(), 39, "it is never written to");
}

#[test]
fn logs_are_those_of_a_handler_in_order() {
    let project = Project::new(
        COMMAND,
        &format!("{ONE_HANDLER}\n[handler.b]\ncomponent = \"scripted.wasm\"\nstream = \"orders\"\n"),
    );
    let ran = project.run(&["logs"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("nothing has run `gristmill dev` here yet"), "{}", ran.stderr);
    let mut dev = start(&project);
    for number in 0..3 {
        dev.put("orders", "1", &format!("print number {number}"));
    }
    dev.records("done", 6);
    let ran = project.run(&["logs", "-n", "b", "--filter", "stdout"]);
    let said: Vec<_> = ran.stdout.lines().map(|line| line.split_once(" b ").unwrap().1).collect();
    assert_eq!(said, ["[stdout] number 0", "[stdout] number 1", "[stdout] number 2"], "{}", ran.stdout);
    let ran = project.run(&["logs", "-n", "c"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("there is no `[handler.c]`"), "{}", ran.stderr);
    assert_eq!(project.run(&["logs", "--since", "1d", "-n", "a"]).stdout.lines().count(), 6);
    assert_eq!(project.run(&["logs", "--since", "soon"]).code, 2);
}

/// A delete by Time to Live says who made it, as Lambda spells it.
#[test]
fn an_item_whose_time_is_over_is_deleted_by_the_service() {
    let project = project("");
    let mut dev = start(&project);
    let ttl = json!({ "Enabled": true, "AttributeName": "ttl" });
    dev.call("UpdateTimeToLive", &json!({ "TableName": "orders", "TimeToLiveSpecification": ttl }));
    let item = json!({ "id": { "S": "1" }, "do": { "S": "dump" }, "ttl": { "N": "1" } });
    dev.call("PutItem", &json!({ "TableName": "orders", "Item": item }));
    let identity = dev.wait_for("the first image's dump", |event| {
        event["message"].as_str().is_some_and(|message| message.starts_with("user-identity="))
    });
    assert_eq!(identity["message"], "user-identity=None");
    let removed = dev.wait_for("the removal", |event| event["type"] == "record" && event["eventName"] == "REMOVE");
    assert_eq!(removed["outcome"], "done");
}

/// The walk-through of the page that gristmill began with, word for word but for
/// the port.
#[test]
fn the_walk_through_with_the_real_aws_cli() {
    let project = Project::new(COMMAND, &ONE_HANDLER.replace("namespace = false", "").replace("orders", "test-table"));
    let mut dev = Dev::start(&project, &[]);
    let endpoint = dev.endpoint.clone();
    let aws = |line: &str| {
        let words = ["-m", "awscli", "--endpoint-url", &endpoint, "dynamodb"];
        let mut arguments: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        // As a shell reads them: quotes hold the item together.
        let mut parts = line.split('\'');
        arguments.extend(parts.next().unwrap().split_whitespace().map(str::to_owned));
        arguments.extend(parts.next().map(str::to_owned));
        gristmill_tests::succeed(python().args(arguments));
    };
    aws("create-table --table-name demo-dev_test-table --attribute-definitions AttributeName=id,AttributeType=S \
         --key-schema AttributeName=id,KeyType=HASH --billing-mode PAY_PER_REQUEST");
    aws("update-table --table-name demo-dev_test-table --stream-specification \
         StreamEnabled=true,StreamViewType=NEW_AND_OLD_IMAGES");
    for name in ["name-1", "name-1", "name-1-edit-1"] {
        let item = format!(r#"{{"id": {{"S": "id-1"}}, "name": {{"S": "{name}"}}}}"#);
        aws(&format!("put-item --table-name demo-dev_test-table --item '{item}'"));
    }
    let records = dev.records("done", 2);
    let names: Vec<_> = records.iter().map(|record| record["eventName"].as_str().unwrap()).collect();
    assert_eq!(names, ["INSERT", "MODIFY"]);
    assert!(dev.interrupt().success());
    let logs = project.run(&["logs", "--output", "json"]);
    assert_eq!(logs.stdout.matches("\"type\":\"record\"").count(), 2, "{}", logs.stdout);
}

/// Whatever is written, by whichever call, the handler gets what was written.
#[test]
fn a_handler_gets_what_boto3_wrote() {
    let project = project("");
    let mut dev = start(&project);
    let script = root().join("tests/clients/writes.py");
    let output = gristmill_tests::succeed(python().arg(script).arg(&dev.endpoint));
    let expected: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(expected.len() > 10, "{expected:?}");
    dev.records("done", expected.len());
    // Of each record: its name, and its images from what the handler printed.
    let mut seen: Vec<Value> = Vec::new();
    let mut images = json!({});
    for event in &dev.told {
        let message = event["message"].as_str().unwrap_or_default();
        for (line, name) in [("new-image=", "new"), ("old-image=", "old")] {
            if let Some(debug) = message.strip_prefix(line) {
                images[name] = match debug.strip_prefix("Some(").and_then(|debug| debug.strip_suffix(')')) {
                    // The text of a JSON string in the words of Rust's Debug.
                    Some(quoted) => sorted(serde_json::from_str(&undebug(quoted)).unwrap()),
                    None => Value::Null,
                };
            }
        }
        if event["type"] == "record" {
            images["name"] = event["eventName"].clone();
            // A removal has no new image, so the handler was told nothing to do.
            if event["eventName"] != "REMOVE" {
                seen.push(std::mem::replace(&mut images, json!({})));
            }
        }
    }
    for expected in expected.into_iter().filter(|expected| expected["name"] != "REMOVE") {
        let expected = sorted(expected);
        let at = seen.iter().position(|seen| *seen == expected);
        seen.remove(at.unwrap_or_else(|| panic!("{expected} is missing: {seen:#?}")));
    }
    assert!(seen.is_empty(), "{seen:#?}");
}

/// A string as Rust's Debug writes it.
fn undebug(quoted: &str) -> String {
    let mut text = String::new();
    let mut chars = quoted[1..quoted.len() - 1].chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next().unwrap() {
                'n' => text.push('\n'),
                'u' => {
                    let code: String = chars.by_ref().skip(1).take_while(|char| *char != '}').collect();
                    text.push(char::from_u32(u32::from_str_radix(&code, 16).unwrap()).unwrap());
                }
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
    text
}

/// Sets in one order: DynamoDB has none in them.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(name, mut value)| {
                    if let (true, Value::Array(values)) = (["SS", "NS", "BS"].contains(&name.as_str()), &mut value) {
                        values.sort_by_key(Value::to_string);
                    }
                    (name, sorted(value))
                })
                .collect(),
        ),
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// The story of the README, which ends by itself.
#[test]
fn the_demo_tells_its_story() {
    let example = root().join("examples/clerk");
    let mut command = Command::new(COMMAND);
    let output = command.args(["-C"]).arg(&example).arg("demo").env("XDG_CACHE_HOME", gristmill_tests::cache_home());
    let output = gristmill_tests::succeed(output);
    let story = String::from_utf8(output.stdout).unwrap();
    let mut rest = story.as_str();
    for step in [
        "1. A table and its stream",
        "test-table: reading arn:aws:dynamodb:",
        "2. An item is written",
        "clerk-file [stdout] event: INSERT demo-dev_test-table",
        "3. The same item again",
        "The stream has 1 record.",
        "4. The item is changed",
        "clerk-file [stdout] event: MODIFY",
        "5. The item is deleted",
        "clerk-file [stdout] event: REMOVE",
        "6. A record fails",
        "test-table: a batch of 3 records",
        "retry: the same 1 record, the same request id",
        "given up (RetryAttemptsExhausted): 1 record to arn:aws:s3:::demo-dev-failures",
        "\"condition\":\"RetryAttemptsExhausted\"",
        "That was all.",
    ] {
        let at = rest.find(step).unwrap_or_else(|| panic!("{step:?} is missing after what came before it: {story}"));
        rest = &rest[at + step.len()..];
    }
    assert!(story.contains("clerk-check INSERT") && story.contains("rejected: the item has no name"), "{story}");
}

/// Killed at any moment, started again: every change that was acknowledged
/// reaches the handler, and the changes of an item in their order.
#[test]
fn nothing_that_was_acknowledged_is_lost_when_it_is_killed() {
    const ITEMS: usize = 5;
    let project = project("");
    let mut dev = start(&project);
    let mut acknowledged: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    let mut version = 0;
    for round in 0..6 {
        // A writer of its own, so that the kill comes in the midst of it.
        let (endpoint, first) = (dev.endpoint.clone(), version);
        let writer = std::thread::spawn(move || {
            let mut written = Vec::new();
            for version in first.. {
                let item = version as usize % ITEMS;
                let put = json!({
                    "TableName": "orders",
                    "Item": { "id": { "S": item.to_string() }, "do": { "S": format!("print item {item} version {version}") } },
                });
                match try_ask(&endpoint, "DynamoDB_20120810.PutItem", &put) {
                    Ok((200, _)) => written.push((item, version)),
                    Ok(other) => panic!("{other:?}"),
                    Err(_) => return (written, version + 1),
                }
            }
            unreachable!("the process is killed before numbers end")
        });
        // After a few records, more in each round.
        dev.records("done", 3 + 7 * round);
        dev.kill();
        let (written, next) = writer.join().unwrap();
        version = next;
        for (item, version) in written {
            acknowledged.entry(item).or_default().push(version);
        }
        dev = Dev::start(&project, &[]);
        dev.ready();
    }
    dev.put("orders", "last", "print the last");
    dev.wait_for("the last record", |event| event["message"] == "the last");
    assert!(dev.interrupt().success());
    let log = project.run(&["logs", "--output", "json", "--filter", "version"]);
    let mut seen: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    for line in log.stdout.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let Some(message) = event["message"].as_str() else { continue };
        let words: Vec<&str> = message.split(' ').collect();
        let ["item", item, "version", version] = words[..] else { panic!("{message}") };
        seen.entry(item.parse().unwrap()).or_default().push(version.parse().unwrap());
    }
    for (item, versions) in &acknowledged {
        let seen = &seen[item];
        for version in versions {
            assert!(seen.contains(version), "item {item}: version {version} is lost");
        }
        // Delivery again begins anew from an earlier record: but each version's
        // first delivery comes after those of the versions before it.
        let mut firsts = Vec::new();
        for version in seen {
            if !firsts.contains(version) {
                firsts.push(*version);
            }
        }
        assert!(firsts.is_sorted(), "item {item}: {firsts:?}");
    }
}
