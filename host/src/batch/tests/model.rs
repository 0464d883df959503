//! The machine under a small model of Lambda: a shard's records are delivered
//! in batches, each time to one of several hosts, and again from the record
//! that the answer names, until all is done or retries are used up
//! (AWS-FACTS, "The response" and "Golden traces").

mod invocation;

use proptest::prelude::*;

use super::*;
use crate::route::Router;
use crate::settings::{Function, Response};

/// Random numbers that a failing case repeats.
struct Dice(u64);

impl Dice {
    /// One of `0..below`.
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.roll(n) == 0
    }
}

#[derive(Clone, Debug)]
struct Case {
    /// Each record's item; none of a malformed record.
    items: Vec<Option<u8>>,
    /// By handler, the items that its filter declines, as bits.
    declines: Vec<u8>,
    /// The number of the first record.
    first: u128,
    order: Order,
    response: Response,
    concurrency: usize,
    hosts: usize,
    batch_size: usize,
    /// For ever if none.
    retries: Option<u32>,
    bisect: bool,
    seed: u64,
}

fn case() -> impl Strategy<Value = Case> {
    let item = prop_oneof![40 => (0..4u8).prop_map(Some), 1 => Just(None)];
    let records = (proptest::collection::vec(item, 1..10), proptest::collection::vec(0..8u8, 1..4));
    let declines = [0, 0, 0, 0, 0b01, 0b10, 0b11, 0b1111];
    let powers = [97, 10u128.pow(21) - 3, 10u128.pow(38) - 2];
    let mapping = (1..11usize, proptest::option::of(0..4u32), any::<bool>(), any::<bool>());
    let host = (any::<bool>(), 1..5usize, 1..4usize, proptest::sample::select(powers.to_vec()), any::<u64>());
    (records, mapping, host).prop_map(move |((items, filters), mapping, (shard, concurrency, hosts, first, seed))| {
        let (batch_size, retries, bisect, partial) = mapping;
        // A malformed record is never repaired, so that retries must end.
        let retries = if items.contains(&None) { retries.or(Some(2)) } else { retries };
        Case {
            declines: filters.iter().map(|i| declines[usize::from(*i)]).collect(),
            order: if shard { Order::Shard } else { Order::Item },
            response: if partial { Response::Partial } else { Response::Error },
            items,
            first,
            concurrency,
            hosts,
            batch_size,
            retries,
            bisect,
            seed,
        }
    })
}

impl Case {
    fn number(&self, record: usize) -> String {
        (self.first + record as u128).to_string()
    }

