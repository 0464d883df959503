//! Tools from npm: a lock file with digests, installed as it is.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use gristmill_host::guest::compile::hex;
use sha2::{Digest as _, Sha256};

use super::ensure;
use crate::project;

/// The oldest Node that the tools run on.
const NODE: (u32, u32) = (20, 0);

/// The name of a lock.
const LOCK: &str = "package-lock.json";

/// Packages with their lock, and the scripts beside them.
pub(crate) struct Packages {
    /// What they are for: the first part of the folder's name.
    pub(crate) name: &'static str,
    /// Each file's path, and its text: `package.json` and `package-lock.json`
    /// among them. Each folder with a lock is installed by itself.
    pub(crate) files: &'static [(&'static str, &'static str)],
    /// How much is fetched, for people.
    pub(crate) size: &'static str,
}

/// The folder of the packages, installed now if it is not there. A change of any
/// of their files is another folder.
///
/// # Errors
///
/// When they are not there and npm cannot install them, or must not; without
/// Node, or with an old one.
pub(crate) fn packages(tools: &Path, packages: &Packages, offline: bool) -> anyhow::Result<PathBuf> {
    check_node()?;
    let name = format!("{}-{}", packages.name, digest(packages));
    ensure(tools, &name, |new| {
        if offline {
            bail!(
                "{name}, the tools of JavaScript, is not in {}, and --offline forbids to install it; build once without",
                project::shown(tools)
            );
        }
        eprintln!("installing {name} from npm into {} ({}, once)", project::shown(tools), packages.size);
        for (file, text) in packages.files {
            let path = new.join(file);
            let folder = path.parent().unwrap_or(new);
            fs::create_dir_all(folder)
                .and_then(|()| fs::write(&path, text))
                .with_context(|| format!("cannot write {}", project::shown(&path)))?;
        }
        for (file, _) in packages.files.iter().filter(|(file, _)| file.ends_with(LOCK)) {
            ci(&new.join(file.trim_end_matches(LOCK)), &name)?;
        }
        Ok(())
    })
}

/// Installs a folder's lock as it is.
///
/// # Errors
///
/// When npm does not start or fails.
pub(crate) fn ci(dir: &Path, what: &str) -> anyhow::Result<()> {
    let mut npm = Command::new("npm");
    // Nothing that a package brings is run when it is installed.
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel", "error"])
        .current_dir(dir);
    let status = npm.stdin(Stdio::null()).stdout(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            bail!("npm could not install {what} ({status}); its messages are above. The registry is needed once")
        }
        Err(error) => bail!(
            "{what} is installed by npm, which does not start ({error}); install it (Debian: apt-get install npm)"
        ),
    }
}

/// Part of the digest of what they are.
pub(crate) fn digest(packages: &Packages) -> String {
    let mut digest = Sha256::new();
    for (file, text) in packages.files {
        digest.update(file.as_bytes());
        digest.update([0]);
        digest.update(text.as_bytes());
        digest.update([0]);
    }
    hex(&digest.finalize()[..6])
}

fn check_node() -> anyhow::Result<()> {
    let (major, minor) = NODE;
    match super::says("node", &["--version"]).and_then(|says| super::first_version(&says)) {
        None => bail!(
            "a handler in JavaScript or TypeScript is built by Node {major} or newer, and node is not on PATH; install it, \
             see https://nodejs.org"
        ),
        Some(found) if found < (major, minor) => bail!(
            "a handler in JavaScript or TypeScript is built by Node {major} or newer, and node on PATH is {}.{}; install a \
             newer one, see https://nodejs.org",
            found.0,
            found.1
        ),
        Some(_) => Ok(()),
    }
}
