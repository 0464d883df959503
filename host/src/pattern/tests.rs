//! The filter language, operator by operator, and against a model.

mod model;

use serde_json::{Value, json};

use super::*;
use crate::event::Event;

/// A record with an attribute of every type.
fn record() -> Value {
    json!({
        "eventID": "e1",
        "eventName": "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-west-2",
        "userIdentity": { "type": "Service", "principalId": "dynamodb.amazonaws.com" },
        "tenant": { "name": "acme", "level": 3 },
        "dynamodb": {
            "ApproximateCreationDateTime": 1550272599.25,
            "Keys": { "id": { "S": "order#17" } },
            "NewImage": {
                "id": { "S": "order#17" },
                "color": { "S": "Red" },
                "size": { "N": "42" },
                "empty": { "S": "" },
                "photo": { "B": "AAEqQQ==" },
                "tags": { "SS": ["new", "sale"] },
                "none": { "SS": [] },
                "list": { "L": [{ "S": "a" }, { "N": "1" }, { "M": { "city": { "S": "Bern" } } }] },
                "address": { "M": { "city": { "S": "Basel" }, "street": { "NULL": true } } },
                "on": { "BOOL": true },
            },
            "OldImage": null,
            "SequenceNumber": "100",
            "SizeBytes": 120,
            "Novel": "x",
        },
        "eventSourceARN": "arn:aws:dynamodb:us-west-2:112233445566:table/t/stream/l",
    })
}

fn event_of(record: &Value) -> Event {
    Event::parse(json!({ "Records": [record] }).to_string()).unwrap()
}

fn matches(pattern: &Value) -> bool {
    let pattern = Pattern::parse(&pattern.to_string()).unwrap_or_else(|error| panic!("{error}: {pattern}"));
    pattern.matches(event_of(&record()).record(0)).unwrap()
}

/// A pattern on the new image.
fn image(rule: &Value) -> bool {
    matches(&json!({ "dynamodb": { "NewImage": rule } }))
}

fn assert_all(cases: &[(Value, bool)], test: impl Fn(&Value) -> bool) {
    for (pattern, expected) in cases {
        assert_eq!(test(pattern), *expected, "{pattern}");
    }
}

#[test]
fn images_are_matched_at_the_type_level() {
    assert_all(
        &[
            (json!({ "color": { "S": ["Red"] } }), true),
            (json!({ "color": { "S": ["red"] } }), false),
            (json!({ "color": { "S": ["Blue", "Red"] } }), true),
            // Without the type nothing matches (AWS-FACTS, Filters).
            (json!({ "color": ["Red"] }), false),
            (json!({ "color": { "N": ["Red"] } }), false),
            (json!({ "other": { "S": ["Red"] } }), false),
            (json!({ "empty": { "S": [""] } }), true),
            (json!({ "photo": { "B": ["AAEqQQ=="] } }), true),
            (json!({ "on": { "BOOL": [true] } }), true),
            (json!({ "on": { "BOOL": [false, "true"] } }), false),
            (json!({ "address": { "M": { "city": { "S": ["Basel"] } } } }), true),
            (json!({ "address": { "M": { "city": { "S": ["Bern"] } } } }), false),
            (json!({ "address": { "M": { "street": { "NULL": [true] } } } }), true),
        ],
        image,
    );
}

#[test]
fn prefix_suffix_and_case() {
    assert_all(
        &[
            (json!({ "id": { "S": [{ "prefix": "order#" }] } }), true),
            (json!({ "id": { "S": [{ "prefix": "Order#" }] } }), false),
            (json!({ "id": { "S": [{ "prefix": "order#17" }] } }), true),
            (json!({ "id": { "S": [{ "prefix": "order#170" }] } }), false),
            (json!({ "id": { "S": [{ "prefix": { "equals-ignore-case": "ORDER" } }] } }), true),
            (json!({ "id": { "S": [{ "suffix": "#17" }] } }), true),
            (json!({ "id": { "S": [{ "suffix": "order" }] } }), false),
            (json!({ "color": { "S": [{ "suffix": { "equals-ignore-case": "ED" } }] } }), true),
            (json!({ "color": { "S": [{ "suffix": "ED" }] } }), false),
            (json!({ "color": { "S": [{ "equals-ignore-case": "RED" }] } }), true),
            (json!({ "color": { "S": [{ "equals-ignore-case": "REDS" }] } }), false),
            (json!({ "size": { "N": [{ "prefix": "4" }] } }), true),
            (json!({ "on": { "BOOL": [{ "prefix": "t" }] } }), false),
        ],
        image,
    );
}

