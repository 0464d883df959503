//! Whether a stream's table is there, and by the name that the manifest gives it.

use serde_json::{Value, json};

use super::Look;
use super::finding::Findings;
use crate::database::{Refusal, call};
use crate::manifest::Stream;
use crate::names;

/// The table's description; none when there is none, which is then told.
pub(super) async fn describe(
    look: &Look<'_>,
    stream: &Stream,
    subject: &str,
    findings: &mut Findings,
) -> Option<Value> {
    let table = stream.table();
    let request = json!({ "TableName": table });
    match call::<Value>(&*look.api, "DynamoDB_20120810.DescribeTable", request).await {
        Ok(mut answer) => Some(answer["Table"].take()),
        Err(Refusal { kind, .. }) if kind == "ResourceNotFoundException" => {
            let (message, advice) = missing(look, table).await;
            findings.problem(subject, "table", message, advice);
            None
        }
        Err(refusal) => {
            findings.problem(subject, "table", format!("the table {table} cannot be looked at: {refusal}"), "");
            None
        }
    }
}

async fn missing(look: &Look<'_>, table: &str) -> (String, String) {
    let message = format!("there is no table {table}");
    let Ok(mut others) = list(look).await else { return (message, String::new()) };
    // Made in the meantime.
    others.retain(|other| other != table);
    // The namespace stands before the name that is written in the manifest.
    let written = |other: &&String| table.strip_suffix(other.as_str()).is_some_and(|before| !before.is_empty());
    if let Some(other) = others.iter().filter(written).max_by_key(|other| other.len()) {
        let before = table.strip_suffix(other.as_str()).unwrap_or_default();
        return (
            format!("{message}; there is {other}, without the namespace `{before}`"),
            format!("write to {table}, or say `namespace = false` in [project], or name the table by `stream-arn`"),
        );
    }
    let (project, own) = (&look.manifest.project, format!("{}-{}", look.manifest.project, look.manifest.env));
    let known: Vec<&str> = others.iter().map(String::as_str).collect();
    match names::nearest(table, known) {
        Some(other) if other.starts_with(project.as_str()) && !other.starts_with(&own) => (
            format!("{message}; there is {other}, perhaps of another environment"),
            "gristmill doctor --env ENV looks at another one".to_owned(),
        ),
        Some(other) => (format!("{message}; there is {other}"), "is it spelt otherwise?".to_owned()),
        None => {
            (message, "create it, with its stream; `gristmill dev --create-tables` does on this machine".to_owned())
        }
    }
}

async fn list(look: &Look<'_>) -> Result<Vec<String>, Refusal> {
    /// An account has at most some thousand tables.
    const MOST_PAGES: usize = 50;
    let mut tables = Vec::new();
    let mut after = Value::Null;
    for _ in 0..MOST_PAGES {
        let mut request = json!({});
        if !after.is_null() {
            request["ExclusiveStartTableName"] = after;
        }
        let mut page: Value = call(&*look.api, "DynamoDB_20120810.ListTables", request).await?;
        let names = page["TableNames"].as_array().into_iter().flatten();
        tables.extend(names.filter_map(Value::as_str).map(str::to_owned));
        after = page["LastEvaluatedTableName"].take();
        if after.is_null() {
            break;
        }
    }
    Ok(tables)
}
