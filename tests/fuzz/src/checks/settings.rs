//! `Package::parse` and the router of each function of what it takes.

use gristmill_host::event::{Arn, Event};
use gristmill_host::pattern::{Pattern, Patterns};
use gristmill_host::route::{Route, Router, Want};
use gristmill_host::settings::{Function, Limits, Order, Package, Response, Source, Stream, VERSION};

use super::dice::Dice;
use super::json::{Json, is_json};

/// The check.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let package = match Package::parse(text) {
        Ok(package) => package,
        Err(problems) => {
            assert!(!problems.is_empty() && problems.iter().all(|problem| !problem.is_empty()), "{text}");
            return;
        }
    };
    assert!(is_json(text), "not JSON: {text}");
    assert_eq!(package.version, VERSION);
    for written in [serde_json::to_string(&package), serde_json::to_string_pretty(&package)] {
        let written = written.unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(Package::parse(&written).as_ref(), Ok(&package), "{written}: of {text}");
    }
    let tree = Json::read(text);
    if let Some(tree) = &tree {
        let spelling = tree.spell(&mut Dice::of(data));
        assert_eq!(Package::parse(&spelling).as_ref(), Ok(&package), "{spelling}: another spelling of {text}");
    }
    for (name, function) in &package.functions {
        check_defaults(function, tree.as_ref().and_then(|tree| tree.get("functions")?.get(name)), text);
        assert_eq!(package.function(name), Some(function));
        assert!(package.function_names().contains(&format!("{name:?}")));
        check_function(function, text);
    }
}

/// What is not said is what is safe (R11, R6).
fn check_defaults(function: &Function, json: Option<&Json>, text: &str) {
    let list = |name| match json.and_then(|json| json.get(name)) {
        Some(Json::List(list)) => list.as_slice(),
        _ => &[],
    };
    for (stream, json) in function.streams.iter().zip(list("streams")) {
        // Who writes a list in the place of an object says all of it.
        if json.members().is_some() {
            assert!(json.count("response") > 0 || stream.response == Response::Error, "{text}");
            assert!(json.count("order") > 0 || stream.order == Order::Item, "{text}");
            assert!(json.count("concurrency") > 0 || stream.concurrency.is_none(), "{text}");
        }
    }
    for (handler, json) in function.handlers.iter().zip(list("handlers")) {
        if json.members().is_some() {
            assert!(json.count("limits") > 0 || handler.limits == Limits::default(), "{text}");
            assert!(json.count("filters") > 0 || handler.filters.is_empty(), "{text}");
        }
    }
}

fn check_function(function: &Function, text: &str) {
    for handler in &function.handlers {
        let digest = handler.module.strip_suffix(".cwasm").unwrap_or_default();
        let is_digit = |byte: u8| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase();
        assert!(digest.len() == 64 && digest.bytes().all(is_digit), "{:?}", handler.module);
        for ((_, value), (key, least, most)) in handler.limits.values().into_iter().zip(Limits::RANGES) {
            assert!((least..=most).contains(&value), "{key} {value}");
        }
    }
    let router = match Router::new(function) {
        Ok(router) => router,
        Err(errors) => {
            assert!(!errors.is_empty() && errors.iter().all(|error| !error.to_string().is_empty()), "{text}");
            assert!(!can_route(function), "{errors:?} {text}");
            return;
        }
    };
    assert!(can_route(function), "{text}");
    let tables = function.streams.iter().map(|stream| match &stream.source {
        Source::Table(table) => format!("arn:aws:dynamodb:us-west-2:112233445566:table/{table}"),
        Source::StreamArn(arn) => table_of(arn).to_owned(),
    });
    for table in tables.chain(["arn:aws:dynamodb:local:0:table/none".to_owned()]) {
        let event = event_of(&format!("{table}/stream/2019-02-15T23:01:06.871"));
        // A table's name may be one that no ARN can have.
        let Ok(event) = Event::from_slice(event.as_bytes()) else { continue };
        check_route(&router, function, &event, text);
    }
}

/// The ARN without a label.
fn table_of(arn: &str) -> &str {
    arn.split_once("/stream/").map_or(arn, |(table, _)| table)
}

