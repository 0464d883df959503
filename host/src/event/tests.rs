//! R1 to R4 on whole payloads.

mod order;
mod property;
mod samples;
mod unreadable;

use serde_json::{Value, json};

use super::*;

/// The event that every door of the product is tested with.
const SEED: &str = r#"{"Records":[{"eventID":"1a87201789a6e14315b8038ebbd3b99d","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-west-2","dynamodb":{"ApproximateCreationDateTime":1550272599,"Keys":{"id":{"S":"1"}},"NewImage":{"name":{"S":"Tung Nguyen"},"id":{"S":"1"}},"OldImage":{"name":{"S":"Tung"},"id":{"S":"1"}},"SequenceNumber":"261800000000059086429283","SizeBytes":32,"StreamViewType":"NEW_AND_OLD_IMAGES"},"eventSourceARN":"arn:aws:dynamodb:us-west-2:112233445566:table/test-table/stream/2019-02-15T23:01:06.871"}]}"#;

const ARN: &str = "arn:aws:dynamodb:us-west-2:112233445566:table/test-table/stream/2019-02-15T23:01:06.871";

/// One record, as small as a readable one can be.
fn small() -> Value {
    json!({
        "eventID": "e1",
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "eventSourceARN": ARN,
        "dynamodb": { "Keys": { "id": { "S": "1" } }, "SequenceNumber": "100" },
    })
}

/// An event of one small record after a change to it. `dynamodb.X` is a field
/// of the inner object; `null` for a value takes the field away.
fn with(field: &str, value: Value) -> String {
    let mut record = small();
    let (object, name) = match field.strip_prefix("dynamodb.") {
        Some(name) => (record["dynamodb"].as_object_mut().unwrap(), name),
        None => (record.as_object_mut().unwrap(), field),
    };
    if value.is_null() {
        object.remove(name);
    } else {
        object.insert(name.to_owned(), value);
    }
    json!({ "Records": [record] }).to_string()
}

/// The same with the value as JSON text.
fn with_text(field: &str, text: &str) -> String {
    with(field, json!("@@@")).replace("\"@@@\"", text)
}

fn read(text: impl AsRef<str>) -> Event {
    Event::parse(text.as_ref()).unwrap_or_else(|error| panic!("{error}: {}", text.as_ref()))
}

fn error(text: impl AsRef<[u8]>) -> String {
    match Event::from_slice(text.as_ref()) {
        Ok(_) => panic!("taken: {}", String::from_utf8_lossy(text.as_ref())),
        Err(error) => error.to_string(),
    }
}

