//! Watches a project's folder: tells when something was changed that handlers
//! are made of, once it is quiet again. Knows folders, and nothing of handlers.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use notify::event::{EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

use crate::build::LEFT_BY_TOOLS;
use crate::code::OWN_FOLDER;

/// What an editor writes in several steps is one change.
const QUIET: Duration = Duration::from_millis(80);

/// A file that is written all the time, a log for example, must not keep others
/// from being seen.
const MOST_WAIT: Duration = Duration::from_secs(2);

/// Folders that nothing is made of, at any depth: what tools leave, and what
/// gristmill makes.
fn is_left_by_tools(name: &str) -> bool {
    name == OWN_FOLDER || LEFT_BY_TOOLS.contains(&name)
}

/// Watches until it is dropped.
pub(super) struct Watcher {
    root: PathBuf,
    inner: RecommendedWatcher,
    changes: mpsc::UnboundedReceiver<PathBuf>,
}

impl Watcher {
    /// Watches a folder and all below it.
    ///
    /// # Errors
    ///
    /// When the system cannot watch; for example when the user's limit of
    /// watches is used up.
    pub(super) fn new(root: &Path) -> anyhow::Result<Self> {
        let (sender, changes) = mpsc::unbounded_channel();
        let all = root.join("gristmill.toml");
        let inner = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            // More happened than the system could tell: look at all of it.
            if event.need_rescan() {
                let _ = sender.send(all.clone());
            }
            if !is_change(event.kind) {
                return;
            }
            for path in event.paths {
                // The other end is gone when dev mode ends.
                let _ = sender.send(path);
            }
        });
        let inner = inner.context("changes cannot be watched")?;
        let mut watcher = Self { root: root.to_owned(), inner, changes };
        watcher.add(root)?;
        Ok(watcher)
    }

    /// Watches a folder and those below it, one by one: what is ignored may have
    /// thousands.
    fn add(&mut self, folder: &Path) -> anyhow::Result<()> {
        self.inner
            .watch(folder, RecursiveMode::NonRecursive)
            .with_context(|| format!("{} cannot be watched", folder.display()))?;
        // What has gone in the meantime is no folder any more.
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && !is_ignored(Path::new(&entry.file_name())) {
                match self.add(&entry.path()) {
                    // One that is somebody else's is no source of a handler's.
                    Err(error) if !is_limit(&error) => eprintln!("warning: {error:#}"),
                    other => other?,
                }
            }
        }
        Ok(())
    }

    /// Waits for a change, and then until nothing changes any more. Gives the
    /// paths, relative to the folder.
    pub(super) async fn changed(&mut self) -> BTreeSet<PathBuf> {
        let mut paths = BTreeSet::new();
        while paths.is_empty() {
            match self.changes.recv().await {
                Some(path) => self.take(path, &mut paths),
                // The watcher holds the other end for as long as it lives.
                None => std::future::pending().await,
            }
        }
        let end = Instant::now() + MOST_WAIT;
        while let Ok(Some(path)) = tokio::time::timeout(QUIET, self.changes.recv()).await {
            self.take(path, &mut paths);
            if Instant::now() > end {
                break;
            }
        }
        paths
    }

    fn take(&mut self, path: PathBuf, paths: &mut BTreeSet<PathBuf>) {
        let Ok(relative) = path.strip_prefix(&self.root) else { return };
        if relative.as_os_str().is_empty() || is_ignored(relative) {
            return;
        }
        // A new folder; one that cannot be watched is told by its silence only
        // until the next change beside it.
        if path.is_dir() {
            let _ = self.add(&path);
        }
        paths.insert(relative.to_owned());
    }
}

/// The user's limit of watches is used up.
fn is_limit(error: &anyhow::Error) -> bool {
    error.downcast_ref::<notify::Error>().is_some_and(|error| matches!(error.kind, notify::ErrorKind::MaxFilesWatch))
}

/// Reading a file changes nothing, and neither does closing one.
fn is_change(kind: EventKind) -> bool {
    match kind {
        EventKind::Modify(ModifyKind::Metadata(_)) | EventKind::Access(_) => false,
        EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_) | EventKind::Other => true,
    }
}

fn is_ignored(relative: &Path) -> bool {
    let mut parts = relative.components().map(|part| part.as_os_str().to_string_lossy());
    let is_temporary =
        |name: &str| name.ends_with('~') || name.ends_with(".swp") || name.ends_with(".tmp") || name.starts_with(".#");
    parts.any(|part| is_left_by_tools(&part) || is_temporary(&part) || part == "4913")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_change_is_told_once_it_is_quiet_and_what_is_ignored_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("handlers/a/src")).unwrap();
        fs::create_dir_all(root.join("handlers/a/target/debug")).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut watcher = Watcher::new(&root).unwrap();
            fs::write(root.join("handlers/a/target/debug/x"), "x").unwrap();
            fs::write(root.join("handlers/a/src/lib.rs~"), "x").unwrap();
            fs::write(root.join("handlers/a/src/lib.rs"), "1").unwrap();
            fs::write(root.join("handlers/a/src/lib.rs"), "2").unwrap();
            let changed = tokio::time::timeout(Duration::from_secs(60), watcher.changed()).await.unwrap();
            assert_eq!(changed, BTreeSet::from([PathBuf::from("handlers/a/src/lib.rs")]));
            // In a folder that is new.
            fs::create_dir_all(root.join("handlers/b")).unwrap();
            let changed = tokio::time::timeout(Duration::from_secs(60), watcher.changed()).await.unwrap();
            assert_eq!(changed, BTreeSet::from([PathBuf::from("handlers/b")]));
            fs::write(root.join("handlers/b/Cargo.toml"), "x").unwrap();
            let changed = tokio::time::timeout(Duration::from_secs(60), watcher.changed()).await.unwrap();
            assert_eq!(changed, BTreeSet::from([PathBuf::from("handlers/b/Cargo.toml")]));
        });
    }
}
