//! What dev mode stands on: the folder for what it keeps, and a database, its own
//! or another one. Decides what may be done to which.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;

use super::folder::Folder;
use crate::cli::DevArgs;
use crate::database::{Connection, Data, Embedded, Port, Remote, Target};
use crate::edge::Misuse;
use crate::manifest::Manifest;

/// A folder and a database.
pub(super) struct Ground {
    /// None when all is in memory.
    pub(super) folder: Option<Folder>,
    /// Where positions and failure documents are kept; none when all is in memory.
    pub(super) kept: Option<PathBuf>,
    /// Who answers.
    pub(super) api: Arc<Connection>,
    /// Where, as it is shown.
    pub(super) endpoint: String,
    /// The Region of its ARNs.
    pub(super) region: String,
    /// Whether tables may be made in it.
    pub(super) may_create: bool,
    embedded: Option<Embedded>,
}

impl Ground {
    /// Opens what the command line asks for.
    ///
    /// # Errors
    ///
    /// * [`Misuse`]: the port is taken, or something would be done to tables that
    ///   are not on this machine;
    /// * another process has the folder;
    /// * the data cannot be opened, or there are no credentials.
    pub(super) async fn open(path: &Path, manifest: &Manifest, args: &DevArgs) -> anyhow::Result<Self> {
        if let Some(target) = Target::of(&args.endpoint)? {
            return Self::remote(path, args, &target).await;
        }
        // The port first: what cannot be served need not be opened, nor reset.
        let port = Port::take(args.port)?;
        let folder = folder(path, args)?;
        let data = folder.as_ref().map_or(Data::Memory, |folder| Data::Folder(&folder.path));
        let embedded = Embedded::open(manifest, port, data, args.reset).await?;
        // After the data, which may be refused. What is left by a kill between the
        // two is of streams that are gone, and so are its names.
        if let Some(folder) = folder.as_ref().filter(|_| args.reset) {
            Folder::reset(&folder.path)?;
        }
        Ok(Self::on(embedded, folder))
    }

    async fn remote(path: &Path, args: &DevArgs, target: &Target) -> anyhow::Result<Self> {
        for (given, flag) in [(args.create_tables, "--create-tables"), (args.reset, "--reset")] {
            if given && !target.is_loopback() {
                let shown = target.shown();
                bail!(Misuse::new(format!("{flag} is for databases on this machine, and {shown} is not")));
            }
        }
        let folder = folder(path, args)?;
        let remote = Remote::new(target).await?;
        let kept = folder.as_ref().map(Folder::elsewhere);
        if let Some(kept) = kept.as_ref().filter(|_| args.reset) {
            Folder::reset(kept)?;
        }
        Ok(Self {
            folder,
            kept,
            endpoint: target.shown(),
            region: remote.region().to_owned(),
            api: Arc::new(Connection::Remote(Box::new(remote))),
            may_create: target.is_loopback(),
            embedded: None,
        })
    }

    /// A database in memory on a free port.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    pub(super) async fn in_memory(manifest: &Manifest) -> anyhow::Result<Self> {
        Ok(Self::on(Embedded::open(manifest, Port::take(0)?, Data::Memory, false).await?, None))
    }

    fn on(embedded: Embedded, folder: Option<Folder>) -> Self {
        Self {
            kept: folder.as_ref().map(|folder| folder.path.clone()),
            folder,
            api: Arc::new(Connection::Embedded(embedded.endpoint.clone())),
            endpoint: embedded.url.clone(),
            region: embedded.endpoint.names().region().to_owned(),
            may_create: true,
            embedded: Some(embedded),
        }
    }

    /// Whether the database is of this process, so that others are told where it
    /// is.
    pub(super) fn is_embedded(&self) -> bool {
        self.embedded.is_some()
    }

    /// Closes the database when it is of this process.
    ///
    /// # Errors
    ///
    /// When it has failed.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        match self.embedded {
            Some(embedded) => embedded.close().await,
            None => Ok(()),
        }
    }
}

/// The folder; none when all is in memory.
fn folder(path: &Path, args: &DevArgs) -> anyhow::Result<Option<Folder>> {
    if args.in_memory { Ok(None) } else { Folder::open(path).map(Some) }
}
