//! Several files written as one change: each under a temporary name first,
//! then all renamed in order, and everything taken back when one fails. Knows
//! nothing of what is in them.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::edge::quoted;
use crate::project;

/// What will be written below a folder.
#[derive(Clone, Debug)]
pub struct Changes {
    root: PathBuf,
    files: Vec<(PathBuf, String)>,
}

impl Changes {
    /// Nothing yet, below `root`, which need not be there.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), files: Vec::new() }
    }

    /// Adds a file by its path below the root. Files come to be in the order
    /// in which they were added: what makes the others count comes last.
    pub fn write(&mut self, path: impl Into<PathBuf>, text: impl Into<String>) {
        self.files.push((path.into(), text.into()));
    }

    /// The paths below the root, in order.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(path, _)| path.as_path())
    }

    /// Writes all of them, or none.
    ///
    /// A process that is killed between two renames leaves the files before
    /// them whole, and its own temporary ones.
    ///
    /// # Errors
    ///
    /// * a path leaves the root, by itself or by a symlink, or is a symlink;
    /// * a file cannot be written.
    pub fn commit(self) -> anyhow::Result<()> {
        let mut done = Undo::default();
        let written = self.write_all(&mut done);
        if written.is_err() {
            done.run();
        }
        written
    }

    fn write_all(&self, done: &mut Undo) -> anyhow::Result<()> {
        make_folder(&self.root, done)?;
        let root = self.root.canonicalize().with_context(|| format!("cannot read {}", project::shown(&self.root)))?;
        let mut staged = Vec::with_capacity(self.files.len());
        for (path, text) in &self.files {
            let target = place(&root, path, done)?;
            let temporary = temporary(&target)?;
            done.temporary.push(temporary.clone());
            fs::write(&temporary, text).with_context(|| format!("cannot write {}", project::shown(&target)))?;
            staged.push((temporary, target));
        }
        for (temporary, target) in staged {
            let cannot = || format!("cannot write {}", project::shown(&target));
            let before = match fs::read(&target) {
                Ok(bytes) => Some(bytes),
                Err(err) if err.kind() == io::ErrorKind::NotFound => None,
                Err(err) => return Err(err).with_context(cannot),
            };
            fs::rename(&temporary, &target).with_context(cannot)?;
            done.renamed.push((target, before));
        }
        Ok(())
    }
}

/// What to take back, the newest first.
#[derive(Default)]
struct Undo {
    folders: Vec<PathBuf>,
    temporary: Vec<PathBuf>,
    renamed: Vec<(PathBuf, Option<Vec<u8>>)>,
}

impl Undo {
    /// As much as can be: the error that led here is the one to report.
    fn run(self) {
        for (path, before) in self.renamed.into_iter().rev() {
            let _ = match before {
                Some(bytes) => fs::write(path, bytes),
                None => fs::remove_file(path),
            };
        }
        for path in self.temporary {
            let _ = fs::remove_file(path);
        }
        // Only folders that are empty go.
        for path in self.folders.into_iter().rev() {
            let _ = fs::remove_dir(path);
        }
    }
}

/// Where a file goes, with its folder made.
fn place(root: &Path, path: &Path, done: &mut Undo) -> anyhow::Result<PathBuf> {
    let target = root.join(path);
    if !path.components().all(|part| matches!(part, Component::Normal(_))) {
        bail!("{} leaves the project; nothing was written", quoted(&path.to_string_lossy()));
    }
    let folder = target.parent().unwrap_or(root);
    // The nearest folder that is there says where the missing ones would be.
    let there = folder.ancestors().find(|folder| folder.symlink_metadata().is_ok()).unwrap_or(root);
    let real = there.canonicalize().with_context(|| format!("cannot read {}", project::shown(there)))?;
    if !real.starts_with(root) {
        bail!(
            "{} is a symlink out of the project, to {}; nothing was written",
            project::shown(there),
            quoted(&real.to_string_lossy())
        );
    }
    make_folder(folder, done)?;
    // A rename would put a file in the link's place, and leave what it names.
    if target.symlink_metadata().is_ok_and(|kind| kind.is_symlink()) {
        bail!("{} is a symlink; nothing was written", project::shown(&target));
    }
    Ok(target)
}

fn make_folder(folder: &Path, done: &mut Undo) -> anyhow::Result<()> {
    let missing: Vec<_> = folder.ancestors().take_while(|folder| folder.symlink_metadata().is_err()).collect();
    for folder in missing.into_iter().rev() {
        // `demo` has an ancestor that is the empty path.
        if folder.as_os_str().is_empty() {
            continue;
        }
        fs::create_dir(folder).with_context(|| format!("cannot make the folder {}", project::shown(folder)))?;
        done.folders.push(folder.to_path_buf());
    }
    Ok(())
}

fn temporary(target: &Path) -> anyhow::Result<PathBuf> {
    let name = target.file_name().context("a file has a name")?.to_string_lossy();
    Ok(target.with_file_name(format!(".{name}.{}.tmp", std::process::id())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn everything(root: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in fs::read_dir(root).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                found.extend(everything(&path));
            }
            found.push(path);
        }
        found.sort();
        found
    }

    #[test]
    fn all_files_are_written_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let mut changes = Changes::new(root.join("demo"));
        changes.write("a/b.txt", "b");
        changes.write("c.txt", "c");
        changes.commit().unwrap();
        let demo = root.join("demo");
        assert_eq!(everything(&root), [demo.clone(), demo.join("a"), demo.join("a/b.txt"), demo.join("c.txt")]);
        assert_eq!(fs::read_to_string(demo.join("a/b.txt")).unwrap(), "b");
    }

    #[test]
    fn a_failure_takes_everything_back() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::write(root.join("old.txt"), "old").unwrap();
        // A rename cannot put a file in a folder's place.
        fs::create_dir(root.join("last")).unwrap();
        let before = everything(&root);
        let mut changes = Changes::new(&root);
        changes.write("old.txt", "new");
        changes.write("a/b/new.txt", "new");
        changes.write("last", "");
        changes.commit().unwrap_err();
        assert_eq!(everything(&root), before);
        assert_eq!(fs::read_to_string(root.join("old.txt")).unwrap(), "old");
    }

    #[cfg(unix)]
    #[test]
    fn a_symlink_out_of_the_root_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        let (root, outside) = (base.join("root"), base.join("outside"));
        fs::create_dir_all(&root).unwrap();
        fs::create_dir_all(&outside).unwrap();
        std::os::unix::fs::symlink(&outside, root.join("handlers")).unwrap();
        fs::write(outside.join("target.txt"), "kept").unwrap();
        std::os::unix::fs::symlink(outside.join("target.txt"), root.join("link.txt")).unwrap();
        for path in ["handlers/x/lib.rs", "handlers/lib.rs", "link.txt", "../x", "/x"] {
            let mut changes = Changes::new(&root);
            changes.write("first.txt", "");
            changes.write(path, "bad");
            let err = changes.commit().unwrap_err().to_string();
            assert!(err.ends_with("nothing was written"), "{err}");
            assert!(!root.join("first.txt").exists());
        }
        assert_eq!(everything(&outside), [outside.join("target.txt")]);
        assert_eq!(fs::read_to_string(outside.join("target.txt")).unwrap(), "kept");
    }
}
