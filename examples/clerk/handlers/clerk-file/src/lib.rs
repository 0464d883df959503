//! clerk-file: called for each record of a table's stream.

use gristmill_sdk::{Failure, StreamRecord};

gristmill_sdk::handler!(file);

/// Called once for each record. Success means that it need not come again;
/// `?` on any error means that it must.
fn file(record: &StreamRecord) -> Result<(), Failure> {
    println!("event: {record}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use gristmill_sdk::StreamRecord;

    #[test]
    fn a_change_is_handled() {
        let record = StreamRecord::from_json(
            r#"{
                "eventID": "1a87201789a6e14315b8038ebbd3b99d",
                "eventName": "MODIFY",
                "eventVersion": "1.1",
                "eventSource": "aws:dynamodb",
                "awsRegion": "us-west-2",
                "dynamodb": {
                    "ApproximateCreationDateTime": 1550272599,
                    "Keys": { "id": { "S": "1" } },
                    "NewImage": { "id": { "S": "1" }, "name": { "S": "Tung Nguyen" } },
                    "OldImage": { "id": { "S": "1" }, "name": { "S": "Tung" } },
                    "SequenceNumber": "261800000000059086429283",
                    "SizeBytes": 32,
                    "StreamViewType": "NEW_AND_OLD_IMAGES"
                },
                "eventSourceARN": "arn:aws:dynamodb:us-west-2:112233445566:table/test-table/stream/2019-02-15T23:01:06.871"
            }"#,
        )
        .unwrap();
        super::file(&record).unwrap();
    }
}
