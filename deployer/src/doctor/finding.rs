//! What was found, and how it is printed. Knows nothing of what is looked for.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::json;

use crate::cli::Output;
use crate::edge::Done;
use gristmill_host::log::{escape_json, escape_text};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// It may be why.
    Warning,
    /// It is why.
    Problem,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// `handler clerk-file`, `stream orders`, `item`.
    subject: String,
    /// What was looked at; a word for programs.
    check: &'static str,
    level: Level,
    message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

/// All that was found, in the order in which it was looked at.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn ok(&mut self, subject: &str, check: &'static str, message: impl Into<String>) {
        self.add(subject, check, Level::Ok, message.into(), None);
    }

    pub(super) fn warning(
        &mut self,
        subject: &str,
        check: &'static str,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(subject, check, Level::Warning, message.into(), Some(advice.into()));
    }

    pub(super) fn problem(
        &mut self,
        subject: &str,
        check: &'static str,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(subject, check, Level::Problem, message.into(), Some(advice.into()));
    }

    fn add(&mut self, subject: &str, check: &'static str, level: Level, message: String, advice: Option<String>) {
        let advice = advice.filter(|advice| !advice.is_empty());
        self.0.push(Finding { subject: subject.to_owned(), check, level, message, advice });
    }

    fn count(&self, level: Level) -> usize {
        self.0.iter().filter(|finding| finding.level == level).count()
    }

    /// Failed when there is a problem. `next` is the command where there is none.
    pub(super) fn into_done(self, output: Output, next: &str) -> Done {
        let (problems, warnings) = (self.count(Level::Problem), self.count(Level::Warning));
        let stdout = match output {
            Output::Json => {
                let value = json!({ "findings": self.0, "problems": problems, "warnings": warnings });
                escape_json(&value.to_string()).into_owned() + "\n"
            }
            Output::Text => self.text(problems, warnings, next),
        };
        Done { stdout, failed: problems > 0 }
    }

    fn text(&self, problems: usize, warnings: usize, next: &str) -> String {
        let mut text = String::new();
        let mut subject = "";
        for finding in &self.0 {
            if finding.subject != subject {
                subject = &finding.subject;
                let _ = writeln!(text, "{}", escape_text(subject));
            }
            let level = match finding.level {
                Level::Ok => "ok",
                Level::Warning => "warning",
                Level::Problem => "PROBLEM",
            };
            let _ = writeln!(text, "  {level:<8} {}", escape_text(&finding.message));
            if let Some(advice) = &finding.advice {
                let _ = writeln!(text, "  {:<8} > {}", "", escape_text(advice));
            }
        }
        let count = |number: usize, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
        let _ = match (problems, warnings) {
            (0, 0) => writeln!(text, "\nNothing is wrong that can be seen from here. Next: {next}"),
            (0, _) => writeln!(text, "\nNo problem, {}. Next: {next}", count(warnings, "warning")),
            _ => writeln!(text, "\n{}, {}.", count(problems, "problem"), count(warnings, "warning")),
        };
        text
    }
}
