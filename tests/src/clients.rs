//! AWS's own clients, from their own registry.

use std::process::Command;
use std::sync::LazyLock;

use crate::{root, succeed, target_dir};

/// Python with the AWS CLI and boto3, and what dev mode tells a user to export.
pub fn python() -> Command {
    static FOLDER: LazyLock<String> = LazyLock::new(|| {
        let output = succeed(Command::new(root().join("tests/tools/awscli")).arg(target_dir()));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    });
    let mut python = Command::new("python3");
    python
        .env("PYTHONPATH", &*FOLDER)
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env_remove("AWS_PROFILE");
    python
}
