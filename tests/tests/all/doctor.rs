//! `gristmill doctor`: each reason why a handler does not fire, and that it is
//! named; and `invoke --from-stream`.

use gristmill_tests::Project;
use gristmill_tests::dev::Dev;
use gristmill_tests::project::{ONE_HANDLER, Ran};
use serde_json::{Value, json};

use crate::cases::COMMAND;

fn with_filter(filter: &str) -> Project {
    Project::new(COMMAND, &format!("{ONE_HANDLER}filter = [{filter}]\n"))
}

/// What it says of a check, at this level.
#[track_caller]
fn finds(ran: &Ran, check: &str, level: &str) -> (String, String) {
    let found = ran.json();
    let findings = found["findings"].as_array().unwrap();
    let of = |finding: &&Value| finding["check"] == check && finding["level"] == level;
    let found = findings.iter().find(of).unwrap_or_else(|| panic!("no {level} of {check}: {found:#}"));
    (found["message"].as_str().unwrap().to_owned(), found["advice"].as_str().unwrap_or_default().to_owned())
}

fn doctor(project: &Project, arguments: &[&str]) -> Ran {
    project.run(&[&["doctor", "--output", "json"], arguments].concat())
}

#[test]
fn without_a_database_it_says_so() {
    let project = Project::new(COMMAND, ONE_HANDLER);
    let ran = project.run(&["doctor"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("there is no database of `gristmill dev` here"), "{}", ran.stderr);
    assert!(!project.path().join(".gristmill/dev").exists(), "it makes nothing");
    let ran = project.run(&["invoke", "--from-stream", "1"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("there is no database of `gristmill dev` here"), "{}", ran.stderr);
}

/// With dev mode running and without, the same.
#[test]
fn all_is_well_and_each_change_is_told() {
    let project = Project::new(COMMAND, ONE_HANDLER);
    let mut dev = Dev::start(&project, &["--create-tables"]);
    dev.ready();
    dev.put("orders", "1", "ok");
    dev.put("orders", "1", "ok");
    dev.records("done", 1);
    dev.wait_for("the checkpoint", |event| event["entry"]["decision"] == "checkpoint");
    let look = || {
        let ran = doctor(&project, &["--key", r#"{"id": {"S": "1"}}"#]);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.json()["warnings"], 0, "{}", ran.stdout);
        for (check, words) in [
            ("built", "it is built"),
            ("stream", "the table orders has a stream: arn:aws:dynamodb:"),
            ("view-type", "NEW_AND_OLD_IMAGES"),
            ("records", "looked at 1, all of its records"),
            ("position", "all of that was delivered"),
            ("filter", "wants every record"),
            ("item", "it is in the table, and 1 of the records are of it"),
            ("unchanged", "whatever was written since has changed nothing"),
            ("outcome", "INSERT 100000000000000000001 at a: done"),
        ] {
            let (message, _) = finds(&ran, check, "ok");
            assert!(message.contains(words), "{check}: {message}");
        }
        // The record again, in the handler.
        let invoked = project.run(&["invoke", "--from-stream", "5"]);
        assert_eq!(invoked.code, 0, "{}{}", invoked.stdout, invoked.stderr);
        assert!(invoked.stdout.contains("a 100000000000000000001 INSERT: done"), "{}", invoked.stdout);
    };
    look();
    assert!(dev.interrupt().success());
    look();
    let text = project.run(&["doctor"]);
    assert!(text.stdout.contains("stream orders\n  ok       the table orders has a stream"), "{}", text.stdout);
    assert!(
        text.stdout.ends_with(
            "Nothing is wrong that can be seen from here. Next: `gristmill logs -f` shows what handlers do\n"
        ),
        "{}",
        text.stdout
    );
}

#[test]
fn a_table_without_its_namespace_is_found() {
    let project = Project::new(COMMAND, &ONE_HANDLER.replace("namespace = false", ""));
    let dev = Dev::start(&project, &[]);
    dev.create_table("orders");
    let ran = doctor(&project, &[]);
    assert_eq!(ran.code, 1);
    let (message, advice) = finds(&ran, "table", "problem");
    assert_eq!(message, "there is no table demo-dev_orders; there is orders, without the namespace `demo-dev_`");
    assert!(advice.contains("namespace = false"), "{advice}");
    // Of another environment.
    dev.create_table("demo-prod_orders");
    let ran = doctor(&project, &["--env", "prod"]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    finds(&ran, "stream", "ok");
}

#[test]
fn a_table_without_a_stream_and_one_that_was_switched_off_are_found() {
    let project = Project::new(COMMAND, ONE_HANDLER);
    let dev = Dev::start(&project, &[]);
    let create = json!({
        "TableName": "orders",
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "BillingMode": "PAY_PER_REQUEST",
    });
    dev.call("CreateTable", &create);
    let (message, advice) = finds(&doctor(&project, &[]), "stream", "problem");
    assert_eq!(message, "the table orders has no stream; what is written makes no record");
    assert!(advice.starts_with("aws dynamodb update-table --table-name orders"), "{advice}");
    let stream = |enabled: bool| {
        let mut specification = json!({ "StreamEnabled": enabled });
        if enabled {
            specification["StreamViewType"] = json!("KEYS_ONLY");
        }
        dev.call("UpdateTable", &json!({ "TableName": "orders", "StreamSpecification": specification }));
    };
    stream(true);
    stream(false);
    let (message, _) = finds(&doctor(&project, &[]), "stream", "problem");
    assert!(message.contains("is switched off"), "{message}");
}

#[test]
fn a_view_type_without_what_is_asked_for_is_found() {
    let filter = r#"{ "$or" = [{ dynamodb.OldImage.status.S = ["open"] }, { eventName = ["REMOVE"] }] }"#;
    let project = Project::new(
        COMMAND,
        &format!("{ONE_HANDLER}filter = [{filter}]\n[table.orders]\nstream-view-type = \"NEW_IMAGE\"\n"),
    );
    let mut dev = Dev::start(&project, &[]);
    dev.wait_for("the table", |event| event["type"] == "note");
    let ran = doctor(&project, &[]);
    let (message, _) = finds(&ran, "view-type", "problem");
    assert!(
        message.starts_with("the filter of a asks for `OldImage`, and its records have NEW_IMAGE alone"),
        "{message}"
    );
    let project = Project::new(COMMAND, &format!("{ONE_HANDLER}[table.orders]\nstream-view-type = \"KEYS_ONLY\"\n"));
    let mut dev = Dev::start(&project, &[]);
    dev.wait_for("the table", |event| event["type"] == "note");
    let (message, advice) = finds(&doctor(&project, &[]), "view-type", "warning");
    assert!(message.starts_with("handler a: it asks for `NewImage`"), "{message}");
    assert!(advice.contains("NEW_AND_OLD_IMAGES"), "{advice}");
}

#[test]
fn a_filter_that_wants_nothing_says_where_it_declines() {
    for (filter, why, advice) in [
        (r#"{ dynamodb.NewImage.do.S = ["paid"] }"#, "`dynamodb.NewImage.do.S` must be [\"paid\"], and is \"ok\"", ""),
        (
            r#"{ dynamodb.NewImage.do = ["ok"] }"#,
            "`dynamodb.NewImage.do` must be [\"ok\"], and is an object",
            "one level deeper",
        ),
        (r#"{ eventName = ["REMOVE"] }"#, "`eventName` must be [\"REMOVE\"], and is \"INSERT\"", ""),
    ] {
        let project = with_filter(filter);
        let mut dev = Dev::start(&project, &["--create-tables"]);
        dev.ready();
        dev.put("orders", "1", "ok");
        dev.wait_for("the filter", |event| event["entry"]["decision"] == "filtered");
        let ran = doctor(&project, &["-n", "a", "--key", r#"{"id":{"S":"1"}}"#]);
        assert_eq!(ran.code, 1, "{}", ran.stdout);
        let (message, found) = finds(&ran, "filter", "problem");
        assert!(message.contains("its filter wants none of 1 records; INSERT 1000"), "{message}");
        assert!(message.ends_with(why), "{message}");
        assert!(found.contains(advice), "{found}");
        let (message, _) = finds(&ran, "outcome", "warning");
        assert!(message.contains("at a: its filter declines it:") && message.ends_with(why), "{message}");
    }
}

#[test]
fn a_record_that_fails_and_those_behind_it_are_found() {
    let project = Project::new(COMMAND, ONE_HANDLER);
    let mut dev = Dev::start(&project, &["--create-tables"]);
    dev.ready();
    dev.put("orders", "1", "retry not yet");
    dev.records("retry", 1);
    dev.put("orders", "2", "ok");
    let ran = doctor(&project, &["--key", r#"{"id":{"S":"1"}}"#]);
    let (message, _) = finds(&ran, "position", "warning");
    assert!(message.contains("2 of them are not done yet; the first is 100000000000000000001"), "{message}");
    let (message, advice) = finds(&ran, "outcome", "warning");
    assert_eq!(message, "INSERT 100000000000000000001 at a: retry: not yet");
    assert_eq!(advice, "gristmill logs -n a");
}

#[test]
fn what_is_not_built_has_no_stream_or_is_no_handler_is_found() {
    let project = Project::empty(COMMAND);
    for arguments in [
        &["new", ".", "--name", "demo"][..],
        &["g", "event", "clerk", "--trigger", "dynamodb", "--table", "orders", "--method", "file"],
    ] {
        assert_eq!(project.run(arguments).code, 0);
    }
    // The data without the build: another project's dev mode made it.
    let other = Project::new(COMMAND, ONE_HANDLER);
    let mut dev = Dev::start(&other, &["--create-tables"]);
    dev.wait_for("the table", |event| event["type"] == "note");
    let ran = doctor(&project, &["--endpoint", &dev.endpoint]);
    assert_eq!(ran.code, 1);
    assert_eq!(finds(&ran, "built", "problem").0, "it is not built");
    other.write("scripted.wasm", b"no component");
    finds(&doctor(&other, &[]), "component", "problem");
    other.write(
        "gristmill.toml",
        ONE_HANDLER.replace("table = \"orders\"", "table = \"orders\"\nenabled = false").as_bytes(),
    );
    finds(&doctor(&other, &[]), "enabled", "problem");
    other.write("gristmill.toml", ONE_HANDLER.split("[handler.a]").next().unwrap().as_bytes());
    let ran = doctor(&other, &[]);
    assert_eq!(finds(&ran, "handlers", "problem").0, "there is no [handler.NAME], so there is nothing to call");
}

#[test]
fn an_arn_of_an_older_stream_is_found() {
    let arn = "arn:aws:dynamodb:eu-west-1:112233445566:table/orders/stream/2026-01-01T00:00:00.000";
    let with = |arn: &str| ONE_HANDLER.replace("table = \"orders\"", &format!("stream-arn = \"{arn}\""));
    let project = Project::new(COMMAND, &with(arn));
    let mut dev = Dev::start(&project, &["--create-tables"]);
    dev.wait_for("the table", |event| event["type"] == "note");
    let there = ["--endpoint", &dev.endpoint];
    let (message, advice) = finds(&doctor(&project, &there), "stream-arn", "warning");
    assert!(message.starts_with("the manifest names the stream of 2026-01-01T00:00:00.000, and"), "{message}");
    assert!(advice.contains("without /stream/"), "{advice}");
    // Dev mode's own labels are never those of AWS.
    assert!(!doctor(&project, &[]).stdout.contains("\"stream-arn\""));
    // The same name in another account is another table.
    project.write("gristmill.toml", with(&arn.replace("112233445566", "665544332211")).as_bytes());
    let (message, _) = finds(&doctor(&project, &there), "stream-arn", "problem");
    assert!(message.contains("and the table here is another one"), "{message}");
}

#[test]
fn a_table_that_is_spelt_otherwise_is_found() {
    let project = Project::new(COMMAND, &ONE_HANDLER.replace("namespace = false", ""));
    let dev = Dev::start(&project, &[]);
    dev.create_table("demo-dev_ordres");
    let (message, advice) = finds(&doctor(&project, &[]), "table", "problem");
    assert_eq!(message, "there is no table demo-dev_orders; there is demo-dev_ordres");
    assert_eq!(advice, "is it spelt otherwise?");
    let (message, advice) = finds(&doctor(&project, &["--env", "prod"]), "table", "problem");
    assert_eq!(message, "there is no table demo-prod_orders; there is demo-dev_ordres, perhaps of another environment");
    assert!(advice.contains("--env"), "{advice}");
}

/// Numbers begin anew with the data: what became of a record before a reset is not
/// what became of the one that has its number now.
#[test]
fn an_outcome_from_before_a_reset_is_no_outcome() {
    let project = Project::new(COMMAND, ONE_HANDLER);
    let mut dev = Dev::start(&project, &["--create-tables"]);
    dev.ready();
    dev.put("orders", "1", "ok");
    dev.records("done", 1);
    assert!(dev.interrupt().success());
    // The next record's time is a later second.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let filtered = format!("{ONE_HANDLER}filter = [{{ eventName = [\"REMOVE\"] }}]\n");
    project.write("gristmill.toml", filtered.as_bytes());
    let mut dev = Dev::start(&project, &["--create-tables", "--reset"]);
    dev.ready();
    dev.put("orders", "1", "ok");
    dev.wait_for("the filter", |event| event["entry"]["decision"] == "filtered");
    let ran = doctor(&project, &["--key", r#"{"id":{"S":"1"}}"#]);
    let (message, _) = finds(&ran, "outcome", "warning");
    assert!(message.starts_with("INSERT 100000000000000000001 at a: its filter declines it"), "{message}");
}

#[test]
fn an_item_without_a_record_and_a_key_that_is_none_are_told() {
    let project = Project::new(COMMAND, ONE_HANDLER);
    let mut dev = Dev::start(&project, &["--create-tables"]);
    dev.wait_for("the table", |event| event["type"] == "note");
    let ran = doctor(&project, &["--key", r#"{"id":{"S":"1"}}"#]);
    let (message, advice) = finds(&ran, "item", "warning");
    assert_eq!(message, "it is not in the table, and the stream has no record of it");
    assert!(advice.contains("has changed nothing"), "{advice}");
    assert_eq!(
        finds(&ran, "records", "warning"),
        ("it has no records".to_owned(), "nothing was written to the table yet".to_owned())
    );
    let (message, _) = finds(&doctor(&project, &["--key", r#"{"pk":{"S":"1"}}"#]), "item", "problem");
    assert_eq!(message, "the table's keys are `id`");
    for key in ["1", "{}", "{\"id\":1}", "id=1", "[]"] {
        let ran = doctor(&project, &["--key", key]);
        assert_eq!(ran.code, 2, "{key}");
        assert!(ran.stderr.contains("is no key; it takes JSON as the AWS CLI does"), "{}", ran.stderr);
    }
    for arguments in [&["-n", "b"][..], &["--records", "0"], &["--endpoint", "8000"], &["--profile", "x"]] {
        assert_eq!(doctor(&project, arguments).code, 2, "{arguments:?}");
    }
    let ran = project.run(&["invoke", "--from-stream", "1"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("the stream of the table orders has no records"), "{}", ran.stderr);
    drop(dev);
}
