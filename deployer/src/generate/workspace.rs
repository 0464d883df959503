//! The Cargo workspace of a project that has handlers in other languages, too.
//!
//! Cargo takes every folder that a pattern of `members` finds for a crate, and
//! fails on one that is none. So the pattern of a project in Rust alone gives way
//! to the crates by name once there is another folder beside them.

use std::path::Path;

use anyhow::Context as _;
use toml_edit::{Array, DocumentMut};

use crate::language::Language;

const FILE: &str = "Cargo.toml";

/// As `gristmill new` writes it.
const PATTERN: &str = "handlers/*";

/// The text of the project's `Cargo.toml` once a handler is in `dir`; none where
/// it stays as it is.
///
/// # Errors
///
/// When it cannot be read, or is not TOML.
pub(super) fn changed(root: &Path, dir: &Path, lang: Language) -> anyhow::Result<Option<String>> {
    let text = match std::fs::read_to_string(root.join(FILE)) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).context("cannot read Cargo.toml"),
    };
    let mut document: DocumentMut = text.parse().context("Cargo.toml is not TOML")?;
    let members = document.get_mut("workspace").and_then(|workspace| workspace.get_mut("members"));
    // A crate of the user's own, or a workspace that says nothing of members.
    let Some(members) = members.and_then(|members| members.as_array_mut()) else { return Ok(None) };
    let pattern = members.iter().position(|member| member.as_str() == Some(PATTERN));
    let dir = dir.to_string_lossy();
    match (lang, pattern) {
        (Language::Rust, Some(_)) => return Ok(None),
        (Language::Rust, None) if members.iter().any(|member| member.as_str() == Some(&*dir)) => return Ok(None),
        (Language::Rust, None) => push(members, &dir),
        (_, None) => return Ok(None),
        (_, Some(index)) => {
            members.remove(index);
            for name in crates(root)? {
                push(members, &format!("handlers/{name}"));
            }
        }
    }
    Ok(Some(document.to_string()))
}

fn push(members: &mut Array, member: &str) {
    members.push(member);
    // What stood between the others goes on, however they are written.
    let last = members.len() - 1;
    if let (Some(decor), Some(value)) = (
        members.get(last.wrapping_sub(1)).filter(|_| last > 0).map(|value| value.decor().clone()),
        members.get_mut(last),
    ) {
        *value.decor_mut() = decor;
        if last == 1 && value.decor().prefix().and_then(|prefix| prefix.as_str()).is_none_or(str::is_empty) {
            value.decor_mut().set_prefix(" ");
        }
    }
}

/// The folders of handlers that are crates, in order.
fn crates(root: &Path) -> anyhow::Result<Vec<String>> {
    let folder = root.join("handlers");
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).context("cannot read handlers"),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.context("cannot read handlers")?;
        if entry.path().join(FILE).is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn project(cargo: &str, crates: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("handlers")).unwrap();
        fs::write(root.path().join("handlers/README.md"), "").unwrap();
        fs::write(root.path().join(FILE), cargo).unwrap();
        for name in crates {
            fs::create_dir(root.path().join("handlers").join(name)).unwrap();
            fs::write(root.path().join("handlers").join(name).join(FILE), "").unwrap();
        }
        root
    }

    #[test]
    fn a_project_in_rust_alone_keeps_its_pattern() {
        let root = project("[workspace]\nmembers = [\"handlers/*\"]\n", &["a"]);
        assert_eq!(changed(root.path(), Path::new("handlers/b"), Language::Rust).unwrap(), None);
    }

    #[test]
    fn beside_another_language_crates_are_members_by_name() {
        let text = "# mine\n[workspace]\nresolver = \"3\"\nmembers = [\"handlers/*\"] # all\n";
        let root = project(text, &["b", "a"]);
        let written = changed(root.path(), Path::new("handlers/c"), Language::Python).unwrap().unwrap();
        assert_eq!(
            written,
            "# mine\n[workspace]\nresolver = \"3\"\nmembers = [\"handlers/a\", \"handlers/b\"] # all\n"
        );
        fs::write(root.path().join(FILE), &written).unwrap();
        assert_eq!(changed(root.path(), Path::new("handlers/d"), Language::Go).unwrap(), None);
        assert_eq!(changed(root.path(), Path::new("handlers/b"), Language::Rust).unwrap(), None);
        let written = changed(root.path(), Path::new("handlers/e"), Language::Rust).unwrap().unwrap();
        assert!(written.contains("members = [\"handlers/a\", \"handlers/b\", \"handlers/e\"] # all"), "{written}");
    }

    #[test]
    fn the_first_handler_of_a_project_may_be_in_another_language() {
        let root = project("[workspace]\nmembers = [\"handlers/*\"]\n", &[]);
        let written = changed(root.path(), Path::new("handlers/c"), Language::Js).unwrap().unwrap();
        assert_eq!(written, "[workspace]\nmembers = []\n");
        fs::write(root.path().join(FILE), &written).unwrap();
        let written = changed(root.path(), Path::new("handlers/d"), Language::Rust).unwrap().unwrap();
        assert_eq!(written, "[workspace]\nmembers = [\"handlers/d\"]\n");
    }

    #[test]
    fn what_is_no_workspace_of_ours_stays() {
        for cargo in ["[package]\nname = \"x\"\n", "[workspace]\n"] {
            let root = project(cargo, &[]);
            assert_eq!(changed(root.path(), Path::new("handlers/c"), Language::Js).unwrap(), None);
        }
        let root = project("[workspace", &[]);
        assert!(changed(root.path(), Path::new("handlers/c"), Language::Js).is_err());
    }
}
