//! The commands as the documents show them, from nothing to an answer.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use gristmill_tests::project::Ran;
use gristmill_tests::{cache_home, cargo, root, target_dir};
use serde_json::Value;

use crate::cases::COMMAND;

/// The command in a folder, with nothing on standard input.
fn run(folder: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::new(COMMAND);
    command.args(arguments).current_dir(folder).env("XDG_CACHE_HOME", cache_home()).stdin(Stdio::null());
    Ran::new(&sharing(&mut command).output().unwrap())
}

/// What these projects depend on is built once for all of them. What cargo makes of
/// their own crates is in a folder of each.
fn sharing(command: &mut Command) -> &mut Command {
    command.env("CARGO_BUILD_BUILD_DIR", target_dir().join("walks"))
}

/// The same, which must succeed.
fn succeed(folder: &Path, arguments: &[&str]) -> String {
    let ran = run(folder, arguments);
    assert_eq!(ran.code, 0, "{arguments:?}\n{}\n{}", ran.stdout, ran.stderr);
    ran.stdout
}

/// Everything that a newcomer does, in a folder.
fn walk(folder: &Path) {
    succeed(folder, &["new", "demo"]);
    let demo = folder.join("demo");
    let clerk = ["generate", "event", "clerk", "--trigger", "dynamodb", "--table", "test-table", "--method", "file"];
    succeed(&demo, &clerk);

    // The example in the repository is what the generator writes, and one handler more.
    let read = |folder: &Path, file: &str| fs::read_to_string(folder.join(file)).unwrap();
    let example = root().join("examples/clerk");
    let (ours, theirs) =
        (read(&demo, "handlers/clerk-file/src/lib.rs"), read(&example, "handlers/clerk-file/src/lib.rs"));
    assert_eq!(ours, theirs);
    let more = "\n[handler.clerk-check]\nsource = \"handlers/clerk-check\"\nstream = \"test-table\"\n";
    assert_eq!(read(&demo, "gristmill.toml") + more, read(&example, "gristmill.toml"));

    let unbuilt = run(&demo, &["invoke", "--event", "gristmill.toml"]);
    assert_eq!(unbuilt.code, 2);
    assert!(unbuilt.stderr.contains("handler clerk-file is not built; run `gristmill build`"), "{}", unbuilt.stderr);

    let built = succeed(&demo, &["build"]);
    assert!(built.starts_with("clerk-file: component "), "{built}");

    let event = succeed(&demo, &["generate", "sample"]);
    fs::write(demo.join("event.json"), &event).unwrap();
    let records = serde_json::from_str::<Value>(&event).unwrap()["Records"].as_array().unwrap().len();
    let invoked = succeed(&demo, &["invoke", "--event", "event.json"]);
    assert_eq!(invoked.matches("clerk-file [stdout] event: ").count(), records, "{invoked}");
    assert!(invoked.contains("demo-dev_test-table"), "{invoked}");
    assert!(invoked.ends_with("{\"batchItemFailures\":[]}\n"), "{invoked}");

    let checked = succeed(&demo, &["check"]);
    assert!(checked.contains("clerk-file: a handler\n  exports  gristmill:events/handler@0.1.0\n"), "{checked}");
    assert_eq!(succeed(&demo, &["validate"]), checked);

    // Another environment is another table.
    let prod = run(&demo, &["invoke", "--event", "event.json", "--env", "prod"]);
    assert_eq!(prod.code, 1);
    assert!(prod.stdout.contains("the nearest configured is \"demo-prod_test-table\""), "{}", prod.stdout);

    // Another method is another handler, on the same stream.
    succeed(&demo, &["generate", "event", "clerk", "--trigger", "dynamodb", "--method", "shred"]);
    succeed(&demo, &["build"]);
    let invoked = succeed(&demo, &["invoke", "--event", "event.json", "--output", "json"]);
    let outcomes = &serde_json::from_str::<Value>(&invoked).unwrap()["records"][0]["outcomes"];
    assert_eq!(outcomes.as_array().unwrap().len(), 2);

    // A generated handler's own unit test needs no WASM.
    gristmill_tests::succeed(sharing(cargo(&demo).args(["test", "--quiet"])));

    // A source that does not compile: cargo's own words, and exit code 1.
    let source = demo.join("handlers/clerk-shred/src/lib.rs");
    fs::write(&source, "this is no Rust").unwrap();
    let stale = run(&demo, &["invoke", "--event", "event.json"]);
    assert!(stale.stderr.contains("the source of clerk-shred changed after it was built"), "{}", stale.stderr);
    let broken = run(&demo, &["build"]);
    assert_eq!(broken.code, 1);
    assert!(broken.stderr.contains("error: expected one of"), "{}", broken.stderr);
    assert!(broken.stderr.contains("error: handler clerk-shred: cargo failed in"), "{}", broken.stderr);
}

