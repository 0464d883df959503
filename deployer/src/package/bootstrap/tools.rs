//! The linker for another machine and another glibc: cargo-zigbuild and zig,
//! from PyPI into the user's cache.
//!
//! What is on PATH by these names is never used: a binary that is shipped comes
//! of tools whose digests are known, and of the same ones on every machine.

use std::path::{Path, PathBuf};

use crate::tools::pypi::{self, Package};
use crate::tools::{self, ZIG};

const CARGO_ZIGBUILD: Package = Package {
    name: "cargo-zigbuild-0.24.1",
    requirements: include_str!("../../../toolchains/cargo-zigbuild/requirements.txt"),
    size: "2 MB",
    has: "bin/cargo-zigbuild",
};

/// What both are, for the digest of what they build.
pub(super) const VERSIONS: &str = "cargo-zigbuild-0.24.1-zig-0.17.1";

/// Where the two programs are.
pub(super) struct Tools {
    /// `cargo-zigbuild`
    pub(super) zigbuild: PathBuf,
    /// `zig`
    pub(super) zig: PathBuf,
}

/// The tools in the user's cache, installed now if they are not there.
///
/// # Errors
///
/// When they are not there and pip cannot install them, or must not.
pub(super) fn ensure(cache: &Path, offline: bool) -> anyhow::Result<Tools> {
    let folder = tools::folder(cache);
    let place = |package: &Package| Ok::<_, anyhow::Error>(pypi::package(&folder, package, offline)?.join(package.has));
    Ok(Tools { zigbuild: place(&CARGO_ZIGBUILD)?, zig: place(&ZIG)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_that_are_named_are_those_that_are_installed() {
        assert_eq!(format!("{}-{}", CARGO_ZIGBUILD.name, ZIG.name), VERSIONS);
    }
}
