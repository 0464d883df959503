#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::Bytes;

/// The event that Lambda sends for a change of one item, but for the order of attributes, which is arbitrary.
const SEED: &str = r#"{"eventID":"1a87201789a6e14315b8038ebbd3b99d","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-west-2","dynamodb":{"ApproximateCreationDateTime":1550272599,"Keys":{"id":{"S":"1"}},"NewImage":{"id":{"S":"1"},"name":{"S":"Tung Nguyen"}},"OldImage":{"id":{"S":"1"},"name":{"S":"Tung"}},"SequenceNumber":"261800000000059086429283","SizeBytes":32,"StreamViewType":"NEW_AND_OLD_IMAGES"},"eventSourceARN":"arn:aws:dynamodb:us-west-2:112233445566:table/test-table/stream/2019-02-15T23:01:06.871"}"#;

#[test]
fn a_record_is_written_as_aws_writes_it() {
    let record = Record::modify("test-table")
        .key("id", "1")
        .old_attribute("name", "Tung")
        .new_attribute("name", "Tung Nguyen")
        .created_at_ms(1_550_272_599_000)
        .stream_arn("arn:aws:dynamodb:us-west-2:112233445566:table/test-table/stream/2019-02-15T23:01:06.871");
    assert_eq!(record.to_json(), SEED);
    assert_eq!(record.build().json(), SEED);
}

