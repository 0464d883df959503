//! Attribute values: as DynamoDB JSON, and their size as DynamoDB counts it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, SerializeMap as _, Serializer};

/// An attribute value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    S(String),
    /// A decimal number.
    N(String),
    B(Vec<u8>),
    Ss(Vec<String>),
    Ns(Vec<String>),
    Bs(Vec<Vec<u8>>),
    M(Item),
    L(Vec<Value>),
    Bool(bool),
    Null,
}

/// Attributes in their order: DynamoDB has none, and a file has one.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Item(pub(super) Vec<(&'static str, Value)>);

impl Item {
    /// Names and values, in bytes.
    pub(super) fn size(&self) -> usize {
        self.0.iter().map(|(name, value)| name.len() + value.size()).sum()
    }
}

impl Value {
    /// In bytes. S, B, BOOL and a short N are in AWS-FACTS; the rest is as
    /// DynamoDB's guide has the size of an item, which no capture confirms for
    /// a stream's SizeBytes. Nothing of gristmill relies on it.
    fn size(&self) -> usize {
        /// Of a list or map, whatever is in it; each element adds one.
        const OVERHEAD: usize = 3;
        match self {
            Self::S(text) => text.len(),
            Self::N(number) => number_size(number),
            Self::B(bytes) => bytes.len(),
            Self::Ss(texts) => texts.iter().map(String::len).sum(),
            Self::Ns(numbers) => numbers.iter().map(|number| number_size(number)).sum(),
            Self::Bs(values) => values.iter().map(Vec::len).sum(),
            Self::M(item) => OVERHEAD + item.0.len() + item.size(),
            Self::L(values) => OVERHEAD + values.iter().map(|value| 1 + value.size()).sum::<usize>(),
            Self::Bool(_) | Self::Null => 1,
        }
    }
}

/// A byte for every two significant digits, one more, and one for a sign.
fn number_size(number: &str) -> usize {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let significant =
        if number.contains('.') { digits.trim_start_matches('0').len() } else { digits.trim_matches('0').len() };
    significant.div_ceil(2) + 1 + usize::from(number.starts_with('-'))
}

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Self::S(text) => map.serialize_entry("S", text),
            Self::N(number) => map.serialize_entry("N", number),
            Self::B(bytes) => map.serialize_entry("B", &STANDARD.encode(bytes)),
            Self::Ss(texts) => map.serialize_entry("SS", texts),
            Self::Ns(numbers) => map.serialize_entry("NS", numbers),
            Self::Bs(values) => {
                map.serialize_entry("BS", &values.iter().map(|bytes| STANDARD.encode(bytes)).collect::<Vec<_>>())
            }
            Self::M(item) => map.serialize_entry("M", item),
            Self::L(values) => map.serialize_entry("L", values),
            Self::Bool(value) => map.serialize_entry("BOOL", value),
            Self::Null => map.serialize_entry("NULL", &true),
        }?;
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_the_facts() {
        for (value, size) in [
            (Value::S("Tung".to_owned()), 4),
            (Value::S("ü".to_owned()), 2),
            (Value::B(vec![0; 5]), 5),
            (Value::Bool(false), 1),
            (Value::N("42".to_owned()), 2),
            (Value::N("-42".to_owned()), 3),
            (Value::N("12.50".to_owned()), 3),
            (Value::Null, 1),
            (Value::M(Item::default()), 3),
            (Value::L(vec![Value::Null]), 5),
        ] {
            assert_eq!(value.size(), size, "{value:?}");
        }
    }

    #[test]
    fn the_seed_events_size_is_found() {
        let text = |text: &str| Value::S(text.to_owned());
        let keys = Item(vec![("id", text("1"))]);
        let new = Item(vec![("name", text("Tung Nguyen")), ("id", text("1"))]);
        let old = Item(vec![("name", text("Tung")), ("id", text("1"))]);
        assert_eq!(keys.size() + new.size() + old.size(), 32);
    }
}
