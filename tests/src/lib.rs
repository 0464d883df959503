//! What the tests of the whole share: the command, the host's binary, the
//! guests, and projects in temporary folders.
//!
//! Everything is built once for a test run, by the product's own commands.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on panics")]

pub mod aws;
pub mod clients;
pub mod dev;
pub mod events;
pub mod front;
pub mod project;
pub mod runtime_api;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use gristmill::architecture::Architecture;
use gristmill_host::guest::compile;
pub use project::Project;

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The folder that cargo builds into.
pub fn target_dir() -> &'static Path {
    static DIR: LazyLock<PathBuf> = LazyLock::new(|| {
        let output =
            cargo(root()).args(["metadata", "--format-version", "1", "--no-deps", "--offline"]).output().unwrap();
        let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        metadata["target_directory"].as_str().unwrap().into()
    });
    &DIR
}

/// Cargo, as a user would call it in a folder: without what the cargo that
/// runs the tests has put into the environment.
pub fn cargo(dir: &Path) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(dir);
    for (name, _) in std::env::vars() {
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "CARGO" {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Runs a command to its end and gives its output.
///
/// # Panics
///
/// When it fails, with what it printed.
pub fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// The fixture guests, as cargo builds them from `tests/guests`.
pub fn guests() -> &'static Path {
    static DIR: LazyLock<PathBuf> = LazyLock::new(|| {
        gristmill::build::ensure_target(&root().join("tests/guests"), false).unwrap();
        let target = target_dir().join("guests");
        succeed(
            cargo(&root().join("tests/guests"))
                .args(["build", "--release", "--locked", "--target", "wasm32-wasip2"])
                .env("CARGO_TARGET_DIR", &target)
                .env("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS", "-Clink-arg=-zstack-size=131072"),
        );
        target.join("wasm32-wasip2/release")
    });
    &DIR
}

/// The architecture of this machine.
pub fn native() -> Architecture {
    Architecture::ALL.into_iter().find(|one| one.target() == compile::NATIVE_TARGET).unwrap()
}

/// `bootstrap` for this machine, as `gristmill package` makes it of its own
/// sources, in [`profile`].
pub fn bootstrap() -> &'static Path {
    static FILE: LazyLock<PathBuf> = LazyLock::new(|| built(native()));
    &FILE
}

/// The same for arm64.
pub fn bootstrap_for_arm64() -> &'static Path {
    static FILE: LazyLock<PathBuf> = LazyLock::new(|| built(Architecture::Arm64));
    &FILE
}

fn built(architecture: Architecture) -> PathBuf {
    let cache = compile::Cache::open(cache_home().join("gristmill")).unwrap();
    let built = gristmill::package::bootstrap::built_with(&cache, architecture, false, profile(architecture));
    built.unwrap_or_else(|error| panic!("{error:#}"))
}

/// The variable that asks for what is shipped: `GRISTMILL_TEST_BOOTSTRAP=shipped`,
/// as `.ci/deep` does.
pub const BOOTSTRAP: &str = "GRISTMILL_TEST_BOOTSTRAP";

/// With what a `bootstrap` is built for tests: of the same sources, by the same
/// tools, with less optimisation. What makes it fast has no part in whether it
/// runs, and takes as many minutes as all tests. That of the other architecture
/// runs under an emulator, and once.
pub fn profile(architecture: Architecture) -> &'static [(&'static str, &'static str)] {
    const NATIVE: [(&str, &str); 3] = [
        ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
        ("CARGO_PROFILE_RELEASE_LTO", "off"),
        ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
    ];
    const OTHER: [(&str, &str); 3] = [NATIVE[0], NATIVE[1], ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")];
    match std::env::var(BOOTSTRAP).as_deref() {
        Ok("shipped") => &[],
        Ok(other) => panic!("{BOOTSTRAP} is {other:?}, and can be \"shipped\""),
        Err(_) if architecture == native() => &NATIVE,
        Err(_) => &OTHER,
    }
}

/// The cache of precompiled code of the tests: one for all, and not the user's.
pub fn cache_home() -> &'static Path {
    static DIR: LazyLock<PathBuf> = LazyLock::new(|| {
        let dir = target_dir().join("test-cache");
        std::fs::create_dir_all(&dir).unwrap();
        dir
    });
    &DIR
}
