//! Handlers in every language: the same commands, and the same answers.
//!
//! The tools are installed from the ordinary registries by the command itself, into
//! the tests' cache.

use std::fs;
use std::path::{Path, PathBuf};

use gristmill_tests::dev::Dev;
use gristmill_tests::project::Ran;
use gristmill_tests::{Project, events, root};
use serde_json::{Value, json};

use crate::cases::COMMAND;

mod conformance;
mod mistakes;
mod native;
mod shared;

/// A project in a folder whose name has a space and letters that are not ASCII.
struct Setting {
    outside: Project,
    root: PathBuf,
}

const FOLDER: &str = "mein tönendes Projekt";

impl Setting {
    /// With a handler of a language, as the generator writes it.
    fn new(lang: &str) -> Self {
        let outside = Project::empty(COMMAND);
        let made = outside.run(&["new", FOLDER, "--name", "demo"]);
        assert_eq!(made.code, 0, "{}", made.stderr);
        let root = outside.path().join(FOLDER);
        let setting = Self { outside, root };
        setting.generate("clerk", lang);
        setting
    }

    fn generate(&self, name: &str, lang: &str) -> Value {
        let arguments = ["generate", "event", name, "--trigger", "dynamodb", "--table", "test-table"];
        self.succeed(&[&arguments[..], &["--method", "file", "--lang", lang, "--output", "json"]].concat()).json()
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.outside.command(arguments);
        Ran::new(&sharing(command.current_dir(&self.root)).output().unwrap())
    }

    fn succeed(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}\n{}\n{}", ran.stdout, ran.stderr);
        ran
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.root.join(path), text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap()
    }
}

/// What crates in Rust depend on is built once for all projects.
fn sharing(command: &mut std::process::Command) -> &mut std::process::Command {
    command.env("CARGO_BUILD_BUILD_DIR", gristmill_tests::target_dir().join("walks"))
}

/// The event that every language is given, and what each must make of it.
fn seed() -> (Vec<u8>, Value) {
    let event = events::of_table(&events::seed(None), "demo-dev_test-table");
    let message = r#"event: MODIFY demo-dev_test-table keys {"id":{"S":"1"}} old {"name":{"S":"Tung"},"id":{"S":"1"}} new {"name":{"S":"Tung Nguyen"},"id":{"S":"1"}}"#;
    let record = &serde_json::from_slice::<Value>(&event).unwrap()["Records"][0];
    let number = &record["dynamodb"]["SequenceNumber"];
    let invoked = json!({
        "answer": { "batchItemFailures": [] },
        "error": null,
        "comeAgainFrom": null,
        "records": [{
            "sequenceNumber": number,
            "eventId": record["eventID"],
            "eventName": "MODIFY",
            "outcomes": [{ "handler": "clerk-file", "outcome": "done", "detail": null }],
        }],
        "log": [{ "handler": "clerk-file", "sequenceNumber": number, "stream": "stdout", "message": message }],
    });
    (event, invoked)
}

/// From nothing to a handler that is changed while it runs.
fn walk(lang: &str, file: &str) {
    let setting = Setting::new(lang);
    let text = setting.read(file);
    assert!(text.contains("event:"), "{text}");

    let built = setting.succeed(&["build", "--output", "json"]).json();
    let handler = &built["handlers"][0];
    assert_eq!(handler["isHandler"], true, "{built}");
    let imports = handler["imports"].as_array().unwrap();
    assert!(imports.iter().any(|name| name == "gristmill:events/types@0.1.0"), "{built}");
    let checked = setting.succeed(&["check"]).stdout;
    assert!(checked.contains("clerk-file: a handler"), "{checked}");

    // Nothing has changed: nothing is built or compiled again, and no network is needed.
    let again = setting.succeed(&["build", "--offline", "--output", "json"]);
    assert!(!again.stderr.contains("ahead of time"), "{}", again.stderr);
    if lang != "rust" {
        assert!(again.stderr.contains("handlers/clerk-file is as it was built before"), "{}", again.stderr);
    }
    assert_eq!(again.json()["handlers"][0]["componentBytes"], handler["componentBytes"]);

    let (event, expected) = seed();
    fs::write(setting.root.join("event.json"), event).unwrap();
    let invoked = setting.succeed(&["invoke", "--event", "event.json", "--output", "json"]).json();
    assert_eq!(invoked, expected, "{lang}");
    let before = left_in(&setting.root.join("handlers/clerk-file"));

    let mut command = setting.outside.command(&["dev", "--output", "json", "--port", "0", "--create-tables"]);
    sharing(command.current_dir(&setting.root));
    let mut dev = Dev::run(command);
    dev.ready();
    dev.put("demo-dev_test-table", "1", "x");
    let line = dev.wait_for("the first line", |event| event["type"] == "line");
    let message = r#"INSERT demo-dev_test-table keys {"id":{"S":"1"}} new {"do":{"S":"x"},"id":{"S":"1"}}"#;
    assert_eq!(parts(&line["message"]), ("event", items(message)));
    setting.write(file, &text.replace("event:", "changed:"));
    dev.wait_for("the swap", |event| event["type"] == "swapped");
    dev.put("demo-dev_test-table", "2", "x");
    let line = dev.wait_for("the changed line", |event| event["type"] == "line");
    assert_eq!(parts(&line["message"]).0, "changed", "{line}");
    assert!(dev.interrupt().success());

    assert_eq!(left_in(&setting.root.join("handlers/clerk-file")), before, "a build leaves nothing in the folder");
}

