#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

/// The event that Lambda sends for a change of one item.
const MODIFY: &str = r#"{"eventID":"1a87201789a6e14315b8038ebbd3b99d","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-west-2","dynamodb":{"ApproximateCreationDateTime":1550272599,"Keys":{"id":{"S":"1"}},"NewImage":{"name":{"S":"Tung Nguyen"},"id":{"S":"1"}},"OldImage":{"name":{"S":"Tung"},"id":{"S":"1"}},"SequenceNumber":"261800000000059086429283","SizeBytes":32,"StreamViewType":"NEW_AND_OLD_IMAGES"},"eventSourceARN":"arn:aws:dynamodb:us-west-2:112233445566:table/test-table/stream/2019-02-15T23:01:06.871"}"#;

#[test]
fn a_local_record_has_everything_that_the_json_has() {
    let record = StreamRecord::from_json(MODIFY).unwrap();
    assert_eq!(record.event_id(), "1a87201789a6e14315b8038ebbd3b99d");
    assert_eq!(record.event_name(), EventName::Modify);
    assert_eq!(record.table(), "test-table");
    assert!(record.stream_arn().ends_with("2019-02-15T23:01:06.871"));
    assert_eq!(record.region(), "us-west-2");
    assert_eq!(record.sequence_number(), "261800000000059086429283");
    assert_eq!(record.size_bytes(), Some(32));
    assert_eq!(record.created_at_ms(), Some(1_550_272_599_000));
    assert_eq!(record.user_identity(), None);
    assert_eq!(record.keys_json(), r#"{"id":{"S":"1"}}"#);
    assert_eq!(record.json(), MODIFY);
    assert_eq!(record.keys().unwrap()["id"].as_s(), Some("1"));
    assert_eq!(record.old_image().unwrap().unwrap()["name"].as_s(), Some("Tung"));
    assert_eq!(
        record.to_string(),
        r#"MODIFY test-table keys {"id":{"S":"1"}} old {"name":{"S":"Tung"},"id":{"S":"1"}} new {"name":{"S":"Tung Nguyen"},"id":{"S":"1"}}"#
    );
    assert!(format!("{record:?}").contains("event_name: Modify"));
}

#[test]
fn absent_and_empty_images_are_two_things() {
    let removed =
        MODIFY.replace(r#""NewImage":{"name":{"S":"Tung Nguyen"},"id":{"S":"1"}},"#, "").replace("MODIFY", "REMOVE");
    let record = StreamRecord::from_json(&removed).unwrap();
    assert_eq!((record.new_image_json(), record.new_image()), (None, Ok(None)));
    let empty = MODIFY.replace(r#"{"name":{"S":"Tung Nguyen"},"id":{"S":"1"}}"#, "{}");
    let record = StreamRecord::from_json(&empty).unwrap();
    assert_eq!((record.new_image_json().as_deref(), record.new_image()), (Some("{}"), Ok(Some(Item::new()))));
}

#[test]
fn a_delete_by_time_to_live_says_who() {
    let identity = r#""userIdentity":{"type":"Service","principalId":"dynamodb.amazonaws.com"},"eventVersion""#;
    let record = StreamRecord::from_json(&MODIFY.replace(r#""eventVersion""#, identity)).unwrap();
    assert!(record.user_identity().unwrap().is_time_to_live());
}

#[test]
fn errors_name_the_image() {
    let record = StreamRecord::from_json(MODIFY).unwrap();
    let wrong =
        |result: Result<Option<std::collections::HashMap<String, u8>>, ImageError>| result.unwrap_err().to_string();
    assert_eq!(wrong(record.new_image_as()), "new image: name: expected a number (N), found a string (S)");
    assert_eq!(wrong(record.old_image_as()), "old image: name: expected a number (N), found a string (S)");
    assert_eq!(wrong(record.keys_as().map(Some)), "keys: id: expected a number (N), found a string (S)");
    #[derive(serde::Deserialize, Debug)]
    #[allow(dead_code, reason = "read by nobody")]
    struct Missing {
        price: u8,
    }
    assert_eq!(record.new_image_as::<Missing>().unwrap_err().to_string(), "new image: missing field `price`");
}

#[test]
fn what_is_no_record_is_refused() {
    for (from, to) in [
        ("MODIFY", "UPSERT"),
        (r#""Keys":{"id":{"S":"1"}},"#, ""),
        ("261800000000059086429283", "26x"),
        ("261800000000059086429283", ""),
        ("arn:aws:dynamodb", "arn:aws:sqs"),
        ("/stream/", "/index/"),
        (r#""eventSourceARN""#, r#""arn""#),
    ] {
        let error = StreamRecord::from_json(&MODIFY.replace(from, to)).unwrap_err().to_string();
        assert!(error.ends_with("is missing or wrong"), "{to}: {error}");
    }
    for end in 0..MODIFY.len() {
        assert!(StreamRecord::from_json(&MODIFY[..end]).is_err());
    }
    assert!(StreamRecord::from_json(&"[".repeat(100_000)).is_err());
}
