//! Lambda's Runtime API: invocations in, answers out.
//!
//! Only this room knows `lambda_runtime`. It decides nothing about records.

use std::env;
use std::fmt::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{self, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use lambda_runtime::tower::{Service, layer::layer_fn};
use lambda_runtime::{Context, Diagnostic, LambdaEvent, LambdaInvocation, Runtime, service_fn};
use lambda_runtime_api_client::Client;
use lambda_runtime_api_client::body::Body;
use serde_json::value::RawValue;
use serde_json::{Map, json};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

use crate::event::EventError;
use crate::guest::{Invocation, LogLevel};
use crate::invoke::{Host, InvokeError, Observer, Request};
use crate::log::{Format, InvocationLog, Log};
use crate::settings::{Function, Package};

/// Where Lambda's Runtime API is: a host and a port.
const RUNTIME_API: &str = "AWS_LAMBDA_RUNTIME_API";

const MEMORY_SIZE: &str = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";

/// The variables that `lambda_runtime` needs: it panics without them, so they
/// are checked first.
const NEEDED: [&str; 4] = [RUNTIME_API, "AWS_LAMBDA_FUNCTION_NAME", MEMORY_SIZE, "AWS_LAMBDA_FUNCTION_VERSION"];

/// What a server on the same machine may take to answer what is no invocation.
/// It answers in milliseconds; one that does not must not keep the function
/// from starting, or from ending.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether metrics are written: `on`, unless it is `off`.
const METRICS: &str = "GRISTMILL_METRICS";

/// Selects the function in `handlers.json`.
const FUNCTION: &str = "GRISTMILL_FUNCTION";

/// What stands between this process and its first invocation. Every problem is
/// reported, at once.
#[derive(Debug)]
pub struct InitError {
    problems: Vec<String>,
}

/// A host that can take invocations.
pub struct Ready {
    host: Arc<Host>,
    log: Arc<Log>,
    metrics: bool,
    registration: Registration,
}

/// What waits for the registered extension's next event, if there is one.
type Registration = JoinHandle<Result<Option<Waiting>, lambda_runtime::Error>>;
type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Reads the environment and the package beside `bootstrap`, while the
/// extension is being registered. Called in a runtime.
///
/// # Errors
///
/// [`InitError`] with everything that is missing or wrong.
pub fn prepare() -> Result<Ready, InitError> {
    let mut problems = Vec::new();
    problems.extend(spell_out_address());
    for name in NEEDED {
        match env::var(name) {
            Err(_) => problems.push(format!("the environment variable {name} is not set")),
            Ok(value) if name == MEMORY_SIZE && value.parse::<i32>().is_err() => {
                problems.push(format!("the environment variable {name} is not a number of megabytes"));
            }
            Ok(value) if name == RUNTIME_API => problems.extend(client(&value).err()),
            Ok(_) => {}
        }
    }
    // The answer takes as long as the rest of this: so it is asked for first,
    // if there is somebody to ask.
    let registration = problems.is_empty().then(|| tokio::spawn(register_extension()));
    let log = log_settings(|name| env::var(name).ok()).map_err(|found| problems.extend(found)).ok();
    let metrics = metrics_wanted(env::var(METRICS).ok().as_deref()).map_err(|found| problems.push(found)).ok();
    let host = folder().and_then(|folder| {
        let function = function(&folder, env::var(FUNCTION).ok().as_deref())?;
        let memory_mb = env::var(MEMORY_SIZE).ok().and_then(|size| size.parse().ok());
        Host::new(function, memory_mb, |module| folder.join(module))
            .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>())
    });
    let host = host.map_err(|found| problems.extend(found)).ok();
    match (host, log, metrics, registration) {
        (Some(host), Some((format, level)), Some(metrics), Some(registration)) if problems.is_empty() => {
            Ok(Ready { host: Arc::new(host), log: Arc::new(Log::to_stdout(format, level)), metrics, registration })
        }
        _ => Err(InitError { problems }),
    }
}

