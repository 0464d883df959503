//! How far each mapping has come, in files: one for each shard, replaced whole.
//! In memory when the data is.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use gristmill_mapping::{Position, PositionError, PositionStore};

/// Where positions are kept.
#[derive(Clone, Debug)]
pub(crate) enum Positions {
    /// In this folder, by mapping and shard.
    Folder(PathBuf),
    /// In the process.
    Memory(Arc<Mutex<BTreeMap<(String, String), Position>>>),
}

impl Positions {
    fn failed(path: &Path, error: &dyn std::fmt::Display) -> PositionError {
        PositionError(format!("{}: {error}", path.display()))
    }
}

impl PositionStore for Positions {
    async fn load(&self, mapping: &str) -> Result<BTreeMap<String, Position>, PositionError> {
        let folder = match self {
            Self::Memory(kept) => {
                let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                let own = kept.iter().filter(|((of, _), _)| of == mapping);
                return Ok(own.map(|((_, shard), position)| (shard.clone(), position.clone())).collect());
            }
            Self::Folder(folder) => folder.join(mapping),
        };
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            other => other.map_err(|error| Self::failed(&folder, &error))?,
        };
        let mut positions = BTreeMap::new();
        for entry in entries {
            let path = entry.map_err(|error| Self::failed(&folder, &error))?.path();
            let shard = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            // What was being written when the process was killed.
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            let text = fs::read_to_string(&path).map_err(|error| Self::failed(&path, &error))?;
            let position = serde_json::from_str(&text).map_err(|error| Self::failed(&path, &error))?;
            positions.insert(shard.to_owned(), position);
        }
        Ok(positions)
    }

    async fn save(&self, mapping: &str, shard: &str, position: &Position) -> Result<(), PositionError> {
        match self {
            Self::Memory(kept) => {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.insert((mapping.to_owned(), shard.to_owned()), position.clone());
                Ok(())
            }
            Self::Folder(folder) => {
                let path = file(folder, mapping, shard)?;
                let text = serde_json::to_string(position).map_err(|error| Self::failed(&path, &error))?;
                // Some milliseconds on a disk: not for a thread that runs
                // handlers.
                let result = tokio::task::spawn_blocking(move || {
                    replace(&path, &text).map_err(|error| Self::failed(&path, &error))
                });
                result.await.unwrap_or_else(|error| Err(PositionError(error.to_string())))
            }
        }
    }

    async fn forget(&self, mapping: &str, shard: &str) -> Result<(), PositionError> {
        match self {
            Self::Memory(kept) => {
                kept.lock().unwrap_or_else(PoisonError::into_inner).remove(&(mapping.to_owned(), shard.to_owned()));
                Ok(())
            }
            Self::Folder(folder) => {
                let path = file(folder, mapping, shard)?;
                gone(fs::remove_file(&path)).map_err(|error| Self::failed(&path, &error))
            }
        }
    }

    async fn forget_all(&self, mapping: &str) -> Result<(), PositionError> {
        match self {
            Self::Memory(kept) => {
                kept.lock().unwrap_or_else(PoisonError::into_inner).retain(|(of, _), _| of != mapping);
                Ok(())
            }
            Self::Folder(folder) => {
                let path = folder.join(mapping);
                gone(fs::remove_dir_all(&path)).map_err(|error| Self::failed(&path, &error))
            }
        }
    }
}

/// The ids come from an endpoint, which may be anybody's, and become a path.
fn file(folder: &Path, mapping: &str, shard: &str) -> Result<PathBuf, PositionError> {
    let is_plain = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    match is_plain(mapping) && is_plain(shard) {
        true => Ok(folder.join(mapping).join(format!("{shard}.json"))),
        false => Err(PositionError(format!("{shard:?} is no shard's id"))),
    }
}

fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Replaces a file by another, so that it is one or the other whatever happens.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Beside its place, by the whole name: two that differ after a dot only are
    // two.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!("{name}.new"));
    let mut file = File::create(&temporary)?;
    file.write_all(text.as_bytes())?;
    file.sync_data()?;
    fs::rename(&temporary, path)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(sequence_number: &str) -> Position {
        Position::After { sequence_number: sequence_number.to_owned(), window: None }
    }

    #[test]
    fn positions_are_read_back_by_mapping() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for store in [Positions::Folder(folder.path().to_owned()), Positions::Memory(Arc::default())] {
            runtime.block_on(async {
                assert_eq!(store.load("m").await.unwrap(), BTreeMap::new());
                store.save("m", "a", &after("1")).await.unwrap();
                store.save("m", "a", &after("2")).await.unwrap();
                store.save("m", "b", &Position::Finished).await.unwrap();
                store.save("n", "a", &Position::TrimHorizon).await.unwrap();
                let expected = [("a".to_owned(), after("2")), ("b".to_owned(), Position::Finished)];
                assert_eq!(store.load("m").await.unwrap(), BTreeMap::from(expected));
                store.forget("m", "a").await.unwrap();
                store.forget("m", "a").await.unwrap();
                assert_eq!(store.load("m").await.unwrap().len(), 1);
                store.forget_all("m").await.unwrap();
                store.forget_all("m").await.unwrap();
                if let Positions::Folder(_) = store {
                    store.save("m", "../../a", &Position::Finished).await.unwrap_err();
                }
                assert_eq!(store.load("m").await.unwrap(), BTreeMap::new());
                assert_eq!(store.load("n").await.unwrap().len(), 1);
            });
        }
    }

    #[test]
    fn files_that_differ_after_a_dot_only_are_two() {
        let folder = tempfile::tempdir().unwrap();
        let threads = ["T10.20.30-a", "T10.20.30-b"].map(|name| {
            let path = folder.path().join(name);
            std::thread::spawn(move || {
                for _ in 0..50 {
                    replace(&path, name).unwrap();
                    assert_eq!(fs::read_to_string(&path).unwrap(), name);
                }
            })
        });
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }

    #[test]
    fn a_position_that_cannot_be_read_is_told() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("m")).unwrap();
        fs::write(folder.path().join("m/a.json"), "{").unwrap();
        fs::write(folder.path().join("m/b.json.new"), "{").unwrap();
        let store = Positions::Folder(folder.path().to_owned());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let error = runtime.block_on(store.load("m")).unwrap_err().to_string();
        assert!(error.contains("m/a.json: EOF"), "{error}");
    }
}
