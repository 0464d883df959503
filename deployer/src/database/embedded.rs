//! The embedded endpoint, opened for a project and served on a port of this
//! machine. Knows folders and ports, and nothing of what is asked.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use gristmill_endpoint::{Endpoint, Names, Options};
use gristmill_host::settings::Source;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::edge::Misuse;
use crate::manifest::Manifest;

/// Where the data is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Data<'a> {
    /// In memory only.
    Memory,
    /// In `data` of this folder, which is there.
    Folder(&'a Path),
}

/// A port that is taken and not served yet: what cannot be served need not be
/// opened, nor reset.
pub(crate) struct Port(TcpListener);

impl Port {
    /// Takes a port on 127.0.0.1; 0 takes a free one.
    ///
    /// # Errors
    ///
    /// [`Misuse`] when it is taken.
    pub(crate) fn take(port: u16) -> anyhow::Result<Self> {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(Self).map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => anyhow::Error::new(Misuse::new(format!(
                "port {port} is taken, perhaps by another `gristmill dev`; stop it, or take another port with --port"
            ))),
            _ => anyhow::Error::new(error).context(format!("cannot listen on port {port}")),
        })
    }
}

/// The endpoint, served.
pub(crate) struct Embedded {
    /// Who answers.
    pub(crate) endpoint: Endpoint,
    /// For example `http://127.0.0.1:8000`.
    pub(crate) url: String,
    /// Says where it listens, for other processes.
    note: Option<PathBuf>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), gristmill_endpoint::ServeError>>,
}

impl Embedded {
    /// Opens the data and serves it. With `reset` all of it is deleted first.
    pub(crate) async fn open(manifest: &Manifest, port: Port, data: Data<'_>, reset: bool) -> anyhow::Result<Self> {
        let url = format!("http://127.0.0.1:{}", port.0.local_addr().context("the port cannot be told")?.port());
        let (options, note) = match data {
            Data::Memory => (Options::in_memory(), None),
            Data::Folder(folder) => {
                let data = folder.join("data");
                if reset && data.exists() {
                    Endpoint::reset(&data)?;
                }
                (Options::in_folder(data), Some(note_in(folder)))
            }
        };
        let options = Options { names: names(manifest)?, ..options };
        let endpoint = tokio::task::spawn_blocking(move || Endpoint::open(options)).await??;
        if let Some(note) = &note {
            std::fs::write(note, &url).with_context(|| format!("cannot write {}", note.display()))?;
        }
        let (stop, stopped) = oneshot::channel();
        let served = endpoint.clone();
        let serving = tokio::spawn(async move {
            served
                .serve(port.0, async {
                    // A sender that is gone means to stop too.
                    let _ = stopped.await;
                })
                .await
        });
        Ok(Self { endpoint, url, note, stop, serving })
    }

    /// Ends the requests that were begun, and closes the data.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        if let Some(note) = &self.note {
            // What is left says where nobody listens, and is only read when
            // somebody has the data.
            let _ = std::fs::remove_file(note);
        }
        // It may have ended by itself, by a fault that is told below.
        let _ = self.stop.send(());
        self.serving.await.context("the endpoint has failed")?.context("the endpoint has failed")
    }
}

fn note_in(folder: &Path) -> PathBuf {
    folder.join("endpoint")
}

/// Where the process that has the data in this folder listens.
pub(super) fn running(folder: &Path) -> Option<String> {
    std::fs::read_to_string(note_in(folder)).ok()
}

/// The Region and the account of the manifest's ARNs, so that their streams are
/// found under them; the endpoint's own when the manifest has none.
pub(super) fn names(manifest: &Manifest) -> anyhow::Result<Names> {
    let mut found: Option<(&str, &str)> = None;
    for stream in &manifest.streams {
        let Source::StreamArn(arn) = &stream.source else { continue };
        let mut parts = arn.split(':').skip(3);
        let (Some(region), Some(account)) = (parts.next(), parts.next()) else { continue };
        if found.is_some_and(|found| found != (region, account)) {
            bail!(Misuse::new(format!(
                "[stream.{}] is in another account or Region than a stream before it, and `gristmill dev` has one of \
                 each; `invoke` runs events of any",
                stream.name
            )));
        }
        found = Some((region, account));
    }
    Ok(match found {
        Some((region, account)) => Names::new(region, account)?,
        None => Names::default(),
    })
}
