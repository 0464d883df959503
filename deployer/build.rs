//! Lists the files of the SDKs, of the templates, of the contract and of the host, so that
//! `src/vendor.rs` and `src/package/bootstrap/sources.rs` have them in the
//! command: `gristmill new` and `gristmill package` work on a machine that has
//! the command and no checkout.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use toml::{Table, Value};

/// The folders of `guest-sdk`.
const SDKS: [&str; 6] = ["rust", "js", "python", "go", "c", "zig"];

/// The languages of the folders `templates/handler-*`.
const TEMPLATES: [&str; 7] = ["rust", "js", "ts", "python", "go", "c", "zig"];

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or_else(|| io::Error::other("cargo sets it"))?);
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets it"))?);
    let checkout = here.parent().ok_or_else(|| io::Error::other("the crate has a folder above it"))?;

    let mut code = String::new();
    let mut files = Vec::new();
    code.push_str("static SDKS: &[(&str, &[(&str, &str)])] = &[\n");
    for name in SDKS {
        let sdk = checkout.join("guest-sdk").join(name);
        files.clear();
        list(&sdk, &mut files)?;
        files.retain(|file| !is_for_the_checkout(file.strip_prefix(&sdk).unwrap_or(file)));
        write!(code, "({name:?}, ").map_err(io::Error::other)?;
        write_files(&mut code, &sdk, &files)?;
        code.push_str("),\n");
    }
    code.push_str("];\n");
    // In a project, no workspace is above the SDK whose fields it could have.
    if fs::read_to_string(checkout.join("guest-sdk/rust/Cargo.toml"))?.contains("workspace = true") {
        return Err(io::Error::other(
            "guest-sdk/rust/Cargo.toml inherits from the workspace, and cannot be copied out of it",
        ));
    }

    code.push_str("static TEMPLATES: &[(&str, &[(&str, &str)])] = &[\n");
    for name in TEMPLATES {
        let template = here.join("templates").join(format!("handler-{name}"));
        files.clear();
        list(&template, &mut files)?;
        write!(code, "({name:?}, ").map_err(io::Error::other)?;
        write_files(&mut code, &template, &files)?;
        code.push_str("),\n");
    }
    code.push_str("];\n");

    let wit = checkout.join("wit");
    files.clear();
    list(&wit, &mut files)?;
    write_list(&mut code, "WIT", &wit, &files)?;
    fs::write(out.join("vendor.rs"), code)?;

    let host = checkout.join("host");
    files.clear();
    for part in ["Cargo.toml", "src"] {
        list(&host.join(part), &mut files)?;
    }
    // Units beside the code, which are for the checkout.
    files.retain(|file| !file.iter().any(|part| part == "tests" || part == "tests.rs"));
    let mut code = String::new();
    write_list(&mut code, "HOST", &host, &files)?;
    let manifest = read_toml(&host.join("Cargo.toml"))?;
    write_text(&mut code, "WORKSPACE", &workspace_of(&read_toml(&checkout.join("Cargo.toml"))?, &manifest)?)?;
    write_text(&mut code, "LOCK", &lock_of(&read_toml(&checkout.join("Cargo.lock"))?)?)?;
    fs::write(out.join("host.rs"), code)
}

fn read_toml(path: &Path) -> io::Result<Table> {
    println!("cargo::rerun-if-changed={}", path.display());
    fs::read_to_string(path)?.parse().map_err(|error| io::Error::other(format!("{}: {error}", path.display())))
}