    /// A record as JSON; every other one spells its key in another way.
    fn json(&self, record: usize) -> String {
        let number = self.number(record);
        let keys = match self.items[record] {
            None => "{}".to_owned(),
            Some(item) if record.is_multiple_of(2) => format!(r#"{{"id":{{"S":"i{item}"}},"at":{{"N":"1"}}}}"#),
            Some(item) => format!(r#"{{"at":{{"N":"1.0"}},"id":{{"S":"\u0069{item}"}}}}"#),
        };
        format!(
            r#"{{"eventID":"e{record}","eventName":"MODIFY","eventSource":"aws:dynamodb","eventSourceARN":"{ARN}","dynamodb":{{"Keys":{keys},"SequenceNumber":"{number}"}}}}"#
        )
    }

    fn wants(&self, record: usize, handler: usize) -> bool {
        self.items[record].is_some_and(|item| self.declines[handler] & (1 << item) == 0)
    }

    fn router(&self) -> Router {
        let handlers = self.declines.iter().enumerate().map(|(i, declines)| {
            let unwanted: Vec<String> =
                (0..4).filter(|item| declines & (1 << item) != 0).map(|i| format!("i{i}")).collect();
            let filter = json!({ "dynamodb": { "Keys": { "id": { "S": [{ "anything-but": unwanted }] } } } });
            let filters = if unwanted.is_empty() { vec![] } else { vec![filter.to_string()] };
            json!({ "name": format!("h{i}"), "stream": "s", "module": "0.cwasm", "filters": filters })
        });
        let stream = json!({
            "name": "s", "source": { "table": "t" }, "order": self.order, "response": self.response,
            "concurrency": self.concurrency,
        });
        let function = json!({ "streams": [stream], "handlers": handlers.collect::<Vec<_>>() });
        let function: Function = serde_json::from_value(function).unwrap();
        Router::new(&function).unwrap_or_else(|errors| panic!("{errors:?}"))
    }
}

/// An execution environment.
#[derive(Default)]
struct Host {
    invocations: usize,
    attempts: Attempts,
}

struct World {
    case: Case,
    router: Router,
    dice: Dice,
    hosts: Vec<Host>,
    invocations: usize,
    /// By record and handler, the tries that are still to fail.
    failures: Vec<Vec<u64>>,
    tries: Vec<Vec<u32>>,
    done: Vec<Vec<u32>>,
    /// By handler and item, the record of the last effect.
    effects: HashMap<(usize, u8), usize>,
    /// What Lambda gave up on.
    destination: Vec<usize>,
}

impl World {
    fn new(case: Case) -> Self {
        let mut dice = Dice(case.seed);
        let (records, handlers) = (case.items.len(), case.declines.len());
        let mut fails = || if dice.one_in(4) { 1 + dice.roll(2) } else { 0 };
        Self {
            failures: (0..records).map(|_| (0..handlers).map(|_| fails()).collect()).collect(),
            tries: vec![vec![0; handlers]; records],
            done: vec![vec![0; handlers]; records],
            hosts: (0..case.hosts).map(|_| Host::default()).collect(),
            router: case.router(),
            effects: HashMap::new(),
            destination: Vec::new(),
            invocations: 0,
            dice,
            case,
        }
    }

    /// Lambda, from one batch to its end: success or the destination.
    fn deliver(&mut self, batch: &[usize]) {
        let mut batch = batch;
        let mut retries = self.case.retries;
        loop {
            let failed_at = match self.invoke(batch) {
                Ok(None) => return,
                // The checkpoint is before the record that is named.
                Ok(Some(identifier)) => {
                    let named = batch.iter().position(|record| self.case.number(*record) == identifier);
                    named.expect("a record of the batch is named")
                }
                Err(()) => 0,
            };
            if failed_at > 0 {
                // The remainder is a new batch with a fresh allowance.
                batch = &batch[failed_at..];
                retries = self.case.retries;
            } else if self.case.bisect && batch.len() > 1 {
                let (left, right) = batch.split_at(batch.len() / 2);
                self.deliver(left);
                self.deliver(right);
                return;
            } else if retries == Some(0) {
                self.destination.extend(batch);
                return;
            } else {
                retries = retries.map(|left| left - 1);
            }
        }
    }

    fn check_the_end(&self) {
        let Case { items, declines, .. } = &self.case;
        for (record, item) in items.iter().enumerate() {
            let given_up = self.destination.contains(&record);
            assert!(item.is_some() || given_up, "malformed record {record} was taken for a success");
            for handler in 0..declines.len() {
                let wanted = self.case.wants(record, handler);
                let done = self.done[record][handler];
                assert!(done > 0 || !wanted || given_up, "record {record} was never done by handler {handler}");
                assert!(done == 0 || wanted);
            }
        }
        if self.case.retries.is_none() {
            assert!(self.destination.is_empty());
        }
        if !self.destination.is_empty() {
            return;
        }
        for handler in 0..declines.len() {
            for item in 0..4 {
                let last = (0..items.len()).rfind(|r| items[*r] == Some(item) && self.case.wants(*r, handler));
                let effect = self.effects.get(&(handler, item)).copied();
                assert_eq!(effect, last, "the last effect of handler {handler} on item {item}");
            }
        }
    }
}

/// 10,000 unless the environment says otherwise, as proptest has it.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").map_or(10_000, |cases| cases.parse().expect("PROPTEST_CASES is a number"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn r06_to_r10_under_a_model_of_lambda_everything_is_done_in_order(case in case()) {
        let records: Vec<usize> = (0..case.items.len()).collect();
        let batch_size = case.batch_size;
        let mut world = World::new(case);
        for batch in records.chunks(batch_size) {
            world.deliver(batch);
        }
        world.check_the_end();
    }
}
