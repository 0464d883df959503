//! Precompiled code beside `bootstrap`: loaded when a record is for it, and
//! refused when it is not code for this host.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gristmill_tests::events::{doing, of_table};
use gristmill_tests::runtime_api::{Answer, Bootstrap, Deadline, package};
use gristmill_tests::{Project, guests};
use serde_json::Value;
use tempfile::TempDir;
use wasmtime::{Config, Engine, ModuleVersionStrategy};

use crate::cases::COMMAND;

const AMPLE: Deadline = Deadline::In(Duration::from_secs(50));

/// Two tables, and a handler of its own code for each.
const TWO_TABLES: &str = r#"
[project]
name = "demo"
namespace = false

[stream.test-table]
table = "test-table"

[stream.other-table]
table = "other-table"

[handler.a]
component = "scripted.wasm"
stream = "test-table"

[handler.b]
component = "start-trap.wasm"
stream = "other-table"
"#;

fn two_tables() -> TempDir {
    let project = Project::new(COMMAND, TWO_TABLES);
    project.add_guest("start-trap");
    package(&project, "partial")
}

/// The file of a handler's code.
fn module(package: &Path, handler: &str) -> PathBuf {
    let settings: Value = serde_json::from_slice(&fs::read(package.join("handlers.json")).unwrap()).unwrap();
    let handlers = settings["functions"]["demo"]["handlers"].as_array().unwrap();
    let handler = handlers.iter().find(|candidate| candidate["name"] == handler).unwrap();
    package.join(handler["module"].as_str().unwrap())
}

/// Puts another file in the place of a module. Such a file is never written to:
/// a host may have it mapped.
fn replace(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Checks that the function fails for the sake of this file.
fn assert_names(answer: &Answer, handler: &str, path: &Path, reason: &str) {
    let (error_type, message) = answer.error();
    assert_eq!(error_type, "Gristmill.BadModule", "{message}");
    let place = format!("handler {handler:?}: {}: not code that this host runs: ", path.display());
    assert!(message.starts_with(&place) && message.contains(reason), "{message}");
}

#[test]
fn code_that_cannot_be_loaded_fails_its_own_stream_alone() {
    let package = two_tables();
    let (a, b) = (module(package.path(), "a"), module(package.path(), "b"));
    assert_ne!(a, b);
    let code = fs::read(&b).unwrap();
    let ours = doing("ok");
    let theirs = of_table(&ours, "other-table");
    for length in [0, 3, 64, 1000, code.len() / 2, code.len() - 1] {
        replace(&b, &code[..length]);
        let mut bootstrap = Bootstrap::start(package.path(), "demo");
        for _ in 0..2 {
            assert_eq!(bootstrap.invoke(&ours, AMPLE).response(), r#"{"batchItemFailures":[]}"#);
            assert_names(&bootstrap.invoke(&theirs, AMPLE), "b", &b, "");
        }
    }
}

#[test]
fn no_handler_runs_when_the_code_of_one_cannot_be_loaded() {
    let manifest = TWO_TABLES.replace("stream = \"other-table\"", "stream = \"test-table\"");
    let project = Project::new(COMMAND, &manifest);
    project.add_guest("start-trap");
    let package = package(&project, "partial");
    let b = module(package.path(), "b");
    replace(&b, b"");
    let mut bootstrap = Bootstrap::start(package.path(), "demo");
    let answer = bootstrap.invoke(&doing("print here"), AMPLE);
    assert_names(&answer, "b", &b, "");
    assert!(!answer.lines.concat().contains("here"), "{:?}", answer.lines);
    // A record that b does not want needs no code of b.
    let manifest = manifest.replace("[handler.b]", "[handler.b]\nfilter = ['{\"eventName\":[\"REMOVE\"]}']");
    let project = Project::new(COMMAND, &manifest);
    project.add_guest("start-trap");
    let package = gristmill_tests::runtime_api::package(&project, "partial");
    replace(&module(package.path(), "b"), b"");
    let mut bootstrap = Bootstrap::start(package.path(), "demo");
    assert_eq!(bootstrap.invoke(&doing("print here"), AMPLE).response(), r#"{"batchItemFailures":[]}"#);
}

/// What is in the place of a handler's code, and part of the reason that is
/// given.
fn assert_refused(bytes: &[u8], reason: &str) {
    let package = two_tables();
    let a = module(package.path(), "a");
    replace(&a, bytes);
    let mut bootstrap = Bootstrap::start(package.path(), "demo");
    assert_names(&bootstrap.invoke(&doing("ok"), AMPLE), "a", &a, reason);
}

#[test]
fn what_is_no_precompiled_code_is_refused() {
    assert_refused(b"a text that was renamed\n", "ELF");
    assert_refused(&fs::read(guests().join("scripted.wasm")).unwrap(), "ELF");
    assert_refused(&fs::read(gristmill_tests::bootstrap()).unwrap(), "");
}

/// What wasmtime makes of the scripted guest with other settings than ours.
fn compiled(change: impl FnOnce(&mut Config)) -> Vec<u8> {
    let mut config = Config::new();
    config.epoch_interruption(true).memory_reservation(4 << 30).memory_guard_size(32 << 20);
    config.relaxed_simd_deterministic(true);
    change(&mut config);
    let component = fs::read(guests().join("scripted.wasm")).unwrap();
    Engine::new(&config).unwrap().precompile_component(&component).unwrap()
}

#[test]
fn code_of_other_engine_settings_is_refused() {
    let without_epochs = compiled(|config| {
        config.epoch_interruption(false);
    });
    assert_refused(&without_epochs, "epoch interruption");
    let small_memories = compiled(|config| {
        config.memory_reservation(1 << 20);
    });
    assert_refused(&small_memories, "memory reservation");
    let with_fuel = compiled(|config| {
        config.consume_fuel(true);
    });
    assert_refused(&with_fuel, "fuel");
}

#[test]
fn code_of_another_wasmtime_is_refused() {
    let older = compiled(|config| {
        config.module_version(ModuleVersionStrategy::Custom("47".to_owned())).unwrap();
    });
    assert_refused(&older, "incompatible version '47'");
}

#[test]
fn code_with_a_broken_head_is_refused() {
    let package = two_tables();
    let code = fs::read(module(package.path(), "a")).unwrap();
    // The magic, the class and the byte order of ELF.
    for at in [0, 4, 5] {
        let mut code = code.clone();
        code[at] ^= 3;
        assert_refused(&code, "");
    }
}

/// A package is complete: nothing beside it is read, and nothing else is in it.
#[test]
fn a_package_is_bootstrap_its_settings_and_the_code() {
    let package = two_tables();
    let mut names: Vec<String> =
        fs::read_dir(package.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let modules = ["a", "b"].map(|handler| module(package.path(), handler));
    let mut expected: Vec<String> =
        modules.iter().map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    expected.extend(["bootstrap".to_owned(), "handlers.json".to_owned()]);
    expected.sort();
    assert_eq!(names, expected);
}
