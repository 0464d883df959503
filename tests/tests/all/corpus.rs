//! The kept corpus of the fuzz targets, through the checks that the targets
//! make: what fuzzing has shown once holds without a fuzzer too.

use std::collections::BTreeMap;
use std::fs;
use std::panic::catch_unwind;

use gristmill_tests::root;

// The targets are a workspace of their own, which is built for fuzzing only.
#[path = "../../fuzz/src/checks/mod.rs"]
#[allow(dead_code, unreachable_pub, reason = "another crate's module")]
mod checks;

/// By target, the names and contents of its files.
fn corpus() -> BTreeMap<String, Vec<(String, Vec<u8>)>> {
    let entries = |path| fs::read_dir(path).unwrap().map(|entry| entry.unwrap());
    let name = |entry: &fs::DirEntry| entry.file_name().into_string().unwrap();
    let folders = entries(root().join("tests/fuzz/corpus"));
    let files = |folder: fs::DirEntry| {
        let mut files: Vec<_> =
            entries(folder.path()).map(|file| (name(&file), fs::read(file.path()).unwrap())).collect();
        files.sort();
        (name(&folder), files)
    };
    folders.map(files).collect()
}

#[test]
fn the_kept_corpus_of_every_fuzz_target_passes_its_check() {
    let corpus = corpus();
    let mut failed = Vec::new();
    for (target, check) in checks::ALL {
        for (name, data) in &corpus[target] {
            if catch_unwind(|| check(data)).is_err() {
                failed.push(format!("tests/fuzz/corpus/{target}/{name}"));
            }
        }
    }
    assert!(failed.is_empty(), "what is wrong stands above:\n{}", failed.join("\n"));
}

#[test]
fn the_kept_corpus_is_small_and_every_folder_is_a_target() {
    let corpus = corpus();
    let mut targets = checks::ALL.map(|(target, _)| target);
    targets.sort_unstable();
    assert_eq!(corpus.keys().collect::<Vec<_>>(), targets);
    let files = || corpus.values().flatten();
    for (name, data) in files() {
        assert!(data.len() <= 4_096, "{name} has {} bytes, and no target reads more than 4,096", data.len());
    }
    assert!(files().count() <= 500, "{} files", files().count());
    let bytes: usize = files().map(|(_, data)| data.len()).sum();
    assert!(bytes <= 1_000_000, "{bytes} bytes");
}
