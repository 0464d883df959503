//! What the commands print of a project of three handlers in five states, as
//! `docs/deploy.md` has it. `GRISTMILL_BLESS=1 cargo test --workspace --test all
//! deploy::page` writes it there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

use gristmill_tests::aws::Aws;
use gristmill_tests::front::Front;
use gristmill_tests::project::Ran;
use gristmill_tests::{Project, bootstrap, root};
use regex_lite::Regex;
use serde_json::{Value, json};

use crate::cases::COMMAND;

const BEGIN: &str = "<!-- What is printed begins here. A test writes it. -->\n";
const END: &str = "<!-- What is printed ends here. -->\n";

const MANIFEST: &str = r#"[project]
name = "shop"

[stream.orders]
table = "orders"

[handler.file]
component = "scripted.wasm"
stream = "orders"
filter = [{ eventName = ["INSERT"] }]

[handler.count]
component = "scripted.wasm"
stream = "orders"
filter = [{ eventName = ["REMOVE"] }]

[handler.audit]
component = "scripted.wasm"
stream = "orders"
function = "own"
"#;

struct Page {
    front: Front,
    aws: Aws,
    project: Project,
    text: String,
    volatile: Vec<(Regex, &'static str)>,
    /// What `template` and `policy` printed in the state before.
    before: BTreeMap<&'static str, String>,
    environment: &'static [&'static str],
    /// The streams of the table, oldest first, by their labels.
    labels: Vec<String>,
}

impl Page {
    fn run(&self, arguments: &[&str]) -> Ran {
        self.aws.ran(&mut self.project.command(arguments))
    }

