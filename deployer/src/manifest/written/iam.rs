//! `[iam]` as written: statements of the user's own beside those that are
//! generated, or in their place. Of a project, and of one function.

use serde_json::{Map, Value};
use toml::de::DeValue;

use super::super::fields::{At, Fields, Refused};
use super::super::filter;
use super::super::problem::Report;
use crate::edge::quoted;

const REFUSED: &[Refused] = &[
    ("statement", "the key is `statements`, an array of tables: [[iam.statements]]"),
    ("policies", "the key is `statements`; a policy's own statements stand there"),
];

const STATEMENT_REFUSED: &[Refused] = &[
    ("action", "the key is `actions`, an array"),
    ("resource", "the key is `resources`, an array"),
    ("principal", "this is a role's policy: its principal is the role"),
    ("not-action", "say what is allowed, and not what is left; `actions` takes an array"),
    ("not-resource", "say what is allowed, and not what is left; `resources` takes an array"),
];

/// What the user says of rights.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Iam {
    /// Whether the generated statements are left out.
    pub replace: bool,
    /// The user's own, each as a policy has it.
    pub statements: Vec<Value>,
}

/// The table under `iam`.
pub(super) fn read(parent: &mut Fields<'_, '_, '_>) -> Iam {
    let Some((offset, table)) = parent.table("iam", "a table: [iam]") else { return Iam::default() };
    let mut fields = Fields::new("`iam`", offset, table, parent.report);
    let replace = fields.boolean("replace");
    let mut statements = Vec::new();
    if let Some(value) = fields.value("statements") {
        match value.get_ref() {
            DeValue::Array(written) => {
                for statement in written.iter() {
                    match statement.get_ref() {
                        DeValue::Table(table) => {
                            let mut inner =
                                Fields::new("an IAM statement", statement.span().start, table, fields.report);
                            statements.extend(read_statement(&mut inner));
                            inner.finish(STATEMENT_REFUSED);
                        }
                        other => {
                            fields.wrong_type::<()>("statements", statement, other, "an array of tables");
                        }
                    }
                }
            }
            other => {
                fields.wrong_type::<()>("statements", value, other, "an array of tables");
            }
        }
    }
    let replaces = replace.as_ref().is_some_and(|at| at.value);
    if let Some(At { value: true, offset }) = replace {
        if statements.is_empty() {
            fields.report.problem(
                offset,
                "`replace = true` without `statements` leaves the function no rights at all, and its mapping cannot be made",
            );
        } else {
            fields.report.warning(
                offset,
                "the generated statements are left out: what the function's mapping, log and destination need must be in \
                 `statements` (`gristmill policy` shows what)",
            );
        }
    }
    fields.finish(REFUSED);
    Iam { replace: replaces, statements }
}

fn read_statement(fields: &mut Fields<'_, '_, '_>) -> Option<Value> {
    let place = fields.offset();
    let sid = fields.string("sid", "letters and digits");
    if let Some(At { value, offset }) = &sid
        && (value.is_empty() || !value.chars().all(|c| c.is_ascii_alphanumeric()))
    {
        fields.report.problem(*offset, format!("`sid` takes letters and digits, and this is {}", quoted(value)));
    }
    let effect = fields.choice("effect", &[("Allow", "Allow"), ("Deny", "Deny")]);
    let actions = list(fields, "actions", place)?;
    for action in &actions {
        let is_action = action.value == "*"
            || action.value.split_once(':').is_some_and(|(service, name)| {
                let word = |text: &str, also: &str| {
                    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
                };
                word(service, "-") && word(name, "*?")
            });
        if !is_action {
            let message = format!("an action is service:Name, as s3:GetObject, and this is {}", quoted(&action.value));
            fields.report.problem(action.offset, message);
        }
    }
    let resources = list(fields, "resources", place)?;
    for resource in &resources {
        if resource.value != "*" && !resource.value.starts_with("arn:") {
            let message = format!("a resource is an ARN or `*`, and this is {}", quoted(&resource.value));
            fields.report.problem(resource.offset, message);
        }
    }
    let condition = condition(fields);
    let texts = |list: Vec<At<String>>| list.into_iter().map(|at| Value::String(at.value)).collect::<Vec<_>>();
    let mut statement = Map::new();
    if let Some(sid) = sid {
        statement.insert("Sid".to_owned(), Value::String(sid.value));
    }
    statement.insert("Effect".to_owned(), Value::from(effect.map_or("Allow", |at| at.value)));
    statement.insert("Action".to_owned(), Value::Array(texts(actions)));
    statement.insert("Resource".to_owned(), Value::Array(texts(resources)));
    if let Some(condition) = condition {
        statement.insert("Condition".to_owned(), condition);
    }
    Some(Value::Object(statement))
}

fn list(fields: &mut Fields<'_, '_, '_>, key: &'static str, place: usize) -> Option<Vec<At<String>>> {
    if fields.key_offset(key).is_none() {
        fields.value(key);
        fields.report.problem(place, format!("an IAM statement has no `{key}`"));
        return None;
    }
    let written = fields.strings(key, "an array of strings")?;
    if written.is_empty() {
        fields.report.problem(place, format!("`{key}` of an IAM statement is empty"));
        return None;
    }
    Some(written)
}

fn condition(fields: &mut Fields<'_, '_, '_>) -> Option<Value> {
    let value = fields.value("condition")?;
    let takes = "a table, as { StringEquals = { \"aws:SourceAccount\" = \"112233445566\" } }";
    let DeValue::Table(table) = value.get_ref() else {
        return fields.wrong_type("condition", value, value.get_ref(), takes);
    };
    let is_table = |value: &toml::Spanned<DeValue<'_>>| matches!(value.get_ref(), DeValue::Table(_));
    if !table.iter().all(|(_, value)| is_table(value)) {
        return fields.wrong_type("condition", value, value.get_ref(), takes);
    }
    match filter::json(value.get_ref()) {
        Ok(json) => Some(json),
        Err(why) => {
            fields.report.problem(value.span().start, why);
            None
        }
    }
}

/// Two statements of one `sid` in one policy are refused by IAM.
pub(crate) fn check_sids<'w>(all: impl Iterator<Item = &'w Iam>, offset: usize, report: &mut Report<'_>) {
    let mut seen = std::collections::BTreeSet::new();
    for sid in all.flat_map(|iam| &iam.statements).filter_map(|statement| statement["Sid"].as_str()) {
        if !seen.insert(sid) {
            report.problem(offset, format!("two IAM statements of one function have the `sid` {}", quoted(sid)));
        }
    }
}
