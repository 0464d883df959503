//! What really became of the records, kept apart from the mapping: by what the
//! target answered, what the destination got and what the filter should
//! decline.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use gristmill_mapping::testing::{MemoryTrace, Rig, function_error, naming};
use gristmill_mapping::trace::{Decision, Entry};
use gristmill_mapping::{Answer, Position};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::Call;

/// How a target behaves.
#[derive(Clone, Debug)]
pub(super) struct Habits {
    pub(super) seed: u64,
    pub(super) takes_ms: u64,
    /// Of 100 calls, how many go wrong, whatever is in them.
    pub(super) bad: u64,
    /// Items, as bits, of which every record fails.
    pub(super) poison: u8,
    pub(super) in_window: bool,
}

impl Habits {
    pub(super) fn any() -> impl Strategy<Value = Self> {
        let bad = prop_oneof![Just(0), Just(20), Just(60)];
        let poison = prop_oneof![2 => Just(0u8), 1 => Just(0b1), 1 => Just(0b101)];
        (any::<u64>(), prop_oneof![Just(0), Just(30), 1..4_000u64], bad, poison)
            .prop_map(|(seed, takes_ms, bad, poison)| Self { seed, takes_ms, bad, poison, in_window: false })
    }

    pub(super) fn healed() -> Self {
        Self { seed: 0, takes_ms: 0, bad: 0, poison: 0, in_window: false }
    }
}

#[derive(Debug)]
struct Record {
    item: u8,
    red: bool,
    shard: String,
    /// How often the target was done with it.
    done: u32,
}

#[derive(Debug, Default)]
struct Known {
    reports: bool,
    records: BTreeMap<String, Record>,
    filtered: BTreeMap<String, u32>,
    /// By number, how often given up and whether for its age.
    given_up: BTreeMap<String, (u32, bool)>,
    read_entries: usize,
    read_documents: usize,
    in_windows: u64,
    wrong: Vec<String>,
}

/// Cheap to clone: the target and the store have it too.
#[derive(Clone)]
pub(super) struct Truth(Arc<Mutex<Known>>);

pub(super) struct Fates {
    pub(super) records: usize,
    pub(super) blue: usize,
    pub(super) delivered: usize,
    pub(super) filtered: usize,
    pub(super) exhausted: usize,
    pub(super) expired: usize,
    pub(super) wrong: Vec<String>,
}

impl Truth {
    pub(super) fn new(reports: bool) -> Self {
        Self(Arc::new(Mutex::new(Known { reports, ..Known::default() })))
    }

    pub(super) fn put(&self, number: String, item: u8, red: bool, shard: String) {
        self.0.lock().unwrap().records.insert(number, Record { item, red, shard, done: 0 });
    }

    /// Looks at every position before it is written.
    pub(super) fn watch(&self, rig: &mut Rig) {
        let (known, destination, trace) = (Arc::clone(&self.0), rig.destination.clone(), rig.trace.clone());
        let mut last: BTreeMap<String, String> = BTreeMap::new();
        rig.positions.watch(move |shard, position| {
            let mut known = known.lock().unwrap();
            known.read(&trace, &destination.documents());
            let passed = |number: &String| match position {
                Position::TrimHorizon | Position::Latest { .. } => false,
                Position::After { sequence_number, .. } => number <= sequence_number,
                Position::Finished => true,
            };
            let undone = known.undone(|number, record| record.shard == shard && passed(number));
            if !undone.is_empty() {
                known.wrong.push(format!("{position:?} of {shard} passes {undone:?}"));
            }
            if let Position::After { sequence_number, .. } = position
                && last.insert(shard.to_owned(), sequence_number.clone()).is_some_and(|last| last > *sequence_number)
            {
                known.wrong.push(format!("{position:?} of {shard} goes back"));
            }
        });
        let (known, destination, trace) = (Arc::clone(&self.0), rig.destination.clone(), rig.trace.clone());
        rig.target.watch(move |call| {
            let mut known = known.lock().unwrap();
            known.read(&trace, &destination.documents());
            known.check_order(call);
        });
    }