/// A printed line: what is before the record, and the record's parts, without the
/// order of attributes, which is the database's.
fn parts(message: &Value) -> (&str, Vec<Value>) {
    let (before, record) = message.as_str().unwrap().split_once(": ").unwrap();
    (before, items(record))
}

fn items(record: &str) -> Vec<Value> {
    record.split(' ').map(|part| serde_json::from_str(part).unwrap_or_else(|_| json!(part))).collect()
}

/// The names of all that is in a folder.
fn left_in(folder: &Path) -> Vec<PathBuf> {
    let mut names = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path.clone());
            }
            names.push(path);
        }
    }
    names.sort();
    names
}

#[test]
fn rust_from_new_to_a_change_while_it_runs() {
    walk("rust", "handlers/clerk-file/src/lib.rs");
}

#[test]
fn javascript_from_new_to_a_change_while_it_runs() {
    walk("js", "handlers/clerk-file/src/index.js");
}

#[test]
fn typescript_from_new_to_a_change_while_it_runs() {
    walk("ts", "handlers/clerk-file/src/index.ts");
}

#[test]
fn python_from_new_to_a_change_while_it_runs() {
    walk("python", "handlers/clerk-file/handler.py");
}

#[test]
fn go_from_new_to_a_change_while_it_runs() {
    walk("go", "handlers/clerk-file/main.go");
}

#[test]
fn c_from_new_to_a_change_while_it_runs() {
    walk("c", "handlers/clerk-file/src/handler.c");
}

#[test]
fn zig_from_new_to_a_change_while_it_runs() {
    walk("zig", "handlers/clerk-file/src/main.zig");
}

#[test]
fn handlers_of_all_languages_are_side_by_side_in_one_project() {
    let setting = Setting::new("rust");
    for lang in ["js", "python", "c"] {
        setting.generate(&format!("in-{lang}"), lang);
    }
    // Cargo goes on with the crates alone.
    assert!(setting.read("Cargo.toml").contains("members = [\"handlers/clerk-file\"]"));
    setting.generate("second", "rust");
    assert!(setting.read("Cargo.toml").contains("members = [\"handlers/clerk-file\", \"handlers/second-file\"]"));
    // A package of PyPI's.
    setting.write("handlers/in-python-file/requirements.txt", "six==1.17.0\n");
    let handler = setting.read("handlers/in-python-file/handler.py");
    let handler = handler.replace("print(f\"event:", "print(six.ensure_str(b\"event:\") + f\"");
    setting.write("handlers/in-python-file/handler.py", &format!("import six\n{handler}"));
    setting.succeed(&["build"]);
    fs::write(setting.root.join("event.json"), seed().0).unwrap();
    let invoked = setting.succeed(&["invoke", "--event", "event.json", "--output", "json"]).json();
    let lines = invoked["log"].as_array().unwrap();
    assert_eq!(lines.len(), 5, "{invoked}");
    assert!(lines.iter().all(|line| line["message"] == lines[0]["message"]), "{invoked}");
}

/// Not built here: what it has is what the walks above build.
#[test]
fn the_example_in_all_languages_is_what_the_generator_writes() {
    let example = root().join("examples/languages");
    let setting = Setting::new("rust");
    let mut entries = String::new();
    for lang in ["js", "ts", "python", "go", "c", "zig"] {
        let before = setting.read("gristmill.toml");
        setting.generate(&format!("clerk-{lang}"), lang);
        entries.push_str(setting.read("gristmill.toml").strip_prefix(&before).unwrap());
        let folder = format!("handlers/clerk-{lang}-file");
        for path in left_in(&setting.root.join(&folder)).iter().filter(|path| path.is_file()) {
            let name = path.strip_prefix(&setting.root).unwrap();
            let there = fs::read_to_string(example.join(name)).unwrap_or_else(|error| panic!("{name:?}: {error}"));
            assert_eq!(there, fs::read_to_string(path).unwrap(), "{name:?}");
        }
    }
    let manifest = fs::read_to_string(example.join("gristmill.toml")).unwrap();
    assert!(manifest.ends_with(&entries), "{entries}");
}

#[test]
fn the_examples_in_other_languages_do_what_they_say() {
    for example in ["search-index", "aggregate-counter"] {
        let folder = root().join("examples").join(example);
        let project = Project::empty(COMMAND);
        let run = |arguments: &[&str]| {
            let mut command = project.command(arguments);
            Ran::new(&command.current_dir(&folder).output().unwrap())
        };
        let built = run(&["build"]);
        assert_eq!(built.code, 0, "{}", built.stderr);
        let invoked = run(&["invoke", "--event", "event.json", "--output", "json"]);
        let told = invoked.json();
        let outcomes = told["records"].as_array().unwrap().iter().map(|record| &record["outcomes"][0]["outcome"]);
        let outcomes: Vec<_> = outcomes.map(|outcome| outcome.as_str().unwrap()).collect();
        // Each has one record that it rejects, to show how.
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == "rejected").count(), 1, "{example}: {told}");
        assert!(outcomes.iter().all(|outcome| ["done", "rejected", "not-run"].contains(outcome)), "{example}: {told}");
        assert!(!told["log"].as_array().unwrap().is_empty(), "{example}");
    }
}
