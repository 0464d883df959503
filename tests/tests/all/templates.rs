//! Templates, policies and plans against what others say of them: cfn-lint,
//! parliament, and the schemas of AWS's resource providers.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use gristmill::functions;
use gristmill::manifest::{self, Manifest};
use gristmill::plan::{self, Action, Side};
use gristmill::policy::{self, Decision, decide};
use gristmill::template::{self, Generation, Generations};
use gristmill_tests::{root, succeed, target_dir};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How many random manifests there are of one run.
const MANIFESTS: usize = 12;

fn installed(tool: &str) -> String {
    let output = succeed(Command::new(root().join("tests/tools").join(tool)).arg(target_dir()));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn cfn_lint() -> &'static str {
    static FOLDER: LazyLock<String> = LazyLock::new(|| installed("cfn-lint"));
    &FOLDER
}

/// Runs one of `tests/checks` and gives what it printed.
fn check(script: &str, packages: &str, arguments: &[PathBuf], input: &str) -> (bool, String) {
    let mut child = Command::new("python3")
        .arg("-W")
        .arg("ignore")
        .arg(root().join("tests/checks").join(script))
        .args(arguments)
        .env("PYTHONPATH", packages)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    // A script that failed may not have read it.
    let _ = writer.join().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

/// A manifest in a folder of its own, with a component that need not be one.
fn loaded(text: &str) -> (TempDir, Manifest) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.wasm"), "").unwrap();
    std::fs::write(folder.path().join("gristmill.toml"), text).unwrap();
    let root = folder.path().canonicalize().unwrap();
    let manifest = manifest::load(&root, None).unwrap_or_else(|error| panic!("{error:#}\n{text}"));
    (folder, manifest)
}

fn example(name: &str) -> Manifest {
    manifest::load(&root().join("examples").join(name), None).unwrap()
}

/// A project with everything that a manifest may say.
const WHOLE: &str = include_str!("../../snapshots/whole.toml");

fn whole() -> (TempDir, Manifest) {
    loaded(WHOLE)
}

/// The second of two streams of a table waits for the first.
fn moving() -> Generations {
    let mut generations = Generations::default();
    let first = Generation { starting_position: Some("TRIM_HORIZON".to_owned()), ..Generation::first() };
    generations.set("orders", vec![first, Generation { number: 2, enabled: false, starting_position: None }]);
    generations
}

fn lint(templates: &[(String, Value)]) {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (name, template) in templates {
        let file = folder.path().join(format!("{name}.json"));
        std::fs::write(&file, template.to_string()).unwrap();
        files.push(file);
    }
    let (clean, findings) = check("lint_templates.py", cfn_lint(), &files, "");
    assert!(clean, "{findings}");
}

#[test]
fn cfn_lint_finds_nothing_in_the_templates_of_the_examples() {
    let mut templates = vec![("account".to_owned(), template::account().value)];
    for name in ["bare", "change-log", "clerk"] {
        templates.push((name.to_owned(), template::project(&example(name), &Generations::default()).unwrap().value));
    }
    let (_folder, whole) = whole();
    templates.push(("whole".to_owned(), template::project(&whole, &Generations::default()).unwrap().value));
    templates.push(("moving".to_owned(), template::project(&whole, &moving()).unwrap().value));
    lint(&templates);
}

/// The check itself notices what it is for.
#[test]
fn cfn_lint_would_find_a_mistake() {
    let mut template = template::project(&example("bare"), &Generations::default()).unwrap().value;
    template["Resources"]["Function"]["Properties"]["MemorySize"] = json!("much");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("template.json");
    std::fs::write(&file, template.to_string()).unwrap();
    let (clean, findings) = check("lint_templates.py", cfn_lint(), &[file], "");
    assert!(!clean && findings.contains("MemorySize"), "{findings}");
}