#[test]
fn numeric_never_matches_an_n() {
    assert_all(
        &[
            (json!({ "size": { "N": [{ "numeric": ["=", 42] }] } }), false),
            (json!({ "size": { "N": [{ "numeric": [">", 0, "<", 100] }] } }), false),
            (json!({ "size": { "N": [42] } }), false),
            (json!({ "size": { "N": ["42"] } }), true),
            (json!({ "size": { "N": ["42.0"] } }), false),
        ],
        image,
    );
}

#[test]
fn numeric_matches_what_is_a_number_in_json() {
    let size = |rule: Value| json!({ "dynamodb": { "SizeBytes": [{ "numeric": rule }] } });
    assert_all(
        &[
            (size(json!(["=", 120])), true),
            (size(json!(["=", 121])), false),
            (size(json!([">", 119])), true),
            (size(json!([">", 120])), false),
            (size(json!([">=", 120])), true),
            (size(json!(["<", 120])), false),
            (size(json!(["<=", 120])), true),
            (size(json!([">", 100, "<=", 120])), true),
            (size(json!(["<", 120, ">", 100])), false),
            (json!({ "dynamodb": { "SizeBytes": [120] } }), true),
            (json!({ "dynamodb": { "SizeBytes": [120.0] } }), true),
            (json!({ "dynamodb": { "SizeBytes": ["120"] } }), false),
            (json!({ "dynamodb": { "ApproximateCreationDateTime": [{ "numeric": [">", 1550272599.2] }] } }), true),
            (json!({ "eventName": [{ "numeric": [">", 0] }] }), false),
        ],
        matches,
    );
}

#[test]
fn a_number_of_many_digits_is_itself() {
    // Each stood one float apart when pattern and record were read by two
    // readers, of which one rounded twice.
    for number in ["1550272599.15303243745", "0.3453997556048239312", "1.5833637540868721"] {
        let text = json!({ "Records": [record()] }).to_string().replace("1550272599.25", number);
        let event = Event::parse(text).unwrap();
        for rule in [number.to_owned(), format!("{{\"numeric\":[\"=\",{number}]}}")] {
            let pattern = format!("{{\"dynamodb\":{{\"ApproximateCreationDateTime\":[{rule}]}}}}");
            assert_eq!(Pattern::parse(&pattern).unwrap().matches(event.record(0)), Ok(true), "{pattern}");
        }
    }
}

#[test]
fn anything_but_compares_values() {
    assert_all(
        &[
            (json!({ "color": { "S": [{ "anything-but": "Red" }] } }), false),
            (json!({ "color": { "S": [{ "anything-but": "Blue" }] } }), true),
            (json!({ "color": { "S": [{ "anything-but": ["Blue", "Red"] }] } }), false),
            (json!({ "color": { "S": [{ "anything-but": ["Blue", "Green"] }] } }), true),
            (json!({ "color": { "S": [{ "anything-but": { "prefix": "R" } }] } }), false),
            (json!({ "color": { "S": [{ "anything-but": { "prefix": "B" } }] } }), true),
            (json!({ "color": { "S": [{ "anything-but": { "suffix": "d" } }] } }), false),
            (json!({ "color": { "S": [{ "anything-but": { "equals-ignore-case": "RED" } }] } }), false),
            // A number is a string here, so it is anything but the number.
            (json!({ "size": { "N": [{ "anything-but": 42 }] } }), true),
            (json!({ "size": { "N": [{ "anything-but": ["42"] }] } }), false),
            (json!({ "on": { "BOOL": [{ "anything-but": [true] }] } }), false),
            // What is absent is not anything.
            (json!({ "other": { "S": [{ "anything-but": "Red" }] } }), false),
            (json!({ "color": { "N": [{ "anything-but": "Red" }] } }), false),
            (json!({ "color": { "S": [{ "anything-but": "Red" }, "Red"] } }), true),
        ],
        image,
    );
}

