//! Builds `bootstrap` from the sources in this command, for either architecture
//! and for the glibc of Amazon Linux 2023, into the user's cache.
//!
//! cargo compiles, and zig links: it brings the libraries of every glibc, so
//! that neither another machine nor an older system is needed.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, bail};
use gristmill_host::guest::compile::{self, Cache};
use sha2::{Digest as _, Sha256};

use super::{elf, sources, tools};
use crate::architecture::Architecture;
use crate::build;
use crate::project;
use crate::tools::lock;

/// Changes when what is done here does, so that what an older command has built
/// is not taken for it.
const RECIPE: &str = "1";

/// `bootstrap` for an architecture, from the cache or built now, which takes
/// minutes and is told on standard error.
///
/// What is in the cache is found by a digest of all that it is made of: the
/// sources and the lock in this command, the target, the compiler, the tools,
/// and the profile's settings in the environment.
///
/// # Errors
///
/// When it is not in the cache and Rust, Python or the network is missing, or
/// the cache cannot be written.
pub fn built(cache: &Cache, architecture: Architecture, offline: bool) -> anyhow::Result<PathBuf> {
    built_with(cache, architecture, offline, &[])
}

/// The same with other settings of the profile than those that are shipped, as
/// cargo takes them from the environment: for tests, which need not wait for
/// all of the optimisation.
///
/// # Errors
///
/// As [`built`].
pub fn built_with(
    cache: &Cache,
    architecture: Architecture,
    offline: bool,
    profile: &[(&str, &str)],
) -> anyhow::Result<PathBuf> {
    let ours = profile.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let profile: Profile = users_profile().chain(ours).collect();
    make(cache.folder(), architecture, offline, &profile).with_context(|| {
        format!("cannot build bootstrap for {architecture} (`--bootstrap FILE` takes one that was built elsewhere)")
    })
}

/// Settings of the profile, by the names of variables.
type Profile = BTreeMap<OsString, OsString>;

fn make(cache: &Path, architecture: Architecture, offline: bool, profile: &Profile) -> anyhow::Result<PathBuf> {
    let folder = cache.join("bootstrap");
    let workspace = folder.join("sources");
    fs::create_dir_all(&workspace).with_context(|| format!("cannot make {}", project::shown(&workspace)))?;
    // In the folder of the sources, where cargo will ask: rustup chooses by it.
    let rustc = Rustc::ask(&workspace)?;
    let done = folder.join(format!("{}-{architecture}", digest(architecture, &rustc, profile)));
    if is_done(&done) {
        return Ok(done);
    }
    // There is one folder of sources, and one for cargo to build into.
    let _lock = lock(&folder.join("lock"), "builds bootstrap")?;
    // Another process may have built it meanwhile.
    if is_done(&done) {
        return Ok(done);
    }
    let started = Instant::now();
    let tools = tools::ensure(cache, offline)?;
    build::ensure_std(&workspace, architecture.target(), "bootstrap", offline)?;
    sources::write(&workspace)?;
    prune_lock(&workspace, offline)?;
    eprintln!("building bootstrap for {architecture}, once for this version: it takes some minutes");
    let mut cargo = compile(&folder, &workspace, architecture, &rustc, &tools);
    cargo.envs(profile);
    if offline {
        cargo.arg("--offline");
    }
    succeed(&mut cargo, "cargo-zigbuild does not start")?;
    let program = folder.join("target").join(architecture.target()).join("release/bootstrap");
    let bytes = fs::read(&program).with_context(|| format!("cannot read {}", project::shown(&program)))?;
    // What cannot run is not kept, whatever has made it so.
    elf::check(&bytes, architecture).map_err(|what| anyhow::anyhow!("{} {what}", project::shown(&program)))?;
    compile::write_once(&done, &bytes)?;
    eprintln!("bootstrap for {architecture} is built: {} KiB, {} s", bytes.len() / 1024, started.elapsed().as_secs());
    Ok(done)
}

fn is_done(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_file())
}

