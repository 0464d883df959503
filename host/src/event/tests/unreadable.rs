//! R4: records that can be named but not read, images, depth.

use super::*;

fn reason(text: impl AsRef<str>) -> Option<String> {
    let event = read(text);
    let record = event.record(0);
    assert_eq!(record.sequence_number().as_str(), "100", "it can be named");
    if record.malformed().is_some() {
        assert_eq!(record.item(), None);
        assert_eq!(record.name(), None);
        assert_eq!((record.size_bytes(), record.created_at_ms(), record.identity()), (None, None, None));
        assert_eq!(record.region(), "us-west-2");
    }
    record.malformed().map(str::to_owned)
}

#[test]
fn r04_what_cannot_be_read_is_malformed_with_the_reason() {
    for (field, text, expected) in [
        ("eventID", "null", "eventID: missing"),
        ("eventID", "1", "eventID: expected a string, found a number"),
        ("eventID", r#""\udc00""#, "eventID: lone leading surrogate in hex escape at line 1 column 7"),
        ("eventName", "null", "eventName: missing"),
        ("eventName", "true", "eventName: expected a string, found a boolean"),
        ("eventName", r#""insert""#, r#"eventName: "insert" is not INSERT, MODIFY or REMOVE"#),
        ("eventName", r#""UPSERT""#, r#"eventName: "UPSERT" is not INSERT, MODIFY or REMOVE"#),
        ("dynamodb.Keys", "null", "dynamodb.Keys: missing"),
        ("dynamodb.Keys", "{}", "dynamodb.Keys: no key attributes"),
        ("dynamodb.Keys", "[]", "dynamodb.Keys: expected an object of key attributes, found an array"),
        ("dynamodb.Keys", r#"{"id":{"BOOL":true}}"#, "dynamodb.Keys.id.BOOL: the type of a key attribute is S, N or B"),
        ("dynamodb.Keys", r#"{"id":{"N":"ten"}}"#, "dynamodb.Keys.id: not a number"),
        ("dynamodb.NewImage", "[]", "dynamodb.NewImage: expected an object, found an array"),
        ("dynamodb.OldImage", r#""x""#, "dynamodb.OldImage: expected an object, found a string"),
    ] {
        assert_eq!(reason(with_text(field, text)).as_deref(), Some(expected), "{field} = {text}");
    }
}

#[test]
fn r04_what_only_describes_a_record_is_none_when_it_cannot_be_read() {
    for (field, text) in [
        ("dynamodb.SizeBytes", r#""12""#),
        ("dynamodb.SizeBytes", "-1"),
        ("dynamodb.SizeBytes", "1.5"),
        ("dynamodb.ApproximateCreationDateTime", r#""today""#),
        ("dynamodb.ApproximateCreationDateTime", "-1"),
        ("dynamodb.ApproximateCreationDateTime", "1e99999999999999999999"),
        ("userIdentity", r#"["Service","dynamodb.amazonaws.com"]"#),
        ("userIdentity", r#"{"type":7}"#),
        ("awsRegion", "7"),
    ] {
        let event = read(with_text(field, text));
        let record = event.record(0);
        assert_eq!(record.malformed(), None, "{field} = {text}");
        match field {
            "dynamodb.SizeBytes" => assert_eq!(record.size_bytes(), None, "{text}"),
            "dynamodb.ApproximateCreationDateTime" => assert_eq!(record.created_at_ms(), None, "{text}"),
            "userIdentity" => assert_eq!(record.identity(), None, "{text}"),
            _ => assert_eq!(record.region(), "us-west-2", "that of the stream"),
        }
        assert!(record.json().contains(text));
    }
}

#[test]
fn r04_a_malformed_record_still_has_its_text() {
    let event = read(with_text("eventName", r#""UPSERT""#));
    let record = event.record(0);
    assert_eq!(record.event_id(), Some("e1"));
    assert_eq!(record.keys(), Some(r#"{"id":{"S":"1"}}"#));
    assert_eq!(record.json().parse::<Value>().unwrap()["eventName"], "UPSERT");
    assert_eq!(record.stream_arn(), ARN);
    assert_eq!(record.table(), "test-table");
    let event = read(with("eventID", Value::Null));
    assert_eq!(event.record(0).event_id(), None);
}

#[test]
fn an_absent_image_is_not_an_empty_one() {
    for field in ["NewImage", "OldImage"] {
        let image = |text: Option<&str>| {
            let path = format!("dynamodb.{field}");
            let event = read(text.map_or_else(|| with(&path, Value::Null), |text| with_text(&path, text)));
            let record = event.record(0);
            assert_eq!(record.malformed(), None);
            let (new, old) = (record.new_image(), record.old_image());
            let (own, other) = if field == "NewImage" { (new, old) } else { (old, new) };
            assert_eq!(other, None);
            own.map(str::to_owned)
        };
        assert_eq!(image(None), None);
        assert_eq!(image(Some("null")), None);
        assert_eq!(image(Some("{}")).as_deref(), Some("{}"));
        assert_eq!(image(Some("{ }")).as_deref(), Some("{ }"));
        assert_eq!(image(Some(r#"{"a":{"S":"x"}}"#)).as_deref(), Some(r#"{"a":{"S":"x"}}"#));
    }
}

#[test]
fn times_are_kept_to_the_millisecond() {
    for (text, ms) in [
        ("1550272599", Some(1_550_272_599_000)),
        ("1550272599.0", Some(1_550_272_599_000)),
        ("1550272599.871", Some(1_550_272_599_871)),
        ("1550272599.8719", Some(1_550_272_599_871)),
        ("1.550272599871e9", Some(1_550_272_599_871)),
        ("1.480641523477E9", Some(1_480_641_523_477)),
        ("0", Some(0)),
        ("null", None),
    ] {
        let event = read(with_text("dynamodb.ApproximateCreationDateTime", text));
        assert_eq!(event.record(0).malformed(), None, "{text}");
        assert_eq!(event.record(0).created_at_ms(), ms, "{text}");
    }
}

#[test]
fn the_service_that_made_a_change_is_told() {
    let identity = r#"{"principalId":"dynamodb.amazonaws.com","type":"Service","novel":[[]]}"#;
    let event = read(with_text("userIdentity", identity));
    let expected = Identity { kind: "Service".to_owned(), principal_id: "dynamodb.amazonaws.com".to_owned() };
    assert_eq!(event.record(0).identity().as_ref(), Some(&expected));
    assert_eq!(read(with_text("userIdentity", "null")).record(0).identity(), None);
    let event = read(with_text("userIdentity", r#"{"type":"Service"}"#));
    let expected = Identity { kind: "Service".to_owned(), principal_id: String::new() };
    assert_eq!(event.record(0).identity().as_ref(), Some(&expected), "both fields are optional");
}

/// Lists in lists, and objects in objects.
fn nested(levels: usize) -> (String, String) {
    let lists = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    (lists, format!("{}1{}", r#"{"M":"#.repeat(levels / 3), "}".repeat(levels / 3)))
}

/// Depth in every field, still far more than the stack has room for.
fn everywhere() {
    let (lists, objects) = nested(100_000);
    for field in ["dynamodb.NewImage", "dynamodb.OldImage", "dynamodb.Novel", "novel"] {
        assert_eq!(read(with_text(field, &objects)).record(0).malformed(), None, "{field}");
    }
    for field in ["dynamodb.Keys", "eventID", "eventName"] {
        assert!(read(with_text(field, &lists)).record(0).malformed().is_some(), "{field}");
    }
    for field in ["userIdentity", "awsRegion", "dynamodb.SizeBytes"] {
        assert_eq!(read(with_text(field, &lists)).record(0).malformed(), None, "{field}");
    }
    for keys in [format!("{{\"id\":{{\"S\":{objects}}}}}"), format!("{{\"id\":{lists}}}")] {
        assert!(read(with_text("dynamodb.Keys", &keys)).record(0).malformed().is_some());
    }
    for field in ["dynamodb.SequenceNumber", "eventSource", "eventSourceARN", "dynamodb"] {
        assert!(error(with_text(field, &lists)).contains(field), "{field}");
    }
    assert_eq!(read(format!("{{\"Records\":[],\"novel\":{lists}}}")).len(), 0);
    let window = read(format!("{{\"Records\":[],\"window\":{objects},\"state\":{lists}}}"));
    assert_eq!(window.window_state(), Some(&*lists));
}

#[test]
fn r01_six_megabytes_of_nesting_harm_nothing() {
    // The smallest stack that a thread could have here; a reader that recurses
    // needs some hundred bytes for each of three million levels.
    let small_stack = std::thread::Builder::new().stack_size(256 * 1024);
    let run = || {
        const LEVELS: usize = 3_000_000;
        let (lists, objects) = nested(LEVELS);
        for field in ["dynamodb.NewImage", "novel"] {
            let event = read(with_text(field, &objects));
            assert_eq!(event.record(0).malformed(), None);
            assert!(event.record(0).json().contains(&objects));
        }
        let event = read(with_text("dynamodb.OldImage", &format!("{{\"a\":{{\"L\":{lists}}}}}")));
        assert_eq!(event.record(0).malformed(), None);
        for text in [&lists, &objects, &format!("{{\"Records\":{lists}}}")] {
            assert!(error(text).starts_with("not a DynamoDB stream event: "));
        }
        let open = format!("{{\"Records\":[{{\"dynamodb\":{{\"NewImage\":{}", "[".repeat(LEVELS));
        assert_eq!(
            error(open),
            "not a DynamoDB stream event: Records[0].dynamodb.NewImage: an array that does not end, from byte 36"
        );
        everywhere();
    };
    small_stack.spawn(run).unwrap().join().unwrap();
}
