//! One suite, every language: `gristmill conformance` on the handler that answers it
//! in each, and the table of docs/languages.md.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::sync::LazyLock;

use gristmill_tests::project::Ran;
use gristmill_tests::{Project, root};
use serde_json::Value;

use super::sharing;
use crate::cases::COMMAND;

const LANGUAGES: [(&str, &str); 7] = [
    ("rust", "Rust"),
    ("js", "JavaScript"),
    ("ts", "TypeScript"),
    ("python", "Python"),
    ("go", "Go"),
    ("c", "C"),
    ("zig", "Zig"),
];

/// The project with a handler in each language, built once.
fn built() -> &'static Project {
    static PROJECT: LazyLock<Project> = LazyLock::new(|| {
        let project = Project::empty(COMMAND);
        let ran = run(&project, &["build"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        project
    });
    &PROJECT
}

/// A command in `tests/conformance`.
fn run(project: &Project, arguments: &[&str]) -> Ran {
    let mut command: Command = project.command(arguments);
    Ran::new(&sharing(command.current_dir(root().join("tests/conformance"))).output().unwrap())
}

/// What the suite says of a language.
fn verdicts(lang: &str, more: &[&str]) -> Value {
    let component = format!(".gristmill/components/{lang}.wasm");
    let ran = run(built(), &[&["conformance", &component, "--output", "json"], more].concat());
    let verdicts = ran.json();
    let wrong: Vec<_> = verdicts["cases"].as_array().unwrap().iter().filter(|case| !case["wrong"].is_null()).collect();
    assert!(wrong.is_empty() && ran.code == 0, "{lang} {more:?}: {wrong:#?}\n{}", ran.stderr);
    verdicts
}

#[test]
fn every_case_passes_in_every_language_and_the_page_says_so() {
    let mut rows: Vec<(String, Vec<bool>)> = Vec::new();
    for (lang, _) in LANGUAGES {
        // As the generator advises for it, and with an instance for each record.
        verdicts(lang, &["--instance-per", "invocation"]);
        let all = verdicts(lang, &[]);
        for (index, case) in all["cases"].as_array().unwrap().iter().enumerate() {
            let name = format!("{}: {}", case["group"].as_str().unwrap(), case["name"].as_str().unwrap());
            if rows.len() == index {
                rows.push((name.clone(), Vec::new()));
            }
            assert_eq!(rows[index].0, name);
            rows[index].1.push(case["wrong"].is_null());
        }
    }
    assert!(rows.len() > 60, "{}", rows.len());
    let mut table = String::from("| case |");
    LANGUAGES.iter().for_each(|(_, name)| table.push_str(&format!(" {name} |")));
    table.push_str(&format!("\n| --- |{}\n", " --- |".repeat(LANGUAGES.len())));
    for (name, passed) in rows {
        let marks: String = passed.iter().map(|passed| if *passed { " yes |" } else { " NO |" }).collect();
        let _ = writeln!(table, "| {name} |{marks}");
    }
    holds_in_page(&table);
}

/// The table between two marks of the page. `GRISTMILL_BLESS=1` writes it.
fn holds_in_page(table: &str) {
    const MARKS: [&str; 2] = ["<!-- conformance -->\n", "<!-- /conformance -->"];
    let path = root().join("docs/languages.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(MARKS[0]).unwrap();
    let (there, after) = rest.split_once(MARKS[1]).unwrap();
    if std::env::var_os("GRISTMILL_BLESS").is_some() {
        fs::write(&path, format!("{before}{}{table}{}{after}", MARKS[0], MARKS[1])).unwrap();
        return;
    }
    assert_eq!(there, table, "docs/languages.md has another table; GRISTMILL_BLESS=1 writes it");
}

#[test]
#[ignore = "StarlingMonkey takes minutes to install and compile; `.ci/deep` runs it"]
fn every_case_passes_on_the_other_engine_of_javascript_too() {
    let copy = tempfile::tempdir().unwrap();
    let manifest = fs::read_to_string(root().join("tests/conformance/gristmill.toml")).unwrap();
    let (head, handlers) = manifest.split_once("[handler.rust]").unwrap();
    let (_, js) = handlers.split_once("[handler.js]").unwrap();
    let (js, _) = js.split_once("[handler.").unwrap();
    let text = format!("{head}[handler.js]{}\njs-engine = \"starlingmonkey\"\n", js.trim_end());
    fs::write(copy.path().join("gristmill.toml"), text).unwrap();
    for (folder, from) in [("handlers", "tests/conformance/handlers"), ("vendor/gristmill-js", "guest-sdk/js")] {
        let to = copy.path().join(folder);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        gristmill_tests::succeed(Command::new("cp").arg("-R").arg(root().join(from)).arg(to));
    }
    let project = Project::empty(COMMAND);
    let run = |arguments: &[&str]| Ran::new(&project.command(arguments).current_dir(copy.path()).output().unwrap());
    let built = run(&["build"]);
    assert_eq!(built.code, 0, "{}", built.stderr);
    for policy in ["record", "invocation"] {
        let ran = run(&["conformance", ".gristmill/components/js.wasm", "--instance-per", policy]);
        assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn a_component_that_does_not_answer_fails_the_suite() {
    let project = Project::empty(COMMAND);
    project.add_guest("scripted");
    let ran = project.run(&["conformance", "scripted.wasm"]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    assert!(ran.stdout.contains(" of ") && ran.stdout.contains("cases passed"), "{}", ran.stdout);
    assert!(ran.stderr.contains("FAILED  values: string"), "{}", ran.stderr);

    for (bytes, says) in [
        (&b"\0asm\x01\0\0\0"[..], "a core WebAssembly module, not a component"),
        (b"", "the file is empty"),
        (b"text", "not WebAssembly"),
    ] {
        project.write("x.wasm", bytes);
        let ran = project.run(&["conformance", "x.wasm"]);
        assert_eq!(ran.code, 1, "{}", ran.stdout);
        assert!(ran.stderr.contains(says), "{}", ran.stderr);
    }
    let ran = project.run(&["conformance", "none.wasm"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("cannot read the component none.wasm"), "{}", ran.stderr);
}
