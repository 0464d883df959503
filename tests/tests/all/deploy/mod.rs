//! What `gristmill` does with an account, with the built command, on the
//! CloudFormation of the tests, which makes its resources through moto.

mod changes;
mod moves;
mod page;
mod refused;
mod running;
mod walk;

use std::time::Duration;

use gristmill_tests::aws::Aws;
use gristmill_tests::front::Front;
use gristmill_tests::project::Ran;
use gristmill_tests::{Project, bootstrap};
use serde_json::Value;

use crate::cases::COMMAND;

/// A project, and AWS to bring it to.
struct Setting {
    aws: Aws,
    project: Project,
    front: Option<Front>,
}

/// One stream, one handler that is a fixture guest.
const MANIFEST: &str = r#"
[project]
name = "demo"

[stream.orders]
table = "orders"

[handler.a]
component = "scripted.wasm"
stream = "orders"
"#;

impl Setting {
    /// With the account's bucket and the table `demo-dev_orders`.
    fn new(manifest: &str) -> Self {
        let setting = Self { aws: Aws::start(), project: Project::new(COMMAND, manifest), front: None };
        setting.aws.table("demo-dev_orders");
        setting.succeed(&["bootstrap", "--yes"]);
        setting
    }

    /// The same with tables, streams and mappings that do what AWS's do: moto breaks
    /// a table whose stream is switched off.
    fn with_front(manifest: &str) -> Self {
        let front = Front::start(Duration::ZERO, |_, _| true);
        let aws = Aws::with_front(&front);
        let setting = Self { aws, project: Project::new(COMMAND, manifest), front: Some(front) };
        setting.aws.table("demo-dev_orders");
        setting.succeed(&["bootstrap", "--yes"]);
        setting
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.aws.ran(&mut self.project.command(arguments))
    }

    fn succeed(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}\n{}\n{}", ran.stdout, ran.stderr);
        ran.stdout
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let printed = self.succeed(arguments);
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
    }

    /// Which must fail with this exit code; gives what it said.
    fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, code, "{arguments:?}\n{}\n{}", ran.stdout, ran.stderr);
        format!("{}{}", ran.stdout, ran.stderr)
    }

    fn deploy(&self) -> String {
        self.succeed(&deploy())
    }

    fn plan(&self) -> Value {
        self.json(&["plan", "--bootstrap", host(), "--output", "json"])
    }

    fn mappings(&self) -> Vec<Value> {
        let listed = self.aws.cli(&["lambda", "list-event-source-mappings"]);
        listed["EventSourceMappings"].as_array().unwrap().clone()
    }

    /// Writes to the manifest.
    fn manifest(&self, text: &str) {
        self.project.write("gristmill.toml", text.as_bytes());
    }
}

/// The host that is packaged: built once for all tests.
fn host() -> &'static str {
    bootstrap().to_str().unwrap()
}

fn deploy() -> [&'static str; 4] {
    ["deploy", "--yes", "--bootstrap", host()]
}
