//! What a project has under `vendor/`: the Rust SDK and the contract, as they
//! were when this command was built. They are in the command itself, so a new
//! project needs neither a checkout nor a registry for them.

use std::path::PathBuf;

use crate::files::Changes;

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/vendor.rs"));

    /// Each file's path below `vendor/gristmill-sdk`, and its text.
    pub(super) fn sdk() -> &'static [(&'static str, &'static str)] {
        SDK
    }

    /// Each file's path below `vendor/wit`, and its text.
    pub(super) fn wit() -> &'static [(&'static str, &'static str)] {
        WIT
    }
}

/// The SDK's folder in a project.
pub const SDK_DIR: &str = "vendor/gristmill-sdk";

/// The contract's folder in a project.
pub const WIT_DIR: &str = "vendor/wit";

/// The contract: each file's path below its folder, and its text.
pub(crate) fn wit() -> &'static [(&'static str, &'static str)] {
    embedded::wit()
}

/// Adds both to what will be written.
pub(crate) fn add_to(changes: &mut Changes) {
    for (dir, files) in [(SDK_DIR, embedded::sdk()), (WIT_DIR, embedded::wit())] {
        for (path, text) in files {
            changes.write(PathBuf::from(dir).join(path), *text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdk_and_the_contract_are_in_the_command() {
        let has = |files: &[(&str, &str)], path| files.iter().any(|(file, _)| *file == path);
        assert!(has(embedded::sdk(), "Cargo.toml"));
        assert!(has(embedded::sdk(), "src/lib.rs"));
        assert!(has(embedded::wit(), "events.wit"));
        assert!(embedded::sdk().iter().all(|(path, _)| !path.starts_with("target") && !path.starts_with("tests")));
    }
}
