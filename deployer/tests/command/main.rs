//! What a user types and writes, against what they are told: the command as a
//! process, and the manifest as a text. One binary, a module a subject. No
//! network, and nothing is built.

#![allow(clippy::unwrap_used, reason = "clippy knows #[test], and not what is called from it")]

mod completions;
mod generate;
mod manifest_deploy;
mod manifest_errors;
mod manifest_files;
mod manifest_good;
mod new;
mod sample;
mod usage;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gristmill::manifest::{self, Manifest};

/// A folder of a test's own, gone with it.
struct Folder {
    /// Removes the folder when it is dropped.
    _guard: tempfile::TempDir,
    path: PathBuf,
}

/// How a run of the command ended.
#[derive(Debug, PartialEq, Eq)]
struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Folder {
    fn new() -> Self {
        let guard = tempfile::tempdir().unwrap();
        let path = guard.path().canonicalize().unwrap();
        Self { _guard: guard, path }
    }

    /// A fresh project, `demo`, made by the command.
    fn project() -> Self {
        let folder = Self::new();
        assert_eq!(folder.run(&["new", ".", "--name", "demo"]).code, 0);
        folder
    }

    /// A folder with this manifest, and a crate for each of these handlers.
    fn with_manifest(text: &str, crates: &[&str]) -> Self {
        let folder = Self::new();
        folder.write("gristmill.toml", text);
        for name in crates {
            folder.write(&format!("handlers/{name}/Cargo.toml"), format!("[package]\nname = \"{name}\"\n"));
        }
        folder
    }

    fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path.join(path)).unwrap()
    }

    fn has(&self, path: &str) -> bool {
        self.path.join(path).symlink_metadata().is_ok()
    }

    /// Runs the command in the folder.
    fn run(&self, args: &[&str]) -> Ran {
        self.run_in(Path::new("."), args)
    }

    /// Runs the command in a folder below.
    fn run_in(&self, below: &Path, args: &[&str]) -> Ran {
        let output = Command::new(env!("CARGO_BIN_EXE_gristmill"))
            .args(args)
            .current_dir(self.path.join(below))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Ran {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn load(&self, env: Option<&str>) -> Result<Manifest, String> {
        let here = format!("{}/", self.path.display());
        manifest::load(&self.path, env).map_err(|err| format!("{err:#}").replace(&here, ""))
    }

    /// Every file below the folder, in order.
    fn files(&self) -> Vec<String> {
        fn list(folder: &Path, root: &Path, found: &mut Vec<String>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    list(&path, root, found);
                } else {
                    found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        let mut found = Vec::new();
        list(&self.path, &self.path, &mut found);
        found.sort();
        found
    }
}

/// The command failed with this message and printed nothing else.
#[track_caller]
fn fails(ran: &Ran, code: i32, message: &str) {
    let expected = Ran { code, stdout: String::new(), stderr: format!("error: {message}\n") };
    assert_eq!(*ran, expected, "\nfound:    {}expected: {}", ran.stderr, expected.stderr);
}