    fn succeed(&self, arguments: &[&str]) {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}\n{}\n{}", ran.stdout, ran.stderr);
    }

    /// Waits until no mapping is on its way to another state.
    fn settle(&self) {
        let limit = Instant::now() + Duration::from_secs(60);
        let settled = |mapping: &Value| ["Enabled", "Disabled"].contains(&mapping["State"].as_str().unwrap());
        while !self.front.list().iter().all(settled) {
            assert!(Instant::now() < limit, "{:?}", self.front.list());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn state(&mut self, name: &str, why: &str) {
        let _ = write!(self.text, "\n### {name}\n\n{why}\n");
    }

    /// What a state shows by each command, the deploy that leads to it or from it
    /// aside.
    fn all(&mut self) {
        self.show(&["plan"]);
        self.differs(&["template"]);
        self.differs(&["policy"]);
        self.show(&["status"]);
        self.show(&["logs", "--remote"]);
        self.show(&["doctor", "--remote"]);
    }

    /// The command as a user types it, and what is printed: what a terminal shows.
    fn show(&mut self, arguments: &[&str]) {
        let printed = self.printed(arguments);
        self.block(arguments, "", &printed);
    }

    /// The same of a command that asks nobody: all of it at first, and then in what
    /// it differs from before.
    fn differs(&mut self, arguments: &[&'static str]) {
        let printed = self.printed(arguments);
        match self.before.insert(arguments[0], printed.clone()) {
            None if arguments[0] == "template" => {
                let _ = write!(self.text, "\n<details><summary><code>gristmill template</code></summary>\n");
                self.block(arguments, "", &printed);
                self.text += "\n</details>\n";
            }
            None => self.block(arguments, "", &printed),
            Some(before) if before == printed => {
                let _ = write!(self.text, "\n`gristmill {}` prints what it did, to the byte.\n", arguments[0]);
            }
            Some(before) => self.block(arguments, " | diff before -", &difference(&before, &printed)),
        }
    }

    fn printed(&self, arguments: &[&str]) -> String {
        let packages = ["plan", "deploy"].contains(&arguments[0]);
        let hidden = ["--bootstrap", bootstrap().to_str().unwrap()];
        let hidden = if packages { &hidden[..] } else { &[] };
        let ran = self.run(&[arguments, self.environment, hidden].concat());
        let mut printed = ran.stderr + &ran.stdout;
        for (index, label) in self.labels.iter().enumerate() {
            printed = printed.replace(label, &format!("<{index}>"));
        }
        for (volatile, word) in &self.volatile {
            printed = volatile.replace_all(&printed, *word).into_owned();
        }
        // A day for each stream, so that they can be told apart.
        for index in 0..self.labels.len() {
            printed = printed.replace(&format!("<{index}>"), &format!("2026-10-0{}T08:00:00.000", index + 1));
        }
        let code = if ran.code == 0 { String::new() } else { format!("\n(exit code {})", ran.code) };
        printed.trim_end().to_owned() + &code
    }

    fn block(&mut self, arguments: &[&str], more: &str, printed: &str) {
        let command = [arguments, self.environment].concat().join(" ");
        let _ = write!(self.text, "\n```\n$ gristmill {command}{more}\n{printed}\n```\n");
    }

    fn stream(&mut self, on: bool) {
        let specification = match on {
            true => json!({ "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" }),
            false => json!({ "StreamEnabled": false }),
        };
        let request = json!({ "TableName": "shop-dev_orders", "StreamSpecification": specification });
        self.front.ask("DynamoDB_20120810.UpdateTable", &request);
        self.front.clock.advance(Duration::from_millis(5));
        if on {
            self.remember_label();
        }
    }

    fn remember_label(&mut self) {
        let table = self.front.ask("DynamoDB_20120810.DescribeTable", &json!({ "TableName": "shop-dev_orders" }));
        self.labels.push(table["Table"]["LatestStreamLabel"].as_str().unwrap().to_owned());
    }

    /// A line of the function's log, as the host writes it.
    fn say(&self, function: &str, handler: &str, message: &str) {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
        let group = ["--log-group-name", &format!("/aws/lambda/{function}")].map(str::to_owned);
        let group = [group[0].as_str(), group[1].as_str()];
        let stream = ["--log-stream-name", "2026/11/01/[1]0123456789abcdef"];
        self.aws.cli(&[&["logs", "create-log-stream"], &group[..], &stream[..]].concat());
        let line = json!({
            "timestamp": "2026-11-01T10:00:00.000Z", "level": "INFO", "requestId": "1a2b3c4d-0000-4000-8000-0123456789ab",
            "message": message, "handler": handler, "sequenceNumber": "111",
        });
        let events = json!([{ "timestamp": now, "message": line.to_string() }]).to_string();
        self.aws.cli(&[&["logs", "put-log-events"], &group[..], &stream[..], &["--log-events", &events]].concat());
    }
}

/// Lines that only one of two texts has, as `diff` prints them.
fn difference(before: &str, now: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let paths = [("before", before), ("now", now)].map(|(name, text)| {
        let path = folder.path().join(name);
        std::fs::write(&path, text.to_owned() + "\n").unwrap();
        path
    });
    let output = Command::new("diff").args(&paths).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

#[test]
fn the_page_shows_what_is_printed() {
    let front = Front::start(Duration::ZERO, |_, _| true);
    let aws = Aws::with_front(&front);
    let volatile = [
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,9}(Z|\+0000)?", "2026-11-01T10:00:00.000"),
        (r"00000000-0000-4000-8000-\d{12}", "1a2b3c4d-0000-4000-8000-0123456789ab"),
        (r"RequestToken: [0-9a-f-]{36}", "RequestToken: 1a2b3c4d-0000-4000-8000-0123456789ab"),
        (r"[A-Za-z0-9+/]{43}=", "q2hhbmdlcyB3aXRoIHRoZSBjb2RlIG9mIGhhbmRsZXI="),
        (r"configuration [0-9a-f]{16}", "configuration 0123456789abcdef"),
        (r"failurebucket-[a-z0-9]+", "failurebucket-0a1b2c3d"),
        (r"uploaded [0-9.]+ of [0-9.]+ MiB", "uploaded 6.3 of 6.3 MiB"),
        (r"[0-9a-f]{64}", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
        (r"\(exit status .*\)", ""),
        (r"there for \d+ h \d+ min more", "there for 23 h 59 min more"),
    ];
    let volatile = volatile.map(|(text, word)| (Regex::new(text).unwrap(), word)).into();
    let project = Project::new(COMMAND, MANIFEST);
    let (text, before) = (String::new(), BTreeMap::new());
    let mut page = Page { front, aws, project, text, volatile, before, environment: &[], labels: vec![] };
    page.front.ask(
        "DynamoDB_20120810.CreateTable",
        &json!({
            "TableName": "shop-dev_orders", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
            "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
        }),
    );
    page.remember_label();
    page.succeed(&["bootstrap", "--yes"]);
    page.succeed(&["build"]);

    page.state("New", "The stack is not there yet.");
    page.all();
    page.show(&["deploy", "--yes"]);
    page.settle();

    page.state("Unchanged", "It was deployed, has run, and nothing has changed since.");
    page.say("shop-dev", "file", "filed");
    page.all();
    page.show(&["deploy", "--yes"]);

    page.state(
        "Changed",
        "The manifest says `memory-mb = 1024` in `[function]`, and `batch-size = 500` of the stream.",
    );
    let changed =
        MANIFEST.replace("[stream.orders]", "[function]\nmemory-mb = 1024\n\n[stream.orders]\nbatch-size = 500");
    page.project.write("gristmill.toml", changed.as_bytes());
    page.all();
    page.show(&["deploy", "--yes"]);
    page.settle();

    page.state("The table has another stream", "Its stream was switched off and on.");
    page.stream(false);
    page.stream(true);
    page.all();

    page.state("Failed", "The first deploy of another environment, of the same table, fails and is taken back.");
    page.aws.control(&json!({ "fail": { "logical-id": "Function", "message": "the Region has no capacity", "code": "ServiceException" } }));
    page.project.write(
        "gristmill.toml",
        changed.replace("name = \"shop\"", "name = \"shop\"\nnamespace = { prefix = \"shop-dev\" }").as_bytes(),
    );
    page.environment = &["--env", "test"];
    page.show(&["deploy", "--yes"]);
    page.all();

    let path = root().join("docs/deploy.md");
    let docs = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = docs.split_once(BEGIN).expect("docs/deploy.md says where");
    let (_, after) = rest.split_once(END).expect("docs/deploy.md says where it ends");
    let printed = format!("{before}{BEGIN}{}\n{END}{after}", page.text);
    if std::env::var_os("GRISTMILL_BLESS").is_some() {
        std::fs::write(&path, &printed).unwrap();
    }
    assert!(
        printed == std::fs::read_to_string(&path).unwrap(),
        "docs/deploy.md is not what is printed; GRISTMILL_BLESS=1 writes it\n{}",
        page.text
    );
}