/// `GRISTMILL_BLESS=1 cargo test --workspace --test all templates` writes them.
#[test]
fn the_templates_are_those_that_were_looked_at() {
    let (_folder, whole) = whole();
    let clerk = example("clerk");
    for (name, text) in [
        ("clerk.json", template::project(&clerk, &Generations::default()).unwrap().text()),
        ("whole.json", template::project(&whole, &Generations::default()).unwrap().text()),
        ("moving.json", template::project(&whole, &moving()).unwrap().text()),
        ("account.json", template::account().text()),
    ] {
        let path = root().join("tests/snapshots/templates").join(name);
        if std::env::var_os("GRISTMILL_BLESS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let looked_at = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(looked_at == text, "{name} is not as it was looked at; GRISTMILL_BLESS=1 writes it\n{text}");
    }
}

/// Labels of real streams have a colon, which parliament takes for a wrong ARN; its
/// list of services is older than some actions.
fn for_parliament(policy: &Value) -> Value {
    let text = policy.to_string();
    let mut value: Value = serde_json::from_str(&text).unwrap();
    fill(&mut value);
    value
}

/// What a template has in the place of an ARN, as one.
fn fill(value: &mut Value) {
    if let Value::Object(fields) = value {
        let parameter = fields.get("Ref").and_then(Value::as_str).map(str::to_owned);
        let attribute = fields.get("Fn::GetAtt").and_then(|at| at[0].as_str()).map(str::to_owned);
        let within = fields.get("Fn::Sub").and_then(Value::as_str).map(str::to_owned);
        let filled = match (parameter, attribute, within) {
            (Some(_), _, _) => "arn:aws:dynamodb:eu-west-1:112233445566:table/orders/stream/*".to_owned(),
            (_, Some(id), _) if id.ends_with("LogGroup") => {
                "arn:aws:logs:eu-west-1:112233445566:log-group:/aws/lambda/x:*".to_owned()
            }
            (_, Some(_), _) => "arn:aws:s3:::failures".to_owned(),
            (_, _, Some(_)) => "arn:aws:s3:::failures/aws/lambda/*".to_owned(),
            (None, None, None) => {
                fields.values_mut().for_each(fill);
                return;
            }
        };
        *value = json!(filled);
        return;
    }
    match value {
        Value::Array(values) => values.iter_mut().for_each(fill),
        Value::String(text) => {
            *text = text
                .replace("${AWS::Partition}", "aws")
                .replace("${AWS::Region}", "eu-west-1")
                .replace("${AWS::AccountId}", "112233445566");
        }
        Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What parliament finds and what is so on purpose.
const EXPECTED: [(&str, &str); 3] = [
    // Interfaces have no ids before they are made, and Lambda refuses a role that has them on less.
    ("RESOURCE_STAR", "ec2:CreateNetworkInterface"),
    // Mappings have no ids before they are made. Where they are made and changed, a condition holds them to the project's
    // functions, which parliament does not look at.
    ("RESOURCE_STAR", "lambda:GetEventSourceMapping"),
    // CloudFormation sets the policy of the failure bucket, which refuses what comes without TLS.
    ("RESOURCE_POLICY_PRIVILEGE_ESCALATION", "s3:PutBucketPolicy"),
];

#[test]
fn parliament_finds_nothing_else_in_the_policies() {
    let (_folder, whole) = whole();
    let mut lines = String::new();
    let mut add = |name: &str, policy: &Value| {
        let _ = writeln!(lines, "{}", json!({ "name": name, "policy": for_parliament(policy) }));
    };
    for manifest in [&whole, &example("clerk")] {
        for function in functions::of(manifest) {
            let statements = policy::runtime(manifest, &function, &Generations::default());
            add(&function.name(), &policy::document(&statements));
        }
        add(&format!("deploying {}", manifest.project), &policy::document(&policy::deploying(manifest)));
    }
    let packages = installed("parliament");
    let (_, findings) = check("lint_policies.py", &packages, &[], &lines);
    let known = |finding: &&str| EXPECTED.iter().any(|(issue, what)| finding.contains(issue) && finding.contains(what));
    let unknown: Vec<_> = findings.lines().filter(|finding| !known(finding)).collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
    for (issue, what) in EXPECTED {
        assert!(findings.lines().any(|finding| finding.contains(issue) && finding.contains(what)), "{issue} {what}");
    }
    let wrong = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": ["s3:PutObjects"], "Resource": "*" }] });
    let (clean, _) =
        check("lint_policies.py", &packages, &[], &format!("{}\n", json!({ "name": "wrong", "policy": wrong })));
    assert!(!clean, "it would find a mistake");
}

/// Each call that Lambda makes in a role's name, from AWS's documentation and
/// AWS-FACTS, and not from the code: on what, and for which function.
fn calls(function: &functions::Function<'_>) -> Vec<(&'static str, Value)> {
    let own = function.own.is_some();
    let id = |name: &str| if own { format!("HandlerAudit{name}") } else { name.to_owned() };
    // Using AWS Lambda with DynamoDB, execution role permissions; AWS-FACTS: not ListStreams.
    let mut calls = Vec::new();
    for stream in &function.streams {
        let arn = json!({ "Ref": match stream.name.as_str() { "orders" => "StreamOrdersArn", "other" => "StreamOtherArn", _ => "StreamTestTableArn" } });
        for action in ["dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream"] {
            calls.push((action, arn.clone()));
        }
    }
    // Lambda execution role, to CloudWatch Logs. The group is the stack's.
    for action in ["logs:CreateLogStream", "logs:PutLogEvents"] {
        calls.push((action, json!({ "Fn::GetAtt": [id("LogGroup"), "Arn"] })));
    }
    for stream in &function.streams {
        // AWS-FACTS, DestinationConfig.OnFailure.
        match &stream.mapping.on_failure {
            None => {
                calls.push(("s3:PutObject", json!({ "Fn::Sub": "${FailureBucket.Arn}/aws/lambda/*" })));
                calls.push(("s3:ListBucket", json!({ "Fn::GetAtt": ["FailureBucket", "Arn"] })));
            }
            Some(manifest::Destination::S3(arn)) => {
                calls.push(("s3:PutObject", json!(format!("{arn}/aws/lambda/1b-2c/shardId-1/2026/01/02/x"))));
                calls.push(("s3:ListBucket", json!(arn)));
            }
            Some(manifest::Destination::Sqs(arn)) => calls.push(("sqs:SendMessage", json!(arn))),
            Some(manifest::Destination::Sns(arn)) => calls.push(("sns:Publish", json!(arn))),
        }
        if let Some(key) = &stream.mapping.table_kms_key_arn {
            calls.push(("kms:Decrypt", json!(key)));
        }
        if let Some(key) = &stream.mapping.on_failure_kms_key_arn {
            calls.push(("kms:GenerateDataKey", json!(key)));
            calls.push(("kms:Decrypt", json!(key)));
        }
    }
    if function.settings.tracing {
        calls.push(("xray:PutTraceSegments", json!("*")));
        calls.push(("xray:PutTelemetryRecords", json!("*")));
    }
    if function.settings.vpc.is_some() {
        for action in ["ec2:CreateNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DeleteNetworkInterface"] {
            calls.push((action, json!("*")));
        }
    }
    calls
}

#[test]
fn a_role_may_make_each_call_and_every_statement_is_for_one() {
    let (_folder, whole) = whole();
    for manifest in [&whole, &example("clerk")] {
        for function in functions::of(manifest) {
            let generations = Generations::default();
            let statements = policy::runtime(manifest, &function, &generations);
            let generated: Vec<_> = statements.iter().filter(|each| !each.why.ends_with("says so")).cloned().collect();
            let allows = |policy: &Value, (action, resource): &(&str, Value)| {
                decide(policy, action, resource) == Decision::Allowed
            };
            let calls = calls(&function);
            for call in &calls {
                assert!(allows(&policy::document(&generated), call), "{}: {call:?}", function.name());
            }
            for without in 0..generated.len() {
                let mut fewer = generated.clone();
                let taken = fewer.remove(without);
                let policy = policy::document(&fewer);
                assert!(calls.iter().any(|call| !allows(&policy, call)), "nothing needs {taken:?}");
            }
            // Nothing on everything but where AWS has no other way, and it says so.
            for each in &generated {
                let on_all = each.statement["Resource"].as_array().unwrap().contains(&json!("*"));
                assert!(!on_all || each.why.contains("`*`"), "{each:?}");
            }
        }
    }
}

#[test]
fn what_a_policy_of_ones_own_leaves_out_is_told() {
    let text = "[project]\nname = \"demo\"\n\n[iam]\nreplace = true\nstatements = [{ actions = [\"logs:*\"], resources = [\"*\"] }]\n\n\
                [stream.t]\ntable = \"table\"\n\n[handler.a]\ncomponent = \"x.wasm\"\nstream = \"t\"\n";
    let (_folder, manifest) = loaded(text);
    let functions = functions::of(&manifest);
    let missing = policy::missing(&manifest, &functions[0], &Generations::default());
    let actions: Vec<_> = missing.iter().map(|call| call.action.as_str()).collect();
    assert_eq!(
        actions,
        [
            "dynamodb:DescribeStream",
            "dynamodb:GetRecords",
            "dynamodb:GetShardIterator",
            "s3:PutObject",
            "s3:ListBucket"
        ]
    );
}

#[test]
fn the_rule_of_replacement_is_that_of_the_schemas() {
    let kinds: Vec<PathBuf> = plan::CREATE_ONLY.iter().map(|(kind, _)| PathBuf::from(kind)).collect();
    let (clean, printed) = check("create_only.py", cfn_lint(), &kinds, "");
    assert!(clean);
    let schemas: BTreeMap<String, Vec<String>> = serde_json::from_str(&printed).unwrap();
    // Of each type, those that a template of ours may have.
    let (_folder, whole) = whole();
    let mut ours: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for template in [template::project(&whole, &moving()).unwrap().value, template::account().value] {
        for resource in template["Resources"].as_object().unwrap().values() {
            let kind = resource["Type"].as_str().unwrap();
            assert!(schemas.contains_key(kind), "{kind} is not in plan::CREATE_ONLY");
            ours.entry(kind.to_owned())
                .or_default()
                .extend(resource["Properties"].as_object().unwrap().keys().cloned());
        }
    }
    for (kind, known) in plan::CREATE_ONLY {
        for property in &schemas[kind] {
            let used = ours.get(kind).is_some_and(|properties| properties.contains(property));
            assert!(!used || known.contains(&property.as_str()), "{kind} is made anew by {property}");
        }
        for property in known {
            assert!(schemas[kind].iter().any(|each| each == property), "{kind} is not made anew by {property}");
        }
    }
}

/// A manifest of random settings, all of which are valid.
fn random() -> impl Strategy<Value = String> {
    let function =
        (128_u32..=10_240, 1_u32..=900, any::<bool>(), any::<bool>(), prop::option::of(0_u32..50), any::<bool>());
    let stream = (1_u32..=10_000, 1_u32..=10, -1_i32..=20, any::<bool>(), 0_usize..5, any::<bool>(), any::<bool>());
    let streams = prop::collection::vec(stream, 1..5);
    let handlers = prop::collection::vec((0_usize..4, any::<bool>(), 0_usize..4), 1..8);
    let rest = (any::<bool>(), any::<bool>(), 60_u32..=86_400, any::<bool>());
    (function, streams, handlers, rest).prop_map(|(function, streams, handlers, rest)| {
        let (memory, timeout, arm, tracing, reserved, vpc) = function;
        let (alarms, boundary, age, metrics) = rest;
        let mut text = format!(
            "[project]\nname = \"demo\"\n\n[function]\nmemory-mb = {memory}\ntimeout-ms = {}\narchitecture = \"{}\"\ntracing = \"{}\"\n",
            timeout * 1_000,
            if arm { "arm64" } else { "x86_64" },
            if tracing { "active" } else { "pass-through" },
        );
        if let Some(reserved) = reserved {
            let _ = writeln!(text, "reserved-concurrency = {reserved}");
        }
        if vpc {
            text += "vpc = { subnet-ids = [\"subnet-0a1b2c3d\"], security-group-ids = [\"sg-0a1b2c3d\"] }\n";
        }
        let _ = writeln!(text, "\n[alarms]\nenabled = {alarms}\niterator-age-seconds = {age}\n\n[deploy]");
        if boundary {
            text += "permissions-boundary = \"arn:aws:iam::112233445566:policy/limit\"\n";
        }
        for (index, (batch, factor, retries, bisect, destination, enabled, latest)) in streams.iter().enumerate() {
            let _ = writeln!(
                text,
                "\n[stream.s-{index}]\ntable = \"table-{index}\"\nbatch-size = {batch}\nparallelization-factor = {factor}\n\
                 maximum-retry-attempts = {retries}\nbisect-batch-on-function-error = {bisect}\nenabled = {enabled}\n\
                 event-count-metrics = {metrics}\nstarting-position = \"{}\"",
                if *latest { "LATEST" } else { "TRIM_HORIZON" }
            );
            let arn = match destination {
                1 => "arn:aws:s3:::a-bucket",
                2 => "arn:aws:sqs:eu-west-1:112233445566:queue",
                3 => "arn:aws:sns:eu-west-1:112233445566:topic",
                _ => continue,
            };
            let _ = writeln!(text, "on-failure = \"{arn}\"");
        }
        for (index, (stream, own, filters)) in handlers.iter().enumerate() {
            let filter = ["INSERT", "MODIFY", "REMOVE"][..*filters]
                .iter()
                .map(|name| format!("{{ eventName = [\"{name}\"] }}"))
                .collect::<Vec<_>>()
                .join(", ");
            let _ = writeln!(
                text,
                "\n[handler.h{index}]\ncomponent = \"x.wasm\"\nstream = \"s-{}\"\nfilter = [{filter}]",
                stream % streams.len()
            );
            if *own {
                text += "function = \"own\"\n";
            }
        }
        text
    })
}

/// Of a fixed seed unless `PROPTEST_RNG_SEED` says otherwise: a finding is found again.
fn manifests(count: usize) -> Vec<String> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| random().new_tree(&mut runner).unwrap().current()).collect()
}

#[test]
fn any_manifest_makes_a_template_that_cfn_lint_takes() {
    let templates: Vec<_> = manifests(MANIFESTS)
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let (_folder, manifest) = loaded(text);
            (format!("random-{index}"), template::project(&manifest, &Generations::default()).unwrap().value)
        })
        .collect();
    lint(&templates);
}

