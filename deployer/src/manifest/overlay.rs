//! `[env.NAME]`: what is otherwise in one environment, laid over the rest of the
//! file. Works on the tree, before anything is read out of it, so that a value
//! of an overlay is checked as if it stood in the table itself, and keeps its
//! place.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::fields::kind;
use super::problem::Report;
use crate::edge::quoted;
use crate::names;

/// Each is laid over the whole file and read, so that a mistake is told before
/// that environment is deployed. More than these are a mistake themselves.
const MOST: usize = 50;

/// Of each of these, what an environment says takes the place of all the others.
const EXCLUSIVE: [(&str, &[&str]); 2] =
    [("stream", &["table", "stream-arn"]), ("handler", &["source", "component", "lang", "stack-kb", "js-engine"])];

/// A file and its environments.
pub(super) struct Overlays<'s> {
    /// The file without its overlays.
    base: DeTable<'s>,
    overlays: BTreeMap<String, DeTable<'s>>,
}

impl<'s> Overlays<'s> {
    /// Takes the overlays out of the file, and reports what is none.
    pub(super) fn of(mut base: DeTable<'s>, report: &mut Report<'_>) -> Self {
        let mut overlays = BTreeMap::new();
        let Some((key, value)) = base.remove_entry("env") else { return Self { base, overlays } };
        let at = key.span().start;
        match value.into_inner() {
            DeValue::Table(envs) => {
                if envs.len() > MOST {
                    let message = format!("there are {} tables [env.NAME]; {MOST} are the most", envs.len());
                    report.problem(at, message);
                    return Self { base, overlays };
                }
                for (name, value) in envs {
                    overlays.extend(overlay(&name, value, report));
                }
            }
            other => {
                let message = format!(
                    "`env` takes tables, [env.NAME] with what is otherwise there, and this is {}; the environment's own \
                     name is `env` in [project]",
                    kind(&other)
                );
                report.problem(at, message);
            }
        }
        Self { base, overlays }
    }

    /// The environment of a manifest that is told none.
    pub(super) fn own_env(&self) -> Option<&str> {
        let project = self.base.get("project")?.get_ref().as_table()?;
        project.get("env")?.get_ref().as_str()
    }

    /// The environments that have an overlay.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.overlays.keys().map(String::as_str)
    }

    /// The file as it is in this environment.
    pub(super) fn laid_over(&self, env: &str) -> DeTable<'s> {
        let mut table = self.base.clone();
        if let Some(overlay) = self.overlays.get(env) {
            lay(&mut table, overlay, &mut Vec::new());
        }
        table
    }
}

fn overlay<'s>(
    name: &Spanned<DeString<'s>>,
    value: Spanned<DeValue<'s>>,
    report: &mut Report<'_>,
) -> Option<(String, DeTable<'s>)> {
    let (at, env) = (name.span().start, name.get_ref().to_string());
    if let Err(why) = names::check(&env) {
        report.problem(at, format!("{} {why}", quoted(&env)));
        return None;
    }
    let DeValue::Table(table) = value.into_inner() else {
        let message = format!("{} stands in [env] itself; what is otherwise stands in [env.NAME]", quoted(&env));
        report.problem(at, message);
        return None;
    };
    if let Some((key, _)) = table.get_key_value("env") {
        report.problem(key.span().start, format!("[env.{env}] has an `env` of its own; environments are not nested"));
        return None;
    }
    let project = table.get("project").and_then(|project| project.get_ref().as_table());
    for key in ["name", "env"] {
        if let Some((key, _)) = project.and_then(|project| project.get_key_value(key)) {
            let message = format!("`{}` of the project is the same in all environments", key.get_ref());
            report.problem(key.span().start, message);
            return None;
        }
    }
    Some((env, table))
}

/// Tables are joined key by key; anything else takes the place of what was there.
fn lay<'s>(base: &mut DeTable<'s>, overlay: &DeTable<'s>, path: &mut Vec<String>) {
    for (kind, keys) in EXCLUSIVE {
        let is_one = path.len() == 2 && path[0] == kind;
        // `lang` alone changes how a source is built, and not what is.
        if is_one && keys[..2].iter().any(|key| overlay.contains_key(*key)) {
            keys.iter().for_each(|key| drop(base.remove(*key)));
        }
    }
    for (key, value) in overlay {
        if let DeValue::Table(inner) = value.get_ref()
            && let Some(DeValue::Table(of_base)) = base.get_mut(key.get_ref().as_ref()).map(Spanned::get_mut)
        {
            path.push(key.get_ref().to_string());
            lay(of_base, inner, path);
            path.pop();
            continue;
        }
        // With its own place: the map would keep the old one.
        base.remove(key.get_ref().as_ref());
        base.insert(key.clone(), value.clone());
    }
}