#[test]
fn exists_speaks_of_leaves_only() {
    assert_all(
        &[
            (json!({ "color": { "S": [{ "exists": true }] } }), true),
            (json!({ "color": { "S": [{ "exists": false }] } }), false),
            (json!({ "color": { "N": [{ "exists": true }] } }), false),
            (json!({ "color": { "N": [{ "exists": false }] } }), true),
            (json!({ "other": { "S": [{ "exists": true }] } }), false),
            (json!({ "other": { "S": [{ "exists": false }] } }), true),
            // An attribute is an object, and no leaf.
            (json!({ "color": [{ "exists": true }] }), false),
            (json!({ "color": [{ "exists": false }] }), true),
            (json!({ "other": [{ "exists": false }] }), true),
            (json!({ "address": { "M": { "city": { "S": [{ "exists": true }] } } } }), true),
            (json!({ "address": { "M": { "zip": { "S": [{ "exists": false }] } } } }), true),
            (json!({ "other": { "M": { "zip": { "S": [{ "exists": false }] } } } }), true),
            (json!({ "color": { "S": [{ "exists": false }, "Red"] } }), true),
            (json!({ "tags": { "SS": [{ "exists": true }] } }), true),
            (json!({ "none": { "SS": [{ "exists": true }] } }), false),
            (json!({ "none": { "SS": [{ "exists": false }] } }), true),
        ],
        image,
    );
}

#[test]
fn one_element_of_a_list_is_enough() {
    assert_all(
        &[
            (json!({ "tags": { "SS": ["sale"] } }), true),
            (json!({ "tags": { "SS": ["old"] } }), false),
            (json!({ "tags": { "SS": [{ "prefix": "s" }] } }), true),
            // Each element is compared, and one is not "sale".
            (json!({ "tags": { "SS": [{ "anything-but": "sale" }] } }), true),
            (json!({ "tags": { "SS": [{ "anything-but": ["sale", "new"] }] } }), false),
            (json!({ "none": { "SS": [{ "anything-but": "sale" }] } }), false),
            (json!({ "list": { "L": { "S": ["a"] } } }), true),
            (json!({ "list": { "L": { "S": ["b"] } } }), false),
            (json!({ "list": { "L": { "N": ["1"] } } }), true),
            // One element must have all of it.
            (json!({ "list": { "L": { "N": ["1"], "S": ["a"] } } }), false),
            (json!({ "list": { "L": { "M": { "city": { "S": ["Bern"] } } } } }), true),
            (json!({ "list": { "L": { "S": [{ "exists": false }] } } }), true),
            (json!({ "list": { "L": ["a"] } }), false),
            (json!({ "tags": { "SS": { "S": ["sale"] } } }), false),
        ],
        image,
    );
}

#[test]
fn keys_are_joined_by_and_lists_by_or() {
    let (red, large) = (json!({ "S": ["Red"] }), json!({ "N": ["99"] }));
    assert!(image(&json!({ "color": red })));
    assert!(!image(&json!({ "color": red, "size": large })));
    assert!(image(&json!({ "$or": [{ "color": red }, { "size": large }] })));
    assert!(!image(&json!({ "$or": [{ "other": red }, { "size": large }] })));
    assert!(!image(&json!({ "size": large, "$or": [{ "color": red }, { "size": large }] })));
    assert!(image(&json!({ "on": { "BOOL": [true] }, "$or": [{ "color": red }, { "size": large }] })));
    // On top, and in one another.
    assert!(matches(
        &json!({ "$or": [{ "eventName": ["INSERT"] }, { "dynamodb": { "NewImage": { "color": red } } }] })
    ));
    let inner = json!({ "$or": [{ "$or": [{ "size": large }, { "color": red }] }, { "size": large }] });
    assert!(image(&inner));
    // `$or` with an object is the name of a field.
    assert!(!image(&json!({ "$or": { "S": ["Red"] } })));
}

