//! Lambda's API of event source mappings (AWS-FACTS, The mapping's own API) over
//! the emulated mapping and dev mode's endpoint: what a deployer makes there
//! delivers. The function behind it is a test's.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use gristmill::database::Source;
use gristmill_endpoint::{Endpoint, ManualClock, Options};
use gristmill_mapping::testing::{MemoryDestination, MemoryPositions, MemoryTrace};
use gristmill_mapping::{
    Answer, Clock as _, Configuration, Handle, Invocation, Parameters, Ports, Settings, Target, TokioClock, run,
};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};

use crate::aws::REGION;

/// The path that all of it is under.
const PATH: &str = "/2015-03-31/event-source-mappings";

/// A function of a test's: whether it succeeds with these records of this stream.
type Function = dyn Fn(&str, &Value) -> bool + Send + Sync;

/// The endpoint and the mappings on it.
pub struct Front {
    /// Where DynamoDB is.
    pub dynamodb: String,
    /// Where Lambda's mappings are.
    pub mappings: String,
    /// The endpoint's time, by which streams get their labels.
    pub clock: ManualClock,
    runtime: tokio::runtime::Runtime,
    endpoint: Endpoint,
    state: Arc<State>,
}

struct State {
    endpoint: Endpoint,
    function: Box<Function>,
    kept: Mutex<BTreeMap<String, Mapping>>,
    destination: MemoryDestination,
}

struct Mapping {
    handle: Handle,
    /// Oldest first, in the order of their making.
    number: usize,
}

