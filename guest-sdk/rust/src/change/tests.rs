#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::testing::{Record, ViewType};

/// A modification of the attribute `v`, between two values as DynamoDB JSON.
fn modification(old: &str, new: &str) -> StreamRecord {
    Record::modify("t")
        .key("id", "1")
        .attribute("same", true)
        .old_image_json(&format!(r#"{{"v":{old}}}"#))
        .new_image_json(&format!(r#"{{"v":{new}}}"#))
        .build()
}

/// A modification between two images that need not be DynamoDB JSON.
fn raw(old: &str, new: &str) -> StreamRecord {
    let json = Record::modify("t").key("id", "1").to_json();
    let images = format!(r#""NewImage":{new},"OldImage":{old},"SequenceNumber""#);
    let known = r#""NewImage":{"id":{"S":"1"}},"OldImage":{"id":{"S":"1"}},"SequenceNumber""#;
    assert!(json.contains(known));
    StreamRecord::from_json(&json.replace(known, &images)).unwrap()
}

#[test]
fn what_means_the_same_has_not_changed() {
    for (old, new) in [
        (r#"{"S":"a"}"#, r#"{"S":"a"}"#),
        (r#"{"S":"é\n"}"#, r#"{ "S" : "\u00e9\u000a" }"#),
        (r#"{"N":"1"}"#, r#"{"N":"1.0"}"#),
        (r#"{"N":"1"}"#, r#"{"N":"1E0"}"#),
        (r#"{"N":"0.010"}"#, r#"{"N":"+1e-2"}"#),
        (r#"{"N":"-0"}"#, r#"{"N":"0E5"}"#),
        (r#"{"N":"1200"}"#, r#"{"N":"12E2"}"#),
        (r#"{"B":"AQI="}"#, r#"{"B": "AQI="}"#),
        (r#"{"SS":["a","b"]}"#, r#"{"SS":["b","a"]}"#),
        (r#"{"NS":["1","20","-3"]}"#, r#"{"NS":["-3.0","2E1","1"]}"#),
        (r#"{"BS":["AQ==","Ag=="]}"#, r#"{"BS":["Ag==","AQ=="]}"#),
        (r#"{"M":{"a":{"N":"1"},"b":{"NULL":true}}}"#, r#"{"M":{"b":{"NULL":true},"a":{"N":"1.0"}}}"#),
        (r#"{"L":[{"NS":["1","2"]},{"M":{}}]}"#, r#"{"L":[{"NS":["2","1.0"]},{"M":{}}]}"#),
        (r#"{"BOOL":true}"#, r#"{"BOOL": true}"#),
        (r#"{"NULL":true}"#, r#"{"NULL": true}"#),
    ] {
        // Spelled as it is here: a builder would write both in one way.
        let record = raw(&format!(r#"{{"v":{old}}}"#), &format!(r#"{{"v":{new}}}"#));
        assert_eq!(record.changed("v"), Ok(false), "{old} {new}");
        assert_eq!(record.changes(), Ok(Changes::new()), "{old} {new}");
    }
}

#[test]
fn what_means_another_thing_has_changed() {
    for (old, new) in [
        (r#"{"S":"a"}"#, r#"{"S":"A"}"#),
        (r#"{"S":"1"}"#, r#"{"N":"1"}"#),
        (r#"{"S":"a"}"#, r#"{"SS":["a"]}"#),
        (r#"{"N":"1"}"#, r#"{"N":"-1"}"#),
        (r#"{"N":"1"}"#, r#"{"N":"10"}"#),
        (r#"{"N":"0"}"#, r#"{"N":"1E-130"}"#),
        (r#"{"N":"0.1234567890123456789012345678901234567"}"#, r#"{"N":"0.1234567890123456789012345678901234568"}"#),
        (r#"{"B":"AQI="}"#, r#"{"B":"AQM="}"#),
        (r#"{"SS":["a","b"]}"#, r#"{"SS":["a"]}"#),
        (r#"{"NS":["1"]}"#, r#"{"NS":["1","2"]}"#),
        (r#"{"NS":["1"]}"#, r#"{"L":[{"N":"1"}]}"#),
        (r#"{"L":[{"N":"1"},{"N":"2"}]}"#, r#"{"L":[{"N":"2"},{"N":"1"}]}"#),
        (r#"{"L":[]}"#, r#"{"L":[{"NULL":true}]}"#),
        (r#"{"M":{"a":{"N":"1"}}}"#, r#"{"M":{"b":{"N":"1"}}}"#),
        (r#"{"M":{"a":{"N":"1"}}}"#, r#"{"M":{"a":{"N":"2"}}}"#),
        (r#"{"BOOL":true}"#, r#"{"BOOL":false}"#),
        (r#"{"NULL":true}"#, r#"{"BOOL":true}"#),
    ] {
        let record = modification(old, new);
        assert_eq!(record.changed("v"), Ok(true), "{old} {new}");
        let changes = record.changes().unwrap();
        let [(name, change)] = changes.iter().collect::<Vec<_>>()[..] else { panic!("{changes:?}") };
        assert_eq!((name.as_str(), change.old_value().unwrap().to_json()), ("v", old.to_owned()));
        assert_eq!(change.new_value().unwrap().to_json(), new);
    }
}

#[test]
fn absent_is_another_thing_than_null() {
    let record = Record::modify("t").key("id", "1").old_attribute("gone", AttributeValue::Null).new_attribute("new", 1);
    let record = record.build();
    assert_eq!(record.changed("gone"), Ok(true));
    assert_eq!(record.changed("new"), Ok(true));
    assert_eq!(record.changed("id"), Ok(false));
    assert_eq!(record.changed("never there"), Ok(false));
    let changes = record.changes().unwrap();
    assert_eq!(changes.keys().collect::<Vec<_>>(), ["gone", "new"]);
    assert_eq!(changes["gone"], Change::Removed(AttributeValue::Null));
    assert_eq!(changes["new"], Change::Added(1.into()));
}

#[test]
fn an_insert_adds_all_and_a_removal_removes_all() {
    let insert = Record::insert("t").key("id", "1").attribute("a", 1);
    for view_type in [ViewType::NewAndOldImages, ViewType::NewImage] {
        let record = insert.clone().view_type(view_type).build();
        assert_eq!((record.changed("a"), record.changed("id"), record.changed("b")), (Ok(true), Ok(true), Ok(false)));
        let all = [("a".to_owned(), Change::Added(1.into())), ("id".to_owned(), Change::Added("1".into()))];
        assert_eq!(record.changes(), Ok(all.into()));
    }
    for remove in [Record::remove("t"), Record::ttl_delete("t")] {
        for view_type in [ViewType::NewAndOldImages, ViewType::OldImage] {
            let record = remove.clone().key("id", "1").attribute("a", 1).view_type(view_type).build();
            assert_eq!((record.changed("a"), record.changed("b")), (Ok(true), Ok(false)));
            let all = [("a".to_owned(), Change::Removed(1.into())), ("id".to_owned(), Change::Removed("1".into()))];
            assert_eq!(record.changes(), Ok(all.into()));
        }
    }
}

#[test]
fn an_image_that_the_view_type_keeps_back_is_an_error_and_never_unchanged() {
    use ChangeError::{NoNewImage, NoOldImage};
    use EventName::{Insert, Modify, Remove};
    use ViewType::{KeysOnly, NewImage, OldImage};

    let insert = Record::insert("t");
    let modify = Record::modify("t");
    let remove = Record::remove("t");
    for (record, view_type, expected) in [
        (&insert, KeysOnly, NoNewImage(Insert)),
        (&insert, OldImage, NoNewImage(Insert)),
        (&modify, KeysOnly, NoOldImage(Modify)),
        (&modify, NewImage, NoOldImage(Modify)),
        (&modify, OldImage, NoNewImage(Modify)),
        (&remove, KeysOnly, NoOldImage(Remove)),
        (&remove, NewImage, NoOldImage(Remove)),
    ] {
        let record = record.clone().key("id", "1").attribute("a", 1).view_type(view_type).build();
        assert_eq!(record.changed("a"), Err(expected.clone()), "{view_type:?}");
        assert_eq!(record.changed("id"), Err(expected.clone()), "{view_type:?}");
        assert_eq!(record.changes(), Err(expected), "{view_type:?}");
    }
    assert_eq!(
        NoOldImage(Modify).to_string(),
        "the MODIFY record has no old image, so what changed is not known; the stream's view type must be \
         NEW_AND_OLD_IMAGES"
    );
    // An empty image is there, and has no attributes.
    assert_eq!(raw("{}", "{}").changed("a"), Ok(false));
    assert_eq!(raw("{}", r#"{"a":{"N":"1"}}"#).changed("a"), Ok(true));
}

#[test]
fn what_cannot_be_read_is_an_error_that_names_image_and_attribute() {
    let message = |record: &StreamRecord| {
        let (one, all) = (record.changed("v").unwrap_err(), record.changes().unwrap_err());
        assert_eq!(one, all);
        one.to_string()
    };
    let good = r#"{"v":{"N":"1"}}"#;
    assert_eq!(message(&raw(good, r#"{"v":{"N":"x"}}"#)), r#"new image: v: "x" is not a decimal number"#);
    assert_eq!(
        message(&raw(r#"{"v":{"L":[{"X":1}]}}"#, good)),
        r#"old image: v[0]: "X" is no attribute type (S, N, B, SS, NS, BS, M, L, BOOL, NULL)"#
    );
    let double = r#"{"v":{"N":"1"},"v":{"N":"1"}}"#;
    assert_eq!(message(&raw(good, double)), "new image: v: the attribute is there twice");
    assert_eq!(message(&raw(double, good)), "old image: v: the attribute is there twice");
    // `changed` does not look at the names of others, and at no value but the one.
    let other = r#"{"a":{"N":"x"},"a":{"N":"x"},"v":{"N":"1"}}"#;
    assert_eq!(raw(good, other).changed("v"), Ok(false));
    assert!(raw(good, other).changes().is_err());
}

#[test]
fn a_name_may_be_spelled_with_escapes() {
    let record = raw(r#"{"\u0061":{"N":"1"}}"#, r#"{"a":{"N":"2"}}"#);
    assert_eq!(record.changed("a"), Ok(true));
    assert_eq!(record.changes().unwrap().keys().collect::<Vec<_>>(), ["a"]);
}

#[test]
fn values_in_changes_are_lossless_and_printed_as_dynamodb_json() {
    let exact = "0.12345678901234567890123456789012345678";
    let record = modification(&format!(r#"{{"N":"{exact}"}}"#), r#"{"SS":["b","a"]}"#);
    let change = &record.changes().unwrap()["v"];
    assert_eq!(change.to_string(), format!(r#"modified from {{"N":"{exact}"}} to {{"SS":["b","a"]}}"#));
    assert_eq!(Change::Added(1.into()).to_string(), r#"added {"N":"1"}"#);
    assert_eq!(Change::Removed(AttributeValue::Null).to_string(), r#"removed {"NULL":true}"#);
    assert_eq!(format!("{:?}", Change::Added(1.into())), "Added(N(Number(1)))");
}
