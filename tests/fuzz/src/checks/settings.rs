//! `Package::parse` and the router of each function of what it takes.

use gristmill_host::event::Event;
use gristmill_host::route::{Router, Want};
use gristmill_host::settings::{Function, Limits, Package, Source, VERSION};

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
    if let Some(tree) = Json::read(text) {
        let spelling = tree.spell(&mut Dice::of(data));
        assert_eq!(Package::parse(&spelling).as_ref(), Ok(&package), "{spelling}: another spelling of {text}");
    }
    for (name, function) in &package.functions {
        assert_eq!(package.function(name), Some(function));
        assert!(package.function_names().contains(&format!("{name:?}")));
        check_function(function, text);
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
            return;
        }
    };
    let tables = function.streams.iter().filter_map(|stream| match &stream.source {
        Source::Table(table) => Some(format!("arn:aws:dynamodb:us-west-2:112233445566:table/{table}")),
        Source::StreamArn(arn) => arn.split("/stream/").next().map(str::to_owned),
    });
    for table in tables.chain(["arn:aws:dynamodb:local:0:table/none".to_owned()]) {
        let event = event_of(&format!("{table}/stream/2019-02-15T23:01:06.871"));
        // A table's name may be one that no ARN can have.
        let Ok(event) = Event::from_slice(event.as_bytes()) else { continue };
        check_route(&router, function, &event, text);
    }
}

fn check_route(router: &Router, function: &Function, event: &Event, text: &str) {
    match router.route(event) {
        Ok(route) => {
            assert!(!route.handlers.is_empty(), "{text}");
            assert!(route.handlers.is_sorted_by(|a, b| a < b), "{text}");
            let streams = route.handlers.iter().map(|handler| &function.handlers[*handler].stream);
            assert!(streams.clone().all(|stream| Some(stream) == streams.clone().next()), "{text}");
            assert_eq!(route.wants.len(), event.len());
            for want in route.wants.iter().flatten() {
                assert!(!matches!(want, Want::Malformed(_)), "{want:?} {text}");
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    for handler in &function.handlers {
        assert_eq!(router.route_to(event, &handler.name).map(|route| route.handlers.len()), Ok(1), "{text}");
    }
}

fn event_of(arn: &str) -> String {
    let arn = serde_json::Value::from(arn);
    let record = |name: &str, number: u32| {
        format!(
            r#"{{"eventID":"e{number}","eventName":"{name}","eventSource":"aws:dynamodb","eventSourceARN":{arn},"dynamodb":{{"Keys":{{"id":{{"S":"x"}}}},"NewImage":{{"id":{{"S":"x"}},"n":{{"N":"1"}}}},"SequenceNumber":"{number}","SizeBytes":3}}}}"#
        )
    };
    format!(r#"{{"Records":[{},{}]}}"#, record("INSERT", 1), record("REMOVE", 2))
}
