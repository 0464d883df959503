//! Components that were built of the very same bytes before. For compilers that
//! keep nothing themselves; cargo does.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use gristmill_host::guest::compile::{self, hex};
use sha2::{Digest as _, Sha256};

use crate::project;

/// Changes when what is done here or beside it does, so that what an older
/// command has built is not taken for it.
const RECIPE: &str = "2";

/// How many components of one folder are kept: a change that is taken back, or
/// another branch, costs nothing.
const MOST: usize = 8;

/// Names of folders that no handler is made of, at any depth: what tools leave.
pub(crate) const LEFT_BY_TOOLS: [&str; 6] = ["node_modules", "target", "__pycache__", ".zig-cache", "zig-out", ".git"];

/// All that a component is made of, as a digest.
#[derive(Clone)]
pub(super) struct Ingredients {
    digest: Sha256,
    /// The folders that are in it whole.
    folders: Vec<PathBuf>,
}

impl Ingredients {
    /// Nothing but the recipe yet.
    pub(super) fn new() -> Self {
        Self { digest: Sha256::new(), folders: Vec::new() }.with(RECIPE)
    }

    /// And a text: a version, a setting.
    pub(super) fn with(self, text: &str) -> Self {
        self.with_bytes(text.as_bytes())
    }

    fn with_bytes(mut self, bytes: &[u8]) -> Self {
        self.digest.update(bytes.len().to_le_bytes());
        self.digest.update(bytes);
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
            self = self.with(&path).with_bytes(&bytes);
        }
        self.folders.extend(fs::canonicalize(folder));
        Ok(self)
    }

    /// And a file or folder that may be gone.
    fn with_path(self, path: &Path) -> anyhow::Result<Self> {
        let named = self.with(&path.to_string_lossy());
        if path.is_dir() {
            return named.with_folder(path);
        }
        match fs::read(path) {
            Ok(bytes) => Ok(named.with("file").with_bytes(&bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(named.with("none")),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", project::shown(path))),
        }
    }

    fn digest(self) -> String {
        hex(&self.digest.finalize()[..16])
    }
}

/// The files below a folder. Links count by what they lead to, each folder once.
fn list(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut seen = HashSet::from([fs::canonicalize(folder)?]);
    list_unseen(folder, files, &mut seen)
}

fn list_unseen(folder: &Path, files: &mut Vec<PathBuf>, seen: &mut HashSet<PathBuf>) -> std::io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<std::io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            let is_left = LEFT_BY_TOOLS.contains(&&*entry.file_name().to_string_lossy());
            if !is_left && seen.insert(fs::canonicalize(&path)?) {
                list_unseen(&path, files, seen)?;
            }
        } else if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// What a build has made.
pub(super) struct Made {
    /// The component.
    pub(super) component: Vec<u8>,
    /// Files and folders that it was made of beside its ingredients: what a
    /// handler shares with others.
    pub(super) outside: Vec<PathBuf>,
}

