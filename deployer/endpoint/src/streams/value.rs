//! Whether two images of an item are the same to DynamoDB, how large they are,
//! and which shard an item belongs to. Items in, answers out: no store.

use std::collections::HashMap;

use dynoxide::types::{AttributeValue, Item, item_size, normalize_dynamo_number};
use sha2::{Digest as _, Sha256};

/// Whether a write changed the item: numbers are compared by value, and sets
/// have no order. A write that changes nothing makes no record (AWS-FACTS,
/// Streams).
///
/// # Errors
///
/// An image that is not an item in DynamoDB's JSON.
pub(crate) fn differ(old: Option<&str>, new: Option<&str>) -> Result<bool, serde_json::Error> {
    let (Some(old), Some(new)) = (old, new) else { return Ok(old.is_some() != new.is_some()) };
    if old == new {
        return Ok(false);
    }
    let (old, new) = (serde_json::from_str::<Item>(old)?, serde_json::from_str::<Item>(new)?);
    Ok(!same_maps(&old, &new))
}

fn same_maps(one: &HashMap<String, AttributeValue>, other: &HashMap<String, AttributeValue>) -> bool {
    one.len() == other.len() && one.iter().all(|(name, value)| other.get(name).is_some_and(|v| same(value, v)))
}

fn same(one: &AttributeValue, other: &AttributeValue) -> bool {
    use AttributeValue::{B, BOOL, BS, L, M, N, NS, NULL, S, SS};
    match (one, other) {
        (S(a), S(b)) => a == b,
        (N(a), N(b)) => same_number(a, b),
        (B(a), B(b)) => a == b,
        (BOOL(a), BOOL(b)) | (NULL(a), NULL(b)) => a == b,
        (SS(a), SS(b)) => same_sets(a, b, |member| member.clone()),
        (NS(a), NS(b)) => same_sets(a, b, |member| normalize_dynamo_number(member)),
        (BS(a), BS(b)) => same_sets(a, b, |member| member.clone()),
        (L(a), L(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (M(a), M(b)) => same_maps(a, b),
        (S(_) | N(_) | B(_) | BOOL(_) | NULL(_) | SS(_) | NS(_) | BS(_) | L(_) | M(_), _) => false,
    }
}

fn same_number(one: &str, other: &str) -> bool {
    one == other || normalize_dynamo_number(one) == normalize_dynamo_number(other)
}

fn same_sets<T, K: Ord>(one: &[T], other: &[T], key: impl Fn(&T) -> K) -> bool {
    let sorted = |set: &[T]| {
        let mut keys: Vec<K> = set.iter().map(&key).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    };
    sorted(one) == sorted(other)
}

/// The size in bytes of items together: the UTF-8 length of names and the sizes
/// of values (AWS-FACTS, The record). For maps, lists and numbers these are the
/// rules by which DynamoDB measures an item.
///
/// # Errors
///
/// Text that is not an item in DynamoDB's JSON.
pub(crate) fn size_bytes<'a>(items: impl IntoIterator<Item = &'a str>) -> Result<usize, serde_json::Error> {
    items.into_iter().map(|text| Ok(item_size(&serde_json::from_str::<Item>(text)?))).sum()
}

/// Where the partition key of an item falls among the hashes: each shard has a
/// range of them, so that the changes of an item stay in one shard.
///
/// # Errors
///
/// Keys that are not DynamoDB's JSON.
pub(crate) fn key_hash(keys: &str, partition_key: &str) -> Result<u32, serde_json::Error> {
    let keys = serde_json::from_str::<Item>(keys)?;
    let mut hash = Sha256::new();
    match keys.get(partition_key) {
        Some(AttributeValue::S(text)) => hash.update(text),
        Some(AttributeValue::N(number)) => hash.update(normalize_dynamo_number(number)),
        Some(AttributeValue::B(bytes)) => hash.update(bytes),
        // No table can have such a key. All of them share a place.
        Some(_) | None => {}
    }
    let digest = hash.finalize();
    Ok(u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(old: &str, new: &str) -> bool {
        differ(Some(old), Some(new)).unwrap()
    }

    #[test]
    fn values_are_compared_as_dynamodb_has_them() {
        assert!(!changed(r#"{"a":{"N":"1"},"b":{"S":"x"}}"#, r#"{"b":{"S":"x"},"a":{"N":"1.0"}}"#));
        assert!(!changed(r#"{"a":{"N":"100"}}"#, r#"{"a":{"N":"1e2"}}"#));
        assert!(!changed(r#"{"a":{"SS":["x","y"]}}"#, r#"{"a":{"SS":["y","x"]}}"#));
        assert!(!changed(r#"{"a":{"NS":["1","20"]}}"#, r#"{"a":{"NS":["2e1","1.0"]}}"#));
        assert!(!changed(r#"{"a":{"BS":["AA==","AQ=="]}}"#, r#"{"a":{"BS":["AQ==","AA=="]}}"#));
        assert!(!changed(r#"{"a":{"M":{"x":{"L":[{"NULL":true}]}}}}"#, r#"{"a": {"M":{"x":{"L":[{"NULL":true}]}}}}"#));
        assert!(changed(r#"{"a":{"L":[{"N":"1"},{"N":"2"}]}}"#, r#"{"a":{"L":[{"N":"2"},{"N":"1"}]}}"#));
        assert!(changed(r#"{"a":{"S":"1"}}"#, r#"{"a":{"N":"1"}}"#));
        assert!(changed(r#"{"a":{"S":"1"}}"#, r#"{"a":{"S":"1"},"b":{"NULL":true}}"#));
        assert!(changed(r#"{"a":{"SS":["x"]}}"#, r#"{"a":{"SS":["x","y"]}}"#));
        assert!(differ(None, Some("{}")).unwrap());
        assert!(differ(Some("{}"), None).unwrap());
    }

    #[test]
    fn sizes_are_those_of_the_facts() {
        let size = |text| size_bytes([text]).unwrap();
        assert_eq!(size(r#"{"id":{"S":"id-1"}}"#), 2 + 4);
        assert_eq!(size(r#"{"n":{"N":"42"}}"#), 1 + 2);
        assert_eq!(size(r#"{"b":{"B":"AAEC"}}"#), 1 + 3);
        assert_eq!(size(r#"{"ok":{"BOOL":true},"no":{"NULL":true}}"#), 2 + 1 + 2 + 1);
        assert_eq!(size(r#"{"s":{"SS":["ab","c"]}}"#), 1 + 3);
        assert_eq!(size(r#"{"s":{"NS":["42","7"]}}"#), 1 + 2 + 2);
        assert_eq!(size(r#"{"l":{"L":[{"S":"ab"}]}}"#), 1 + 3 + 1 + 2);
        assert_eq!(size(r#"{"m":{"M":{"k":{"S":"ab"}}}}"#), 1 + 3 + 1 + 1 + 2);
        assert_eq!(size(r#"{"ü":{"S":"ö"}}"#), 2 + 2);
        assert_eq!(size_bytes([r#"{"id":{"S":"a"}}"#, r#"{"id":{"S":"a"}}"#]).unwrap(), 6);
    }

    #[test]
    fn the_sort_key_does_not_move_an_item() {
        let one = key_hash(r#"{"p":{"S":"a"},"s":{"N":"1"}}"#, "p").unwrap();
        assert_eq!(one, key_hash(r#"{"s":{"N":"2"},"p":{"S":"a"}}"#, "p").unwrap());
        assert_ne!(one, key_hash(r#"{"s":{"N":"2"},"p":{"S":"b"}}"#, "p").unwrap());
    }
}