fn metrics_wanted(value: Option<&str>) -> Result<bool, String> {
    match value {
        None | Some("on") => Ok(true),
        Some("off") => Ok(false),
        Some(other) => Err(format!("{METRICS} is {other:?}, and not on or off")),
    }
}

/// Starts `bootstrap` again with a URL where the Runtime API's address is a host,
/// a port and a path, as an emulator may have it (Lambda's has no path).
///
/// `lambda_runtime` reads the address from the environment alone, panics at
/// that form, and a process cannot safely change its own environment.
fn spell_out_address() -> Option<String> {
    let api = env::var(RUNTIME_API).ok().filter(|api| api.contains('/') && !api.contains("://"))?;
    let error = match env::current_exe() {
        Ok(exe) => Command::new(exe).env(RUNTIME_API, format!("http://{api}")).exec(),
        Err(error) => error,
    };
    Some(format!(
        "the environment variable {RUNTIME_API} is {api:?}, and bootstrap does not start with http://: {error}"
    ))
}

/// The folder that `bootstrap` is in.
fn folder() -> Result<PathBuf, Vec<String>> {
    let exe = env::current_exe().map_err(|error| vec![format!("where bootstrap is cannot be told: {error}")])?;
    exe.parent().map(Path::to_owned).ok_or_else(|| vec!["bootstrap is in no folder".to_owned()])
}

fn function(folder: &Path, selected: Option<&str>) -> Result<Function, Vec<String>> {
    let missing = || format!("the environment variable {FUNCTION} is not set");
    let path = folder.join("handlers.json");
    let at = |problem: String| format!("{}: {problem}", path.display());
    let package = std::fs::read_to_string(&path)
        .map_err(|error| vec![at(error.to_string())])
        .and_then(|text| Package::parse(&text).map_err(|problems| problems.into_iter().map(at).collect::<Vec<_>>()));
    let package = match (package, selected) {
        (Ok(package), _) => package,
        (Err(problems), Some(_)) => return Err(problems),
        (Err(problems), None) => return Err([vec![missing()], problems].concat()),
    };
    let names = package.function_names();
    let selected = selected.ok_or_else(|| vec![format!("{}; handlers.json has {names}", missing())])?;
    package
        .function(selected)
        .cloned()
        .ok_or_else(|| vec![format!("{FUNCTION} is {selected:?}, and handlers.json has {names}")])
}

/// A client of the Runtime API at this address, which may be a URL or, as
/// Lambda has it, a host and a port. Made here to find out whether the one that
/// `lambda_runtime` makes would panic.
fn client(api: &str) -> Result<Client, String> {
    let wrong = || format!("the environment variable {RUNTIME_API} is {api:?}, and not a host and a port");
    let client = api.parse().map(|uri| Client::builder().with_endpoint(uri).build());
    match client {
        Ok(Ok(client)) => match client.base.authority() {
            // A port that is no number would only show on connecting.
            Some(at) if at.port_u16().is_some() || at.as_str() == at.host() => Ok(client),
            Some(_) | None => Err(wrong()),
        },
        Ok(Err(_)) | Err(_) => Err(wrong()),
    }
}

/// An error with what caused it. That of the client says no more than that it
/// could not connect.
fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn log_settings(var: impl Fn(&str) -> Option<String>) -> Result<(Format, LogLevel), Vec<String>> {
    let format = match var("AWS_LAMBDA_LOG_FORMAT").as_deref() {
        None | Some("JSON" | "Json" | "json") => Ok(Format::Json),
        Some("Text" | "TEXT" | "text") => Ok(Format::Text),
        Some(other) => Err(format!("AWS_LAMBDA_LOG_FORMAT is {other:?}, and not JSON or Text")),
    };
    let level = match var("AWS_LAMBDA_LOG_LEVEL").map(|level| level.to_ascii_uppercase()).as_deref() {
        None | Some("INFO") => Ok(LogLevel::Info),
        Some("TRACE") => Ok(LogLevel::Trace),
        Some("DEBUG") => Ok(LogLevel::Debug),
        Some("WARN") => Ok(LogLevel::Warn),
        Some("ERROR") => Ok(LogLevel::Error),
        Some("FATAL") => Ok(LogLevel::Critical),
        Some(other) => {
            Err(format!("AWS_LAMBDA_LOG_LEVEL is {other:?}, and not TRACE, DEBUG, INFO, WARN, ERROR or FATAL"))
        }
    };
    match (format, level) {
        (Ok(format), Ok(level)) => Ok((format, level)),
        (format, level) => Err(format.err().into_iter().chain(level.err()).collect()),
    }
}

