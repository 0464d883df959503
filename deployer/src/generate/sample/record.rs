//! One record of a sample: an insert, a change, a removal and a delete by Time
//! to Live, in turn. A pure function of seed and index.

use serde::Serialize;

use super::value::{Item, Value};

/// 2026-01-05T09:30:00Z, in seconds since the Unix epoch.
const START: u64 = 1_767_605_400;

/// The first sequence number has 24 digits, as those of AWS mostly have.
const FIRST_NUMBER: u128 = 261_800_000_000_059_086_429_283;

/// A record in the order of keys that AWS has.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Record<'a> {
    #[serde(rename = "eventID")]
    event_id: String,
    #[serde(rename = "eventName")]
    event_name: &'static str,
    #[serde(rename = "eventVersion")]
    event_version: &'static str,
    #[serde(rename = "eventSource")]
    event_source: &'static str,
    #[serde(rename = "awsRegion")]
    aws_region: &'a str,
    #[serde(rename = "userIdentity", skip_serializing_if = "Option::is_none")]
    user_identity: Option<UserIdentity>,
    dynamodb: Change,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: &'a str,
}

#[derive(Clone, Debug, Serialize)]
struct UserIdentity {
    #[serde(rename = "principalId")]
    principal_id: &'static str,
    r#type: &'static str,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    approximate_creation_date_time: u64,
    keys: Item,
    #[serde(skip_serializing_if = "Option::is_none")]
    new_image: Option<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_image: Option<Item>,
    sequence_number: String,
    size_bytes: usize,
    stream_view_type: &'static str,
}

impl<'a> Record<'a> {
    pub(super) fn new(seed: u64, index: u64, region: &'a str, stream_arn: &'a str) -> Self {
        let round = index / 4;
        // One item is inserted, changed and removed; what Time to Live deletes
        // was there before.
        let (event_name, order, new, old, by_ttl) = match index % 4 {
            0 => ("INSERT", order_id(seed, round), Some("new"), None, false),
            1 => ("MODIFY", order_id(seed, round), Some("paid"), Some("new"), false),
            2 => ("REMOVE", order_id(seed, round), None, Some("paid"), false),
            _ => ("REMOVE", format!("{}-expired", order_id(seed, round)), None, Some("paid"), true),
        };
        let keys = Item(vec![("id", Value::S(order.clone()))]);
        // Time to Live deletes within days of the time that the item names.
        let expires = if by_ttl { START - 3_600 } else { START + 86_400 };
        let image = |status| image(&order, status, round, expires);
        let (new_image, old_image) = (new.map(image), old.map(image));
        let sizes = [Some(&keys), new_image.as_ref(), old_image.as_ref()];
        let size_bytes = sizes.into_iter().flatten().map(Item::size).sum();
        Self {
            event_id: format!("{:016x}{:016x}", mixed(seed, index * 2), mixed(seed, index * 2 + 1)),
            event_name,
            event_version: "1.1",
            event_source: "aws:dynamodb",
            aws_region: region,
            user_identity: by_ttl.then_some(UserIdentity { principal_id: "dynamodb.amazonaws.com", r#type: "Service" }),
            dynamodb: Change {
                approximate_creation_date_time: START + index,
                keys,
                new_image,
                old_image,
                sequence_number: sequence_number(seed, index),
                size_bytes,
                stream_view_type: "NEW_AND_OLD_IMAGES",
            },
            event_source_arn: stream_arn,
        }
    }
}

fn order_id(seed: u64, round: u64) -> String {
    // From the far end of the indices, so that no event's id says it too.
    format!("order-{:08x}", mixed(seed, u64::MAX / 2 - round) >> 32)
}

/// Ascending with the index. 24 digits for every seed.
fn sequence_number(seed: u64, index: u64) -> String {
    let gap = u128::from(mixed(seed, index) % 1_000);
    let shift = u128::from(mixed(seed, u64::MAX / 2 + 1) % 1_000_000) * 1_000_000_000_000_000;
    (FIRST_NUMBER + shift + u128::from(index) * 1_000 + gap).to_string()
}

/// An item with an attribute of every type.
fn image(order: &str, status: &str, round: u64, expires: u64) -> Item {
    let text = |text: &str| Value::S(text.to_owned());
    let number = |number: &str| Value::N(number.to_owned());
    let line = |sku: &str, pieces: &str| Value::M(Item(vec![("sku", text(sku)), ("pieces", number(pieces))]));
    Item(vec![
        ("id", text(order)),
        ("status", text(status)),
        ("customer", text("Zoë Müller")),
        ("total", number("1249.95")),
        ("paid", Value::Bool(status == "paid")),
        ("coupon", Value::Null),
        ("labels", Value::Ss(vec!["fragile".to_owned(), "gift".to_owned()])),
        ("discounts", Value::Ns(vec!["-5".to_owned(), "12.5".to_owned()])),
        ("signature", Value::B(round.to_be_bytes().to_vec())),
        ("seals", Value::Bs(vec![vec![0, 1, 2], vec![253, 254, 255]])),
        ("address", Value::M(Item(vec![("city", text("Zürich")), ("zip", text("8001"))]))),
        ("lines", Value::L(vec![line("A-1", "2"), line("B-7", "1")])),
        ("expires", Value::N(expires.to_string())),
    ])
}

/// SplitMix64 of a seed and an index: well mixed, and the same everywhere.
fn mixed(seed: u64, index: u64) -> u64 {
    let mut z = seed
        .wrapping_mul(0xd134_2543_de82_ef95)
        .wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_ascend_and_have_24_digits() {
        for seed in [0, 1, u64::MAX] {
            let numbers: Vec<_> = (0..10_000).map(|index| sequence_number(seed, index)).collect();
            assert!(numbers.iter().all(|number| number.len() == 24));
            assert!(numbers.is_sorted_by(|a, b| a < b));
        }
    }

    #[test]
    fn event_ids_differ() {
        let ids: std::collections::BTreeSet<_> =
            (0..10_000).map(|index| Record::new(3, index, "r", "a").event_id).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.len() == 32 && id.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))));
    }

    #[test]
    fn the_cycle_is_insert_modify_remove_and_ttl() {
        let records: Vec<_> = (0..4).map(|index| Record::new(0, index, "us-east-1", "arn")).collect();
        let shape = |record: &Record<'_>| {
            let change = &record.dynamodb;
            (record.event_name, change.new_image.is_some(), change.old_image.is_some(), record.user_identity.is_some())
        };
        assert_eq!(
            records.iter().map(shape).collect::<Vec<_>>(),
            [
                ("INSERT", true, false, false),
                ("MODIFY", true, true, false),
                ("REMOVE", false, true, false),
                ("REMOVE", false, true, true),
            ]
        );
        assert_eq!(records[0].dynamodb.keys, records[2].dynamodb.keys);
        assert_ne!(records[0].dynamodb.keys, records[3].dynamodb.keys);
    }
}
