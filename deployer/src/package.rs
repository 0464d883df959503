//! The package: what lies beside `bootstrap` on Lambda.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::Context as _;
use gristmill_host::guest::compile;
use gristmill_host::settings::{self, Function, Package, Response};

use crate::build::Built;
use crate::cli;
use crate::edge::Misuse;
use crate::manifest::Manifest;
use crate::project;

/// The settings of the project's function: every handler of the manifest, with
/// the name of its precompiled code.
pub fn function(manifest: &Manifest, response: Response, module_of: impl Fn(&str) -> String) -> Function {
    let streams = manifest.streams.iter().map(|stream| stream.to_settings(response));
    let handlers = manifest.handlers.iter().map(|handler| settings::Handler {
        name: handler.name.clone(),
        stream: handler.stream.clone(),
        module: module_of(&handler.name),
        filters: handler.filters.clone(),
        instance_per: handler.instance_per,
        limits: handler.limits,
    });
    Function { streams: streams.collect(), handlers: handlers.collect() }
}

/// The file name of a path that the cache made.
pub fn module_name(code: &Path) -> anyhow::Result<String> {
    let name = code.file_name().and_then(|name| name.to_str());
    name.map(str::to_owned).context("precompiled code has a file name")
}

/// Writes `handlers.json`, the precompiled code, and the host's binary if it
/// is given, into a folder.
///
/// # Errors
///
/// * [`Misuse`] when a component is no handler;
/// * when a file cannot be read or written.
pub fn lay_out(
    manifest: &Manifest,
    built: &[Built],
    dir: &Path,
    bootstrap: Option<&Path>,
    response: cli::Response,
) -> anyhow::Result<()> {
    if let Some(refused) = built.iter().find(|built| !built.report.is_handler()) {
        let refusal = refused.report.refusal.as_deref().unwrap_or_default();
        return Err(Misuse::new(format!("handler {} cannot be packaged: {refusal}", refused.name)).into());
    }
    // What is loaded from here is trusted: nobody else writes to it.
    DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(dir)
        .with_context(|| format!("cannot make {}", project::shown(dir)))?;
    let metadata = fs::symlink_metadata(dir).with_context(|| format!("cannot read {}", project::shown(dir)))?;
    if !metadata.is_dir() || metadata.mode() & 0o022 != 0 {
        let message = "is a symbolic link, or others can write to it; name a folder of your own";
        return Err(Misuse::new(format!("--package {} {message}", project::shown(dir))).into());
    }
    let mut modules = Vec::new();
    for built in built {
        let module = module_name(&built.code)?;
        // Whatever lies there by that name is replaced: it was not made here.
        let bytes = fs::read(&built.code).with_context(|| format!("cannot read {}", project::shown(&built.code)))?;
        compile::write_once(&dir.join(&module), &bytes)?;
        modules.push((built.name.as_str(), module));
    }
    let module_of = |name: &str| {
        modules.iter().find(|(other, _)| *other == name).map(|(_, module)| module.clone()).unwrap_or_default()
    };
    let package = Package {
        version: settings::VERSION,
        functions: [(manifest.project.clone(), function(manifest, response.into(), module_of))].into(),
    };
    let text = serde_json::to_string_pretty(&package).context("handlers.json")? + "\n";
    compile::write_once(&dir.join("handlers.json"), text.as_bytes())?;
    if let Some(bootstrap) = bootstrap {
        let to = dir.join("bootstrap");
        // Read whole before it is written: the two may be one file.
        let bytes = fs::read(bootstrap).with_context(|| format!("cannot read {}", project::shown(bootstrap)))?;
        compile::write_once(&to, &bytes)?;
        fs::set_permissions(&to, Permissions::from_mode(0o755))
            .with_context(|| format!("cannot make {} executable", project::shown(&to)))?;
    }
    Ok(())
}
