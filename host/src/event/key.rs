//! The identity of an item: its key attributes, whatever their spelling (R3).

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::number::Decimal;
use super::scan::{Cursor, Fault};

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
        Self::read(json).map_err(|Fault { path, reason }| match path.as_str() {
            "" => reason,
            path => format!("{path}: {reason}"),
        })
    }

    pub(super) fn read(json: &str) -> Result<Self, Fault> {
        let mut attributes = attributes(json)?;
        attributes.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(twice) = attributes.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(Fault::new("the attribute is there twice").within(&twice[0].name));
        }
        if attributes.is_empty() {
            return Err(Fault::new("no key attributes"));
        }
        let mut canonical = Vec::with_capacity(json.len());
        for Attribute { name, kind, text } in &attributes {
            let wrong = |reason: String| Fault::new(reason).within(name);
            write_sized(&mut canonical, name.as_bytes());
            canonical.push(*kind);
            match kind {
                b'S' => write_sized(&mut canonical, text.as_bytes()),
                b'N' => {
                    let number = Decimal::parse(text).ok_or_else(|| wrong("not a number".to_owned()))?;
                    let mut value = Vec::with_capacity(text.len() + 4);
                    number.write(&mut value);
                    write_sized(&mut canonical, &value);
                }
                _ => {
                    let bytes = BASE64.decode(text.as_bytes());
                    let bytes = bytes.map_err(|error| wrong(format!("not base64: {error}")))?;
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

struct Attribute<'a> {
    name: Cow<'a, str>,
    /// `S`, `N` or `B`.
    kind: u8,
    text: Cow<'a, str>,
}

/// As they come: a key has one or two.
fn attributes(json: &str) -> Result<Vec<Attribute<'_>>, Fault> {
    let mut attributes = Vec::with_capacity(2);
    let mut cursor = Cursor::new(json);
    cursor.object("an object of key attributes", |cursor, name| {
        let mut scalar = None;
        cursor.object("an object with one of S, N and B", |cursor, kind| {
            let kind = match &**kind {
                "S" => b'S',
                "N" => b'N',
                "B" => b'B',
                _ => return Err(Fault::new("the type of a key attribute is S, N or B")),
            };
            match scalar.replace((kind, cursor.string()?)) {
                None => Ok(()),
                Some(_) => Err(Fault::new("a key attribute has one value")),
            }
        })?;
        let (kind, text) = scalar.ok_or_else(|| Fault::new("a key attribute has one of S, N and B"))?;
        attributes.push(Attribute { name: name.clone(), kind, text });
        Ok(())
    })?;
    cursor.end()?;
    Ok(attributes)
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
            (r#"{"id":"1"}"#, "id: expected an object with one of S, N and B, found a string"),
            (r#"{"id":{}}"#, "id: a key attribute has one of S, N and B"),
            (r#"{"id":{"BOOL":true}}"#, "id.BOOL: the type of a key attribute is S, N or B"),
            (r#"{"id":{"S":"1","N":"1"}}"#, "id.N: a key attribute has one value"),
            (r#"{"id":{"S":1}}"#, "id.S: expected a string, found a number"),
            (r#"{"id":{"N":"one"}}"#, "id: not a number"),
            (r#"{"id":{"B":"*"}}"#, "id: not base64"),
            (r#"{"id":{"S":"1"},"id":{"S":"2"}}"#, "id: the attribute is there twice"),
            (r#"{"id":{"S":"\ud800"}}"#, "id.S: unexpected end of hex escape"),
            (r#"{"id":{"S":"1"}} x"#, "expected the end at byte 17"),
            (r#"{"id":{"S":"1"}"#, "expected a comma or the end of the object, found the end of the text"),
        ] {
            let error = ItemKey::parse(json).unwrap_err();
            assert!(error.contains(reason), "{json}: {error}");
        }
    }
}
