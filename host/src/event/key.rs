//! The identity of an item: its key attributes, whatever their spelling (R3).

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::number::Decimal;

/// Two spellings of the same bytes are one key, so padding and unused bits do
/// not matter.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The key attributes of an item in a canonical form: sorted by name, each as
/// name, type and decoded value. Equal for two spellings of one key.
///
/// The stream's ARN belongs to an item's identity too, but all records of an
/// event share it, so it is not repeated here.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemKey(Box<[u8]>);

impl ItemKey {
    /// Reads the `Keys` of a record.
    ///
    /// # Errors
    ///
    /// The reason, when `json` is not a non-empty object of attributes whose
    /// type is `S`, `N` or `B` and whose value is of that type.
    pub fn parse(json: &str) -> Result<Self, String> {
        let Attributes(mut attributes) = serde_json::from_str(json).map_err(|error| error.to_string())?;
        attributes.sort_by(|(a, _), (b, _)| a.cmp(b));
        if let Some(twice) = attributes.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(format!("attribute {:?} is there twice", twice[0].0));
        }
        if attributes.is_empty() {
            return Err("no key attributes".to_owned());
        }
        let mut canonical = Vec::with_capacity(json.len());
        for (name, Scalar { kind, text }) in &attributes {
            write_sized(&mut canonical, name.as_bytes());
            canonical.push(*kind);
            match kind {
                b'S' => write_sized(&mut canonical, text.as_bytes()),
                b'N' => {
                    let number = Decimal::parse(text).ok_or_else(|| format!("attribute {name:?}: not a number"))?;
                    let mut value = Vec::with_capacity(text.len() + 4);
                    number.write(&mut value);
                    write_sized(&mut canonical, &value);
                }
                _ => {
                    let bytes = BASE64.decode(text.as_bytes());
                    let bytes = bytes.map_err(|error| format!("attribute {name:?}: not base64: {error}"))?;
                    write_sized(&mut canonical, &bytes);
                }
            }
        }
        Ok(Self(canonical.into_boxed_slice()))
    }
}

/// A length before each part, so that no two keys run together into one.
fn write_sized(out: &mut Vec<u8>, part: &[u8]) {
    out.extend_from_slice(&(part.len() as u64).to_le_bytes());
    out.extend_from_slice(part);
}

/// The canonical form holds the values of users' keys, which no log line of
/// the host shows.
impl fmt::Debug for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ItemKey({} bytes)", self.0.len())
    }
}

/// As they come: a key has one or two.
struct Attributes<'a>(Vec<(Cow<'a, str>, Scalar<'a>)>);

impl<'de> Deserialize<'de> for Attributes<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AttributesVisitor;
        impl<'de> Visitor<'de> for AttributesVisitor {
            type Value = Attributes<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of key attributes")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut attributes = Vec::new();
                while let Some(Text(name)) = map.next_key()? {
                    attributes.push((name, map.next_value()?));
                }
                Ok(Attributes(attributes))
            }
        }
        deserializer.deserialize_map(AttributesVisitor)
    }
}

struct Scalar<'a> {
    /// `S`, `N` or `B`.
    kind: u8,
    text: Cow<'a, str>,
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScalarVisitor;
        impl<'de> Visitor<'de> for ScalarVisitor {
            type Value = Scalar<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with one of S, N and B")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let wrong = || serde::de::Error::custom("a key attribute has one of S, N and B, once");
                let Some(Text(kind)) = map.next_key()? else { return Err(wrong()) };
                let kind = match &*kind {
                    "S" => b'S',
                    "N" => b'N',
                    "B" => b'B',
                    _ => return Err(wrong()),
                };
                let Text(text) = map.next_value()?;
                match map.next_key::<Text<'_>>()? {
                    None => Ok(Scalar { kind, text }),
                    Some(_) => Err(wrong()),
                }
            }
        }
        deserializer.deserialize_map(ScalarVisitor)
    }
}

/// A string, borrowed where it has no escapes. (A plain `Cow` always copies.)
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(json: &str) -> ItemKey {
        ItemKey::parse(json).unwrap()
    }

    #[test]
    fn spellings_of_one_key_are_one_item() {
        for (a, b) in [
            (r#"{"id":{"S":"1"},"at":{"N":"7"}}"#, r#"{ "at": {"N": "7.0"}, "id": {"S": "1"} }"#),
            (r#"{"id":{"S":"A"}}"#, r#"{"id":{"S":"\u0041"}}"#),
            (r#"{"id":{"S":"A"}}"#, r#"{"\u0069d":{"\u0053":"A"}}"#),
            (r#"{"id":{"S":"😀/"}}"#, r#"{"id":{"S":"\ud83d\ude00\/"}}"#),
            (r#"{"id":{"N":"100"}}"#, r#"{"id":{"N":"1E+2"}}"#),
            (r#"{"id":{"B":"AQ=="}}"#, r#"{"id":{"B":"AQ"}}"#),
            (r#"{"id":{"B":"AQ=="}}"#, r#"{"id":{"B":"AR=="}}"#),
        ] {
            assert_eq!(key(a), key(b), "{a} {b}");
        }
    }

    #[test]
    fn different_keys_are_different_items() {
        let keys = [
            r#"{"id":{"S":"1"}}"#,
            r#"{"id":{"N":"1"}}"#,
            r#"{"id":{"B":"1111"}}"#,
            r#"{"id":{"S":"1111"}}"#,
            r#"{"ID":{"S":"1"}}"#,
            r#"{"id":{"S":"1 "}}"#,
            r#"{"id":{"S":"1"},"at":{"S":""}}"#,
            r#"{"id":{"S":""},"at":{"S":"1"}}"#,
            // Composed and decomposed: DynamoDB compares bytes.
            "{\"id\":{\"S\":\"\u{e9}\"}}",
            "{\"id\":{\"S\":\"e\u{301}\"}}",
        ];
        for (i, a) in keys.iter().enumerate() {
            for b in &keys[i + 1..] {
                assert_ne!(key(a), key(b), "{a} {b}");
            }
        }
    }

    #[test]
    fn what_is_no_key_is_refused_with_the_reason() {
        for (json, reason) in [
            ("{}", "no key attributes"),
            ("[]", "expected an object of key attributes"),
            ("\"id\"", "expected an object of key attributes"),
            (r#"{"id":"1"}"#, "expected an object with one of S, N and B"),
            (r#"{"id":{}}"#, "a key attribute has one of S, N and B, once"),
            (r#"{"id":{"BOOL":true}}"#, "a key attribute has one of S, N and B, once"),
            (r#"{"id":{"S":"1","N":"1"}}"#, "a key attribute has one of S, N and B, once"),
            (r#"{"id":{"S":1}}"#, "expected a string"),
            (r#"{"id":{"N":"one"}}"#, "attribute \"id\": not a number"),
            (r#"{"id":{"B":"*"}}"#, "attribute \"id\": not base64"),
            (r#"{"id":{"S":"1"},"id":{"S":"2"}}"#, "attribute \"id\" is there twice"),
            (r#"{"id":{"S":"\ud800"}}"#, "unexpected end of hex escape"),
        ] {
            let error = ItemKey::parse(json).unwrap_err();
            assert!(error.contains(reason), "{json}: {error}");
        }
    }
}
