//! The files of a new handler, in any language. Knows nothing of the manifest but
//! what a handler of a language is best told there.

use std::path::Path;

use super::method::Method;
use super::workspace;
use crate::files::Changes;
use crate::language::Language;
use crate::{new, vendor};

/// Adds the handler's files in `dir`, and, where they are missing, what they need
/// of the project: the SDK, and for Rust the workspace.
///
/// # Errors
///
/// When the project's `Cargo.toml` cannot be read.
pub(super) fn add_to(
    changes: &mut Changes,
    root: &Path,
    dir: &Path,
    lang: Language,
    handler: &str,
    method: &Method,
    table: &str,
) -> anyhow::Result<()> {
    if lang == Language::Rust && !root.join("Cargo.toml").exists() {
        new::add_cargo_workspace(changes);
    } else if let Some(text) = workspace::changed(root, dir, lang)? {
        changes.write("Cargo.toml", text);
    }
    let sdk = vendor::sdk_dir(lang);
    if !root.join(sdk).join("README.md").exists() {
        vendor::add_to(changes, lang);
    }
    let up = "../".repeat(dir.components().count());
    for (path, text) in vendor::template(lang) {
        let text = text
            .replace("@HANDLER@", handler)
            .replace("@METHOD@", &method.written)
            .replace("@SDK@", &format!("{up}{sdk}"))
            .replace("@TABLE@", table);
        changes.write(dir.join(path), text);
    }
    Ok(())
}

/// What a handler's entry in the manifest has besides its source and its stream,
/// each a line with its reason.
pub(super) fn settings(lang: Language) -> Vec<String> {
    let mut lines = Vec::new();
    if lang != Language::default() {
        lines.push(format!("lang = \"{}\"", lang.key()));
    }
    // As measured: docs/languages.md.
    if matches!(lang, Language::Js | Language::Ts | Language::Python | Language::Go) {
        lines.push(format!(
            "# Starting {} takes longer than most records do; \"record\" would start it for each.",
            lang.name()
        ));
        lines.push("instance-per = \"invocation\"".to_owned());
    }
    lines
}