#[test]
fn the_commands_work_outside_of_the_checkout() {
    walk(tempfile::tempdir().unwrap().path());
}

#[test]
fn the_commands_work_inside_of_the_checkout() {
    walk(tempfile::tempdir_in(root()).unwrap().path());
}

#[test]
fn the_seed_event_gives_the_clerks_line_and_the_answer() {
    let clerk = root().join("examples/clerk");
    let invoked = succeed(&clerk, &["invoke", "--build", "--handler", "clerk-file", "--event", "event.json"]);
    let lines: Vec<&str> = invoked.lines().collect();
    assert!(
        lines[0].starts_with("clerk-file [stdout] event: MODIFY test-table keys {\"id\":{\"S\":\"1\"}}"),
        "{invoked}"
    );
    assert!(lines[1].starts_with("clerk-file 261800000000059086429283 MODIFY: done"), "{invoked}");
    assert_eq!(lines[2..], ["{\"batchItemFailures\":[]}"]);

    // Without --handler the table decides.
    let event = fs::read_to_string(clerk.join("event.json")).unwrap();
    let ran = run(&clerk, &["invoke", "--event", "event.json"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.contains("Gristmill.Unrouted"), "{}", ran.stdout);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("event.json");
    fs::write(&path, event.replace("table/test-table/", "table/demo-dev_test-table/")).unwrap();
    let invoked = succeed(&clerk, &["invoke", "--event", path.to_str().unwrap()]);
    assert!(invoked.ends_with("{\"batchItemFailures\":[]}\n"), "{invoked}");
}

#[test]
fn the_change_log_example_tells_what_changed() {
    let example = root().join("examples/change-log");
    let invoked = succeed(&example, &["invoke", "--build", "--event", "event.json"]);
    // Order 2 is another item, whose call may end before or after any of order 1.
    let (expired, others): (Vec<&str>, Vec<&str>) =
        invoked.lines().filter(|line| line.starts_with("change-log [")).partition(|line| line.contains("order=\"2\""));
    assert_eq!(
        others,
        [
            "change-log [info] new: open, 1200 cents, no courier order=\"1\"",
            "change-log [info] added {\"S\":\"Zoë\"} order=\"1\" attribute=\"courier\"",
            "change-log [info] modified from {\"S\":\"open\"} to {\"S\":\"paid\"} order=\"1\" attribute=\"status\"",
            "change-log [info] gone: paid, 1200 cents, by Zoë order=\"1\"",
        ]
    );
    assert_eq!(expired, ["change-log [debug] expired order=\"2\""]);
    let readme = fs::read_to_string(example.join("README.md")).unwrap();
    assert!(others.iter().chain(&expired).all(|line| readme.contains(line)), "{invoked}");
    assert_eq!(invoked.matches(": done, ").count(), 5, "{invoked}");
    assert!(invoked.ends_with("{\"batchItemFailures\":[]}\n"), "{invoked}");

    // What makes records by hand is for the tests, and the linker drops it: a text of it, and one of the handler.
    let component = fs::read(example.join(".gristmill/components/change-log.wasm")).unwrap();
    let has = |text: &str| component.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(has("the stream does not carry new images"));
    assert!(!has("is no table's name") && !has("2026-01-05T09:30:00"));

    // The handler's own tests are native, and hold event.json to the records that they use.
    gristmill_tests::succeed(sharing(cargo(&example).args(["test", "--quiet", "--locked"])));
    // An editor checks it natively, where the handler is nobody's: no warning of it either.
    let checked = gristmill_tests::succeed(sharing(cargo(&example).args(["check", "--quiet", "--locked"])));
    assert_eq!(String::from_utf8_lossy(&checked.stderr), "");
}

#[test]
fn the_bare_example_needs_no_sdk() {
    let bare = root().join("examples/bare");
    succeed(&bare, &["build"]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("event.json");
    fs::write(&path, succeed(&bare, &["generate", "sample", "-n", "1"])).unwrap();
    let invoked = succeed(&bare, &["invoke", "--event", path.to_str().unwrap()]);
    assert!(invoked.contains("bare [info] INSERT {\"id\":"), "{invoked}");
    assert!(invoked.ends_with("{\"batchItemFailures\":[]}\n"), "{invoked}");
}
