//! serde straight from DynamoDB JSON text: no tree in between, and errors that name the attribute.
//!
//! One deserializer reads everything: an attribute value says its type itself (`{"N":"1"}`), while the elements of a set
//! and the image as a whole have a type that is known before they begin.

mod access;
mod scan;
mod types;

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};

use crate::ImageError;
use crate::number::{self, to_integer};
use access::OneAttribute;

pub(crate) use scan::{Scanner, Type};
pub use types::Bytes;

type Result<T> = std::result::Result<T, ImageError>;

/// The name by which [`crate::AttributeValue`] asks for the text of a value, which is not possible in serde's own words.
pub(crate) const ATTRIBUTE_VALUE: &str = "$gristmill_sdk::AttributeValue";
/// The name by which [`crate::Number`] asks for the text of a number, and of nothing else.
pub(crate) const NUMBER: &str = "$gristmill_sdk::Number";

/// Reads an image (or keys) from its DynamoDB JSON, `{"id":{"S":"1"}, …}`, into a type of your own.
///
/// What [`crate::StreamRecord::new_image_as`] does, for a text from anywhere; the result may borrow strings from it.
/// See there for how types correspond. One pass over the text; attributes that `T` does not name are skipped.
///
/// ```
/// #[derive(serde::Deserialize)]
/// struct Customer<'a> {
///     name: &'a str,
///     visits: u32,
/// }
/// let customer: Customer = gristmill_sdk::from_json(r#"{"name":{"S":"Tung"},"visits":{"N":"3"}}"#)?;
/// assert_eq!((customer.name, customer.visits), ("Tung", 3));
/// # Ok::<(), gristmill_sdk::ImageError>(())
/// ```
///
/// # Errors
///
/// - The text is not DynamoDB JSON, or nested deeper than 64 levels.
/// - An attribute is missing, of another type than `T` asks for, or does not fit in it.
pub fn from_json<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T> {
    let mut scan = Scanner::new(text);
    let value = T::deserialize(Value::known(&mut scan, Type::M))?;
    scan.end()?;
    Ok(value)
}

/// A value that is about to be read.
pub(crate) struct Value<'p, 'de> {
    scan: &'p mut Scanner<'de>,
    /// The type, when the text does not say it.
    known: Option<Type>,
}

impl<'p, 'de> Value<'p, 'de> {
    fn tagged(scan: &'p mut Scanner<'de>) -> Self {
        Self { scan, known: None }
    }

    fn known(scan: &'p mut Scanner<'de>, known: Type) -> Self {
        Self { scan, known: Some(known) }
    }

    /// Finds out the type, lets `body` read what follows, and closes the value.
    #[inline]
    fn read<T>(self, body: impl FnOnce(&mut Scanner<'de>, Type) -> Result<T>) -> Result<T> {
        match self.known {
            Some(known) => body(self.scan, known),
            None => {
                let found = self.scan.open()?;
                let value = body(self.scan, found)?;
                self.scan.close()?;
                Ok(value)
            }
        }
    }

    /// Reads a value of one type and no other.
    #[inline]
    fn read_only<T>(self, wanted: Type, body: impl FnOnce(&mut Scanner<'de>) -> Result<T>) -> Result<T> {
        self.read(|scan, found| if found == wanted { body(scan) } else { Err(found.instead_of(wanted.name())) })
    }

    /// The text of the value with its type, `{"N":"1"}`.
    fn text(self) -> Result<Cow<'de, str>> {
        let text = self.scan.raw()?;
        Ok(match self.known {
            None => Cow::Borrowed(text),
            Some(known) => Cow::Owned(format!("{{\"{}\":{text}}}", known.tag())),
        })
    }

    fn read_map<V: Visitor<'de>>(self, visitor: V, refuse_doubles: bool) -> Result<V::Value> {
        self.read_only(Type::M, |scan| access::map(scan, visitor, refuse_doubles))
    }

    fn read_elements<V: Visitor<'de>>(self, visitor: V, length: Option<usize>) -> Result<V::Value> {
        self.read(|scan, found| match found.elements() {
            Some(known) => access::elements(scan, known, length, visitor),
            None if found == Type::B => {
                let bytes = scan.binary()?;
                let mut elements = de::value::SeqDeserializer::<_, ImageError>::new(bytes.into_iter());
                let value = visitor.visit_seq(&mut elements)?;
                elements.end()?;
                Ok(value)
            }
            None => Err(found.instead_of("a list (L) or a set")),
        })
    }
}

fn visit_text<'de, V: Visitor<'de>>(text: Cow<'de, str>, visitor: V) -> Result<V::Value> {
    match text {
        Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
        Cow::Owned(text) => visitor.visit_string(text),
    }
}

/// A number for a visitor that takes anything: an integer, or a float where it is the very same number.
fn visit_number<'de, V: Visitor<'de>>(text: Cow<'de, str>, visitor: V) -> Result<V::Value> {
    if let Ok(integer) = to_integer::<u64>(&text) {
        return visitor.visit_u64(integer);
    }
    if let Ok(integer) = to_integer::<i64>(&text) {
        return visitor.visit_i64(integer);
    }
    number::check(&text)?;
    match number::to_exact_f64(&text) {
        Some(float) => visitor.visit_f64(float),
        None => visitor.visit_newtype_struct(access::ExactNumber::new(text)),
    }
}