#[test]
fn a_null_image_is_an_absent_one_and_a_null_field_is_null() {
    let old = |rule: Value| matches(&json!({ "dynamodb": { "OldImage": rule } }));
    assert!(old(json!({ "color": { "S": [{ "exists": false }] } })));
    assert!(!old(json!({ "color": { "S": [{ "exists": true }] } })));
    assert!(!old(json!({ "color": { "S": ["Red"] } })));
    assert!(old(json!([null])));
    assert!(!old(json!(["null"])));
    let mut without = record();
    without["dynamodb"].as_object_mut().unwrap().remove("OldImage");
    let event = event_of(&without);
    let test = |pattern: Value| Pattern::parse(&pattern.to_string()).unwrap().matches(event.record(0)).unwrap();
    assert!(!test(json!({ "dynamodb": { "OldImage": [null] } })));
    assert!(test(json!({ "dynamodb": { "OldImage": [{ "exists": false }] } })));
    assert!(test(json!({ "dynamodb": { "OldImage": { "color": { "S": [{ "exists": false }] } } } })));
}

#[test]
fn every_field_of_the_record_can_be_matched() {
    assert_all(
        &[
            (json!({ "eventName": ["INSERT", "MODIFY"] }), true),
            (json!({ "eventName": ["INSERT"] }), false),
            (json!({ "eventName": [{ "anything-but": "REMOVE" }] }), true),
            (json!({ "eventID": ["e1"] }), true),
            (json!({ "eventVersion": ["1.1"] }), true),
            (json!({ "eventSource": ["aws:dynamodb"] }), true),
            (json!({ "awsRegion": [{ "prefix": "us-" }] }), true),
            (json!({ "eventSourceARN": [{ "suffix": "/l" }] }), true),
            (json!({ "userIdentity": { "type": ["Service"], "principalId": ["dynamodb.amazonaws.com"] } }), true),
            (json!({ "userIdentity": { "type": [{ "exists": false }] } }), false),
            (json!({ "tenant": { "name": ["acme"], "level": [3] } }), true),
            (json!({ "tenant": { "name": ["other"] } }), false),
            (json!({ "absent": [{ "exists": false }] }), true),
            (json!({ "absent": ["x"] }), false),
            (json!({ "dynamodb": { "Keys": { "id": { "S": [{ "prefix": "order#" }] } } } }), true),
            (json!({ "dynamodb": { "SequenceNumber": ["100"] } }), true),
            (json!({ "dynamodb": { "Novel": ["x"] } }), true),
            (json!({ "dynamodb": { "Absent": ["x"] } }), false),
            (json!({ "dynamodb": { "Novel": { "x": ["x"] } } }), false),
            (json!({ "dynamodb": { "StreamViewType": [{ "exists": false }] } }), true),
            (json!({ "dynamodb": [{ "exists": true }] }), false),
            (json!({ "dynamodb": [{ "exists": false }] }), true),
        ],
        matches,
    );
}

