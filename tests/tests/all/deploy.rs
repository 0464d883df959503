//! From nothing to a deployed stack and back, with the built command, on the
//! CloudFormation of the tests, which makes its resources through moto.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use gristmill_tests::aws::{ACCOUNT, Aws, MOTO_LACKS, REGION, credentials};
use gristmill_tests::front::Front;
use gristmill_tests::project::Ran;
use gristmill_tests::{Project, bootstrap, cache_home};
use serde_json::{Value, json};

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
        run(&self.aws, self.project.path(), arguments)
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

fn run(aws: &Aws, folder: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::new(COMMAND);
    command.args(arguments).current_dir(folder).env("XDG_CACHE_HOME", cache_home()).stdin(Stdio::null());
    Ran::new(&aws.reach(&mut command).output().unwrap())
}

/// The host that is packaged: built once for all tests.
fn host() -> &'static str {
    bootstrap().to_str().unwrap()
}

fn deploy() -> [&'static str; 4] {
    ["deploy", "--yes", "--bootstrap", host()]
}

fn actions(plan: &Value) -> Vec<(&str, &str)> {
    let changes = plan["changes"].as_array().unwrap().iter();
    changes.map(|change| (change["action"].as_str().unwrap(), change["id"].as_str().unwrap())).collect()
}

/// From nothing to a deployed stack, changed, rolled back, forward again and
/// deleted, on whatever stands for AWS. Gives what had to be left out.
fn walk(aws: &Aws, lacks: &[&str]) -> Vec<String> {
    let mut left_out = Vec::new();
    let mut can = |what: &str, needs: &[&str]| {
        let missing: Vec<_> = needs.iter().filter(|need| lacks.contains(need)).collect();
        if !missing.is_empty() {
            left_out.push(format!("{what}: {missing:?}"));
        }
        missing.is_empty()
    };
    let folder = tempfile::tempdir().unwrap();
    let all = |at: &Path, arguments: &[&str]| {
        let ran = run(aws, at, arguments);
        assert_eq!(ran.code, 0, "{arguments:?}\n{}\n{}", ran.stdout, ran.stderr);
        ran.stdout
    };
    // Another for each run: an account may have those of an earlier one.
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let name = format!("walk{since}");
    let (stack, table) = (format!("{name}-dev"), format!("{name}-dev_test-table"));
    all(folder.path(), &["new", &name]);
    let project = folder.path().join(&name);
    let clerk = ["generate", "event", "clerk", "--trigger", "dynamodb", "--table", "test-table", "--method", "file"];
    all(&project, &clerk);
    // A table that is not there is told before anything is made.
    let planned = run(aws, &project, &["plan", "--bootstrap", host()]);
    assert_eq!(planned.code, 1, "{}", planned.stderr);
    assert!(planned.stdout.contains(&format!("there is no table {table} in ")), "{}", planned.stdout);
    aws.table(&table);
    let planned = all(&project, &["plan", "--bootstrap", host()]);
    assert!(planned.starts_with(&format!("{stack} in ")) && planned.contains(": new\n"), "{planned}");
    assert!(planned.ends_with("\nNext: `gristmill deploy`\n"), "{planned}");
    // The endpoint takes the template, whatever it then makes of it.
    let template = all(&project, &["template", "--compact"]);
    let validated = aws.cli(&["cloudformation", "validate-template", "--template-body", &template]);
    assert_eq!(validated["Description"], format!("{name} in dev: DynamoDB Streams handlers, by gristmill"));

    if can("bootstrap", &["stack-outputs"]) {
        all(&project, &["bootstrap", "--yes"]);
    }
    if can("deploy, change, rollback, delete", &["stack-outputs", "stack-aliases"]) {
        deployed(aws, &all, &project, &stack, &table);
    }
    aws.cli(&["dynamodb", "delete-table", "--table-name", &table]);
    left_out
}

