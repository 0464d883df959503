//! The sources of `bootstrap`, as they were when this command was built: the
//! host, the contract, and the part of the lock that the host needs. They are
//! in the command itself, so that a package needs no checkout.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::project;
use crate::vendor;

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/host.rs"));

    /// Each file's path below `host`, and its text.
    pub(super) fn host() -> &'static [(&'static str, &'static str)] {
        HOST
    }

    /// The manifest of a workspace with the host alone.
    pub(super) fn workspace() -> &'static str {
        WORKSPACE
    }

    /// Of the checkout's `Cargo.lock`, what the host may need.
    pub(super) fn lock() -> &'static str {
        LOCK
    }
}

/// Every file, by its path below the workspace, in order.
fn files() -> Vec<(PathBuf, &'static str)> {
    let mut files =
        vec![(PathBuf::from("Cargo.toml"), embedded::workspace()), (PathBuf::from("Cargo.lock"), embedded::lock())];
    for (folder, texts) in [("host", embedded::host()), ("host/wit", vendor::wit())] {
        files.extend(texts.iter().map(|(path, text)| (Path::new(folder).join(path), *text)));
    }
    files.sort();
    files
}

/// Feeds every path and text into a digest.
pub(super) fn feed(digest: &mut Sha256) {
    for (path, text) in files() {
        for part in [path.as_os_str().as_encoded_bytes(), text.as_bytes()] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
    }
}

/// Makes a folder hold the sources and nothing else. What is the same already
/// is not written: cargo looks at times.
///
/// # Errors
///
/// When a file cannot be written or removed.
pub(super) fn write(folder: &Path) -> anyhow::Result<()> {
    let files = files();
    let wanted: BTreeSet<PathBuf> = files.iter().map(|(path, _)| folder.join(path)).collect();
    remove_others(folder, &wanted)?;
    for (path, text) in files {
        let path = folder.join(path);
        if fs::read(&path).is_ok_and(|there| there == text.as_bytes()) {
            continue;
        }
        let cannot = || format!("cannot write {}", project::shown(&path));
        path.parent().map_or(Ok(()), fs::create_dir_all).with_context(cannot)?;
        fs::write(&path, text).with_context(cannot)?;
    }
    Ok(())
}

/// Removes every file below a folder that is not wanted there: one of an older
/// command could be a module that shadows another.
fn remove_others(folder: &Path, wanted: &BTreeSet<PathBuf>) -> anyhow::Result<()> {
    let entries = match folder.read_dir() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.with_context(|| format!("cannot read {}", project::shown(folder)))?,
    };
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", project::shown(folder)))?.path();
        let kind = path.symlink_metadata().with_context(|| format!("cannot read {}", project::shown(&path)))?;
        if kind.is_dir() {
            remove_others(&path, wanted)?;
        } else if !wanted.contains(&path) || kind.is_symlink() {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", project::shown(&path)))?;
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

/// A package of a lock: what it is, and the digest of its code.
#[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Locked {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
}

/// Checks that a lock which cargo has gone over names nothing but what the
/// command was built with: the same versions, by the same digests.
///
/// # Errors
///
/// When it does, with the first such package.
pub(super) fn check_lock(text: &str) -> anyhow::Result<()> {
    let read = |text: &str| toml::from_str::<Lock>(text).context("Cargo.lock cannot be read");
    let known: BTreeSet<Locked> = read(embedded::lock())?.package.into_iter().collect();
    if let Some(other) = read(text)?.package.into_iter().find(|package| !known.contains(package)) {
        bail!("cargo wants {} {}, with which bootstrap was never built or tested", other.name, other.version);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_and_its_contract_are_in_the_command() {
        let files = files();
        let has = |path: &str| files.iter().any(|(file, _)| file == Path::new(path));
        for path in ["Cargo.toml", "Cargo.lock", "host/Cargo.toml", "host/src/main.rs", "host/wit/events.wit"] {
            assert!(has(path), "{path}");
        }
        let is_test = |path: &PathBuf| path.iter().any(|part| part == "tests" || part == "tests.rs");
        assert!(!files.iter().any(|(path, _)| is_test(path)));
    }

    #[test]
    fn it_is_built_as_in_the_checkout() {
        let read = |text: &str| text.parse::<toml::Table>().unwrap();
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let theirs = read(&fs::read_to_string(checkout.join("Cargo.toml")).unwrap());
        let ours = read(embedded::workspace());
        assert_eq!(ours["profile"]["release"], theirs["profile"]["release"]);
        for key in ["package", "resolver", "lints"] {
            assert_eq!(ours["workspace"][key], theirs["workspace"][key], "{key}");
        }
        assert_eq!(ours["workspace"]["dependencies"]["wasmtime"], theirs["workspace"]["dependencies"]["wasmtime"]);
        assert_eq!(ours["workspace"]["members"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn the_lock_has_what_the_host_reaches_and_no_more() {
        check_lock(embedded::lock()).unwrap();
        let lock = toml::from_str::<Lock>(embedded::lock()).unwrap();
        let has = |name: &str| lock.package.iter().any(|package| package.name == name);
        assert!(has("gristmill-host") && has("wasmtime") && has("lambda_runtime") && has("tokio"));
        assert!(!has("gristmill") && !has("clap") && !has("aws-config"));
    }

    #[test]
    fn another_version_or_digest_is_refused() {
        let digest = |text: &str| text.lines().find(|line| line.starts_with("checksum = ")).unwrap().to_owned();
        let other = digest(embedded::lock());
        let refused = |text: &str| check_lock(text).unwrap_err().to_string();
        let changed = embedded::lock().replacen(&other, &format!("checksum = \"{}\"", "0".repeat(64)), 1);
        assert!(refused(&changed).starts_with("cargo wants "), "{}", refused(&changed));
        let more = format!("{}\n[[package]]\nname = \"left-pad\"\nversion = \"1.0.0\"\n", embedded::lock());
        assert_eq!(refused(&more), "cargo wants left-pad 1.0.0, with which bootstrap was never built or tested");
        assert!(refused("package = 3").contains("cannot be read"));
    }

    #[test]
    fn what_is_left_of_an_older_command_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path()).unwrap();
        let (stale, link) = (folder.path().join("host/src/event.rs"), folder.path().join("host/src/main.rs"));
        fs::write(&stale, "old").unwrap();
        fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink("/dev/null", &link).unwrap();
        let kept = fs::metadata(folder.path().join("host/Cargo.toml")).unwrap().modified().unwrap();
        write(folder.path()).unwrap();
        assert!(!stale.exists());
        assert!(fs::symlink_metadata(&link).unwrap().is_file());
        assert_eq!(fs::metadata(folder.path().join("host/Cargo.toml")).unwrap().modified().unwrap(), kept);
    }
}
