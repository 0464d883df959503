//! The manifest's text: from the file, to a tree of keys and values with the
//! place of each. Knows no key.

use std::io::Read as _;
use std::path::Path;

use toml::Spanned;
use toml::de::DeTable;

use super::problem::{MOST, Position, Problems, Report};
use crate::edge::quoted;
use crate::project;

/// The largest manifest that is read. A thousand handlers with a filter each
/// are 200 KB; a larger file is something else under this name.
const MOST_BYTES: u64 = 1024 * 1024;

/// The parser's message for a key that is written twice.
const DUPLICATE: &str = "duplicate key";

/// A manifest's text.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// The path, as a message shows it.
    pub(crate) file: String,
    pub(crate) text: String,
}

impl Source {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Result<Self, Problems> {
        let file = project::shown(path);
        let problem = |message: String| Problems::with_file(&file, message);
        let cannot = |err: std::io::Error| problem(format!("cannot be read: {err}"));

        let kind = path.metadata().map_err(cannot)?;
        if !kind.is_file() {
            return Err(problem("is not a file; the manifest is a file by this name".to_owned()));
        }
        let mut bytes = Vec::new();
        let opened = std::fs::File::open(path).map_err(cannot)?;
        opened.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(cannot)?;
        if bytes.len() as u64 > MOST_BYTES {
            return Err(problem(format!("has more than {} KiB; a manifest is smaller", MOST_BYTES / 1024)));
        }
        if bytes.starts_with(b"\xef\xbb\xbf") {
            return Err(problem("begins with a byte order mark; save it as UTF-8 without one".to_owned()));
        }
        let text = String::from_utf8(bytes).map_err(|err| {
            let valid = err.utf8_error().valid_up_to();
            let line = err.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
            problem(format!("is not UTF-8 (line {line}); save it as UTF-8"))
        })?;
        if text.trim().is_empty() {
            return Err(problem("is empty; it needs at least [project] with `name = \"…\"`".to_owned()));
        }
        Ok(Self { file, text })
    }

    /// Where the byte at `offset` stands.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Position { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }

    /// The line that holds the byte at `offset`, without its end.
    fn line(&self, offset: usize) -> &str {
        let start = self.text[..offset].rfind('\n').map_or(0, |at| at + 1);
        self.text[start..].lines().next().unwrap_or("")
    }
}

/// The tree, and whether it holds guesses: a key that is written twice is the
/// one mistake after which the rest is certain.
pub(crate) fn parse<'s>(report: &mut Report<'s>) -> (Spanned<DeTable<'s>>, bool) {
    let (table, mut errors) = DeTable::parse_recoverable(&report.source.text);
    let mut broken = false;
    errors.sort_by_key(|err| err.span().map_or(0, |span| span.start));
    for (index, err) in errors.into_iter().enumerate() {
        // Counted, and not shown: its message need not be made.
        if index >= MOST {
            broken |= err.message() != DUPLICATE;
            report.syntax(report.source.text.len(), format!("problem {index}"));
            continue;
        }
        let offset = err.span().map_or(0, |span| span.start);
        let key = err.span().and_then(|span| report.source.text.get(span));
        match key {
            Some(key) if err.message() == DUPLICATE => report.syntax(offset, duplicate(report.source, offset, key)),
            Some(_) | None => {
                broken = true;
                let message = match bare_word(&report.source.text[offset..]) {
                    Some(word) => format!("not TOML: a string stands in quotes: \"{word}\""),
                    None if key == Some("") && err.message().starts_with("string values must be quoted") => {
                        "not TOML: a value is missing".to_owned()
                    }
                    None => format!("not TOML: {}", err.message()),
                };
                report.syntax(offset, message);
            }
        }
    }
    (table, broken)
}

/// The word that the text begins with, when it ends its line: the commonest
/// mistake, for which the parser's own message speaks of numbers.
fn bare_word(text: &str) -> Option<&str> {
    let line = text.lines().next()?.split('#').next()?.trim_end();
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    (line.starts_with(|c: char| c.is_ascii_alphabetic()) && line.chars().all(word)).then_some(line)
}

fn duplicate(source: &Source, offset: usize, key: &str) -> String {
    let line = source.line(offset).trim();
    if !line.starts_with('[') {
        return format!("the key {} is written twice in one table", quoted(key));
    }
    let header = |line: &str| line.split('#').next().unwrap_or(line).trim().to_owned();
    let this = header(line);
    // The lines before this one; its own is cut before the key, or ends in it.
    let first = source.text[..offset].lines().position(|earlier| header(earlier) == this);
    match first {
        Some(index) => format!("{this} is written twice, first in line {}; give one of them another name", index + 1),
        None => format!("{this} is written twice; give one of them another name"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_counts_characters() {
        let source = Source { file: "gristmill.toml".to_owned(), text: "a = \"ü\"\nbü = 1\n".to_owned() };
        let at = |needle| source.position(source.text.find(needle).unwrap());
        assert_eq!(at("a"), Position { line: 1, column: 1 });
        assert_eq!(at("= 1"), Position { line: 2, column: 4 });
        assert_eq!(source.position(source.text.len()), Position { line: 3, column: 1 });
        assert_eq!(source.position(99), Position { line: 3, column: 1 });
    }
}