    /// A target that behaves so, and keeps the books.
    pub(super) fn answer(&self, habits: Habits) -> impl FnMut(&Call) -> Answer + Send + 'static {
        let known = Arc::clone(&self.0);
        let mut state = habits.seed;
        let mut roll = move |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        move |call| {
            let mut known = known.lock().unwrap();
            let poisoned = call.keys.iter().position(|key| habits.poison >> (key.as_bytes()[1] - b'0') & 1 == 1);
            let bad = roll(100) < habits.bad;
            let answer = match (poisoned, bad, roll(8)) {
                (_, true, 0) => Answer::Throttled,
                (_, true, 1) => Answer::PermissionLost("on request".to_owned()),
                (_, true, 2) => Answer::TimedOut,
                (_, true, 3) => naming("unknown"),
                (_, true, 4) => naming(""),
                (_, true, _) | (Some(_), false, 0) => function_error(),
                (Some(index), false, _) => naming(&call.sequence_numbers[index]),
                (None, false, _) => Answer::Returned(b"{}".to_vec()),
            };
            known.note(call, answer, habits.in_window, &mut roll)
        }
    }

    /// Takes in what the destination and the trace have by now.
    pub(super) fn take_in(&self, rig: &Rig) {
        self.0.lock().unwrap().read(&rig.trace, &rig.destination.documents());
    }

    /// The sum of the states of all final calls that succeeded.
    pub(super) fn in_windows(&self) -> u64 {
        self.0.lock().unwrap().in_windows
    }

    pub(super) fn fates(&self) -> Fates {
        let known = self.0.lock().unwrap();
        let mut wrong = known.wrong.clone();
        for (number, record) in &known.records {
            let given_up = known.given_up.get(number).map_or(0, |(times, _)| *times);
            let fates = record.done + known.filtered.get(number).copied().unwrap_or(0) + given_up;
            match fates {
                0 => wrong.push(format!("{number} has no fate")),
                1 => {}
                _ => wrong.push(format!("{number} has its fate twice")),
            }
        }
        Fates {
            records: known.records.len(),
            blue: known.records.values().filter(|record| !record.red).count(),
            delivered: known.records.values().filter(|record| record.done > 0).count(),
            filtered: known.filtered.len(),
            exhausted: known.given_up.values().filter(|(_, aged)| !aged).count(),
            expired: known.given_up.values().filter(|(_, aged)| *aged).count(),
            wrong,
        }
    }

    /// One request id is one batch, byte for byte; a batch of several that
    /// failed is split under bisect; no batch fails oftener than it may.
    pub(super) fn check_request_ids(
        &self,
        rig: &Rig,
        bisects: bool,
        retries: Option<usize>,
    ) -> Result<(), TestCaseError> {
        let mut payloads: HashMap<String, String> = HashMap::new();
        for call in rig.target.calls() {
            let first = payloads.entry(call.request_id.clone()).or_insert_with(|| call.payload.clone());
            prop_assert_eq!(&*first, &call.payload, "one request id, two batches");
        }
        let mut failures: HashMap<String, usize> = HashMap::new();
        for entry in rig.trace.entries() {
            if let Decision::Answered { request_id, meaning: gristmill_mapping::trace::Meaning::Failure, .. } =
                entry.decision
            {
                *failures.entry(request_id).or_default() += 1;
            }
        }
        let lengths: HashMap<String, usize> =
            rig.target.calls().into_iter().map(|call| (call.request_id, call.keys.len())).collect();
        for (request_id, times) in failures {
            let most = if bisects && lengths[&request_id] > 1 { Some(1) } else { retries.map(|most| most + 1) };
            prop_assert!(most.is_none_or(|most| times <= most), "{} failed {} times", request_id, times);
        }
        Ok(())
    }
}

impl Known {
    /// What an answer means for the records, told from the answer's making and
    /// not from its text.
    fn note(&mut self, call: &Call, answer: Answer, in_window: bool, roll: &mut impl FnMut(u64) -> u64) -> Answer {
        let Answer::Returned(body) = &answer else { return answer };
        let mut body: Value = serde_json::from_slice(body).unwrap();
        let named = body["batchItemFailures"][0]["itemIdentifier"].as_str().map(str::to_owned);
        let done = match named.filter(|_| self.reports) {
            None => call.keys.len(),
            Some(named) => call.sequence_numbers.iter().position(|number| *number == named).unwrap_or(0),
        };
        let failed = done == 0 && !call.keys.is_empty();
        if in_window {
            let event = call.event();
            let seen = event["state"]["seen"].as_u64().unwrap_or(0);
            if roll(10) == 0 {
                // No state: a failure.
                return Answer::Returned(body.to_string().into_bytes());
            }
            body["state"] = json!({ "seen": seen + done as u64 });
            if event["isFinalInvokeForWindow"] == true && body.get("batchItemFailures").is_none_or(|_| !self.reports) {
                self.in_windows += seen;
            }
        }
        if !failed {
            for number in &call.sequence_numbers[..done] {
                if let Some(record) = self.records.get_mut(number) {
                    record.done += 1;
                }
            }
        }
        Answer::Returned(body.to_string().into_bytes())
    }

    fn read(&mut self, trace: &MemoryTrace, documents: &[gristmill_mapping::FailureDocument]) {
        let filtered = |entry: &Entry| match &entry.decision {
            Decision::Filtered { sequence_numbers, .. } => sequence_numbers.clone(),
            _ => Vec::new(),
        };
        let (entries, numbers) = trace.since(self.read_entries, filtered);
        self.read_entries = entries;
        for number in numbers.into_iter().flatten() {
            *self.filtered.entry(number).or_default() += 1;
        }
        for document in &documents[self.read_documents..] {
            let body: Value = serde_json::from_str(&document.body).unwrap();
            let aged = body["requestContext"]["condition"] == "RecordAgeExceeded";
            let event: Value = serde_json::from_str(body["payload"].as_str().unwrap()).unwrap();
            // A window's final call that was given up.
            self.in_windows +=
                event["state"]["seen"].as_u64().filter(|_| event["isFinalInvokeForWindow"] == true).unwrap_or(0);
            for record in event["Records"].as_array().unwrap() {
                let number = record["dynamodb"]["SequenceNumber"].as_str().unwrap().to_owned();
                let entry = self.given_up.entry(number).or_insert((0, aged));
                entry.0 += 1;
            }
        }
        self.read_documents = documents.len();
    }

    fn undone(&self, which: impl Fn(&String, &Record) -> bool) -> Vec<String> {
        let is_undone = |number: &String, record: &Record| {
            record.done == 0 && !self.filtered.contains_key(number) && !self.given_up.contains_key(number)
        };
        let undone = self.records.iter().filter(|(number, record)| which(number, record) && is_undone(number, record));
        undone.map(|(number, _)| number.clone()).collect()
    }

    /// A record comes after all earlier ones of its item: those are done, or
    /// stand before it.
    fn check_order(&mut self, call: &Call) {
        let mut before: BTreeSet<&String> = BTreeSet::new();
        for number in &call.sequence_numbers {
            let Some(item) = self.records.get(number).map(|record| record.item) else { continue };
            let undone = self.undone(|earlier, record| record.item == item && earlier < number);
            if let Some(skipped) = undone.iter().find(|earlier| !before.contains(earlier)) {
                self.wrong.push(format!("{number} comes before {skipped}"));
            }
            before.insert(number);
        }
    }
}
