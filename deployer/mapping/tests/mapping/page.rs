//! `docs/mapping.md` has a row for each parameter, and names tests that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use gristmill_mapping::Configuration;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn page() -> String {
    fs::read_to_string(root().join("docs/mapping.md")).unwrap()
}

/// The functions that are tests in a file, by module and name.
fn tests(path: &Path, module: &str, found: &mut BTreeSet<String>) {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("fn ").filter(|_| is_test) {
            let name = name.split('(').next().unwrap();
            assert!(found.insert(format!("{module}::{name}")), "{module}::{name} is there twice");
        }
        is_test = line == "#[test]";
    }
}

#[test]
fn every_parameter_has_a_row_with_a_test() {
    let configuration = Configuration::create(&gristmill_mapping::testing::parameters()).unwrap();
    let fields = serde_json::to_value(configuration).unwrap();
    let page = page();
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| "))
        .map(|row| row.trim_end_matches(" |").split(" | ").map(str::trim).collect())
        .collect();
    let names: Vec<&String> = fields.as_object().unwrap().keys().collect();
    assert_eq!(names.len(), 17);
    for name in names {
        let row = rows.iter().find(|row| row[0] == name).unwrap_or_else(|| panic!("{name} has no row"));
        assert!(row.last().unwrap().starts_with('`'), "{name} names no test");
    }
}

#[test]
fn every_test_that_is_named_exists() {
    let mut found = BTreeSet::new();
    let here = root().join("deployer/mapping");
    for entry in fs::read_dir(here.join("tests/mapping")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            tests(&path, path.file_stem().unwrap().to_str().unwrap(), &mut found);
        }
    }
    for (file, module) in [
        ("src/configuration/tests.rs", "configuration::tests"),
        ("src/response.rs", "response::tests"),
        ("src/backoff.rs", "backoff::tests"),
    ] {
        tests(&here.join(file), module, &mut found);
    }
    let page = page();
    let tables = page.split("## What is open").next().unwrap();
    let named: Vec<&str> = tables.split('`').skip(1).step_by(2).filter(|word| word.contains("::")).collect();
    // A type's own, and no test's module.
    let named: Vec<&str> = named.into_iter().filter(|word| !word.starts_with(char::is_uppercase)).collect();
    assert!(named.len() > 60, "{} names", named.len());
    let missing: Vec<&&str> = named.iter().filter(|name| !found.contains(**name)).collect();
    assert!(missing.is_empty(), "docs/mapping.md names tests that are not there: {missing:#?}");
}