#[test]
fn what_is_not_said_could_have_come_from_aws() {
    let record = Record::insert("orders").key("id", "1").build();
    assert_eq!(record.table(), "orders");
    assert_eq!(record.region(), "us-east-1");
    assert_eq!(
        record.stream_arn(),
        "arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026-01-05T09:30:00.000"
    );
    assert_eq!(record.created_at_ms(), Some(1_767_605_400_000));
    assert!(record.event_id().len() == 32 && record.event_id().bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(record.sequence_number().len(), 24);
    assert_eq!(record.user_identity(), None);
    assert_eq!(record.size_bytes(), Some(6));
}

#[test]
fn what_is_said_is_in_the_record() {
    let record = Record::remove("orders")
        .key("id", 7)
        .event_id("e")
        .sequence_number("42")
        .created_at_ms(1_500)
        .user_identity(UserIdentity { kind: "a \"b\"".to_owned(), principal_id: "c".to_owned() })
        .build();
    assert_eq!((record.event_id(), record.sequence_number()), ("e".to_owned(), "42".to_owned()));
    assert_eq!(record.created_at_ms(), Some(1_500));
    assert!(record.json().contains(r#""ApproximateCreationDateTime":1.500,"#));
    assert_eq!(record.user_identity().unwrap().kind, "a \"b\"");
    assert!(!record.is_ttl_delete());
}

#[test]
fn time_to_live_is_told_from_a_caller_and_from_other_services() {
    let expired = Record::ttl_delete("t").key("id", "1");
    assert!(expired.build().is_ttl_delete());
    let identity = r#""userIdentity":{"principalId":"dynamodb.amazonaws.com","type":"Service"},"dynamodb""#;
    assert!(expired.to_json().contains(identity), "{}", expired.to_json());
    assert!(!Record::remove("t").key("id", "1").build().is_ttl_delete());
    let by = |kind: &str, principal: &str| UserIdentity { kind: kind.to_owned(), principal_id: principal.to_owned() };
    for other in [by("Service", "replication.dynamodb.amazonaws.com"), by("User", "dynamodb.amazonaws.com")] {
        assert!(!expired.clone().user_identity(other).build().is_ttl_delete());
    }
    // DynamoDB itself may change an item without deleting it.
    let changed = Record::modify("t").key("id", "1").user_identity(by("Service", "dynamodb.amazonaws.com"));
    assert!(!changed.build().is_ttl_delete());
}

#[test]
fn the_view_type_says_what_is_carried() {
    use ViewType::{KeysOnly, NewAndOldImages, NewImage, OldImage};
    let images = |record: Record, view_type| {
        let record = record.key("id", "1").attribute("a", 1).view_type(view_type).build();
        assert!(record.json().contains(&format!(r#""StreamViewType":"{}""#, view_type.as_str())));
        (record.new_image_json().is_some(), record.old_image_json().is_some())
    };
    for (view_type, insert, modify, remove) in [
        (KeysOnly, (false, false), (false, false), (false, false)),
        (NewImage, (true, false), (true, false), (false, false)),
        (OldImage, (false, false), (false, true), (false, true)),
        (NewAndOldImages, (true, false), (true, true), (false, true)),
    ] {
        assert_eq!(images(Record::insert("t"), view_type), insert, "{view_type:?}");
        assert_eq!(images(Record::modify("t"), view_type), modify, "{view_type:?}");
        assert_eq!(images(Record::remove("t"), view_type), remove, "{view_type:?}");
    }
}

#[test]
fn values_are_made_from_what_rust_has() {
    let nested: Item = [("n".to_owned(), 1.into())].into();
    let record = Record::insert("t")
        .key("id", Bytes(vec![1, 2]))
        .attribute("s", String::from("x"))
        .attribute("n", u64::MAX)
        .attribute("exact", "1.50".parse::<Number>().unwrap())
        .attribute("list", vec!["a".into(), false.into()])
        .attribute("map", nested)
        .attribute("null", AttributeValue::Null);
    assert_eq!(
        record.build().new_image_json().as_deref(),
        Some(
            r#"{"exact":{"N":"1.50"},"id":{"B":"AQI="},"list":{"L":[{"S":"a"},{"BOOL":false}]},"map":{"M":{"n":{"N":"1"}}},"n":{"N":"18446744073709551615"},"null":{"NULL":true},"s":{"S":"x"}}"#
        )
    );
}

#[test]
fn sizes_are_those_of_the_facts() {
    for (value, bytes) in [
        (r#"{"S":"Tung"}"#, 4),
        (r#"{"S":"ü"}"#, 2),
        (r#"{"B":"AAAAAAA="}"#, 5),
        (r#"{"BOOL":false}"#, 1),
        (r#"{"N":"42"}"#, 2),
        (r#"{"N":"-42"}"#, 3),
        (r#"{"N":"12.50"}"#, 3),
        (r#"{"N":"0"}"#, 1),
        (r#"{"NULL":true}"#, 1),
        (r#"{"SS":["a","bc"]}"#, 3),
        (r#"{"NS":["42","1"]}"#, 4),
        (r#"{"BS":["AAA=","AA=="]}"#, 3),
        (r#"{"M":{}}"#, 3),
        (r#"{"M":{"a":{"BOOL":true}}}"#, 6),
        (r#"{"L":[{"NULL":true}]}"#, 5),
    ] {
        assert_eq!(size(&value.parse().unwrap()), bytes, "{value}");
    }
}

#[test]
fn an_events_records_count_on() {
    let record = |id: &str| Record::insert("t").key("id", id);
    let event = event([record("1"), record("2").sequence_number("9").event_id("e"), record("3")]);
    let event: serde_json::Value = serde_json::from_str(&event).unwrap();
    let all = event["Records"].as_array().unwrap();
    let numbers: Vec<_> = all.iter().map(|record| record["dynamodb"]["SequenceNumber"].as_str().unwrap()).collect();
    assert_eq!(numbers, ["261800000000059086429283", "9", "261800000000059086429285"]);
    assert_ne!(all[0]["eventID"], all[2]["eventID"]);
    assert_eq!(all[1]["eventID"], "e");
    assert_eq!(all[2]["dynamodb"]["ApproximateCreationDateTime"], 1_767_605_402);
    assert_eq!(super::event([]), "{\"Records\":[]}\n");
    // By itself a record is the first of an event.
    assert_eq!(serde_json::from_str::<serde_json::Value>(&record("1").to_json()).unwrap(), all[0]);
}

/// What a use that cannot be panics with.
#[track_caller]
fn panics(with: &str, use_it: impl FnOnce() + std::panic::UnwindSafe) {
    let panic = std::panic::catch_unwind(use_it).expect_err(with);
    let message = panic.downcast_ref::<String>().cloned();
    let message = message.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap();
    assert!(message.contains(with), "{message}");
}

#[test]
fn a_record_that_cannot_be_panics_and_says_why() {
    let modify = || Record::modify("t").key("id", "1");
    panics("is no table's name", || drop(Record::insert("a/stream/b")));
    panics("is no table's name", || drop(Record::insert("")));
    panics("the record has no key", || drop(Record::insert("t").build()));
    panics("the record has no key", || drop(event([Record::insert("t")])));
    panics("is the third", || drop(modify().key("b", "1").key("c", "1")));
    panics(r#"the key "id" is {"BOOL":true}"#, || drop(Record::insert("t").key("id", true)));
    panics(r#"the key "id" of the item is {"S":"1"}, and {"N":"1"} in an image"#, || {
        drop(modify().new_attribute("id", 1).build());
    });
    panics("an insert has no old image", || drop(Record::insert("t").old_attribute("a", 1)));
    panics("a removal has no new image", || drop(Record::remove("t").new_image_json("{}")));
    panics("new image: a: an attribute value without a type", || drop(modify().new_image_json(r#"{"a":{}}"#)));
    panics("old image: the text ends", || drop(modify().old_image_json("{")));
    panics("is no sequence number", || drop(modify().sequence_number("26x")));
    panics("is no stream's ARN", || drop(modify().stream_arn("arn:aws:sqs:eu-west-1:1:q")));
    panics("an event is of one stream", || drop(event([modify(), Record::insert("u").key("id", "1")])));
    // A key that an image repeats is the same item.
    assert_eq!(modify().new_image_json(r#"{"id":{"S":"1"}}"#).to_json(), modify().to_json());
}
