//! The tree of an attribute's value, for code that does not know beforehand what it will find.
//!
//! Holds what DynamoDB holds, no more and no less: text → tree → text changes nothing but white space, the order of names
//! and the way in which characters are escaped.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::de::{Scanner, Type};
use crate::{Bytes, ImageError, Number, number};

/// An item, or a part of it: names and values. Sorted by name, since DynamoDB promises no order.
pub type Item = BTreeMap<String, AttributeValue>;

/// The value of an attribute, without loss.
///
/// The variants have DynamoDB's names. Two sets are equal when they have the same elements, in any order, since DynamoDB
/// promises none. As a field of a struct that [`crate::from_json`] reads, it takes whatever is there. `into` makes one of
/// a string, an integer, a boolean and others.
///
/// ```
/// use gristmill_sdk::{AttributeValue, Item};
///
/// let value: AttributeValue = r#"{"L":[{"N":"1.50"},{"SS":["a","b"]}]}"#.parse()?;
/// assert_eq!(value.as_l().map(<[_]>::len), Some(2));
/// assert_eq!(value.to_json(), r#"{"L":[{"N":"1.50"},{"SS":["a","b"]}]}"#);
/// # Ok::<(), gristmill_sdk::ImageError>(())
/// ```
#[derive(Clone, Debug)]
pub enum AttributeValue {
    /// A string.
    S(String),
    /// A number, as its decimal text.
    N(Number),
    /// Bytes.
    B(Vec<u8>),
    /// A set of strings, in the order in which they came.
    Ss(Vec<String>),
    /// A set of numbers, in the order in which they came.
    Ns(Vec<Number>),
    /// A set of byte strings, in the order in which they came.
    Bs(Vec<Vec<u8>>),
    /// A map.
    M(Item),
    /// A list.
    L(Vec<AttributeValue>),
    /// True or false.
    Bool(bool),
    /// Null, which is not the same as an absent attribute.
    Null,
}

impl AttributeValue {
    /// The text, if this is a string.
    #[must_use]
    pub fn as_s(&self) -> Option<&str> {
        if let Self::S(text) = self { Some(text) } else { None }
    }

    /// The number, if this is one.
    #[must_use]
    pub fn as_n(&self) -> Option<&Number> {
        if let Self::N(number) = self { Some(number) } else { None }
    }

    /// The bytes, if this is binary.
    #[must_use]
    pub fn as_b(&self) -> Option<&[u8]> {
        if let Self::B(bytes) = self { Some(bytes) } else { None }
    }

    /// The attributes, if this is a map.
    #[must_use]
    pub fn as_m(&self) -> Option<&Item> {
        if let Self::M(item) = self { Some(item) } else { None }
    }

    /// The elements, if this is a list.
    #[must_use]
    pub fn as_l(&self) -> Option<&[Self]> {
        if let Self::L(list) = self { Some(list) } else { None }
    }

    /// True or false, if this is a boolean.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(boolean) = self { Some(*boolean) } else { None }
    }

    /// Whether this is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// DynamoDB JSON, such as `{"S":"text"}`, without white space.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut json = String::new();
        write_value(&mut json, self);
        json
    }
}

macro_rules! from {
    ($($type:ty => |$value:ident| $made:expr, $docs:literal;)+) => {$(
        #[doc = $docs]
        impl From<$type> for AttributeValue {
            fn from($value: $type) -> Self {
                $made
            }
        }
    )+};
}
from! {
    &str => |text| Self::S(text.to_owned()), "A string (S).";
    String => |text| Self::S(text), "A string (S).";
    bool => |boolean| Self::Bool(boolean), "A boolean (BOOL).";
    Number => |number| Self::N(number), "A number (N).";
    Bytes => |bytes| Self::B(bytes.0), "Binary (B).";
    Vec<AttributeValue> => |list| Self::L(list), "A list (L). A set says which it is: [`AttributeValue::Ss`].";
    Item => |item| Self::M(item), "A map (M).";
}

