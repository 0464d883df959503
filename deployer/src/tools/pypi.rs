//! Tools from PyPI: wheels, checked against digests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};

use super::ensure;
use crate::project;

/// A tool.
pub(crate) struct Package {
    /// Its name and version: the folder that it is installed in.
    pub(crate) name: &'static str,
    /// pip's requirements, with the digests of the wheels.
    pub(crate) requirements: &'static str,
    /// How much is fetched, for people.
    pub(crate) size: &'static str,
    /// A file of it without which it is of no use, below its folder.
    pub(crate) has: &'static str,
}

/// The folder of a tool, installed now if it is not there.
///
/// # Errors
///
/// When it is not there and pip cannot install it, or must not.
pub(crate) fn package(tools: &Path, package: &Package, offline: bool) -> anyhow::Result<PathBuf> {
    ensure(tools, package.name, |new| {
        if offline {
            bail!(
                "{} is not in {}, and --offline forbids to install it; build once without",
                package.name,
                project::shown(tools)
            );
        }
        eprintln!("installing {} from PyPI into {} ({}, once)", package.name, project::shown(tools), package.size);
        let requirements = new.join("requirements.txt");
        fs::write(&requirements, package.requirements)
            .with_context(|| format!("cannot write {}", project::shown(&requirements)))?;
        let mut pip = pip(&format!("{} is installed from PyPI", package.name))?;
        // Its dependencies are in the requirements, or it needs none of them.
        pip.args(["--no-deps", "--only-binary", ":all:", "--require-hashes", "--target"]).arg(new);
        install(pip.arg("--requirement").arg(&requirements), package.name, "The registry is needed once")?;
        if !new.join(package.has).is_file() {
            bail!("{} from PyPI has no {}", package.name, package.has);
        }
        Ok(())
    })
}

/// `pip install`, to go on with. `needs` says what it is for.
///
/// # Errors
///
/// When there is no Python or no pip: what to install.
pub(crate) fn pip(needs: &str) -> anyhow::Result<Command> {
    let python = || {
        let mut python = Command::new("python3");
        python.stdin(Stdio::null()).args(["-m", "pip"]);
        python
    };
    match python().arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Err(error) => {
            bail!("{needs}, and python3 does not start ({error}); install it (Debian: apt-get install python3)")
        }
        Ok(status) if !status.success() => {
            bail!("{needs}, and python3 has no pip; install it (Debian: apt-get install python3-pip)")
        }
        Ok(_) => {}
    }
    let mut pip = python();
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore"])
        // A user's own settings that do not go with --target.
        .env("PIP_USER", "0")
        .env("PIP_REQUIRE_VIRTUALENV", "0");
    Ok(pip)
}

/// Runs what [`pip`] began.
///
/// # Errors
///
/// When it fails, which a registry that does not answer is the usual reason of.
pub(crate) fn install(pip: &mut Command, what: &str, hint: &str) -> anyhow::Result<()> {
    let status = pip.stdout(Stdio::null()).status().context("python3 does not start")?;
    if !status.success() {
        bail!("pip could not install {what} ({status}); its messages are above. {hint}");
    }
    Ok(())
}