/// Whether the router takes the settings.
fn can_route(function: &Function) -> bool {
    fn unique<'a, T: Eq + 'a>(list: impl Iterator<Item = T> + Clone) -> bool {
        list.clone().enumerate().all(|(i, one)| !list.clone().take(i).any(|other| one == other))
    }
    let names = function.streams.iter().map(|stream| &stream.name);
    let sources = function.streams.iter().map(|stream| match &stream.source {
        Source::Table(table) => (false, table.as_str()),
        Source::StreamArn(arn) => (true, table_of(arn)),
    });
    let arns = function.streams.iter().all(|stream| match &stream.source {
        Source::Table(_) => true,
        Source::StreamArn(arn) => Arn::parse(arn).is_some(),
    });
    let filters = function.handlers.iter().flat_map(|handler| &handler.filters);
    unique(names.clone())
        && unique(sources)
        && arns
        && function.streams.iter().all(|stream| stream.concurrency != Some(0))
        && unique(function.handlers.iter().map(|handler| &handler.name))
        && function.handlers.iter().all(|handler| names.clone().any(|name| *name == handler.stream))
        && filters.clone().all(|filter| Pattern::parse(filter).is_ok())
}

/// R5: the stream of that ARN, or else of that table in any account. One that
/// no handler is for counts for nothing.
fn stream_of<'f>(function: &'f Function, arn: Arn<'_>) -> Option<&'f Stream> {
    let read = |stream: &&Stream| function.handlers.iter().any(|handler| handler.stream == stream.name);
    let streams = || function.streams.iter().filter(read);
    let exact = |stream: &&Stream| matches!(&stream.source, Source::StreamArn(own) if table_of(own) == arn.table_arn());
    let named = |stream: &&Stream| matches!(&stream.source, Source::Table(table) if table == arn.table());
    streams().find(exact).or_else(|| streams().find(named))
}

fn check_route(router: &Router, function: &Function, event: &Event, text: &str) {
    let expected = event.stream().and_then(|arn| stream_of(function, arn));
    match router.route(event) {
        Ok(route) => {
            let stream = expected.unwrap_or_else(|| panic!("routed to {:?}: {text}", route.handlers));
            let handlers = function.handlers.iter().enumerate().filter(|(_, handler)| handler.stream == stream.name);
            assert!(route.handlers.iter().copied().eq(handlers.map(|(index, _)| index)), "{text}");
            assert_eq!((route.order, route.response), (stream.order, stream.response), "{text}");
            assert_eq!(route.concurrency, stream.concurrency, "{text}");
            check_wants(&route, function, event, text);
        }
        Err(error) => assert!(expected.is_none(), "{error}: {text}"),
    }
    for handler in &function.handlers {
        let route = router.route_to(event, &handler.name).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(route.handlers.len(), 1, "{text}");
        check_wants(&route, function, event, text);
    }
}

fn check_wants(route: &Route, function: &Function, event: &Event, text: &str) {
    assert_eq!(route.wants.len(), event.len());
    for (record, wants) in event.records().zip(&route.wants) {
        for (handler, want) in route.handlers.iter().zip(wants) {
            let filters = &function.handlers[*handler].filters;
            // Alone: the router reads those of a stream together.
            let filters = filters.iter().filter_map(|filter| Pattern::parse(filter).ok()).collect();
            match (Patterns::new(vec![filters]).on(record).is_for(0), want) {
                _ if record.malformed().is_some() => assert!(matches!(want, Want::Malformed(_)), "{text}"),
                (Ok(true), Want::Run) | (Ok(false), Want::Filtered) | (Err(_), Want::Malformed(_)) => {}
                (matched, want) => panic!("{want:?} and not {matched:?}: {text}"),
            }
        }
    }
}

/// Four records of a stream: readable ones, one with half of a surrogate pair
/// where a filter may look, one without keys.
fn event_of(arn: &str) -> String {
    let arn = serde_json::Value::from(arn);
    let record = |name: &str, number: u32, change: &str| {
        format!(
            r#"{{"eventID":"e{number}","eventName":"{name}","eventSource":"aws:dynamodb","eventSourceARN":{arn},"dynamodb":{{{change}"SequenceNumber":"{number}","SizeBytes":3}}}}"#
        )
    };
    let image = r#""Keys":{"id":{"S":"x"}},"NewImage":{"id":{"S":"x"},"n":{"N":"1"}},"#;
    let half = r#""Keys":{"id":{"S":"x"}},"NewImage":{"id":{"S":"\ud800"}},"#;
    let records = [
        record("INSERT", 1, image),
        record("REMOVE", 2, r#""Keys":{"id":{"S":"x"}},"#),
        record("MODIFY", 3, half),
        record("MODIFY", 4, ""),
    ];
    format!(r#"{{"Records":[{}]}}"#, records.join(","))
}