#[test]
fn the_seed_event_has_its_fields_as_they_came() {
    let event = read(SEED);
    assert_eq!(event.len(), 1);
    assert!(!event.is_empty());
    assert_eq!(event.payload_bytes(), SEED.len());
    assert_eq!(event.stream().unwrap().as_str(), ARN);
    assert_eq!(event.window_state(), None);
    let record = event.record(0);
    assert_eq!(record.index(), 0);
    assert_eq!(record.malformed(), None);
    assert_eq!(record.sequence_number().as_str(), "261800000000059086429283");
    assert_eq!(record.event_id(), Some("1a87201789a6e14315b8038ebbd3b99d"));
    assert_eq!(record.name(), Some(EventName::Modify));
    assert_eq!(record.name().unwrap().as_str(), "MODIFY");
    assert_eq!(record.keys(), Some(r#"{"id":{"S":"1"}}"#));
    assert_eq!(record.new_image(), Some(r#"{"name":{"S":"Tung Nguyen"},"id":{"S":"1"}}"#));
    assert_eq!(record.old_image(), Some(r#"{"name":{"S":"Tung"},"id":{"S":"1"}}"#));
    assert_eq!(record.size_bytes(), Some(32));
    assert_eq!(record.created_at_ms(), Some(1_550_272_599_000));
    assert_eq!(record.identity(), None);
    assert_eq!(record.region(), "us-west-2");
    assert_eq!(record.table(), "test-table");
    assert_eq!(record.stream_arn(), ARN);
    assert_eq!(record.item(), Some(&ItemKey::parse(r#"{"id":{"S":"1"}}"#).unwrap()));
    assert_eq!(record.json(), &SEED[r#"{"Records":["#.len()..SEED.len() - "]}".len()]);
}

#[test]
fn r01_an_event_without_records_is_valid() {
    let event = read(r#"{"Records":[]}"#);
    assert!(event.is_empty());
    assert!(event.stream().is_none());
    assert_eq!(event.records().len(), 0);
}

#[test]
fn r01_what_has_no_records_fails_and_says_where() {
    let start = "not a DynamoDB stream event: ";
    for (payload, expected) in [
        ("{}", "Records: missing"),
        (r#"{"records":[]}"#, "Records: missing"),
        (r#"{"Records":null}"#, "Records: missing"),
        ("[]", "the payload: expected a DynamoDB stream event (an object with `Records`), found an array"),
        ("[[]]", "the payload: expected a DynamoDB stream event (an object with `Records`), found an array"),
        ("null", "the payload: expected a DynamoDB stream event (an object with `Records`), found null"),
        ("\"Records\"", "the payload: expected a DynamoDB stream event (an object with `Records`), found a string"),
        ("", "the payload: expected a DynamoDB stream event (an object with `Records`), found the end of the text"),
        (r#"{"Records":{}}"#, "Records: expected an array of records, found an object"),
        (r#"{"Records":"x"}"#, "Records: expected an array of records, found a string"),
        (r#"{"Records":[[]]}"#, "Records[0]: expected a stream record (an object), found an array"),
        (r#"{"Records":[null]}"#, "Records[0]: expected a stream record (an object), found null"),
        (r#"{"Records":[{}]}"#, "Records[0].eventSource: missing"),
        (r#"{"Records":[]} x"#, "the payload: expected the end at byte 15"),
        (r#"{"Records":[],"Records":[]}"#, "Records: the field is there twice"),
        (r#"{"Records":null,"Records":[]}"#, "Records: the field is there twice"),
    ] {
        assert_eq!(error(payload), format!("{start}{expected}"), "{payload}");
    }
}

#[test]
fn r01_events_of_other_services_fail() {
    let sqs = r#"{"Records":[{"messageId":"059f36b4","receiptHandle":"AQEB","body":"hi","attributes":{},"messageAttributes":{},"md5OfBody":"e4e6","eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:us-east-2:123456789012:my-queue","awsRegion":"us-east-2"}]}"#;
    assert_eq!(error(sqs), r#"not a DynamoDB stream event: Records[0].eventSource: "aws:sqs" is not "aws:dynamodb""#);
    let kinesis = r#"{"Records":[{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":"1","sequenceNumber":"49590338271490256608559692538361571095921575989136588898","data":"SGVsbG8=","approximateArrivalTimestamp":1545084650.987},"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":"shardId-000000000006:4959","eventName":"aws:kinesis:record","awsRegion":"us-east-2","eventSourceARN":"arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream"}]}"#;
    assert_eq!(
        error(kinesis),
        r#"not a DynamoDB stream event: Records[0].eventSource: "aws:kinesis" is not "aws:dynamodb""#
    );
    let sns = r#"{"Records":[{"EventVersion":"1.0","EventSource":"aws:sns","Sns":{}}]}"#;
    assert_eq!(error(sns), "not a DynamoDB stream event: Records[0].eventSource: missing");
}

#[test]
fn r01_one_bad_field_fails_the_whole_event_and_is_named() {
    for (field, text, expected) in [
        ("eventSource", "", "eventSource: missing"),
        ("eventSource", "7", "eventSource: expected a string, found a number"),
        ("eventSource", "{}", "eventSource: expected a string, found an object"),
        ("eventSource", r#""""#, r#"eventSource: "" is not "aws:dynamodb""#),
        ("eventSource", r#""AWS:DynamoDB""#, r#"eventSource: "AWS:DynamoDB" is not "aws:dynamodb""#),
        ("eventSource", r#""\ud800""#, "eventSource: unexpected end of hex escape at line 1 column 8"),
        ("dynamodb", "", "dynamodb.SequenceNumber: missing"),
        ("dynamodb", "[]", "dynamodb: expected the change of an item (an object), found an array"),
        ("dynamodb.SequenceNumber", "", "dynamodb.SequenceNumber: missing"),
        ("dynamodb.SequenceNumber", "100", "dynamodb.SequenceNumber: expected a string, found a number"),
        ("dynamodb.SequenceNumber", "true", "dynamodb.SequenceNumber: expected a string, found a boolean"),
        ("dynamodb.SequenceNumber", r#"["1"]"#, "dynamodb.SequenceNumber: expected a string, found an array"),
        ("dynamodb.SequenceNumber", r#""""#, r#"dynamodb.SequenceNumber: "" is not a decimal number"#),
        ("dynamodb.SequenceNumber", r#""-1""#, r#"dynamodb.SequenceNumber: "-1" is not a decimal number"#),
        ("dynamodb.SequenceNumber", r#""1.0""#, r#"dynamodb.SequenceNumber: "1.0" is not a decimal number"#),
        ("dynamodb.SequenceNumber", r#""0x1f""#, r#"dynamodb.SequenceNumber: "0x1f" is not a decimal number"#),
        ("dynamodb.SequenceNumber", r#"" 1""#, r#"dynamodb.SequenceNumber: " 1" is not a decimal number"#),
        ("dynamodb.SequenceNumber", r#""1e3""#, r#"dynamodb.SequenceNumber: "1e3" is not a decimal number"#),
        ("dynamodb.SequenceNumber", r#""\u0661""#, r#"dynamodb.SequenceNumber: "١" is not a decimal number"#),
        ("eventSourceARN", "", "eventSourceARN: missing"),
        ("eventSourceARN", "[]", "eventSourceARN: expected a string, found an array"),
        ("eventSourceARN", r#""""#, r#"eventSourceARN: "" is not the ARN of a DynamoDB stream"#),
        (
            "eventSourceARN",
            r#""arn:aws:dynamodb:us-west-2:112233445566:table/test-table""#,
            r#"eventSourceARN: "arn:aws:dynamodb:us-west-2:112233445566:table/test-table" is not the ARN of a DynamoDB stream"#,
        ),
        (
            "eventSourceARN",
            r#""arn:aws:sqs:us-east-2:123456789012:my-queue""#,
            r#"eventSourceARN: "arn:aws:sqs:us-east-2:123456789012:my-queue" is not the ARN of a DynamoDB stream"#,
        ),
    ] {
        let payload = if text.is_empty() { with(field, Value::Null) } else { with_text(field, text) };
        assert_eq!(error(&payload), format!("not a DynamoDB stream event: Records[0].{expected}"), "{payload}");
        if text.is_empty() && field != "dynamodb" {
            let null = with_text(field, "null");
            assert_eq!(error(&null), format!("not a DynamoDB stream event: Records[0].{expected}"), "{null}");
        }
    }
}

#[test]
fn r01_the_path_names_the_record_that_is_bad() {
    let mut bad = small();
    bad["dynamodb"]["SequenceNumber"] = json!("12x");
    let event = json!({ "Records": [small(), small(), bad] }).to_string();
    assert_eq!(
        error(event),
        r#"not a DynamoDB stream event: Records[2].dynamodb.SequenceNumber: "12x" is not a decimal number"#
    );
}

#[test]
fn r01_records_of_two_streams_fail() {
    for other in [
        ARN.replace("test-table", "other"),
        ARN.replace("us-west-2", "eu-west-1"),
        ARN.replace("06.871", "06.872"),
        ARN.replace("112233445566", "112233445567"),
    ] {
        let mut second = small();
        second["eventSourceARN"] = json!(other);
        let event = json!({ "Records": [small(), second, small()] }).to_string();
        assert_eq!(
            error(event),
            format!(
                "not a DynamoDB stream event: Records[1].eventSourceARN: {other:?} differs from that of Records[0]"
            )
        );
    }
}

#[test]
fn r01_one_stream_in_two_spellings_is_one() {
    let escaped = json!({ "Records": [small(), small()] }).to_string();
    let (head, tail) = escaped.rsplit_once("arn:aws").unwrap();
    let event = read(format!("{head}\\u0061rn:aws{tail}"));
    assert_eq!(event.len(), 2);
    let event = read(with_text("eventSourceARN", &format!("\"{}\"", ARN.replace('/', "\\/"))));
    assert_eq!(event.stream().unwrap().as_str(), ARN);
    assert_eq!(event.record(0).stream_arn(), ARN);
}

#[test]
fn r01_what_is_not_json_fails_and_says_where() {
    let cut = |bytes: usize| error(&SEED[..bytes]);
    let start = "not a DynamoDB stream event: ";
    assert_eq!(cut(120), format!("{start}Records[0].eventSource: a string that does not end, from byte 114"));
    // In the name of a field.
    assert_eq!(cut(90), format!("{start}Records[0]: a string that does not end, from byte 79"));
    assert_eq!(cut(1), format!("{start}the payload: expected the name of a field, found the end of the text"));
    assert_eq!(cut(300), format!("{start}Records[0].dynamodb.OldImage: an object that does not end, from byte 296"));
    for end in 0..SEED.len() {
        assert!(Event::from_slice(&SEED.as_bytes()[..end]).is_err(), "cut at {end}");
    }
    for (written, instead, expected) in [
        ("\"INSERT\"", "INSERT", "Records[0].eventName: expected a value at byte"),
        ("\"INSERT\"", "", "Records[0].eventName: expected a value at byte"),
        ("\"INSERT\"", "\"INS\nERT\"", "Records[0].eventName: a control character in a string at byte"),
        ("\"INSERT\"", "\"INSERT\"}", "Records[0].eventSource: missing"),
        ("\"INSERT\",", "\"INSERT\" ", "Records[0]: expected a comma or the end of the object at byte"),
        ("\"INSERT\",", "\"INSERT\",,", "Records[0]: expected the name of a field at byte"),
        ("\"eventName\":", "\"eventName\" ", "Records[0].eventName: expected a colon at byte"),
        ("\"eventName\":", "\"\\ud800\":", "Records[0]: unexpected end of hex escape"),
        ("}]}", "} {}]}", "Records: expected a comma or the end of the array at byte"),
        ("}]}", "},]}", "Records[1]: expected a stream record (an object), found no value"),
    ] {
        let payload = with("eventName", json!("INSERT")).replacen(written, instead, 1);
        let error = error(&payload);
        assert!(error.starts_with(&format!("{start}{expected}")), "{error}: {payload}");
    }
}

/// What stands in an image is checked by whoever reads it, and nobody pays for
/// it before.
#[test]
fn r01_what_is_in_an_image_is_not_looked_at() {
    let broken = SEED.replace(r#"{"S":"Tung Nguyen"}"#, r#"{"S":}"#);
    let event = read(&broken);
    let record = event.record(0);
    assert_eq!(record.malformed(), None);
    assert!(broken.contains(record.json()) && record.json().ends_with('}'));
    assert!(record.new_image().unwrap().contains(r#"{"S":}"#));
    // But where it ends must be clear.
    for (image, expected) in [
        (r#"{"a":{"S":"x"}"#, "Records[0]: expected a comma or the end of the object at byte"),
        (r#"{"a":{"S":"x}}"#, "Records[0].dynamodb"),
        (r#"{"a":{"S":"x"}]"#, "Records[0].dynamodb.NewImage: an object that does not end, from byte"),
    ] {
        let error = error(with_text("dynamodb.NewImage", image));
        assert!(error.starts_with(&format!("not a DynamoDB stream event: {expected}")), "{error}");
    }
}

#[test]
fn r01_what_is_not_utf8_fails_and_says_where() {
    let mut bytes = SEED.as_bytes().to_vec();
    bytes[40] = 0xff;
    assert_eq!(Event::from_slice(&bytes).err(), Some(EventError::NotUtf8 { valid_up_to: 40 }));
    assert_eq!(error(&bytes), "the event is not UTF-8: byte 40 starts no character");
    // Half of a character at the end.
    assert!(matches!(Event::from_slice(b"{\"Records\":[]}\xc3"), Err(EventError::NotUtf8 { valid_up_to: 14 })));
}

#[test]
fn r01_a_field_that_is_there_twice_fails() {
    for (part, path) in [
        (r#""eventID":"x""#, "eventID"),
        (r#""eventName":"INSERT""#, "eventName"),
        (r#""eventSource":"aws:dynamodb""#, "eventSource"),
        (r#""eventSourceARN":"x""#, "eventSourceARN"),
        (r#""dynamodb":{}"#, "dynamodb"),
        (r#""awsRegion":"x""#, "awsRegion"),
    ] {
        let event = SEED.replacen(r#"{"eventID""#, &format!("{{{part},\"eventID\""), 1);
        let error = error(&event);
        assert_eq!(error, format!("not a DynamoDB stream event: Records[0].{path}: the field is there twice"));
    }
    for part in [r#""SequenceNumber":"1""#, r#""Keys":{}"#, r#""NewImage":{}"#, r#""OldImage":null"#] {
        let event = SEED.replacen(r#"{"Approx"#, &format!("{{{part},\"Approx"), 1);
        assert!(error(&event).ends_with(": the field is there twice"), "{event}");
    }
}

#[test]
fn r01_a_message_about_a_huge_value_is_short() {
    let error = error(with("eventSource", json!("é".repeat(100_000))));
    assert!(error.len() < 400, "{}", error.len());
    assert!(error.contains("é…\" is not \"aws:dynamodb\""), "{error}");
}

#[test]
fn r01_unknown_fields_anywhere_pass_through_byte_for_byte() {
    let record = concat!(
        r#"{ "eventID":"e1", "novel":{"a":[1,2.50,{"b":null}]},"eventName" :"INSERT","#,
        "\n\t",
        r#""eventSource":"aws:dynamodb","eventSourceARN":"arn:aws:dynamodb:local:000000000000:table/t/stream/l","#,
        r#""dynamodb":{"Keys":{"id":{"S":"\u0031"}},"SequenceNumber":"7","Novel":"\ud800","Novel":1e400} , "novel":-0 }"#
    );
    let event = read(format!(r#"{{"novel":[[]],"Records":[ {record} ,{record}], "else":{{}}}}"#));
    assert_eq!(event.len(), 2);
    for read in event.records() {
        assert_eq!(read.malformed(), None);
        assert_eq!(read.json(), record);
        assert_eq!(read.keys(), Some(r#"{"id":{"S":"\u0031"}}"#));
    }
    assert_eq!(event.record(0).region(), "local");
}

#[test]
fn r01_escapes_in_names_and_values_are_decoded() {
    let plain = read(with("eventID", json!("a\"b\\cé😀")));
    assert_eq!(plain.record(0).event_id(), Some("a\"b\\cé😀"));
    let text = with_text("dynamodb.SequenceNumber", r#""\u0031\u00300""#)
        .replace("INSERT", "\\u0049NSERT")
        .replace("aws:dynamodb\"", "aws\\u003adynamodb\"")
        .replace("\"Keys\"", "\"\\u004beys\"")
        .replace("\"eventID\":\"e1\"", r#""eventID":"\u0065\u0031""#);
    let event = read(text);
    let record = event.record(0);
    assert_eq!(record.sequence_number().as_str(), "100");
    assert_eq!(record.name(), Some(EventName::Insert));
    assert_eq!(record.event_id(), Some("e1"));
    assert_eq!(record.keys(), Some(r#"{"id":{"S":"1"}}"#));
}

#[test]
fn r03_an_item_is_its_keys_however_spelled() {
    let item = |keys: &str| read(with_text("dynamodb.Keys", keys)).record(0).item().cloned().unwrap();
    let one = item(r#"{"id":{"S":"A/1"},"at":{"N":"10"}}"#);
    assert_eq!(one, item(r#"{"at":{"N":"1e1"},"id":{"S":"\u0041\/1"}}"#));
    assert_eq!(one, item(r#"{ "at" : {"N":"10.0"}, "\u0069d":{"S":"A/1"} }"#));
    assert_ne!(one, item(r#"{"id":{"S":"a/1"},"at":{"N":"10"}}"#));
    assert_ne!(one, item(r#"{"id":{"S":"A/1"},"at":{"S":"10"}}"#));
    assert_ne!(one, item(r#"{"id":{"S":"A/1"}}"#));
    // The canonical spelling of a number is no string, and its exponent counts.
    assert_ne!(item(r#"{"n":{"N":"10"}}"#), item(r#"{"n":{"S":"1e1"}}"#));
    assert_ne!(item(r#"{"n":{"N":"10"}}"#), item(r#"{"n":{"N":"1"}}"#));
    // The parts of a key do not run together.
    assert_ne!(item(r#"{"a":{"S":"Sb"}}"#), item(r#"{"aS":{"S":"b"}}"#));
    assert_eq!(item(r#"{"b":{"B":"AAEqQQ=="}}"#), item(r#"{"b":{"B":"AAEqQQ"}}"#));
    assert_ne!(item(r#"{"b":{"B":"AAEqQQ=="}}"#), item(r#"{"b":{"B":"AAEqQg=="}}"#));
    // 38 digits that no float keeps apart.
    assert_ne!(
        item(r#"{"n":{"N":"12345678901234567890123456789012345678"}}"#),
        item(r#"{"n":{"N":"12345678901234567890123456789012345679"}}"#)
    );
}

#[test]
fn r03_keys_do_not_appear_in_debug_output() {
    let key = ItemKey::parse(r#"{"id":{"S":"secret"}}"#).unwrap();
    assert!(!format!("{key:?}").contains("secret"), "{key:?}");
}

#[test]
fn r12_a_window_carries_its_state_as_it_came() {
    let state = |extra: &str| {
        let event = read(format!(r#"{{"Records":[]{extra}}}"#));
        event.window_state().map(str::to_owned)
    };
    assert_eq!(state(""), None);
    assert_eq!(state(r#","state":{"a":1}"#), None);
    assert_eq!(state(r#","window":null,"state":{"a":1}"#), None);
    let window = r#","window":{"start":"2020-07-30T17:00:00Z","end":"2020-07-30T17:05:00Z"}"#;
    assert_eq!(state(window).as_deref(), Some("{}"));
    assert_eq!(state(&format!("{window},\"state\":null")).as_deref(), Some("{}"));
    assert_eq!(
        state(&format!("{window},\"state\":{{ \"b\" : 1.50, \"a\":\"\\u0041\" }}")).as_deref(),
        Some("{ \"b\" : 1.50, \"a\":\"\\u0041\" }")
    );
    // It goes into the answer, which must be JSON.
    assert_eq!(
        error(format!("{{\"Records\":[]{window},\"state\":{{\"a\":}}}}")),
        "not a DynamoDB stream event: state: expected value at line 1 column 6"
    );
    assert_eq!(state(&format!("{window},\"isFinalInvokeForWindow\":true")).as_deref(), Some("{}"));
}
