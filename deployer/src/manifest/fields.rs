//! One table of the manifest while its keys are taken out of it: a key that is
//! asked for is known, and what nobody asked for is reported. Knows types and
//! ranges, and no key by name.

use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::problem::Report;
use crate::edge::quoted;
use crate::names;

/// A value and the byte at which it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) offset: usize,
}

/// A key that is refused, and why.
pub(crate) type Refused = (&'static str, &'static str);

pub(crate) struct Fields<'t, 'r, 's> {
    /// As a message names it: `[stream.test-table]`.
    place: String,
    offset: usize,
    table: &'t DeTable<'t>,
    asked: Vec<&'static str>,
    pub(crate) report: &'r mut Report<'s>,
}

impl<'t, 'r, 's> Fields<'t, 'r, 's> {
    /// The table that stands at `offset`.
    pub(crate) fn new(
        place: impl Into<String>,
        offset: usize,
        table: &'t DeTable<'t>,
        report: &'r mut Report<'s>,
    ) -> Self {
        Self { place: place.into(), offset, table, asked: Vec::new(), report }
    }

    /// Where the table stands.
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    /// The value of a key, whatever its type.
    pub(crate) fn value(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.asked.push(key);
        entries(self.table).find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    /// Where the key itself stands.
    pub(crate) fn key_offset(&self, key: &str) -> Option<usize> {
        entries(self.table).find(|(name, _)| name.get_ref() == key).map(|(name, _)| name.span().start)
    }

    pub(crate) fn string(&mut self, key: &'static str, takes: &str) -> Option<At<String>> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(At { value: text.to_string(), offset: value.span().start }),
            other => self.wrong_type(key, value, other, takes),
        }
    }

    pub(crate) fn boolean(&mut self, key: &'static str) -> Option<At<bool>> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Boolean(value_is) => Some(At { value: *value_is, offset: value.span().start }),
            other => self.wrong_type(key, value, other, "true or false"),
        }
    }

    /// A whole number in one of these ranges.
    pub(crate) fn integer(&mut self, key: &'static str, ranges: &[RangeInclusive<i64>]) -> Option<At<i64>> {
        let value = self.value(key)?;
        let takes = || format!("a whole number{}", of_ranges(ranges));
        let DeValue::Integer(digits) = value.get_ref() else {
            return self.wrong_type(key, value, value.get_ref(), &takes());
        };
        let number = i64::from_str_radix(&digits.as_str().replace('_', ""), digits.radix());
        match number {
            Ok(number) if ranges.iter().any(|range| range.contains(&number)) => {
                Some(At { value: number, offset: value.span().start })
            }
            Ok(_) | Err(_) => {
                let found = quoted(&self.report.source.text[value.span()]);
                self.report.problem(value.span().start, format!("`{key}` takes {}, and this is {found}", takes()));
                None
            }
        }
    }

    /// One of some words.
    pub(crate) fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<At<T>> {
        let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
        let takes = words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or ");
        let At { value, offset } = self.string(key, &takes)?;
        let found = choices.iter().find(|(word, _)| *word == value);
        if found.is_none() {
            self.report.problem(offset, format!("`{key}` takes {takes}, and this is {}", quoted(&value)));
        }
        found.map(|(_, choice)| At { value: *choice, offset })
    }

    /// The strings of an array. One that stands alone is no array.
    pub(crate) fn strings(&mut self, key: &'static str, takes: &str) -> Option<Vec<At<String>>> {
        let value = self.value(key)?;
        let DeValue::Array(values) = value.get_ref() else {
            return self.wrong_type(key, value, value.get_ref(), takes);
        };
        let mut strings = Vec::new();
        for value in values.iter() {
            match value.get_ref() {
                DeValue::String(text) => strings.push(At { value: text.to_string(), offset: value.span().start }),
                other => {
                    self.wrong_type::<()>(key, value, other, takes);
                }
            }
        }
        Some(strings)
    }

    /// A table of strings, in the order of its keys.
    pub(crate) fn string_table(&mut self, key: &'static str) -> Vec<(At<String>, At<String>)> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let takes = "a table of strings";
        let DeValue::Table(table) = value.get_ref() else {
            self.wrong_type::<()>(key, value, value.get_ref(), takes);
            return Vec::new();
        };
        let mut strings = Vec::new();
        for (name, value) in entries(table) {
            match value.get_ref() {
                DeValue::String(text) => {
                    let name = At { value: name.get_ref().to_string(), offset: name.span().start };
                    strings.push((name, At { value: text.to_string(), offset: value.span().start }));
                }
                other => {
                    self.wrong_type::<()>(key, value, other, takes);
                }
            }
        }
        strings
    }

    /// The table under a key, `[function]`, and where it stands.
    pub(crate) fn table(&mut self, key: &'static str, takes: &str) -> Option<(usize, &'t DeTable<'t>)> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some((value.span().start, table)),
            other => self.wrong_type(key, value, other, takes),
        }
    }

    /// The tables under a key that holds named tables: `[stream.NAME]`. A key
    /// that is there but holds something else is reported.
    pub(crate) fn named(&mut self, key: &'static str, what: &str) -> Vec<(At<String>, usize, &'t DeTable<'t>)> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let DeValue::Table(tables) = value.get_ref() else {
            self.wrong_type::<()>(key, value, value.get_ref(), &format!("tables: [{key}.NAME]"));
            return Vec::new();
        };
        let mut found = Vec::new();
        for (name, value) in entries(tables) {
            let name_is = At { value: name.get_ref().to_string(), offset: name.span().start };
            if let DeValue::Table(table) = value.get_ref() {
                found.push((name_is, value.span().start, table));
            } else {
                let message = format!(
                    "{} stands in [{key}] itself; {what} has a name, and its keys stand in [{key}.NAME]",
                    quoted(&name_is.value)
                );
                self.report.problem(name_is.offset, message);
            }
        }
        // The tree is sorted by name; people count from the top.
        found.sort_by_key(|(name, ..)| name.offset);
        found
    }

    /// Reports a value of a wrong type.
    pub(crate) fn wrong_type<T>(
        &mut self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        found: &DeValue<'_>,
        takes: &str,
    ) -> Option<T> {
        let message = format!("`{key}` takes {takes}, and this is {}", kind(found));
        self.report.problem(value.span().start, message);
        None
    }

    /// Reports the keys that nobody asked for.
    pub(crate) fn finish(self, refused: &[Refused]) {
        let Self { place, table, asked, report, .. } = self;
        for (key, _) in entries(table) {
            let word: &str = key.get_ref();
            if asked.contains(&word) {
                continue;
            }
            let known = names::kebab(word);
            let message = match refused.iter().find(|(name, _)| *name == known) {
                Some((_, why)) => format!("{} is not a key of {place}: {why}", quoted(word)),
                None => format!("{} is not a key of {place}{}", quoted(word), names::suggest(word, &asked)),
            };
            report.problem(key.span().start, message);
        }
    }
}

fn entries<'t>(table: &'t DeTable<'t>) -> impl Iterator<Item = (&'t Spanned<DeString<'t>>, &'t Spanned<DeValue<'t>>)> {
    table.iter()
}

/// What a value is, with its article.
pub(crate) fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

fn of_ranges(ranges: &[RangeInclusive<i64>]) -> String {
    let shown = ranges.iter().map(|range| {
        if range.start() == range.end() {
            range.start().to_string()
        } else {
            format!("{} to {}", range.start(), range.end())
        }
    });
    let shown = shown.collect::<Vec<_>>().join(" or ");
    if ranges.iter().all(|range| range.start() < range.end()) { format!(" from {shown}") } else { format!(": {shown}") }
}