#[test]
fn escapes_are_decoded_before_they_are_compared() {
    let text = json!({ "Records": [record()] })
        .to_string()
        .replace("\"color\":{\"S\":\"Red\"}", r#""\u0063olor":{"\u0053":"\u0052e\u0064"}"#)
        .replace("MODIFY", "\\u004dODIFY");
    let event = Event::parse(text).unwrap();
    let test = |text: &str| Pattern::parse(text).unwrap().matches(event.record(0)).unwrap();
    assert!(test(r#"{"dynamodb":{"NewImage":{"color":{"S":["Red"]}}}}"#));
    assert!(test(r#"{"dynamodb":{"NewImage":{"c\u006flor":{"S":[{"prefix":"R"}]}}}}"#));
    assert!(test(r#"{"eventName":["MODIFY"]}"#));
}

#[test]
fn r05_what_cannot_be_read_is_unreadable_and_not_declined() {
    let lone = |text: &str, replacement: &str| {
        let event = json!({ "Records": [record()] }).to_string().replace(text, replacement);
        Event::parse(event).unwrap()
    };
    let red = Pattern::parse(r#"{"dynamodb":{"NewImage":{"color":{"S":["Red"]}}}}"#).unwrap();
    let other = Pattern::parse(r#"{"dynamodb":{"NewImage":{"size":{"N":["42"]}}}}"#).unwrap();
    let value = lone("\"Red\"", r#""\ud800""#);
    let error = red.matches(value.record(0)).unwrap_err();
    assert_eq!(error.to_string(), "a filter cannot be evaluated: unexpected end of hex escape at line 1 column 8");
    // What the pattern does not name is not read.
    assert_eq!(other.matches(value.record(0)), Ok(true));
    let name = lone("\"color\"", r#""\udead""#);
    assert!(red.matches(name.record(0)).is_err());
    assert!(other.matches(name.record(0)).is_err());
    // An earlier pattern that matches decides; a later one does not undo it.
    let patterns = Patterns::new(vec![vec![other.clone(), red.clone()], vec![red, other]]);
    assert_eq!(patterns.on(value.record(0)).is_for(0), Ok(true));
    assert!(patterns.on(value.record(0)).is_for(1).is_err());
}

#[test]
fn any_of_several_patterns_is_enough_and_none_means_all() {
    let event = event_of(&record());
    let pattern = |text: &str| Pattern::parse(text).unwrap();
    let (yes, no) = (pattern(r#"{"eventName":["MODIFY"]}"#), pattern(r#"{"eventName":["REMOVE"]}"#));
    let patterns = Patterns::new(vec![vec![], vec![no.clone(), yes], vec![no.clone(), no]]);
    let on_record = patterns.on(event.record(0));
    assert_eq!(on_record.is_for(0), Ok(true));
    assert_eq!(on_record.is_for(1), Ok(true));
    assert_eq!(on_record.is_for(2), Ok(false));
}

#[test]
fn r05_what_is_no_pattern_is_refused_with_the_place() {
    let start = "Invalid filter pattern definition. ";
    for (text, expected) in [
        ("", "$: not JSON: EOF while parsing a value at line 1 column 0"),
        ("{", "$: not JSON: EOF while parsing an object at line 1 column 1"),
        ("[]", "$: not an object"),
        ("\"x\"", "$: not an object"),
        ("{}", "$: an empty object"),
        (r#"{"a":{}}"#, "$.a: an empty object"),
        (r#"{"a":[]}"#, "$.a: an empty list"),
        (r#"{"a":{"b":[]}}"#, "$.a.b: an empty list"),
        (r#"{"a":"x"}"#, "$.a: expected a list of values or an object"),
        (r#"{"a":null}"#, "$.a: expected a list of values or an object"),
        (r#"{"a":[["x"]]}"#, "$.a[0]: a list in a list"),
        (r#"{"a":["x",{}]}"#, "$.a[1]: expected one operator in the object"),
        (r#"{"a":[{"prefix":"x","suffix":"y"}]}"#, "$.a[0]: expected one operator in the object"),
        (
            r#"{"a":[{"preffix":"x"}]}"#,
            "$.a[0].preffix: unknown operator (there are prefix, suffix, equals-ignore-case, anything-but, exists and numeric)",
        ),
        (
            r#"{"a":[{"wildcard":"x*"}]}"#,
            "$.a[0].wildcard: an operator of EventBridge that event source mappings do not have",
        ),
        (r#"{"a":[{"prefix":7}]}"#, "$.a[0].prefix: expected a string or {\"equals-ignore-case\": string}"),
        (r#"{"a":[{"prefix":""}]}"#, "$.a[0].prefix: an empty string"),
        (r#"{"a":[{"equals-ignore-case":7}]}"#, "$.a[0].equals-ignore-case: expected a string"),
        (r#"{"a":[{"exists":"true"}]}"#, "$.a[0].exists: expected true or false"),
        (r#"{"a":[{"anything-but":[]}]}"#, "$.a[0].anything-but: an empty list"),
        (
            r#"{"a":[{"anything-but":{"exists":true}}]}"#,
            "$.a[0].anything-but: only prefix, suffix and equals-ignore-case can stand in anything-but",
        ),
        (
            r#"{"a":[{"anything-but":[{"prefix":"x"}]}]}"#,
            "$.a[0].anything-but[0]: expected a string, a number, true, false or null",
        ),
        (r#"{"a":[{"numeric":["<",6000000000]}]}"#, "$.a[0].numeric: a number beyond ±5,000,000,000"),
        (r#"{"a":[{"numeric":[">",5,"<",5]}]}"#, "$.a[0].numeric: an empty range"),
        (r#"{"$or":[{"a":["x"]}]}"#, "$.$or: expected a list of two or more objects"),
        (r#"{"$or":[{"a":["x"]},"y"]}"#, "$.$or[1]: expected an object"),
        (r#"{"$or":[{"a":["x"]},{}]}"#, "$.$or[1]: an empty object"),
    ] {
        assert_eq!(Pattern::parse(text).unwrap_err().to_string(), format!("{start}{expected}"), "{text}");
    }
    for numeric in ["[]", "[\"<\"]", "[1]", "[\"!\",1]", "[\"<\",1,\"<\",2]", "[\"=\",1,\">\",0]", "7", "[\"<\",\"1\"]"]
    {
        let error = Pattern::parse(&format!("{{\"a\":[{{\"numeric\":{numeric}}}]}}")).unwrap_err();
        assert!(error.reason.starts_with("expected [\"=\", number], or"), "{numeric}: {error}");
    }
}

#[test]
fn a_pattern_has_at_most_4096_characters() {
    let of_length = |length: usize| format!("{{\"a\":[\"{}\"]}}", "é".repeat(length - r#"{"a":[""]}"#.len()));
    assert!(Pattern::parse(&of_length(MOST_CHARS)).is_ok());
    assert_eq!(
        Pattern::parse(&of_length(MOST_CHARS + 1)).unwrap_err().to_string(),
        "Invalid filter pattern definition. $: 4097 characters, and at most 4096 are allowed"
    );
}

#[test]
fn depth_harms_nothing() {
    let deep = |levels: usize| format!("{}[\"x\"]{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    assert!(Pattern::parse(&deep(100)).is_ok());
    let error = Pattern::parse(&deep(500)).unwrap_err();
    assert!(
        error.to_string().starts_with("Invalid filter pattern definition. $: not JSON: recursion limit"),
        "{error}"
    );
    // A pattern does not go deeper than it is, whatever the record has.
    let run = || {
        let lists = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        let text = json!({ "Records": [record()] }).to_string().replace("{\"SS\":[]}", &format!("{{\"L\":{lists}}}"));
        let event = Event::parse(text).unwrap();
        for (rule, expected) in [
            (r#"{"none":{"L":["x"]}}"#, false),
            (r#"{"none":{"L":{"S":["x"]}}}"#, false),
            (r#"{"none":{"L":{"S":[{"exists":false}]}}}"#, true),
            (r#"{"color":{"S":["Red"]}}"#, true),
        ] {
            let pattern = Pattern::parse(&format!("{{\"dynamodb\":{{\"NewImage\":{rule}}}}}")).unwrap();
            assert_eq!(pattern.matches(event.record(0)), Ok(expected), "{rule}");
        }
    };
    std::thread::Builder::new().stack_size(512 * 1024).spawn(run).unwrap().join().unwrap();
}