macro_rules! from_integers {
    ($($integer:ident)+) => {$(
        /// A number (N).
        impl From<$integer> for AttributeValue {
            fn from(integer: $integer) -> Self {
                Self::N(integer.into())
            }
        }
    )+};
}
// As for a number: the 128-bit ones have up to 39 digits, and a float is not always a number.
from_integers!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

impl std::str::FromStr for AttributeValue {
    type Err = ImageError;

    /// Reads DynamoDB JSON, such as `{"S":"text"}`.
    ///
    /// # Errors
    ///
    /// The text is not DynamoDB JSON, has a name twice, or is nested deeper than 64 levels.
    fn from_str(json: &str) -> Result<Self, ImageError> {
        let mut scan = Scanner::new(json);
        let value = read_value(&mut scan)?;
        scan.end()?;
        Ok(value)
    }
}

/// DynamoDB JSON.
impl fmt::Display for AttributeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

impl PartialEq for AttributeValue {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::S(a), Self::S(b)) => a == b,
            (Self::N(a), Self::N(b)) => a == b,
            (Self::B(a), Self::B(b)) => a == b,
            (Self::Ss(a), Self::Ss(b)) => same_elements(a, b, String::as_bytes),
            (Self::Ns(a), Self::Ns(b)) => same_elements(a, b, |number| number.as_str().as_bytes()),
            (Self::Bs(a), Self::Bs(b)) => same_elements(a, b, Vec::as_slice),
            (Self::M(a), Self::M(b)) => a == b,
            (Self::L(a), Self::L(b)) => a == b,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Null, Self::Null) => true,
            _ => false,
        }
    }
}

impl Eq for AttributeValue {}

fn same_elements<T: PartialEq>(a: &[T], b: &[T], key: impl Fn(&T) -> &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    // The usual case, and cheap.
    if a == b {
        return true;
    }
    let sorted = |set: &[T]| -> Vec<Vec<u8>> {
        let mut keys: Vec<Vec<u8>> = set.iter().map(|element| key(element).to_vec()).collect();
        keys.sort_unstable();
        keys
    };
    sorted(a) == sorted(b)
}

/// Reads the tree of an image, or of keys, from its DynamoDB JSON (`{"id":{"S":"1"}, …}`).
///
/// ```
/// let item = gristmill_sdk::item_from_json(r#"{"id":{"S":"1"}}"#)?;
/// assert_eq!(item["id"].as_s(), Some("1"));
/// assert_eq!(gristmill_sdk::item_to_json(&item), r#"{"id":{"S":"1"}}"#);
/// # Ok::<(), gristmill_sdk::ImageError>(())
/// ```
///
/// # Errors
///
/// The text is not DynamoDB JSON, has a name twice, or is nested deeper than 64 levels.
pub fn item_from_json(json: &str) -> Result<Item, ImageError> {
    let mut scan = Scanner::new(json);
    let item = read_map(&mut scan)?;
    scan.end()?;
    Ok(item)
}

/// Writes an item as DynamoDB JSON, without white space.
#[must_use]
pub fn item_to_json(item: &Item) -> String {
    let mut json = String::new();
    write_map(&mut json, item);
    json
}

/// One level of the tree. Each level of nesting is one frame of this function and one of the loop that calls it, which is
/// what bounds the depth that a small stack can take.
fn read_value(scan: &mut Scanner<'_>) -> Result<AttributeValue, ImageError> {
    let value = match scan.open()? {
        Type::S => AttributeValue::S(scan.string()?.into_owned()),
        Type::N => AttributeValue::N(read_number(scan)?),
        Type::B => AttributeValue::B(scan.binary()?),
        Type::Ss => AttributeValue::Ss(read_list(scan, |scan| Ok(scan.string()?.into_owned()))?),
        Type::Ns => AttributeValue::Ns(read_list(scan, read_number)?),
        Type::Bs => AttributeValue::Bs(read_list(scan, |scan| scan.binary())?),
        Type::M => AttributeValue::M(read_map(scan)?),
        Type::L => AttributeValue::L(read_list(scan, read_value)?),
        Type::Bool => AttributeValue::Bool(scan.boolean()?),
        Type::Null => {
            scan.null()?;
            AttributeValue::Null
        }
    };
    scan.close()?;
    Ok(value)
}

