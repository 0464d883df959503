//! What is wrong with a manifest, and where. Knows no key of it.

use std::fmt;

use super::source::Source;

/// A place in a text, counted from 1; columns are characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

/// One thing that is wrong, or that is better otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The manifest's path, as a message shows it.
    pub file: String,
    /// Where; none when it is about the file as a whole.
    pub position: Option<Position>,
    /// What, and what to try next.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some(Position { line, column }) => write!(f, "{}:{line}:{column}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}

/// The most problems that are reported one by one. Who has more reads the
/// first; a megabyte of brackets must not fill a terminal, or a minute.
pub(super) const MOST: usize = 50;

/// All that is wrong with a manifest, in the order of the lines. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    /// Each of the first fifty, in order.
    pub found: Vec<Problem>,
    /// How many more there are.
    pub more: usize,
}

impl Problems {
    /// One problem, with the file as a whole.
    pub(crate) fn with_file(file: &str, message: impl Into<String>) -> Self {
        Self { found: vec![Problem { file: file.to_owned(), position: None, message: message.into() }], more: 0 }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.found.as_slice() {
            [one] => one.fmt(f),
            many => {
                let file = many.first().map_or("", |problem| &problem.file);
                write!(f, "{file} has {} problems", many.len() + self.more)?;
                many.iter().try_for_each(|problem| write!(f, "\n{problem}"))?;
                if self.more > 0 { write!(f, "\nand {} more", self.more) } else { Ok(()) }
            }
        }
    }
}

impl std::error::Error for Problems {}

/// Collects what is found while a manifest is read.
pub(crate) struct Report<'s> {
    pub(crate) source: &'s Source,
    syntax: Vec<(usize, String)>,
    problems: Vec<(usize, String)>,
    warnings: Vec<(usize, String)>,
}

impl<'s> Report<'s> {
    pub(crate) fn new(source: &'s Source) -> Self {
        Self { source, syntax: Vec::new(), problems: Vec::new(), warnings: Vec::new() }
    }

    /// Something at this byte is not TOML.
    pub(crate) fn syntax(&mut self, offset: usize, message: impl Into<String>) {
        self.syntax.push((offset, message.into()));
    }

    /// Something at this byte is wrong.
    pub(crate) fn problem(&mut self, offset: usize, message: impl Into<String>) {
        self.problems.push((offset, message.into()));
    }

    /// Something at this byte is better otherwise.
    pub(crate) fn warning(&mut self, offset: usize, message: impl Into<String>) {
        self.warnings.push((offset, message.into()));
    }

    /// What is wrong in another reading of the same text.
    pub(crate) fn take_problems(&mut self, other: Self) {
        self.problems.extend(other.problems);
    }

    pub(crate) fn forget_all_but_syntax(&mut self) {
        self.problems.clear();
        self.warnings.clear();
    }

    /// The warnings, when nothing is wrong.
    pub(crate) fn finish(self) -> Result<Vec<Problem>, Problems> {
        let Self { source, syntax, mut problems, warnings } = self;
        problems.extend(syntax);
        if problems.is_empty() {
            return Ok(placed(source, ordered(warnings)));
        }
        let mut problems = ordered(problems);
        let more = problems.len().saturating_sub(MOST);
        problems.truncate(MOST);
        Err(Problems { found: placed(source, problems), more })
    }
}

fn ordered(mut found: Vec<(usize, String)>) -> Vec<(usize, String)> {
    found.sort_by_key(|(offset, _)| *offset);
    found.dedup();
    found
}

fn placed(source: &Source, found: Vec<(usize, String)>) -> Vec<Problem> {
    let place =
        |(offset, message)| Problem { file: source.file.clone(), position: Some(source.position(offset)), message };
    found.into_iter().map(place).collect()
}
