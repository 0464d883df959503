//! `docs/guarantees.md` names the tests that hold each promise. A name that no
//! test has is a promise that nothing holds.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use gristmill_tests::root;

/// A row of a table: the promise's number and the tests that it names.
struct Promise {
    id: String,
    tests: Vec<String>,
}

fn promises() -> Vec<Promise> {
    let text = fs::read_to_string(root().join("docs/guarantees.md")).unwrap();
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<&str> =
            line.strip_prefix('|')?.trim_end().strip_suffix('|')?.split('|').map(str::trim).collect();
        let [id, _, tests] = cells.as_slice() else { return None };
        let is_id = id.starts_with(['R', 'G']) && id[1..].bytes().all(|b| b.is_ascii_digit()) && id.len() > 1;
        let tests = tests.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        is_id.then(|| Promise { id: (*id).to_owned(), tests })
    });
    rows.collect()
}

/// The names of all functions that follow `#[test]`, and of all cases.
fn tests_of_the_repo() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for folder in ["host", "guest-sdk/rust", "deployer", "tests"] {
        collect(&root().join(folder), &mut names);
    }
    for entry in fs::read_dir(root().join("tests/cases")).unwrap() {
        names.insert(format!("case:{}", entry.unwrap().path().file_stem().unwrap().to_str().unwrap()));
    }
    names
}

fn collect(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !["target", "wit"].contains(&name) {
            collect(&path, names);
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(&path).unwrap();
            let mut is_test = false;
            for line in text.lines().map(str::trim) {
                is_test = is_test || line.starts_with("#[test]") || line.starts_with("#[tokio::test");
                if let Some(rest) = line.strip_prefix("fn ").or_else(|| line.strip_prefix("async fn "))
                    && is_test
                {
                    is_test = false;
                    names.insert(rest.split('(').next().unwrap().to_owned());
                }
            }
        }
    }
}

#[test]
fn every_named_test_exists() {
    let known = tests_of_the_repo();
    let mut missing = Vec::new();
    for Promise { id, tests } in promises() {
        for test in tests {
            let name = test.rsplit("::").next().unwrap();
            if !known.contains(name) && !known.contains(&test) {
                missing.push(format!("{id}: {test}"));
            }
        }
    }
    assert!(missing.is_empty(), "docs/guarantees.md names tests that are not there:\n{}", missing.join("\n"));
}

#[test]
fn every_rule_of_a_batch_has_a_row() {
    let promises = promises();
    for rule in 1..=15 {
        let id = format!("R{rule}");
        let promise = promises.iter().find(|promise| promise.id == id);
        assert!(promise.is_some(), "docs/guarantees.md has no row for {id}");
        // R13 promises a memo only once there is a state table.
        assert!(rule == 13 || !promise.unwrap().tests.is_empty(), "{id} names no test");
    }
}

#[test]
fn every_rule_that_a_case_claims_is_a_rule() {
    for (name, case) in crate::cases::all() {
        assert!(!case.about.is_empty() && !case.rules.is_empty(), "{name}");
        for rule in &case.rules {
            let number: u32 = rule.strip_prefix('R').unwrap().parse().unwrap();
            assert!((1..=15).contains(&number), "{name}: {rule}");
        }
    }
}
