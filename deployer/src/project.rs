//! Where the project is. Knows the manifest's name, and not what is in it.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::edge::{Misuse, quoted};
use crate::manifest::FILE_NAME;

/// The project's folder, absolute and free of symlinks: the one that was
/// named, or the nearest at or above the current folder that has a
/// `gristmill.toml`.
///
/// # Errors
///
/// * [`Misuse`] when there is no such folder;
/// * the current folder cannot be found.
pub fn find(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    let here = std::env::current_dir().context("cannot find the current folder")?;
    match named {
        Some(named) => {
            let root = here.join(named);
            if !root.is_dir() {
                let named = quoted(&named.to_string_lossy());
                return Err(Misuse::new(format!("--project {named} is not a folder")).into());
            }
            if !has_manifest(&root) {
                let named = quoted(&named.to_string_lossy());
                let message = format!("there is no {FILE_NAME} in {named}; `gristmill new NAME` makes a project");
                return Err(Misuse::new(message).into());
            }
            root.canonicalize().with_context(|| format!("cannot read {}", root.display()))
        }
        None => {
            let root = here.ancestors().find(|folder| has_manifest(folder)).ok_or_else(|| {
                let here = quoted(&here.to_string_lossy());
                Misuse::new(format!(
                    "there is no {FILE_NAME} in {here} or in a folder above it; `gristmill new NAME` makes a project"
                ))
            })?;
            root.canonicalize().with_context(|| format!("cannot read {}", root.display()))
        }
    }
}

/// Anything by that name counts, so that a folder or a dangling link by that
/// name is reported as such and not passed over.
fn has_manifest(folder: &Path) -> bool {
    folder.join(FILE_NAME).symlink_metadata().is_ok()
}

/// A path as a message shows it: relative to the current folder when below it.
pub fn shown(path: &Path) -> String {
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    let relative = here.ok().and_then(|here| path.strip_prefix(here).ok().map(Path::to_path_buf));
    match relative {
        Some(relative) if relative.as_os_str().is_empty() => ".".to_owned(),
        Some(relative) => relative.to_string_lossy().into_owned(),
        None => path.to_string_lossy().into_owned(),
    }
}
