//! What is not a handler is refused, and the message says what it is.

use std::fs;

use gristmill_tests::Project;

use crate::cases::COMMAND;

const MANIFEST: &str = r#"
[project]
name = "demo"
namespace = false

[stream.test-table]
table = "test-table"

[handler.a]
component = "a.wasm"
stream = "test-table"
"#;

const EVENT: &[u8] = br#"{"Records":[]}"#;

fn project(component: &[u8]) -> Project {
    let project = Project::empty(COMMAND);
    project.write("gristmill.toml", MANIFEST.as_bytes());
    project.write("a.wasm", component);
    project
}

fn wat(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap()
}

/// `check` fails with this for the handler, and `build` fails too.
fn refused(component: &[u8], reason: &str) {
    let project = project(component);
    let check = project.run(&["check", "--output", "json"]);
    assert_eq!(check.code, 1, "{}", check.stderr);
    let report = &check.json()["handlers"][0];
    let refusal = report["refusal"].as_str().unwrap();
    assert!(refusal.contains(reason), "{refusal}");
    assert_eq!(report["isHandler"], false);
    let text = project.run(&["check"]);
    assert!(text.code == 1 && text.stdout.contains(reason), "{}", text.stdout);
    let package = project.path().join("package");
    let build = project.run(&["build", "--package", package.to_str().unwrap()]);
    assert_ne!(build.code, 0, "{}", build.stdout);
    assert!(!package.join("handlers.json").exists());
}

#[test]
fn a_core_module_is_refused() {
    refused(&wat("(module)"), "a core WebAssembly module, not a component");
}

#[test]
fn renamed_text_is_refused() {
    refused(b"(component)", "not WebAssembly");
    refused(b"", "the file is empty");
    refused(b"\x7fELF\x02\x01\x01", "precompiled or native code, not a component");
}

#[test]
fn a_truncated_component_is_refused() {
    let whole = fs::read(gristmill_tests::guests().join("scripted.wasm")).unwrap();
    refused(&whole[..whole.len() / 2], "the component does not compile");
    refused(&whole[..6], "WebAssembly of an encoding that is not known, or cut short");
}

#[test]
fn a_component_of_another_world_is_refused() {
    let run = wat(r#"(component
        (core module $m (func (export "run")))
        (core instance $i (instantiate $m))
        (func (export "run") (canon lift (core func $i "run"))))"#);
    refused(&run, "it must export gristmill:events/handler@0.1.0, and exports run");
    refused(&wat("(component)"), "and exports nothing");
}

#[test]
fn a_handler_of_another_type_is_refused() {
    let component = wat(r#"(component
        (core module $m (func (export "h")))
        (core instance $i (instantiate $m))
        (func $f (canon lift (core func $i "h")))
        (instance $h (export "handle" (func $f)))
        (export "gristmill:events/handler@0.1.0" (instance $h)))"#);
    refused(&component, "not a handler of gristmill:events/stream-handler@0.1.0");
}

#[test]
fn an_import_that_is_not_granted_is_named() {
    let http = wat(r#"(component (import "wasi:http/outgoing-handler@0.2.0" (instance)))"#);
    refused(&http, "it imports what no handler has: wasi:http/outgoing-handler@0.2.0");
    let text = project(&http).run(&["check"]).stdout;
    let why = "outbound HTTP would have to be granted ([handler.NAME.allow] http), and grants are not there yet";
    assert!(text.contains(why), "{text}");
    let next = wat(r#"(component (import "gristmill:events/log@0.2.0" (instance)))"#);
    refused(&next, "it imports what no handler has: gristmill:events/log@0.2.0");
}

#[test]
fn invoke_fails_on_what_is_no_handler() {
    let project = project(&wat("(module)"));
    let ran = project.run_with_input(&["invoke", "--event", "-"], EVENT);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("handler a: a.wasm: a core WebAssembly module, not a component"), "{}", ran.stderr);
}

#[test]
fn a_component_that_is_not_there_is_told_with_its_line() {
    let project = project(b"");
    fs::remove_file(project.path().join("a.wasm")).unwrap();
    let ran = project.run(&["check"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("gristmill.toml:10:13"), "{}", ran.stderr);
}

#[test]
fn precompiled_code_is_never_loaded_from_a_manifest() {
    let project = project(b"");
    project.write("gristmill.toml", MANIFEST.replace("a.wasm", "a.cwasm").as_bytes());
    project.write("a.cwasm", b"\x7fELF");
    let ran = project.run(&["check"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains(".wasm"), "{}", ran.stderr);
}

#[test]
fn the_cache_is_the_users_own_and_outside_of_the_project() {
    use std::os::unix::fs::PermissionsExt as _;
    let component = fs::read(gristmill_tests::guests().join("scripted.wasm")).unwrap();
    let project = project(&component);
    let run_in = |cache: &std::path::Path| {
        let output = project.command(&["check"]).env("XDG_CACHE_HOME", cache).output().unwrap();
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
    };
    let inside = project.path().canonicalize().unwrap().join("cache");
    assert!(run_in(&inside).contains("is in the project"), "{}", run_in(&inside));

    let elsewhere = tempfile::tempdir().unwrap();
    let open = elsewhere.path().join("gristmill");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(run_in(elsewhere.path()).contains("others can read or write it"), "{}", run_in(elsewhere.path()));

    fs::remove_dir(&open).unwrap();
    std::os::unix::fs::symlink("/tmp", &open).unwrap();
    assert!(run_in(elsewhere.path()).contains("it is a symbolic link"), "{}", run_in(elsewhere.path()));
}