impl State {
    fn mappings(&self) -> MutexGuard<'_, BTreeMap<String, Mapping>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Front {
    /// Starts it. `behind` is how long before now the endpoint believes to be.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn start(behind: Duration, function: impl Fn(&str, &Value) -> bool + Send + Sync + 'static) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() - behind;
        let clock = ManualClock::at_ms(u64::try_from(now.as_millis()).unwrap());
        let mut options = Options { clock: Arc::new(clock.clone()), ..Options::in_memory() };
        options.names = gristmill_endpoint::Names::new(REGION, crate::aws::ACCOUNT).unwrap();
        let endpoint = Endpoint::open(options).unwrap();
        let listen = || std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = |address: SocketAddr| format!("http://{address}");
        let database = listen();
        let dynamodb = url(database.local_addr().unwrap());
        let served = endpoint.clone();
        runtime.spawn(async move { served.serve(database, std::future::pending()).await });
        let state = Arc::new(State {
            endpoint: endpoint.clone(),
            function: Box::new(function),
            kept: Mutex::default(),
            destination: MemoryDestination::default(),
        });
        let listener = listen();
        let mappings = url(listener.local_addr().unwrap());
        runtime.spawn(serve(listener, Arc::clone(&state)));
        Self { dynamodb, mappings, clock, runtime, endpoint, state }
    }

    /// Asks DynamoDB.
    ///
    /// # Panics
    ///
    /// When it refuses.
    pub fn ask(&self, target: &str, body: &Value) -> Value {
        let answer = self.runtime.block_on(self.endpoint.call(target, &body.to_string()));
        assert_eq!(answer.status, 200, "{target} {body}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }

    /// What mappings have given up on.
    pub fn given_up(&self) -> usize {
        self.state.destination.documents().len()
    }

    /// The mappings as the API lists them, oldest first.
    pub fn list(&self) -> Vec<Value> {
        list(&self.state, "")
    }
}

fn list(state: &State, query: &str) -> Vec<Value> {
    let wanted = |key: &str| {
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        pairs.into_iter().find(|(name, _)| name == key).map(|(_, value)| value.into_owned())
    };
    let (arn, function) = (wanted("EventSourceArn"), wanted("FunctionName"));
    let mappings = state.mappings();
    let mut found: Vec<_> = mappings.values().map(|mapping| (mapping.number, described(&mapping.handle))).collect();
    found.sort_by_key(|(number, _)| *number);
    let is_it = |mapping: &Value| {
        arn.as_ref().is_none_or(|arn| mapping["EventSourceArn"] == **arn)
            && function.as_ref().is_none_or(|name| {
                let own = mapping["FunctionArn"].as_str().unwrap().split(":function:").nth(1).unwrap();
                own == name || name.ends_with(&format!(":function:{own}"))
            })
    };
    found.into_iter().map(|(_, mapping)| mapping).filter(is_it).collect()
}

fn described(handle: &Handle) -> Value {
    serde_json::to_value(handle.describe()).unwrap()
}

async fn serve(listener: std::net::TcpListener, state: Arc<State>) {
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    while let Ok((stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        let service = hyper::service::service_fn(move |request| {
            let state = Arc::clone(&state);
            async move { Ok::<_, Infallible>(answer(&state, request).await) }
        });
        tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

async fn answer(state: &Arc<State>, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let id = uri.path().strip_prefix(PATH).unwrap_or_default().trim_matches('/').to_owned();
    let (status, value) = match (&method, id.is_empty()) {
        (&Method::POST, true) => create(state, &body).await,
        (&Method::GET, true) => (200, json!({ "EventSourceMappings": list(state, uri.query().unwrap_or_default()) })),
        (&Method::GET, false) => with(state, &id, |handle| (200, described(handle))),
        (&Method::PUT, false) => update(state, &id, &body),
        (&Method::DELETE, false) => {
            let answer = with(state, &id, |handle| {
                handle.delete(TokioClock.now());
                (202, described(handle))
            });
            state.mappings().remove(&id);
            answer
        }
        _ => (404, json!({ "Type": "User", "Message": format!("{method} {uri} is not emulated") })),
    };
    let mut response = Response::new(Full::new(Bytes::from(value.to_string())));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    let headers = response.headers_mut();
    headers.insert("content-type", "application/json".parse().unwrap());
    if let Some(code) = value["Code"].as_str() {
        headers.insert("x-amzn-errortype", code.parse().unwrap());
    }
    response
}

fn refused(status: u16, code: &str, message: &str) -> (u16, Value) {
    (status, json!({ "Type": "User", "Code": code, "Message": message, "message": message }))
}

fn with(state: &State, id: &str, answer: impl FnOnce(&Handle) -> (u16, Value)) -> (u16, Value) {
    match state.mappings().get(id) {
        Some(mapping) => answer(&mapping.handle),
        None => refused(404, "ResourceNotFoundException", "The resource you requested does not exist."),
    }
}

fn parse(body: &[u8]) -> Result<Parameters, (u16, Value)> {
    serde_json::from_slice(body).map_err(|error| refused(400, "ValidationException", &error.to_string()))
}

fn update(state: &State, id: &str, body: &[u8]) -> (u16, Value) {
    let parameters = match parse(body) {
        Ok(parameters) => parameters,
        Err(refusal) => return refusal,
    };
    with(state, id, |handle| match handle.update(TokioClock.now(), &parameters) {
        Ok(()) => (202, described(handle)),
        Err(error) => refused(400, "InvalidParameterValueException", &error.to_string()),
    })
}

async fn create(state: &Arc<State>, body: &[u8]) -> (u16, Value) {
    let parameters = match parse(body) {
        Ok(parameters) => parameters,
        Err(refusal) => return refusal,
    };
    let configuration = match Configuration::create(&parameters) {
        Ok(configuration) => configuration,
        Err(error) => return refused(400, "InvalidParameterValueException", &error.to_string()),
    };
    let arn = configuration.event_source_arn.clone();
    let same = list(state, "").into_iter().find(|mapping| {
        mapping["EventSourceArn"] == *arn
            && parameters
                .function_name
                .as_deref()
                .is_some_and(|name| mapping["FunctionArn"].as_str().unwrap().ends_with(name))
    });
    if let Some(same) = same {
        let message = format!("An event source mapping with this stream and function exists: {}", same["UUID"]);
        return refused(409, "ResourceConflictException", &message);
    }
    let number = state.mappings().len() + 1;
    let uuid = format!(
        "00000000-0000-4000-8000-{:012}",
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() % 1_000_000_000_000
    );
    let positions = MemoryPositions::default();
    let now = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let handle = Handle::open(configuration, Settings::new(uuid.clone(), now), &positions, &TokioClock).await.unwrap();
    let ports = Ports {
        source: Source { api: Arc::new(state.endpoint.clone()), stream_arn: arn },
        target: Recorder(Arc::clone(state)),
        destination: state.destination.clone(),
        positions,
        clock: TokioClock,
        trace: MemoryTrace::default(),
    };
    tokio::spawn(run(ports, handle.clone()));
    let answer = described(&handle);
    state.mappings().insert(uuid, Mapping { handle, number });
    (202, answer)
}

/// The test's function behind a mapping.
struct Recorder(Arc<State>);

impl Target for Recorder {
    async fn invoke(&self, invocation: &Invocation) -> Answer {
        let event: Value = serde_json::from_str(&invocation.payload).unwrap();
        let records = event["Records"].as_array().unwrap();
        let failed = records.iter().find(|record| {
            let arn = record["eventSourceARN"].as_str().unwrap();
            !(self.0.function)(arn, record)
        });
        let failures = failed.map(|record| json!({ "itemIdentifier": record["dynamodb"]["SequenceNumber"] }));
        Answer::Returned(
            json!({ "batchItemFailures": failures.into_iter().collect::<Vec<_>>() }).to_string().into_bytes(),
        )
    }
}