/// The component of a source: as it was built of the same ingredients before, or
/// built now by `build`, which is given a folder to work in.
///
/// # Errors
///
/// Those of `build`, and when a file cannot be read or written.
pub(super) fn component(
    folder: &Path,
    source: &Path,
    ingredients: impl Fn() -> anyhow::Result<Ingredients>,
    build: impl FnOnce(&Path) -> anyhow::Result<Made>,
) -> anyhow::Result<PathBuf> {
    let of_source = hex(&Sha256::digest(source.as_os_str().as_encoded_bytes())[..8]);
    let (started, before) = (SystemTime::now(), ingredients()?);
    let place = |all: Ingredients| folder.join(format!("{of_source}-{}.wasm", all.digest()));
    // What it was made of beside is only known once it was built.
    let list = folder.join(format!("{of_source}-{}.{OUTSIDE}", before.clone().digest()));
    let kept = place(and_outside(before.clone(), &known_outside(&list))?);
    if kept.is_file() {
        eprintln!("{} is as it was built before", project::shown(source));
        return Ok(kept);
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", project::shown(folder)))?;
    // Of this process alone: two builds at once do not meet.
    let scratch = Scratch(kept.with_extension(format!("{}.tmp", std::process::id())));
    fs::create_dir_all(&scratch.0).with_context(|| format!("cannot make {}", project::shown(&scratch.0)))?;
    let made = build(&scratch.0)?;
    compile::check_kind(&made.component)?;
    let outside: BTreeSet<PathBuf> = made.outside.iter().filter_map(|path| fs::canonicalize(path).ok()).collect();
    let is_in = |path: &PathBuf| before.folders.iter().any(|folder| path.starts_with(folder));
    let outside: Vec<PathBuf> = outside.into_iter().filter(|path| !is_in(path)).collect();
    let mut all = and_outside(before.clone(), &outside)?;
    // Of which state it is is not known then, so it must not be taken for either's.
    if ingredients()?.digest() != before.digest() || outside.iter().any(|path| is_changed_since(path, started)) {
        all = all.with(&format!("changed while it was built: {started:?}"));
    }
    let kept = place(all);
    compile::write_once(&kept, &made.component)?;
    let text = serde_json::to_string(&outside).context("a path that is not UTF-8")?;
    compile::write_once(&list, text.as_bytes())?;
    prune(folder, &of_source, "wasm");
    prune(folder, &of_source, OUTSIDE);
    Ok(kept)
}

/// The ending of the files that say what a component was made of beside its
/// ingredients.
const OUTSIDE: &str = "outside.json";

/// What such a file says. One that cannot be read says nothing, and then the
/// component is built.
fn known_outside(list: &Path) -> Vec<PathBuf> {
    fs::read(list).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

fn and_outside(ingredients: Ingredients, outside: &[PathBuf]) -> anyhow::Result<Ingredients> {
    outside.iter().try_fold(ingredients, |all, path| all.with_path(path))
}

fn is_changed_since(path: &Path, then: SystemTime) -> bool {
    // The clock that dates files ticks every 10 ms at most, and so is behind.
    const TICK: Duration = Duration::from_millis(20);
    let mut paths = vec![path.to_owned()];
    if path.is_dir() && list(path, &mut paths).is_err() {
        return true;
    }
    let modified = |path: &PathBuf| fs::metadata(path).and_then(|metadata| metadata.modified());
    paths.iter().any(|path| modified(path).is_ok_and(|at| at + TICK >= then))
}

/// A folder that is gone when this is.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Removes the oldest files of a source with an ending. What cannot be removed stays: it
/// is in nobody's way.
fn prune(folder: &Path, of_source: &str, ending: &str) {
    let mut kept: Vec<(SystemTime, PathBuf)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.starts_with(of_source) && name.split_once('.').is_some_and(|(_, has)| has == ending)
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
            let ingredients = || Ingredients::new().with(version).with_folder(&source);
            component(&kept, &source, ingredients, |scratch| {
                assert!(scratch.is_dir());
                built = true;
                Ok(Made { component: COMPONENT.to_vec(), outside: Vec::new() })
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
        assert_eq!(names.len(), 2 * MOST, "{names:?}");
    }

    /// Builds a source that takes a file from beside it, which `during` may change.
    fn build_with(folder: &Path, outside: &[&Path], during: impl Fn()) -> bool {
        let (source, mut built) = (folder.join("a"), false);
        let ingredients = || Ingredients::new().with_folder(&source);
        component(&folder.join("kept"), &source, ingredients, |_| {
            built = true;
            during();
            Ok(Made { component: COMPONENT.to_vec(), outside: outside.iter().map(|path| path.to_path_buf()).collect() })
        })
        .unwrap();
        built
    }

    #[test]
    fn a_file_beside_the_source_counts() {
        let folder = tempfile::tempdir().unwrap();
        let (source, shared, long_ago) = (folder.path().join("a"), folder.path().join("s/x"), SystemTime::UNIX_EPOCH);
        let write = |path: &Path, text: &str| {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
            fs::File::open(path).unwrap().set_modified(long_ago).unwrap();
        };
        write(&source.join("x"), "1");
        write(&shared, "1");
        for outside in [&source.join("../s/x"), shared.parent().unwrap()] {
            let _ = fs::remove_dir_all(folder.path().join("kept"));
            fs::File::open(outside).unwrap().set_modified(long_ago).unwrap();
            let build = || build_with(folder.path(), &[outside], || ());
            assert!(build() && !build());
            write(&shared, "2");
            fs::File::open(outside).unwrap().set_modified(long_ago).unwrap();
            assert!(build() && !build());
            write(&shared, "1");
            assert!(!build());
            fs::remove_file(&shared).unwrap();
            assert!(build());
            write(&shared, "1");
        }
    }

    #[test]
    fn what_changes_while_it_is_built_is_built_again() {
        let folder = tempfile::tempdir().unwrap();
        let (own, shared) = (folder.path().join("a/x"), folder.path().join("x"));
        fs::create_dir(folder.path().join("a")).unwrap();
        for changed in [&own, &shared] {
            fs::write(&own, "1").unwrap();
            fs::write(&shared, "1").unwrap();
            for path in [&own, &shared] {
                fs::File::open(path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
            }
            let _ = fs::remove_dir_all(folder.path().join("kept"));
            assert!(build_with(folder.path(), &[&shared], || fs::write(changed, "2").unwrap()));
            // Of the text before or the one after.
            fs::write(changed, "1").unwrap();
            assert!(build_with(folder.path(), &[&shared], || ()));
            fs::write(changed, "2").unwrap();
            assert!(build_with(folder.path(), &[&shared], || ()));
        }
    }

    #[test]
    fn a_link_to_a_folder_counts_by_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let (source, other) = (folder.path().join("a"), folder.path().join("b"));
        fs::create_dir(&source).unwrap();
        fs::create_dir(&other).unwrap();
        std::os::unix::fs::symlink(&other, source.join("b")).unwrap();
        // Round in circles.
        std::os::unix::fs::symlink(&source, other.join("a")).unwrap();
        let digest = || Ingredients::new().with_folder(&source).unwrap().digest();
        let before = digest();
        fs::write(other.join("x"), "1").unwrap();
        assert_ne!(digest(), before);
    }

    #[test]
    fn what_is_no_component_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("kept");
        let failed = component(
            &kept,
            folder.path(),
            || Ok(Ingredients::new()),
            |_| Ok(Made { component: b"text".to_vec(), outside: Vec::new() }),
        )
        .unwrap_err();
        assert!(failed.to_string().contains("not WebAssembly"), "{failed}");
        assert_eq!(fs::read_dir(&kept).unwrap().count(), 0);
    }
}
