//! Lambda's Runtime API, for tests and benchmarks: a server that does what
//! Lambda's documentation says, refuses what Lambda refuses, and waits for
//! nothing without a limit.
//!
//! It knows nothing of gristmill, so that whatever speaks the protocol can be
//! run against it, and so that a benchmark does not build the compiler.
//!
//! The HTTP is hyper's. It is in the tree already, under `lambda_runtime`, and
//! kept by those who keep most of HTTP in Rust; `tiny_http` would have read
//! more simply, but had its last release in 2022.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// The header of AWS X-Ray that every invocation carries.
pub const TRACE_HEADER: &str = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=1";

/// The environment that Lambda gives a function of some memory on a runtime of
/// its own: all of it, but for credentials and the address of the API.
pub fn variables(memory_mb: &str) -> [(&str, &str); 13] {
    [
        ("AWS_LAMBDA_FUNCTION_NAME", "demo-function"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory_mb),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/demo-function"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/11/24/[$LATEST]0123456789abcdef0123456789abcdef"),
        ("AWS_REGION", "us-west-2"),
        ("AWS_DEFAULT_REGION", "us-west-2"),
        ("_HANDLER", "handler.handler"),
        ("LAMBDA_TASK_ROOT", "/var/task"),
        ("TZ", ":UTC"),
        ("LANG", "en_US.UTF-8"),
        ("PATH", "/usr/local/bin:/usr/bin/:/bin"),
    ]
}

/// The most that Lambda takes as an answer, in bytes.
const MOST_ANSWER: usize = 6 << 20;

/// When an invocation ends.
#[derive(Clone, Copy, Debug)]
pub enum Deadline {
    /// So long after it is handed out.
    In(Duration),
    /// At this Unix time in milliseconds, possible or not.
    At(u64),
}

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// With this body.
    Response(String),
    /// With a failure of the function.
    Error {
        /// For example `Gristmill.BadEvent`.
        error_type: String,
        /// For people.
        message: String,
    },
}

/// What was posted to `/runtime/init/error`.
#[derive(Clone, Debug)]
pub struct InitError {
    /// The header `Lambda-Runtime-Function-Error-Type`.
    pub error_type: String,
    /// The body.
    pub body: Value,
}

/// An extension that was registered.
#[derive(Clone, Debug)]
pub struct Extension {
    /// Its name.
    pub name: String,
    /// The body of its registration.
    pub registration: Value,
    /// Whether it has asked for its next event.
    pub waits: bool,
}

/// An invocation that was answered.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Lambda's id of it.
    pub id: String,
    /// How it ended.
    pub status: Status,
    /// When the answer came, in Unix milliseconds.
    pub at_ms: u64,
    /// The deadline that was sent, in Unix milliseconds.
    pub deadline_ms: u64,
    /// When the runtime had asked for it and it was about to be sent.
    pub handed_out: Instant,
    /// When the whole of the answer was read.
    pub answered: Instant,
}

/// Why something did not come.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotCome {
    /// It took too long.
    #[error("{what} did not come in {most:?}; refused: {refused:?}")]
    InTime {
        /// What was waited for.
        what: &'static str,
        /// How long.
        most: Duration,
        /// What the server refused.
        refused: Vec<String>,
    },
    /// The runtime asked for what Lambda refuses, and is no longer to be
    /// trusted.
    #[error("Lambda would have refused {0:?}")]
    Refused(Vec<String>),
    /// The runtime has ended.
    #[error("{0}")]
    Ended(String),
}

struct Invocation {
    id: String,
    payload: Bytes,
    deadline: Deadline,
}

struct Running {
    id: String,
    deadline_ms: u64,
    handed_out: Instant,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Invocation>,
    /// The one that was handed out and is not answered.
    running: Option<Running>,
    answered: Vec<Answered>,
    /// When the runtime asked for its first invocation: initialisation is over.
    initialised: Option<Instant>,
    init_errors: Vec<InitError>,
    extensions: Vec<Extension>,
    refused: Vec<String>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Something came from the runtime.
    came: Condvar,
    /// An invocation is in the queue.
    pushed: Notify,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The server. It stops when it is dropped.
pub struct RuntimeApi {
    address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl RuntimeApi {
    /// Starts the server on a free port.
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        runtime.spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared, runtime: Some(runtime) }
    }

