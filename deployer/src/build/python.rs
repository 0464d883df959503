//! Builds a handler in Python by componentize-py. Knows pip and the script that
//! calls it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use gristmill_host::guest::compile::hex;
use sha2::{Digest as _, Sha256};

use super::kept::{self, Ingredients, Made};
use super::workshop::{Source, Workshop};
use crate::tools::pypi::{self, Package};
use crate::{project, tools};

/// Brings its own CPython; the one on this machine only runs it.
const COMPONENTIZE_PY: Package = Package {
    name: "componentize-py-0.25.1",
    requirements: include_str!("../../toolchains/python/requirements.txt"),
    size: "40 MB",
    has: "componentize_py/__init__.py",
};

const SCRIPT: &str = include_str!("../../toolchains/python/build.py");

/// The component of a handler's folder.
///
/// # Errors
///
/// Without Python, pip or the SDK, and when the source has a mistake: Python's own
/// words are on standard error before.
pub(super) fn build(workshop: &Workshop<'_>, source: &Source<'_>) -> anyhow::Result<PathBuf> {
    let sdk = workshop.sdk(source.lang)?;
    let ingredients = || {
        Ingredients::new()
            .with(source.lang.key())
            .with(COMPONENTIZE_PY.requirements)
            .with(SCRIPT)
            .with_folder(&sdk)?
            .with_folder(source.dir)
    };
    kept::component(&workshop.kept(), source.dir, ingredients, |scratch| {
        let tools = pypi::package(&workshop.tools(), &COMPONENTIZE_PY, workshop.offline)?;
        let site = packages(workshop, source.dir)?;
        let (script, component) = (scratch.join("build.py"), scratch.join("component.wasm"));
        fs::write(&script, SCRIPT).with_context(|| format!("cannot write {}", project::shown(&script)))?;
        let mut python = Command::new("python3");
        python
            .arg(&script)
            .arg("--source")
            .arg(source.dir)
            .arg("--sdk")
            .arg(&sdk)
            .arg("--wit")
            .arg(workshop.wit(scratch)?)
            .arg("--out")
            .arg(&component)
            // In tracebacks, which are compiled into the component: no path of this machine.
            .arg("--shown")
            .arg(source.dir.strip_prefix(workshop.root).unwrap_or(source.dir))
            // Nothing of the user's own Python, and nothing left beside the source.
            .env("PYTHONPATH", &tools)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONNOUSERSITE", "1");
        if let Some(site) = site {
            python.arg("--site").arg(site);
        }
        tools::run(
            python.current_dir(source.dir),
            "the build",
            "install Python 3.9 or newer (Debian: apt-get install python3)",
        )?;
        // A handler finds modules in its own folder, the SDK and its packages, and nowhere else.
        Ok(Made { component: tools::made(&component)?, outside: Vec::new() })
    })
}

/// The packages of a handler's own `requirements.txt`, in a folder. Only such as
/// have no native code: there is none for this target.
fn packages(workshop: &Workshop<'_>, dir: &Path) -> anyhow::Result<Option<PathBuf>> {
    let path = dir.join("requirements.txt");
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", project::shown(&path))),
    };
    let name = hex(&Sha256::digest(&text)[..12]);
    let place = tools::ensure(&workshop.own.join("python"), &name, |new| {
        if workshop.offline {
            bail!("the packages of {} are not installed, and --offline forbids to", project::shown(&path));
        }
        eprintln!("installing the packages of {}: pip install", project::shown(&path));
        let what = format!("the packages of {}", project::shown(&path));
        let mut pip = pypi::pip(&format!("{what} are installed by pip"))?;
        pip.args(["--only-binary", ":all:", "--platform", "any", "--implementation", "py", "--abi", "none"])
            .args(["--python-version", "3.14", "--no-compile", "--target"])
            .arg(new)
            .arg("--requirement")
            .arg(&path);
        pypi::install(&mut pip, &what, "Only wheels without native code fit. The registry is needed once")
    })?;
    Ok(Some(place))
}