fn read_number(scan: &mut Scanner<'_>) -> Result<Number, ImageError> {
    let text = scan.number()?;
    number::check(&text)?;
    Ok(Number::checked(text.into_owned()))
}

#[inline(never)]
fn read_list<T>(
    scan: &mut Scanner<'_>,
    read: impl Fn(&mut Scanner<'_>) -> Result<T, ImageError>,
) -> Result<Vec<T>, ImageError> {
    let mut list = Vec::new();
    scan.enter(b'[')?;
    while scan.next(list.is_empty(), b']')? {
        list.push(read(scan).map_err(|error| error.in_element(list.len()))?);
    }
    scan.leave();
    Ok(list)
}

#[inline(never)]
fn read_map(scan: &mut Scanner<'_>) -> Result<Item, ImageError> {
    let mut item = Item::new();
    scan.enter(b'{')?;
    while scan.next(item.is_empty(), b'}')? {
        let name = scan.string()?.into_owned();
        scan.expect(b':')?;
        let value = read_value(scan).map_err(|error| error.in_attribute(&name))?;
        if item.contains_key(&name) {
            return Err(ImageError::new("the attribute is there twice").in_attribute(&name));
        }
        item.insert(name, value);
    }
    scan.leave();
    Ok(item)
}

fn write_value(json: &mut String, value: &AttributeValue) {
    json.push('{');
    match value {
        AttributeValue::S(text) => {
            json.push_str("\"S\":");
            write_string(json, text);
        }
        AttributeValue::N(number) => {
            json.push_str("\"N\":");
            write_string(json, number.as_str());
        }
        AttributeValue::B(bytes) => {
            json.push_str("\"B\":");
            write_binary(json, bytes);
        }
        AttributeValue::Ss(set) => {
            json.push_str("\"SS\":");
            write_list(json, set, |json, text| write_string(json, text));
        }
        AttributeValue::Ns(set) => {
            json.push_str("\"NS\":");
            write_list(json, set, |json, number| write_string(json, number.as_str()));
        }
        AttributeValue::Bs(set) => {
            json.push_str("\"BS\":");
            write_list(json, set, |json, bytes| write_binary(json, bytes));
        }
        AttributeValue::M(item) => {
            json.push_str("\"M\":");
            write_map(json, item);
        }
        AttributeValue::L(list) => {
            json.push_str("\"L\":");
            write_list(json, list, write_value);
        }
        AttributeValue::Bool(true) => json.push_str("\"BOOL\":true"),
        AttributeValue::Bool(false) => json.push_str("\"BOOL\":false"),
        AttributeValue::Null => json.push_str("\"NULL\":true"),
    }
    json.push('}');
}

fn write_map(json: &mut String, item: &Item) {
    json.push('{');
    for (index, (name, value)) in item.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        write_string(json, name);
        json.push(':');
        write_value(json, value);
    }
    json.push('}');
}

fn write_list<T>(json: &mut String, list: &[T], write: impl Fn(&mut String, &T)) {
    json.push('[');
    for (index, element) in list.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        write(json, element);
    }
    json.push(']');
}

/// Base64 needs no escapes.
fn write_binary(json: &mut String, bytes: &[u8]) {
    json.push('"');
    STANDARD.encode_string(bytes, json);
    json.push('"');
}

pub(crate) fn write_string(json: &mut String, text: &str) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            // Writing to a string cannot fail.
            '\0'..='\x1F' => drop(write!(json, "\\u{:04x}", u32::from(character))),
            _ => json.push(character),
        }
    }
    json.push('"');
}
