//! The production host behind the emulated mapping, in virtual time: random
//! streams, handlers that fail, trap and run out of time at random, several
//! execution environments, delivery twice.
//!
//! Whatever happens, for every handler each record is done at least once or is
//! in the destination; and while nothing went to the destination, the last
//! effect on each item is that of its last change.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use gristmill::{code, function, manifest};
use gristmill_host::invoke::{CallEnded, Host, Observer};
use gristmill_host::settings::Response;
use gristmill_mapping::configuration::{DestinationConfig, OnFailureConfig};
use gristmill_mapping::testing::{Call, Rig, UUID, parameters};
use gristmill_mapping::{Answer, Parameters, Settings};
use gristmill_tests::{Project, cache_home, guests};
use proptest::prelude::*;
use serde_json::Value;

use crate::cases::COMMAND;

/// The table of the mapping's own fixtures.
const MANIFEST: &str = r#"
[project]
name = "demo"

[stream.test-table]
table = "test-table"

[handler.a]
component = "a.wasm"
stream = "test-table"

[handler.b]
component = "b.wasm"
stream = "test-table"
instance-per = "invocation"
"#;

/// Execution environments: of two that are well, and of one in which the handler
/// b traps whatever it gets, as a bad release would.
struct Environments {
    manifest: manifest::Manifest,
    codes: [Vec<(String, PathBuf)>; 2],
}

static ENVIRONMENTS: LazyLock<Environments> = LazyLock::new(|| {
    let project = Project::empty(COMMAND);
    project.write("gristmill.toml", MANIFEST.as_bytes());
    let guest = |name: &str| std::fs::read(guests().join(name)).unwrap();
    project.write("a.wasm", &guest("scripted.wasm"));
    let codes = ["start_trap.wasm", "scripted.wasm"].map(|b| {
        project.write("b.wasm", &guest(b));
        let manifest = manifest::load(project.path(), None).unwrap();
        // The command's own cache is the user's; the tests' is beside it.
        let cache =
            gristmill_host::guest::compile::Cache::open_outside_of(cache_home().join("gristmill"), None).unwrap();
        let codes = manifest
            .handlers
            .iter()
            .map(|handler| (handler.name.clone(), code::precompiled(&manifest, &cache, handler).unwrap()));
        codes.collect()
    });
    let manifest = manifest::load(project.path(), None).unwrap();
    let [sick, well] = codes;
    Environments { manifest, codes: [well, sick] }
});

/// What handlers did: which handler, which item, which record, in the order in
/// which they did it.
type Effects = Arc<Mutex<Vec<(String, String, String)>>>;

struct Watch(Effects);

impl Observer for Watch {
    fn called(&self, call: &CallEnded<'_>) {
        if call.outcome.kind() == "done" {
            let key: Value = serde_json::from_str(call.record.keys().unwrap()).unwrap();
            let effect = (
                call.handler.to_owned(),
                key["id"]["S"].as_str().unwrap().to_owned(),
                call.record.sequence_number().as_str().to_owned(),
            );
            self.0.lock().unwrap().push(effect);
        }
    }
}

/// A function with several environments, of which each invoke gets one by
/// chance.
struct Function {
    hosts: Vec<Arc<Host>>,
    runtime: tokio::runtime::Runtime,
    effects: Effects,
    dice: u64,
    is_sick: bool,
    cuts: bool,
}

impl Function {
    fn roll(&mut self, below: u64) -> u64 {
        // Knuth's multiplier and increment: chance enough for a choice.
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % below
    }

    fn invoke(&mut self, call: &Call) -> Answer {
        let environment = self.roll(if self.is_sick { 3 } else { 2 });
        // A deadline that comes at once, now and then.
        let timeout_ms = if self.cuts && self.roll(10) == 0 { 2 } else { 60_000 };
        let manifest = &ENVIRONMENTS.manifest;
        let request = function::request(manifest, &call.request_id, call.payload.clone(), Some(timeout_ms));
        let watch = Arc::new(Watch(Arc::clone(&self.effects)));
        let host = &self.hosts[usize::try_from(environment).unwrap()];
        let invoked = self.runtime.block_on(host.invoke(request, watch)).unwrap();
        Answer::Returned(invoked.response.unwrap().into_bytes())
    }
}

#[derive(Clone, Debug)]
struct Plan {
    /// Item, and what each handler does with the change.
    puts: Vec<(u8, Deed, Deed)>,
    batch_size: i64,
    factor: i64,
    bisect: bool,
    /// None is until the record expires.
    retries: Option<i64>,
    split_after: usize,
    lose: u16,
    is_sick: bool,
    cuts: bool,
    seed: u64,
}

#[derive(Clone, Copy, Debug)]
enum Deed {
    Ok,
    Retry,
    Panic,
}

impl Deed {
    fn script(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Retry => "retry later",
            Self::Panic => "panic now",
        }
    }
}

