//! Nothing is left of an invocation's instances once it is over.

use std::sync::{Arc, Mutex};

use gristmill_host::guest::Invocation;
use gristmill_host::guest::compile::{Cache, NATIVE_TARGET};
use gristmill_host::invoke::{CallEnded, Host, Observer, Request};
use gristmill_host::settings::{Function, Handler, InstancePer, Limits, Order, Response, Source, Stream};
use gristmill_tests::events::{event, record};
use gristmill_tests::{cache_home, guests};

struct Silent;

impl Observer for Silent {
    fn called(&self, _: &CallEnded<'_>) {}
}

fn host(instance_per: InstancePer, concurrency: usize) -> Arc<Host> {
    let component = std::fs::read(guests().join("scripted.wasm")).unwrap();
    let cache = Cache::open(cache_home().join("gristmill")).unwrap();
    let code = cache.get(&component, NATIVE_TARGET, |_| {}).unwrap();
    let handler = |name: &str| Handler {
        name: name.to_owned(),
        stream: "s".to_owned(),
        module: String::new(),
        filters: Vec::new(),
        instance_per,
        limits: Limits { timeout_ms: 200, ..Limits::default() },
    };
    let stream = Stream {
        name: "s".to_owned(),
        source: Source::Table("test-table".to_owned()),
        response: Response::Partial,
        order: Order::Item,
        concurrency: Some(concurrency),
    };
    let function = Function { streams: vec![stream], handlers: vec![handler("a"), handler("b")] };
    Arc::new(Host::new(function, None, |_| code.clone()).unwrap_or_else(|errors| panic!("{errors:?}")))
}

/// Records of one item are told in their order, whatever worker made the call.
#[test]
fn r06_what_an_items_records_say_comes_in_their_order() {
    #[derive(Default)]
    struct Told(Mutex<Vec<(String, String)>>);

    impl Observer for Told {
        fn called(&self, call: &CallEnded<'_>) {
            let number = call.record.sequence_number().as_str().to_owned();
            self.0.lock().unwrap().push((call.handler.to_owned(), number));
        }
    }

    let records: Vec<_> = (100..140).map(|number| record(&number.to_string(), "x", &[("do", "ok")])).collect();
    let payload = String::from_utf8(event(&records)).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    let host = host(InstancePer::Record, 3);
    for _ in 0..50 {
        let told = Arc::new(Told::default());
        runtime.block_on(host.invoke(request(&payload), Arc::clone(&told) as Arc<dyn Observer>)).unwrap();
        let told = told.0.lock().unwrap();
        for handler in ["a", "b"] {
            let numbers: Vec<&str> = told.iter().filter(|(of, _)| of == handler).map(|(_, n)| n.as_str()).collect();
            assert!(numbers.len() == 40 && numbers.is_sorted(), "{numbers:?}");
        }
    }
}

fn request(payload: &str) -> Request {
    Request {
        payload: payload.to_owned(),
        invocation: Arc::new(Invocation::default()),
        received_ms: 0,
        deadline_ms: None,
        handler: None,
        response: None,
    }
}

/// Every way in which a call can end, over and over.
#[test]
fn no_instance_memory_table_or_stack_is_left_over() {
    let scripts = [
        "ok",
        "retry x",
        "reject x",
        "panic x",
        "abort",
        "exit 1",
        "loop",
        "sleep-ms 900",
        "memory",
        "handles",
        "leak 9",
    ];
    let records: Vec<_> = (0..44)
        .map(|i| record(&(100 + i).to_string(), &i.to_string(), &[("do", scripts[i % scripts.len()])]))
        .collect();
    let payload = String::from_utf8(event(&records)).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    for instance_per in [InstancePer::Record, InstancePer::Invocation] {
        for concurrency in [1, 3] {
            let host = host(instance_per, concurrency);
            for round in 0..3 {
                let invoked = runtime.block_on(host.invoke(request(&payload), Arc::new(Silent))).unwrap();
                assert_eq!(invoked.report.answer.come_again_from(), Some("101"));
                assert_eq!(host.in_use(), 0, "{instance_per:?}, {concurrency} at once, round {round}");
            }
        }
    }
}