    /// What belongs into `AWS_LAMBDA_RUNTIME_API`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Puts an invocation into the queue and gives its id.
    pub fn push(&self, payload: &[u8], deadline: Deadline) -> String {
        let mut state = self.shared.state();
        let number = state.answered.len() + state.queue.len() + usize::from(state.running.is_some()) + 1;
        let id = format!("8476a536-e9f4-11e8-9739-{number:012x}");
        state.queue.push_back(Invocation { id: id.clone(), payload: Bytes::copy_from_slice(payload), deadline });
        drop(state);
        self.shared.pushed.notify_one();
        id
    }

    /// Everything that was posted to `/runtime/init/error`.
    pub fn init_errors(&self) -> Vec<InitError> {
        self.shared.state().init_errors.clone()
    }

    /// The extensions, in the order of their registration.
    pub fn extensions(&self) -> Vec<Extension> {
        self.shared.state().extensions.clone()
    }

    /// The requests that Lambda would have refused, with the reason.
    pub fn refused(&self) -> Vec<String> {
        self.shared.state().refused.clone()
    }

    /// Waits for the end of an invocation that was pushed. `check` is asked in
    /// between whether the runtime still runs, and if not, how it ended.
    ///
    /// # Errors
    ///
    /// - [`NotCome::InTime`] after `most`.
    /// - [`NotCome::Refused`] when the server refused anything up to then.
    /// - [`NotCome::Ended`] with what `check` gave.
    pub fn wait_for_answer(
        &self,
        id: &str,
        most: Duration,
        check: impl FnMut() -> Option<String>,
    ) -> Result<Answered, NotCome> {
        let look = |state: &State| {
            if !state.refused.is_empty() {
                return Some(Err(NotCome::Refused(state.refused.clone())));
            }
            state.answered.iter().rev().find(|answered| answered.id == id).cloned().map(Ok)
        };
        self.wait("an answer", most, look, check)?
    }

    /// Waits until the runtime has asked for its first invocation, and gives the
    /// time of that.
    ///
    /// # Errors
    ///
    /// - [`NotCome::InTime`] after `most`.
    /// - [`NotCome::Ended`] with what `check` gave.
    pub fn wait_until_initialised(
        &self,
        most: Duration,
        check: impl FnMut() -> Option<String>,
    ) -> Result<Instant, NotCome> {
        self.wait("the first request for an invocation", most, |state| state.initialised, check)
    }

    /// Waits until an invocation was handed out.
    ///
    /// # Errors
    ///
    /// As [`RuntimeApi::wait_until_initialised`].
    pub fn wait_until_running(&self, most: Duration, check: impl FnMut() -> Option<String>) -> Result<(), NotCome> {
        self.wait("a request for an invocation", most, |state| state.running.as_ref().map(drop), check)
    }

    /// Waits until an extension is registered and asks for its next event.
    ///
    /// # Errors
    ///
    /// As [`RuntimeApi::wait_until_initialised`].
    pub fn wait_until_extended(&self, most: Duration, check: impl FnMut() -> Option<String>) -> Result<(), NotCome> {
        let waits = |state: &State| state.extensions.iter().any(|extension| extension.waits).then_some(());
        self.wait("an extension", most, waits, check)
    }

