//! What a change is to its stream: whether it is one, how large, and of which
//! shard. Items in, answers out: no store.

use std::collections::HashMap;

use dynoxide::types::{AttributeValue, Item, item_size, normalize_dynamo_number};
use sha2::{Digest as _, Sha256};

use super::ViewType;

/// What a change is to its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// Where the item falls among the hashes: each shard has a range of them,
    /// so that the changes of an item stay in one shard.
    pub(super) hash: u32,
    /// Over keys and images, as the view type has them.
    pub(super) size_bytes: u32,
}

/// A change as Dynoxide recorded it: always both images.
#[derive(Clone, Copy)]
pub(super) struct Raw<'a> {
    pub(super) partition_key: &'a str,
    pub(super) keys: &'a str,
    pub(super) new: Option<&'a str>,
    pub(super) old: Option<&'a str>,
}

/// Looks at a change, and gives none when it was none: numbers are compared by
/// value, and sets have no order. A write that changes nothing makes no record
/// (AWS-FACTS, Streams).
///
/// The size is the UTF-8 length of names and the sizes of values, over keys and
/// images as present (AWS-FACTS, The record). For maps, lists and numbers these
/// are the rules by which DynamoDB measures an item.
///
/// # Errors
///
/// Text that is not an item in DynamoDB's JSON.
pub(super) fn change(view_type: ViewType, raw: Raw<'_>) -> Result<Option<Change>, serde_json::Error> {
    let item = |text: Option<&str>| text.map(serde_json::from_str::<Item>).transpose();
    let is_rewrite = raw.new.is_some() && raw.old.is_some();
    // Not to parse what nobody looks at.
    let (new, old) = (
        item(raw.new.filter(|_| is_rewrite || view_type.has_new()))?,
        item(raw.old.filter(|_| is_rewrite || view_type.has_old()))?,
    );
    if let (Some(new), Some(old)) = (&new, &old)
        && same_maps(new, old)
    {
        return Ok(None);
    }
    let keys: Item = serde_json::from_str(raw.keys)?;
    let images = [new.filter(|_| view_type.has_new()), old.filter(|_| view_type.has_old())];
    let size = item_size(&keys) + images.iter().flatten().map(item_size).sum::<usize>();
    let size_bytes = u32::try_from(size).unwrap_or(u32::MAX);
    Ok(Some(Change { hash: hash(keys.get(raw.partition_key)), size_bytes }))
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

fn hash(partition_key: Option<&AttributeValue>) -> u32 {
    let mut hash = Sha256::new();
    match partition_key {
        Some(AttributeValue::S(text)) => hash.update(text),
        Some(AttributeValue::N(number)) => hash.update(normalize_dynamo_number(number)),
        Some(AttributeValue::B(bytes)) => hash.update(bytes),
        // No table can have such a key. All of them share a place.
        Some(_) | None => {}
    }
    let digest = hash.finalize();
    u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(keys: &str, new: Option<&str>, old: Option<&str>) -> Option<Change> {
        change(ViewType::NewAndOldImages, Raw { partition_key: "p", keys, new, old }).unwrap()
    }

    fn changed(old: &str, new: &str) -> bool {
        look("{}", Some(new), Some(old)).is_some()
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
        assert!(look("{}", None, Some("{}")).is_some());
        assert!(look("{}", Some("{}"), None).is_some());
    }

    #[test]
    fn sizes_are_those_of_the_facts() {
        let size = |text| look("{}", Some(text), None).unwrap().size_bytes;
        assert_eq!(size(r#"{"id":{"S":"id-1"}}"#), 2 + 4);
        assert_eq!(size(r#"{"n":{"N":"42"}}"#), 1 + 2);
        assert_eq!(size(r#"{"b":{"B":"AAEC"}}"#), 1 + 3);
        assert_eq!(size(r#"{"ok":{"BOOL":true},"no":{"NULL":true}}"#), 2 + 1 + 2 + 1);
        assert_eq!(size(r#"{"s":{"SS":["ab","c"]}}"#), 1 + 3);
        assert_eq!(size(r#"{"s":{"NS":["42","7"]}}"#), 1 + 2 + 2);
        assert_eq!(size(r#"{"l":{"L":[{"S":"ab"}]}}"#), 1 + 3 + 1 + 2);
        assert_eq!(size(r#"{"m":{"M":{"k":{"S":"ab"}}}}"#), 1 + 3 + 1 + 1 + 2);
        assert_eq!(size(r#"{"ü":{"S":"ö"}}"#), 2 + 2);
    }

    #[test]
    fn the_view_type_says_what_is_weighed() {
        let raw = Raw {
            partition_key: "p",
            keys: r#"{"p":{"S":"a"}}"#,
            new: Some(r#"{"p":{"S":"a"},"v":{"S":"four"}}"#),
            old: Some(r#"{"p":{"S":"a"}}"#),
        };
        let size = |view_type| change(view_type, raw).unwrap().unwrap().size_bytes;
        assert_eq!(size(ViewType::KeysOnly), 2);
        assert_eq!(size(ViewType::NewImage), 2 + 7);
        assert_eq!(size(ViewType::OldImage), 2 + 2);
        assert_eq!(size(ViewType::NewAndOldImages), 2 + 7 + 2);
    }

    #[test]
    fn the_sort_key_does_not_move_an_item() {
        let hash = |keys| look(keys, Some("{}"), None).unwrap().hash;
        let one = hash(r#"{"p":{"S":"a"},"s":{"N":"1"}}"#);
        assert_eq!(one, hash(r#"{"s":{"N":"2"},"p":{"S":"a"}}"#));
        assert_ne!(one, hash(r#"{"s":{"N":"2"},"p":{"S":"b"}}"#));
        assert_eq!(hash(r#"{"p":{"N":"10"}}"#), hash(r#"{"p":{"N":"1e1"}}"#));
    }
}