/// The compiler that will be used.
struct Rustc {
    /// What it says of itself.
    version: String,
    /// Where its own library and sources are.
    sysroot: PathBuf,
}

impl Rustc {
    fn ask(folder: &Path) -> anyhow::Result<Self> {
        let ask = |arguments: &[&str]| {
            let output = Command::new("rustc").args(arguments).current_dir(folder).stdin(Stdio::null()).output();
            let output = output.context("rustc does not start; install Rust, see https://rustup.rs")?;
            if !output.status.success() {
                bail!("rustc fails: {}", String::from_utf8_lossy(&output.stderr).trim());
            }
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        Ok(Self { version: ask(&["-vV"])?, sysroot: ask(&["--print", "sysroot"])?.into() })
    }

    /// The commit that its library is of.
    fn commit(&self) -> &str {
        self.version.lines().find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or("unknown")
    }
}

/// The settings that cargo would take from the environment in any case.
fn users_profile() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"CARGO_PROFILE_RELEASE_"))
}

fn digest(architecture: Architecture, rustc: &Rustc, profile: &Profile) -> String {
    let mut digest = Sha256::new();
    sources::feed(&mut digest);
    let target = target(architecture);
    let parts = [RECIPE, tools::VERSIONS, &target, &rustc.version].map(OsStr::new);
    for part in parts.into_iter().chain(profile.iter().flat_map(|(name, value)| [name.as_os_str(), value])) {
        digest.update(part.as_encoded_bytes());
        digest.update([0]);
    }
    compile::hex(&digest.finalize())
}

/// As cargo-zigbuild has it: with the glibc.
fn target(architecture: Architecture) -> String {
    let (major, minor) = elf::GLIBC;
    format!("{}.{major}.{minor}", architecture.target())
}

/// Lets cargo take out of the lock what the host does not need, and checks that
/// it does no more than that. Only cargo knows it exactly, and it then takes
/// the lock as it is.
fn prune_lock(workspace: &Path, offline: bool) -> anyhow::Result<()> {
    let mut cargo = Command::new("cargo");
    clean(&mut cargo).args(["update", "--workspace", "--quiet"]).current_dir(workspace);
    if offline {
        cargo.arg("--offline");
    }
    succeed(&mut cargo, "cargo does not start; install Rust, see https://rustup.rs")?;
    let path = workspace.join("Cargo.lock");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", project::shown(&path)))?;
    sources::check_lock(&text)
}

/// The command that compiles and links.
fn compile(
    folder: &Path,
    workspace: &Path,
    architecture: Architecture,
    rustc: &Rustc,
    tools: &tools::Tools,
) -> Command {
    // Beside the sources, and kept: another version of them builds in seconds.
    let into = folder.join("target");
    let mut cargo = Command::new(&tools.zigbuild);
    clean(&mut cargo)
        .args(["zigbuild", "--locked", "--release", "-p", "gristmill-host", "--features", "lambda"])
        .args(["--bin", "bootstrap", "--target", &target(architecture), "--target-dir"])
        .arg(&into)
        .current_dir(workspace)
        .env("CARGO_ENCODED_RUSTFLAGS", flags(workspace, &into, rustc))
        .env("CARGO_ZIGBUILD_ZIG_COMMAND", &tools.zig)
        .env("CARGO_ZIGBUILD_CACHE_DIR", folder.join("zigbuild"))
        .env("ZIG_GLOBAL_CACHE_DIR", folder.join("zig"))
        .env("ZIG_LOCAL_CACHE_DIR", folder.join("zig"));
    cargo
}

