//! What stands in the way of a deploy, each with its cause and the next command.

use std::process::Stdio;
use std::time::Duration;

use gristmill_tests::Project;
use gristmill_tests::aws::{ACCOUNT, Aws, credentials};
use gristmill_tests::project::Ran;
use serde_json::{Value, json};

use super::{MANIFEST, Setting, deploy, host};
use crate::cases::COMMAND;

#[test]
fn an_account_without_a_bucket_for_packages_is_told_how_to_get_one() {
    let (aws, project) = (Aws::start(), Project::new(COMMAND, MANIFEST));
    aws.table("demo-dev_orders");
    let early = aws.ran(&mut project.command(&deploy()));
    assert_eq!(early.code, 2, "{}", early.stderr);
    assert!(early.stderr.contains("`gristmill bootstrap` makes one"), "{}", early.stderr);
    let made = aws.ran(&mut project.command(&["bootstrap", "--yes", "--output", "json"]));
    let bucket = serde_json::from_str::<Value>(&made.stdout).unwrap()["bucket"].clone();
    let versioning = aws.cli(&["s3api", "get-bucket-versioning", "--bucket", bucket.as_str().unwrap()]);
    assert_eq!(versioning["Status"], "Enabled");
    let again = aws.ran(&mut project.command(&["bootstrap", "--yes"]));
    assert!(again.stdout.starts_with("the bucket for packages is there already"), "{}", again.stdout);
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
fn what_stands_in_the_way_is_told_with_the_next_command() {
    let setting = Setting::with_front(MANIFEST);
    let aws = &setting.aws;
    let without = |name: &str| {
        let mut command = setting.project.command(&["plan", "--bootstrap", host()]);
        aws.reach(command.stdin(Stdio::null()));
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

/// Each is one of AWS's answers; where they come from is `aws::refusal`.
#[test]
fn credentials_that_aws_does_not_take_are_told() {
    let setting = Setting::new(MANIFEST);
    let refuse = |service: &str, operation: &str, code: &str, message: &str| {
        let refusal =
            json!({ "service": service, "operation": operation, "code": code, "message": message, "status": 403 });
        setting.aws.control(&json!({ "refuse": refusal }));
    };
    let who = ("sts", "GetCallerIdentity");
    let expired = "The security token included in the request is expired";
    for arguments in [&["plan"][..], &["status"], &["delete", "--yes"], &["failed", "list"], &["logs", "--remote"]] {
        refuse(who.0, who.1, "ExpiredToken", expired);
        let said = setting.fails(1, arguments);
        assert!(said.contains(expired) && said.contains("have expired: `aws sso login`, or new ones"), "{said}");
    }
    refuse(who.0, who.1, "InvalidClientTokenId", "The security token included in the request is invalid.");
    let said = setting.fails(1, &["plan"]);
    assert!(said.contains("AWS does not know these credentials") && said.contains("--profile"), "{said}");
    // They may run out on the way.
    refuse("dynamodb", "DescribeTable", "ExpiredTokenException", expired);
    let said = setting.fails(1, &deploy());
    assert!(said.contains("dynamodb:DescribeTable: ") && said.contains("have expired"), "{said}");
    refuse("dynamodb", "DescribeTable", "AccessDeniedException", "User: x is not authorized");
    let said = setting.fails(1, &deploy());
    assert!(said.contains("`gristmill policy --deploying` prints what is needed"), "{said}");
    setting.deploy();
}

#[test]
fn another_region_has_neither_stack_nor_table() {
    let setting = Setting::new(MANIFEST);
    setting.deploy();
    let planned = setting.fails(1, &["plan", "--region", "us-west-2", "--bootstrap", host()]);
    assert!(
        planned.contains("there is no table demo-dev_orders in us-west-2 of the account 123456789012"),
        "{planned}"
    );
    assert!(planned.contains("> create it with a stream, or look at --region and --profile"), "{planned}");
    setting.fails(1, &["deploy", "--yes", "--region", "us-west-2", "--bootstrap", host()]);
    for arguments in [&["status"][..], &["delete", "--yes"], &["failed", "list"], &["doctor", "--remote"]] {
        let ran = setting.run(&[arguments, &["--region", "us-west-2"]].concat());
        let said = ran.stdout + &ran.stderr;
        assert!(ran.code != 0 && said.contains("there is no stack demo-dev in us-west-2"), "{arguments:?} {said}");
    }
    // An ARN says where its table is.
    let arn = format!("arn:aws:dynamodb:us-west-2:{ACCOUNT}:table/orders");
    setting.manifest(&MANIFEST.replace("table = \"orders\"", &format!("stream-arn = \"{arn}\"")));
    let planned = setting.fails(1, &["plan", "--bootstrap", host()]);
    assert!(planned.contains("is in us-west-2, and this deploy goes to eu-west-1"), "{planned}");
    assert!(planned.contains("> gristmill deploy --region us-west-2"), "{planned}");
}

#[test]
fn nothing_is_sent_to_a_bucket_of_somebody_elses() {
    let setting = Setting::new(&(MANIFEST.to_owned() + "\n[deploy]\nbucket = \"once-ours\"\n"));
    let aws = &setting.aws;
    let bucket = ["--bucket", "once-ours"];
    let place = ["--create-bucket-configuration", "LocationConstraint=eu-west-1"];
    aws.cli(&[&["s3api", "create-bucket"], &bucket[..], &place[..]].concat());
    let versions = ["--versioning-configuration", "Status=Enabled"];
    aws.cli(&[&["s3api", "put-bucket-versioning"], &bucket[..], &versions[..]].concat());
    // Its owner takes what anybody sends: only the request itself can say whose it must be.
    aws.control(&json!({ "buckets-of-others": ["once-ours"] }));
    let said = setting.fails(2, &deploy());
    assert!(said.contains("the bucket once-ours is not of the account 123456789012"), "{said}");
    assert!(said.contains("nothing was uploaded") && said.contains("`gristmill bootstrap` makes one"), "{said}");
    let listed = aws.cli(&[&["s3api", "list-objects-v2"], &bucket[..]].concat());
    assert_eq!(listed["Contents"], Value::Null, "{listed}");
    aws.control(&json!({ "clear-faults": true }));
    setting.deploy();
    // What was given up on is read, and deleted, from our own alone.
    let stack = aws.cli(&["cloudformation", "describe-stacks", "--stack-name", "demo-dev"]);
    let outputs = stack["Stacks"][0]["Outputs"].as_array().unwrap();
    let failures = outputs.iter().find(|output| output["OutputKey"] == "FailureBucketName").unwrap();
    aws.control(&json!({ "buckets-of-others": [failures["OutputValue"]] }));
    let said = setting.fails(1, &["failed", "list"]);
    assert!(said.contains("s3:ListBucket") && said.contains("is not allowed to this user"), "{said}");
    setting.fails(1, &["delete", "--yes", "--data"]);
    assert!(aws.cli(&["s3api", "list-buckets"]).to_string().contains(failures["OutputValue"].as_str().unwrap()));
}

#[test]
fn a_handler_that_asks_for_images_that_its_records_do_not_have_is_told() {
    let setting = Setting::with_front(MANIFEST);
    let front = setting.front.as_ref().unwrap();
    for specification in
        [json!({ "StreamEnabled": false }), json!({ "StreamEnabled": true, "StreamViewType": "KEYS_ONLY" })]
    {
        let request = json!({ "TableName": "demo-dev_orders", "StreamSpecification": specification });
        front.ask("DynamoDB_20120810.UpdateTable", &request);
        front.clock.advance(Duration::from_millis(5));
    }
    let plan = setting.plan();
    let told = "handler a: it asks for `NewImage`";
    let of_it = |notes: &Value| {
        notes.as_array().unwrap().iter().find(|note| note["message"].as_str().unwrap().starts_with(told)).cloned()
    };
    let note = of_it(&plan["notes"]).unwrap_or_else(|| panic!("{plan}"));
    assert_eq!(note["level"], "warning");
    assert!(note["message"].as_str().unwrap().contains("have KEYS_ONLY alone: it is given none"), "{note}");
    assert!(note["next"].as_str().unwrap().contains("NEW_AND_OLD_IMAGES"), "{note}");
    // Its filter would want nothing at all.
    setting.manifest(&(MANIFEST.to_owned() + "filter = [{ dynamodb.NewImage.a.S = [\"b\"] }]\n"));
    let said = setting.fails(1, &["plan", "--bootstrap", host()]);
    assert!(said.contains("PROBLEM: handler a: its filter asks for `NewImage`"), "{said}");
    // Where the manifest says how the table is made, no AWS is needed to know.
    setting.manifest(&(MANIFEST.to_owned() + "\n[table.orders]\nstream-view-type = \"KEYS_ONLY\"\n"));
    let checked = setting.project.run(&["check"]);
    assert!(checked.code == 0 && checked.stderr.contains(told), "{}", checked.stderr);
}
