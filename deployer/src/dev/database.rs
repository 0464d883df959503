//! The embedded endpoint, opened for a project and served on a port of this
//! machine. Knows folders and ports, and nothing of what is asked.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use gristmill_endpoint::{Endpoint, Names, Options};
use gristmill_host::settings::Source;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::console::{LOG_FILE, OLD_LOG_FILE};
use super::source::Api;
use crate::cli::DevArgs;
use crate::edge::Misuse;
use crate::manifest::Manifest;
use crate::project;

/// The endpoint, and where it is.
pub(super) struct Database {
    /// Who answers.
    pub(super) api: Arc<Embedded>,
    /// For example `http://127.0.0.1:8000`.
    pub(super) url: String,
    /// The Region of its ARNs.
    pub(super) region: String,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), gristmill_endpoint::ServeError>>,
}

/// The endpoint in this process.
pub(super) struct Embedded(Endpoint);

impl Database {
    /// Opens the data and serves it.
    pub(super) async fn open(folder: &Path, manifest: &Manifest, args: &DevArgs) -> anyhow::Result<Self> {
        // The port first: what cannot be served need not be opened, nor reset.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => anyhow::Error::new(Misuse::new(format!(
                "port {} is taken, perhaps by another `gristmill dev`; stop it, or take another port with --port",
                args.port
            ))),
            _ => anyhow::Error::new(error).context(format!("cannot listen on port {}", args.port)),
        })?;
        let port = listener.local_addr().context("the port cannot be told")?.port();
        let options = match args.in_memory {
            true => Options::in_memory(),
            false => {
                own(folder)?;
                Options::in_folder(folder.join("data"))
            }
        };
        if args.reset {
            reset(folder)?;
        }
        let options = Options { names: names(manifest)?, ..options };
        let endpoint = tokio::task::spawn_blocking(move || Endpoint::open(options)).await??;
        let region = endpoint.names().region().to_owned();
        let (stop, stopped) = oneshot::channel();
        let served = endpoint.clone();
        let serving = tokio::spawn(async move {
            served
                .serve(listener, async {
                    // A sender that is gone means to stop too.
                    let _ = stopped.await;
                })
                .await
        });
        let url = format!("http://127.0.0.1:{port}");
        Ok(Self { api: Arc::new(Embedded(endpoint)), url, region, stop, serving })
    }

    /// Ends the requests that were begun, and closes the data.
    pub(super) async fn close(self) -> anyhow::Result<()> {
        // It may have ended by itself, by a fault that is told below.
        let _ = self.stop.send(());
        self.serving.await.context("the endpoint has failed")?.context("the endpoint has failed")
    }
}

/// Makes the folder, the user's alone. A link in it would lead what is written,
/// or removed by a reset, to where a project that came from anywhere wants it.
fn own(folder: &Path) -> anyhow::Result<()> {
    let parts = ["data", "positions", "failures", LOG_FILE, OLD_LOG_FILE].map(|part| folder.join(part));
    for path in folder.parent().into_iter().chain([folder]).chain(parts.iter().map(PathBuf::as_path)) {
        if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
            bail!(Misuse::new(format!("{} is a symlink; remove it", project::shown(path))));
        }
    }
    let cannot = || format!("cannot make {}", project::shown(folder));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(cannot)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).with_context(cannot)
}

/// Removes data and positions: one without the other would lose records or
/// repeat them.
fn reset(folder: &Path) -> anyhow::Result<()> {
    let data = folder.join("data");
    if data.exists() {
        Endpoint::reset(&data)?;
    }
    for part in ["positions", "failures"] {
        let path = folder.join(part);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", project::shown(&path)));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// The Region and the account of the manifest's ARNs, so that their streams are
/// found under them; the endpoint's own when the manifest has none.
fn names(manifest: &Manifest) -> anyhow::Result<Names> {
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

impl Api for Embedded {
    async fn call(&self, target: &str, body: String) -> (u16, String) {
        let answer = self.0.call(target, &body).await;
        (answer.status, answer.body)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.0.changed()
    }
}