fn deployed(aws: &Aws, all: &dyn Fn(&Path, &[&str]) -> String, project: &Path, stack: &str, table: &str) {
    let printed = all(project, &deploy());
    assert!(printed.starts_with(&format!("{stack} is deployed\n")), "{printed}");

    // What is there, as AWS's own client reads it.
    let function = aws.cli(&["lambda", "get-function", "--function-name", stack, "--qualifier", "live"]);
    let configuration = &function["Configuration"];
    assert_eq!((&configuration["Runtime"], &configuration["MemorySize"]), (&json!("provided.al2023"), &json!(512)));
    let variables = json!({ "GRISTMILL_FUNCTION": stack.trim_end_matches("-dev") });
    assert_eq!(configuration["Environment"]["Variables"], variables);
    let mappings = aws.cli(&["lambda", "list-event-source-mappings", "--function-name", &format!("{stack}:live")]);
    let mapping = &mappings["EventSourceMappings"][0];
    let described = aws.cli(&["dynamodb", "describe-table", "--table-name", table]);
    assert_eq!(mapping["EventSourceArn"], described["Table"]["LatestStreamArn"]);
    assert!(mapping["FunctionArn"].as_str().unwrap().ends_with(&format!(":function:{stack}:live")), "{mapping}");
    assert_eq!(mapping["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
    assert_eq!(
        (&mapping["MaximumRetryAttempts"], &mapping["BisectBatchOnFunctionError"], &mapping["StartingPosition"]),
        (&json!(10), &json!(true), &json!("TRIM_HORIZON"))
    );
    let destination = mapping["DestinationConfig"]["OnFailure"]["Destination"].as_str().unwrap();
    assert!(destination.starts_with(&format!("arn:aws:s3:::{stack}-failurebucket-")), "{destination}");
    let group = aws.cli(&["logs", "describe-log-groups", "--log-group-name-prefix", &format!("/aws/lambda/{stack}")]);
    assert_eq!(group["logGroups"][0]["retentionInDays"], 30);

    // Changed: in the manifest, and so in the version.
    let manifest = fs::read_to_string(project.join("gristmill.toml")).unwrap();
    fs::write(project.join("gristmill.toml"), manifest + "\n[function]\nmemory-mb = 1024\n").unwrap();
    let planned = all(project, &["plan", "--bootstrap", host()]);
    assert!(planned.contains("MemorySize: 512 -> 1024"), "{planned}");
    all(project, &deploy());
    let releases: Value = serde_json::from_str(&all(project, &["releases", "--output", "json"])).unwrap();
    let live: Vec<_> = releases["releases"].as_array().unwrap().iter().map(|each| &each["live"]).collect();
    assert_eq!(live, [false, true]);

    // Rolled back, and forward again by the next deploy.
    let back = all(project, &["rollback", "--yes"]);
    assert!(back.starts_with(&format!("{stack} runs version 1 now, in the place of 2\n")), "{back}");
    let alias = || aws.cli(&["lambda", "get-alias", "--function-name", stack, "--name", "live"]);
    assert_eq!(alias()["FunctionVersion"], "1");
    let planned = all(project, &["plan", "--bootstrap", host()]);
    assert!(planned.contains(&format!("the function {stack} was rolled back")), "{planned}");
    all(project, &deploy());
    assert_eq!(alias()["FunctionVersion"], "2");

    // Deleted: all but the data.
    let deleted = all(project, &["delete", "--yes"]);
    assert!(deleted.contains("stays, with the records that were given up on"), "{deleted}");
    let gone = run(aws, project, &["status"]);
    assert_eq!(gone.code, 2);
    assert!(gone.stderr.contains(&format!("there is no stack {stack} in ")), "{}", gone.stderr);
    let functions = aws.cli(&["lambda", "list-functions"]);
    assert!(!functions.to_string().contains(stack), "{functions}");
    let bucket = destination.rsplit(':').next().unwrap();
    assert!(aws.cli(&["s3api", "list-buckets"]).to_string().contains(bucket));
    aws.cli(&["s3api", "delete-bucket", "--bucket", bucket]);
}

#[test]
fn from_new_to_deployed_changed_rolled_back_and_deleted() {
    let left_out = match Aws::outside() {
        // A real account, or an emulator that is named.
        Some((aws, lacks)) => walk(&aws, &lacks.iter().map(String::as_str).collect::<Vec<_>>()),
        None => walk(&Aws::start(), &[]),
    };
    println!("left out: {left_out:#?}");
    assert!(Aws::outside().is_some() || left_out.is_empty());
}

/// What plain moto allows, with its own CloudFormation, which we did not write.
#[test]
fn on_plain_moto_as_far_as_it_goes() {
    let left_out = walk(&Aws::plain_moto(), &MOTO_LACKS);
    println!("left out: {left_out:#?}");
    assert_eq!(left_out.len(), 2);
}

#[test]
fn an_account_without_a_bucket_for_packages_is_told_how_to_get_one() {
    let (aws, project) = (Aws::start(), Project::new(COMMAND, MANIFEST));
    aws.table("demo-dev_orders");
    let early = run(&aws, project.path(), &deploy());
    assert_eq!(early.code, 2, "{}", early.stderr);
    assert!(early.stderr.contains("`gristmill bootstrap` makes one"), "{}", early.stderr);
    let made = run(&aws, project.path(), &["bootstrap", "--yes", "--output", "json"]);
    let bucket = serde_json::from_str::<Value>(&made.stdout).unwrap()["bucket"].clone();
    let versioning = aws.cli(&["s3api", "get-bucket-versioning", "--bucket", bucket.as_str().unwrap()]);
    assert_eq!(versioning["Status"], "Enabled");
    let again = run(&aws, project.path(), &["bootstrap", "--yes"]);
    assert!(again.stdout.starts_with("the bucket for packages is there already"), "{}", again.stdout);
}

#[test]
fn a_deploy_with_nothing_changed_makes_a_handful_of_calls() {
    let setting = Setting::new(MANIFEST);
    setting.deploy();
    setting.aws.control(&json!({ "reset-calls": true }));
    let again = setting.deploy();
    assert!(again.contains("demo-dev in eu-west-1 of the account 123456789012: unchanged"), "{again}");
    let calls = setting.aws.calls();
    println!("{calls:#?}");
    assert!(calls.len() <= 9, "{calls:?}");
    assert!(!calls.iter().any(|call| call.contains("ChangeSet") || call.contains("PUT")), "{calls:?}");
    assert_eq!(setting.plan()["state"], "unchanged");
}

#[test]
fn the_package_is_not_sent_twice() {
    let setting = Setting::new(MANIFEST);
    setting.deploy();
    setting.succeed(&["delete", "--yes"]);
    setting.aws.control(&json!({ "reset-calls": true }));
    let ran = setting.run(&deploy());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("the package is there already"), "{}", ran.stderr);
}

#[test]
fn the_first_failure_stands_on_top_and_says_what_to_do_next() {
    let setting = Setting::new(MANIFEST);
    let fail =
        json!({ "fail": { "logical-id": "Function", "message": "no such key", "code": "AccessDenied", "times": 1 } });
    setting.aws.control(&fail);
    let said = setting.fails(1, &deploy());
    let error = said.lines().find(|line| line.starts_with("error: ")).unwrap();
    assert!(error.contains("Function (AWS::Lambda::Function)") && error.contains("no such key"), "{said}");
    assert!(
        said.contains("ROLLBACK_COMPLETE") && said.contains("`gristmill delete`, then `gristmill deploy`"),
        "{said}"
    );
    // Such a stack can only be deleted, and every command says so.
    let planned = setting.fails(1, &["plan", "--bootstrap", host()]);
    assert!(planned.contains("PROBLEM: the stack demo-dev was not made"), "{planned}");
    setting.fails(1, &deploy());
    setting.succeed(&["delete", "--yes"]);
    setting.deploy();
    // An update that fails is taken back, and what ran before runs on.
    setting.manifest(&MANIFEST.replace("[stream", "[function]\nmemory-mb = 256\n\n[stream"));
    setting.aws.control(
        &json!({ "fail": { "logical-id": "StreamOrdersMapping", "message": "later", "times": 1, "action": "update" } }),
    );
    setting.manifest(&MANIFEST.replace("table =", "batch-size = 7\ntable ="));
    let said = setting.fails(1, &deploy());
    assert!(said.contains("UPDATE_ROLLBACK_COMPLETE: what was deployed before runs on"), "{said}");
    assert_eq!(setting.mappings()[0]["BatchSize"], 100);
    assert_eq!(setting.plan()["state"], "changed");
    setting.deploy();
    assert_eq!(setting.mappings()[0]["BatchSize"], 7);
}

#[test]
fn what_only_replacement_could_change_is_not_changed() {
    let setting = Setting::new(MANIFEST);
    setting.deploy();
    // A second mapping of one stream and function would be a conflict.
    setting.manifest(&MANIFEST.replace("table =", "starting-position = \"LATEST\"\ntable ="));
    assert_eq!(setting.plan()["state"], "unchanged");
    assert_eq!(setting.mappings()[0]["StartingPosition"], "TRIM_HORIZON");
}

#[test]
fn handlers_share_a_mapping_and_one_may_have_its_own() {
    let manifest = MANIFEST
        .replace("stream = \"orders\"", "stream = \"orders\"\nfilter = [{ eventName = [\"INSERT\"] }]")
        + "\n[handler.b]\ncomponent = \"scripted.wasm\"\nstream = \"orders\"\nfilter = [{ eventName = [\"REMOVE\"] }]\n\n\
           [handler.audit]\ncomponent = \"scripted.wasm\"\nstream = \"orders\"\nfunction = \"own\"\n";
    let setting = Setting::new(&manifest);
    setting.deploy();
    let mut mappings = setting.mappings();
    mappings.sort_by_key(|mapping| mapping["FunctionArn"].as_str().unwrap().len());
    let [shared, own] = mappings.as_slice() else { panic!("{mappings:?}") };
    let patterns = shared["FilterCriteria"]["Filters"].as_array().unwrap();
    assert_eq!(patterns.len(), 2, "{shared}");
    assert!(own["FunctionArn"].as_str().unwrap().ends_with(":function:demo-dev-audit:live"), "{own}");
    assert_eq!(own["FilterCriteria"]["Filters"].as_array().map_or(0, Vec::len), 0, "{own}");
    let function = setting.aws.cli(&["lambda", "get-function-configuration", "--function-name", "demo-dev-audit"]);
    assert_eq!(function["Environment"]["Variables"]["GRISTMILL_FUNCTION"], "demo.audit");
    let plan = setting.plan();
    assert!(plan["notes"].to_string().contains("2 of 2 readers"), "{plan}");
}

#[test]
fn a_mapping_that_ignores_answers_is_made_to_hear_before_code_goes_live() {
    let setting = Setting::new(MANIFEST);
    setting.deploy();
    let uuid = setting.mappings()[0]["UUID"].as_str().unwrap().to_owned();
    setting.aws.cli(&["lambda", "update-event-source-mapping", "--uuid", &uuid, "--function-response-types"]);
    assert_eq!(setting.mappings()[0]["FunctionResponseTypes"].as_array().map_or(0, Vec::len), 0);
    let said = setting.fails(1, &["status"]);
    assert!(said.contains("has no ReportBatchItemFailures: Lambda takes failures for success"), "{said}");
    let plan = setting.plan();
    assert!(plan["notes"].to_string().contains("gets ReportBatchItemFailures first"), "{plan}");
    setting.deploy();
    assert_eq!(setting.mappings()[0]["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
}

#[test]
fn a_stack_that_is_being_changed_or_is_anothers_is_left_alone() {
    let setting = Setting::new(MANIFEST);
    setting.deploy();
    setting.aws.control(&json!({ "pause": true }));
    let kept = PARAMETERS.map(|name| format!("ParameterKey={name},UsePreviousValue=true"));
    let update = [
        "cloudformation",
        "update-stack",
        "--stack-name",
        "demo-dev",
        "--use-previous-template",
        "--capabilities",
        "CAPABILITY_IAM",
        "--tags",
        "Key=a,Value=b",
        "--parameters",
    ];
    setting.aws.cli(&update.into_iter().chain(kept.iter().map(String::as_str)).collect::<Vec<_>>());
    let said = setting.fails(1, &["plan", "--bootstrap", host()]);
    assert!(said.contains("is being changed by someone else (UPDATE_IN_PROGRESS)"), "{said}");
    setting.fails(1, &deploy());
    let said = setting.fails(2, &["delete", "--yes"]);
    assert!(said.contains("is being changed by someone else"), "{said}");
    setting.aws.control(&json!({ "pause": false }));
    // The same name, another project's template.
    setting.aws.cli(&["cloudformation", "create-stack", "--stack-name", "demo-test", "--template-body", FOREIGN]);
    let mut tries = 0;
    let said = loop {
        let ran = setting.run(&["plan", "--env", "test", "--bootstrap", host()]);
        if ran.code == 2 {
            break ran.stderr;
        }
        tries += 1;
        assert!(tries < 100, "{}{}", ran.stdout, ran.stderr);
    };
    assert!(
        said.contains("the stack demo-test is not this project's to change: it was not made by gristmill"),
        "{said}"
    );
}

/// Those of the template of [`MANIFEST`].
const PARAMETERS: [&str; 5] = ["CodeBucket", "CodeKey", "CodeVersion", "CodeSha256", "StreamOrdersArn"];

const FOREIGN: &str = r#"{"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}"#;

#[test]
fn a_stack_of_a_later_gristmill_is_left_alone() {
    let setting = Setting::new(MANIFEST);
    setting.deploy();
    let found = setting.aws.cli(&["cloudformation", "get-template", "--stack-name", "demo-dev"]);
    let mut template = found["TemplateBody"].clone();
    template["Metadata"]["Gristmill"]["Format"] = json!(99);
    template["Metadata"]["Gristmill"]["Version"] = json!("9.9.9");
    // Metadata alone is no update.
    template["Resources"]["LogGroup"]["Properties"]["RetentionInDays"] = json!(14);
    let kept = PARAMETERS.map(|name| format!("ParameterKey={name},UsePreviousValue=true"));
    let text = template.to_string();
    let update = [
        "cloudformation",
        "update-stack",
        "--stack-name",
        "demo-dev",
        "--template-body",
        &text,
        "--capabilities",
        "CAPABILITY_IAM",
        "--parameters",
    ];
    setting.aws.cli(&update.into_iter().chain(kept.iter().map(String::as_str)).collect::<Vec<_>>());
    let mut tries = 0;
    let said = loop {
        let ran = setting.run(&["plan", "--bootstrap", host()]);
        if ran.code == 2 {
            break ran.stderr;
        }
        tries += 1;
        assert!(tries < 100, "{}{}", ran.stdout, ran.stderr);
    };
    assert!(said.contains("was made by gristmill 9.9.9, which this one (0.1.0) does not know"), "{said}");
}

#[test]
fn throttling_is_waited_out() {
    let setting = Setting::new(MANIFEST);
    setting.aws.control(&json!({ "throttle": 3 }));
    setting.deploy();
    assert_eq!(setting.mappings().len(), 1);
}

#[test]
fn pause_and_resume_and_a_deploy_between_them() {
    let setting = Setting::new(MANIFEST);
    setting.deploy();
    let paused = setting.succeed(&["pause"]);
    assert!(paused.contains("the mapping of the stream orders to demo-dev is Disabled"), "{paused}");
    let said = setting.fails(1, &["status"]);
    assert!(said.contains("> gristmill resume orders"), "{said}");
    setting.manifest(&MANIFEST.replace("table =", "batch-size = 7\ntable ="));
    setting.deploy();
    assert_eq!((&setting.mappings()[0]["State"], &setting.mappings()[0]["BatchSize"]), (&json!("Disabled"), &json!(7)));
    setting.succeed(&["resume", "orders"]);
    let status = setting.json(&["status", "--output", "json"]);
    assert_eq!(status["problems"], json!([]), "{status}");
    let wrong = setting.fails(2, &["pause", "order"]);
    assert!(wrong.contains("did you mean `orders`?"), "{wrong}");
}

#[test]
fn what_stands_in_the_way_is_told_with_the_next_command() {
    let setting = Setting::with_front(MANIFEST);
    let aws = &setting.aws;
    let without = |name: &str| {
        let mut command = Command::new(COMMAND);
        command.args(["plan", "--bootstrap", host()]).current_dir(setting.project.path());
        aws.reach(command.env("XDG_CACHE_HOME", cache_home()).stdin(Stdio::null()));
        Ran::new(&command.env_remove(name).env("HOME", "/nonexistent").output().unwrap())
    };
    let nobody = without("AWS_ACCESS_KEY_ID");
    assert_eq!(nobody.code, 1);
    assert!(nobody.stderr.contains("there are no credentials: `aws configure`"), "{}", nobody.stderr);

    // A stream that is off.
    aws.cli(&[
        "dynamodb",
        "update-table",
        "--table-name",
        "demo-dev_orders",
        "--stream-specification",
        "StreamEnabled=false",
    ]);
    let off = setting.fails(1, &["plan", "--bootstrap", host()]);
    assert!(off.contains("gristmill deploy --enable-streams switches it on, with NEW_AND_OLD_IMAGES"), "{off}");

    // A bucket that is not there.
    setting.manifest(&(MANIFEST.to_owned() + "\n[deploy]\nbucket = \"nobody-has-this\"\n"));
    let missing = setting.fails(2, &["deploy", "--yes", "--enable-streams", "--bootstrap", host()]);
    assert!(missing.contains("there is no bucket nobody-has-this"), "{missing}");
    aws.cli(&[
        "s3api",
        "create-bucket",
        "--bucket",
        "nobody-has-this",
        "--create-bucket-configuration",
        "LocationConstraint=eu-west-1",
    ]);
    let unversioned = setting.fails(2, &["deploy", "--yes", "--enable-streams", "--bootstrap", host()]);
    assert!(
        unversioned.contains("keeps no versions") && unversioned.contains("put-bucket-versioning"),
        "{unversioned}"
    );

    // No terminal to ask on.
    setting.manifest(MANIFEST);
    let unasked = setting.fails(2, &["deploy", "--enable-streams", "--bootstrap", host()]);
    assert!(unasked.contains("--yes says yes"), "{unasked}");

    // It is switched on where it is asked for.
    setting.succeed(&["deploy", "--yes", "--enable-streams", "--bootstrap", host()]);
    let front = setting.front.as_ref().unwrap();
    let table = front.ask("DynamoDB_20120810.DescribeTable", &json!({ "TableName": "demo-dev_orders" }));
    assert_eq!(front.list()[0]["EventSourceArn"], table["Table"]["LatestStreamArn"]);

    // A name that is too long for what is derived from it.
    setting.manifest(&MANIFEST.replace("\"demo\"", &format!("\"{}\"", "d".repeat(63))));
    let long = setting.fails(2, &["plan", "--bootstrap", host()]);
    assert!(long.contains("has 67 characters, and Lambda takes 64"), "{long}");
}

#[test]
fn no_region_and_an_endpoint_that_is_none_are_told() {
    let project = Project::new(COMMAND, MANIFEST);
    let plan = |more: &[&str], without: Option<&str>| {
        let mut command = project.command(&["plan"]);
        credentials(command.args(more).stdin(Stdio::null()));
        if without.is_some() {
            command.env_remove("AWS_REGION").env_remove("AWS_DEFAULT_REGION");
        }
        Ran::new(&command.output().unwrap())
    };
    let nowhere = plan(&[], Some("AWS_REGION"));
    assert_eq!(nowhere.code, 2, "{}", nowhere.stderr);
    assert!(nowhere.stderr.contains("there is no Region; give --region"), "{}", nowhere.stderr);
    let wrong = plan(&["--endpoint-url", "localhost"], None);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("--endpoint-url `localhost` is no URL"), "{}", wrong.stderr);
    let closed = plan(&["--endpoint-url", "http://127.0.0.1:1"], None);
    assert_eq!(closed.code, 1);
    assert!(closed.stderr.contains("AWS did not answer: is the Region right"), "{}", closed.stderr);
}

/// Lambda's own document, with the records.
fn document(number: &str, payload: &str) -> Value {
    json!({
        "requestContext": {
            "requestId": "r", "functionArn": format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:demo-dev:live"),
            "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 11,
        },
        "responseContext": { "statusCode": 200, "executedVersion": "1", "functionError": "Unhandled" },
        "version": "1.0",
        "timestamp": "2026-09-01T10:00:00.000Z",
        "DDBStreamBatchInfo": {
            "shardId": "shardId-1", "startSequenceNumber": number, "endSequenceNumber": number,
            "approximateArrivalOfFirstRecord": "2026-09-01T09:00:00Z", "approximateArrivalOfLastRecord": "2026-09-01T09:00:00Z",
            "batchSize": 1, "streamArn": format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/demo-dev_orders/stream/2026-08-01T00:00:00.000"),
        },
        "payload": payload,
    })
}

#[test]
fn what_was_given_up_on_is_delivered_again_in_order() {
    let setting = Setting::new(MANIFEST);
    setting.deploy();
    assert_eq!(setting.succeed(&["failed", "list"]), "no batch was given up on\n");
    let stack = setting.aws.cli(&["cloudformation", "describe-stacks", "--stack-name", "demo-dev"]);
    let outputs = stack["Stacks"][0]["Outputs"].as_array().unwrap();
    let bucket = outputs.iter().find(|output| output["OutputKey"] == "FailureBucketName").unwrap();
    let bucket = bucket["OutputValue"].as_str().unwrap();
    let put = |number: &str, key: &str| {
        let path = setting.project.path().join("document.json");
        fs::write(&path, document(number, &format!("{{\"Records\":[{number}]}}")).to_string()).unwrap();
        let key = format!("aws/lambda/uuid/shardId-1/2026/09/01/{key}");
        setting.aws.cli(&["s3api", "put-object", "--bucket", bucket, "--key", &key, "--body", path.to_str().unwrap()]);
        key
    };
    // By their numbers, and not by their names.
    let (third, first, second) = (put("1000", "a"), put("99", "b"), put("100", "c"));
    let listed = setting.json(&["failed", "list", "--output", "json"]);
    let keys: Vec<_> =
        listed["batches"].as_array().unwrap().iter().map(|batch| batch["key"].as_str().unwrap()).collect();
    assert_eq!(keys, [&first, &second, &third]);
    let shown = setting.succeed(&["failed", "show", &second]);
    assert!(shown.contains("\"Records\": [\n"), "{shown}");
    let dry = setting.json(&["failed", "replay", "--dry-run", "--output", "json"]);
    assert_eq!(dry["would-replay"].as_array().unwrap().len(), 3);

    // The second fails: the first is done and gone, the third is not touched.
    let failure = r#"{"batchItemFailures":[{"itemIdentifier":"100"}]}"#;
    setting.aws.moto().answer(&[r#"{"batchItemFailures":[]}"#, failure]);
    let said = setting.fails(1, &["failed", "replay", "--yes"]);
    assert!(said.contains("1 of 3 done") && said.contains("the record 100 must come again"), "{said}");
    assert!(said.contains("later changes of these items may have run since"), "{said}");
    let left = setting.json(&["failed", "list", "--output", "json"]);
    assert_eq!(left["batches"].as_array().unwrap().len(), 2);
    // What is no answer is no success.
    setting.aws.moto().answer(&["happy"]);
    setting.fails(1, &["failed", "replay", "--yes"]);
    setting.aws.moto().answer(&[r#"{"batchItemFailures":[]}"#, r#"{"batchItemFailures":[]}"#]);
    setting.succeed(&["failed", "replay", "--yes"]);
    assert_eq!(setting.succeed(&["failed", "list"]), "no batch was given up on\n");
    // Data goes only when it is asked for.
    put("5", "d");
    let deleted = setting.succeed(&["delete", "--yes", "--data"]);
    assert!(deleted.contains("the bucket with 1 documents"), "{deleted}");
    assert!(!setting.aws.cli(&["s3api", "list-buckets"]).to_string().contains(bucket));
}

#[test]
fn logs_and_invoke_speak_of_what_was_deployed() {
    let setting = Setting::new(MANIFEST);
    setting.deploy();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let group = ["--log-group-name", "/aws/lambda/demo-dev"];
    let stream = ["--log-stream-name", "s"];
    setting.aws.cli(&[&["logs", "create-log-stream"], &group[..], &stream[..]].concat());
    let line = |handler: &str, message: &str| {
        json!({ "timestamp": "t", "level": "INFO", "requestId": "r", "message": message, "handler": handler })
            .to_string()
    };
    let events = json!([
        { "timestamp": now, "message": line("a", "filed") },
        { "timestamp": now, "message": line("b", "other") },
        { "timestamp": now, "message": "plain" },
    ]);
    setting
        .aws
        .cli(&[&["logs", "put-log-events"], &group[..], &stream[..], &["--log-events", &events.to_string()]].concat());
    let all = setting.succeed(&["logs", "--remote"]);
    assert_eq!(all.lines().count(), 3, "{all}");
    let own = setting.succeed(&["logs", "--remote", "-n", "a", "--since", "5m"]);
    assert!(own.trim_end().ends_with("INFO  a filed") && own.lines().count() == 1, "{own}");
    let filtered = setting.succeed(&["logs", "--remote", "--filter", "-filed -other", "--output", "json"]);
    assert!(filtered.contains("\"line\":\"plain\"") && filtered.lines().count() == 1, "{filtered}");

    setting.aws.moto().answer(&[r#"{"batchItemFailures":[{"itemIdentifier":"1"}]}"#, r#"{"batchItemFailures":[]}"#]);
    setting.project.write("event.json", br#"{"Records":[]}"#);
    let failed = setting.fails(1, &["invoke", "--remote", "--event", "event.json"]);
    assert!(failed.contains(r#"answered {"batchItemFailures":[{"itemIdentifier":"1"}]}"#), "{failed}");
    let done = setting.json(&["invoke", "--remote", "--event", "event.json", "--output", "json"]);
    assert_eq!(done["answer"], json!({ "batchItemFailures": [] }));
}

#[test]
fn variables_are_the_manifests() {
    let setting = Setting::new(MANIFEST);
    setting.deploy();
    setting.succeed(&["env", "set", "GRISTMILL_METRICS=off", "MORE=a=b"]);
    assert_eq!(setting.succeed(&["env", "list"]), "GRISTMILL_METRICS=off\nMORE=a=b\n");
    let plan = setting.plan();
    assert!(actions(&plan).contains(&("change", "Function")), "{plan}");
    // No value is shown.
    let text = setting.succeed(&["plan", "--bootstrap", host()]);
    assert!(text.contains("Environment.Variables.MORE: differs") && !text.contains("a=b"), "{text}");
    setting.deploy();
    let function = setting.aws.cli(&["lambda", "get-function-configuration", "--function-name", "demo-dev"]);
    assert_eq!(function["Environment"]["Variables"]["MORE"], "a=b");
    setting.succeed(&["env", "unset", "MORE"]);
    let written = fs::read_to_string(setting.project.path().join("gristmill.toml")).unwrap();
    assert!(written.starts_with(MANIFEST), "{written}");
    for (arguments, why) in [
        (["env", "set", "NOTHING"], "it takes NAME=VALUE"),
        (["env", "set", "AWS_REGION=x"], "is set by Lambda or by gristmill"),
        (["env", "unset", "GRISTMIL_METRICS"], "there is `GRISTMILL_METRICS`"),
    ] {
        let said = setting.fails(2, &arguments);
        assert!(said.contains(why), "{said}");
    }
    setting.succeed(&["env", "set", "--env", "prod", "MORE=c"]);
    assert_eq!(setting.succeed(&["env", "list", "--env", "prod"]), "GRISTMILL_METRICS=off\nMORE=c\n");
    assert_eq!(setting.succeed(&["env", "list"]), "GRISTMILL_METRICS=off\n");
}
