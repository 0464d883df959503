//! What a manifest says to what is deployed: the function, rights, environments.

use gristmill::architecture::Architecture;
use gristmill::functions;
use serde_json::json;

use crate::{Folder, fails};

const REST: &str = "\n[stream.s]\ntable = \"table\"\n\n[handler.h]\nsource = \"handlers/h\"\nstream = \"s\"\n";

fn folder(text: &str) -> Folder {
    Folder::with_manifest(&format!("[project]\nname = \"demo\"\n{text}{REST}"), &["h"])
}

/// What is wrong with it, without the place of the file.
fn problem(text: &str) -> String {
    folder(text).load(None).unwrap_err()
}

#[test]
fn a_function_has_what_is_said_and_the_rest_by_default() {
    let text = "[function]\nmemory-mb = 1024\narchitecture = \"arm64\"\ntracing = \"active\"\nlog-retention-days = -1\n\
                environment = { A1 = \"b\" }\nvpc = { subnet-ids = [\"subnet-1\"], security-group-ids = [\"sg-1\"] }\n";
    let function = folder(text).load(None).unwrap().function;
    assert_eq!((function.memory_mb, function.architecture, function.tracing), (1_024, Architecture::Arm64, true));
    assert_eq!((function.log_retention_days, function.timeout_ms, function.reserved_concurrency), (None, 60_000, None));
    assert_eq!(function.environment["A1"], "b");
    assert_eq!(function.vpc.unwrap().subnet_ids, ["subnet-1"]);
    let default = folder("").load(None).unwrap().function;
    assert_eq!(
        (default.memory_mb, default.architecture, default.log_retention_days),
        (512, Architecture::X86_64, Some(30))
    );
}

#[test]
fn what_lambda_would_not_take_is_told_with_its_place() {
    let long = format!("[function]\nenvironment = {{ A1 = \"{}\" }}", "x".repeat(4096));
    for (text, why) in [
        ("[function]\nmemory-mb = 127", "`memory-mb` takes a whole number from 128 to 10240"),
        ("[function]\nlog-retention-days = 2", "`log-retention-days` takes a whole number: -1 or 1 or 3"),
        ("[function]\narchitecture = \"arm\"", "`architecture` takes \"x86_64\" or \"arm64\""),
        (
            "[function]\nenvironment = { AWS_REGION = \"x\" }",
            "the variable `AWS_REGION` is set by Lambda or by gristmill",
        ),
        ("[function]\nenvironment = { GRISTMILL_FUNCTION = \"x\" }", "is set by Lambda or by gristmill"),
        ("[function]\nenvironment = { \"a-b\" = \"x\" }", "is no variable's name"),
        (&long, "`environment` has 4098 bytes; Lambda takes 4096"),
        (
            "[function]\nlayers = [\"arn:aws:lambda:eu-west-1:1:layer:a\"]",
            "a layer is arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION",
        ),
        ("[function]\nvpc = { subnet-ids = [\"subnet-1\"] }", "`vpc` has no `security-group-ids`"),
        (
            "[function]\nvpc = { subnet-ids = [], security-group-ids = [\"sg-1\"] }",
            "`subnet-ids` has 0; Lambda takes 1 to 16",
        ),
        ("[function]\nvpc = { subnet-ids = [\"a\"], security-group-ids = [\"sg-1\"] }", "takes ids as subnet-0a1b2c3d"),
        ("[function]\ndead-letter-queue = \"x\"", "an async dead-letter queue does nothing for a stream"),
        ("[function]\ntags = { \"aws:x\" = \"y\" }", "tags that begin with `aws:` are AWS's own"),
        ("[deploy]\nbucket = \"No_Bucket\"", "`bucket` takes a bucket's name"),
        (
            "[deploy]\npermissions-boundary = \"arn:aws:iam::1:role/x\"",
            "`permissions-boundary` takes arn:aws:iam::ACCOUNT:policy/NAME",
        ),
        ("[deploy]\nregion = \"eu-west-1\"", "AWS's own configuration says where to deploy"),
        ("[alarms]\niterator-age-seconds = 5", "takes a whole number from 60 to 86400"),
        ("[alarms]\nactions = [\"topic\"]", "an alarm's action is an ARN"),
    ] {
        let told = problem(text);
        assert!(told.contains(why) && told.starts_with("gristmill.toml:"), "{told}");
    }
}

