//! The linker for another machine and another glibc: cargo-zigbuild and zig,
//! from PyPI into the user's cache.
//!
//! What is on PATH by these names is never used: a binary that is shipped comes
//! of tools whose digests are known, and of the same ones on every machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use crate::project;

/// The packages and the digests of their wheels, in the form of pip's
/// requirements: for Linux on x86_64 and on arm64.
const REQUIREMENTS: &str = "\
cargo-zigbuild==0.24.1 \
    --hash=sha256:238a1ab54a95053a4eadc34775c81f795a8ad75f80bfed63f3f445f518102375 \
    --hash=sha256:07c5e3dcddf208500462ec927c556bb306cca2b533b0abe29446bffb63767b85
ziglang==0.17.1 \
    --hash=sha256:ea6cc5d87b033cf0aedfbc8f9549a908cae6c50ac31f1698188fa48a74524b54 \
    --hash=sha256:b7c5f02fccd40f89b999ee16a1f5ddced56e6182370f8affe494bcf8a28cf07e
";

/// What both are, for the digest of what they build and for their folder.
pub(super) const VERSIONS: &str = "cargo-zigbuild-0.24.1-zig-0.17.1";

/// Where the two programs are.
pub(super) struct Tools {
    /// `cargo-zigbuild`
    pub(super) zigbuild: PathBuf,
    /// `zig`
    pub(super) zig: PathBuf,
}

impl Tools {
    fn of(folder: &Path) -> Self {
        Self { zigbuild: folder.join("bin/cargo-zigbuild"), zig: folder.join("ziglang/zig") }
    }

    fn are_there(&self) -> bool {
        self.zigbuild.is_file() && self.zig.is_file()
    }
}

/// The tools in a folder, installed now if they are not there.
///
/// # Errors
///
/// When they are not there and pip cannot install them, or must not.
pub(super) fn ensure(folder: &Path, offline: bool) -> anyhow::Result<Tools> {
    let place = folder.join(VERSIONS);
    let tools = Tools::of(&place);
    if tools.are_there() {
        return Ok(tools);
    }
    if offline {
        bail!("{VERSIONS} is not in {}, and --offline forbids to install it", project::shown(folder));
    }
    eprintln!("installing cargo-zigbuild and zig from PyPI into {} (100 MB, once)", project::shown(&place));
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", project::shown(folder)))?;
    // Made whole beside its place and then renamed: what is found by its name is
    // all there. The caller's lock keeps others out, so a leftover is nobody's.
    let new = folder.join("new");
    let _ = fs::remove_dir_all(&new);
    let installed = install(&new).and_then(|()| {
        if !Tools::of(&new).are_there() {
            bail!("the packages from PyPI have no bin/cargo-zigbuild or no ziglang/zig");
        }
        let _ = fs::remove_dir_all(&place);
        fs::rename(&new, &place).with_context(|| format!("cannot write {}", project::shown(&place)))
    });
    let _ = fs::remove_dir_all(&new);
    installed.map(|()| tools)
}

fn install(new: &Path) -> anyhow::Result<()> {
    fs::create_dir(new).with_context(|| format!("cannot make {}", project::shown(new)))?;
    let requirements = new.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS)
        .with_context(|| format!("cannot write {}", project::shown(&requirements)))?;
    let needs = "cargo-zigbuild and zig are installed from PyPI";
    let python = || {
        let mut python = Command::new("python3");
        python.stdin(Stdio::null()).args(["-m", "pip"]);
        python
    };
    let asked = python().arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    match asked {
        Err(error) => bail!("{needs}, and python3 does not start ({error}); install it"),
        Ok(status) if !status.success() => {
            bail!("{needs}, and python3 has no pip; install it (Debian: apt-get install python3-pip)")
        }
        Ok(_) => {}
    }
    let status = python()
        .args(["install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore", "--no-deps"])
        .args(["--only-binary", ":all:", "--require-hashes", "--target"])
        .arg(new)
        .arg("--requirement")
        .arg(&requirements)
        // A user's own settings that do not go with --target.
        .env("PIP_USER", "0")
        .env("PIP_REQUIRE_VIRTUALENV", "0")
        .stdout(Stdio::null())
        .status()
        .context("python3 does not start")?;
    if !status.success() {
        bail!("pip could not install them ({status}); its messages are above");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_that_are_named_are_those_that_are_installed() {
        let named: Vec<&str> = VERSIONS.split('-').collect();
        assert!(REQUIREMENTS.contains(&format!("cargo-zigbuild=={} ", named[2])));
        assert!(REQUIREMENTS.contains(&format!("ziglang=={} ", named[4])));
        assert_eq!(REQUIREMENTS.matches("--hash=sha256:").count(), 4);
    }

    #[test]
    fn what_is_half_there_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join(VERSIONS);
        fs::create_dir_all(place.join("bin")).unwrap();
        fs::write(place.join("bin/cargo-zigbuild"), "").unwrap();
        let error = ensure(folder.path(), true).err().unwrap().to_string();
        assert!(error.contains("--offline forbids to install it"), "{error}");
    }
}
