//! The function behind a mapping: the production host, as it is at the moment.
//! Another one may take its place between two invocations, and never during
//! one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gristmill_host::invoke::{CallEnded, Host, Observer};
use gristmill_host::log::GuestLine;
use gristmill_host::log::GuestLines;
use gristmill_mapping::{Answer, Invocation, Target};
use serde_json::json;
use tokio::sync::watch;

use super::console::Console;
use super::event::Kind;
use crate::function;
use crate::functions;
use crate::manifest::Manifest;

/// Lambda would have ended the sandbox by then. The host ends by itself before:
/// this is for a fault of ours.
const GRACE: Duration = Duration::from_secs(5);

/// What runs now.
#[derive(Clone)]
pub(super) struct Release {
    /// The host of each function, by its key.
    pub(super) hosts: Arc<BTreeMap<String, Arc<Host>>>,
    /// The manifest that it was made from.
    pub(super) manifest: Arc<Manifest>,
}

/// Holds what runs now; none before the first build has succeeded.
#[derive(Clone)]
pub(super) struct Current(watch::Sender<Option<Release>>);

impl Current {
    /// Nothing runs yet.
    pub(super) fn none() -> Self {
        Self(watch::Sender::new(None))
    }

    /// Runs this from the next invocation on.
    pub(super) fn swap(&self, release: Release) {
        self.0.send_replace(Some(release));
    }

    /// What runs now, if anything does.
    pub(super) fn get(&self) -> Option<Release> {
        self.0.borrow().clone()
    }

    /// What runs now, or the first that will; none when reading stops before.
    async fn first(&self, mut stop: watch::Receiver<bool>) -> Option<Release> {
        let mut release = self.0.subscribe();
        tokio::select! {
            biased;
            found = release.wait_for(Option::is_some) => found.ok().and_then(|found| found.clone()),
            _ = stop.wait_for(|stop| *stop) => None,
        }
    }
}

/// The target of one stream's mapping.
pub(super) struct Function {
    /// Which function.
    pub(super) key: String,
    /// The stream, as it is told.
    pub(super) stream: String,
    /// What runs.
    pub(super) current: Current,
    /// Whether reading stops.
    pub(super) stop: watch::Receiver<bool>,
    /// Who is told.
    pub(super) console: Console,
}

impl Target for Function {
    async fn invoke(&self, invocation: &Invocation) -> Answer {
        // An end before the first build is as when Lambda has no sandbox to give:
        // the batch comes again and no retry is spent.
        let Some(Release { hosts, manifest }) = self.current.first(self.stop.clone()).await else {
            return Answer::Throttled;
        };
        // One that the manifest has not any more is about to be read no more.
        let Some(host) = hosts.get(&self.key).cloned() else { return Answer::Throttled };
        let timeout_ms = timeout_ms(&manifest, &self.key);
        let started = Instant::now();
        let request =
            function::request(&manifest, &invocation.request_id, invocation.payload.clone(), Some(timeout_ms));
        let observer = Arc::new(Teller {
            stream: self.stream.clone(),
            request_id: invocation.request_id.clone(),
            console: self.console.clone(),
            one_at_a_time: Mutex::new(()),
        });
        let limit = Duration::from_millis(timeout_ms) + GRACE;
        let Ok(result) = tokio::time::timeout(limit, host.invoke(request, observer)).await else {
            self.tell(invocation, started, None, Some("it did not end at its deadline".to_owned()));
            return Answer::TimedOut;
        };
        let failure = match result {
            Ok(invoked) => match invoked.response {
                Ok(answer) => {
                    self.tell(invocation, started, Some(answer.clone()), None);
                    return Answer::Returned(answer.into_bytes());
                }
                Err(error) => (error.kind.to_string(), error.message),
            },
            Err(error) => (error.kind().to_owned(), error.to_string()),
        };
        let (kind, message) = failure;
        self.tell(invocation, started, None, Some(format!("{kind}: {message}")));
        let payload = json!({ "errorType": kind, "errorMessage": message }).to_string().into_bytes();
        Answer::FunctionError { kind: "Unhandled".to_owned(), payload }
    }
}

/// How long an invocation of the function may take.
fn timeout_ms(manifest: &Manifest, key: &str) -> u64 {
    let of_it = functions::of(manifest).into_iter().find(|function| function.key() == key);
    of_it.map_or(manifest.function.timeout_ms, |function| function.settings.timeout_ms).into()
}

impl Function {
    fn tell(&self, invocation: &Invocation, started: Instant, answer: Option<String>, error: Option<String>) {
        self.console.tell(Kind::Answer {
            stream: self.stream.clone(),
            request_id: invocation.request_id.clone(),
            answer,
            error,
            milliseconds: started.elapsed().as_secs_f64() * 1e3,
        });
    }
}

/// Tells of each call as it ends.
struct Teller {
    stream: String,
    request_id: String,
    console: Console,
    /// The lines of one call stay together.
    one_at_a_time: Mutex<()>,
}

impl Observer for Teller {
    fn called(&self, call: &CallEnded<'_>) {
        let _together = self.one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        let sequence_number = call.record.sequence_number().as_str();
        let line = |source: &str, level: Option<&str>, message: String, fields: Vec<(String, String)>| Kind::Line {
            handler: call.handler.to_owned(),
            request_id: self.request_id.clone(),
            sequence_number: sequence_number.to_owned(),
            source: source.to_owned(),
            level: level.map(str::to_owned),
            message,
            fields,
        };
        for said in GuestLines::of(call) {
            self.console.tell(match said {
                GuestLine::Printed { stream, text } => line(stream, None, text.to_owned(), Vec::new()),
                GuestLine::LeftOut { stream, bytes } => {
                    line(stream, None, format!("… {bytes} bytes are left out here …"), Vec::new())
                }
                GuestLine::Log(logged) => {
                    line("log", Some(logged.level.as_str()), logged.message.clone(), logged.fields.clone())
                }
            });
        }
        self.console.tell(Kind::Record {
            stream: self.stream.clone(),
            handler: call.handler.to_owned(),
            request_id: self.request_id.clone(),
            sequence_number: sequence_number.to_owned(),
            event_name: call.record.name().map_or("", |name| name.as_str()).to_owned(),
            outcome: call.outcome.kind().to_owned(),
            detail: call.outcome.detail().map(|detail| detail.to_string()).unwrap_or_default(),
            milliseconds: call.elapsed.as_secs_f64() * 1e3,
        });
    }
}
