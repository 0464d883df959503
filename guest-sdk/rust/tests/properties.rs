//! Rules that hold for every tree: what is written is read back, and every way of reading agrees.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;

use gristmill_sdk::testing::Record;
use gristmill_sdk::{AttributeValue, Bytes, Change, Item, Number, from_json, item_from_json, item_to_json};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

fn number() -> impl Strategy<Value = Number> {
    let text = prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        "-?[1-9][0-9]{0,18}\\.[0-9]{1,18}",
        "-?[1-9]\\.[0-9]{1,30}E-?[1-9][0-9]",
        Just("0".to_owned()),
    ];
    text.prop_map(|text| text.parse().unwrap())
}

fn value() -> impl Strategy<Value = AttributeValue> {
    let leaf = prop_oneof![
        any::<String>().prop_map(AttributeValue::S),
        number().prop_map(AttributeValue::N),
        any::<Vec<u8>>().prop_map(AttributeValue::B),
        vec(any::<String>(), 1..4).prop_map(AttributeValue::Ss),
        vec(number(), 1..4).prop_map(AttributeValue::Ns),
        vec(any::<Vec<u8>>(), 1..4).prop_map(AttributeValue::Bs),
        any::<bool>().prop_map(AttributeValue::Bool),
        Just(AttributeValue::Null),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(AttributeValue::L),
            btree_map(any::<String>(), inner, 0..5).prop_map(AttributeValue::M),
        ]
    })
}

fn item() -> impl Strategy<Value = Item> {
    btree_map(any::<String>(), value(), 0..6)
}

/// An item with few names, so that two of them share some.
fn small_item() -> impl Strategy<Value = Item> {
    btree_map("[a-d]", value(), 0..4)
}

/// The same value in another spelling: numbers with an exponent, sets from their end.
fn respelled(value: AttributeValue) -> AttributeValue {
    let number = |number: Number| match number.as_str() {
        text if text.contains('E') => number,
        text => format!("{text}E0").parse().unwrap(),
    };
    match value {
        AttributeValue::N(n) => AttributeValue::N(number(n)),
        AttributeValue::Ss(set) => AttributeValue::Ss(set.into_iter().rev().collect()),
        AttributeValue::Ns(set) => AttributeValue::Ns(set.into_iter().rev().map(number).collect()),
        AttributeValue::Bs(set) => AttributeValue::Bs(set.into_iter().rev().collect()),
        AttributeValue::L(list) => AttributeValue::L(list.into_iter().map(respelled).collect()),
        AttributeValue::M(item) => AttributeValue::M(respelled_item(item)),
        other => other,
    }
}

fn respelled_item(item: Item) -> Item {
    item.into_iter().map(|(name, value)| (name, respelled(value))).collect()
}

/// A type whose every field is filled by serde, as a check of the tree by other means.
#[derive(serde::Deserialize, Debug)]
struct Typed {
    s: String,
    n: i64,
    exact: Number,
    float: f64,
    b: Bytes,
    list: Vec<AttributeValue>,
    map: HashMap<String, AttributeValue>,
    set: Vec<String>,
    maybe: Option<bool>,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn tree_to_text_to_tree(item in item()) {
        let json = item_to_json(&item);
        prop_assert_eq!(&item_from_json(&json).unwrap(), &item);
        // JSON to another parser too.
        prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
    }

    #[test]
    fn text_to_tree_to_text(item in item()) {
        let json = item_to_json(&item);
        prop_assert_eq!(item_to_json(&item_from_json(&json).unwrap()), json);
    }

    #[test]
    fn escapes_and_white_space_of_another_writer_change_nothing(item in item()) {
        let json: serde_json::Value = serde_json::from_str(&item_to_json(&item)).unwrap();
        let pretty = serde_json::to_string_pretty(&json).unwrap();
        let ascii: String = pretty.chars().map(|c| {
            let mut units = [0; 2];
            if c.is_ascii() { c.to_string() } else { c.encode_utf16(&mut units).iter().map(|u| format!("\\u{u:04X}")).collect() }
        }).collect();
        prop_assert_eq!(&item_from_json(&ascii).unwrap(), &item);
    }

    #[test]
    fn serde_agrees_with_the_tree(item in item()) {
        let json = item_to_json(&item);
        prop_assert_eq!(&from_json::<Item>(&json).unwrap(), &item);
        let any: Result<HashMap<String, serde::de::IgnoredAny>, _> = from_json(&json);
        prop_assert_eq!(any.unwrap().len(), item.len());
    }

