//! `gristmill env`: the variables of the function, in gristmill.toml. The manifest
//! is the truth: what was set on AWS by hand would be gone with the next deploy.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use serde_json::json;
use toml_edit::{DocumentMut, Item, Table, TableLike, value};

use crate::cli::{EnvListArgs, EnvSetArgs, EnvUnsetArgs, Output};
use crate::edge::{Done, Misuse, escape, quoted};
use crate::files::Changes;
use crate::manifest::{self, FILE_NAME};

/// Runs `gristmill env list` in the project at `root`.
///
/// # Errors
///
/// The manifest has problems.
pub fn list(root: &Path, args: &EnvListArgs) -> anyhow::Result<Done> {
    let manifest = manifest::load(root, args.env.env.as_deref())?;
    let variables = &manifest.function.environment;
    Ok(Done::printing(match args.output {
        Output::Json => json!({ "environment": manifest.env, "variables": variables }).to_string() + "\n",
        Output::Text => {
            let mut text = String::new();
            for (name, value) in variables {
                let _ = writeln!(text, "{name}={value}");
            }
            escape(&text)
        }
    }))
}

/// Runs `gristmill env set` in the project at `root`.
///
/// # Errors
///
/// * [`Misuse`]: a variable has no `=`, or no name;
/// * the manifest has problems, before or after; then nothing is written.
pub fn set(root: &Path, args: &EnvSetArgs) -> anyhow::Result<Done> {
    let mut variables = Vec::new();
    for each in &args.variables {
        let (name, value) = each
            .split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or_else(|| Misuse::new(format!("{} is no variable; it takes NAME=VALUE", quoted(each))))?;
        variables.push((name, value));
    }
    change(root, args.env.env.as_deref(), |table| {
        for (name, text) in &variables {
            table.insert(name, value(*text));
        }
        Ok(format!("{} set", count(variables.len())))
    })
}

/// Runs `gristmill env unset` in the project at `root`.
///
/// # Errors
///
/// * [`Misuse`]: there is no such variable;
/// * the manifest has problems.
pub fn unset(root: &Path, args: &EnvUnsetArgs) -> anyhow::Result<Done> {
    change(root, args.env.env.as_deref(), |table| {
        for name in &args.names {
            if table.remove(name).is_none() {
                let known: Vec<String> = table.iter().map(|(name, _)| name.to_owned()).collect();
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                let message = format!("there is no variable {}{}", quoted(name), crate::names::suggest(name, &known));
                return Err(Misuse::new(message).into());
            }
        }
        Ok(format!("{} taken out", count(args.names.len())))
    })
}

fn count(variables: usize) -> String {
    if variables == 1 { "1 variable is".to_owned() } else { format!("{variables} variables are") }
}

/// Changes the table of variables, and writes the manifest when it is one.
fn change(
    root: &Path,
    env: Option<&str>,
    change: impl FnOnce(&mut dyn TableLike) -> anyhow::Result<String>,
) -> anyhow::Result<Done> {
    manifest::load(root, env)?;
    let path = root.join(FILE_NAME);
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {FILE_NAME}"))?;
    let mut document: DocumentMut = text.parse().with_context(|| format!("cannot read {FILE_NAME}"))?;
    let (place, keys): (String, Vec<&str>) = match env {
        None => ("[function.environment]".to_owned(), vec!["function", "environment"]),
        Some(env) => (format!("[env.{env}.function.environment]"), vec!["env", env, "function", "environment"]),
    };
    let table = below(document.as_table_mut(), &keys)?;
    let done = change(table)?;
    let new = document.to_string();
    // Looked at before it is written: a name that Lambda sets itself is told so.
    manifest::check_text(&new, env)?;
    let mut changes = Changes::new(root);
    changes.write(FILE_NAME, new);
    changes.commit()?;
    Ok(Done::printing(format!("{done} in {place}; `gristmill deploy` brings it to AWS\n")))
}

/// The table at a path, made where it is not there.
fn below<'d>(table: &'d mut Table, keys: &[&str]) -> anyhow::Result<&'d mut dyn TableLike> {
    let mut at: &mut dyn TableLike = table;
    for key in keys {
        if at.get(key).is_none() {
            let mut made = Table::new();
            made.set_implicit(true);
            at.insert(key, Item::Table(made));
        }
        let item = at.get_mut(key).context("it was made")?;
        at = item.as_table_like_mut().with_context(|| format!("`{key}` is no table in {FILE_NAME}"))?;
    }
    Ok(at)
}
