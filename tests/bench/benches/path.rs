//! What a record costs on its way from the payload to the answer.
//!
//! `cargo bench -p gristmill-bench --bench path [PART OF A TITLE]`
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use gristmill_bench::events::{self, LARGE, SMALL};
use gristmill_bench::measure::{Contestant, Times, in_turn, print};
use gristmill_bench::native::{self, Work};
use gristmill_bench::package;
use gristmill_host::event::Event;
use gristmill_host::guest::LogLevel;
use gristmill_host::invoke::{CallEnded, Host, Observer};
use gristmill_host::log::{Format, InvocationLog, Log};
use gristmill_host::settings::{Function, Handler, InstancePer};
use tokio::runtime::Runtime;

/// How long a group is measured.
const TIME: Duration = Duration::from_secs(4);

struct Silent;

impl Observer for Silent {
    fn called(&self, _: &CallEnded<'_>) {}
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let bench = Bench {
        runtime: tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap(),
        silent: Arc::new(Silent),
        wanted,
    };
    let (small, large) = (events::small(), events::large());
    for (work, guest, what) in [
        (Work::Structs, "structs", "the new image into a struct"),
        (Work::Keys, "keys", "keys only"),
        (Work::Trees, "trees", "both images into trees"),
    ] {
        let bytes = small.len() / SMALL;
        bench.work(&format!("{what}, {SMALL} records of {bytes} bytes"), work, guest, &small, SMALL);
        let bytes = large.len() / LARGE;
        bench.work(&format!("{what}, {LARGE} records of {bytes} bytes"), work, guest, &large, LARGE);
    }
    bench.extremes();
    bench.failures(&small);
    bench.touch(&small);
    bench.handlers_elsewhere(&small);
    bench.handlers_that_decline(&small);
    bench.handlers_in_turn(&small);
    bench.log_and_metrics(&small);
}

struct Bench {
    runtime: Runtime,
    silent: Arc<dyn Observer>,
    wanted: Vec<String>,
}

impl Bench {
    /// gristmill in both modes against native handlers.
    fn work(&self, title: &str, work: Work, guest: &str, payload: &[u8], records: usize) {
        let fresh = package::host(guest, guest, InstancePer::Record);
        let kept = package::host(guest, guest, InstancePer::Invocation);
        let contestants = vec![
            Contestant::new("usual: aws_lambda_events and serde_dynamo", || {
                black_box(native::usual(black_box(payload), work));
            }),
            Contestant::new("gristmill, an instance for each record", || self.invoke(&fresh, payload)),
            Contestant::new("gristmill, an instance for each invocation", || self.invoke(&kept, payload)),
            Contestant::new("the event read, and no handler", || {
                black_box(Event::from_slice(black_box(payload)).unwrap());
            }),
            Contestant::new("fastest: slices, and serde into the struct", || {
                black_box(native::fastest(black_box(payload), work));
            }),
        ];
        self.group(title, "µs a record", contestants, records);
    }

    /// The largest and the smallest that Lambda sends: no cliff between them.
    fn extremes(&self) {
        let events = [
            ("100 records of 1.25 KB", events::small()),
            ("1 record of 400 KB an image", events::event(1, 4_400)),
            ("10,000 records of 0.5 KB", events::tiny()),
            ("a payload of 6 MB", events::event(8, 4_100)),
        ];
        let fresh = package::host("keys", "keys", InstancePer::Record);
        for (what, payload) in events {
            let title = format!("extremes, keys only: {what}");
            let contestants = vec![
                Contestant::new("usual: aws_lambda_events and serde_dynamo", || {
                    black_box(native::usual(black_box(&payload), Work::Keys));
                }),
                Contestant::new("gristmill, an instance for each record", || self.invoke(&fresh, &payload)),
                Contestant::new("the event read, and no handler", || {
                    black_box(Event::from_slice(black_box(&payload)).unwrap());
                }),
            ];
            self.group(&title, "µs a KB", contestants, payload.len() / 1_000);
        }
    }

    /// Handlers that fail at every record, at full speed.
    fn failures(&self, payload: &[u8]) {
        let done = package::host("touch-0", "touch", InstancePer::Record);
        // A name that ends in no number is rejected, and so much memory is a limit that is passed.
        let rejects = package::host("touch-x", "touch", InstancePer::Record);
        let traps = package::host("touch-100000", "touch", InstancePer::Record);
        let fail = |host: &Arc<Host>| drop(package::run(&self.runtime, host, black_box(payload), &self.silent));
        let contestants = vec![
            Contestant::new("done", || fail(&done)),
            Contestant::new("rejected", || fail(&rejects)),
            Contestant::new("a limit passed, which traps", || fail(&traps)),
        ];
        self.group(
            "a handler that fails at every record, an instance for each record",
            "µs a record",
            contestants,
            SMALL,
        );
    }

    /// Guests that use some memory.
    fn touch(&self, payload: &[u8]) {
        let hosts: Vec<(String, Arc<Host>)> = [0, 64, 1024]
            .into_iter()
            .flat_map(|kb| [(kb, InstancePer::Record), (kb, InstancePer::Invocation)])
            .map(|(kb, per)| (format!("{kb} KiB, {per:?}"), package::host(&format!("touch-{kb}"), "touch", per)))
            .collect();
        let contestants =
            hosts.iter().map(|(name, host)| Contestant::new(name.clone(), || self.invoke(host, payload))).collect();
        self.group("a guest that touches memory", "µs a record", contestants, SMALL);
    }

