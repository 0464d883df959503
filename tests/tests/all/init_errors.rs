//! What keeps `bootstrap` from starting: told to Lambda in one go, with exit
//! code 1, and to the log.

use std::fs;
use std::net::TcpListener;
use std::path::Path;

use gristmill_tests::Project;
use gristmill_tests::runtime_api::{Bootstrap, Ended, Environment, package};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bootstrap::ONE_HANDLER;
use crate::cases::COMMAND;

const KIND: &str = "Gristmill.InitError";

fn a_package() -> TempDir {
    package(&Project::new(COMMAND, ONE_HANDLER), "partial")
}

/// What a start that fails tells: everywhere the same.
fn message_of(ended: &Ended) -> String {
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    let logs = ended.logs();
    let [line] = logs.as_slice() else { panic!("{logs:?}") };
    assert_eq!((&line["level"], &line["errorType"]), (&json!("FATAL"), &json!(KIND)));
    line["message"].as_str().unwrap().to_owned()
}

/// Starts `bootstrap`, and gives what it told Lambda.
fn init_error_with(package: &Path, change: impl FnOnce(Environment) -> Environment) -> String {
    let ended = Bootstrap::start_with(package, "demo", change).wait_until_ended();
    let message = message_of(&ended);
    assert_eq!(ended.api.refused(), [""; 0]);
    let errors = ended.api.init_errors();
    let [error] = errors.as_slice() else { panic!("{errors:?}") };
    assert_eq!(error.error_type, KIND);
    assert_eq!(error.body, json!({ "errorType": KIND, "errorMessage": message, "stackTrace": [] }));
    assert_eq!(ended.stderr, "");
    message
}

/// The same for a `handlers.json` that was changed.
fn init_error_of(change: impl FnOnce(&mut Value)) -> String {
    let package = a_package();
    let path = package.path().join("handlers.json");
    let mut settings = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut settings);
    rewrite(&path, settings.to_string().as_bytes());
    let message = init_error_with(package.path(), |environment| environment);
    message.replace(package.path().to_str().unwrap(), "PACKAGE")
}

