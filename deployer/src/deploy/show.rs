//! A plan, and what was done, as people and as programs read it.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::note::{Level, Note};
use super::prepare::Prepared;
use crate::cli::Output;
use crate::edge::{Done, escape};
use crate::plan::{self, Action};
use crate::stack::{Stack, Standing};
use crate::template;

/// In one word, how the stack stands to the manifest.
fn state(prepared: &Prepared<'_>) -> &'static str {
    match &prepared.standing {
        Standing::Broken(_) => "failed",
        Standing::Busy(_) => "busy",
        Standing::New => "new",
        Standing::Ready if prepared.is_unchanged() && !is_moving(prepared) => "unchanged",
        Standing::Ready if is_moving(prepared) => "moving",
        Standing::Ready => "changed",
    }
}

/// Whether a table's old stream is still read, or is left now.
fn is_moving(prepared: &Prepared<'_>) -> bool {
    prepared.laid.moves.values().any(|each| each.is_under_way() || !each.done.is_empty())
}

/// The next command, and why.
fn next<'p>(prepared: &'p Prepared<'_>) -> &'p str {
    if prepared.notes.has_problem() {
        return match &prepared.standing {
            Standing::Broken(why) | Standing::Busy(why) => &why.next,
            Standing::New | Standing::Ready => "mend what is above, and `gristmill plan` again",
        };
    }
    match state(prepared) {
        "unchanged" => "nothing to deploy; `gristmill status` shows how it runs",
        "moving" if prepared.is_unchanged() => "`gristmill deploy`, once the old stream is read",
        _ => "`gristmill deploy`",
    }
}

pub(super) fn text(prepared: &Prepared<'_>) -> String {
    let (aws, name) = (prepared.aws, template::stack_name(prepared.manifest));
    let mut text = format!("{name} in {} of the account {}: {}\n", aws.region, aws.account, state(prepared));
    // What must not be overlooked stands first, and problems last, next to what to
    // do.
    let (problems, notes): (Vec<&Note>, Vec<&Note>) =
        prepared.notes.0.iter().partition(|note| note.level == Level::Problem);
    let print = |text: &mut String, notes: &[&Note]| {
        for note in notes {
            let word = match note.level {
                Level::Fact => "",
                Level::News => "also: ",
                Level::Warning => "warning: ",
                Level::Problem => "PROBLEM: ",
            };
            let _ = writeln!(text, "  {word}{}", note.message);
            if !note.next.is_empty() {
                let _ = writeln!(text, "    > {}", note.next);
            }
        }
    };
    if !notes.is_empty() {
        text.push('\n');
        print(&mut text, &notes);
    }
    if !prepared.changes.is_empty() && !matches!(prepared.standing, Standing::Broken(_)) {
        let count = |action| prepared.changes.iter().filter(|change| change.action == action).count();
        text.push('\n');
        text += &plan::text(&prepared.changes);
        let _ = writeln!(
            text,
            "\n{} to make, {} to change, {} to make anew, {} to remove, {} to leave",
            count(Action::Add),
            count(Action::Change),
            count(Action::Replace),
            count(Action::Remove),
            count(Action::Leave)
        );
    }
    if !problems.is_empty() {
        text.push('\n');
        print(&mut text, &problems);
    }
    let _ = writeln!(text, "\nNext: {}", next(prepared));
    escape(&text)
}

pub(super) fn json(prepared: &Prepared<'_>) -> Value {
    json!({
        "stack": template::stack_name(prepared.manifest),
        "region": prepared.aws.region,
        "account": prepared.aws.account,
        "state": state(prepared),
        "code-sha256": prepared.packed.code_sha256(),
        "changes": prepared.changes,
        "notes": prepared.notes.0,
        "next": next(prepared),
    })
}

/// What a deploy has led to.
pub(super) fn done(prepared: &Prepared<'_>, stack: &Stack, changed: bool, output: Output) -> Done {
    if output == Output::Json {
        let mut value = json(prepared);
        value["deployed"] = json!(changed);
        value["outputs"] = json!(stack.outputs);
        value["next"] = json!("gristmill status");
        return Done::printing(value.to_string() + "\n");
    }
    let mut text = String::new();
    if !changed {
        text += &self::text(prepared);
        return Done::printing(text);
    }
    let _ = writeln!(text, "{} is deployed", stack.name);
    for (name, value) in &stack.outputs {
        let _ = writeln!(text, "  {name:<28} {value}");
    }
    let next = match prepared.laid.moves.values().any(super::moves::Move::is_under_way) {
        true => "`gristmill deploy` again, once the old stream is read",
        false => "`gristmill status` shows how it runs, `gristmill logs --remote -f` what it says",
    };
    let _ = writeln!(text, "\nNext: {next}");
    Done::printing(escape(&text))
}
