//! Runs guests that trap, pass limits, leak and flood, at full speed for so many
//! minutes, and checks that nothing is left over.
//!
//!     tests/bench/soak [MINUTES]
//!
//! Every outcome of every record is checked. At the end no instance, memory,
//! table or stack may be in use, and since its warm-up the process may not have
//! opened a file nor grown.
#![allow(clippy::unwrap_used, reason = "a soak that cannot go on panics")]

use std::fs;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gristmill_bench::package;
use gristmill_host::batch::Outcome;
use gristmill_host::guest::Invocation;
use gristmill_host::invoke::{CallEnded, Host, Observer, Request};
use gristmill_host::settings::{Function, Handler, InstancePer, Limits, Package, Stream};
use serde_json::{Value, json};

/// What guests are asked to do, and what must become of it: a kind of outcome,
/// or `limit: KEY`.
const SCRIPTS: [(&str, &str); 22] = [
    ("ok", "done"),
    ("ok", "done"),
    ("retry later", "retry"),
    ("reject never", "rejected"),
    ("error x", "retry"),
    ("panic ouch", "trapped"),
    ("abort", "trapped"),
    ("exit 0", "trapped"),
    ("memory", "limit: memory-mb"),
    ("recursion", "trapped"),
    ("recursion-in-registers", "limit: stack"),
    ("handles", "limit: handles"),
    ("copies 100000", "limit: host-call-mb"),
    ("random-bytes 9000000", "trapped"),
    ("flood-stdout 300000", "done"),
    ("flood-log 2000", "done"),
    ("failure-bytes 100000", "retry"),
    ("leak 300", "done"),
    ("forget-mb 18", "done"),
    ("sleep-ms 1", "done"),
    ("loop", "timed-out"),
    ("print some words", "done"),
];

/// A call that loops ends by this.
const TIMEOUT_MS: u32 = 20;

struct Silent;

impl Observer for Silent {
    fn called(&self, _: &CallEnded<'_>) {}
}

fn main() -> ExitCode {
    // Cargo adds its own.
    let minutes = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let minutes: f64 = minutes.map_or(10.0, |text| text.parse().unwrap());
    let host = host();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    let mut dice = Dice(1);
    let started = Instant::now();
    let time = Duration::from_secs_f64(minutes * 60.0);
    let (mut invocations, mut records, mut samples) = (0u64, 0u64, Vec::new());
    let mut next_sample = Duration::ZERO;
    let mut files = Vec::new();
    println!("| seconds | invocations | calls | resident, MB |\n| ---: | ---: | ---: | ---: |");
    while started.elapsed() < time {
        records += runtime.block_on(invoke(&host, &mut dice));
        invocations += 1;
        if started.elapsed() >= next_sample {
            next_sample += time / 20;
            let resident = resident_mb();
            println!("| {:.0} | {invocations} | {} | {resident:.1} |", started.elapsed().as_secs_f64(), records * 2);
            samples.push(resident);
            files.push(open_files());
        }
    }
    let in_use = host.in_use();
    // The first fifth warms up: memories that stay with the pool are touched,
    // and each thread opens a page map.
    let (warm, last) = (samples[samples.len() / 5], samples[samples.len() - 1]);
    let grown = last - warm;
    let more_files = open_files() as i64 - files[files.len() / 5] as i64;
    println!("\n{invocations} invocations, {records} records at two handlers each, every outcome as it must be");
    println!("in use at the end: {in_use} instances, memories, tables and stacks; {more_files} more open files");
    println!("resident: {warm:.1} MB after the warm-up, {last:.1} MB at the end");
    if in_use == 0 && more_files == 0 && grown < 4.0 {
        return ExitCode::SUCCESS;
    }
    println!("something is left over");
    ExitCode::FAILURE
}

/// Runs an event of random scripts, and checks what became of each record.
/// Gives the number of records.
async fn invoke(host: &Arc<Host>, dice: &mut Dice) -> u64 {
    let scripts: Vec<(&str, &str)> = (0..40).map(|_| SCRIPTS[dice.below(SCRIPTS.len())]).collect();
    let records: Vec<Value> = scripts.iter().enumerate().map(|(i, (script, _))| record(i, script)).collect();
    let request = Request {
        payload: json!({ "Records": records }).to_string(),
        invocation: Arc::new(Invocation::default()),
        received_ms: 0,
        deadline_ms: None,
        handler: None,
        response: None,
    };
    let invoked = host.invoke(request, Arc::new(Silent)).await.unwrap();
    for ((script, expected), row) in scripts.iter().zip(&invoked.report.outcomes) {
        for (outcome, handler) in row.iter().zip(&invoked.handlers) {
            let found = match outcome {
                Outcome::Limit(limit, _) => format!("limit: {}", limit.as_str()),
                other => other.kind().to_owned(),
            };
            // On a busy machine any call may pass its time.
            assert!(found == *expected || found == "timed-out", "{script} at {handler}: {outcome}");
        }
    }
    scripts.len() as u64
}

/// A change of an item of its own.
fn record(index: usize, script: &str) -> Value {
    json!({
        "eventID": index.to_string(),
        "eventName": "MODIFY",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-west-2",
        "dynamodb": {
            "Keys": { "id": { "S": index.to_string() } },
            "NewImage": { "do": { "S": script } },
            "SequenceNumber": (index + 1).to_string(),
        },
        "eventSourceARN": gristmill_bench::events::STREAM,
    })
}

/// The scripted guest of the tests twice: with an instance for each record, and
/// with one for each invocation.
fn host() -> Arc<Host> {
    let guests = package::root().join("tests/guests");
    let target = package::target().join("guests");
    let mut cargo = Command::new("cargo");
    cargo.current_dir(guests).args(["build", "--quiet", "--release", "--locked", "--target", "wasm32-wasip2"]);
    cargo.args(["-p", "scripted"]).env("CARGO_TARGET_DIR", &target);
    cargo.env("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS", "-Clink-arg=-zstack-size=131072");
    assert!(cargo.status().unwrap().success());
    let project = package::target().join("soak");
    fs::create_dir_all(&project).unwrap();
    fs::copy(target.join("wasm32-wasip2/release/scripted.wasm"), project.join("scripted.wasm")).unwrap();
    let manifest = "[project]\nname = \"soak\"\nnamespace = false\n[stream.orders]\ntable = \"orders\"\n\
                    [handler.scripted]\ncomponent = \"scripted.wasm\"\nstream = \"orders\"\n";
    fs::write(project.join("gristmill.toml"), manifest).unwrap();
    let folder = package::built(&project, "soak-package");
    let settings = Package::parse(&fs::read_to_string(folder.join("handlers.json")).unwrap()).unwrap();
    let scripted = settings.function("soak").unwrap().handlers[0].clone();
    let handler = |name: &str, instance_per| Handler {
        name: name.to_owned(),
        instance_per,
        limits: Limits { timeout_ms: TIMEOUT_MS, ..scripted.limits },
        ..scripted.clone()
    };
    let handlers = vec![handler("fresh", InstancePer::Record), handler("kept", InstancePer::Invocation)];
    let stream = Stream { concurrency: Some(4), ..package::stream("orders") };
    let host = Host::new(Function { streams: vec![stream], handlers }, None, |module| folder.join(module));
    Arc::new(host.unwrap_or_else(|errors| panic!("{errors:?}")))
}

/// The same sequence in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }
}

fn resident_mb() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}
