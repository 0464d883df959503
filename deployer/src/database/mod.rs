//! Who has the tables and streams that a project's handlers are on: the embedded
//! endpoint in this process, one that runs elsewhere, or AWS. All are asked by
//! DynamoDB's own API. Knows nothing of handlers.

mod api;
mod embedded;
mod remote;
mod source;

use std::path::Path;

use tokio::sync::watch;

pub use api::Api;
pub(crate) use api::{Refusal, TableStreams, call, is_on, streams_of};
pub(crate) use embedded::{Data, Embedded, Port};
pub(crate) use remote::{Remote, Target};
pub use source::Source;
pub(crate) use source::{Youngest, youngest};

use crate::edge::Misuse;
use crate::manifest::Manifest;
use crate::project;
use gristmill_endpoint::{Endpoint, OpenError, Options};

/// Whoever answers.
pub(crate) enum Connection {
    /// In this process.
    Embedded(Endpoint),
    /// Over HTTP.
    Remote(Box<Remote>),
}

impl Api for Endpoint {
    async fn call(&self, target: &str, body: String) -> (u16, String) {
        let answer = Self::call(self, target, &body).await;
        (answer.status, answer.body)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changed()
    }
}

impl Api for Connection {
    async fn call(&self, target: &str, body: String) -> (u16, String) {
        match self {
            Self::Embedded(endpoint) => Api::call(endpoint, target, body).await,
            Self::Remote(remote) => remote.call(target, body).await,
        }
    }

    fn changes(&self) -> watch::Receiver<u64> {
        match self {
            Self::Embedded(endpoint) => endpoint.changes(),
            Self::Remote(remote) => remote.changes(),
        }
    }
}

/// The database that `gristmill dev` has in this folder: of the process that has
/// it, or from its files when none has. Or another one, if it is named.
///
/// # Errors
///
/// * [`Misuse`]: there is none;
/// * it cannot be opened.
pub(crate) async fn reach(folder: &Path, manifest: &Manifest, target: Option<&Target>) -> anyhow::Result<Connection> {
    if let Some(target) = target {
        return Ok(Connection::Remote(Box::new(Remote::new(target).await?)));
    }
    let data = folder.join("data");
    if !data.exists() {
        return Err(Misuse::new(
            "there is no database of `gristmill dev` here; start it, or name one that runs with --endpoint",
        )
        .into());
    }
    let options = Options { names: embedded::names(manifest)?, ..Options::in_folder(&data) };
    match tokio::task::spawn_blocking(move || Endpoint::open(options)).await? {
        Ok(endpoint) => Ok(Connection::Embedded(endpoint)),
        Err(OpenError::InUse(_)) => {
            let url = embedded::running(folder).ok_or_else(|| {
                Misuse::new(format!(
                    "{} is in use by a process that does not say where it listens; name it with --endpoint",
                    project::shown(&data)
                ))
            })?;
            Ok(Connection::Remote(Box::new(Remote::new(&Target::local(&url)?).await?)))
        }
        Err(error) => Err(error.into()),
    }
}
