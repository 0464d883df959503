//! JSON as a tree that keeps what a `serde_json::Value` loses: the order of
//! members, names that are there twice, and the text of numbers.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::dice::Dice;

/// Deeper trees are not read: the tree is built by recursion. The deepest that
/// a reader under test takes apart is an image, of 64 levels with two of JSON
/// each.
const MOST_LEVELS: usize = 200;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// null
    Null,
    /// true and false
    Bool(bool),
    /// A number, as it is written.
    Number(String),
    /// A string, decoded.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// An object.
    Object(Vec<(String, Json)>),
}

struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

/// Whether a text has the form of JSON. Half of a surrogate pair has, though it
/// is no string.
pub fn is_json(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok()
}

impl Json {
    /// Reads a text. None when it is not JSON, when one of its strings has half
    /// of a surrogate pair, and when it is nested deeper than any reader under
    /// test goes.
    pub fn read(text: &str) -> Option<Self> {
        Self::of(serde_json::from_str(text).ok()?, MOST_LEVELS)
    }

    fn of(raw: &RawValue, levels: usize) -> Option<Self> {
        let text = raw.get();
        let levels = levels.checked_sub(1)?;
        Some(match text.as_bytes()[0] {
            b'n' => Self::Null,
            b't' => Self::Bool(true),
            b'f' => Self::Bool(false),
            b'"' => Self::Text(serde_json::from_str(text).ok()?),
            b'[' => {
                let list: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                Self::List(list.into_iter().map(|raw| Self::of(raw, levels)).collect::<Option<_>>()?)
            }
            b'{' => {
                let Members(members) = serde_json::from_str(text).ok()?;
                let member = |(name, raw)| Some((name, Self::of(raw, levels)?));
                Self::Object(members.into_iter().map(member).collect::<Option<_>>()?)
            }
            _ => Self::Number(text.to_owned()),
        })
    }

    /// A string.
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The members of an object.
    pub fn members(&self) -> Option<&[(String, Json)]> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }

    /// A member that is there and not null; the first, if there are two.
    pub fn get(&self, name: &str) -> Option<&Self> {
        let (_, value) = self.members()?.iter().find(|(other, _)| other == name)?;
        (*value != Self::Null).then_some(value)
    }

    /// How often a member is there.
    pub fn count(&self, name: &str) -> usize {
        self.members().unwrap_or_default().iter().filter(|(other, _)| other == name).count()
    }

    /// The one member of an object that has one.
    pub fn only_member(&self) -> Option<(&str, &Self)> {
        if let [(name, value)] = self.members()? { Some((name, value)) } else { None }
    }

    /// The same with all members in the order of their names. Two spellings of
    /// one value are equal then.
    pub fn sorted(&self) -> Self {
        match self {
            Self::List(list) => Self::List(list.iter().map(Self::sorted).collect()),
            Self::Object(members) => {
                let mut members: Vec<_> = members.iter().map(|(name, value)| (name.clone(), value.sorted())).collect();
                members.sort_by(|(a, _), (b, _)| a.cmp(b));
                Self::Object(members)
            }
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => self.clone(),
        }
    }

    /// Writes the value with white space, escapes and the order of members as
    /// the dice fall.
    pub fn spell(&self, dice: &mut Dice) -> String {
        let mut out = String::new();
        write(&mut out, self, &mut Some(dice));
        out
    }

    /// Writes the value as it is, without white space.
    pub fn plain(&self) -> String {
        let mut out = String::new();
        write(&mut out, self, &mut None);
        out
    }
}

fn write(out: &mut String, json: &Json, dice: &mut Option<&mut Dice>) {
    gap(out, dice);
    match json {
        Json::Null => out.push_str("null"),
        Json::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Json::Number(text) => out.push_str(text),
        Json::Text(text) => write_text(out, text, dice),
        Json::List(list) => {
            out.push('[');
            for (i, value) in list.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(out, value, dice);
            }
            out.push(']');
        }
        Json::Object(members) => {
            out.push('{');
            // The order of two members of one name could matter.
            let unique = members.iter().enumerate().all(|(i, (name, _))| !members[..i].iter().any(|(n, _)| n == name));
            let first = match dice {
                Some(dice) if unique && !members.is_empty() => dice.below(members.len()),
                _ => 0,
            };
            let (late, early) = members.split_at(first);
            for (i, (name, value)) in early.iter().chain(late).enumerate() {
                if i > 0 {
                    out.push(',');
                }
                gap(out, dice);
                write_text(out, name, dice);
                gap(out, dice);
                out.push(':');
                write(out, value, dice);
            }
            out.push('}');
        }
    }
    gap(out, dice);
}

fn gap(out: &mut String, dice: &mut Option<&mut Dice>) {
    if let Some(dice) = dice {
        out.push_str(dice.one_of(&["", "", "", "", "", "", " ", "\n", "\t", "\r\n"]));
    }
}

fn write_text(out: &mut String, text: &str, dice: &mut Option<&mut Dice>) {
    let mut chance = |times| dice.as_mut().is_some_and(|dice| dice.once_in(times));
    out.push('"');
    for c in text.chars() {
        let short = match c {
            '"' => Some('"'),
            '\\' => Some('\\'),
            '/' if chance(2) => Some('/'),
            '\u{8}' => Some('b'),
            '\u{c}' => Some('f'),
            '\n' => Some('n'),
            '\r' => Some('r'),
            '\t' => Some('t'),
            _ => None,
        };
        if chance(12) || (c < ' ' && short.is_none()) {
            let upper = chance(2);
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&if upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") });
            }
        } else if let Some(short) = short {
            out.extend(['\\', short]);
        } else {
            out.push(c);
        }
    }
    out.push('"');
}
