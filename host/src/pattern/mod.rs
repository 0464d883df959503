//! The filter language of event source mappings, as far as DynamoDB has it.
//!
//! A pattern is a JSON object: keys are joined by AND, the values in a list by
//! OR, `$or` joins whole objects. The host's filters and the emulated mapping
//! use this one room, so both decline the same records. It knows records, and
//! nothing of handlers or mappings.

mod compile;
mod matching;
mod shared;

use std::borrow::Cow;
use std::sync::Arc;

use crate::event::Record;

/// The longest pattern that a mapping takes, in characters (AWS-FACTS,
/// FilterCriteria).
pub const MOST_CHARS: usize = 4_096;

/// A pattern, ready to be evaluated.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    root: Node,
    /// The number of places in `root`.
    places: usize,
}

/// Why a text is no pattern. Lambda says only the first sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid filter pattern definition. {path}: {reason}")]
pub struct PatternError {
    /// The JSON path of the fault, `$` for the whole.
    pub path: String,
    /// What is wrong there.
    pub reason: String,
}

/// Why a pattern could not be evaluated on a record: the record is then
/// malformed, never filtered (R5).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a filter cannot be evaluated: {0}")]
pub struct Unreadable(String);

/// What an object must have.
#[derive(Clone, Debug, Default, PartialEq)]
struct Node {
    fields: Vec<Field>,
    /// Of each group, one alternative must hold.
    alternatives: Vec<Vec<Node>>,
    /// Where the object is in a record.
    place: Place,
}

#[derive(Clone, Debug, PartialEq)]
struct Field {
    name: String,
    /// In the names of the place.
    position: usize,
    rule: Rule,
}

/// A place in a record, `dynamodb.NewImage.name` for example, where patterns
/// that are read together look at an object.
#[derive(Clone, Debug, PartialEq)]
struct Place {
    /// One for each place.
    number: usize,
    /// Every name that a pattern looks at there, sorted: one look-up finds all.
    names: Arc<[String]>,
}

impl Default for Place {
    fn default() -> Self {
        Self { number: 0, names: Arc::new([]) }
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Rule {
    Object(Node),
    Leaf(Vec<Matcher>),
}

#[derive(Clone, Debug, PartialEq)]
enum Matcher {
    Text(String),
    Number(f64),
    Bool(bool),
    Null,
    Prefix(Affix),
    Suffix(Affix),
    EqualsIgnoreCase(String),
    AnythingBut(Vec<Matcher>),
    Exists(bool),
    Numeric(Vec<(Comparison, f64)>),
}

#[derive(Clone, Debug, PartialEq)]
struct Affix {
    /// In lower case when the case is ignored.
    text: String,
    ignore_case: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    ///
    /// [`PatternError`] when the text is longer than [`MOST_CHARS`], is not
    /// JSON, not an object, has an empty object or an empty list, or an
    /// operator that mappings do not have.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut root = compile::pattern(text)?;
        let places = shared::places([&mut root]);
        Ok(Self { root, places })
    }

    /// Whether the record is wanted.
    ///
    /// Costs a skip over each object that the pattern names a part of, and
    /// nothing for the rest. The depth of recursion is that of the pattern.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] when a part that the pattern names is not JSON text, for
    /// example a string with half of a surrogate pair.
    pub fn matches(&self, record: Record<'_>) -> Result<bool, Unreadable> {
        matching::Reading::new(record, self.places).matches(&self.root)
    }
}

/// The patterns of several handlers, for the same records. What any of them
/// looks at is found once in a record, and not once for each.
#[derive(Clone, Debug)]
pub struct Patterns {
    by_handler: Vec<Vec<Pattern>>,
    places: usize,
}

impl Patterns {
    /// Each handler's patterns, joined by OR.
    pub fn new(mut by_handler: Vec<Vec<Pattern>>) -> Self {
        let places = shared::places(by_handler.iter_mut().flatten().map(|pattern| &mut pattern.root));
        Self { by_handler, places }
    }

    /// Reads a record, as far as the patterns then ask.
    pub fn on<'p>(&'p self, record: Record<'p>) -> OnRecord<'p> {
        OnRecord { patterns: self, reading: matching::Reading::new(record, self.places) }
    }
}

/// Patterns on one record.
pub struct OnRecord<'p> {
    patterns: &'p Patterns,
    reading: matching::Reading<'p>,
}

impl OnRecord<'_> {
    /// Whether any of a handler's patterns wants the record; true when it has
    /// none.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] when a pattern cannot be evaluated and no earlier one
    /// matched.
    pub fn is_for(&self, handler: usize) -> Result<bool, Unreadable> {
        let patterns = &self.patterns.by_handler[handler];
        for pattern in patterns {
            if self.reading.matches(&pattern.root)? {
                return Ok(true);
            }
        }
        Ok(patterns.is_empty())
    }
}

fn fold_case(text: &str) -> Cow<'_, str> {
    match text.bytes().any(|b| b.is_ascii_uppercase() || !b.is_ascii()) {
        true => Cow::Owned(text.to_lowercase()),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests;