    #[test]
    fn a_struct_agrees_with_the_tree(
        s in any::<String>(), n in any::<i64>(), exact in number(), b in any::<Vec<u8>>(),
        list in vec(value(), 0..4), map in item(), set in vec(any::<String>(), 1..4),
        maybe in any::<Option<bool>>(), unknown in value(),
    ) {
        let mut item = Item::new();
        let mut put = |name: &str, value| item.insert(name.to_owned(), value);
        put("s", AttributeValue::S(s.clone()));
        put("n", AttributeValue::N(n.into()));
        put("exact", AttributeValue::N(exact.clone()));
        put("float", AttributeValue::N(exact.clone()));
        put("b", AttributeValue::B(b.clone()));
        put("list", AttributeValue::L(list.clone()));
        put("map", AttributeValue::M(map.clone()));
        put("set", AttributeValue::Ss(set.clone()));
        put("maybe", maybe.map_or(AttributeValue::Null, AttributeValue::Bool));
        put("unknown", unknown);
        let typed: Typed = from_json(&item_to_json(&item)).unwrap();
        prop_assert_eq!((typed.s, typed.n, typed.b.0, typed.set, typed.maybe), (s, n, b, set, maybe));
        prop_assert_eq!(typed.float, exact.to_f64());
        prop_assert_eq!((typed.exact, typed.list), (exact, list));
        prop_assert_eq!(typed.map.into_iter().collect::<Item>(), map);
    }

    #[test]
    fn another_spelling_is_no_change(item in small_item()) {
        let record = Record::modify("t").key("pk", 1).old_image(item.clone()).new_image(respelled_item(item)).build();
        prop_assert_eq!(record.changes().unwrap(), Default::default());
        for name in ["a", "b", "c", "d", "pk"] {
            prop_assert_eq!(record.changed(name), Ok(false));
        }
    }

    #[test]
    fn the_changes_make_the_new_image_of_the_old_one(old in small_item(), new in small_item()) {
        let record = Record::modify("t").key("pk", 1).old_image(old.clone()).new_image(new.clone()).build();
        let changes = record.changes().unwrap();
        let mut made = old.clone();
        for (name, change) in &changes {
            prop_assert_eq!(change.old_value(), old.get(name));
            prop_assert_eq!(change.new_value(), new.get(name));
            match change {
                Change::Added(value) | Change::Modified { new: value, .. } => drop(made.insert(name.clone(), value.clone())),
                Change::Removed(_) => drop(made.remove(name)),
            }
        }
        let rest = Record::modify("t").key("pk", 1).old_image(made).new_image(new).build();
        prop_assert_eq!(rest.changes().unwrap(), Default::default());
        for name in ["a", "b", "c", "d"] {
            prop_assert_eq!(record.changed(name), Ok(changes.contains_key(name)));
        }
    }

    /// Any damage to a text gives an error or another tree, never a panic, and every way of reading agrees on which.
    #[test]
    fn damaged_texts_never_panic(item in item(), at in any::<prop::sample::Index>(), with in "[\"{}\\[\\],:\\\\a0é\\x00]{0,3}", cut in 0..4_usize) {
        let chars: Vec<char> = item_to_json(&item).chars().collect();
        let at = at.index(chars.len());
        let damaged: String = chars[..at].iter().copied().chain(with.chars()).chain(chars[at..].iter().copied().skip(cut)).collect();
        let tree = item_from_json(&damaged);
        let map = from_json::<Item>(&damaged);
        prop_assert_eq!(tree.as_ref().ok(), map.as_ref().ok());
        let _ = from_json::<serde_json::Value>(&damaged);
        let _ = from_json::<Typed>(&damaged);
        let _ = from_json::<serde::de::IgnoredAny>(&damaged);
    }

    #[test]
    fn any_text_at_all_never_panics(text in any::<String>()) {
        let _ = item_from_json(&text);
        let _ = text.parse::<Number>();
        let _ = gristmill_sdk::StreamRecord::from_json(&text);
        let json = Record::modify("t").key("pk", 1).to_json();
        if let Ok(record) = gristmill_sdk::StreamRecord::from_json(&json.replace(r#""NewImage":{"#, &format!(r#""NewImage":{{{text}"#))) {
            let _ = record.changes();
            let _ = record.changed("pk");
        }
    }

    #[test]
    fn integers_survive(n in any::<i128>(), small in any::<i16>()) {
        let json = format!(r#"{{"n":{{"N":"{n}"}},"small":{{"N":"{small}"}}}}"#);
        let read = from_json::<HashMap<String, i128>>(&json);
        if n.unsigned_abs() < 10_u128.pow(38) {
            prop_assert_eq!(read.unwrap()["n"], n);
        }
        prop_assert_eq!(i16::try_from(&Number::from(small)).unwrap(), small);
        prop_assert_eq!(i128::from(i16::try_from(&Number::from(small)).unwrap()), i128::from(small));
    }
}
