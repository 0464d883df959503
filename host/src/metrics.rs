//! What became of an invocation, as metrics: lines in CloudWatch's embedded
//! metric format.
//!
//! A document of that format has one value for each dimension, so what is
//! counted by handler needs a document a handler. There is one for the function
//! and its stream, and one for each handler that was called or should have been.
//! This room makes texts of numbers: it writes nothing, and no key, image or
//! word of a guest is in them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::batch::Outcome;
use crate::invoke::{Invoked, Tally};

/// The namespace in CloudWatch.
pub const NAMESPACE: &str = "Gristmill";

/// The most handlers that have a document of their own in an invocation: each
/// is some 700 bytes of log, and each handler is a metric that costs money. What
/// is beyond is in the function's document.
const MOST_HANDLERS: usize = 100;

/// The longest value of a dimension, in characters. CloudWatch takes 1,024; a
/// name in a manifest has at most 63.
const MOST_VALUE_CHARS: usize = 255;

/// The names of the outcomes' metrics, by [`Outcome::kind`].
const OUTCOMES: [(&str, &str); 10] = [
    ("done", "Done"),
    ("filtered", "Filtered"),
    ("already-done", "AlreadyDone"),
    ("retry", "Retry"),
    ("rejected", "Rejected"),
    ("trapped", "Trapped"),
    ("limit", "Limit"),
    ("timed-out", "TimedOut"),
    ("malformed", "Malformed"),
    ("not-run", "NotRun"),
];

/// What all documents of an invocation have in common.
pub struct About<'a> {
    /// The function's name: the dimension `FunctionName`.
    pub function_name: &'a str,
    /// Lambda's id of the invocation. No dimension: there is one for each.
    pub request_id: &'a str,
    /// The time, in milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// The time as RFC 3339 has it.
    pub now: &'a str,
    /// The level of the log. Lambda takes a line without one for INFO, and drops
    /// it where the function's level is higher.
    pub level: &'a str,
}

/// The documents of an invocation, that of the function first.
pub fn documents(invoked: &Invoked, about: &About<'_>) -> Vec<Value> {
    let table = invoked.event.stream().map_or("", |arn| arn.table());
    let mut all = Counts::default();
    let mut handlers = Vec::new();
    for (index, (name, tally)) in invoked.handlers.iter().zip(&invoked.tallies).enumerate() {
        let counts = Counts { outcomes: invoked.report.counts(index), tally: *tally };
        all.add(&counts);
        if counts.is_telling() {
            handlers.push((name, counts));
        }
    }
    let records = invoked.report.outcomes.len();
    let again = invoked.report.outcomes.iter().filter(|row| row.iter().any(Outcome::must_come_again)).count();
    let mut of_function = Document::new(about, &[("FunctionName", about.function_name), ("Table", table)]);
    // By function alone too, for an alarm that needs no table.
    of_function.dimensions.push(vec!["FunctionName"]);
    of_function.metric("Records", "Count", records.into());
    of_function.metric("ComeAgain", "Count", again.into());
    of_function.metric("Duration", "Milliseconds", milliseconds(invoked.elapsed.as_secs_f64()));
    of_function.counts(&all, true);
    let mut documents = vec![of_function.into_json()];
    for (name, counts) in handlers.into_iter().take(MOST_HANDLERS) {
        let mut document = Document::new(about, &[("FunctionName", about.function_name), ("Handler", name)]);
        document.counts(&counts, false);
        documents.push(document.into_json());
    }
    documents
}

/// Sums over calls and outcomes.
#[derive(Default)]
struct Counts {
    /// By [`Outcome::kind`].
    outcomes: BTreeMap<&'static str, u64>,
    tally: Tally,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        for (kind, count) in &other.outcomes {
            *self.outcomes.entry(kind).or_default() += count;
        }
        self.tally.add(&other.tally);
    }

    /// Whether there is more to say than that a filter declined.
    fn is_telling(&self) -> bool {
        self.outcomes.keys().any(|kind| *kind != "filtered")
    }
}

fn milliseconds(seconds: f64) -> Value {
    // To the microsecond: more digits are noise that is paid for.
    json!((seconds * 1e6).round() / 1e3)
}

/// A document in the making.
struct Document<'a> {
    members: Map<String, Value>,
    now_ms: u64,
    dimensions: Vec<Vec<&'a str>>,
    metrics: Vec<Value>,
}

impl<'a> Document<'a> {
    fn new(about: &About<'_>, dimensions: &[(&'a str, &str)]) -> Self {
        let mut members = Map::new();
        members.insert("timestamp".to_owned(), about.now.into());
        members.insert("level".to_owned(), about.level.into());
        members.insert("requestId".to_owned(), about.request_id.into());
        // A dimension without a value, and all metrics with it, is refused.
        let given: Vec<_> = dimensions.iter().filter(|(_, value)| !value.is_empty()).collect();
        for (name, value) in &given {
            let value: String = value.chars().take(MOST_VALUE_CHARS).collect();
            members.insert((*name).to_owned(), value.into());
        }
        let names = given.iter().map(|(name, _)| *name).collect();
        Self { members, now_ms: about.now_ms, dimensions: vec![names], metrics: Vec::new() }
    }

    fn metric(&mut self, name: &str, unit: &str, value: Value) {
        self.metrics.push(json!({ "Name": name, "Unit": unit }));
        self.members.insert(name.to_owned(), value);
    }

    /// The outcomes, and what the calls cost. Zeros are data for an alarm on the
    /// function; of a handler they would be most of the document.
    fn counts(&mut self, counts: &Counts, with_zeros: bool) {
        for (kind, name) in OUTCOMES {
            let count = counts.outcomes.get(kind).copied().unwrap_or(0);
            if with_zeros || count > 0 {
                self.metric(name, "Count", count.into());
            }
        }
        let Tally { calls, instances, guest_time, peak_memory_bytes } = counts.tally;
        self.metric("Calls", "Count", calls.into());
        self.metric("Instances", "Count", instances.into());
        if calls > 0 {
            self.metric("GuestTime", "Milliseconds", milliseconds(guest_time.as_secs_f64()));
            self.metric("PeakGuestMemory", "Bytes", peak_memory_bytes.into());
        }
    }

    fn into_json(mut self) -> Value {
        self.dimensions.dedup();
        let directive = json!({ "Namespace": NAMESPACE, "Dimensions": self.dimensions, "Metrics": self.metrics });
        let about = json!({ "Timestamp": self.now_ms, "CloudWatchMetrics": [directive] });
        self.members.insert("_aws".to_owned(), about);
        Value::Object(self.members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_is_a_metric() {
        use crate::batch::{LimitKind, NotRun};
        let text = String::new;
        let outcomes = [
            Outcome::Done,
            Outcome::Filtered,
            Outcome::AlreadyDone,
            Outcome::Retry(text()),
            Outcome::Rejected(text()),
            Outcome::Trapped(text()),
            Outcome::Limit(LimitKind::Memory, text()),
            Outcome::TimedOut,
            Outcome::Malformed(text()),
            Outcome::NotRun(NotRun::Behind),
        ];
        assert_eq!(outcomes.each_ref().map(Outcome::kind), OUTCOMES.map(|(kind, _)| kind));
    }
}
