//! Where components and their precompiled code are: the components in the
//! project, the code in the user's own cache outside of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context as _;
use gristmill_host::guest::compile::{Cache, NATIVE_TARGET};

use crate::build::LEFT_BY_TOOLS;
use crate::edge::Misuse;
use crate::manifest::{Handler, Kind, Manifest};
use crate::project;

/// The folder of a project that `gristmill` writes what it makes to.
pub(crate) const OWN_FOLDER: &str = ".gristmill";

/// The user's cache of precompiled code.
///
/// # Errors
///
/// When there is no home folder, the cache would be in the project, or it is
/// not the user's alone.
pub fn cache(root: &Path) -> anyhow::Result<Cache> {
    let base = match std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute()) {
        Some(path) => path,
        None => std::env::home_dir().context("there is no home folder; set HOME or XDG_CACHE_HOME")?.join(".cache"),
    };
    let folder = base.join("gristmill");
    // A project comes from anywhere. Code that a host maps must not.
    Ok(Cache::open_outside_of(folder, Some(root))?)
}

/// The folder of a project that the command writes to.
pub(crate) fn own_folder(manifest: &Manifest) -> PathBuf {
    manifest.root.join(OWN_FOLDER)
}

/// Where cargo builds the handlers of a project.
pub fn target_dir(manifest: &Manifest) -> PathBuf {
    own_folder(manifest).join("target")
}

/// Where the component of a handler is, or will be once it is built.
pub fn component_path(manifest: &Manifest, handler: &Handler) -> PathBuf {
    match &handler.kind {
        Kind::Component { path } => path.clone(),
        Kind::Source { .. } => own_folder(manifest).join("components").join(format!("{}.wasm", handler.name)),
    }
}

/// The component of a handler that was built, and its precompiled code: from
/// the cache, or compiled now.
///
/// # Errors
///
/// * [`Misuse`] when it was not built;
/// * when it is no component, or the cache cannot be written.
pub fn precompiled(manifest: &Manifest, cache: &Cache, handler: &Handler) -> anyhow::Result<PathBuf> {
    let code = compiled(manifest, cache, handler)?;
    if is_stale(handler, &component_path(manifest, handler)) {
        eprintln!("warning: the source of {} changed after it was built; run `gristmill build`", handler.name);
    }
    Ok(code)
}

/// The same, without a word of a source that has changed since.
pub(crate) fn compiled(manifest: &Manifest, cache: &Cache, handler: &Handler) -> anyhow::Result<PathBuf> {
    let path = component_path(manifest, handler);
    let place = || format!("handler {}: {}", handler.name, project::shown(&path));
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let message = format!("handler {} is not built; run `gristmill build`", handler.name);
            return Err(Misuse::new(message).into());
        }
        other => other.with_context(place)?,
    };
    cache.get(&bytes, NATIVE_TARGET, |_| {}).with_context(place)
}

/// Whether a file of the handler's source is newer than its component.
pub(crate) fn is_stale(handler: &Handler, component: &Path) -> bool {
    let Kind::Source { dir, .. } = &handler.kind else { return false };
    let Ok(built) = fs::metadata(component).and_then(|metadata| metadata.modified()) else { return false };
    newest_in(dir).is_some_and(|time| time > built)
}

/// When the newest of what is in a folder was written. The folder itself does not
/// count: it is newer whenever a tool leaves something in it.
fn newest_in(folder: &Path) -> Option<SystemTime> {
    let entries = folder.read_dir().ok()?.flatten();
    let own = entries.filter(|entry| !LEFT_BY_TOOLS.contains(&&*entry.file_name().to_string_lossy()));
    own.filter_map(|entry| newest(&entry.path())).max()
}

/// The same of a path; a folder below counts, for a file that is gone from it.
fn newest(path: &Path) -> Option<SystemTime> {
    let metadata = fs::symlink_metadata(path).ok()?;
    let own = metadata.modified().ok();
    if metadata.is_dir() { newest_in(path).into_iter().chain(own).max() } else { own }
}
