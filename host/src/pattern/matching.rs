//! Whether a record is what a pattern asks for.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Affix, Comparison, Field, Matcher, Node, Place, Rule, Unreadable, fold_case};
use crate::event::{self, Record};

type Result<T> = std::result::Result<T, Unreadable>;

/// One record, and what was found in it for the patterns.
pub(super) struct Reading<'e> {
    record: Record<'e>,
    /// By place, the first object that was read there and its fields. A list
    /// may have more objects, which are read each time.
    places: Vec<OnceCell<Found<'e>>>,
}

/// An object's text, and its fields by the names of the place.
struct Found<'e> {
    json: &'e str,
    values: Vec<Option<&'e str>>,
}

/// An object that a node looks at.
enum Object<'r, 'e> {
    /// The record: the scan of the event has found its known fields.
    Record,
    /// The object in `dynamodb`, likewise.
    Change,
    /// Another, by its text.
    Text(&'r [Option<&'e str>]),
    /// No object: every field is absent.
    Absent,
}

impl<'e> Reading<'e> {
    pub(super) fn new(record: Record<'e>, places: usize) -> Self {
        Self { record, places: std::iter::repeat_with(OnceCell::new).take(places).collect() }
    }

    /// Whether the record is what the root of a pattern asks for.
    pub(super) fn matches(&self, root: &Node) -> Result<bool> {
        self.node(root, &Object::Record)
    }

