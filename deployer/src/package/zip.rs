//! A zip that is the same bytes for the same files, on every machine and every
//! day: in the order of the names, with one time, two modes and one level. What
//! the files are is not known here.

use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use crate::edge::Misuse;
use crate::project;

/// The level that zlib takes unless told otherwise. The highest makes a package
/// half a percent smaller in more than twice the time.
const LEVEL: i64 = 6;

/// A file to come into a zip.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its name, which has no folder in it.
    pub(super) name: String,
    /// Whether it is to be started.
    pub(super) is_program: bool,
    /// What is in it.
    pub(super) data: Data,
}

/// What is in a file.
#[derive(Clone, Debug)]
pub(super) enum Data {
    /// These.
    Bytes(Vec<u8>),
    /// Those of this file, of this length.
    File(PathBuf, u64),
}

impl Data {
    /// A file's, which must be no symbolic link: what it leads to could be
    /// anything.
    pub(super) fn of_file(path: PathBuf) -> anyhow::Result<Self> {
        let metadata = fs::symlink_metadata(&path).with_context(|| format!("cannot read {}", project::shown(&path)))?;
        if !metadata.is_file() {
            bail!("{} is a symbolic link, or no file; it is not packed", project::shown(&path));
        }
        Ok(Self::File(path, metadata.len()))
    }

    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(_, length) => *length,
        }
    }

    /// All of them.
    pub(super) fn read(&self) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.clone()),
            Self::File(path, _) => fs::read(path).with_context(|| format!("cannot read {}", project::shown(path))),
        }
    }
}

/// What became of a zip.
pub(super) struct Written {
    /// Its digest.
    pub(super) sha256: [u8; 32],
    /// Its length.
    pub(super) bytes: u64,
    /// Each file's length in it, in the order of their names.
    pub(super) zipped_bytes: Vec<u64>,
}

/// Writes a zip under a temporary name beside its place, and renames it.
///
/// # Errors
///
/// * a name comes twice, or is none for a file;
/// * a file cannot be read, or has changed its length;
/// * the zip cannot be written.
pub(super) fn write(path: &Path, entries: &[Entry]) -> anyhow::Result<Written> {
    let cannot = || format!("cannot write {}", project::shown(path));
    let temporary = temporary(path)?;
    let mut file = File::options().read(true).write(true).create_new(true).open(&temporary).with_context(cannot)?;
    let written = write_to(&mut file, entries).and_then(|written| {
        file.sync_all().and_then(|()| fs::rename(&temporary, path)).with_context(cannot)?;
        Ok(written)
    });
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// A name that no other process takes.
fn temporary(path: &Path) -> anyhow::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| Misuse::new("the package needs a file's name"))?.to_string_lossy();
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(path.with_file_name(format!(".{name}.{}-{}.tmp", std::process::id(), since.as_nanos())))
}

fn write_to<F: Read + Write + Seek>(file: &mut F, entries: &[Entry]) -> anyhow::Result<Written> {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    let mut zip = ZipWriter::new(&mut *file);
    let mut before = None;
    for entry in sorted {
        let name = entry.name.as_str();
        if name.is_empty()
            || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
            || name.starts_with('.')
        {
            bail!("{} is no name for a file of a package", crate::edge::quoted(name));
        }
        if before == Some(name) {
            bail!("{name} is in the package twice");
        }
        before = Some(name);
        // The first day that a zip can name. Lambda runs the function as another
        // user than the files': all may read them.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(LEVEL))
            .last_modified_time(DateTime::default())
            .unix_permissions(if entry.is_program { 0o755 } else { 0o644 });
        zip.start_file(name, options).with_context(|| format!("cannot pack {name}"))?;
        let copied = match &entry.data {
            Data::Bytes(bytes) => zip.write_all(bytes).map(|()| bytes.len() as u64),
            Data::File(path, _) => File::open(path).and_then(|mut file| io::copy(&mut file, &mut zip)),
        };
        if copied.with_context(|| format!("cannot pack {name}"))? != entry.data.len() {
            bail!("{name} was written to while it was packed; try again");
        }
    }
    zip.finish().context("cannot finish the package")?;
    let (sha256, bytes) = digest(file).context("cannot read the package")?;
    let mut archive = ZipArchive::new(file).context("cannot read the package")?;
    let zipped_bytes = (0..archive.len()).map(|index| archive.by_index_raw(index).map(|entry| entry.compressed_size()));
    let zipped_bytes = zipped_bytes.collect::<Result<_, _>>().context("cannot read the package")?;
    Ok(Written { sha256, bytes, zipped_bytes })
}

