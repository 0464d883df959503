//! The policy that a deploying user needs: every call that the commands make
//! themselves, and those that CloudFormation makes in the user's name for the
//! resources of the stack. By names that begin with the stack's, which is how
//! CloudFormation and we name things.

use gristmill_host::event::Arn;
use gristmill_host::settings::Source;
use serde_json::{Value, json};

use super::Statement;
use crate::manifest::{Handler, Manifest, Stream};
use crate::template::{ACCOUNT_STACK, stack_name};

/// What an ARN begins with, in a template's words: `gristmill policy` prints it
/// for an account that it may not know.
fn arn(service: &str, rest: &str) -> Value {
    json!(format!("arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{rest}"))
}

fn global(service: &str, rest: &str) -> Value {
    json!(format!("arn:${{AWS::Partition}}:{service}::${{AWS::AccountId}}:{rest}"))
}

fn bucket(rest: &str) -> Value {
    json!(format!("arn:${{AWS::Partition}}:s3:::{rest}"))
}

/// The statements, for all that the commands do. Partition, Region and account
/// stand as `${AWS::Partition}` and so on.
pub fn deploying(manifest: &Manifest) -> Vec<Statement> {
    let stack = stack_name(manifest);
    let package_bucket = manifest.deploy.bucket.clone().unwrap_or_else(|| format!("{ACCOUNT_STACK}-*"));
    let mut statements = vec![
        Statement::allow(
            "ChangeStack",
            &[
                "cloudformation:CreateChangeSet",
                "cloudformation:DeleteChangeSet",
                "cloudformation:DeleteStack",
                "cloudformation:DescribeChangeSet",
                "cloudformation:DescribeStackEvents",
                "cloudformation:DescribeStackResources",
                "cloudformation:DescribeStacks",
                "cloudformation:ExecuteChangeSet",
                "cloudformation:GetTemplate",
                "cloudformation:ListStackResources",
            ],
            vec![arn("cloudformation", &format!("stack/{stack}/*")), arn("cloudformation", &format!("stack/{ACCOUNT_STACK}/*"))],
            "the project's stack, and the account's own with the bucket for packages",
        ),
        Statement::allow(
            "UploadPackages",
            &["s3:AbortMultipartUpload", "s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "s3:PutObject"],
            vec![bucket(&package_bucket), bucket(&format!("{package_bucket}/*"))],
            "packages and large templates go to this bucket, and Lambda reads them from there in the user's name",
        ),
        Statement::allow(
            "FindStreams",
            &["dynamodb:DescribeTable"],
            tables(manifest),
            "the latest ARN of each stream is looked up when it is deployed",
        ),
        Statement::allow(
            "LookAtStreams",
            &["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"],
            tables(manifest).into_iter().map(|table| json!(format!("{}/stream/*", table.as_str().unwrap_or_default()))).collect(),
            "`doctor` reads the youngest records, and a move to a new stream looks whether the old one is read",
        ),
        Statement::allow(
            "EnableStreams",
            &["dynamodb:UpdateTable"],
            tables(manifest),
            "only for `--enable-streams`; leave it out where nobody may do that",
        ),
        Statement::allow(
            "MakeFunctions",
            &[
                "lambda:CreateAlias",
                "lambda:CreateFunction",
                "lambda:DeleteAlias",
                "lambda:DeleteFunction",
                "lambda:DeleteFunctionConcurrency",
                "lambda:GetAlias",
                "lambda:GetFunction",
                "lambda:GetFunctionConfiguration",
                "lambda:InvokeFunction",
                "lambda:ListAliases",
                "lambda:ListTags",
                "lambda:ListVersionsByFunction",
                "lambda:PublishVersion",
                "lambda:PutFunctionConcurrency",
                "lambda:TagResource",
                "lambda:UntagResource",
                "lambda:UpdateAlias",
                "lambda:UpdateFunctionCode",
                "lambda:UpdateFunctionConfiguration",
            ],
            vec![arn("lambda", &format!("function:{stack}")), arn("lambda", &format!("function:{stack}-*")),
                 arn("lambda", &format!("function:{stack}:*"))],
            "functions, their versions and aliases; `invoke --remote`, `failed replay`, `rollback`",
        ),
        Statement::allow(
            "MakeMappings",
            &[
                "lambda:CreateEventSourceMapping",
                "lambda:DeleteEventSourceMapping",
                "lambda:GetEventSourceMapping",
                "lambda:UpdateEventSourceMapping",
            ],
            vec![json!("*")],
            "event source mappings have ids that are not known before; the condition holds them to the project's functions",
        )
        .when(json!({ "ArnLike": { "lambda:FunctionArn": [
            arn("lambda", &format!("function:{stack}")), arn("lambda", &format!("function:{stack}-*")),
            arn("lambda", &format!("function:{stack}:*")),
        ] } })),
        Statement::allow(
            "ListMappings",
            &["lambda:GetEventSourceMapping", "lambda:ListEventSourceMappings", "lambda:ListTags"],
            vec![json!("*")],
            "who else reads a stream; Lambda takes no resource for a list",
        ),
        Statement::allow(
            "MakeRoles",
            &[
                "iam:CreateRole",
                "iam:DeleteRole",
                "iam:DeleteRolePolicy",
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:PutRolePermissionsBoundary",
                "iam:PutRolePolicy",
                "iam:TagRole",
                "iam:UntagRole",
                "iam:UpdateAssumeRolePolicy",
            ],
            vec![global("iam", &format!("role/{stack}-*"))],
            "the role of each function and its policy",
        ),
        Statement::allow(
            "PassRoles",
            &["iam:PassRole"],
            vec![global("iam", &format!("role/{stack}-*"))],
            "a function is made with its role, and this says that it may be",
        )
        .when(json!({ "StringEquals": { "iam:PassedToService": "lambda.amazonaws.com" } })),
        Statement::allow(
            "MakeLogGroups",
            &[
                "logs:CreateLogGroup",
                "logs:DeleteLogGroup",
                "logs:DeleteRetentionPolicy",
                "logs:FilterLogEvents",
                "logs:ListTagsForResource",
                "logs:PutRetentionPolicy",
                "logs:TagResource",
                "logs:UntagResource",
            ],
            vec![arn("logs", &format!("log-group:/aws/lambda/{stack}")), arn("logs", &format!("log-group:/aws/lambda/{stack}:*")),
                 arn("logs", &format!("log-group:/aws/lambda/{stack}-*"))],
            "the log group of each function; `logs --remote` reads it",
        ),
        Statement::allow(
            "ListLogGroups",
            &["logs:DescribeLogGroups"],
            vec![json!("*")],
            "CloudFormation asks whether a log group is there; a list has no resource",
        ),
        Statement::allow(
            "MakeFailureBucket",
            &[
                "s3:CreateBucket",
                "s3:DeleteBucket",
                "s3:DeleteBucketPolicy",
                "s3:DeleteObject",
                "s3:DeleteObjectVersion",
                "s3:GetBucketPolicy",
                "s3:GetObject",
                "s3:ListBucket",
                "s3:ListBucketVersions",
                "s3:PutBucketOwnershipControls",
                "s3:PutBucketPolicy",
                "s3:PutBucketPublicAccessBlock",
                "s3:PutBucketTagging",
                "s3:PutEncryptionConfiguration",
                "s3:PutLifecycleConfiguration",
            ],
            vec![bucket(&format!("{stack}-*")), bucket(&format!("{stack}-*/*"))],
            "the bucket of records that were given up; `failed` reads it",
        ),
    ];
    if manifest.alarms.enabled {
        statements.push(Statement::allow(
            "MakeAlarms",
            &[
                "cloudwatch:DeleteAlarms",
                "cloudwatch:DescribeAlarms",
                "cloudwatch:PutMetricAlarm",
                "cloudwatch:TagResource",
                "cloudwatch:UntagResource",
            ],
            vec![arn("cloudwatch", &format!("alarm:{stack}-*"))],
            "the alarms of the project",
        ));
    }
    statements.push(Statement::allow(
        "ReadMetrics",
        &["cloudwatch:GetMetricData", "cloudwatch:GetMetricStatistics"],
        vec![json!("*")],
        "`status` shows how old the records are; CloudWatch takes no resource for metrics",
    ));
    if let Some(role) = &manifest.deploy.cloudformation_role {
        statements.push(
            Statement::allow(
                "PassCloudFormationRole",
                &["iam:PassRole"],
                vec![json!(role)],
                "`cloudformation-role`: CloudFormation makes the stack's resources in its name, and not in the user's",
            )
            .when(json!({ "StringEquals": { "iam:PassedToService": "cloudformation.amazonaws.com" } })),
        );
    }
    let of_own = |handler: &Handler| handler.own.as_ref().is_some_and(|own| own.settings.vpc.is_some());
    if manifest.function.vpc.is_some() || manifest.handlers.iter().any(of_own) {
        statements.push(Statement::allow(
            "LookAtNetwork",
            &["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"],
            vec![json!("*")],
            "`vpc`: Lambda looks at the network in the name of who makes the function; describing has no resource",
        ));
    }
    statements
}

fn tables(manifest: &Manifest) -> Vec<Value> {
    let of = |stream: &Stream| match &stream.source {
        Source::Table(table) => arn("dynamodb", &format!("table/{table}")),
        Source::StreamArn(text) => {
            let table = Arn::parse(text).map(|arn| arn.table_arn().to_owned());
            json!(table.unwrap_or_else(|| text.clone()))
        }
    };
    manifest.streams.iter().map(of).collect()
}
