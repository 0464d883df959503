//! Where the command meets its caller: what it prints and its exit code.
//! Knows nothing of what any subcommand does.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::manifest::Problems;

/// What a subcommand leaves to print when it did its work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Goes to standard output as it is: whoever makes it has escaped what
    /// came from outside ([`escape`]).
    pub stdout: String,
    /// The work was done and its answer is no: exit code 1.
    pub failed: bool,
}

impl Done {
    /// Success, with this on standard output.
    pub fn printing(stdout: impl Into<String>) -> Self {
        Self { stdout: stdout.into(), failed: false }
    }
}

/// The caller asked for something that cannot be: exit code 2, as clap has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misuse(String);

impl Misuse {
    /// The message names the thing and what to try next.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misuse {}

/// Prints what a subcommand left and gives its exit code: 0 done, 1 something
/// failed, 2 misuse or a manifest with problems.
pub fn finish(result: anyhow::Result<Done>) -> ExitCode {
    match result.and_then(|done| print(&done.stdout).map(|()| done.failed)) {
        Ok(failed) => ExitCode::from(u8::from(failed)),
        Err(err) => {
            // Nobody is left to tell when standard error is closed.
            let _ = writeln!(io::stderr(), "error: {}", escape(&format!("{err:#}")));
            ExitCode::from(code(&err))
        }
    }
}

/// The exit code of an error.
pub fn code(err: &anyhow::Error) -> u8 {
    let misuse = err.chain().any(|cause| cause.is::<Misuse>() || cause.is::<Problems>());
    if misuse { 2 } else { 1 }
}

/// Writes to standard output. A reader that has gone (`| head`) is no error.
fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(err) if err.kind() != io::ErrorKind::BrokenPipe => {
            Err(anyhow::Error::new(err).context("cannot write to standard output"))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Text that may hold anything, made harmless for a terminal: control
/// characters other than the line feed, and the characters that turn the
/// direction of writing, become `\u{…}`.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if (c.is_control() && c != '\n') || turns {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// A word of the user's in a message: in back quotes, on one line, harmless
/// for a terminal, and cut when it is long.
pub fn quoted(word: &str) -> String {
    /// Two ARNs fit; a message stays readable.
    const MOST_CHARS: usize = 200;
    let cut = word.char_indices().nth(MOST_CHARS).map(|(at, _)| at);
    let shown = escape(&word[..cut.unwrap_or(word.len())]).replace('\n', "\\u{a}");
    if cut.is_some() { format!("`{shown}…`") } else { format!("`{shown}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_escaped() {
        assert_eq!(escape("a\u{1b}[31mb\nc\rd\u{9b}e\u{202e}f\tü"), "a\\u{1b}[31mb\nc\\u{d}d\\u{9b}e\\u{202e}f\\u{9}ü");
    }

    #[test]
    fn a_quoted_word_is_one_short_line() {
        assert_eq!(quoted("a\nerror: b"), "`a\\u{a}error: b`");
        assert_eq!(quoted(&"x".repeat(201)), format!("`{}…`", "x".repeat(200)));
    }

    #[test]
    fn misuse_is_seen_under_context() {
        let misuse = anyhow::Error::new(Misuse::new("no")).context("while");
        assert_eq!((code(&misuse), format!("{misuse:#}").as_str()), (2, "while: no"));
        assert_eq!(code(&anyhow::anyhow!("broken")), 1);
    }
}
