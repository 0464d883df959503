//! Builds the guests, as the fixture guests of the tests are built.

use gristmill_tests::{cargo, root, succeed, target_dir};

/// The stack that `gristmill build` links guests with, in KiB.
pub(crate) const STACK_KB: u32 = 128;

/// The stack that Rust links guests with, in KiB.
pub(crate) const RUST_STACK_KB: u32 = 1024;

/// The component of a guest of `tests/design/guests`, linked with a stack of so
/// many KiB.
pub(crate) fn built(guest: &str, stack_kb: u32) -> Vec<u8> {
    let dir = root().join("tests/design/guests");
    gristmill::build::ensure_target(&dir, false).unwrap();
    // A folder for each stack: in one, cargo would build anew whenever the flags change.
    let target = target_dir().join(format!("design-guests-{stack_kb}"));
    succeed(
        cargo(&dir)
            .args(["build", "--release", "--locked", "--target", "wasm32-wasip2", "-p", guest])
            .env("CARGO_TARGET_DIR", &target)
            .env("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS", format!("-Clink-arg=-zstack-size={}", stack_kb * 1024)),
    );
    let path = target.join("wasm32-wasip2/release").join(format!("{guest}.wasm"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
