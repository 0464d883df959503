//! The folder of a project's dev mode: the user's alone, and of one process at a
//! time.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::console::{LOG_FILE, OLD_LOG_FILE};
use crate::edge::Misuse;
use crate::project;

const LOCK_FILE: &str = "lock";

/// The folder, while this process has it.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder, the user's alone. A link in it would lead what is
    /// written, or removed by a reset, to where a project that came from anywhere
    /// wants it.
    ///
    /// # Errors
    ///
    /// * [`Misuse`]: there is such a link;
    /// * another process has it, or it cannot be made.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let parts = ["data", "positions", "failures", "elsewhere", "endpoint", LOCK_FILE, LOG_FILE, OLD_LOG_FILE];
        let parts = parts.map(|part| path.join(part));
        for path in path.parent().into_iter().chain([path]).chain(parts.iter().map(PathBuf::as_path)) {
            if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
                bail!(Misuse::new(format!("{} is a symlink; remove it", project::shown(path))));
            }
        }
        let cannot = || format!("cannot make {}", project::shown(path));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path).with_context(cannot)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).with_context(cannot)?;
        let lock = File::options().create(true).append(true).mode(0o600).open(path.join(LOCK_FILE));
        let lock = lock.with_context(cannot)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => bail!(
                "{} is in use by another process, perhaps another `gristmill dev`; stop it first",
                project::shown(path)
            ),
            Err(TryLockError::Error(error)) => Err(error).with_context(cannot),
        }
    }

    /// Where positions and failure documents are of a database that is not the
    /// embedded one: to reset the one must not touch the other.
    pub(super) fn elsewhere(&self) -> PathBuf {
        self.path.join("elsewhere")
    }

    /// Removes positions and failure documents below a folder. Of the embedded
    /// database, data went before: one without the other would lose records or
    /// repeat them.
    pub(super) fn reset(kept: &Path) -> anyhow::Result<()> {
        for part in ["positions", "failures"] {
            let path = kept.join(part);
            match fs::remove_dir_all(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove {}", project::shown(&path)));
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    }
}
