//! What the whole path costs: 100 records of 1 KB from payload to answer, an
//! instance for each record, against the same handler as a native function.
//!
//! `cargo bench --bench path`. Both are measured in turn in one run, on one
//! thread, and what counts is the ratio: the machines are shared and noisy.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gristmill_host::guest::Invocation;
use gristmill_host::guest::compile::{Cache, NATIVE_TARGET};
use gristmill_host::invoke::{CallEnded, Host, Observer, Request};
use gristmill_host::settings::{Function, Handler, Limits, Order, Response, Source, Stream};
use gristmill_sdk::StreamRecord;
use serde_json::{Value, json};

#[path = "../guests/typed/src/handler.rs"]
#[allow(unreachable_pub, reason = "a guest has it as its own module")]
mod handler;

const RECORDS: usize = 100;
const ROUNDS: usize = 300;

struct Silent;

impl Observer for Silent {
    fn called(&self, _: &CallEnded<'_>) {}
}

fn main() {
    let records: Vec<Value> = (0..RECORDS).map(record).collect();
    let payload: Arc<str> = json!({ "Records": records }).to_string().into();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let host = host();

    let through_host = || {
        let request = Request {
            payload: Arc::clone(&payload),
            invocation: Arc::new(Invocation::default()),
            received_ms: 0,
            deadline_ms: None,
            handler: None,
            response: None,
        };
        let invoked = runtime.block_on(host.invoke(request, &Silent)).unwrap();
        assert_eq!(invoked.response.unwrap(), r#"{"batchItemFailures":[]}"#);
    };
    let natively = || {
        let records: Vec<&serde_json::value::RawValue> = raw_records(&payload);
        for raw in records {
            let record = StreamRecord::from_json(raw.get()).unwrap();
            handler::read(black_box(&record)).unwrap();
        }
    };

    let (mut host_times, mut native_times) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        host_times.push(time(through_host));
        native_times.push(time(natively));
    }
    let (host, native) = (figures(&mut host_times), figures(&mut native_times));
    println!(
        "{RECORDS} records of {} bytes, {ROUNDS} rounds in turn, one thread; microseconds a record",
        payload.len() / RECORDS
    );
    println!("{:<40} {:>8} {:>8}", "", "minimum", "median");
    println!("{:<40} {:>8.2} {:>8.2}", "the whole path, fresh instances", host.0, host.1);
    println!("{:<40} {:>8.2} {:>8.2}", "the same handler, native", native.0, native.1);
    println!("{:<40} {:>8.2} {:>8.2}", "ratio", host.0 / native.0, host.1 / native.1);
}

fn time(run: impl Fn()) -> Duration {
    let started = Instant::now();
    run();
    started.elapsed()
}

/// Minimum and median in microseconds a record.
fn figures(times: &mut [Duration]) -> (f64, f64) {
    times.sort_unstable();
    let us = |time: Duration| time.as_secs_f64() * 1e6 / RECORDS as f64;
    (us(times[0]), us(times[times.len() / 2]))
}

fn raw_records(payload: &str) -> Vec<&serde_json::value::RawValue> {
    #[derive(serde::Deserialize)]
    struct Event<'a> {
        #[serde(rename = "Records", borrow)]
        records: Vec<&'a serde_json::value::RawValue>,
    }
    serde_json::from_str::<Event<'_>>(payload).unwrap().records
}

fn record(index: usize) -> Value {
    let image = |status: &str| {
        json!({
            "id": { "S": format!("order-{index}") },
            "status": { "S": status },
            "customer": { "S": "Zoë Müller" },
            "total": { "N": "1249.95" },
            "paid": { "BOOL": true },
            "coupon": { "NULL": true },
            "labels": { "SS": ["fragile", "gift"] },
            "lines": { "L": [
                { "M": { "sku": { "S": "A-1" }, "pieces": { "N": "2" } } },
                { "M": { "sku": { "S": "B-7" }, "pieces": { "N": "1" } } },
            ] },
            "address": { "M": { "city": { "S": "Zürich" }, "zip": { "S": "8001" } } },
        })
    };
    json!({
        "eventID": format!("{index:032x}"),
        "eventName": "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-west-2",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_550_272_599,
            "Keys": { "id": { "S": format!("order-{index}") } },
            "NewImage": image("paid"),
            "OldImage": image("new"),
            "SequenceNumber": format!("2618000000000590864{index:05}"),
            "SizeBytes": 450,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": "arn:aws:dynamodb:us-west-2:112233445566:table/orders/stream/2019-02-15T23:01:06.871",
    })
}

fn host() -> Host {
    let component = std::fs::read(gristmill_tests::guests().join("typed.wasm")).unwrap();
    let cache = Cache::open(gristmill_tests::cache_home().join("gristmill")).unwrap();
    let code = cache.get(&component, NATIVE_TARGET, || {}).unwrap();
    let function = Function {
        streams: vec![Stream {
            name: "orders".to_owned(),
            source: Source::Table("orders".to_owned()),
            response: Response::Partial,
            order: Order::Item,
            concurrency: Some(1),
        }],
        handlers: vec![Handler {
            name: "typed".to_owned(),
            stream: "orders".to_owned(),
            module: "typed".to_owned(),
            filters: Vec::new(),
            limits: Limits::default(),
        }],
    };
    Host::new(function, None, |_| code.clone()).unwrap_or_else(|errors| panic!("{errors:?}"))
}
