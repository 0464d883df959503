//! A function that answers as a test says, and what it was called with.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::VirtualClock;
use super::lock;
use crate::target::{Answer, Invocation, Target};
use crate::{Clock, Timestamp};

/// One invoke.
#[derive(Clone, Debug)]
pub struct Call {
    /// When it began.
    pub at: Timestamp,
    /// Its request id.
    pub request_id: String,
    /// The function's ARN.
    pub function_arn: String,
    /// The event.
    pub payload: String,
    /// The numbers of its records.
    pub sequence_numbers: Vec<String>,
    /// The partition keys of its records, `id` as a string.
    pub keys: Vec<String>,
}

/// A target that asks a closure.
#[derive(Clone)]
pub struct ScriptedTarget {
    clock: VirtualClock,
    script: Arc<Mutex<Script>>,
}

type Watcher = Box<dyn FnMut(&Call) + Send>;

struct Script {
    answer: Box<dyn FnMut(&Call) -> Answer + Send>,
    takes: Duration,
    watcher: Option<Watcher>,
    calls: Vec<Call>,
    keeps_calls: bool,
}

impl ScriptedTarget {
    /// A target that answers at once what the closure says.
    pub fn new(clock: VirtualClock, answer: impl FnMut(&Call) -> Answer + Send + 'static) -> Self {
        let script = Script {
            answer: Box::new(answer),
            takes: Duration::ZERO,
            watcher: None,
            calls: Vec::new(),
            keeps_calls: true,
        };
        Self { clock, script: Arc::new(Mutex::new(script)) }
    }

    /// Answers otherwise from now on.
    pub fn answer(&self, answer: impl FnMut(&Call) -> Answer + Send + 'static) {
        lock(&self.script).answer = Box::new(answer);
    }

    /// Tells each call as it begins.
    pub fn watch(&self, watcher: impl FnMut(&Call) + Send + 'static) {
        lock(&self.script).watcher = Some(Box::new(watcher));
    }

    /// Each invoke takes so long from now on.
    pub fn takes(&self, time: Duration) {
        lock(&self.script).takes = time;
    }

    /// Whether calls are kept; they are at first.
    pub fn keep_calls(&self, keeps: bool) {
        lock(&self.script).keeps_calls = keeps;
    }

    /// The calls so far, in the order of their beginnings.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.script).calls.clone()
    }
}

impl Target for ScriptedTarget {
    async fn invoke(&self, invocation: &Invocation) -> Answer {
        let call = Call::of(invocation, self.clock.now());
        let takes = {
            let mut script = lock(&self.script);
            if let Some(watcher) = &mut script.watcher {
                watcher(&call);
            }
            if script.keeps_calls {
                script.calls.push(call.clone());
            }
            script.takes
        };
        if !takes.is_zero() {
            self.clock.sleep_until(call.at + takes).await;
        }
        (lock(&self.script).answer)(&call)
    }
}

impl Call {
    fn of(invocation: &Invocation, at: Timestamp) -> Self {
        let event: Value = serde_json::from_str(&invocation.payload).unwrap_or_default();
        let texts = |pointer: &str| {
            let records = event["Records"].as_array().map(Vec::as_slice).unwrap_or_default();
            records
                .iter()
                .map(|record| record.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned())
                .collect()
        };
        Self {
            at,
            request_id: invocation.request_id.clone(),
            function_arn: invocation.function_arn.clone(),
            payload: invocation.payload.clone(),
            sequence_numbers: texts("/dynamodb/SequenceNumber"),
            keys: texts("/dynamodb/Keys/id/S"),
        }
    }

    /// The event as a JSON value.
    ///
    /// # Panics
    ///
    /// When the payload is not JSON.
    pub fn event(&self) -> Value {
        serde_json::from_str(&self.payload).unwrap_or_else(|error| panic!("the payload is not JSON: {error}"))
    }
}

/// The answer of a function of which no record failed.
pub fn succeed() -> Answer {
    Answer::Returned(br#"{"batchItemFailures":[]}"#.to_vec())
}

/// The answer that names a record.
pub fn naming(sequence_number: &str) -> Answer {
    Answer::Returned(json!({"batchItemFailures": [{"itemIdentifier": sequence_number}]}).to_string().into_bytes())
}

/// A raised error.
pub fn function_error() -> Answer {
    Answer::FunctionError {
        kind: "Unhandled".to_owned(),
        payload: br#"{"errorType":"Error","errorMessage":"no"}"#.to_vec(),
    }
}
