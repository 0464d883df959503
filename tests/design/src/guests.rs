//! Builds the guests, as the fixture guests of the tests are built.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use gristmill_tests::{cargo, root, succeed, target_dir};

/// The stack that `gristmill build` links guests with, in KiB.
pub(crate) const STACK_KB: u32 = 128;

/// The stack that Rust links guests with, in KiB.
pub(crate) const RUST_STACK_KB: u32 = 1024;

/// The component of a guest of `tests/design/guests`, linked with a stack of so
/// many KiB.
pub(crate) fn built(guest: &str, stack_kb: u32) -> Vec<u8> {
    // At once, so that cargo builds them side by side. What another stack is linked of is then there.
    static ALL: LazyLock<BTreeMap<String, Vec<u8>>> = LazyLock::new(all);
    let all = LazyLock::force(&ALL);
    if stack_kb == STACK_KB {
        return all[guest].clone();
    }
    let stack = stack(stack_kb);
    succeed(in_guests("rustc").args(["--package", guest, "--lib", "--", &stack]));
    component(guest)
}

fn all() -> BTreeMap<String, Vec<u8>> {
    gristmill::build::ensure_target(&root().join("tests/design/guests"), false).unwrap();
    succeed(in_guests("build").arg("--workspace"));
    let guests = ["resources", "texts", "trees", "work"];
    guests.into_iter().map(|guest| (guest.to_owned(), component(guest))).collect()
}

fn in_guests(subcommand: &str) -> Command {
    let mut cargo = cargo(&root().join("tests/design/guests"));
    cargo
        .args([subcommand, "--release", "--locked", "--target", "wasm32-wasip2"])
        .env("CARGO_TARGET_DIR", target())
        .env("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS", stack(STACK_KB));
    cargo
}

/// The last of several is the one that counts.
fn stack(stack_kb: u32) -> String {
    format!("-Clink-arg=-zstack-size={}", stack_kb * 1024)
}

fn target() -> PathBuf {
    target_dir().join("design-guests")
}

fn component(guest: &str) -> Vec<u8> {
    let path = target().join("wasm32-wasip2/release").join(format!("{guest}.wasm"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
