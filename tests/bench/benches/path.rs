//! What a record costs on its way from the payload to the answer.
//!
//! `cargo bench -p gristmill-bench --bench path [PART OF A TITLE]`
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use gristmill_bench::events::{self, LARGE, SMALL};
use gristmill_bench::measure::{Contestant, in_turn, print};
use gristmill_bench::native::{self, Work};
use gristmill_bench::package;
use gristmill_host::event::Event;
use gristmill_host::invoke::{CallEnded, Host, Observer};
use gristmill_host::settings::InstancePer;
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
    bench.touch(&small);
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

    fn invoke(&self, host: &Arc<Host>, payload: &[u8]) {
        package::invoke(&self.runtime, host, black_box(payload), &self.silent);
    }

    fn group(&self, title: &str, unit: &str, mut contestants: Vec<Contestant<'_>>, units: usize) {
        if self.wanted.is_empty() || self.wanted.iter().any(|part| title.contains(part.as_str())) {
            let times = in_turn(&mut contestants, units, TIME);
            print(title, unit, &contestants, &times, 0);
        }
    }
}
