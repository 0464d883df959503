//! A plan as people read it.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Action, Change};

/// The most characters of a value that are shown.
const MOST_CHARS: usize = 60;

/// And how many before the first that differs, of two long ones.
const CHARS_BEFORE: usize = 80;

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
                    (None, Some(to)) => window(&written(to), 0),
                    (Some(from), None) => format!("{} is taken out", window(&written(from), 0)),
                    (Some(from), Some(to)) => both(&written(from), &written(to)),
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

/// Two long values from where they begin to differ, and a little before.
fn both(from: &str, to: &str) -> String {
    let is_long = |text: &str| text.chars().nth(MOST_CHARS).is_some();
    let same = from.chars().zip(to.chars()).take_while(|(from, to)| from == to).count();
    let skipped = if is_long(from) || is_long(to) { same.saturating_sub(CHARS_BEFORE) } else { 0 };
    format!("{} -> {}", window(from, skipped), window(to, skipped))
}

fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// As much as is shown of a text, without its first characters: those after them
/// are in addition.
fn window(text: &str, skipped: usize) -> String {
    let mut rest = text.chars().skip(skipped);
    let most = if skipped > 0 { CHARS_BEFORE + MOST_CHARS } else { MOST_CHARS };
    let shown: String = rest.by_ref().take(most).collect();
    let before = if skipped > 0 { "…" } else { "" };
    let after = if rest.next().is_some() { "…" } else { "" };
    format!("{before}{shown}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_long_values_are_shown_where_they_differ() {
        assert_eq!(both("512", "1024"), "512 -> 1024");
        let (head, tail) = ("h".repeat(100), "t".repeat(100));
        assert_eq!(
            both(&format!("{head}é1"), &format!("{head}é2x")),
            format!("…{}é1 -> …{}é2x", "h".repeat(79), "h".repeat(79))
        );
        assert_eq!(both("a", &format!("b{tail}")), format!("a -> b{}…", "t".repeat(59)));
        let long = format!("{head}{tail}");
        assert_eq!(both(&long, &head), format!("…{}{}… -> …{}", "h".repeat(80), "t".repeat(60), "h".repeat(80)));
        assert_eq!(both("", ""), " -> ");
    }
}
