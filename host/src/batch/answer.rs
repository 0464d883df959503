//! The answer to Lambda (R10, R11, R12).

use serde_json::json;

use super::{Outcome, Report};
use crate::event::Event;
use crate::settings::Response;

/// What must come again: the lowest record of which some handler is not done.
///
/// It can only be made from the outcomes of a whole event, so there is no
/// "nothing, because it failed": to Lambda an empty list is success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    from: Option<From>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct From {
    position: usize,
    identifier: String,
}

impl Answer {
    pub(super) fn of(event: &Event, outcomes: &[Vec<Outcome>]) -> Self {
        let again = |row: &Vec<Outcome>| row.iter().any(Outcome::must_come_again);
        let from = outcomes.iter().position(again).map(|position| From {
            position,
            identifier: event.record(position).sequence_number().as_str().to_owned(),
        });
        Self { from }
    }

    /// The sequence number, as it came, of the record from which on everything
    /// must come again; none when nothing must.
    pub fn come_again_from(&self) -> Option<&str> {
        self.from.as_ref().map(|from| from.identifier.as_str())
    }

    /// That record's position in [`Event::records`].
    pub fn position(&self) -> Option<usize> {
        self.from.as_ref().map(|from| from.position)
    }
}

/// The failure of a function, as Lambda takes it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FunctionError {
    /// For example `Gristmill.RecordsFailed`.
    pub kind: &'static str,
    /// For people.
    pub message: String,
}

/// The body of the function's answer, or its failure where the mapping would
/// not read the body (R11).
///
/// # Errors
///
/// [`FunctionError`] when a record must come again and `response` is
/// [`Response::Error`].
pub fn respond(report: &Report, names: &[&str], event: &Event, response: Response) -> Result<String, FunctionError> {
    let from = report.answer.come_again_from();
    if let (Some(identifier), Some(position), Response::Error) = (from, report.answer.position(), response) {
        let failed = report.outcomes.iter().filter(|row| row.iter().any(Outcome::must_come_again)).count();
        let first = names.iter().zip(&report.outcomes[position]).find(|(_, outcome)| outcome.must_come_again());
        let (name, outcome) = first.map_or(("", String::new()), |(name, outcome)| (*name, outcome.to_string()));
        let message = format!(
            "{failed} of {} records must come again, from sequence number {identifier} on: handler {name}: {outcome}",
            event.len()
        );
        return Err(FunctionError { kind: "Gristmill.RecordsFailed", message });
    }
    let failures: Vec<_> = from.iter().map(|identifier| json!({ "itemIdentifier": identifier })).collect();
    let failures = json!(failures);
    Ok(match event.window_state() {
        // The state is text that was read as JSON, and goes back byte for byte.
        Some(state) => format!("{{\"batchItemFailures\":{failures},\"state\":{state}}}"),
        None => format!("{{\"batchItemFailures\":{failures}}}"),
    })
}