    /// Handlers of other streams, beside one that gets all records.
    fn handlers_elsewhere(&self, payload: &[u8]) {
        let hosts: Vec<(usize, Arc<Host>)> = [0, 10, 100, 1_000].map(|others| (others, elsewhere(others))).into();
        let contestants = hosts
            .iter()
            .map(|(others, host)| Contestant::new(format!("{others} on other streams"), || self.invoke(host, payload)))
            .collect();
        self.group("handlers on other streams, beside one that reads keys", "µs a record", contestants, SMALL);
    }

    /// Handlers of the same stream whose filter declines every record.
    fn handlers_that_decline(&self, payload: &[u8]) {
        let hosts: Vec<(usize, Arc<Host>)> = [0, 1, 10, 100, 1_000].map(|others| (others, declining(others))).into();
        let mut contestants: Vec<_> = hosts
            .iter()
            .map(|(others, host)| Contestant::new(format!("{others} that decline"), || self.invoke(host, payload)))
            .collect();
        let title = "handlers on the same stream whose filter declines, beside one that reads keys";
        let Some(times) = self.times(title, &mut contestants, SMALL) else { return };
        print(title, "µs a record", &contestants, &times, 0);
        println!();
        for ((others, _), time) in hosts.iter().zip(&times).skip(1) {
            let ns = (time.least - times[0].least) * 1e3 / *others as f64;
            println!("- each of {others}: {ns:.0} ns a record");
        }
    }

    /// Handlers that all want every record: their calls alternate.
    fn handlers_in_turn(&self, payload: &[u8]) {
        let hosts: Vec<(usize, Arc<Host>)> = [1, 4, 16, 64].map(|count| (count, in_turn_of(count))).into();
        let mut contestants: Vec<_> = hosts
            .iter()
            .map(|(count, host)| Contestant::new(format!("{count} handlers"), || self.invoke(host, payload)))
            .collect();
        let title = "handlers of other code that all want every record and read its keys";
        let Some(mut times) = self.times(title, &mut contestants, SMALL) else { return };
        for ((count, _), time) in hosts.iter().zip(&mut times) {
            *time = Times { least: time.least / *count as f64, median: time.median / *count as f64 };
        }
        print(title, "µs a record and handler", &contestants, &times, 0);
    }

    /// The lines that `bootstrap` writes, to nowhere.
    fn log_and_metrics(&self, payload: &[u8]) {
        let host = package::host("structs", "structs", InstancePer::Invocation);
        let log = Arc::new(Log::to(Format::Json, LogLevel::Info, |line| {
            black_box(line);
            Ok(())
        }));
        let lines = Arc::new(InvocationLog { log, request_id: "8476a536".to_owned(), function_name: "f".to_owned() });
        let observer = Arc::clone(&lines) as Arc<dyn Observer>;
        let contestants = vec![
            Contestant::new("nothing is written", || self.invoke(&host, payload)),
            Contestant::new("log and metrics are written", || {
                let invoked = package::invoked(&self.runtime, &host, black_box(payload), &observer);
                lines.summary(&invoked);
                lines.metrics(&invoked);
            }),
        ];
        self.group("log and metrics, an instance for each invocation", "µs a record", contestants, SMALL);
    }

    fn invoke(&self, host: &Arc<Host>, payload: &[u8]) {
        package::invoke(&self.runtime, host, black_box(payload), &self.silent);
    }

    fn group(&self, title: &str, unit: &str, mut contestants: Vec<Contestant<'_>>, units: usize) {
        if let Some(times) = self.times(title, &mut contestants, units) {
            print(title, unit, &contestants, &times, 0);
        }
    }

    fn times(&self, title: &str, contestants: &mut [Contestant<'_>], units: usize) -> Option<Vec<Times>> {
        let is_wanted = self.wanted.is_empty() || self.wanted.iter().any(|part| title.contains(part.as_str()));
        is_wanted.then(|| in_turn(contestants, units, TIME))
    }
}

fn elsewhere(others: usize) -> Arc<Host> {
    let mut function = Function {
        streams: vec![package::stream("orders")],
        handlers: vec![package::handler("own", "keys", InstancePer::Record)],
    };
    for other in 0..others {
        let name = format!("other-{other}");
        function.streams.push(package::stream(&name));
        let handler = package::handler(&name, "keys", InstancePer::Record);
        function.handlers.push(Handler { stream: name, ..handler });
    }
    package::host_of(function)
}

fn declining(others: usize) -> Arc<Host> {
    let mut handlers = vec![package::handler("own", "keys", InstancePer::Record)];
    for other in 0..others {
        let handler = package::handler(&format!("other-{other}"), "keys", InstancePer::Record);
        let filter = format!(r#"{{"dynamodb":{{"NewImage":{{"status":{{"S":["status-{other}"]}}}}}}}}"#);
        handlers.push(Handler { filters: vec![filter], ..handler });
    }
    package::host_of(Function { streams: vec![package::stream("orders")], handlers })
}

/// Handlers whose code is in files of their own, as that of 64 teams would be.
fn in_turn_of(count: usize) -> Arc<Host> {
    let handler = |index| {
        let handler = package::handler(&format!("h-{index}"), "keys", InstancePer::Record);
        let module = format!("{index:064x}.cwasm");
        let copy = package::guests().join(&module);
        if !copy.exists() {
            std::fs::copy(package::guests().join(&handler.module), &copy).unwrap();
        }
        Handler { module, ..handler }
    };
    package::host_of(Function { streams: vec![package::stream("orders")], handlers: (0..count).map(handler).collect() })
}
