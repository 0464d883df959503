//! AWS's own clients, installed by `tests/tools/awscli`, against an endpoint.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::support::Served;

/// The folder that cargo builds into: this program lies in it.
fn target() -> PathBuf {
    let program = std::env::current_exe().unwrap();
    program.ancestors().nth(3).unwrap().to_owned()
}

/// The folder of the clients, which are installed once.
fn installed() -> &'static str {
    static FOLDER: OnceLock<String> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let tool = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/tools/awscli");
        let installed = Command::new(tool).arg(target()).output().unwrap();
        assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
        String::from_utf8(installed.stdout).unwrap().trim().to_owned()
    })
}

/// Runs a script with the clients on its path.
fn run(script: &str, served: &Served) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ran = Command::new("python3")
        .arg(root.join("tests/clients").join(script))
        .arg(served.url())
        .env("PYTHONPATH", installed())
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        // A client of another Region: it changes nothing.
        .env("AWS_DEFAULT_REGION", "eu-west-3")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env_remove("AWS_PROFILE")
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{out}\n{err}");
    assert!(out.contains("as it should be") || out.contains("what was written"), "{out}");
}

/// With the machine's own time, which clients compare with theirs.
fn served() -> Served {
    Served::with(|options| {
        options.clock = std::sync::Arc::new(gristmill_endpoint::SystemClock);
        options.sweep_every = Duration::from_millis(100);
    })
}

#[test]
fn the_walk_through_works_word_for_word() {
    run("cli.py", &served());
}

#[test]
fn records_are_what_boto3_wrote() {
    run("sdk.py", &served());
}