/// The manifest of a workspace with the host alone: what the checkout's says of
/// it, so that `bootstrap` is built from the command as it is in the checkout.
fn workspace_of(root: &Table, host: &Table) -> io::Result<String> {
    let missing = |what: &str| io::Error::other(format!("Cargo.toml has no {what}"));
    let workspace = root.get("workspace").and_then(Value::as_table).ok_or_else(|| missing("[workspace]"))?;
    let mut own = Table::new();
    for key in ["resolver", "package", "lints"] {
        own.insert(key.to_owned(), workspace.get(key).ok_or_else(|| missing(key))?.clone());
    }
    own.insert("members".to_owned(), Value::Array(vec!["host".into()]));
    let versions = workspace.get("dependencies").and_then(Value::as_table).ok_or_else(|| missing("dependencies"))?;
    let mut dependencies = Table::new();
    for part in ["dependencies", "dev-dependencies"] {
        for name in host.get(part).and_then(Value::as_table).into_iter().flatten().map(|(name, _)| name) {
            // Of the others the host names the version itself.
            if let Some(version) = versions.get(name) {
                dependencies.insert(name.clone(), version.clone());
            }
        }
    }
    own.insert("dependencies".to_owned(), dependencies.into());
    let profile = root.get("profile").and_then(|profiles| profiles.get("release"));
    let profiles =
        Table::from_iter([("release".to_owned(), profile.ok_or_else(|| missing("[profile.release]"))?.clone())]);
    let own = Table::from_iter([("workspace".to_owned(), own.into()), ("profile".to_owned(), profiles.into())]);
    toml::to_string(&own).map_err(io::Error::other)
}

/// The packages of the lock that can be reached from the host. What else is in
/// it may change without another `bootstrap`.
fn lock_of(lock: &Table) -> io::Result<String> {
    let packages = lock.get("package").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |package: &Value, key: &str| package.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut reached = BTreeSet::new();
    let mut open = vec!["gristmill-host".to_owned()];
    while let Some(wanted) = open.pop() {
        // A dependency is a name and, where that is not enough, a version.
        let (name, version) = wanted.split_once(' ').unwrap_or((&wanted, ""));
        let version = version.split(' ').next().unwrap_or_default();
        let is_it =
            |package: &Value| text(package, "name") == name && [&text(package, "version"), ""].contains(&version);
        let found = packages.iter().position(is_it);
        let index = found.ok_or_else(|| io::Error::other(format!("Cargo.lock has no {wanted}")))?;
        if reached.insert(index) {
            let dependencies = packages[index].get("dependencies").and_then(Value::as_array).into_iter().flatten();
            open.extend(dependencies.filter_map(Value::as_str).map(str::to_owned));
        }
    }
    let mut own = Table::new();
    own.insert(
        "version".to_owned(),
        lock.get("version").cloned().ok_or_else(|| io::Error::other("Cargo.lock has no version"))?,
    );
    own.insert(
        "package".to_owned(),
        reached.into_iter().map(|index| packages[index].clone()).collect::<Vec<_>>().into(),
    );
    toml::to_string(&own).map_err(io::Error::other)
}

/// Every file at or below `path`, in order, and a note to cargo to look again
/// when one changes, comes or goes.
fn list(path: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", path.display());
    if !path.is_dir() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    let mut entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    entries.sort();
    // An editor's leftovers are hidden, and never part of either.
    let hidden = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    entries.iter().filter(|entry| !hidden(entry)).try_for_each(|entry| list(entry, files))
}

fn write_text(code: &mut String, name: &str, text: &str) -> io::Result<()> {
    writeln!(code, "static {name}: &str = {text:?};").map_err(io::Error::other)
}

fn write_list(code: &mut String, name: &str, root: &Path, files: &[PathBuf]) -> io::Result<()> {
    write!(code, "static {name}: &[(&str, &str)] = ").map_err(io::Error::other)?;
    write_files(code, root, files)?;
    code.push_str(";\n");
    Ok(())
}

/// Each file's path below the root, and its text, as an expression.
fn write_files(code: &mut String, root: &Path, files: &[PathBuf]) -> io::Result<()> {
    code.push_str("&[\n");
    for file in files {
        let relative = file.strip_prefix(root).map_err(io::Error::other)?;
        writeln!(code, "    ({relative:?}, include_str!({file:?})),").map_err(io::Error::other)?;
    }
    code.push(']');
    Ok(())
}

/// What of an SDK is not copied into a project: its own tests, its changes, which
/// are the product's there, and what a build left.
fn is_for_the_checkout(file: &Path) -> bool {
    let mut parts = file.iter().map(|part| part.to_string_lossy());
    let is_left = |part: &str| ["test", "tests", "target", "node_modules", "__pycache__", "zig-out"].contains(&part);
    parts.any(|part| is_left(&part))
        || file == Path::new("CHANGELOG.md")
        || file.to_string_lossy().ends_with("_test.go")
}
