//! The paths that a manifest names: in the project, there, and what they
//! should be. A `..`, an absolute path or a symlink that leaves the project is
//! refused, because a project is built on the machines of others.

use std::path::{Component, Path, PathBuf};

use crate::edge::quoted;
use crate::language::Language;

/// The folder that a handler is built from.
pub(super) fn source(root: &Path, written: &str, lang: Language) -> Result<PathBuf, String> {
    let dir = inside(root, written)?;
    if !dir.is_dir() {
        return Err(format!("{} is a file; `source` takes a handler's folder", quoted(written)));
    }
    let Some(entry) = lang.entry_in(&dir) else {
        let needed = lang.entries().iter().map(|entry| quoted(entry)).collect::<Vec<_>>().join(" or ");
        let wanted = format!(
            "there is no {needed} in {}, which a handler in {} (`lang = \"{}\"`) is built from",
            quoted(written),
            lang.name(),
            lang.key()
        );
        let other = Language::ALL.into_iter().find_map(|other| Some((other, other.entry_in(&dir)?)));
        return Err(match other {
            Some((other, entry)) => format!("{wanted}; it has {entry}, so `lang` may be \"{}\"", other.key()),
            None => wanted,
        });
    };
    inside(root, &format!("{written}/{entry}"))?;
    Ok(dir)
}

/// A component that is there.
pub(super) fn component(root: &Path, written: &str) -> Result<PathBuf, String> {
    // Precompiled code is machine code: it runs with the host's own rights, so
    // it is never taken from a path that a manifest names.
    if Path::new(written).extension().is_none_or(|ending| ending != "wasm") {
        return Err(format!(
            "{} does not end in .wasm; `component` is a WebAssembly component, never precompiled code",
            quoted(written)
        ));
    }
    let path = inside(root, written)?;
    if !path.is_file() {
        return Err(format!("{} is not a file; `component` takes a .wasm file", quoted(written)));
    }
    Ok(path)
}

/// The name of the library in a folder's `Cargo.toml`, which is the name of the
/// `.wasm` file that cargo makes.
pub(super) fn artifact(dir: &Path) -> Result<String, String> {
    let path = dir.join("Cargo.toml");
    let shown = quoted(&crate::project::shown(&path));
    let text = std::fs::read_to_string(&path).map_err(|err| format!("{shown} cannot be read: {err}"))?;
    let manifest: toml::Table = toml::from_str(&text).map_err(|err| {
        let line = err.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        format!("{shown} is not TOML, in line {line}: {}", err.message())
    })?;
    let name = |table: &str| manifest.get(table)?.get("name")?.as_str().map(str::to_owned);
    let package = name("package").ok_or_else(|| format!("{shown} has no [package] with a `name`"))?;
    Ok(name("lib").unwrap_or(package).replace('-', "_"))
}

/// A path of the project that is there: absolute, without symlinks.
///
/// # Errors
///
/// It leaves the project, or it is not there.
pub(crate) fn inside(root: &Path, written: &str) -> Result<PathBuf, String> {
    let path = Path::new(written);
    let shown = quoted(written);
    if written.is_empty() {
        return Err("the path is empty".to_owned());
    }
    for part in path.components() {
        match part {
            Component::Normal(_) | Component::CurDir => {}
            Component::ParentDir => return Err(format!("{shown} has `..`; paths stay in the project")),
            Component::RootDir | Component::Prefix(_) => {
                return Err(format!("{shown} is absolute; paths are relative to the project"));
            }
        }
    }
    let found = root.join(path).canonicalize().map_err(|err| match err.kind() {
        std::io::ErrorKind::NotFound => format!("{shown} is not there"),
        _ => format!("{shown} cannot be read: {err}"),
    })?;
    if !found.starts_with(root) {
        return Err(format!(
            "{shown} leads out of the project, to {}; copy it into the project",
            quoted(&found.to_string_lossy())
        ));
    }
    Ok(found)
}
