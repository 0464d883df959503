//! The parts of maps, lists and sets, one after another, as serde asks for them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::de::{self, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::{DeserializeSeed, Result, Scanner, Type, Value, visit_text};
use crate::ImageError;
use crate::number::to_integer;

/// Reads a map, from its `{` to its `}`.
pub(super) fn map<'de, V: Visitor<'de>>(scan: &mut Scanner<'de>, visitor: V, refuse_doubles: bool) -> Result<V::Value> {
    scan.enter(b'{')?;
    let mut attributes =
        Attributes { scan, first: true, ended: false, name_at: 0, seen: refuse_doubles.then(BTreeSet::new) };
    let value = visitor.visit_map(&mut attributes)?;
    // A visitor may stop before the end, and the rest is not its concern.
    while attributes.next_entry::<de::IgnoredAny, de::IgnoredAny>()?.is_some() {}
    scan.leave();
    Ok(value)
}

struct Attributes<'p, 'de> {
    scan: &'p mut Scanner<'de>,
    first: bool,
    ended: bool,
    /// Where the current name begins: it is read again when an error asks for it, and not kept until then.
    name_at: usize,
    seen: Option<BTreeSet<Cow<'de, str>>>,
}

impl<'de> MapAccess<'de> for Attributes<'_, 'de> {
    type Error = ImageError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        if self.ended || !self.scan.next(self.first, b'}')? {
            self.ended = true;
            return Ok(None);
        }
        self.first = false;
        self.name_at = self.scan.position();
        let name = self.scan.string()?;
        self.scan.expect(b':')?;
        if let Some(seen) = &mut self.seen
            && !seen.insert(name.clone())
        {
            return Err(ImageError::new("the attribute is there twice").in_attribute(&name));
        }
        seed.deserialize(Name(name)).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value> {
        seed.deserialize(Value::tagged(self.scan)).map_err(|error| {
            self.scan.back_to(self.name_at);
            match self.scan.string() {
                Ok(name) => error.in_attribute(&name),
                Err(_) => error,
            }
        })
    }
}

/// The name of an attribute, as the key of a map: a string, or what a string can stand for.
struct Name<'de>(Cow<'de, str>);

macro_rules! integer_names {
    ($($method:ident $visit:ident $integer:ident)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            match to_integer::<$integer>(&self.0) {
                Ok(integer) => visitor.$visit(integer),
                Err(error) => Err(ImageError::from(error).in_attribute(&self.0)),
            }
        }
    )+};
}

impl<'de> de::Deserializer<'de> for Name<'de> {
    type Error = ImageError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visit_text(self.0, visitor)
    }

    integer_names! {
        deserialize_i8 visit_i8 i8
        deserialize_i16 visit_i16 i16
        deserialize_i32 visit_i32 i32
        deserialize_i64 visit_i64 i64
        deserialize_u8 visit_u8 u8
        deserialize_u16 visit_u16 u16
        deserialize_u32 visit_u32 u32
        deserialize_u64 visit_u64 u64
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_enum(self.0.into_deserializer())
    }

    forward_to_deserialize_any! {
        bool i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

/// Reads a list or a set, from its `[` to its `]`.
pub(super) fn elements<'de, V: Visitor<'de>>(
    scan: &mut Scanner<'de>,
    known: Option<Type>,
    length: Option<usize>,
    visitor: V,
) -> Result<V::Value> {
    scan.enter(b'[')?;
    let mut elements = Elements { scan, known, count: 0, ended: false };
    let value = visitor.visit_seq(&mut elements)?;
    while elements.next_element::<de::IgnoredAny>()?.is_some() {}
    let count = elements.count;
    scan.leave();
    match length {
        Some(length) if length != count => Err(ImageError::new(format!("expected {length} elements, found {count}"))),
        _ => Ok(value),
    }
}

pub(super) struct Elements<'p, 'de> {
    scan: &'p mut Scanner<'de>,
    known: Option<Type>,
    count: usize,
    ended: bool,
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = ImageError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if self.ended || !self.scan.next(self.count == 0, b']')? {
            self.ended = true;
            return Ok(None);
        }
        let index = self.count;
        self.count += 1;
        let value = Value { scan: self.scan, known: self.known };
        seed.deserialize(value).map(Some).map_err(|error| error.in_element(index))
    }
}

/// An enum's variant with content: the one attribute of a map, whose `{` was read.
pub(super) struct OneAttribute<'p, 'de> {
    scan: &'p mut Scanner<'de>,
    name: Cow<'de, str>,
}

impl<'p, 'de> OneAttribute<'p, 'de> {
    pub(super) fn new(scan: &'p mut Scanner<'de>) -> Self {
        Self { scan, name: Cow::Borrowed("") }
    }

    fn content<T>(self, read: impl FnOnce(Value<'_, 'de>) -> Result<T>) -> Result<T> {
        read(Value::tagged(self.scan)).map_err(|error| error.in_attribute(&self.name))
    }
}

impl<'de> EnumAccess<'de> for OneAttribute<'_, 'de> {
    type Error = ImageError;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(mut self, seed: T) -> Result<(T::Value, Self)> {
        if self.scan.peek() == Some(b'}') {
            return Err(ImageError::new("expected a map with one attribute, the variant's name"));
        }
        self.name = self.scan.string()?;
        self.scan.expect(b':')?;
        let variant = seed.deserialize(Name(self.name.clone()))?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for OneAttribute<'_, 'de> {
    type Error = ImageError;

    fn unit_variant(self) -> Result<()> {
        self.content(|value| de::Deserialize::deserialize(value))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        self.content(|value| seed.deserialize(value))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value> {
        self.content(|value| value.read_elements(visitor, Some(length)))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value> {
        self.content(|value| value.read_map(visitor, false))
    }
}

/// A number that is neither a 64-bit integer nor exactly a float, for a visitor that takes anything.
///
/// serde buffers what it does not know the type of yet (`flatten`, untagged enums) in a form that has no place for such a
/// number. Wrapped as a struct within a struct it can be told from a string, so that [`crate::Number`] and
/// [`crate::AttributeValue`] find it exact, and a float refuses it rather than round in silence.
pub(super) struct ExactNumber<'de> {
    text: Cow<'de, str>,
    outer: bool,
}

impl<'de> ExactNumber<'de> {
    /// The visitor has been told of the outer struct.
    pub(super) fn new(text: Cow<'de, str>) -> Self {
        Self { text, outer: true }
    }
}

impl<'de> de::Deserializer<'de> for ExactNumber<'de> {
    type Error = ImageError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.outer {
            visitor.visit_newtype_struct(Self { outer: false, ..self })
        } else {
            visit_text(self.text, visitor)
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
