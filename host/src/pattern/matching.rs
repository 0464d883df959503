//! Whether a record is what a pattern asks for.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Affix, Comparison, Matcher, Node, Rule, Unreadable, fold_case};
use crate::event::{Field, Record};

type Result<T> = std::result::Result<T, Unreadable>;

/// An object, by the JSON text of its fields.
trait Object<'e> {
    fn field(&self, name: &str) -> Result<Option<&'e str>>;

    /// A field that is an object whose fields are known already.
    fn object(&self, _name: &str) -> Option<ChangeObject<'e>> {
        None
    }
}

pub(super) fn record(root: &Node, record: Record<'_>) -> Result<bool> {
    node(root, &RecordObject(record))
}

fn node<'e>(node: &Node, object: &dyn Object<'e>) -> Result<bool> {
    for (name, rule) in &node.fields {
        if !field(rule, object, name)? {
            return Ok(false);
        }
    }
    for group in &node.alternatives {
        let mut one = false;
        for alternative in group {
            one = one || self::node(alternative, object)?;
        }
        if !one {
            return Ok(false);
        }
    }
    Ok(true)
}

fn field<'e>(rule: &Rule, object: &dyn Object<'e>, name: &str) -> Result<bool> {
    if let (Rule::Object(node), Some(object)) = (rule, object.object(name)) {
        return self::node(node, &object);
    }
    match (rule, object.field(name)?) {
        (Rule::Object(node), Some(json)) => nested(node, json),
        (Rule::Object(node), None) => self::node(node, &Absent),
        (Rule::Leaf(matchers), Some(json)) => leaf(matchers, json),
        (Rule::Leaf(matchers), None) => Ok(absent(matchers)),
    }
}

/// The record's own fields, which the scan of the event has found already.
struct RecordObject<'e>(Record<'e>);

impl<'e> Object<'e> for RecordObject<'e> {
    fn field(&self, name: &str) -> Result<Option<&'e str>> {
        match self.0.field(name) {
            Field::Json(json) => Ok(Some(json)),
            Field::Elsewhere => Ok(capture(self.0.json(), &[name])?.pop().flatten()),
        }
    }

    fn object(&self, name: &str) -> Option<ChangeObject<'e>> {
        (name == "dynamodb").then_some(ChangeObject(self.0))
    }
}

/// The object in `dynamodb`, likewise.
struct ChangeObject<'e>(Record<'e>);

impl<'e> Object<'e> for ChangeObject<'e> {
    fn field(&self, name: &str) -> Result<Option<&'e str>> {
        match self.0.change_field(name) {
            Field::Json(json) => Ok(Some(json)),
            Field::Elsewhere => {
                let change = capture(self.0.json(), &["dynamodb"])?.pop().flatten();
                Ok(change.map(|json| capture(json, &[name])).transpose()?.and_then(|mut found| found.pop().flatten()))
            }
        }
    }
}

/// No object: every field is absent.
struct Absent;

impl<'e> Object<'e> for Absent {
    fn field(&self, _: &str) -> Result<Option<&'e str>> {
        Ok(None)
    }
}

struct Captured<'e, 'n> {
    names: &'n [String],
    values: Vec<Option<&'e str>>,
}

impl<'e> Object<'e> for Captured<'e, '_> {
    fn field(&self, name: &str) -> Result<Option<&'e str>> {
        let found = self.names.binary_search_by(|candidate| candidate.as_str().cmp(name));
        Ok(found.ok().and_then(|index| self.values[index]))
    }
}

/// An object's rules on a JSON value: on the object, or on any object of a
/// list. On anything else every field is absent.
fn nested(node: &Node, json: &str) -> Result<bool> {
    match json.as_bytes().first() {
        Some(b'{') => self::node(node, &Captured { names: &node.names, values: capture(json, &node.names)? }),
        Some(b'[') => {
            let objects: Vec<&str> = elements(json)?.into_iter().filter(|json| json.starts_with(['{', '['])).collect();
            if objects.is_empty() {
                return self::node(node, &Absent);
            }
            any(objects, |json| nested_in_list(node, json))
        }
        _ => self::node(node, &Absent),
    }
}

/// Lists in lists are no form that DynamoDB has: they are not entered, so the
/// depth of recursion stays that of the pattern.
fn nested_in_list(node: &Node, json: &str) -> Result<bool> {
    if json.starts_with('{') { nested(node, json) } else { self::node(node, &Absent) }
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