macro_rules! deserialize_integers {
    ($($method:ident $visit:ident $integer:ident)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            let integer: $integer = self.read_only(Type::N, |scan| Ok(to_integer(&scan.number()?)?))?;
            visitor.$visit(integer)
        }
    )+};
}

macro_rules! deserialize_floats {
    ($($method:ident $visit:ident $float:ident)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            let float = self.read_only(Type::N, |scan| {
                let text = scan.number()?;
                number::check(&text)?;
                match text.parse::<$float>() {
                    Ok(float) if float.is_finite() => Ok(float),
                    _ => Err(number::NumberError::DoesNotFit(text.into_owned(), stringify!($float)).into()),
                }
            })?;
            visitor.$visit(float)
        }
    )+};
}

impl<'de> de::Deserializer<'de> for Value<'_, 'de> {
    type Error = ImageError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.read(|scan, found| match found {
            Type::S => visit_text(scan.string()?, visitor),
            Type::N => visit_number(scan.number()?, visitor),
            Type::B => visitor.visit_byte_buf(scan.binary()?),
            Type::Ss => access::elements(scan, Some(Type::S), None, visitor),
            Type::Ns => access::elements(scan, Some(Type::N), None, visitor),
            Type::Bs => access::elements(scan, Some(Type::B), None, visitor),
            Type::M => access::map(scan, visitor, true),
            Type::L => access::elements(scan, None, None, visitor),
            Type::Bool => visitor.visit_bool(scan.boolean()?),
            Type::Null => {
                scan.null()?;
                visitor.visit_unit()
            }
        })
    }

    deserialize_integers! {
        deserialize_i8 visit_i8 i8
        deserialize_i16 visit_i16 i16
        deserialize_i32 visit_i32 i32
        deserialize_i64 visit_i64 i64
        deserialize_i128 visit_i128 i128
        deserialize_u8 visit_u8 u8
        deserialize_u16 visit_u16 u16
        deserialize_u32 visit_u32 u32
        deserialize_u64 visit_u64 u64
        deserialize_u128 visit_u128 u128
    }

    deserialize_floats! {
        deserialize_f32 visit_f32 f32
        deserialize_f64 visit_f64 f64
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let boolean = self.read_only(Type::Bool, Scanner::boolean)?;
        visitor.visit_bool(boolean)
    }

    /// A string, or a number as its exact decimal text.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let text = self.read(|scan, found| match found {
            Type::S => scan.string(),
            Type::N => {
                let text = scan.number()?;
                number::check(&text)?;
                Ok(text)
            }
            Type::B | Type::Ss | Type::Ns | Type::Bs | Type::M | Type::L | Type::Bool | Type::Null => {
                Err(found.instead_of(Type::S.name()))
            }
        })?;
        visit_text(text, visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let text = self.read_only(Type::S, Scanner::string)?;
        visit_text(text, visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let bytes = self.read_only(Type::B, Scanner::binary)?;
        visitor.visit_byte_buf(bytes)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.known.is_none() {
            let start = self.scan.position();
            if self.scan.open()? == Type::Null {
                self.scan.null()?;
                self.scan.close()?;
                return visitor.visit_none();
            }
            self.scan.back_to(start);
        }
        visitor.visit_some(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.read_only(Type::Null, Scanner::null)?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        match name {
            ATTRIBUTE_VALUE => visit_text(self.text()?, visitor),
            NUMBER => {
                let text = self.read_only(Type::N, Scanner::number)?;
                visit_text(text, visitor)
            }
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.read_elements(visitor, None)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value> {
        self.read_elements(visitor, Some(length))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, length: usize, visitor: V) -> Result<V::Value> {
        self.read_elements(visitor, Some(length))
    }

    /// A map of any names, so that only here a name that is there twice can be told.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.read_map(visitor, true)
    }

    /// A struct tells by itself when one of its fields is there twice.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.read_map(visitor, false)
    }

    /// A unit variant is its name as a string; any other is a map with the name as its one attribute.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.read(|scan, found| match found {
            Type::S => visitor.visit_enum(scan.string()?.into_deserializer()),
            Type::M => {
                scan.enter(b'{')?;
                let value = visitor.visit_enum(OneAttribute::new(scan))?;
                if scan.next(false, b'}')? {
                    return Err(ImageError::new("expected a map with one attribute, the variant's name"));
                }
                scan.leave();
                Ok(value)
            }
            Type::N | Type::B | Type::Ss | Type::Ns | Type::Bs | Type::L | Type::Bool | Type::Null => {
                Err(found.instead_of("a string (S) or a map (M) with one attribute"))
            }
        })
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.scan.raw()?;
        visitor.visit_unit()
    }
}

#[cfg(test)]
mod tests;