fn parameters(template: &Value, other: bool) -> BTreeMap<String, String> {
    let value = |name: &str| match other {
        false => format!("value of {name}"),
        true => format!("another value of {name}"),
    };
    template["Parameters"].as_object().unwrap().keys().map(|name| (name.clone(), value(name))).collect()
}

#[test]
fn a_plan_replaces_what_the_resource_specification_says() {
    let manifests = manifests(60);
    let templates: Vec<Value> = manifests
        .iter()
        .map(|text| template::project(&loaded(text).1, &Generations::default()).unwrap().value)
        .collect();
    let (mut pairs, mut planned) = (String::new(), Vec::new());
    for (index, old) in templates.iter().enumerate() {
        let new = &templates[(index + 1) % templates.len()];
        for other in [false, true] {
            let (before, after) = (parameters(old, false), parameters(new, other));
            let line = json!({ "old": old, "new": new, "old_parameters": before, "new_parameters": after });
            let _ = writeln!(pairs, "{line}");
            let old = Side { template: old, parameters: &before };
            let changes = plan::changes(Some(old), Side { template: new, parameters: &after });
            let mut anew: Vec<_> =
                changes.into_iter().filter(|change| change.action == Action::Replace).map(|change| change.id).collect();
            anew.sort();
            planned.push(anew);
        }
    }
    let (clean, printed) = check("replacements.py", cfn_lint(), &[], &pairs);
    assert!(clean);
    let said: Vec<Vec<String>> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(planned, said);
    assert!(planned.iter().any(|anew| anew.len() > 1), "some are made anew");
}

