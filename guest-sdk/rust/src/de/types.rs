//! How this crate's own types are read by serde: from DynamoDB JSON, and from what serde has buffered of it.

use std::fmt;
use std::ops::Deref;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{ATTRIBUTE_VALUE, NUMBER};
use crate::{AttributeValue, Item, Number, number};

/// Bytes, from binary (B). For fields of structs; `Vec<u8>` works too, but not where serde buffers (`flatten`, untagged).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bytes(pub Vec<u8>);

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Bytes> for Vec<u8> {
    fn from(bytes: Bytes) -> Self {
        bytes.0
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BytesVisitor;

        impl Visitor<'_> for BytesVisitor {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("binary (B)")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }

            fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }
        }

        deserializer.deserialize_byte_buf(BytesVisitor)
    }
}

/// From a number (N), exactly. Reads DynamoDB JSON through this crate only.
impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberVisitor;

        impl<'de> Visitor<'de> for NumberVisitor {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number (N)")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_string<E: de::Error>(self, text: String) -> Result<Number, E> {
                number::check(&text).map_err(E::custom)?;
                Ok(Number::checked(text))
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, buffered: D) -> Result<Number, D::Error> {
                let value = buffered.deserialize_any(BufferedVisitor)?;
                match value {
                    AttributeValue::N(number) => Ok(number),
                    _ => Err(de::Error::custom("expected a number (N)")),
                }
            }
        }

        deserializer.deserialize_newtype_struct(NUMBER, NumberVisitor)
    }
}

/// Takes whatever is there, exactly. Reads DynamoDB JSON through this crate only.
///
/// Where serde buffers (`flatten`, untagged and internally tagged enums) a set cannot be told from a list any more. What
/// could be either is an error there, and everything else is as exact as elsewhere.
impl<'de> Deserialize<'de> for AttributeValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = AttributeValue;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an attribute value")
            }

            fn visit_str<E: de::Error>(self, json: &str) -> Result<AttributeValue, E> {
                json.parse().map_err(E::custom)
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, buffered: D) -> Result<AttributeValue, D::Error> {
                buffered.deserialize_any(BufferedVisitor)
            }
        }

        deserializer.deserialize_newtype_struct(ATTRIBUTE_VALUE, TextVisitor)
    }
}

/// Makes an attribute value of what serde has buffered.
struct BufferedVisitor;

impl<'de> Visitor<'de> for BufferedVisitor {
    type Value = AttributeValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an attribute value")
    }

    fn visit_bool<E: de::Error>(self, boolean: bool) -> Result<AttributeValue, E> {
        Ok(AttributeValue::Bool(boolean))
    }

    fn visit_i64<E: de::Error>(self, integer: i64) -> Result<AttributeValue, E> {
        Ok(AttributeValue::N(integer.into()))
    }

    fn visit_u64<E: de::Error>(self, integer: u64) -> Result<AttributeValue, E> {
        Ok(AttributeValue::N(integer.into()))
    }

    fn visit_f64<E: de::Error>(self, float: f64) -> Result<AttributeValue, E> {
        Number::try_from(float).map(AttributeValue::N).map_err(E::custom)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<AttributeValue, E> {
        Ok(AttributeValue::S(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<AttributeValue, E> {
        Ok(AttributeValue::S(text))
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<AttributeValue, E> {
        Ok(AttributeValue::B(bytes.to_vec()))
    }

    fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<AttributeValue, E> {
        Ok(AttributeValue::B(bytes))
    }

    fn visit_unit<E: de::Error>(self) -> Result<AttributeValue, E> {
        Ok(AttributeValue::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<AttributeValue, E> {
        Ok(AttributeValue::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<AttributeValue, D::Error> {
        deserializer.deserialize_any(self)
    }

    /// A number that neither an integer nor a float holds exactly.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, text: D) -> Result<AttributeValue, D::Error> {
        String::deserialize(text)?.parse().map(AttributeValue::N).map_err(de::Error::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<AttributeValue, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            list.push(element);
        }
        let could_be_a_set = match list.first() {
            Some(AttributeValue::S(_)) => list.iter().all(|element| element.as_s().is_some()),
            Some(AttributeValue::N(_)) => list.iter().all(|element| element.as_n().is_some()),
            Some(AttributeValue::B(_)) => list.iter().all(|element| element.as_b().is_some()),
            Some(_) | None => false,
        };
        if could_be_a_set {
            return Err(de::Error::custom("under flatten or in an untagged enum, a set cannot be told from a list"));
        }
        Ok(AttributeValue::L(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut attributes: A) -> Result<AttributeValue, A::Error> {
        let mut item = Item::new();
        while let Some((name, value)) = attributes.next_entry()? {
            item.insert(name, value);
        }
        Ok(AttributeValue::M(item))
    }
}
