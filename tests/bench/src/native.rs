//! The same work without gristmill: as people write it today, and as fast as it
//! can be written.

use std::hint::black_box;

use aws_lambda_events::dynamodb::Event;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::order::Order;

/// What a handler does with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Look at the keys.
    Keys,
    /// Read the new image into a struct.
    Structs,
    /// Read both images into trees.
    Trees,
}

/// The usual way: the event of `aws_lambda_events`, whose images are trees, and
/// `serde_dynamo` from a tree to a struct.
pub fn usual(payload: &[u8], work: Work) -> String {
    let event: Event = serde_json::from_slice(payload).unwrap();
    for record in event.records {
        match work {
            Work::Keys => assert!(!record.change.keys.is_empty()),
            Work::Structs => {
                let order: Order = serde_dynamo::from_item(record.change.new_image).unwrap();
                assert!(order.is_in_order());
            }
            Work::Trees => assert!(record.change.new_image.get("status") != record.change.old_image.get("status")),
        }
    }
    r#"{"batchItemFailures":[]}"#.to_owned()
}

/// The fastest way that we know: each record's parts as slices of the payload,
/// and serde from the text straight into the struct.
pub fn fastest(payload: &[u8], work: Work) -> String {
    #[derive(Deserialize)]
    struct Records<'a> {
        #[serde(rename = "Records", borrow)]
        records: Vec<Record<'a>>,
    }
    #[derive(Deserialize)]
    struct Record<'a> {
        #[serde(borrow)]
        dynamodb: Change<'a>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Change<'a> {
        #[serde(borrow)]
        keys: &'a RawValue,
        #[serde(borrow)]
        new_image: &'a RawValue,
        #[serde(borrow)]
        old_image: &'a RawValue,
        sequence_number: &'a str,
    }
    let event: Records<'_> = serde_json::from_slice(payload).unwrap();
    for Record { dynamodb: change } in event.records {
        black_box(change.sequence_number);
        match work {
            Work::Keys => assert!(change.keys.get().len() > 2),
            Work::Structs => {
                let order: Order = gristmill_sdk::from_json(change.new_image.get()).unwrap();
                assert!(order.is_in_order());
            }
            Work::Trees => {
                let new = gristmill_sdk::item_from_json(change.new_image.get()).unwrap();
                let old = gristmill_sdk::item_from_json(change.old_image.get()).unwrap();
                assert!(new["status"] != old["status"]);
            }
        }
    }
    r#"{"batchItemFailures":[]}"#.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_do_the_work() {
        for work in [Work::Keys, Work::Structs, Work::Trees] {
            assert_eq!(usual(&crate::events::event(3, 2), work), fastest(&crate::events::event(3, 2), work));
        }
    }
}
