//! R5: which handlers an event is for.

use serde_json::{Value, json};

use super::*;

fn function(streams: Value, handlers: Value) -> Function {
    serde_json::from_value(json!({ "streams": streams, "handlers": handlers })).unwrap()
}

fn handler(name: &str, stream: &str) -> Value {
    json!({ "name": name, "stream": stream, "module": "0.cwasm" })
}

fn router(streams: Value, handlers: Value) -> Router {
    Router::new(&function(streams, handlers)).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn errors(streams: Value, handlers: Value) -> Vec<String> {
    let Err(errors) = Router::new(&function(streams, handlers)) else { panic!("taken") };
    errors.iter().map(ToString::to_string).collect()
}

fn record(id: &str, arn: &str) -> Value {
    json!({
        "eventID": id,
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "eventSourceARN": arn,
        "dynamodb": { "Keys": { "id": { "S": id } }, "SequenceNumber": "1" },
    })
}

fn event(arn: &str) -> Event {
    Event::parse(json!({ "Records": [record("a", arn)] }).to_string()).unwrap()
}

const T: &str = "arn:aws:dynamodb:us-west-2:112233445566:table/t/stream/2019-02-15T23:01:06.871";

#[test]
fn r05_a_table_matches_in_any_account_partition_and_region() {
    let router = router(json!([{ "name": "s", "source": { "table": "t" } }]), json!([handler("h", "s")]));
    for arn in [
        T,
        "arn:aws:dynamodb:eu-central-1:999999999999:table/t/stream/2026-01-01T00:00:00.000",
        "arn:aws-cn:dynamodb:cn-north-1:112233445566:table/t/stream/x",
        "arn:aws:dynamodb:ddblocal:000000000000:table/t/stream/x",
    ] {
        assert_eq!(router.route(&event(arn)).unwrap().handlers, [0], "{arn}");
    }
    for table in ["T", "t2", "tt", "t.", "prefix_t"] {
        assert!(router.route(&event(&T.replace("table/t/", &format!("table/{table}/")))).is_err(), "{table}");
    }
}

#[test]
fn r05_a_stream_arn_matches_by_its_table_and_the_label_never_decides() {
    for own in [T, "arn:aws:dynamodb:us-west-2:112233445566:table/t", &T.replace("2019", "2026")] {
        let router = router(json!([{ "name": "s", "source": { "stream-arn": own } }]), json!([handler("h", "s")]));
        for label in ["2019-02-15T23:01:06.871", "2025-12-31T00:00:00.000", "x"] {
            let arn = format!("arn:aws:dynamodb:us-west-2:112233445566:table/t/stream/{label}");
            assert_eq!(router.route(&event(&arn)).unwrap().handlers, [0], "{own} {arn}");
        }
        for (from, to) in [("us-west-2", "us-west-1"), ("112233445566", "112233445567"), ("table/t/", "table/u/")] {
            assert!(router.route(&event(&T.replace(from, to))).is_err(), "{own} {to}");
        }
        assert!(router.route(&event(&T.replace("arn:aws:", "arn:aws-cn:"))).is_err());
    }
}

#[test]
fn r05_an_arn_is_meant_more_exactly_than_a_table() {
    let streams = json!([
        { "name": "any", "source": { "table": "t" }, "order": "shard", "concurrency": 7 },
        { "name": "one", "source": { "stream-arn": T }, "response": "partial" },
    ]);
    let router = router(streams, json!([handler("by-table", "any"), handler("by-arn", "one")]));
    let route = router.route(&event(T)).unwrap();
    assert_eq!(route.handlers, [1]);
    assert_eq!((route.order, route.response, route.concurrency), (Order::Item, Response::Partial, None));
    let route = router.route(&event(&T.replace("us-west-2", "eu-west-1"))).unwrap();
    assert_eq!(route.handlers, [0]);
    assert_eq!((route.order, route.response, route.concurrency), (Order::Shard, Response::Error, Some(7)));
}

#[test]
fn r05_an_arn_without_handlers_leaves_the_stream_to_the_table() {
    let streams =
        json!([{ "name": "any", "source": { "table": "t" } }, { "name": "one", "source": { "stream-arn": T } }]);
    assert_eq!(router(streams, json!([handler("h", "any")])).route(&event(T)).unwrap().handlers, [0]);
}

#[test]
fn r05_an_unrouted_stream_is_named_with_the_nearest() {
    let streams = json!([
        { "name": "a", "source": { "table": "demo-dev_orders" } },
        { "name": "b", "source": { "stream-arn": "arn:aws:dynamodb:us-west-2:112233445566:table/clerks" } },
        { "name": "idle", "source": { "table": "demo-dev_users" } },
    ]);
    let router = router(streams, json!([handler("x", "a"), handler("y", "b")]));
    let unrouted = |table: &str| router.route(&event(&T.replace("table/t/", &format!("table/{table}/")))).unwrap_err();
    assert_eq!(
        unrouted("demo-dev_order").to_string(),
        "no handler is for the stream arn:aws:dynamodb:us-west-2:112233445566:table/demo-dev_order/stream/2019-02-15T23:01:06.871; the nearest configured is \"demo-dev_orders\""
    );
    assert_eq!(
        unrouted("clerk").to_string(),
        "no handler is for the stream arn:aws:dynamodb:us-west-2:112233445566:table/clerk/stream/2019-02-15T23:01:06.871; the nearest configured is \"arn:aws:dynamodb:us-west-2:112233445566:table/clerks\""
    );
    // A stream that no handler is for is as good as none.
    assert!(unrouted("demo-dev_users").to_string().ends_with("\"demo-dev_orders\""));
}

#[test]
fn r05_without_any_handler_every_event_is_unrouted() {
    for streams in [json!([]), json!([{ "name": "s", "source": { "table": "t" } }])] {
        let error = router(streams, json!([])).route(&event(T)).unwrap_err();
        assert_eq!(error, RouteError::Unrouted { arn: T.to_owned(), nearest: None });
        assert_eq!(error.to_string(), format!("no handler is for the stream {T}; none is configured"));
    }
}

#[test]
fn r05_no_records_are_for_nobody_and_no_failure() {
    let router = router(json!([]), json!([]));
    let route = router.route(&Event::parse(r#"{"Records":[]}"#).unwrap()).unwrap();
    assert!(route.handlers.is_empty() && route.wants.is_empty());
    assert_eq!((route.order, route.response, route.concurrency), (Order::Item, Response::Error, None));
}

#[test]
fn r05_all_handlers_of_a_stream_get_its_events_in_their_order() {
    let streams = json!([{ "name": "s", "source": { "table": "t" } }, { "name": "u", "source": { "table": "u" } }]);
    let handlers = json!([handler("a", "s"), handler("b", "u"), handler("c", "s"), handler("d", "s")]);
    let router = router(streams, handlers);
    assert_eq!(router.route(&event(T)).unwrap().handlers, [0, 2, 3]);
    assert_eq!(router.route(&event(&T.replace("table/t/", "table/u/"))).unwrap().handlers, [1]);
}

/// A filter on the item's id, and one that reads the new image.
fn filtered() -> Router {
    let handlers = json!([
        handler("all", "s"),
        { "name": "only-b", "stream": "s", "module": "0.cwasm",
          "filters": [r#"{"dynamodb":{"Keys":{"id":{"S":["b"]}}}}"#, r#"{"eventName":["REMOVE"]}"#] },
        { "name": "image", "stream": "s", "module": "0.cwasm",
          "filters": [r#"{"dynamodb":{"NewImage":{"x":{"S":["1"]}}}}"#] },
    ]);
    router(json!([{ "name": "s", "source": { "table": "t" } }]), handlers)
}

#[test]
fn r05_filtered_malformed_and_wanted_are_three_things() {
    let mut removed = record("c", T);
    removed["eventName"] = json!("REMOVE");
    let mut unnamed = record("d", T);
    unnamed["eventName"] = json!("UPSERT");
    let mut unreadable = record("e", T);
    unreadable["dynamodb"]["NewImage"] = json!({ "x": { "S": "@@@" } });
    let records = json!({ "Records": [record("a", T), record("b", T), removed, unnamed, unreadable] });
    let event = Event::parse(records.to_string().replace("@@@", "\\ud800")).unwrap();
    let route = filtered().route(&event).unwrap();
    let bad_name = Want::Malformed("eventName: \"UPSERT\" is not INSERT, MODIFY or REMOVE".to_owned());
    let bad_text =
        Want::Malformed("a filter cannot be evaluated: unexpected end of hex escape at line 1 column 8".to_owned());
    assert_eq!(
        route.wants,
        [
            vec![Want::Run, Want::Filtered, Want::Filtered],
            vec![Want::Run, Want::Run, Want::Filtered],
            vec![Want::Run, Want::Run, Want::Filtered],
            vec![bad_name.clone(), bad_name.clone(), bad_name],
            vec![Want::Run, Want::Filtered, bad_text],
        ]
    );
}

#[test]
fn wants_are_in_the_order_of_the_sequence_numbers() {
    let mut first = record("b", T);
    first["dynamodb"]["SequenceNumber"] = json!("9");
    let mut second = record("a", T);
    second["dynamodb"]["SequenceNumber"] = json!("10");
    let event = Event::parse(json!({ "Records": [second, first] }).to_string()).unwrap();
    let route = filtered().route(&event).unwrap();
    assert_eq!(route.wants[0][1], Want::Run);
    assert_eq!(route.wants[1][1], Want::Filtered);
}

#[test]
fn a_handler_can_be_given_events_of_any_table() {
    let other = T.replace("table/t/", "table/other/");
    let router = filtered();
    let route = router.route_to(&event(&other), "only-b").unwrap();
    assert_eq!(route.handlers, [1]);
    assert_eq!(route.wants, [vec![Want::Filtered]], "its filter still decides");
    assert_eq!(router.route_to(&event(&other), "all").unwrap().wants, [vec![Want::Run]]);
    let empty = Event::parse(r#"{"Records":[]}"#).unwrap();
    assert_eq!(router.route_to(&empty, "all").unwrap().handlers, [0]);
    assert_eq!(
        router.route_to(&event(T), "only-c").unwrap_err().to_string(),
        "there is no handler \"only-c\"; the nearest configured is \"only-b\""
    );
    let none = Router::new(&Function::default()).unwrap_or_else(|errors| panic!("{errors:?}"));
    assert_eq!(none.route_to(&event(T), "x").unwrap_err().to_string(), "there is no handler \"x\"; none is configured");
}

#[test]
fn r05_every_fault_of_the_settings_is_told_at_once() {
    let streams = json!([
        { "name": "s", "source": { "table": "t" } },
        { "name": "s", "source": { "table": "u" }, "concurrency": 0 },
        { "name": "again", "source": { "table": "t" } },
        { "name": "bad", "source": { "stream-arn": "arn:aws:sqs:us-east-2:1:queue" } },
        { "name": "one", "source": { "stream-arn": T } },
        { "name": "two", "source": { "stream-arn": "arn:aws:dynamodb:us-west-2:112233445566:table/t" } },
    ]);
    let handlers = json!([
        handler("h", "s"),
        handler("h", "s"),
        handler("lost", "nowhere"),
        { "name": "f", "stream": "s", "module": "0.cwasm", "filters": [r#"{"eventName":["X"]}"#, "{", r#"{"a":[]}"#] },
    ]);
    assert_eq!(
        errors(streams, handlers),
        [
            "stream \"s\" is there twice",
            "stream \"s\": a concurrency of 0 runs nothing",
            "streams \"s\" and \"again\" are of one table",
            "stream \"bad\": \"arn:aws:sqs:us-east-2:1:queue\" is not the ARN of a DynamoDB table or stream",
            "streams \"one\" and \"two\" are of one table",
            "handler \"h\" is there twice",
            "handler \"lost\" is for stream \"nowhere\", which is not there",
            "handler \"f\": filter 2: Invalid filter pattern definition. $: not JSON: EOF while parsing an object at line 1 column 1",
            "handler \"f\": filter 3: Invalid filter pattern definition. $.a: an empty list",
        ]
    );
}

#[test]
fn r11_a_stream_without_a_response_fails_the_function() {
    let streams = json!([{ "name": "s", "source": { "table": "t" } }]);
    assert_eq!(router(streams, json!([handler("h", "s")])).route(&event(T)).unwrap().response, Response::Error);
}
