//! Builds handlers in C, C++ and Zig by the one compiler that zig is. Knows its
//! flags.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use super::encode;
use super::kept::{self, Ingredients, Made};
use super::workshop::{Source, Workshop};
use crate::language::Language;
use crate::tools::{ZIG, pypi};
use crate::{project, tools};

const TARGET: [&str; 6] = ["--target=wasm32-wasi", "-mexec-model=reactor", "-Os", "-g", "-Wall", "-Wextra"];

/// Of C. Not c11, which hides what wasi-libc has beside it.
const STANDARD: &str = "-std=gnu17";

/// The component of a handler's folder.
///
/// # Errors
///
/// When zig cannot be installed, and when the source has a mistake: the compiler's
/// own words are on standard error before.
pub(super) fn build(workshop: &Workshop<'_>, source: &Source<'_>) -> anyhow::Result<PathBuf> {
    let sdk = workshop.sdk(source.lang)?;
    let ingredients = || {
        Ingredients::new()
            .with(source.lang.key())
            .with(ZIG.name)
            .with(&source.stack_kb.to_string())
            .with_folder(&sdk)?
            .with_folder(source.dir)
    };
    kept::component(&workshop.kept(), source.dir, ingredients, |scratch| {
        let zig = pypi::package(&workshop.tools(), &ZIG, workshop.offline)?.join(ZIG.has);
        let builder =
            Builder { zig, cache: workshop.cache.join("zig"), sdk: &sdk, scratch: scratch.to_owned(), source: *source };
        let (module, outside) = match source.lang {
            // Its compiler takes no file from outside of the folder of the first.
            Language::Zig => (builder.zig()?, Vec::new()),
            _ => builder.c()?,
        };
        Ok(Made { component: encode::component(&tools::made(&module)?)?, outside })
    })
}

/// What one build has at hand.
struct Builder<'a> {
    zig: PathBuf,
    /// What it keeps is for all projects, and nothing is left beside the source.
    cache: PathBuf,
    sdk: &'a Path,
    scratch: PathBuf,
    source: Source<'a>,
}

impl Builder<'_> {
    /// `zig` with a subcommand.
    fn command(&self, subcommand: &str) -> Command {
        let mut command = Command::new(&self.zig);
        command.arg(subcommand).current_dir(self.source.dir);
        command.env("ZIG_GLOBAL_CACHE_DIR", &self.cache).env("ZIG_LOCAL_CACHE_DIR", &self.cache);
        command
    }

    /// Runs `zig` with a subcommand.
    fn run(&self, subcommand: &str, arguments: impl FnOnce(&mut Command)) -> anyhow::Result<()> {
        let mut command = self.command(subcommand);
        arguments(&mut command);
        let again = "remove its folder in the cache, and build again";
        tools::run(&mut command, &format!("zig {subcommand}"), again)
    }

    fn stack_bytes(&self) -> u64 {
        u64::from(self.source.stack_kb) * 1024
    }

    /// Its language: with the panics that its safety checks are worth having for.
    fn zig(&self) -> anyhow::Result<PathBuf> {
        let module = self.scratch.join("module.wasm");
        // The SDK's file is the root, as Zig looks there for what a program sets.
        let named = |name: &str, path: &Path| format!("-M{name}={}", path.display());
        let sdk = self.sdk.join("src");
        self.run("build-exe", |command| {
            command
                .args(["-target", "wasm32-wasi", "-mexec-model=reactor", "-fno-entry", "-rdynamic"])
                .args(["-O", "ReleaseSafe", "--stack", &self.stack_bytes().to_string(), "--name", "handler"])
                .args(["--dep", "gristmill", "--dep", "handler"])
                .arg(named("root", &sdk.join("entry.zig")))
                .arg(named("gristmill", &sdk.join("root.zig")))
                .args(["--dep", "gristmill"])
                .arg(named("handler", &self.source.entry()))
                .arg(format!("-femit-bin={}", module.display()));
        })?;
        Ok(module)
    }

    /// C and C++, and the files that they include. The names of functions come with
    /// what a debugger reads, which the encoder leaves out.
    fn c(&self) -> anyhow::Result<(PathBuf, Vec<PathBuf>)> {
        let (module, include) = (self.scratch.join("module.wasm"), self.sdk.join("include"));
        let own = sources_in(&self.sdk.join("src"))?;
        let files = sources_in(&self.source.dir.join("src"))?;
        let included = self.included(&files, &include)?;
        let (c, cpp): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|file| file.extension().is_some_and(|ending| ending == "c"));
        let mut objects = Vec::new();
        for (index, file) in cpp.iter().enumerate() {
            let object = self.scratch.join(format!("{index}.o"));
            self.run("c++", |command| {
                // This target has no exceptions.
                command.args(TARGET).args(["-fno-exceptions", "-c"]).arg("-I").arg(&include).arg(file);
                command.arg("-o").arg(&object);
            })?;
            objects.push(object);
        }
        self.run(if cpp.is_empty() { "cc" } else { "c++" }, |command| {
            command.args(TARGET).arg(format!("-Wl,-z,stack-size={}", self.stack_bytes())).arg("-I").arg(&include);
            command.args(&objects).args(["-x", "c", STANDARD]).args(&c);
            command.args(&own).arg("-o").arg(&module);
        })?;
        Ok((module, included))
    }

    /// The files that sources include with quotes. A missing one is not told here:
    /// the compiler says it better.
    fn included(&self, files: &[PathBuf], include: &Path) -> anyhow::Result<Vec<PathBuf>> {
        let mut command = self.command("cc");
        let output = command.args(TARGET).args(["-w", "-MM", "-MG", "-I"]).arg(include).args(files).output()?;
        let rules = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(in_rules(&rules).into_iter().map(PathBuf::from).filter(|path| path.is_absolute()).collect())
    }
}

/// The names in rules of `make`, as a compiler writes them: `a.o: a.c b.h`, with
/// spaces after a backslash.
fn in_rules(rules: &str) -> Vec<String> {
    let (mut names, mut name) = (Vec::new(), String::new());
    let mut letters = rules.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, letters.peek()) {
            ('\\', Some('\n')) | ('$', Some('$')) => {
                if let Some('$') = letters.next() {
                    name.push('$');
                }
            }
            ('\\', Some(' ' | '#')) => name.extend(letters.next()),
            (' ' | '\n', _) => names.push(std::mem::take(&mut name)),
            _ => name.push(letter),
        }
    }
    names.push(name);
    names.retain(|name| !name.is_empty() && !name.ends_with(':'));
    names
}

/// The files of a folder that the compiler takes, in order.
fn sources_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", project::shown(folder)))?;
    let is_source =
        |path: &PathBuf| path.extension().is_some_and(|e| ["c", "cc", "cpp", "cxx"].map(Some).contains(&e.to_str()));
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_source).collect();
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_out_of_rules() {
        let rules = "a.o: /x/a.c \\\n  /x/sh\\ ä\\#$$.h string.h\nb.o: /x/b.c\n";
        assert_eq!(in_rules(rules), ["/x/a.c", "/x/sh ä#$.h", "string.h", "/x/b.c"]);
        assert!(in_rules("").is_empty());
    }
}
