//! The files of a handler in Rust. Knows nothing of the manifest.

use std::path::Path;

use anyhow::bail;

use crate::edge::{Misuse, quoted};
use crate::files::Changes;
use crate::{names, new, vendor};

/// Words that a function of edition 2024 cannot be called.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// The function's name: `on_insert` for `on_insert` and `on-insert`.
///
/// # Errors
///
/// [`Misuse`]: no function can be called so.
pub(super) fn function(method: &str) -> anyhow::Result<String> {
    let function = method.replace('-', "_");
    let first = function.starts_with(|c: char| c.is_ascii_lowercase());
    let rest = function.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let shown = quoted(method);
    if !first || !rest {
        let near = names::kebab(method).replace('-', "_");
        let near = if near.starts_with(|c: char| c.is_ascii_lowercase()) && near != function {
            format!("; for example `{near}`")
        } else {
            String::new()
        };
        bail!(Misuse::new(format!(
            "--method {shown} is not a function's name: a–z, 0–9 and `_`, the first a letter{near}"
        )));
    }
    if KEYWORDS.contains(&function.as_str()) {
        bail!(Misuse::new(format!("--method {shown} is a word of Rust; for example `{function}_record`")));
    }
    Ok(function)
}

/// Adds the handler's crate in `dir`, and, where they are missing, what it
/// needs of the project: the workspace and the SDK.
pub(super) fn add_to(changes: &mut Changes, root: &Path, dir: &Path, handler: &str, function: &str, table: &str) {
    if !root.join("Cargo.toml").exists() {
        new::add_cargo_workspace(changes);
    }
    if !root.join(vendor::SDK_DIR).join("Cargo.toml").exists() {
        vendor::add_to(changes);
    }
    let up = "../".repeat(dir.components().count());
    let fill = |template: &str| {
        template
            .replace("@HANDLER@", handler)
            .replace("@METHOD@", function)
            .replace("@SDK@", &format!("{up}{}", vendor::SDK_DIR))
            .replace("@TABLE@", table)
    };
    changes.write(dir.join("Cargo.toml"), fill(include_str!("../../templates/handler/Cargo.toml")));
    changes.write(dir.join("src/lib.rs"), fill(include_str!("../../templates/handler/lib.rs")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_becomes_a_function() {
        for (method, name) in [("file", "file"), ("on_insert", "on_insert"), ("on-insert", "on_insert"), ("v2", "v2")] {
            assert_eq!(function(method).unwrap(), name);
        }
    }

    #[test]
    fn what_no_function_can_be_called_is_refused() {
        let rule = "is not a function's name: a–z, 0–9 and `_`, the first a letter";
        for (method, message) in [
            ("match", "--method `match` is a word of Rust; for example `match_record`".to_owned()),
            ("onInsert", format!("--method `onInsert` {rule}; for example `on_insert`")),
            ("", format!("--method `` {rule}")),
            ("9", format!("--method `9` {rule}")),
            ("a b", format!("--method `a b` {rule}; for example `a_b`")),
            ("_x", format!("--method `_x` {rule}; for example `x`")),
        ] {
            assert_eq!(function(method).unwrap_err().to_string(), message);
        }
    }
}
