//! Builds a handler in JavaScript or TypeScript: a bundle by esbuild, after a type
//! check, and a component of it by componentize-qjs or componentize-js. Knows
//! Node, npm and the script that calls them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use super::kept::{self, Ingredients, Made};
use super::workshop::{Source, Workshop};
use crate::language::{Engine, Language};
use crate::tools::npm::{self, Packages};
use crate::{project, tools};

macro_rules! toolchain {
    ($name:literal, $size:literal, $($file:literal),+) => {
        Packages {
            name: $name,
            files: &[$(($file, include_str!(concat!("../../toolchains/js/", $file)))),+],
            size: $size,
        }
    };
}

/// esbuild, TypeScript and what makes a component for QuickJS.
const QUICKJS: Packages = toolchain!("js", "25 MB", "package.json", "package-lock.json", "build.mjs");

/// The same, and what makes one for StarlingMonkey: four times as large.
const STARLINGMONKEY: Packages = toolchain!(
    "js-starlingmonkey",
    "120 MB",
    "package.json",
    "package-lock.json",
    "build.mjs",
    "starlingmonkey/package.json",
    "starlingmonkey/package-lock.json"
);

/// The component of a handler's folder.
///
/// # Errors
///
/// Without Node or the SDK, and when the source has a mistake: the language's own
/// words are on standard error before.
pub(super) fn build(workshop: &Workshop<'_>, source: &Source<'_>) -> anyhow::Result<PathBuf> {
    let sdk = workshop.sdk(source.lang)?;
    let toolchain = match source.engine {
        Engine::QuickJs => &QUICKJS,
        Engine::StarlingMonkey => &STARLINGMONKEY,
    };
    install_dependencies(source.dir, workshop.offline)?;
    let ingredients = || {
        Ingredients::new()
            .with(source.lang.key())
            .with(source.engine.key())
            .with(&npm::digest(toolchain))
            .with_folder(&sdk)?
            .with_folder(source.dir)
    };
    kept::component(&workshop.kept(), source.dir, ingredients, |scratch| {
        let tools = npm::packages(&workshop.tools(), toolchain, workshop.offline)?;
        let (component, inputs) = (scratch.join("component.wasm"), scratch.join("inputs.json"));
        let mut node = Command::new("node");
        node.arg(tools.join("build.mjs"))
            .arg("--entry")
            .arg(source.entry())
            .arg("--sdk")
            .arg(&sdk)
            .arg("--wit")
            .arg(workshop.wit(scratch)?)
            .args(["--engine", source.engine.key(), "--out"])
            .arg(&component)
            .arg("--inputs")
            .arg(&inputs);
        if source.lang == Language::Ts {
            node.arg("--types");
        }
        tools::run(node.current_dir(source.dir), "the build", "install Node, see https://nodejs.org")?;
        let outside = serde_json::from_slice(&tools::made(&inputs)?).context("the build's list of its inputs")?;
        Ok(Made { component: tools::made(&component)?, outside })
    })
}

/// The packages of a handler's own `package.json`: those of its lock, as it is.
fn install_dependencies(dir: &Path, offline: bool) -> anyhow::Result<()> {
    let (lock, installed) = (dir.join("package-lock.json"), dir.join("node_modules/.package-lock.json"));
    if !lock.is_file() {
        return match foreign_dependency(&dir.join("package.json"))? {
            Some(name) => bail!(
                "package.json in {} depends on {name}, and there is no package-lock.json; run `npm install` there, and \
                 commit it",
                project::shown(dir)
            ),
            None => Ok(()),
        };
    }
    let changed = |path: &Path| fs::metadata(path).and_then(|metadata| metadata.modified()).ok();
    if changed(&installed) >= changed(&lock) {
        return Ok(());
    }
    if offline {
        bail!(
            "the packages of {} are not installed, and --offline forbids to; run `npm ci` there",
            project::shown(&lock)
        );
    }
    eprintln!("installing the packages of {}: npm ci", project::shown(dir));
    npm::ci(dir, &format!("the packages of {}", project::shown(dir)))
}

/// A package that a `package.json` asks for, other than the SDK, which is in the
/// project.
fn foreign_dependency(path: &Path) -> anyhow::Result<Option<String>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", project::shown(path))),
    };
    let package: serde_json::Value =
        serde_json::from_str(&text).with_context(|| format!("{} is not JSON", project::shown(path)))?;
    let names = package["dependencies"].as_object().into_iter().flat_map(|names| names.keys());
    Ok(names.into_iter().find(|name| *name != "gristmill").cloned())
}
