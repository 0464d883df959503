//! Lists the files of the Rust SDK and of the contract, so that
//! `src/vendor.rs` has them in the command: `gristmill new` works on a machine
//! that has the command and no checkout.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or_else(|| io::Error::other("cargo sets it"))?);
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets it"))?);
    let checkout = here.parent().ok_or_else(|| io::Error::other("the crate has a folder above it"))?;

    let sdk = checkout.join("guest-sdk/rust");
    let mut files = Vec::new();
    // Not its tests, which need the checkout, and nothing that a build left.
    for part in ["Cargo.toml", "README.md", "src"] {
        list(&sdk.join(part), &mut files)?;
    }
    // In a project, no workspace is above the SDK whose fields it could have.
    let manifest = fs::read_to_string(sdk.join("Cargo.toml"))?;
    if manifest.contains("workspace = true") {
        return Err(io::Error::other(
            "guest-sdk/rust/Cargo.toml inherits from the workspace, and cannot be copied out of it",
        ));
    }
    let mut code = String::new();
    write_list(&mut code, "SDK", &sdk, &files)?;

    let wit = checkout.join("wit");
    files.clear();
    list(&wit, &mut files)?;
    write_list(&mut code, "WIT", &wit, &files)?;
    fs::write(out.join("vendor.rs"), code)
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

fn write_list(code: &mut String, name: &str, root: &Path, files: &[PathBuf]) -> io::Result<()> {
    let broken = |_| io::Error::other("a path is not text");
    writeln!(code, "static {name}: &[(&str, &str)] = &[").map_err(broken)?;
    for file in files {
        let relative = file.strip_prefix(root).map_err(io::Error::other)?;
        writeln!(code, "    ({relative:?}, include_str!({file:?})),").map_err(broken)?;
    }
    writeln!(code, "];").map_err(broken)
}