/// The compiler's flags: names in place of the folders of this machine, which
/// the binary would carry otherwise (in the places that panics name), so that
/// it is the same on another machine, and tells nothing of its user.
fn flags(workspace: &Path, into: &Path, rustc: &Rustc) -> OsString {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let library = rustc.sysroot.join("lib/rustlib/src/rust");
    // Of several that fit, the last one counts.
    let mut places: Vec<(PathBuf, String)> = home.map(|home| (home, "/cargo".to_owned())).into_iter().collect();
    places.push((library, format!("/rustc/{}", rustc.commit())));
    places.push((workspace.to_path_buf(), "/gristmill".to_owned()));
    places.push((into.to_path_buf(), "/gristmill/target".to_owned()));
    let mut flags = OsString::new();
    for (index, (from, to)) in places.into_iter().enumerate() {
        if index > 0 {
            // What cargo splits them at.
            flags.push("\u{1f}");
        }
        flags.push("--remap-path-prefix=");
        flags.push(from);
        flags.push("=");
        flags.push(to);
    }
    flags
}

/// Without what the user, or a cargo that runs this command, has set for other
/// builds. A processor's own features, above all, would not start on Lambda.
fn clean(command: &mut Command) -> &mut Command {
    const OF_CARGO: [&str; 5] = ["CARGO_BUILD_", "CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_TARGET_", "CARGO_ZIGBUILD_"];
    /// Alone, with a target behind it, and with TARGET_ before it.
    const OF_C: [&str; 8] = ["AR", "CC", "CFLAGS", "CPPFLAGS", "CXX", "CXXFLAGS", "LDFLAGS", "RANLIB"];
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let of_c = text.strip_prefix("TARGET_").unwrap_or(&text);
        let is_of_c =
            OF_C.iter().any(|start| of_c.strip_prefix(start).is_some_and(|r| r.is_empty() || r.starts_with('_')));
        let is_of_cargo = OF_CARGO.iter().any(|start| text.starts_with(start));
        // With the last one, crates take the compiler for another.
        let others = ["CARGO", "CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS", "RUSTC_BOOTSTRAP"];
        if is_of_c || is_of_cargo || others.contains(&text.as_ref()) {
            command.env_remove(&name);
        }
    }
    command.stdin(Stdio::null()).stdout(Stdio::null())
}

/// Runs a command whose messages go to standard error.
fn succeed(command: &mut Command, otherwise: &'static str) -> anyhow::Result<()> {
    let status = command.status().context(otherwise)?;
    if !status.success() {
        let program = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy();
        bail!("{program} failed ({status}); its messages are above");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rustc(version: &str) -> Rustc {
        Rustc { version: version.to_owned(), sysroot: PathBuf::from("/sysroot") }
    }

    #[test]
    fn the_digest_changes_with_the_target_the_compiler_and_the_profile() {
        let of = |architecture, version| digest(architecture, &rustc(version), &Profile::new());
        let first = of(Architecture::X86_64, "rustc 1.95.0");
        assert_eq!(first.len(), 64);
        assert_eq!(first, of(Architecture::X86_64, "rustc 1.95.0"));
        assert_ne!(first, of(Architecture::Arm64, "rustc 1.95.0"));
        assert_ne!(first, of(Architecture::X86_64, "rustc 1.96.0"));
        let other = [("CARGO_PROFILE_RELEASE_LTO".into(), "off".into())].into();
        assert_ne!(first, digest(Architecture::X86_64, &rustc("rustc 1.95.0"), &other));
    }

    #[test]
    fn the_target_names_the_glibc_of_amazon_linux() {
        assert_eq!(target(Architecture::Arm64), "aarch64-unknown-linux-gnu.2.34");
    }

    #[test]
    fn the_folders_of_this_machine_get_other_names() {
        let rustc = rustc("rustc 1.95.0\ncommit-hash: abc\n");
        let flags = flags(Path::new("/home/me/a"), Path::new("/home/me/b"), &rustc).into_string().unwrap();
        let flags: Vec<&str> = flags.split('\u{1f}').collect();
        assert!(flags[0].ends_with("=/cargo"));
        assert_eq!(
            flags[1..],
            [
                "--remap-path-prefix=/sysroot/lib/rustlib/src/rust=/rustc/abc",
                "--remap-path-prefix=/home/me/a=/gristmill",
                "--remap-path-prefix=/home/me/b=/gristmill/target",
            ]
        );
    }
}
