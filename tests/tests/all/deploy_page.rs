//! What the commands print of a project of three handlers in five states, as
//! `docs/deploy.md` has it. `GRISTMILL_BLESS=1 cargo test --workspace --test all
//! deploy_page` writes it there.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gristmill_tests::aws::Aws;
use gristmill_tests::front::Front;
use gristmill_tests::project::Ran;
use gristmill_tests::{Project, bootstrap, cache_home, root};
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
}

impl Page {
    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(COMMAND);
        command
            .args(arguments)
            .current_dir(self.project.path())
            .env("XDG_CACHE_HOME", cache_home())
            .stdin(Stdio::null());
        Ran::new(&self.aws.reach(&mut command).output().unwrap())
    }

    fn succeed(&self, arguments: &[&str]) {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}\n{}\n{}", ran.stdout, ran.stderr);
    }

    /// Deploys, and waits until no mapping is on its way to another state.
    fn deploy(&self) {
        self.succeed(&["deploy", "--yes", "--bootstrap", bootstrap().to_str().unwrap()]);
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

    /// The command as a user types it, and what is printed.
    fn show(&mut self, arguments: &[&str]) {
        let hidden = ["--bootstrap", bootstrap().to_str().unwrap()];
        let run: Vec<_> = match arguments[0] {
            "plan" => arguments.iter().copied().chain(hidden).collect(),
            _ => arguments.to_vec(),
        };
        let ran = self.run(&run);
        let mut printed = ran.stdout;
        if ran.code == 2 || printed.is_empty() {
            printed += &ran.stderr;
        }
        for (volatile, word) in &self.volatile {
            printed = volatile.replace_all(&printed, *word).into_owned();
        }
        let code = if ran.code == 0 { String::new() } else { format!("\n(exit code {})", ran.code) };
        let _ = write!(self.text, "\n```\n$ gristmill {}\n{}{code}\n```\n", arguments.join(" "), printed.trim_end());
    }

    fn stream(&self, on: bool) {
        let specification = match on {
            true => json!({ "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" }),
            false => json!({ "StreamEnabled": false }),
        };
        let request = json!({ "TableName": "shop-dev_orders", "StreamSpecification": specification });
        self.front.ask("DynamoDB_20120810.UpdateTable", &request);
        self.front.clock.advance(Duration::from_millis(5));
    }
}

#[test]
fn the_page_shows_what_is_printed() {
    let front = Front::start(Duration::ZERO, |_, _| true);
    let aws = Aws::with_front(&front);
    let volatile = [
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,9}(Z|\+0000)?", "2026-11-01T10:00:00.000"),
        (r"00000000-0000-4000-8000-\d{12}", "1a2b3c4d-0000-4000-8000-0123456789ab"),
        (r"[A-Za-z0-9+/]{43}=", "q2hhbmdlcyB3aXRoIHRoZSBjb2RlIG9mIGhhbmRsZXI="),
        (r"configuration [0-9a-f]{16}", "configuration 0123456789abcdef"),
        (r"failurebucket-[a-z0-9]+", "failurebucket-0a1b2c3d"),
        (r"\(exit status .*\)", ""),
        (r"there for \d+ h \d+ min more", "there for 23 h 59 min more"),
    ];
    let volatile = volatile.map(|(text, word)| (Regex::new(text).unwrap(), word)).into();
    let project = Project::new(COMMAND, MANIFEST);
    let mut page = Page { front, aws, project, text: String::new(), volatile };
    page.front.ask(
        "DynamoDB_20120810.CreateTable",
        &json!({
            "TableName": "shop-dev_orders", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
            "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
            "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
        }),
    );
    page.succeed(&["bootstrap", "--yes"]);
    page.succeed(&["build"]);

    page.state("New", "The stack is not there yet.");
    for command in [&["plan"][..], &["policy"], &["status"], &["logs", "--remote"], &["doctor", "--remote"]] {
        page.show(command);
    }
    let deploy = ["deploy", "--yes", "--bootstrap", bootstrap().to_str().unwrap()];
    page.deploy();
    page.state("Unchanged", "It was deployed, and nothing has changed since.");
    for command in [&["plan"][..], &["status"], &["logs", "--remote"], &["doctor", "--remote"]] {
        page.show(command);
    }
    page.state(
        "Changed",
        "The manifest says `memory-mb = 1024` in `[function]`, and `batch-size = 500` of the stream.",
    );
    let changed =
        MANIFEST.replace("[stream.orders]", "[function]\nmemory-mb = 1024\n\n[stream.orders]\nbatch-size = 500");
    page.project.write("gristmill.toml", changed.as_bytes());
    page.show(&["plan"]);
    page.show(&["template", "--compact"]);
    page.deploy();
    page.state("The table has another stream", "Its stream was switched off and on.");
    page.stream(false);
    page.stream(true);
    for command in [&["plan"][..], &["status"], &["doctor", "--remote"]] {
        page.show(command);
    }
    page.state("Failed", "The first deploy of another environment has failed, and was taken back.");
    page.aws.control(&json!({ "fail": { "logical-id": "Function", "message": "the Region has no capacity", "code": "ServiceException" } }));
    page.project.write(
        "gristmill.toml",
        changed.replace("name = \"shop\"", "name = \"shop\"\nnamespace = { prefix = \"shop-dev\" }").as_bytes(),
    );
    let failed = page.run(&[&deploy[..], &["--env", "test"]].concat());
    assert_eq!(failed.code, 1, "{}", failed.stderr);
    for command in
        [&["plan", "--env", "test"][..], &["status", "--env", "test"], &["doctor", "--remote", "--env", "test"]]
    {
        page.show(command);
    }

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
