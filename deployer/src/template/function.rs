//! A function with its role, log group, version and alias.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::ids::Ids;
use super::{ALIAS, Generations, MOST_POLICY_CHARS, output};
use crate::functions::Function;
use crate::manifest::Manifest;
use crate::policy;

pub(super) fn add(
    manifest: &Manifest,
    function: &Function<'_>,
    generations: &Generations,
    resources: &mut Map<String, Value>,
    outputs: &mut Map<String, Value>,
    problems: &mut Vec<String>,
) {
    let ids = Ids::of(function);
    resources.insert(ids.role(), role(manifest));
    resources.insert(ids.policy(), role_policy(manifest, function, generations, &ids, problems));
    resources.insert(ids.log_group(), log_group(function));
    let (made, versioned) = lambda_function(function, &ids);
    resources.insert(ids.function(), made);
    resources.insert(ids.version(), version(&ids, &versioned));
    resources.insert(ids.alias(), alias(&ids));
    let whose = function.own.map_or_else(String::new, |handler| format!(" of {} alone", handler.name));
    let arn = output(&format!("The alias that is called{whose}"), json!({ "Ref": ids.alias() }));
    outputs.insert(format!("{}Arn", ids.alias()), arn);
}

fn role(manifest: &Manifest) -> Value {
    let mut properties = json!({
        "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": "lambda.amazonaws.com" },
        }] },
    });
    if let Some(boundary) = &manifest.deploy.permissions_boundary {
        properties["PermissionsBoundary"] = json!(boundary);
    }
    json!({ "Type": "AWS::IAM::Role", "Properties": properties })
}

/// A resource of its own, so that a mapping can wait for it: with a role that may
/// not read the stream yet, its creation fails.
fn role_policy(
    manifest: &Manifest,
    function: &Function<'_>,
    generations: &Generations,
    ids: &Ids,
    problems: &mut Vec<String>,
) -> Value {
    let statements = policy::runtime(manifest, function, generations);
    let document = policy::document(&statements);
    let chars = document.to_string().chars().filter(|c| !c.is_whitespace()).count();
    // The ARNs in the place of parameters are longer than these.
    let references: usize = function.streams.iter().map(|stream| generations.of(&stream.name).len() * ARN_CHARS).sum();
    if chars + references > MOST_POLICY_CHARS {
        problems.push(format!(
            "the policy of the function {} would have some {} characters, and IAM takes {MOST_POLICY_CHARS}; it reads {} \
             streams, and two projects are two functions",
            function.name(),
            chars + references,
            function.streams.len()
        ));
    }
    let why: Map<_, _> = statements.into_iter().map(|each| (each.sid, Value::String(each.why))).collect();
    json!({
        "Type": "AWS::IAM::Policy",
        "Metadata": { "Gristmill": { "Why": why } },
        "Properties": {
            "PolicyName": "gristmill",
            "PolicyDocument": document,
            "Roles": [{ "Ref": ids.role() }],
        },
    })
}

/// What a stream's ARN has more than the reference to it, for a table's name of 60
/// characters.
const ARN_CHARS: usize = 120;

fn log_group(function: &Function<'_>) -> Value {
    let mut properties = json!({ "LogGroupName": format!("/aws/lambda/{}", function.name()) });
    if let Some(days) = function.settings.log_retention_days {
        properties["RetentionInDays"] = json!(days);
    }
    // Kept, it would be in the way of the next stack of this name.
    json!({ "Type": "AWS::Logs::LogGroup", "DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete", "Properties": properties })
}

/// The function, and the digest of what a version keeps of it.
fn lambda_function(function: &Function<'_>, ids: &Ids) -> (Value, String) {
    let settings = function.settings;
    let mut environment: Map<_, _> =
        settings.environment.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    environment.insert("GRISTMILL_FUNCTION".to_owned(), json!(function.key()));
    let mut kept = json!({
        "FunctionName": function.name(),
        "Description": match function.own {
            None => "The handlers of a gristmill project".to_owned(),
            Some(handler) => format!("The handler {} of a gristmill project", handler.name),
        },
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "Architectures": [settings.architecture.as_str()],
        "MemorySize": settings.memory_mb,
        "Timeout": settings.timeout_ms / 1_000,
        "EphemeralStorage": { "Size": settings.ephemeral_storage_mb },
        "Environment": { "Variables": environment },
        "TracingConfig": { "Mode": if settings.tracing { "Active" } else { "PassThrough" } },
        "LoggingConfig": { "LogFormat": "JSON", "LogGroup": { "Ref": ids.log_group() } },
        "Code": {
            "S3Bucket": { "Ref": "CodeBucket" }, "S3Key": { "Ref": "CodeKey" }, "S3ObjectVersion": { "Ref": "CodeVersion" },
        },
        "Role": { "Fn::GetAtt": [ids.role(), "Arn"] },
    });
    if !settings.layers.is_empty() {
        kept["Layers"] = json!(settings.layers);
    }
    if let Some(vpc) = &settings.vpc {
        kept["VpcConfig"] = json!({ "SubnetIds": vpc.subnet_ids, "SecurityGroupIds": vpc.security_group_ids });
    }
    // The environment holds what nobody else should read from a description.
    let digest: String = Sha256::digest(kept.to_string()).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let mut properties = kept;
    if let Some(reserved) = settings.reserved_concurrency {
        properties["ReservedConcurrentExecutions"] = json!(reserved);
    }
    if !settings.tags.is_empty() {
        properties["Tags"] = tags(&settings.tags);
    }
    let made = json!({ "Type": "AWS::Lambda::Function", "DependsOn": [ids.policy()], "Properties": properties });
    (made, digest)
}

/// Another code or another configuration is another version: CloudFormation makes
/// it anew, and older ones stay, so that the alias can go back to them.
fn version(ids: &Ids, digest: &str) -> Value {
    json!({
        "Type": "AWS::Lambda::Version",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "FunctionName": { "Ref": ids.function() },
            "CodeSha256": { "Ref": "CodeSha256" },
            "Description": format!("configuration {digest}"),
        },
    })
}

fn alias(ids: &Ids) -> Value {
    json!({
        "Type": "AWS::Lambda::Alias",
        "Properties": {
            "Name": ALIAS,
            "FunctionName": { "Ref": ids.function() },
            "FunctionVersion": { "Fn::GetAtt": [ids.version(), "Version"] },
        },
    })
}

/// Tags as most resources have them.
pub(super) fn tags(tags: &std::collections::BTreeMap<String, String>) -> Value {
    tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}
