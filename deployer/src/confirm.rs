//! Asking before something is done that cannot be taken back with one keystroke.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use anyhow::Context as _;

use crate::edge::Misuse;

/// What was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Go on.
    Yes,
    /// Do nothing.
    No,
}

/// Asks on the terminal, unless the user has said yes before.
///
/// # Errors
///
/// [`Misuse`] when there is nobody to ask.
pub(crate) fn ask(yes: bool, question: &str) -> anyhow::Result<Answer> {
    if yes {
        return Ok(Answer::Yes);
    }
    if !io::stdin().is_terminal() {
        return Err(Misuse::new(format!("{question} There is no terminal to ask on; --yes says yes")).into());
    }
    eprint!("{question} [y/N] ");
    io::stderr().flush().context("cannot ask")?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).context("cannot read the answer")?;
    let is_yes = matches!(line.trim().to_lowercase().as_str(), "y" | "yes");
    Ok(if is_yes { Answer::Yes } else { Answer::No })
}
