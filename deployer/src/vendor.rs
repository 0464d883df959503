//! What a project has under `vendor/`: the SDKs of its languages and the contract,
//! as they were when this command was built. They are in the command itself, so a
//! new project needs neither a checkout nor a registry for them.

use std::path::PathBuf;

use crate::files::Changes;
use crate::language::Language;

mod embedded {
    include!(concat!(env!("OUT_DIR"), "/vendor.rs"));

    type Files = &'static [(&'static str, &'static str)];

    /// Each file's path below the SDK's folder, and its text.
    pub(super) fn sdk(name: &str) -> Files {
        find(SDKS, name)
    }

    /// Each file's path below the handler's folder, and its text.
    pub(super) fn template(name: &str) -> Files {
        find(TEMPLATES, name)
    }

    /// Each file's path below `vendor/wit`, and its text.
    pub(super) fn wit() -> Files {
        WIT
    }

    fn find(all: &'static [(&'static str, Files)], name: &str) -> Files {
        all.iter().find(|(each, _)| *each == name).map_or(&[], |(_, files)| files)
    }
}

/// The contract's folder in a project.
pub const WIT_DIR: &str = "vendor/wit";

/// The folder that the SDK of a language has in a project.
pub fn sdk_dir(lang: Language) -> &'static str {
    match lang {
        Language::Rust => "vendor/gristmill-sdk",
        Language::Js | Language::Ts => "vendor/gristmill-js",
        Language::Python => "vendor/gristmill-python",
        Language::Go => "vendor/gristmill-go",
        Language::C => "vendor/gristmill-c",
        Language::Zig => "vendor/gristmill-zig",
    }
}

/// The folder of `guest-sdk` that it is a copy of.
fn sdk_name(lang: Language) -> &'static str {
    match lang {
        Language::Js | Language::Ts => Language::Js.key(),
        Language::Rust | Language::Python | Language::Go | Language::C | Language::Zig => lang.key(),
    }
}

/// The contract: each file's path below its folder, and its text.
pub(crate) fn wit() -> &'static [(&'static str, &'static str)] {
    embedded::wit()
}

/// The files of a new handler: each one's path below its folder, and its text,
/// with places for names.
pub(crate) fn template(lang: Language) -> &'static [(&'static str, &'static str)] {
    embedded::template(lang.key())
}

/// Adds a language's SDK and the contract to what will be written.
pub(crate) fn add_to(changes: &mut Changes, lang: Language) {
    for (dir, files) in [(sdk_dir(lang), embedded::sdk(sdk_name(lang))), (WIT_DIR, embedded::wit())] {
        for (path, text) in files {
            changes.write(PathBuf::from(dir).join(path), *text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdks_and_the_contract_are_in_the_command() {
        let has = |files: &[(&str, &str)], path| files.iter().any(|(file, _)| *file == path);
        assert!(has(embedded::wit(), "events.wit"));
        assert!(has(embedded::sdk("rust"), "Cargo.toml"));
        assert!(has(embedded::sdk("rust"), "src/lib.rs"));
        for lang in Language::ALL {
            let sdk = embedded::sdk(sdk_name(lang));
            assert!(has(sdk, "README.md"), "{lang:?}");
            assert!(sdk.iter().all(|(path, _)| !path.starts_with("target") && !path.starts_with("tests")), "{lang:?}");
        }
    }

    #[test]
    fn a_template_has_the_file_that_a_build_begins_with() {
        for lang in Language::ALL {
            let files = template(lang);
            assert!(files.iter().any(|(path, _)| lang.entries().contains(path)), "{lang:?}: {files:?}");
            assert!(files.iter().any(|(_, text)| text.contains("@METHOD")), "{lang:?}");
        }
    }
}