fn digest<F: Read + Seek>(file: &mut F) -> io::Result<([u8; 32], u64)> {
    file.rewind()?;
    let (mut digest, mut bytes, mut part) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        match file.read(&mut part)? {
            0 => return Ok((digest.finalize().into(), bytes)),
            length => {
                digest.update(&part[..length]);
                bytes += length as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn entry(name: &str, is_program: bool, bytes: &[u8]) -> Entry {
        Entry { name: name.to_owned(), is_program, data: Data::Bytes(bytes.to_vec()) }
    }

    fn zipped(entries: &[Entry]) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        write_to(&mut file, entries).unwrap();
        file.into_inner()
    }

    #[test]
    fn the_order_in_which_files_come_does_not_matter() {
        let mut entries = [entry("b", false, b"two"), entry("a", true, &[7; 10_000]), entry("c.json", false, b"")];
        let first = zipped(&entries);
        entries.reverse();
        assert_eq!(zipped(&entries), first);
    }

    /// To the byte, so that a change of a library, a level or a machine is seen.
    #[test]
    fn a_package_has_known_bytes() {
        let text: Vec<u8> = (0..20_000u32).flat_map(|n| (n.wrapping_mul(2_654_435_761) >> 20).to_le_bytes()).collect();
        let bytes = zipped(&[entry("handlers.json", false, &text), entry("bootstrap", true, b"#!/bin/sh\n")]);
        let digest = gristmill_host::guest::compile::hex(&Sha256::digest(&bytes));
        assert_eq!(digest, "32f66c9c570499c56fae6bb1bfc6b5a16fdf8a22c056b359e93bd30996ac7a20", "{} bytes", bytes.len());
    }

    #[test]
    fn time_and_modes_are_fixed_and_nothing_is_extra() {
        let bytes = zipped(&[entry("a", true, b"x"), entry("b", false, b"y")]);
        let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
        for (index, mode) in [0o100_755, 0o100_644].into_iter().enumerate() {
            let file = archive.by_index(index).unwrap();
            assert_eq!(file.unix_mode(), Some(mode));
            assert_eq!(file.last_modified(), DateTime::from_date_and_time(1980, 1, 1, 0, 0, 0).ok());
            assert_eq!(file.extra_data().map_or(0, |data| data.len()), 0);
            assert_eq!(file.comment(), "");
        }
    }

    #[test]
    fn a_name_that_is_none_or_comes_twice_is_refused() {
        for name in ["", ".", "..", "../x", "/x", "a/b", "a\\b", "a\0", ".hidden", "ä", "a\n"] {
            let refused = write_to(&mut Cursor::new(Vec::new()), &[entry(name, false, b"")]).err().unwrap().to_string();
            assert!(refused.ends_with("is no name for a file of a package"), "{name:?}: {refused}");
        }
        let twice = [entry("a", false, b"1"), entry("b", false, b""), entry("a", false, b"2")];
        let refused = write_to(&mut Cursor::new(Vec::new()), &twice).err().unwrap().to_string();
        assert_eq!(refused, "a is in the package twice");
    }

    #[test]
    fn a_link_or_a_folder_is_not_packed() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "secret").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(Data::of_file(file).unwrap().len(), 6);
        for path in [link, folder.path().to_owned()] {
            let refused = Data::of_file(path).unwrap_err().to_string();
            assert!(refused.ends_with("is a symbolic link, or no file; it is not packed"), "{refused}");
        }
        assert!(Data::of_file(folder.path().join("gone")).is_err());
    }

    #[test]
    fn a_failure_leaves_what_was_there_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("demo.zip");
        fs::write(&path, "old").unwrap();
        let gone = Entry { name: "a".to_owned(), is_program: false, data: Data::File(folder.path().join("gone"), 3) };
        assert!(write(&path, &[gone]).is_err());
        let short = folder.path().join("short");
        fs::write(&short, "ab").unwrap();
        let changed = Entry { name: "a".to_owned(), is_program: false, data: Data::File(short.clone(), 3) };
        let told = write(&path, &[changed]).err().unwrap().to_string();
        assert_eq!(told, "a was written to while it was packed; try again");
        fs::remove_file(&short).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let written = write(&path, &[entry("a", false, b"new")]).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), written.bytes);
        assert_eq!(written.zipped_bytes.len(), 1);
    }
}
