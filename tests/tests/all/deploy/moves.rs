//! A table whose stream is switched off and on: the deployer goes over to the new
//! one in order and without loss. Tables and streams are dev mode's endpoint's,
//! mappings are emulated and deliver, the stack is the CloudFormation of the tests'.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gristmill_tests::aws::Aws;
use gristmill_tests::front::Front;
use gristmill_tests::project::{ONE_HANDLER, Ran};
use gristmill_tests::{Project, bootstrap};
use serde_json::{Value, json};

use crate::cases::COMMAND;

/// What was delivered and done: of each item its versions, in order; and the item
/// whose records fail.
#[derive(Default)]
struct Done {
    versions: BTreeMap<String, Vec<u64>>,
    failing: Option<String>,
}

struct Setting {
    front: Front,
    aws: Aws,
    project: Project,
    done: Arc<Mutex<Done>>,
}

impl Setting {
    /// The endpoint's clock is 20 minutes behind: a stream that is made by it looks
    /// as old.
    fn new() -> Self {
        let done: Arc<Mutex<Done>> = Arc::default();
        let seen = Arc::clone(&done);
        let front = Front::start(Duration::from_secs(20 * 60), move |_, record| {
            let mut done = seen.lock().unwrap();
            let item = record["dynamodb"]["Keys"]["id"]["S"].as_str().unwrap().to_owned();
            if done.failing.as_ref() == Some(&item) {
                return false;
            }
            let version = record["dynamodb"]["NewImage"]["v"]["N"].as_str().unwrap().parse().unwrap();
            done.versions.entry(item).or_default().push(version);
            true
        });
        let aws = Aws::with_front(&front);
        let setting = Self { front, aws, project: Project::new(COMMAND, ONE_HANDLER), done };
        setting.front.ask(
            "DynamoDB_20120810.CreateTable",
            &json!({
                "TableName": "orders", "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
                "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
                "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
            }),
        );
        setting.succeed(&["bootstrap", "--yes"]);
        setting
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.aws.ran(&mut self.project.command(arguments))
    }

    fn succeed(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}\n{}\n{}", ran.stdout, ran.stderr);
        ran.stdout + &ran.stderr
    }

    fn deploy(&self, more: &[&str]) -> String {
        self.succeed(&[&["deploy", "--yes", "--bootstrap", host()], more].concat())
    }

    fn plan(&self) -> String {
        self.succeed(&["plan", "--bootstrap", host()])
    }

    fn put(&self, item: &str, version: u64) {
        let item = json!({ "id": { "S": item }, "v": { "N": version.to_string() } });
        self.front.ask("DynamoDB_20120810.PutItem", &json!({ "TableName": "orders", "Item": item }));
        self.front.clock.advance(Duration::from_millis(1));
    }

    fn stream(&self, on: bool) {
        let specification = match on {
            true => json!({ "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" }),
            false => json!({ "StreamEnabled": false }),
        };
        let request = json!({ "TableName": "orders", "StreamSpecification": specification });
        self.front.ask("DynamoDB_20120810.UpdateTable", &request);
        self.front.clock.advance(Duration::from_millis(5));
    }

    fn versions(&self, item: &str) -> Vec<u64> {
        self.done.lock().unwrap().versions.get(item).cloned().unwrap_or_default()
    }

    /// Waits until an item's last version was done.
    fn wait_for(&self, item: &str, version: u64) {
        let limit = Instant::now() + Duration::from_secs(60);
        while self.versions(item).last() != Some(&version) {
            assert!(Instant::now() < limit, "{item} {version}: {:?}", self.versions(item));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until the mapping's last result is a failure.
    fn wait_until_it_fails(&self) {
        let limit = Instant::now() + Duration::from_secs(60);
        while self.front.list()[0]["LastProcessingResult"] != "PROBLEM: Function call failed" {
            assert!(Instant::now() < limit, "{:?}", self.front.list());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn states(&self) -> Vec<String> {
        self.front.list().iter().map(|mapping| mapping["State"].as_str().unwrap().to_owned()).collect()
    }
}

fn host() -> &'static str {
    bootstrap().to_str().unwrap()
}

#[test]
fn a_table_with_another_stream_is_gone_over_to_in_order_and_without_loss() {
    let setting = Setting::new();
    setting.put("a", 1);
    setting.deploy(&[]);
    setting.wait_for("a", 1);

    // The old stream holds a record that fails, the new one later changes of its item.
    setting.done.lock().unwrap().failing = Some("b".to_owned());
    setting.put("b", 1);
    setting.put("a", 2);
    // The new stream's label says 20 minutes ago: a real mapping has met the record by then.
    setting.wait_until_it_fails();
    setting.stream(false);
    setting.stream(true);
    setting.put("b", 2);
    setting.put("a", 3);

    let planned = setting.plan();
    assert!(
        planned.contains("moving") && planned.contains("its table has another stream since the last deploy"),
        "{planned}"
    );
    assert!(planned.contains("is not known to be read"), "{planned}");
    let deployed = setting.deploy(&[]);
    assert!(deployed.contains("`gristmill deploy` again, once the old stream is read"), "{deployed}");
    assert_eq!(setting.states(), ["Enabled", "Disabled"]);
    // Not before the old one is read, and its mapping's last result says that it is not.
    assert!(setting.plan().contains("PROBLEM: Function call failed"), "{}", setting.plan());
    setting.deploy(&[]);
    assert_eq!(setting.states(), ["Enabled", "Disabled"]);
    assert!(!setting.versions("b").contains(&2) && !setting.versions("a").contains(&3));

    // It is mended, and read.
    setting.done.lock().unwrap().failing = None;
    setting.wait_for("b", 1);
    let limit = Instant::now() + Duration::from_secs(60);
    while !setting.plan().contains("was read") {
        assert!(Instant::now() < limit, "{}", setting.plan());
    }
    let finished = setting.deploy(&[]);
    assert!(finished.contains("is read no more"), "{finished}");
    setting.wait_for("b", 2);
    setting.wait_for("a", 3);
    assert_eq!(setting.states(), ["Enabled"]);
    assert_eq!((setting.versions("a"), setting.versions("b")), (vec![1, 2, 3], vec![1, 2]));
    assert_eq!(setting.front.given_up(), 0);
    // And it stays so.
    assert!(setting.plan().contains("unchanged"), "{}", setting.plan());
    setting.put("a", 4);
    setting.wait_for("a", 4);
}

#[test]
fn the_user_may_finish_a_move_or_give_the_order_up() {
    let setting = Setting::new();
    setting.deploy(&[]);
    // What is read already would be left at once.
    setting.done.lock().unwrap().failing = Some("stuck".to_owned());
    setting.put("stuck", 1);
    setting.wait_until_it_fails();
    setting.stream(false);
    setting.stream(true);
    let both = setting.deploy(&["--unordered"]);
    assert!(both.contains("may overtake one another"), "{both}");
    assert_eq!(setting.states(), ["Enabled", "Enabled"]);
    setting.put("a", 1);
    setting.wait_for("a", 1);
    setting.deploy(&["--finish"]);
    assert_eq!(setting.states(), ["Enabled"]);
    let listed: Vec<Value> = setting.front.list();
    let table = setting.front.ask("DynamoDB_20120810.DescribeTable", &json!({ "TableName": "orders" }));
    assert_eq!(listed[0]["EventSourceArn"], table["Table"]["LatestStreamArn"]);
}
