//! The namespace rule: a table's full name from project, environment and the
//! name in the manifest. An ARN never comes here.

use super::super::arn;
use super::super::problem::Report;
use super::super::written::{NamespaceWritten, ProjectWritten};
use crate::edge::quoted;

/// `demo-dev_test-table`. None when that is no table's name, and reported.
pub(super) fn full(
    project: &ProjectWritten,
    env: Option<&str>,
    table: &str,
    offset: usize,
    report: &mut Report<'_>,
) -> Option<String> {
    let before = before(project, env);
    let full = format!("{before}{table}");
    if let Err(why) = arn::check_table(&full) {
        report.problem(offset, format!("the table's full name {} {why}", quoted(&full)));
        return None;
    }
    if !before.is_empty() && table.starts_with(&before) {
        let message = format!(
            "{} already begins with the namespace, and its full name is {}; leave `{before}` out",
            quoted(table),
            quoted(&full)
        );
        report.warning(offset, message);
    }
    Some(full)
}

fn before(project: &ProjectWritten, env: Option<&str>) -> String {
    match &project.namespace {
        NamespaceWritten::Off => String::new(),
        NamespaceWritten::On { prefix, separator } => {
            let env = env.unwrap_or(&project.env);
            format!("{}{separator}", prefix.replace("{project}", &project.name).replace("{env}", env))
        }
    }
}

/// Checks a table's name as it is written, before the namespace.
pub(crate) fn check_written(table: &str) -> Result<(), String> {
    match table.chars().find(|c| !arn::table_char(*c)) {
        None if !table.is_empty() => Ok(()),
        None => Err("is empty".to_owned()),
        Some(_) if table.starts_with("arn:") => Err("is an ARN".to_owned()),
        Some(bad) => Err(format!("has {}; DynamoDB takes a–z, A–Z, 0–9, `_`, `-` and `.`", quoted(&bad.to_string()))),
    }
}
