//! A plan as people read it.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Action, Change};

/// The most characters of a value that are shown.
const MOST_CHARS: usize = 60;

/// A line for each resource, and one for each of its properties that differs.
pub fn text(changes: &[Change]) -> String {
    let mut text = String::new();
    for change in changes {
        let (sign, verb) = match change.action {
            Action::Add => ("+", "made"),
            Action::Change => ("~", "changed"),
            Action::Replace => ("±", "made anew"),
            Action::Remove => ("-", "removed"),
            Action::Leave => (".", "left, and no longer the stack's"),
        };
        let kind = change.kind.strip_prefix("AWS::").unwrap_or(&change.kind);
        let _ = writeln!(text, "  {sign} {:<44} {kind:<28} {verb}", change.id);
        for difference in &change.properties {
            let anew = if difference.replaces { "  (makes it anew)" } else { "" };
            let what = match is_secret(&difference.path) {
                true => "differs".to_owned(),
                false => match (&difference.from, &difference.to) {
                    (None, Some(to)) => shown(to),
                    (Some(from), None) => format!("{} is taken out", shown(from)),
                    (Some(from), Some(to)) => format!("{} -> {}", shown(from), shown(to)),
                    (None, None) => String::new(),
                },
            };
            let _ = writeln!(text, "      {}: {what}{anew}", difference.path);
        }
        if let Some(note) = &change.note {
            let _ = writeln!(text, "      ! {note}");
        }
    }
    text
}

/// What a function's environment holds is nobody's but the function's.
fn is_secret(path: &str) -> bool {
    path.starts_with("Environment.")
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(MOST_CHARS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
