//! Events of one table, for tests that need no more than keys and images.

use serde_json::{Value, json};

/// The stream of every record that is made here: of the table `test-table`.
pub const STREAM: &str = "arn:aws:dynamodb:us-west-2:112233445566:table/test-table/stream/2019-02-15T23:01:06.871";

/// A change of the item with this key. The attributes go into its new image,
/// where the scripted guest reads what to do.
pub fn record(sequence_number: &str, key: &str, attributes: &[(&str, &str)]) -> Value {
    let mut image = json!({ "id": { "S": key } });
    for (name, value) in attributes {
        image[name] = json!({ "S": value });
    }
    json!({
        "eventID": format!("1a87201789a6e14315b80000{sequence_number:0>8}"),
        "eventName": "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-west-2",
        "dynamodb": {
            "ApproximateCreationDateTime": 1550272599,
            "Keys": { "id": { "S": key } },
            "NewImage": image,
            "SequenceNumber": sequence_number,
            "SizeBytes": 32,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": STREAM,
    })
}

/// The event with these records.
pub fn event(records: &[Value]) -> Vec<u8> {
    json!({ "Records": records }).to_string().into_bytes()
}

/// An event of one record, whose handlers do this.
pub fn doing(script: &str) -> Vec<u8> {
    event(&[record("100000000000000000001", "1", &[("do", script)])])
}

/// The same event from the stream of another table.
pub fn of_table(event: &[u8], table: &str) -> Vec<u8> {
    let text = std::str::from_utf8(event).unwrap();
    text.replace("table/test-table/", &format!("table/{table}/")).into_bytes()
}

/// The event that the project started with. `script` is what the handlers do.
pub fn seed(script: Option<&str>) -> Vec<u8> {
    let script = script.map(|script| format!(r#""do":{{"S":"{script}"}},"#)).unwrap_or_default();
    let (before, after) = SEED.split_once(r#""name":{"S":"Tung Nguyen"}"#).unwrap();
    format!(r#"{before}{script}"name":{{"S":"Tung Nguyen"}}{after}"#).into_bytes()
}

const SEED: &str = r#"{"Records":[{"eventID":"1a87201789a6e14315b8038ebbd3b99d","eventName":"MODIFY","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"us-west-2","dynamodb":{"ApproximateCreationDateTime":1550272599,"Keys":{"id":{"S":"1"}},"NewImage":{"name":{"S":"Tung Nguyen"},"id":{"S":"1"}},"OldImage":{"name":{"S":"Tung"},"id":{"S":"1"}},"SequenceNumber":"261800000000059086429283","SizeBytes":32,"StreamViewType":"NEW_AND_OLD_IMAGES"},"eventSourceARN":"arn:aws:dynamodb:us-west-2:112233445566:table/test-table/stream/2019-02-15T23:01:06.871"}]}"#;