#[test]
fn rights_add_to_what_is_generated() {
    let text = "[[iam.statements]]\nsid = \"Read\"\nactions = [\"ssm:GetParameter\"]\nresources = [\"arn:aws:ssm:eu-west-1:1:parameter/x\"]\n\
                condition = { StringEquals = { \"aws:SourceAccount\" = \"1\" } }\n";
    let manifest = folder(text).load(None).unwrap();
    assert_eq!(
        manifest.iam.statements,
        [json!({
            "Sid": "Read", "Effect": "Allow", "Action": ["ssm:GetParameter"],
            "Resource": ["arn:aws:ssm:eu-west-1:1:parameter/x"],
            "Condition": { "StringEquals": { "aws:SourceAccount": "1" } },
        })]
    );
    for (text, why) in [
        ("[iam]\nreplace = true", "leaves the function no rights at all"),
        ("[[iam.statements]]\nactions = [\"a:B\"]", "an IAM statement has no `resources`"),
        ("[[iam.statements]]\nactions = [\"everything\"]\nresources = [\"*\"]", "an action is service:Name"),
        ("[[iam.statements]]\nactions = [\"a:B\"]\nresources = [\"bucket\"]", "a resource is an ARN or `*`"),
        (
            "[[iam.statements]]\nactions = [\"a:B\"]\nresources = [\"*\"]\nprincipal = \"*\"",
            "its principal is the role",
        ),
        (
            "[[iam.statements]]\nactions = [\"a:B\"]\nresources = [\"*\"]\ncondition = \"x\"",
            "`condition` takes a table",
        ),
        (
            "[[iam.statements]]\nsid = \"a b\"\nactions = [\"a:B\"]\nresources = [\"*\"]",
            "`sid` takes letters and digits",
        ),
        (
            "[[iam.statements]]\nsid = \"A\"\nactions = [\"a:B\"]\nresources = [\"*\"]\n[[function.iam.statements]]\n\
             sid = \"A\"\nactions = [\"a:B\"]\nresources = [\"*\"]",
            "two IAM statements of one function have the `sid` `A`",
        ),
    ] {
        let told = problem(text);
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn an_environment_is_laid_over_the_rest() {
    let text = "[function]\nmemory-mb = 256\nenvironment = { A1 = \"a\", B1 = \"b\" }\n\
                [env.prod.function]\nmemory-mb = 1024\nenvironment = { B1 = \"c\" }\n\
                [env.prod.stream.s]\nstream-arn = \"arn:aws:dynamodb:eu-west-1:112233445566:table/live\"\nbatch-size = 7\n";
    let folder = folder(text);
    let (dev, prod) = (folder.load(None).unwrap(), folder.load(Some("prod")).unwrap());
    assert_eq!((dev.function.memory_mb, prod.function.memory_mb), (256, 1_024));
    assert_eq!((&*prod.function.environment["A1"], &*prod.function.environment["B1"]), ("a", "c"));
    assert_eq!((dev.streams[0].table(), prod.streams[0].table()), ("demo-dev_table", "live"));
    assert_eq!((dev.streams[0].mapping.batch_size, prod.streams[0].mapping.batch_size), (100, 7));
    // Without tables of its own an environment is as the file; a slip is told.
    let slip = folder.load(Some("prdo")).unwrap();
    assert!(slip.warnings[0].message.contains("there is no [env.prdo]; did you mean `prod`?"), "{:?}", slip.warnings);
}

#[test]
fn every_environment_is_checked_and_what_is_none_is_told() {
    for (text, why) in [
        ("[env.prod.function]\nmemory-mb = 1", "`memory-mb` takes a whole number from 128"),
        ("[env.prod]\nfunctions = 1", "`functions` is not a key of gristmill.toml"),
        ("[env.prod.project]\nname = \"other\"", "`name` of the project is the same in all environments"),
        ("[env.prod.env.x]", "environments are not nested"),
        ("[env]\nprod = 1", "`prod` stands in [env] itself"),
        ("[env.Prod]", "`Prod` is not a name"),
    ] {
        let told = problem(&format!("{text}\n"));
        assert!(told.contains(why), "{told}");
    }
    let told = Folder::with_manifest(&format!("env = \"dev\"\n[project]\nname = \"demo\"\n{REST}"), &["h"])
        .load(None)
        .unwrap_err();
    assert!(told.contains("`env` takes tables, [env.NAME]"), "{told}");
    let many: String = (0..51).map(|n| format!("[env.e{n}]\n")).collect();
    assert!(problem(&many).contains("there are 51 tables [env.NAME]; 50 are the most"));
}

#[test]
fn a_handler_may_have_a_function_of_its_own() {
    let more = "\n[handler.own]\nsource = \"handlers/h\"\nstream = \"s\"\nfunction = \"own\"\n\n[handler.big]\nsource = \"handlers/h\"\n\
                stream = \"s\"\n[handler.big.function]\nmemory-mb = 2048\n";
    let folder = folder("[function]\ntimeout-ms = 9000\n");
    let text = folder.read("gristmill.toml") + more;
    folder.write("gristmill.toml", &text);
    let manifest = folder.load(None).unwrap();
    let functions = functions::of(&manifest);
    let told: Vec<_> = functions
        .iter()
        .map(|each| (each.key(), each.name(), each.settings.memory_mb, each.settings.timeout_ms))
        .collect();
    assert_eq!(
        told,
        [
            ("demo".to_owned(), "demo-dev".to_owned(), 512, 9_000),
            ("demo.own".to_owned(), "demo-dev-own".to_owned(), 512, 9_000),
            ("demo.big".to_owned(), "demo-dev-big".to_owned(), 2_048, 9_000),
        ]
    );
    for (function, why) in [
        ("function = \"other\"", "`function` takes \"own\", or a table"),
        ("function = 1", "`function` takes \"own\", or a table"),
        ("function = { architecture = \"arm64\" }", "one package is for all functions of a project"),
    ] {
        folder.write("gristmill.toml", text.replace("function = \"own\"", function));
        let told = folder.load(None).unwrap_err();
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn template_and_policy_ask_nobody() {
    let folder = folder("");
    let template = folder.run(&["template"]);
    assert_eq!((template.code, template.stderr.as_str()), (0, ""));
    assert!(template.stdout.contains("\"AWS::Lambda::EventSourceMapping\""), "{}", template.stdout);
    let policy = folder.run(&["policy"]);
    assert!(policy.stdout.starts_with("the function demo-dev may:\n"), "{}", policy.stdout);
    let deploying = folder.run(&["policy", "--deploying", "--account-id", "112233445566", "--region", "eu-west-1"]);
    assert!(
        deploying.stdout.contains("on arn:aws:lambda:eu-west-1:112233445566:function:demo-dev\n"),
        "{}",
        deploying.stdout
    );
    assert!(!deploying.stdout.contains("${AWS::"), "{}", deploying.stdout);
    // The account's own needs no project.
    let account = Folder::new().run(&["template", "--account"]);
    assert!(account.stdout.contains("\"PackageBucket\""), "{}", account.stdout);
    let nowhere = Folder::new();
    let message = format!(
        "there is no gristmill.toml in `{}` or in a folder above it; `gristmill new NAME` makes a project",
        nowhere.path.display()
    );
    fails(&nowhere.run(&["plan"]), 2, &message);
}