    fn node(&self, node: &Node, object: &Object<'_, 'e>) -> Result<bool> {
        for field in &node.fields {
            if !self.field(field, node, object)? {
                return Ok(false);
            }
        }
        for group in &node.alternatives {
            let mut one = false;
            for alternative in group {
                one = one || self.node(alternative, object)?;
            }
            if !one {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn field(&self, field: &Field, of: &Node, object: &Object<'_, 'e>) -> Result<bool> {
        if let (Object::Record, "dynamodb", Rule::Object(node)) = (object, field.name.as_str(), &field.rule) {
            return self.node(node, &Object::Change);
        }
        match (&field.rule, self.value(field, of, object)?) {
            (Rule::Object(node), Some(json)) => self.nested(node, json),
            (Rule::Object(node), None) => self.node(node, &Object::Absent),
            (Rule::Leaf(matchers), Some(json)) => leaf(matchers, json),
            (Rule::Leaf(matchers), None) => Ok(absent(matchers)),
        }
    }

    /// The JSON text of an object's field.
    fn value(&self, field: &Field, of: &Node, object: &Object<'_, 'e>) -> Result<Option<&'e str>> {
        let known = match object {
            Object::Record => self.record.field(&field.name),
            Object::Change => self.record.change_field(&field.name),
            Object::Text(values) => return Ok(values[field.position]),
            Object::Absent => return Ok(None),
        };
        let json = match (known, object) {
            (event::Field::Json(json), _) => return Ok(Some(json)),
            (event::Field::Absent, _) => return Ok(None),
            (event::Field::NotKept, Object::Record) => self.record.json(),
            (event::Field::NotKept, _) => match capture(self.record.json(), &["dynamodb"])?.pop().flatten() {
                Some(change) => change,
                None => return Ok(None),
            },
        };
        Ok(self.found(&of.place, json)?.and_then(|found| found.values[field.position]))
    }

    /// The fields of the first object that is read at a place; none when this
    /// is another.
    fn found(&self, place: &Place, json: &'e str) -> Result<Option<&Found<'e>>> {
        let cell = &self.places[place.number];
        let found = match cell.get() {
            Some(found) => found,
            None => {
                let values = capture(json, &place.names)?;
                cell.get_or_init(|| Found { json, values })
            }
        };
        Ok(std::ptr::eq(found.json, json).then_some(found))
    }

    /// An object's rules on a JSON value: on the object, or on any object of a
    /// list. On anything else every field is absent.
    fn nested(&self, node: &Node, json: &'e str) -> Result<bool> {
        match json.as_bytes().first() {
            Some(b'{') => match self.found(&node.place, json)? {
                Some(found) => self.node(node, &Object::Text(&found.values)),
                None => self.node(node, &Object::Text(&capture(json, &node.place.names)?)),
            },
            Some(b'[') => {
                let objects: Vec<&str> =
                    elements(json)?.into_iter().filter(|json| json.starts_with(['{', '['])).collect();
                if objects.is_empty() {
                    return self.node(node, &Object::Absent);
                }
                any(objects, |json| self.nested_in_list(node, json))
            }
            _ => self.node(node, &Object::Absent),
        }
    }

    /// Lists in lists are no form that DynamoDB has: they are not entered, so
    /// the depth of recursion stays that of the pattern.
    fn nested_in_list(&self, node: &Node, json: &'e str) -> Result<bool> {
        if json.starts_with('{') { self.nested(node, json) } else { self.node(node, &Object::Absent) }
    }
}

fn leaf(matchers: &[Matcher], json: &str) -> Result<bool> {
    match json.as_bytes().first() {
        // `exists` speaks of leaves only (AWS-FACTS): an object is none.
        Some(b'{') => Ok(absent(matchers)),
        Some(b'[') => {
            let scalars: Vec<&str> = elements(json)?.into_iter().filter(|json| !json.starts_with(['{', '['])).collect();
            if scalars.is_empty() {
                return Ok(absent(matchers));
            }
            any(scalars, |json| scalar(matchers, json))
        }
        _ => scalar(matchers, json),
    }
}

fn any<'e>(list: Vec<&'e str>, test: impl Fn(&'e str) -> Result<bool>) -> Result<bool> {
    for json in list {
        if test(json)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn absent(matchers: &[Matcher]) -> bool {
    matchers.contains(&Matcher::Exists(false))
}

enum Scalar<'e> {
    Text(Cow<'e, str>),
    Number(f64),
    Bool(bool),
    Null,
}

fn scalar(matchers: &[Matcher], json: &str) -> Result<bool> {
    let value = match json.as_bytes().first() {
        Some(b'"') => Scalar::Text(match json[1..json.len() - 1].contains('\\') {
            false => Cow::Borrowed(&json[1..json.len() - 1]),
            true => Cow::Owned(serde_json::from_str(json).map_err(|error| Unreadable(error.to_string()))?),
        }),
        Some(b't') => Scalar::Bool(true),
        Some(b'f') => Scalar::Bool(false),
        Some(b'n') => Scalar::Null,
        _ => Scalar::Number(json.parse().map_err(|_| Unreadable("a number that is none".to_owned()))?),
    };
    Ok(matchers.iter().any(|matcher| matches(matcher, &value)))
}

fn matches(matcher: &Matcher, value: &Scalar<'_>) -> bool {
    match (matcher, value) {
        (Matcher::Exists(exists), _) => *exists,
        (Matcher::AnythingBut(unwanted), value) => !unwanted.iter().any(|matcher| matches(matcher, value)),
        (Matcher::Text(wanted), Scalar::Text(text)) => wanted == text,
        (Matcher::Number(wanted), Scalar::Number(number)) => wanted == number,
        (Matcher::Bool(wanted), Scalar::Bool(value)) => wanted == value,
        (Matcher::Null, Scalar::Null) => true,
        (Matcher::Prefix(affix), Scalar::Text(text)) => affix.with_case(text).starts_with(&affix.text),
        (Matcher::Suffix(affix), Scalar::Text(text)) => affix.with_case(text).ends_with(&affix.text),
        (Matcher::EqualsIgnoreCase(wanted), Scalar::Text(text)) => *wanted == fold_case(text),
        (Matcher::Numeric(comparisons), Scalar::Number(number)) => {
            comparisons.iter().all(|(comparison, bound)| comparison.holds(*number, *bound))
        }
        (
            Matcher::Text(_)
            | Matcher::Number(_)
            | Matcher::Bool(_)
            | Matcher::Null
            | Matcher::Prefix(_)
            | Matcher::Suffix(_)
            | Matcher::EqualsIgnoreCase(_)
            | Matcher::Numeric(_),
            _,
        ) => false,
    }
}

impl Affix {
    fn with_case<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.ignore_case { fold_case(text) } else { Cow::Borrowed(text) }
    }
}

impl Comparison {
    fn holds(self, number: f64, bound: f64) -> bool {
        match self {
            Self::Equal => number == bound,
            Self::Less => number < bound,
            Self::LessOrEqual => number <= bound,
            Self::Greater => number > bound,
            Self::GreaterOrEqual => number >= bound,
        }
    }
}

/// The JSON text of the named fields of an object. `names` are sorted.
fn capture<'e, S: AsRef<str>>(json: &'e str, names: &[S]) -> Result<Vec<Option<&'e str>>> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    Capture(names).deserialize(&mut deserializer).map_err(|error| Unreadable(error.to_string()))
}

struct Capture<'n, S>(&'n [S]);

impl<'de, S: AsRef<str>> DeserializeSeed<'de> for Capture<'_, S> {
    type Value = Vec<Option<&'de str>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, S: AsRef<str>> Visitor<'de> for Capture<'_, S> {
    type Value = Vec<Option<&'de str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Self::Value, A::Error> {
        let mut values = vec![None; self.0.len()];
        while let Some(index) = map.next_key_seed(Position(self.0))? {
            match index {
                Some(index) => values[index] = Some(map.next_value::<&RawValue>()?.get()),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(values)
    }
}

/// The position of a key in a sorted list of names.
struct Position<'n, S>(&'n [S]);

impl<'de, S: AsRef<str>> DeserializeSeed<'de> for Position<'_, S> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<S: AsRef<str>> Visitor<'_> for Position<'_, S> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> std::result::Result<Self::Value, E> {
        Ok(self.0.binary_search_by(|name| name.as_ref().cmp(key)).ok())
    }
}

/// The JSON texts of a list's elements.
fn elements(json: &str) -> Result<Vec<&str>> {
    struct Elements;
    impl<'de> Visitor<'de> for Elements {
        type Value = Vec<&'de str>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> std::result::Result<Self::Value, A::Error> {
            let mut elements = Vec::new();
            while let Some(raw) = list.next_element::<&RawValue>()? {
                elements.push(raw.get());
            }
            Ok(elements)
        }
    }
    let mut deserializer = serde_json::Deserializer::from_str(json);
    deserializer.deserialize_seq(Elements).map_err(|error| Unreadable(error.to_string()))
}