    /// Waits until the state shows something.
    fn wait<T>(
        &self,
        what: &'static str,
        most: Duration,
        mut look: impl FnMut(&State) -> Option<T>,
        mut check: impl FnMut() -> Option<String>,
    ) -> Result<T, NotCome> {
        const CHECK: Duration = Duration::from_millis(50);
        let end = Instant::now() + most;
        let mut state = self.shared.state();
        loop {
            if let Some(found) = look(&state) {
                return Ok(found);
            }
            if Instant::now() >= end {
                return Err(NotCome::InTime { what, most, refused: state.refused.clone() });
            }
            let (guard, timeout) = self.shared.came.wait_timeout(state, CHECK).unwrap_or_else(PoisonError::into_inner);
            state = guard;
            if timeout.timed_out() {
                drop(state);
                if let Some(ended) = check() {
                    return Err(NotCome::Ended(ended));
                }
                state = self.shared.state();
            }
        }
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The time, as Lambda counts it.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else { return };
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request| {
            let shared = Arc::clone(&shared);
            async move { Ok::<_, Infallible>(answer(&shared, request).await) }
        });
        tokio::spawn(async move {
            // A client that goes away is none of the server's business.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// What Lambda answers to what it refuses.
struct Refusal {
    status: StatusCode,
    kind: &'static str,
    reason: String,
}

fn refuse(status: StatusCode, kind: &'static str, reason: impl Into<String>) -> Refusal {
    Refusal { status, kind, reason: reason.into() }
}

async fn answer(shared: &Shared, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let line = format!("{} {}", head.method, head.uri.path());
    let result = match body.collect().await {
        Ok(body) => route(shared, &head, body.to_bytes()).await,
        Err(error) => Err(refuse(StatusCode::BAD_REQUEST, "InvalidRequest", error.to_string())),
    };
    shared.came.notify_all();
    result.unwrap_or_else(|Refusal { status, kind, reason }| {
        shared.state().refused.push(format!("{line}: {} {kind}: {reason}", status.as_u16()));
        reply(status, &[], json!({ "errorType": kind, "errorMessage": reason }).to_string())
    })
}

fn reply(status: StatusCode, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(status).header("content-type", "application/json");
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Full::new(body.into())).unwrap()
}

async fn route(shared: &Shared, head: &Parts, body: Bytes) -> Result<Response<Full<Bytes>>, Refusal> {
    let path: Vec<&str> = head.uri.path().trim_start_matches('/').split('/').collect();
    match (&head.method, path.as_slice()) {
        (&Method::GET, ["2018-06-01", "runtime", "invocation", "next"]) => next(shared).await,
        (&Method::POST, ["2018-06-01", "runtime", "invocation", id, "response"]) => {
            if body.len() > MOST_ANSWER {
                return Err(refuse(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLarge", body.len().to_string()));
            }
            end(shared, id, Status::Response(text(&body)?))
        }
        (&Method::POST, ["2018-06-01", "runtime", "invocation", id, "error"]) => end(shared, id, error_status(&body)?),
        (&Method::POST, ["2018-06-01", "runtime", "init", "error"]) => init_error(shared, head, &body),
        (&Method::POST, ["2020-01-01", "extension", "register"]) => register(shared, head, &body),
        (&Method::GET, ["2020-01-01", "extension", "event", "next"]) => extension_event(shared, head).await,
        _ => Err(refuse(StatusCode::NOT_FOUND, "NotFound", "there is no such page")),
    }
}

fn text(body: &Bytes) -> Result<String, Refusal> {
    String::from_utf8(body.to_vec())
        .map_err(|error| refuse(StatusCode::BAD_REQUEST, "InvalidRequestContent", error.to_string()))
}

fn json_of(body: &Bytes) -> Result<Value, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| refuse(StatusCode::BAD_REQUEST, "InvalidRequestContent", error.to_string()))
}

fn header(head: &Parts, name: &str) -> Result<String, Refusal> {
    let value = head.headers.get(name).and_then(|value| value.to_str().ok());
    value
        .map(str::to_owned)
        .ok_or_else(|| refuse(StatusCode::BAD_REQUEST, "InvalidRequest", format!("the header {name} is missing")))
}

async fn next(shared: &Shared) -> Result<Response<Full<Bytes>>, Refusal> {
    {
        let mut state = shared.state();
        if let Some(Running { id, .. }) = &state.running {
            let reason = format!("invocation {id} is not answered");
            return Err(refuse(StatusCode::FORBIDDEN, "InvalidStateTransition", reason));
        }
        state.initialised.get_or_insert_with(Instant::now);
    }
    shared.came.notify_all();
    loop {
        let invocation = shared.state().queue.pop_front();
        let Some(Invocation { id, payload, deadline }) = invocation else {
            shared.pushed.notified().await;
            continue;
        };
        let deadline_ms = match deadline {
            Deadline::In(left) => now_ms() + u64::try_from(left.as_millis()).unwrap(),
            Deadline::At(ms) => ms,
        };
        let headers = [
            ("Lambda-Runtime-Aws-Request-Id", id.as_str()),
            ("Lambda-Runtime-Deadline-Ms", &deadline_ms.to_string()),
            ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-west-2:112233445566:function:demo-function"),
            ("Lambda-Runtime-Trace-Id", TRACE_HEADER),
        ];
        let response = reply(StatusCode::OK, &headers, payload);
        shared.state().running = Some(Running { id, deadline_ms, handed_out: Instant::now() });
        shared.came.notify_all();
        return Ok(response);
    }
}

fn end(shared: &Shared, id: &str, status: Status) -> Result<Response<Full<Bytes>>, Refusal> {
    let answered = Instant::now();
    let mut state = shared.state();
    let Some(Running { id, deadline_ms, handed_out }) = state.running.take_if(|running| running.id == id) else {
        return Err(refuse(StatusCode::BAD_REQUEST, "InvalidRequestID", format!("invocation {id} is not running")));
    };
    state.answered.push(Answered { id, status, at_ms: now_ms(), deadline_ms, handed_out, answered });
    Ok(accepted())
}

fn accepted() -> Response<Full<Bytes>> {
    reply(StatusCode::ACCEPTED, &[], r#"{"status":"OK"}"#)
}

fn error_status(body: &Bytes) -> Result<Status, Refusal> {
    let body = json_of(body)?;
    let (Some(kind), Some(message)) = (body["errorType"].as_str(), body["errorMessage"].as_str()) else {
        return Err(refuse(StatusCode::BAD_REQUEST, "InvalidRequestContent", body.to_string()));
    };
    // The header with the type is not required, and `lambda_runtime` writes
    // "unhandled" into it for every failure.
    Ok(Status::Error { error_type: kind.to_owned(), message: message.to_owned() })
}

fn init_error(shared: &Shared, head: &Parts, body: &Bytes) -> Result<Response<Full<Bytes>>, Refusal> {
    let found = InitError { error_type: header(head, "lambda-runtime-function-error-type")?, body: json_of(body)? };
    let mut state = shared.state();
    if state.initialised.is_some() {
        return Err(refuse(StatusCode::FORBIDDEN, "InvalidStateTransition", "initialisation is over"));
    }
    state.init_errors.push(found);
    Ok(accepted())
}

fn register(shared: &Shared, head: &Parts, body: &Bytes) -> Result<Response<Full<Bytes>>, Refusal> {
    let name = header(head, "lambda-extension-name")?;
    let registration = json_of(body)?;
    let mut state = shared.state();
    if state.initialised.is_some() {
        let reason = "Extension registration closed already";
        return Err(refuse(StatusCode::FORBIDDEN, "Extension.RegistrationClosed", reason));
    }
    if state.extensions.iter().any(|extension| extension.name == name) {
        return Err(refuse(StatusCode::FORBIDDEN, "Extension.AlreadyRegistered", name));
    }
    let inner = registration["events"].as_array().is_some_and(|events| events.iter().all(|event| event == "INVOKE"));
    if !inner {
        let reason = "an internal extension can ask for INVOKE alone";
        return Err(refuse(StatusCode::FORBIDDEN, "ShutdownEventNotSupportedForInternalExtension", reason));
    }
    let identifier = state.extensions.len().to_string();
    state.extensions.push(Extension { name, registration, waits: false });
    let function =
        json!({ "functionName": "demo-function", "functionVersion": "$LATEST", "handler": "not.used" }).to_string();
    Ok(reply(StatusCode::OK, &[("Lambda-Extension-Identifier", &identifier)], function))
}

/// Blocks: no extension here asks for events.
async fn extension_event(shared: &Shared, head: &Parts) -> Result<Response<Full<Bytes>>, Refusal> {
    let identifier = header(head, "lambda-extension-identifier")?;
    let known = {
        let mut state = shared.state();
        let extension = identifier.parse().ok().and_then(|index: usize| state.extensions.get_mut(index));
        extension.map(|extension| extension.waits = true)
    };
    if known.is_none() {
        return Err(refuse(StatusCode::FORBIDDEN, "Extension.UnknownExtensionIdentifier", identifier));
    }
    shared.came.notify_all();
    std::future::pending().await
}
