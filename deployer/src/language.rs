//! The languages that handlers are written in: what each is called, and what a
//! folder has that is written in it. Knows nothing of how it is built.

use std::path::Path;

use clap::ValueEnum;

/// The language that a handler is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum Language {
    /// Rust, built by cargo for wasm32-wasip2
    #[default]
    Rust,
    /// JavaScript, built by componentize-qjs or componentize-js
    #[value(alias = "javascript")]
    Js,
    /// TypeScript, the same after a type check
    #[value(alias = "typescript")]
    Ts,
    /// Python, built by componentize-py
    #[value(alias = "py")]
    Python,
    /// Go, built by its own compiler for wasip1
    Go,
    /// C or C++, built by zig cc
    C,
    /// Zig, built by its own compiler
    Zig,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Rust, Self::Js, Self::Ts, Self::Python, Self::Go, Self::C, Self::Zig];

    /// As `lang` in the manifest has it, and `--lang`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Js => "js",
            Self::Ts => "ts",
            Self::Python => "python",
            Self::Go => "go",
            Self::C => "c",
            Self::Zig => "zig",
        }
    }

    /// Its name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Js => "JavaScript",
            Self::Ts => "TypeScript",
            Self::Python => "Python",
            Self::Go => "Go",
            Self::C => "C",
            Self::Zig => "Zig",
        }
    }

    /// The files that a build can begin with, below the handler's folder: one of
    /// them is there.
    pub(crate) fn entries(self) -> &'static [&'static str] {
        match self {
            Self::Rust => &["Cargo.toml"],
            Self::Js => &["src/index.js"],
            Self::Ts => &["src/index.ts"],
            Self::Python => &["handler.py"],
            Self::Go => &["go.mod"],
            Self::C => &["src/handler.c", "src/handler.cpp"],
            Self::Zig => &["src/main.zig"],
        }
    }

    /// The entry that a folder has.
    pub(crate) fn entry_in(self, dir: &Path) -> Option<&'static str> {
        self.entries().iter().copied().find(|entry| dir.join(entry).is_file())
    }

    /// Whether `stack-kb` has a meaning: elsewhere the language's runtime
    /// decides.
    pub(crate) fn has_stack(self) -> bool {
        match self {
            Self::Rust | Self::C | Self::Zig => true,
            Self::Js | Self::Ts | Self::Python | Self::Go => false,
        }
    }
}

/// The engine that JavaScript runs in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Engine {
    /// QuickJS: small, and quick for a record.
    #[default]
    QuickJs,
    /// StarlingMonkey: SpiderMonkey with the Web's interfaces.
    StarlingMonkey,
}

impl Engine {
    /// As `js-engine` in the manifest has it.
    pub fn key(self) -> &'static str {
        match self {
            Self::QuickJs => "quickjs",
            Self::StarlingMonkey => "starlingmonkey",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_and_the_manifest_have_one_name_for_each() {
        let names: Vec<_> = Language::value_variants()
            .iter()
            .map(|language| language.to_possible_value().unwrap().get_name().to_owned())
            .collect();
        assert_eq!(names, Language::ALL.map(Language::key));
    }
}
