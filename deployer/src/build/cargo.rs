//! Builds a handler that is written in Rust: from its folder to a component.
//! Knows cargo and rustup, and nothing of the manifest.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use serde::Deserialize;

/// The target of every handler that is written in Rust.
const TARGET: &str = "wasm32-wasip2";

/// Installs the wasm target if the toolchain of the folder lacks it.
///
/// # Errors
///
/// Without rustc, or where the target cannot be installed: what to do.
pub fn ensure_target(dir: &Path, offline: bool) -> anyhow::Result<()> {
    ensure_std(dir, TARGET, "a handler in Rust", offline)
}

/// Installs Rust's standard library for a target if the toolchain of the folder
/// lacks it. `what` needs it.
///
/// # Errors
///
/// As [`ensure_target`].
pub(crate) fn ensure_std(dir: &Path, target: &str, what: &str, offline: bool) -> anyhow::Result<()> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", target])
        .current_dir(dir)
        .output()
        .context("rustc does not start; install Rust, see https://rustup.rs")?;
    let libdir = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    if output.status.success() && has_std(&libdir) {
        return Ok(());
    }
    if offline {
        bail!("the target {target} is not installed, and --offline forbids to; run `rustup target add {target}`");
    }
    eprintln!("installing the target {target}: rustup target add {target}");
    let status = Command::new("rustup").args(["target", "add", target]).current_dir(dir).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => bail!("`rustup target add {target}` failed ({status}); {what} needs that target"),
        Err(error) => bail!(
            "the target {target} is not installed, and rustup, which could install it, does not start ({error}); install \
             the target as your Rust was installed"
        ),
    }
}

fn has_std(libdir: &Path) -> bool {
    let Ok(entries) = libdir.read_dir() else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
}

/// What of cargo's messages is read here.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

/// Builds the crate in a folder and gives the path of its component. What
/// cargo has to say goes to standard error as it comes.
///
/// `target` is a folder for this project alone: in one that projects share, a
/// crate of the same name would take the place of this one's component, which
/// cargo does not notice.
///
/// # Errors
///
/// When cargo does not start, the crate does not compile, or it makes no
/// component.
pub(super) fn build(dir: &Path, target: &Path, stack_kb: u32, offline: bool) -> anyhow::Result<PathBuf> {
    let manifest = dir.join("Cargo.toml");
    let mut cargo = Command::new("cargo");
    cargo
        .args(["rustc", "--lib", "--release", "--target", TARGET, "--message-format", "json-render-diagnostics"])
        .arg("--manifest-path")
        .arg(&manifest)
        .arg("--target-dir")
        .arg(target)
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    if offline {
        cargo.arg("--offline");
    }
    // A small stack makes instances cheap (WASMTIME-FACTS), and a flag of this
    // crate alone leaves the user's own flags as they are.
    cargo.args(["--", &format!("-Clink-arg=-zstack-size={}", u64::from(stack_kb) * 1024)]);
    let mut child = cargo.spawn().context("cargo does not start; install Rust, see https://rustup.rs")?;
    let mut component = None;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            // Lines that are no such message come from build scripts.
            let Ok(message) = serde_json::from_str::<Message>(&line?) else { continue };
            if message.reason == "compiler-artifact" && message.manifest_path == manifest {
                component = message.filenames.into_iter().find(|file| file.extension().is_some_and(|e| e == "wasm"));
            }
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("cargo failed in {} ({status}); its messages are above", dir.display());
    }
    component.with_context(|| {
        format!("{} makes no .wasm file; its [lib] needs crate-type = [\"cdylib\"]", manifest.display())
    })
}