/// With `poison`, some records never succeed, and retries end.
fn plan(poison: bool) -> impl Strategy<Value = Plan> {
    let deed = move || match poison {
        true => prop_oneof![12 => Just(Deed::Ok), 1 => Just(Deed::Retry), 1 => Just(Deed::Panic)].boxed(),
        false => Just(Deed::Ok).boxed(),
    };
    let puts = prop::collection::vec((0..4u8, deed(), deed()), 1..25);
    let retries = if poison { (0..4i64).prop_map(Some).boxed() } else { Just(None).boxed() };
    let settings = (1..12i64, 1..4i64, any::<bool>(), retries, 0..25usize);
    let chance = (prop_oneof![Just(0u16), Just(150)], any::<bool>(), any::<bool>(), any::<u64>());
    (puts, settings, chance).prop_map(move |(puts, settings, (lose, is_sick, cuts, seed))| {
        let (batch_size, factor, bisect, retries, split_after) = settings;
        Plan { puts, batch_size, factor, bisect, retries, split_after, lose, is_sick: is_sick && !poison, cuts, seed }
    })
}

struct Run {
    written: Vec<(String, String)>,
    effects: Vec<(String, String, String)>,
    given_up: BTreeSet<String>,
}

fn run(plan: &Plan) -> Run {
    let effects = Effects::default();
    let environments = &*ENVIRONMENTS;
    let [well, sick] = &environments.codes;
    let hosts = [well, well, sick]
        .map(|codes| Arc::new(function::host_of(&environments.manifest, Response::Partial, codes).unwrap()));
    let mut function = Function {
        hosts: hosts.into(),
        runtime: tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap(),
        effects: Arc::clone(&effects),
        dice: plan.seed,
        is_sick: plan.is_sick,
        cuts: plan.cuts,
    };
    let parameters = Parameters {
        batch_size: Some(plan.batch_size),
        parallelization_factor: Some(plan.factor),
        bisect_batch_on_function_error: Some(plan.bisect),
        maximum_retry_attempts: Some(plan.retries.unwrap_or(-1)),
        function_response_types: Some(vec!["ReportBatchItemFailures".to_owned()]),
        destination_config: Some(DestinationConfig {
            on_failure: OnFailureConfig { destination: Some("arn:aws:s3:::failures".to_owned()) },
        }),
        ..parameters()
    };
    let settings = Settings { lose_answers_per_mille: plan.lose, ..Settings::new(UUID, plan.seed) };
    let mut rig = Rig::with(parameters, settings, move |call| function.invoke(call));
    let mut written = Vec::new();
    for (count, (item, a, b)) in plan.puts.iter().enumerate() {
        if count == plan.split_after {
            let open = rig.stream.open_shards();
            rig.stream.split(&open[0]);
        }
        let key = format!("k{item}");
        let image = format!(r#","do-a":{{"S":"{}"}},"do-b":{{"S":"{}"}}"#, a.script(), b.script());
        written.push((key.clone(), rig.stream.put_image(&key, &image)));
        if count % 3 == 2 {
            rig.advance(Duration::from_millis(300));
        }
    }
    // Long enough for every retry, and shorter than a record lives.
    rig.advance(Duration::from_secs(6 * 60 * 60));
    let mut given_up = BTreeSet::new();
    for document in rig.destination.documents() {
        let body: Value = serde_json::from_str(&document.body).unwrap();
        let event: Value = serde_json::from_str(body["payload"].as_str().unwrap()).unwrap();
        for record in event["Records"].as_array().unwrap() {
            given_up.insert(record["dynamodb"]["SequenceNumber"].as_str().unwrap().to_owned());
        }
    }
    let effects = effects.lock().unwrap().clone();
    Run { written, effects, given_up }
}

fn each_is_done_or_given_up(run: &Run) {
    let done: BTreeSet<(&str, &str)> =
        run.effects.iter().map(|(handler, _, number)| (handler.as_str(), number.as_str())).collect();
    for handler in ["a", "b"] {
        for (key, number) in &run.written {
            let is_there = done.contains(&(handler, number.as_str())) || run.given_up.contains(number);
            assert!(is_there, "{handler} {key} {number} is lost");
        }
    }
}

fn the_last_effect_is_the_last_change(run: &Run) {
    let mut last_change = BTreeMap::new();
    for (key, number) in &run.written {
        last_change.insert(key.as_str(), number.as_str());
    }
    let mut last_effect = BTreeMap::new();
    for (handler, key, number) in &run.effects {
        last_effect.insert((handler.as_str(), key.as_str()), number.as_str());
    }
    for handler in ["a", "b"] {
        for (key, number) in &last_change {
            assert_eq!(last_effect.get(&(handler, *key)), Some(number), "{handler} {key}: {:?}", run.effects);
        }
    }
}

proptest! {
    // A case is some tens of invokes of real guests.
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn while_all_can_succeed_each_record_is_done_and_the_last_change_wins(plan in plan(false)) {
        let run = run(&plan);
        prop_assert!(run.given_up.is_empty());
        each_is_done_or_given_up(&run);
        the_last_effect_is_the_last_change(&run);
    }

    #[test]
    fn with_poison_each_record_is_done_or_in_the_destination(plan in plan(true)) {
        let run = run(&plan);
        each_is_done_or_given_up(&run);
        if run.given_up.is_empty() {
            the_last_effect_is_the_last_change(&run);
        }
    }
}
