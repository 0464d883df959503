//! The stack of an account and Region: the bucket that packages go to. It is made
//! once, by `gristmill bootstrap`.

use serde_json::{Value, json};

use super::bucket::{private, tls_only};
use super::{FORMAT, Template, output};

/// How long a version of a package is kept that another took the place of. Lambda
/// has copies of its own; CloudFormation may want the last one for a rollback.
const OLD_VERSION_DAYS: u32 = 30;

/// Makes the template.
pub fn account() -> Template {
    let bucket: Value = json!({
        "Type": "AWS::S3::Bucket",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "BucketEncryption": { "ServerSideEncryptionConfiguration": [
                { "ServerSideEncryptionByDefault": { "SSEAlgorithm": "AES256" } },
            ] },
            "LifecycleConfiguration": { "Rules": [
                {
                    "Id": "old-versions", "Status": "Enabled",
                    "NoncurrentVersionExpiration": { "NoncurrentDays": OLD_VERSION_DAYS },
                },
                {
                    "Id": "broken-uploads", "Status": "Enabled",
                    "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": 1 },
                },
            ] },
            "OwnershipControls": { "Rules": [{ "ObjectOwnership": "BucketOwnerEnforced" }] },
            "PublicAccessBlockConfiguration": private(),
            "VersioningConfiguration": { "Status": "Enabled" },
        },
    });
    Template {
        value: json!({
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": "The bucket that gristmill puts packages into",
            "Metadata": { "Gristmill": { "Format": FORMAT, "Version": env!("CARGO_PKG_VERSION") } },
            "Resources": {
                "PackageBucket": bucket,
                "PackageBucketPolicy": {
                    "Type": "AWS::S3::BucketPolicy",
                    "DeletionPolicy": "Retain",
                    "UpdateReplacePolicy": "Retain",
                    "Properties": { "Bucket": { "Ref": "PackageBucket" }, "PolicyDocument": tls_only("PackageBucket") },
                },
            },
            "Outputs": {
                "PackageBucketName": output("Where packages go", json!({ "Ref": "PackageBucket" })),
            },
        }),
    }
}
