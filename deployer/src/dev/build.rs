//! From sources to what runs: builds the project's handlers, checks them, and
//! puts them in the place of those that ran before. What cannot be built or is
//! no handler changes nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::bail;
use gristmill_host::settings::Response;

use super::console::Console;
use super::event::Kind;
use super::target::{Current, Release};
use crate::build::{self, Built};
use crate::function;
use crate::manifest::{self, Manifest};

/// What a build has led to: all that is needed to read streams for it.
pub(super) struct Outcome {
    /// The manifest of what runs now; or, before anything runs, of what will.
    pub(super) manifest: Arc<Manifest>,
    /// What is to be told as soon as the mappings are those of this manifest.
    pub(super) news: Option<Kind>,
}

/// Builds and swaps.
pub(super) struct Builder {
    /// The project.
    pub(super) root: PathBuf,
    /// The environment, when it is not the manifest's.
    pub(super) env: Option<String>,
    /// Whether cargo may use the network.
    pub(super) offline: bool,
    /// What runs.
    pub(super) current: Current,
    /// Who is told.
    pub(super) console: Console,
    /// What runs now: the code by handler.
    pub(super) codes: Vec<(String, PathBuf)>,
}

impl Builder {
    /// Reads the manifest, builds, and swaps. None when all stays as it is.
    pub(super) async fn run(&mut self, why: &str) -> Option<Outcome> {
        let manifest = match manifest::load(&self.root, self.env.as_deref()) {
            Ok(manifest) => Arc::new(manifest),
            Err(error) => {
                self.refuse("gristmill.toml is not taken; what ran before goes on", &error);
                return None;
            }
        };
        if manifest.handlers.is_empty() {
            let message = "there is no [handler.NAME] yet; `gristmill generate event NAME --trigger dynamodb --table \
                           TABLE` makes one";
            return Some(Outcome { manifest, news: Some(Kind::Note { message: message.to_owned() }) });
        }
        self.console.tell(Kind::Building { why: why.to_owned() });
        let started = Instant::now();
        let (of, offline) = (Arc::clone(&manifest), self.offline);
        // Cargo, and a compiler of our own: minutes, perhaps.
        let built = tokio::task::spawn_blocking(move || checked(&of, offline)).await;
        let built = built.unwrap_or_else(|error| Err(error.into()));
        let codes = match built {
            Ok(built) => built.into_iter().map(|built| (built.name, built.code)).collect::<Vec<_>>(),
            Err(error) => {
                let what = match self.current.get() {
                    Some(_) => "not built; what ran before goes on",
                    None => "not built; nothing runs before it is",
                };
                self.refuse(what, &error);
                // The mappings must not filter for handlers that do not run.
                return self.first(manifest);
            }
        };
        let runs = self.current.get();
        if self.codes == codes && runs.is_some_and(|runs| *runs.manifest == *manifest) {
            let message = "nothing that runs has changed".to_owned();
            return Some(Outcome { manifest, news: Some(Kind::Note { message }) });
        }
        match function::hosts_of(&manifest, Response::Partial, &codes) {
            Ok(hosts) => {
                self.current.swap(Release { hosts: Arc::new(hosts), manifest: Arc::clone(&manifest) });
                let handlers = codes.iter().map(|(name, _)| name.clone()).collect();
                self.codes = codes;
                let news = Kind::Swapped { handlers, seconds: started.elapsed().as_secs_f64() };
                Some(Outcome { manifest, news: Some(news) })
            }
            Err(error) => {
                self.refuse("cannot run; what ran before goes on", &error);
                self.first(manifest)
            }
        }
    }

    /// While nothing runs, streams are read as this manifest has them: their
    /// records wait.
    fn first(&self, manifest: Arc<Manifest>) -> Option<Outcome> {
        self.current.get().is_none().then_some(Outcome { manifest, news: None })
    }

    fn refuse(&self, what: &str, error: &anyhow::Error) {
        self.console.tell(Kind::Refused { what: what.to_owned(), error: format!("{error:#}") });
    }
}

fn checked(manifest: &Manifest, offline: bool) -> anyhow::Result<Vec<Built>> {
    let built = build::all(manifest, offline)?;
    if let Some(refused) = built.iter().find(|built| !built.report.is_handler()) {
        bail!("handler {}: {}", refused.name, refused.report.refusal.as_deref().unwrap_or_default());
    }
    Ok(built)
}

/// Whether a handler may be made of this file. What people write about a project
/// is not.
pub(super) fn matters(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    !["md", "txt", "jsonl", "log"].contains(&extension)
}
