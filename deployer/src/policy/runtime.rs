//! The policy of a function's role: what the mapping does in its name, and what
//! the host does. Nothing more, and nothing on `*` but where AWS takes no ARN.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};

use super::{Decision, Statement, decide, document};
use crate::functions::Function;
use crate::manifest::{Destination, Manifest};
use crate::template::ids::Ids;
use crate::template::{Generations, failure_bucket};

/// A call that is made in the role's name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Call {
    /// As IAM names it.
    pub action: String,
    /// On what, as the template has it.
    pub resource: Value,
    /// Who makes it, and what for.
    pub why: String,
}

/// The statements of a function's role: those that are generated, unless the
/// user's take their place, and the user's own.
pub fn runtime(manifest: &Manifest, function: &Function<'_>, generations: &Generations) -> Vec<Statement> {
    let mut statements = Vec::new();
    if !manifest.iam.replace && !function.iam.replace {
        statements = generated(function, generations);
    }
    for (iam, whose) in [(&manifest.iam, "[iam] of the manifest"), (function.iam, "`iam` of this function")] {
        for (index, statement) in iam.statements.iter().enumerate() {
            let named = statement["Sid"].as_str().map(str::to_owned);
            statements.push(Statement {
                sid: named.unwrap_or_else(|| format!("statement {}", index + 1)),
                why: format!("{whose} says so"),
                statement: statement.clone(),
            });
        }
    }
    statements
}

fn generated(function: &Function<'_>, generations: &Generations) -> Vec<Statement> {
    let ids = Ids::of(function);
    let mut statements = vec![Statement::allow(
        "WriteLog",
        &["logs:CreateLogStream", "logs:PutLogEvents"],
        vec![json!({ "Fn::GetAtt": [ids.log_group(), "Arn"] })],
        "Lambda writes what the host and the handlers say to the function's own log group",
    )];
    let arns: Vec<Value> = function
        .streams
        .iter()
        .flat_map(|stream| {
            generations.of(&stream.name).iter().map(|each| json!({ "Ref": each.arn_parameter(&stream.name) }))
        })
        .collect();
    // In the order of AWS-FACTS, which also says that ListStreams is not needed.
    statements.push(Statement::allow(
        "ReadStreams",
        &["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
        arns,
        "the event source mappings read the streams in this role's name",
    ));
    statements.extend(destinations(function));
    statements.extend(keys(function));
    if function.settings.tracing {
        statements.push(Statement::allow(
            "WriteTraces",
            &["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
            vec![json!("*")],
            "`tracing = \"active\"`. X-Ray has no resource for these, so they are allowed on `*` or not at all",
        ));
    }
    if function.settings.vpc.is_some() {
        statements.push(Statement::allow(
            "JoinNetwork",
            &[
                "ec2:AssignPrivateIpAddresses",
                "ec2:CreateNetworkInterface",
                "ec2:DeleteNetworkInterface",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSubnets",
                "ec2:UnassignPrivateIpAddresses",
            ],
            vec![json!("*")],
            "`vpc`: Lambda makes network interfaces in this role's name. Their ids are not known before, and describing \
             them has no resource: Lambda refuses a role that has them on less than `*`",
        ));
    }
    statements
}

/// Where the mappings put what they give up on.
fn destinations(function: &Function<'_>) -> Vec<Statement> {
    let (mut buckets, mut queues, mut topics) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut own = false;
    for stream in &function.streams {
        match &stream.mapping.on_failure {
            None => own = true,
            Some(Destination::S3(arn)) => drop(buckets.insert(arn.as_str())),
            Some(Destination::Sqs(arn)) => drop(queues.insert(arn.as_str())),
            Some(Destination::Sns(arn)) => drop(topics.insert(arn.as_str())),
        }
    }
    let mut statements = Vec::new();
    if own || !buckets.is_empty() {
        let own_bucket = || own.then(failure_bucket);
        let objects = own_bucket().map(|bucket| json!({ "Fn::Sub": format!("${{{bucket}.Arn}}/aws/lambda/*") }));
        let objects = objects.into_iter().chain(buckets.iter().map(|arn| json!(format!("{arn}/aws/lambda/*"))));
        statements.push(Statement::allow(
            "KeepFailed",
            &["s3:PutObject"],
            objects.collect(),
            "Lambda puts records that it gives up on there, each under aws/lambda/",
        ));
        let arns = own_bucket().map(|bucket| json!({ "Fn::GetAtt": [bucket, "Arn"] }));
        statements.push(Statement::allow(
            "FindFailureBucket",
            &["s3:ListBucket"],
            arns.into_iter().chain(buckets.iter().map(|arn| json!(arn))).collect(),
            "Lambda asks for it beside s3:PutObject, or refuses the destination",
        ));
    }
    for (sid, action, arns, what) in
        [("TellFailedQueue", "sqs:SendMessage", queues, "queue"), ("TellFailedTopic", "sns:Publish", topics, "topic")]
    {
        if !arns.is_empty() {
            let why =
                format!("Lambda tells this {what} of records that it gives up on; only a bucket gets the records");
            statements.push(Statement::allow(sid, &[action], arns.into_iter().map(Value::from).collect(), why));
        }
    }
    statements
}

/// Keys of the user's own, on the way of a record.
fn keys(function: &Function<'_>) -> Vec<Statement> {
    let all = |key: fn(&crate::manifest::Mapping) -> Option<&String>| -> BTreeSet<&String> {
        function.streams.iter().filter_map(|stream| key(&stream.mapping)).collect()
    };
    let values = |keys: BTreeSet<&String>| keys.into_iter().map(|key| json!(key)).collect::<Vec<_>>();
    let (tables, destinations) =
        (all(|mapping| mapping.table_kms_key_arn.as_ref()), all(|mapping| mapping.on_failure_kms_key_arn.as_ref()));
    let mut statements = Vec::new();
    if !tables.is_empty() {
        statements.push(Statement::allow(
            "ReadEncryptedStreams",
            &["kms:Decrypt"],
            values(tables),
            "`table-kms-key-arn`: the stream of a table under a key of one's own is read with it",
        ));
    }
    if !destinations.is_empty() {
        statements.push(Statement::allow(
            "EncryptFailed",
            &["kms:Decrypt", "kms:GenerateDataKey"],
            values(destinations),
            "`on-failure-kms-key-arn`: what is put into a destination under a key of one's own is encrypted with it",
        ));
    }
    statements
}

/// The calls that host and mappings make and that a policy of the user's own,
/// in the place of the generated one, does not allow: each with why it is made.
pub fn missing(manifest: &Manifest, function: &Function<'_>, generations: &Generations) -> Vec<Call> {
    denied(&document(&runtime(manifest, function, generations)), &generated(function, generations))
}

/// The calls of these statements that a policy does not allow.
pub fn denied(policy: &Value, statements: &[Statement]) -> Vec<Call> {
    let mut denied = Vec::new();
    for Statement { why, statement, .. } in statements {
        let list = |key: &str| statement[key].as_array().cloned().unwrap_or_default();
        for action in list("Action").iter().filter_map(Value::as_str) {
            for resource in list("Resource") {
                if decide(policy, action, &resource) == Decision::Denied {
                    denied.push(Call { action: action.to_owned(), resource, why: why.clone() });
                }
            }
        }
    }
    denied
}
