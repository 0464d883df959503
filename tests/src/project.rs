//! A gristmill project in a temporary folder, and the command run in it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::{cache_home, guests};

/// The manifest of dev mode's tests: the table `orders` and the handler `a`, which
/// is last.
pub const ONE_HANDLER: &str = r#"
[project]
name = "demo"
namespace = false

[stream.orders]
table = "orders"

[handler.a]
component = "scripted.wasm"
stream = "orders"
"#;

/// The manifest of most tests: one table, the handlers `a` and `b`.
pub const TWO_HANDLERS: &str = r#"
[project]
name = "demo"
namespace = false

[stream.test-table]
table = "test-table"

[handler.a]
component = "scripted.wasm"
stream = "test-table"

[handler.b]
component = "scripted.wasm"
stream = "test-table"
"#;

/// A project, removed when it is dropped.
pub struct Project {
    folder: TempDir,
    command: PathBuf,
}

/// What the command left.
pub struct Ran {
    /// Its exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// What a command left, from its output.
    ///
    /// # Panics
    ///
    /// When it was ended by a signal or printed something that is not UTF-8.
    pub fn new(output: &Output) -> Self {
        Self {
            code: output.status.code().expect("the command was not ended by a signal"),
            stdout: String::from_utf8(output.stdout.clone()).expect("the command prints UTF-8"),
            stderr: String::from_utf8(output.stderr.clone()).expect("the command prints UTF-8"),
        }
    }

    /// Standard output, read as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }
}

impl Project {
    /// A project with a manifest and the scripted guest beside it. `command`
    /// is the path of `gristmill`.
    pub fn new(command: &str, manifest: &str) -> Self {
        let project = Self::empty(command);
        project.write("gristmill.toml", manifest.as_bytes());
        project.add_guest("scripted");
        project
    }

    /// An empty folder.
    pub fn empty(command: &str) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), command: command.into() }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Copies a fixture guest into the folder, by its name in `tests/guests`.
    pub fn add_guest(&self, name: &str) {
        let file = format!("{}.wasm", name.replace('-', "_"));
        fs::copy(guests().join(file), self.path().join(format!("{name}.wasm"))).unwrap();
    }

    /// The command with these arguments, in the folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.command);
        command.args(arguments).current_dir(self.path()).env("XDG_CACHE_HOME", cache_home());
        command
    }

    /// Runs the command.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with_input(arguments, b"")
    }

    /// Runs the command with this on standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &[u8]) -> Ran {
        let mut command = self.command(arguments);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that needs no input may end without reading it.
        let _ = child.stdin.take().unwrap().write_all(input);
        Ran::new(&child.wait_with_output().unwrap())
    }
}
