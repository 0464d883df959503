//! `[project]` as written.

use toml::de::DeValue;

use super::super::arn::table_char;
use super::super::fields::{At, Fields};
use super::check_name;
use crate::edge::quoted;

/// The environment of a manifest that names none.
pub(crate) const DEFAULT_ENV: &str = "dev";

/// `[project]`.
#[derive(Clone, Debug)]
pub(crate) struct ProjectWritten {
    pub(crate) name: String,
    pub(crate) env: String,
    pub(crate) namespace: NamespaceWritten,
}

/// What comes before a table's name.
#[derive(Clone, Debug)]
pub(crate) enum NamespaceWritten {
    /// `namespace = false`: nothing.
    Off,
    /// `{project}` and `{env}` in the prefix stand for their names.
    On { prefix: String, separator: String },
}

impl Default for NamespaceWritten {
    /// `demo-dev_test-table`, as docs/design.md has it.
    fn default() -> Self {
        Self::On { prefix: "{project}-{env}".to_owned(), separator: "_".to_owned() }
    }
}

pub(super) fn read(root: &mut Fields<'_, '_, '_>) -> Option<ProjectWritten> {
    let Some(value) = root.value("project") else {
        root.report.problem(0, "there is no [project]; it has the key `name`");
        return None;
    };
    let DeValue::Table(table) = value.get_ref() else {
        return root.wrong_type("project", value, value.get_ref(), "a table: [project]");
    };
    let mut fields = Fields::new("[project]", value.span().start, table, root.report);
    let written_name = fields.key_offset("name").is_some();
    let name = fields.string("name", "a name, for example \"demo\"");
    if !written_name {
        fields.report.problem(fields.offset(), "[project] has no `name`; it begins the names of tables and stacks");
    }
    let env = fields.string("env", "a name, for example \"dev\"");
    let namespace = namespace(&mut fields);
    for name in [&name, &env].into_iter().flatten() {
        check_name(name, fields.report);
    }
    fields.finish(&[("region", "AWS's own configuration says where to deploy")]);
    Some(ProjectWritten {
        name: name?.value,
        env: env.map_or_else(|| DEFAULT_ENV.to_owned(), |env| env.value),
        namespace: namespace?,
    })
}

fn namespace(project: &mut Fields<'_, '_, '_>) -> Option<NamespaceWritten> {
    let Some(value) = project.value("namespace") else { return Some(NamespaceWritten::default()) };
    match value.get_ref() {
        DeValue::Boolean(true) => Some(NamespaceWritten::default()),
        DeValue::Boolean(false) => Some(NamespaceWritten::Off),
        DeValue::Table(table) => {
            let mut fields = Fields::new("[project.namespace]", value.span().start, table, project.report);
            let NamespaceWritten::On { prefix, separator } = NamespaceWritten::default() else { return None };
            let prefix = part(&mut fields, "prefix", prefix);
            let separator = part(&mut fields, "separator", separator);
            fields.finish(&[]);
            Some(NamespaceWritten::On { prefix: prefix?, separator: separator? })
        }
        other => {
            let takes = "true, false or a table: [project.namespace] with `prefix` and `separator`";
            project.wrong_type("namespace", value, other, takes)
        }
    }
}

/// A part of the namespace, of the characters that a table's name may have.
fn part(fields: &mut Fields<'_, '_, '_>, key: &'static str, default: String) -> Option<String> {
    if fields.key_offset(key).is_none() {
        fields.value(key);
        return Some(default);
    }
    let At { value, offset } = fields.string(key, "a string")?;
    let plain = if key == "prefix" { value.replace("{project}", "").replace("{env}", "") } else { value.clone() };
    if let Some(bad) = plain.chars().find(|c| !table_char(*c)) {
        let bad = quoted(&bad.to_string());
        let also = if key == "prefix" { "; `{project}` and `{env}` stand for their names" } else { "" };
        fields.report.problem(
            offset,
            format!("`{key}` becomes part of a table's name, which takes a–z, A–Z, 0–9, `_`, `-` and `.`, and this has {bad}{also}"),
        );
        return None;
    }
    Some(value)
}
