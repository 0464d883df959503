//! From nothing to a deployed stack and back, on whatever stands for AWS.

use std::fs;
use std::path::Path;
use std::process::Command;

use gristmill_tests::aws::{Aws, MOTO_LACKS};
use gristmill_tests::cache_home;
use gristmill_tests::project::Ran;
use serde_json::{Value, json};

use super::{deploy, host};
use crate::cases::COMMAND;

fn run(aws: &Aws, folder: &Path, arguments: &[&str]) -> Ran {
    let mut command = Command::new(COMMAND);
    aws.ran(command.args(arguments).current_dir(folder).env("XDG_CACHE_HOME", cache_home()))
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
