//! Components that were built of the very same bytes before. For compilers that
//! keep nothing themselves; cargo does.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context as _;
use gristmill_host::guest::compile::{self, hex};
use sha2::{Digest as _, Sha256};

use crate::project;

/// Changes when what is done here or beside it does, so that what an older
/// command has built is not taken for it.
const RECIPE: &str = "1";

/// How many components of one folder are kept: a change that is taken back, or
/// another branch, costs nothing.
const MOST: usize = 8;

/// Names of folders that no handler is made of, at any depth: what tools leave.
pub(crate) const LEFT_BY_TOOLS: [&str; 6] = ["node_modules", "target", "__pycache__", ".zig-cache", "zig-out", ".git"];

/// All that a component is made of, as a digest.
pub(super) struct Ingredients(Sha256);

impl Ingredients {
    /// Nothing but the recipe yet.
    pub(super) fn new() -> Self {
        Self(Sha256::new()).with(RECIPE)
    }

    /// And a text: a version, a setting.
    pub(super) fn with(mut self, text: &str) -> Self {
        self.0.update(text.len().to_le_bytes());
        self.0.update(text.as_bytes());
        self
    }

    /// And every file of a folder, but for what tools leave there.
    ///
    /// # Errors
    ///
    /// When one cannot be read.
    pub(super) fn with_folder(mut self, folder: &Path) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        list(folder, &mut files).with_context(|| format!("cannot read {}", project::shown(folder)))?;
        for file in files {
            let bytes = fs::read(&file).with_context(|| format!("cannot read {}", project::shown(&file)))?;
            let path = file.strip_prefix(folder).unwrap_or(&file).to_string_lossy().into_owned();
            self = self.with(&path);
            self.0.update(bytes.len().to_le_bytes());
            self.0.update(&bytes);
        }
        Ok(self)
    }

    fn digest(self) -> String {
        hex(&self.0.finalize()[..16])
    }
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // A link to a file counts by what it leads to; one to a folder could lead anywhere.
        if entry.file_type()?.is_dir() {
            if !LEFT_BY_TOOLS.contains(&&*entry.file_name().to_string_lossy()) {
                list(&path, files)?;
            }
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// The component of a source: as it was built of the same ingredients before, or
/// built now into a file that `build` is given.
///
/// # Errors
///
/// Those of `build`, and when a file cannot be read or written.
pub(super) fn component(
    folder: &Path,
    source: &Path,
    ingredients: Ingredients,
    build: impl FnOnce(&Path) -> anyhow::Result<Vec<u8>>,
) -> anyhow::Result<PathBuf> {
    let of_source = hex(&Sha256::digest(source.as_os_str().as_encoded_bytes())[..8]);
    let kept = folder.join(format!("{of_source}-{}.wasm", ingredients.digest()));
    if kept.is_file() {
        eprintln!("{} is as it was built before", project::shown(source));
        return Ok(kept);
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", project::shown(folder)))?;
    // Of this process alone: two builds at once do not meet.
    let scratch = Scratch(kept.with_extension(format!("{}.tmp", std::process::id())));
    fs::create_dir_all(&scratch.0).with_context(|| format!("cannot make {}", project::shown(&scratch.0)))?;
    let bytes = build(&scratch.0)?;
    compile::check_kind(&bytes)?;
    compile::write_once(&kept, &bytes)?;
    prune(folder, &of_source);
    Ok(kept)
}

/// A folder that is gone when this is.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Removes the oldest components of a source. What cannot be removed stays: it
/// is in nobody's way.
fn prune(folder: &Path, of_source: &str) {
    let mut kept: Vec<(SystemTime, PathBuf)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.starts_with(of_source) && name.ends_with(".wasm")
        })
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    kept.sort();
    let old = kept.len().saturating_sub(MOST);
    for (_, path) in kept.into_iter().take(old) {
        let _ = fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPONENT: &[u8] = &[0, b'a', b's', b'm', 0x0d, 0, 1, 0];

    #[test]
    fn what_was_built_of_the_same_bytes_is_not_built_again() {
        let folder = tempfile::tempdir().unwrap();
        let (source, kept) = (folder.path().join("a"), folder.path().join("kept"));
        fs::create_dir_all(source.join("src")).unwrap();
        fs::write(source.join("src/x"), "1").unwrap();
        let build = |version: &str| {
            let mut built = false;
            let ingredients = Ingredients::new().with(version).with_folder(&source).unwrap();
            component(&kept, &source, ingredients, |scratch| {
                assert!(scratch.is_dir());
                built = true;
                Ok(COMPONENT.to_vec())
            })
            .unwrap();
            built
        };
        assert!(build("1") && !build("1") && build("2"));
        for name in ["node_modules", "__pycache__", "target"] {
            fs::create_dir(source.join(name)).unwrap();
            fs::write(source.join(name).join("y"), "1").unwrap();
        }
        assert!(!build("1"));
        // Another file, another name, another text.
        fs::write(source.join("src/y"), "1").unwrap();
        assert!(build("1"));
        fs::rename(source.join("src/y"), source.join("src/z")).unwrap();
        assert!(build("1"));
        fs::write(source.join("src/z"), "2").unwrap();
        assert!(build("1"));
        fs::write(source.join("src/z"), "1").unwrap();
        assert!(!build("1"));
        for number in 0..20 {
            fs::write(source.join("src/z"), number.to_string()).unwrap();
            build("1");
        }
        let names: Vec<_> = fs::read_dir(&kept).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), MOST, "{names:?}");
    }

    #[test]
    fn what_is_no_component_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("kept");
        let failed = component(&kept, folder.path(), Ingredients::new(), |_| Ok(b"text".to_vec())).unwrap_err();
        assert!(failed.to_string().contains("not WebAssembly"), "{failed}");
        assert_eq!(fs::read_dir(&kept).unwrap().count(), 0);
    }
}
