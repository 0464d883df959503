//! Functions that were compiled before. A component that a language's tools make
//! is mostly that language's runtime, which is the same in every handler and after
//! every change of one: only what is new is compiled. Says how far it is, too.
//!
//! The file is in the user's own cache, and trusted as precompiled code is.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use wasmparser::{Parser, Payload};
use wasmtime::CacheStore;

/// A file that has grown to this is begun anew: it has many runtimes' versions by
/// then. One large runtime takes about a tenth of it.
const MOST_BYTES: u64 = 1 << 30;

/// Told how much of the compiling is done, in percent.
type Tell = Box<dyn Fn(u32) + Send + Sync>;

/// What is asked for functions while one component is compiled.
pub(super) struct Functions {
    known: HashMap<Vec<u8>, Vec<u8>>,
    new: Mutex<Vec<(Vec<u8>, Vec<u8>)>>,
    asked: AtomicU32,
    all: u32,
    told: AtomicU32,
    tell: Tell,
}

impl Functions {
    /// With those that a file has; without any if there is no such file, or it
    /// cannot be read: then all are compiled.
    pub(super) fn read(file: &Path, component: &[u8], tell: Tell) -> Self {
        let known = std::fs::read(file).map(|bytes| entries(&bytes).0).unwrap_or_default();
        let all = count(component).max(1);
        Self { known, new: Mutex::default(), asked: AtomicU32::new(0), all, told: AtomicU32::new(0), tell }
    }

    /// Adds those that were compiled to the file.
    pub(super) fn write(&self, file: &Path) -> io::Result<()> {
        let new = std::mem::take(&mut *self.new.lock().unwrap_or_else(PoisonError::into_inner));
        if new.is_empty() {
            return Ok(());
        }
        let mut file = File::options().create(true).truncate(false).read(true).write(true).open(file)?;
        // One process writes at a time. A reader may see part of an entry, and leaves it out.
        file.lock()?;
        let mut there = Vec::new();
        file.read_to_end(&mut there)?;
        // What a process left that was ended while it wrote.
        let mut end = entries(&there).1 as u64;
        if end > MOST_BYTES {
            end = 0;
        }
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        let mut bytes = Vec::new();
        for (key, value) in &new {
            for part in [key, value] {
                let length = u32::try_from(part.len()).map_err(io::Error::other)?;
                bytes.extend(length.to_le_bytes());
            }
            bytes.extend(key);
            bytes.extend(value);
        }
        file.write_all(&bytes)
    }

    fn tell(&self) {
        let done = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
        // Trampolines are asked for beside the functions.
        let percent = u32::try_from(u64::from(done) * 100 / u64::from(self.all)).unwrap_or(100).min(99);
        if self.told.fetch_max(percent, Ordering::Relaxed) < percent {
            (self.tell)(percent);
        }
    }
}

impl CacheStore for Functions {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        self.tell();
        self.known.get(key).map(|value| Cow::Borrowed(value.as_slice()))
    }

    fn insert(&self, key: &[u8], value: Vec<u8>) -> bool {
        self.new.lock().unwrap_or_else(PoisonError::into_inner).push((key.to_vec(), value));
        true
    }
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Functions").field("known", &self.known.len()).finish_non_exhaustive()
    }
}

/// The whole entries of a file, and where the last of them ends.
fn entries(bytes: &[u8]) -> (HashMap<Vec<u8>, Vec<u8>>, usize) {
    let mut entries = HashMap::new();
    let mut end = 0;
    while let Some((key, value, next)) = entry(bytes, end) {
        entries.insert(key.to_vec(), value.to_vec());
        end = next;
    }
    (entries, end)
}

fn entry(bytes: &[u8], at: usize) -> Option<(&[u8], &[u8], usize)> {
    let rest = bytes.get(at..)?;
    let (lengths, rest) = rest.split_first_chunk::<8>()?;
    let [a, b, c, d, e, f, g, h] = *lengths;
    let [key, value] = [[a, b, c, d], [e, f, g, h]].map(|length| u32::from_le_bytes(length) as usize);
    let (key_bytes, rest) = rest.split_at_checked(key)?;
    let value_bytes = rest.get(..value)?;
    Some((key_bytes, value_bytes, at + 8 + key + value))
}

/// The functions of a component, those of all its modules. What is no component
/// has none; the compiler says what is wrong with it.
fn count(component: &[u8]) -> u32 {
    let payloads = Parser::new(0).parse_all(component).map_while(Result::ok);
    payloads
        .map(|payload| match payload {
            Payload::CodeSectionStart { count, .. } => count,
            _ => 0,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn functions(file: &Path) -> Functions {
        Functions::read(file, b"", Box::new(|_| {}))
    }

    #[test]
    fn what_was_added_is_found_by_the_next_and_half_an_entry_is_not() {
        let folder = std::env::temp_dir().join(format!("gristmill-functions-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("functions");
        let first = functions(&path);
        assert_eq!(first.get(b"a"), None);
        assert!(first.insert(b"a", vec![1; 10]) && first.insert(b"b", Vec::new()));
        first.write(&path).unwrap();
        // A process that was ended while it wrote.
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, [&whole[..], &[9, 0, 0, 0, 1]].concat()).unwrap();
        let second = functions(&path);
        assert_eq!(second.get(b"a").as_deref(), Some(&[1; 10][..]));
        assert_eq!(second.get(b"b").as_deref(), Some(&[][..]));
        second.insert(b"c", vec![3]);
        second.write(&path).unwrap();
        let third = functions(&path);
        assert_eq!(third.known.len(), 3);
        assert_eq!(third.get(b"c").as_deref(), Some(&[3][..]));
        third.write(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap().len(), whole.len() + 10);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn percents_rise_and_never_say_that_all_is_done() {
        let (sender, told) = std::sync::mpsc::channel();
        let tell = Mutex::new(sender);
        let mut functions = Functions::read(
            Path::new("/nowhere"),
            b"",
            Box::new(move |percent| {
                tell.lock().unwrap().send(percent).unwrap();
            }),
        );
        functions.all = 10;
        for _ in 0..12 {
            assert_eq!(functions.get(b"x"), None);
        }
        drop(functions);
        assert_eq!(told.iter().collect::<Vec<_>>(), [10, 20, 30, 40, 50, 60, 70, 80, 90, 99]);
    }
}
