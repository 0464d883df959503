//! Dev mode, doctor and invoke on a database that is not gristmill's: moto, an
//! emulator of AWS that we did not write.

use gristmill_tests::aws::Moto;
use gristmill_tests::clients::python;
use gristmill_tests::dev::{Dev, try_ask};
use gristmill_tests::project::ONE_HANDLER;
use gristmill_tests::{Project, root, succeed};
use serde_json::json;

use crate::cases::COMMAND;

/// Moto's tables.
struct Tables(Moto);

impl Tables {
    fn call(&self, operation: &str, body: &serde_json::Value) -> serde_json::Value {
        let (status, answer) = try_ask(&self.0.url, &format!("DynamoDB_20120810.{operation}"), body).unwrap();
        assert_eq!(status, 200, "{operation} {body}: {answer}");
        answer
    }

    fn put(&self, id: &str, script: &str) {
        let item = json!({ "id": { "S": id }, "do": { "S": script } });
        self.call("PutItem", &json!({ "TableName": "orders", "Item": item }));
    }
}

#[test]
fn a_database_that_runs_elsewhere_is_read() {
    let moto = Tables(Moto::start());
    let project = Project::new(COMMAND, ONE_HANDLER);
    let mut dev = Dev::start_on(&project, &moto.0.url, &["--create-tables"]);
    dev.ready();
    moto.put("1", "ok");
    moto.put("1", "print changed");
    moto.call("DeleteItem", &json!({ "TableName": "orders", "Key": { "id": { "S": "1" } } }));
    let records = dev.records("done", 3);
    let names: Vec<_> = records.iter().map(|event| event["eventName"].as_str().unwrap()).collect();
    assert_eq!(names, ["INSERT", "MODIFY", "REMOVE"]);
    dev.wait_for("the checkpoint", |event| event["entry"]["decision"] == "checkpoint");
    assert!(dev.interrupt().success());

    // The position was kept, and what was written meanwhile is read.
    moto.put("2", "ok");
    let mut dev = Dev::start_on(&project, &moto.0.url, &[]);
    dev.ready();
    let record = &dev.records("done", 1)[0];
    assert_eq!(record["eventName"], "INSERT", "{:#?}", dev.told);
    // One at a time has the project's positions.
    let ran = project.run(&["dev", "--endpoint", &moto.0.url]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("in use by another process"), "{}", ran.stderr);
    assert!(dev.interrupt().success());

    let ran = project.run(&["doctor", "--endpoint", &moto.0.url, "--output", "json"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let ran = project.run(&["invoke", "--endpoint", &moto.0.url, "--from-stream", "2"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert_eq!(ran.stdout.matches(": done, ").count(), 2, "{}", ran.stdout);
}

/// To begin anew elsewhere leaves what dev mode has of its own database.
#[test]
fn a_reset_elsewhere_leaves_the_own_positions() {
    let moto = Tables(Moto::start());
    let project = Project::new(COMMAND, ONE_HANDLER);
    let mut dev = Dev::start(&project, &["--create-tables"]);
    dev.ready();
    dev.put("orders", "1", "ok");
    dev.records("done", 1);
    dev.wait_for("the checkpoint", |event| event["entry"]["decision"] == "checkpoint");
    assert!(dev.interrupt().success());

    let mut dev = Dev::start_on(&project, &moto.0.url, &["--create-tables"]);
    dev.ready();
    moto.put("1", "ok");
    dev.records("done", 1);
    dev.wait_for("the checkpoint", |event| event["entry"]["decision"] == "checkpoint");
    assert!(dev.interrupt().success());
    // Its records come again, and only its.
    let mut dev = Dev::start_on(&project, &moto.0.url, &["--reset"]);
    dev.ready();
    dev.records("done", 1);
    assert!(dev.interrupt().success());

    let mut dev = Dev::start(&project, &[]);
    dev.ready();
    dev.put("orders", "2", "print second");
    dev.wait_for("the new record", |event| event["message"] == "second");
    let done = dev.told.iter().filter(|event| event["type"] == "line").count();
    assert_eq!(done, 1, "{:#?}", dev.told);
    let records = dev.told.iter().filter(|event| event["type"] == "record").count();
    assert_eq!(records, 0, "the first one came again: {:#?}", dev.told);
}

/// At an endpoint that has Lambda too.
#[test]
fn too_many_readers_are_found() {
    let moto = Tables(Moto::start());
    let project = Project::new(COMMAND, &format!("{ONE_HANDLER}[table.orders]\n"));
    let mut dev = Dev::start_on(&project, &moto.0.url, &[]);
    dev.wait_for("the table", |event| event["type"] == "note");
    let doctor = || {
        let ran = project.run(&["doctor", "--endpoint", &moto.0.url]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        ran.stdout
    };
    assert!(doctor().contains("warning  no event source mapping reads it"));
    let described = moto.call("DescribeTable", &json!({ "TableName": "orders" }));
    let arn = described["Table"]["LatestStreamArn"].as_str().unwrap();
    let script = root().join("tests/clients/readers.py");
    succeed(python().arg(script).args([&moto.0.url, arn, "one", "two", "three"]));
    let found = doctor();
    let (warning, rest) = found.split_once(" event source mappings read it (").unwrap_or_else(|| panic!("{found}"));
    let (names, rest) = rest.split_once(')').unwrap();
    assert!(warning.ends_with("warning  3") && rest.starts_with(", and a shard serves 2"), "{found}");
    assert!(["one", "two", "three"].iter().all(|name| names.contains(name)), "{found}");
    drop(dev);
}

#[test]
fn nobody_there_is_told_and_waited_for() {
    let project = Project::new(COMMAND, ONE_HANDLER);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let mut dev = Dev::start_on(&project, &nobody, &[]);
    let failed = dev.wait_for("the refusal", |event| event["type"] == "stream" && event["state"] == "failed");
    assert!(failed["detail"].as_str().unwrap().contains("EndpointUnreachable"), "{failed}");
    assert!(dev.interrupt().success());
    let ran = project.run(&["doctor", "--endpoint", &nobody]);
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.contains("the table orders cannot be looked at: EndpointUnreachable"), "{}", ran.stdout);
}

/// Nothing is deleted and nothing is made where others may have something.
#[test]
fn what_is_not_on_this_machine_is_not_written_to() {
    let project = Project::new(COMMAND, &format!("{ONE_HANDLER}[table.orders]\n"));
    for endpoint in ["aws", "https://dynamodb.eu-west-1.amazonaws.com", "http://192.0.2.1:8000"] {
        for flag in ["--reset", "--create-tables"] {
            let ran = project.run(&["dev", "--endpoint", endpoint, flag]);
            assert_eq!(ran.code, 2, "{endpoint} {flag}: {}", ran.stderr);
            assert!(ran.stderr.contains(&format!("{flag} is for databases on this machine")), "{}", ran.stderr);
        }
    }
    assert!(!project.path().join(".gristmill/dev").exists());
    // No demo anywhere but in memory.
    assert_eq!(project.run(&["demo", "--endpoint", "aws"]).code, 2);
    // A table of the manifest is not made there either. The address is of a network for documents, where nobody is.
    let arguments =
        ["dev", "--output", "json", "--in-memory", "--region", "eu-west-1", "--endpoint", "http://192.0.2.1:8000"];
    let mut command = project.command(&arguments);
    command.env("AWS_ACCESS_KEY_ID", "x").env("AWS_SECRET_ACCESS_KEY", "x");
    let mut dev = Dev::run(command);
    let note = dev.wait_for("the note", |event| event["type"] == "note");
    assert_eq!(note["message"], "a [table.NAME] is made on this machine alone, and http://192.0.2.1:8000 is not");
}

#[test]
fn without_a_region_or_credentials_it_says_so() {
    let project = Project::new(COMMAND, ONE_HANDLER);
    let ran = |variables: &[(&str, &str)]| {
        let mut command = project.command(&["dev", "--endpoint", "aws", "--in-memory"]);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", project.path());
        command.env("AWS_EC2_METADATA_DISABLED", "true").envs(variables.iter().copied());
        gristmill_tests::project::Ran::new(&command.output().unwrap())
    };
    let found = ran(&[("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "x")]);
    assert_eq!(found.code, 2, "{}", found.stderr);
    assert!(found.stderr.contains("there is no Region; give --region"), "{}", found.stderr);
    let found = ran(&[("AWS_REGION", "eu-west-1")]);
    assert_eq!(found.code, 1, "{}", found.stderr);
    assert!(found.stderr.contains("there are no credentials"), "{}", found.stderr);
}