/// A file of a package is never written to again: another takes its place.
fn rewrite(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn each_variable_that_is_missing_is_named() {
    let package = a_package();
    let names = ["AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION"];
    for name in names {
        let message = init_error_with(package.path(), |environment| environment.without(name));
        assert_eq!(message, format!("the environment variable {name} is not set"));
    }
    let message = init_error_with(package.path(), |environment| environment.without("GRISTMILL_FUNCTION"));
    assert_eq!(message, "the environment variable GRISTMILL_FUNCTION is not set; handlers.json has \"demo\"");
}

#[test]
fn without_a_runtime_api_only_the_log_is_told() {
    let package = a_package();
    let start = |change: fn(Environment) -> Environment| {
        let ended = Bootstrap::start_with(package.path(), "demo", change).wait_until_ended();
        assert_eq!(ended.stderr, "");
        message_of(&ended)
    };
    assert_eq!(
        start(|environment| environment.without("AWS_LAMBDA_RUNTIME_API")),
        "the environment variable AWS_LAMBDA_RUNTIME_API is not set"
    );
    for address in ["", "not an address", "http://", "/.rt", "127.0.0.1:x/.rt"] {
        let change = |environment: Environment| environment.with("AWS_LAMBDA_RUNTIME_API", address);
        let ended = Bootstrap::start_with(package.path(), "demo", change).wait_until_ended();
        let message = message_of(&ended);
        assert!(
            message.starts_with("the environment variable AWS_LAMBDA_RUNTIME_API is ")
                && message.ends_with(", and not a host and a port"),
            "{message}"
        );
    }
}

#[test]
fn a_value_that_is_none_is_told_with_those_that_are() {
    let package = a_package();
    let message = |name: &str, value: &str| init_error_with(package.path(), |vars| vars.with(name, value));
    assert_eq!(
        message("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "much"),
        "the environment variable AWS_LAMBDA_FUNCTION_MEMORY_SIZE is not a number of megabytes"
    );
    assert_eq!(message("AWS_LAMBDA_LOG_FORMAT", "XML"), "AWS_LAMBDA_LOG_FORMAT is \"XML\", and not JSON or Text");
    assert_eq!(
        message("AWS_LAMBDA_LOG_LEVEL", "LOUD"),
        "AWS_LAMBDA_LOG_LEVEL is \"LOUD\", and not TRACE, DEBUG, INFO, WARN, ERROR or FATAL"
    );
    assert_eq!(
        message("GRISTMILL_FUNCTION", "demos"),
        "GRISTMILL_FUNCTION is \"demos\", and handlers.json has \"demo\""
    );
}

#[test]
fn all_problems_are_told_at_once() {
    let package = a_package();
    fs::remove_file(package.path().join("handlers.json")).unwrap();
    let message = init_error_with(package.path(), |environment| {
        environment
            .without("AWS_LAMBDA_FUNCTION_NAME")
            .without("AWS_LAMBDA_FUNCTION_VERSION")
            .without("GRISTMILL_FUNCTION")
            .with("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")
            .with("AWS_LAMBDA_LOG_FORMAT", "XML")
            .with("AWS_LAMBDA_LOG_LEVEL", "LOUD")
    });
    let lines: Vec<&str> = message.lines().collect();
    let handlers = format!("- {}/handlers.json: No such file or directory (os error 2)", package.path().display());
    assert_eq!(
        lines,
        [
            "7 problems keep gristmill from starting",
            "- the environment variable AWS_LAMBDA_FUNCTION_NAME is not set",
            "- the environment variable AWS_LAMBDA_FUNCTION_MEMORY_SIZE is not a number of megabytes",
            "- the environment variable AWS_LAMBDA_FUNCTION_VERSION is not set",
            "- AWS_LAMBDA_LOG_FORMAT is \"XML\", and not JSON or Text",
            "- AWS_LAMBDA_LOG_LEVEL is \"LOUD\", and not TRACE, DEBUG, INFO, WARN, ERROR or FATAL",
            "- the environment variable GRISTMILL_FUNCTION is not set",
            &handlers,
        ]
    );
}

#[test]
fn a_package_without_readable_settings_does_not_start() {
    let cases = [
        ("{\"version\":", "EOF while parsing a value at line 1 column 11"),
        ("[]", ""),
        ("{}", "version: missing"),
        (r#"{"version":2,"functions":{}}"#, "version 2, and this host reads version 1"),
        (r#"{"version":1}"#, "missing field `functions`"),
    ];
    let package = a_package();
    let path = package.path().join("handlers.json");
    for (text, part) in cases {
        rewrite(&path, text.as_bytes());
        let message = init_error_with(package.path(), |environment| environment);
        assert!(message.starts_with(path.to_str().unwrap()) && message.contains(part), "{message}");
    }
    rewrite(&path, b"{\"version\":1,\"functions\":{}}\xff");
    let message = init_error_with(package.path(), |environment| environment);
    assert!(message.contains("UTF-8"), "{message}");
}

#[test]
fn a_function_that_is_not_there_is_told_with_those_that_are() {
    let message = init_error_of(|settings| {
        let function = settings["functions"]["demo"].take();
        settings["functions"] = json!({ "demo-one": function, "demo-two": function });
    });
    assert_eq!(message, "GRISTMILL_FUNCTION is \"demo\", and handlers.json has \"demo-one\", \"demo-two\"");
    let message = init_error_of(|settings| settings["functions"] = json!({}));
    assert_eq!(message, "GRISTMILL_FUNCTION is \"demo\", and handlers.json has no function");
}

#[test]
fn a_module_is_a_digest_beside_bootstrap_and_no_path() {
    let digest = "0".repeat(64);
    for module in ["/etc/passwd", "../x.cwasm", "a.cwasm", &format!("../{digest}.cwasm"), &format!("{digest}.wasm")] {
        let message = init_error_of(|settings| settings["functions"]["demo"]["handlers"][0]["module"] = json!(module));
        assert_eq!(
            message,
            format!(
                "PACKAGE/handlers.json: function \"demo\": handler \"a\": module {module:?} is not 64 hexadecimal digits and .cwasm"
            )
        );
    }
    let message = init_error_of(|settings| {
        settings["functions"]["demo"]["handlers"][0]["module"] = json!(format!("{digest}.cwasm"));
    });
    assert_eq!(message, format!("handler \"a\": PACKAGE/{digest}.cwasm: No such file or directory (os error 2)"));
}

#[test]
fn what_cannot_be_routed_does_not_start() {
    let demo = |change: fn(&mut Value)| init_error_of(|settings| change(&mut settings["functions"]["demo"]));
    let message =
        demo(|demo| demo["handlers"][0]["filters"] = json!([r#"{"eventName":["INSERT"]}"#, r#"{"eventName":[]}"#]));
    assert!(message.starts_with("handler \"a\": filter 2: "), "{message}");
    let message = demo(|demo| demo["handlers"][0]["filters"] = json!(["not a pattern"]));
    assert!(message.starts_with("handler \"a\": filter 1: "), "{message}");
    let message = demo(|demo| demo["handlers"][0]["stream"] = json!("tset-table"));
    assert_eq!(message, "handler \"a\" is for stream \"tset-table\", which is not there");
    let message = demo(|demo| {
        demo["handlers"][0]["filters"] = json!(["[]"]);
        demo["handlers"][0]["module"] = json!(format!("{}.cwasm", "0".repeat(64)));
        demo["streams"][0]["concurrency"] = json!(0);
    });
    assert!(message.starts_with("3 problems keep gristmill from starting\n"), "{message}");
    let message = demo(|demo| demo["handlers"][0]["limits"]["memory-mb"] = json!(1 << 20));
    assert_eq!(
        message,
        "PACKAGE/handlers.json: function \"demo\": handler \"a\": memory-mb = 1048576 is not from 1 to 4095"
    );
}

#[test]
fn a_runtime_api_that_does_not_answer_does_not_hold_it_up() {
    let package = a_package();
    // A listener that accepts nothing: the system takes the connection, and no
    // answer comes. Closed, the connection is refused.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let start = || {
        let change = |vars: Environment| vars.with("AWS_LAMBDA_RUNTIME_API", &address).without("GRISTMILL_FUNCTION");
        let ended = Bootstrap::start_with(package.path(), "demo", change).wait_until_ended();
        message_of(&ended);
        ended.stderr
    };
    assert_eq!(start(), "the init error could not be reported to Lambda: no answer in 2s\n");
    drop(silent);
    let stderr = start();
    assert!(
        stderr.starts_with("the init error could not be reported to Lambda: ") && stderr.contains("Connection refused"),
        "{stderr}"
    );
}
