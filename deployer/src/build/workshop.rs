//! What the builds of a project share: where tools, SDKs and what was built
//! before are. Knows folders, and no language's tools.

use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::language::{Engine, Language};
use crate::manifest::Manifest;
use crate::{code, project, tools, vendor};

/// A folder that a handler is built from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'a> {
    pub(super) dir: &'a Path,
    pub(super) lang: Language,
    pub(super) engine: Engine,
    pub(super) stack_kb: u32,
}

impl Source<'_> {
    /// The file that its build begins with.
    pub(super) fn entry(&self) -> PathBuf {
        // The manifest was read, so it is there.
        self.dir.join(self.lang.entry_in(self.dir).unwrap_or(self.lang.entries()[0]))
    }
}

/// Where the builds of a project work.
pub(super) struct Workshop<'a> {
    pub(super) root: &'a Path,
    /// The project's own folder for what is made.
    pub(super) own: PathBuf,
    /// The user's cache.
    pub(super) cache: PathBuf,
    /// Whether the network may not be used.
    pub(super) offline: bool,
}

impl<'a> Workshop<'a> {
    pub(super) fn of(manifest: &'a Manifest, cache: &Path, offline: bool) -> Self {
        Self { root: &manifest.root, own: code::own_folder(manifest), cache: cache.to_owned(), offline }
    }

    /// The folder that tools are installed in.
    pub(super) fn tools(&self) -> PathBuf {
        tools::folder(&self.cache)
    }

    /// What was built before.
    pub(super) fn kept(&self) -> PathBuf {
        self.own.join("built")
    }

    /// The SDK of a language in the project.
    ///
    /// # Errors
    ///
    /// When it is not there.
    pub(super) fn sdk(&self, lang: Language) -> anyhow::Result<PathBuf> {
        let dir = vendor::sdk_dir(lang);
        let found = self.root.join(dir);
        match found.canonicalize() {
            Ok(sdk) if sdk.is_dir() => Ok(sdk),
            _ => bail!(
                "the SDK for {} is not in {}; `gristmill generate event NAME --trigger dynamodb --lang {}` writes it",
                lang.name(),
                project::shown(&found),
                lang.key()
            ),
        }
    }

    /// The contract, as it is in this command, for tools that read it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(super) fn wit(&self, scratch: &Path) -> anyhow::Result<PathBuf> {
        let folder = scratch.join("wit");
        for (path, text) in vendor::wit() {
            let path = folder.join(path);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            std::fs::write(path, text)?;
        }
        Ok(folder)
    }
}
