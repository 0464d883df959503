//! From a record's DynamoDB JSON to the typed record, straight from the text.

use std::fmt;

use gristmill_host::event::{EventName, Record};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::bindings::trees::FlatRecord;
use crate::bindings::trees::gristmill::design::flat_trees::Value;

/// The typed record.
///
/// # Panics
///
/// When an image is not DynamoDB JSON, or there are no keys.
pub(crate) fn flat(record: Record<'_>) -> FlatRecord {
    let mut values = Vec::new();
    let keys = item(record.keys().unwrap(), &mut values);
    let new_image = record.new_image().map(|text| item(text, &mut values));
    let old_image = record.old_image().map(|text| item(text, &mut values));
    let event_name = match record.name() {
        Some(EventName::Insert) => "INSERT",
        Some(EventName::Modify) => "MODIFY",
        Some(EventName::Remove) => "REMOVE",
        None => panic!("a record without a name"),
    };
    FlatRecord {
        event_id: record.event_id().unwrap_or_default().to_owned(),
        event_name: event_name.to_owned(),
        region: record.region().into_owned(),
        stream_arn: record.stream_arn().to_owned(),
        sequence_number: record.sequence_number().as_str().to_owned(),
        size_bytes: record.size_bytes(),
        created_at_ms: record.created_at_ms(),
        values,
        keys,
        new_image,
        old_image,
    }
}

fn item(text: &str, values: &mut Vec<Value>) -> u32 {
    let mut text = serde_json::Deserializer::from_str(text);
    let map = Attributes(values).deserialize(&mut text).unwrap();
    add(values, map)
}

fn add(values: &mut Vec<Value>, value: Value) -> u32 {
    values.push(value);
    u32::try_from(values.len() - 1).unwrap()
}

/// The attributes of an item or a map, `{"id":{"S":"1"}, …}`.
struct Attributes<'v>(&'v mut Vec<Value>);

impl<'de> DeserializeSeed<'de> for Attributes<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Attributes<'_> {
    type Value = Value;

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("attributes by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut attributes = Vec::new();
        while let Some(name) = map.next_key()? {
            attributes.push((name, map.next_value_seed(Tagged(self.0))?));
        }
        Ok(Value::M(attributes))
    }
}

/// A value with its type, `{"S":"1"}`; its place.
struct Tagged<'v>(&'v mut Vec<Value>);

impl<'de> DeserializeSeed<'de> for Tagged<'_> {
    type Value = u32;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<u32, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Tagged<'_> {
    type Value = u32;

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("a value with its type")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<u32, A::Error> {
        let tag = map.next_key::<&str>()?.ok_or_else(|| A::Error::custom("no type"))?;
        let value = match tag {
            "S" => Value::S(map.next_value()?),
            "N" => Value::N(map.next_value()?),
            "BOOL" => Value::Bool(map.next_value()?),
            "NULL" => {
                map.next_value::<IgnoredAny>()?;
                Value::Null
            }
            "SS" => Value::Ss(map.next_value()?),
            "NS" => Value::Ns(map.next_value()?),
            "L" => map.next_value_seed(Elements(self.0))?,
            "M" => map.next_value_seed(Attributes(self.0))?,
            // The events of the benchmarks have no binary values.
            other => return Err(A::Error::custom(format!("the type {other}"))),
        };
        Ok(add(self.0, value))
    }
}

/// The elements of a list.
struct Elements<'v>(&'v mut Vec<Value>);

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = Value;

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut places = Vec::new();
        while let Some(place) = list.next_element_seed(Tagged(self.0))? {
            places.push(place);
        }
        Ok(Value::L(places))
    }
}
