//! What a deploy changes, and what it leaves.

use std::fs;

use serde_json::{Value, json};

use super::{MANIFEST, Setting, deploy, host};

fn actions(plan: &Value) -> Vec<(&str, &str)> {
    let changes = plan["changes"].as_array().unwrap().iter();
    changes.map(|change| (change["action"].as_str().unwrap(), change["id"].as_str().unwrap())).collect()
}

#[test]
fn a_deploy_with_nothing_changed_makes_a_handful_of_calls() {
    let setting = Setting::new(MANIFEST);
    setting.deploy();
    setting.aws.control(&json!({ "reset-calls": true }));
    let again = setting.deploy();
    assert!(again.contains("demo-dev in eu-west-1 of the account 123456789012: unchanged"), "{again}");
    let calls = setting.aws.calls();
    println!("{calls:#?}");
    assert!(calls.len() <= 9, "{calls:?}");
    assert!(!calls.iter().any(|call| call.contains("ChangeSet") || call.contains("PUT")), "{calls:?}");
    assert_eq!(setting.plan()["state"], "unchanged");
}

#[test]
fn the_package_is_not_sent_twice() {
    let setting = Setting::new(MANIFEST);
    setting.deploy();
    setting.succeed(&["delete", "--yes"]);
    setting.aws.control(&json!({ "reset-calls": true }));
    let ran = setting.run(&deploy());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("the package is there already"), "{}", ran.stderr);
}

#[test]
fn what_only_replacement_could_change_is_not_changed() {
    let setting = Setting::new(MANIFEST);
    setting.deploy();
    // A second mapping of one stream and function would be a conflict.
    setting.manifest(&MANIFEST.replace("table =", "starting-position = \"LATEST\"\ntable ="));
    assert_eq!(setting.plan()["state"], "unchanged");
    assert_eq!(setting.mappings()[0]["StartingPosition"], "TRIM_HORIZON");
}

#[test]
fn handlers_share_a_mapping_and_one_may_have_its_own() {
    let manifest = MANIFEST
        .replace("stream = \"orders\"", "stream = \"orders\"\nfilter = [{ eventName = [\"INSERT\"] }]")
        + "\n[handler.b]\ncomponent = \"scripted.wasm\"\nstream = \"orders\"\nfilter = [{ eventName = [\"REMOVE\"] }]\n\n\
           [handler.audit]\ncomponent = \"scripted.wasm\"\nstream = \"orders\"\nfunction = \"own\"\n";
    let setting = Setting::new(&manifest);
    setting.deploy();
    let mut mappings = setting.mappings();
    mappings.sort_by_key(|mapping| mapping["FunctionArn"].as_str().unwrap().len());
    let [shared, own] = mappings.as_slice() else { panic!("{mappings:?}") };
    let patterns = shared["FilterCriteria"]["Filters"].as_array().unwrap();
    assert_eq!(patterns.len(), 2, "{shared}");
    assert!(own["FunctionArn"].as_str().unwrap().ends_with(":function:demo-dev-audit:live"), "{own}");
    assert_eq!(own["FilterCriteria"]["Filters"].as_array().map_or(0, Vec::len), 0, "{own}");
    let function = setting.aws.cli(&["lambda", "get-function-configuration", "--function-name", "demo-dev-audit"]);
    assert_eq!(function["Environment"]["Variables"]["GRISTMILL_FUNCTION"], "demo.audit");
    let plan = setting.plan();
    assert!(plan["notes"].to_string().contains("2 of 2 readers"), "{plan}");
}

#[test]
fn a_mapping_that_ignores_answers_is_made_to_hear_before_code_goes_live() {
    let setting = Setting::new(MANIFEST);
    setting.deploy();
    let uuid = setting.mappings()[0]["UUID"].as_str().unwrap().to_owned();
    setting.aws.cli(&["lambda", "update-event-source-mapping", "--uuid", &uuid, "--function-response-types"]);
    assert_eq!(setting.mappings()[0]["FunctionResponseTypes"].as_array().map_or(0, Vec::len), 0);
    let said = setting.fails(1, &["status"]);
    assert!(said.contains("has no ReportBatchItemFailures: Lambda takes failures for success"), "{said}");
    let plan = setting.plan();
    assert!(plan["notes"].to_string().contains("gets ReportBatchItemFailures first"), "{plan}");
    setting.deploy();
    assert_eq!(setting.mappings()[0]["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
}

#[test]
fn variables_are_the_manifests() {
    let setting = Setting::new(MANIFEST);
    setting.deploy();
    setting.succeed(&["env", "set", "GRISTMILL_METRICS=off", "MORE=a=b"]);
    assert_eq!(setting.succeed(&["env", "list"]), "GRISTMILL_METRICS=off\nMORE=a=b\n");
    let plan = setting.plan();
    assert!(actions(&plan).contains(&("change", "Function")), "{plan}");
    // No value is shown.
    let text = setting.succeed(&["plan", "--bootstrap", host()]);
    assert!(text.contains("Environment.Variables.MORE: differs") && !text.contains("a=b"), "{text}");
    setting.deploy();
    let function = setting.aws.cli(&["lambda", "get-function-configuration", "--function-name", "demo-dev"]);
    assert_eq!(function["Environment"]["Variables"]["MORE"], "a=b");
    setting.succeed(&["env", "unset", "MORE"]);
    let written = fs::read_to_string(setting.project.path().join("gristmill.toml")).unwrap();
    assert!(written.starts_with(MANIFEST), "{written}");
    for (arguments, why) in [
        (["env", "set", "NOTHING"], "it takes NAME=VALUE"),
        (["env", "set", "AWS_REGION=x"], "is set by Lambda or by gristmill"),
        (["env", "unset", "GRISTMIL_METRICS"], "there is `GRISTMILL_METRICS`"),
    ] {
        let said = setting.fails(2, &arguments);
        assert!(said.contains(why), "{said}");
    }
    setting.succeed(&["env", "set", "--env", "prod", "MORE=c"]);
    assert_eq!(setting.succeed(&["env", "list", "--env", "prod"]), "GRISTMILL_METRICS=off\nMORE=c\n");
    assert_eq!(setting.succeed(&["env", "list"]), "GRISTMILL_METRICS=off\n");
}
