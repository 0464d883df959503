//! Where the host's binary of a package comes from: a file that the user names,
//! one beside this command, or the sources in this command, built and kept.
//! Whichever it is, it is read once, and what was checked is what is packed.

mod build;
mod elf;
mod sources;
mod tools;

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use gristmill_host::guest::compile::Cache;

pub use build::{built, built_with};

use super::weight;
use crate::architecture::Architecture;
use crate::edge::{Misuse, quoted};

/// Where a binary was taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `--bootstrap`
    Given(PathBuf),
    /// The folder of this command.
    Beside(PathBuf),
    /// The user's cache, built from the sources in this command.
    Built(PathBuf),
}

impl Origin {
    /// One word, for people and programs.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Given(_) => "given",
            Self::Beside(_) => "beside the command",
            Self::Built(_) => "built from the command's own sources",
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Given(path) | Self::Beside(path) | Self::Built(path) => path,
        }
    }
}

/// The host's binary, read and checked.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    /// Where it was.
    pub origin: Origin,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// The binary that is there already: the file that the user names, or else the
/// one beside this command, if there is one.
///
/// # Errors
///
/// * [`Misuse`] when it is no program that Lambda starts on the architecture;
/// * when it cannot be read.
pub fn there(given: Option<&Path>, architecture: Architecture) -> anyhow::Result<Option<Bootstrap>> {
    if let Some(given) = given {
        return read(Origin::Given(given.to_owned()), architecture).map(Some);
    }
    let Ok(command) = std::env::current_exe() else { return Ok(None) };
    let beside = command.with_file_name(beside_name(architecture));
    // A link that leads nowhere is somebody's mistake, and not passed over.
    if beside.symlink_metadata().is_err() {
        return Ok(None);
    }
    read(Origin::Beside(beside), architecture).map(Some)
}

/// The name of the binary beside the command.
fn beside_name(architecture: Architecture) -> String {
    format!("bootstrap-{architecture}")
}

/// The binary that is built from the sources in this command, now or earlier.
///
/// # Errors
///
/// As [`built`].
pub fn from_sources(cache: &Cache, architecture: Architecture, offline: bool) -> anyhow::Result<Bootstrap> {
    read(Origin::Built(built(cache, architecture, offline)?), architecture)
}

fn read(origin: Origin, architecture: Architecture) -> anyhow::Result<Bootstrap> {
    let path = origin.path();
    let name = match &origin {
        Origin::Given(path) => format!("--bootstrap {}", quoted(&path.to_string_lossy())),
        Origin::Beside(path) | Origin::Built(path) => quoted(&path.to_string_lossy()),
    };
    let wrong = |what: &str| anyhow::Error::new(Misuse::new(format!("{name} {what}")));
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(wrong("is not there")),
        metadata => metadata.with_context(|| format!("cannot read {name}"))?,
    };
    // Before it is opened: a pipe would wait for somebody to write.
    if !metadata.is_file() {
        return Err(wrong(if metadata.is_dir() { "is a folder; name the file in it" } else { "is no regular file" }));
    }
    if metadata.len() > weight::MOST_BYTES {
        return Err(wrong("is larger than all of a package may be"));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(weight::MOST_BYTES).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read {name}"))?;
    elf::check(&bytes, architecture).map_err(|what| wrong(&what))?;
    Ok(Bootstrap { origin, bytes })
}