#[test]
fn a_plan_against_itself_is_empty() {
    for text in manifests(MANIFESTS) {
        let template = template::project(&loaded(&text).1, &Generations::default()).unwrap().value;
        let parameters = parameters(&template, false);
        let side = Side { template: &template, parameters: &parameters };
        assert_eq!(plan::changes(Some(side), side), []);
        let all = plan::changes(None, side);
        assert_eq!(all.len(), template["Resources"].as_object().unwrap().len());
        assert!(all.iter().all(|change| change.action == Action::Add));
    }
}

/// AWS's limits, told before it is asked.
#[test]
fn what_is_too_large_for_cloudformation_is_told() {
    let mut text = "[project]\nname = \"demo\"\n".to_owned();
    for index in 0..90 {
        let _ = writeln!(
            text,
            "\n[stream.s{index}]\ntable = \"table-{index}\"\n\n[handler.h{index}]\ncomponent = \"x.wasm\"\nstream = \"s{index}\"\nfunction = \"own\""
        );
    }
    let (_folder, manifest) = loaded(&text);
    let problems = template::project(&manifest, &Generations::default()).unwrap_err();
    assert!(problems.iter().any(|problem| problem.contains("resources, and CloudFormation takes 500")), "{problems:?}");
    let long = format!(
        "[project]\nname = \"{}\"\n\n[stream.s]\ntable = \"table\"\nmaximum-retry-attempts = 3\n\n[handler.h]\ncomponent = \"x.wasm\"\nstream = \"s\"\n",
        "a".repeat(63)
    );
    let (_folder, manifest) = loaded(&long);
    let problems = template::project(&manifest, &Generations::default()).unwrap_err();
    assert!(problems[0].contains("has 67 characters, and Lambda takes 64; shorten"), "{problems:?}");
}

/// Used by the tests above.
#[test]
fn the_whole_manifest_says_everything_that_a_manifest_may() {
    let written: toml::Table = WHOLE.parse().unwrap();
    let docs = std::fs::read_to_string(root().join("docs/manifest.md")).unwrap();
    let mut unsaid = Vec::new();
    for section in ["[function]", "[deploy]", "[alarms]"] {
        let name = section.trim_matches(['[', ']']);
        let table = written[name].as_table().unwrap();
        for key in keys_of(&docs, section) {
            if !table.contains_key(&key) {
                unsaid.push(format!("{section} {key}"));
            }
        }
    }
    assert!(unsaid.is_empty(), "{unsaid:?}");
}

/// The keys of a section's table in docs/manifest.md.
fn keys_of(docs: &str, section: &str) -> Vec<String> {
    let start = docs.find(&format!("## {section}\n")).unwrap_or_else(|| panic!("docs/manifest.md has no {section}"));
    let rest = &docs[start + 4..];
    let end = rest.find("\n## ").unwrap_or(rest.len());
    let keys = rest[..end].lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    keys.map(str::to_owned).collect()
}