impl InitError {
    /// All problems, a line each.
    fn message(&self) -> String {
        let mut message = format!("{} problems keep gristmill from starting", self.problems.len());
        if let [problem] = self.problems.as_slice() {
            return problem.clone();
        }
        for problem in &self.problems {
            let _ = write!(message, "\n- {problem}");
        }
        message
    }

    /// Tells Lambda, if it can be told, and the log.
    pub async fn report(&self) {
        const KIND: &str = "Gristmill.InitError";
        let message = self.message();
        Log::to_stdout(Format::Json, LogLevel::Info).line(
            LogLevel::Critical,
            &message,
            None,
            Map::from_iter([("errorType".to_owned(), KIND.into())]),
        );
        // Without an address there is nobody to tell, and the log says why.
        let Some(Ok(client)) = env::var(RUNTIME_API).ok().map(|api| client(&api)) else { return };
        let body = json!({ "errorType": KIND, "errorMessage": message, "stackTrace": [] });
        let request = lambda_runtime_api_client::build_request()
            .method("POST")
            .uri("/2018-06-01/runtime/init/error")
            .header("content-type", "application/json")
            .header("Lambda-Runtime-Function-Error-Type", KIND)
            .body(Body::from(body.to_string()));
        let sent = match request {
            Err(error) => Err(error.to_string()),
            Ok(request) => match tokio::time::timeout(PATIENCE, client.call(request)).await {
                Err(_elapsed) => Err(format!("no answer in {PATIENCE:?}")),
                Ok(Err(error)) => Err(with_causes(&*error)),
                Ok(Ok(response)) if !response.status().is_success() => Err(response.status().to_string()),
                Ok(Ok(_)) => Ok(()),
            },
        };
        if let Err(error) = sent {
            eprintln!("the init error could not be reported to Lambda: {error}");
        }
    }
}

/// Takes invocations until Lambda ends the process.
///
/// # Errors
///
/// When the Runtime API cannot be reached.
pub async fn run(mut ready: Ready) -> Result<(), lambda_runtime::Error> {
    tokio::spawn(end_on(signal(SignalKind::terminate())?));
    // Before the first invocation is asked for: with that Lambda takes the
    // function as started, and refuses extensions from then on. A server that
    // has no extensions is no reason to fail.
    if let Ok(Ok(Ok(Some(waiting)))) = tokio::time::timeout(PATIENCE, &mut ready.registration).await {
        tokio::spawn(waiting);
    }
    let payload = PayloadSlot::default();
    let (ready, slot) = (&ready, &payload);
    let service = service_fn(move |event: LambdaEvent<()>| invocation(ready, slot.take(), event.context));
    let layer = layer_fn(|inner| TakePayload { inner, slot: payload.clone() });
    let ended = Runtime::new(service).layer(layer).run().await;
    ended.map_err(|error| format!("Lambda's Runtime API: {}", with_causes(&*error)).into())
}

/// The payload of the invocation that is running: there is one at a time.
#[derive(Clone, Default)]
struct PayloadSlot(Arc<Mutex<Bytes>>);

impl PayloadSlot {
    fn put(&self, payload: Bytes) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = payload;
    }

    fn take(&self) -> Bytes {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Takes each payload away before `lambda_runtime` reads it as JSON.
///
/// Its reader would answer for us what is not UTF-8 or not JSON, in other words
/// than the other doors, and without a line in the log; and it would scan and
/// copy a payload that `event` scans anyway.
struct TakePayload<S> {
    inner: S,
    slot: PayloadSlot,
}

impl<S: Service<LambdaInvocation>> Service<LambdaInvocation> for TakePayload<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut invocation: LambdaInvocation) -> S::Future {
        self.slot.put(std::mem::replace(&mut invocation.body, Bytes::from_static(b"null")));
        self.inner.call(invocation)
    }
}

/// The payload as text, without a copy of its own where nobody else has the
/// bytes.
fn text_of(payload: Bytes) -> Result<String, EventError> {
    String::from_utf8(payload.into())
        .map_err(|error| EventError::NotUtf8 { valid_up_to: error.utf8_error().valid_up_to() })
}

async fn invocation(ready: &Ready, payload: Bytes, context: Context) -> Result<Box<RawValue>, Diagnostic> {
    let Ready { host, log, metrics, .. } = ready;
    let received_ms = now_ms();
    let request = |payload| Request {
        payload,
        invocation: Arc::new(Invocation {
            request_id: context.request_id.clone(),
            function_name: context.env_config.function_name.clone(),
            function_version: context.env_config.version.clone(),
            trace_header: context.xray_trace_id.clone(),
        }),
        received_ms,
        deadline_ms: Some(context.deadline),
        handler: None,
        response: None,
    };
    let lines = Arc::new(InvocationLog {
        log: Arc::clone(log),
        request_id: context.request_id.clone(),
        function_name: context.env_config.function_name.clone(),
    });
    let failed = |kind: &str, message: String| {
        let more = Map::from_iter([("errorType".to_owned(), kind.into())]);
        log.line(LogLevel::Error, &message, Some(&context.request_id), more);
        Err(Diagnostic { error_type: kind.to_owned(), error_message: message })
    };
    let invoked = match text_of(payload) {
        Ok(payload) => host.invoke(request(payload), Arc::clone(&lines) as Arc<dyn Observer>).await,
        Err(error) => Err(InvokeError::Event(error)),
    };
    match invoked {
        Err(error) => failed(error.kind(), error.to_string()),
        Ok(invoked) => {
            lines.summary(&invoked);
            if *metrics {
                lines.metrics(&invoked);
            }
            match invoked.response.map(RawValue::from_string) {
                Ok(Ok(answer)) => Ok(answer),
                Ok(Err(error)) => failed("Gristmill.BadAnswer", error.to_string()),
                Err(error) => failed(error.kind, error.message),
            }
        }
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Ends the process on a signal. Nothing is buffered, and a record whose
/// invocation was not answered is delivered again.
async fn end_on(mut signal: Signal) {
    if signal.recv().await.is_some() {
        std::process::exit(0);
    }
}

/// Registers an extension that asks for no events, as `lambda_runtime` does:
/// Lambda sends SIGTERM only to functions that have one. Gives what waits for
/// its next event, which never comes: Lambda counts an extension as started
/// once it waits.
async fn register_extension() -> Result<Option<Waiting>, lambda_runtime::Error> {
    let client = Client::builder().build()?;
    let register = lambda_runtime_api_client::build_request()
        .method("POST")
        .uri("/2020-01-01/extension/register")
        .header("Lambda-Extension-Name", "gristmill-shutdown")
        .header("content-type", "application/json")
        .body(Body::from(r#"{"events":[]}"#))?;
    let registered = client.call(register).await?;
    let Some(identifier) = registered.headers().get("lambda-extension-identifier") else { return Ok(None) };
    let next = lambda_runtime_api_client::build_request()
        .method("GET")
        .uri("/2020-01-01/extension/event/next")
        .header("Lambda-Extension-Identifier", identifier)
        .body(Body::empty())?;
    Ok(Some(Box::pin(async move { drop(client.call(next).await) })))
}
