//! The bucket for records that were given up on. It outlives the stack: what is in
//! it is data.

use serde_json::{Map, Value, json};

use super::failure_bucket;
use crate::manifest::Manifest;

/// The logical id of its policy.
pub(super) fn failure_bucket_policy() -> &'static str {
    "FailureBucketPolicy"
}

pub(super) fn add_failures(manifest: &Manifest, resources: &mut Map<String, Value>) {
    let days = manifest.deploy.failed_retention_days;
    resources.insert(
        failure_bucket().to_owned(),
        json!({
            "Type": "AWS::S3::Bucket",
            // With the first creation of the stack it goes again: then nothing is in it.
            "DeletionPolicy": "RetainExceptOnCreate",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "BucketEncryption": { "ServerSideEncryptionConfiguration": [
                    { "ServerSideEncryptionByDefault": { "SSEAlgorithm": "AES256" } },
                ] },
                "LifecycleConfiguration": { "Rules": [
                    { "Id": "expire", "Status": "Enabled", "ExpirationInDays": days },
                ] },
                "OwnershipControls": { "Rules": [{ "ObjectOwnership": "BucketOwnerEnforced" }] },
                "PublicAccessBlockConfiguration": private(),
            },
        }),
    );
    resources.insert(
        failure_bucket_policy().to_owned(),
        json!({
            "Type": "AWS::S3::BucketPolicy",
            // As long as the bucket.
            "DeletionPolicy": "RetainExceptOnCreate",
            "UpdateReplacePolicy": "Retain",
            "Properties": { "Bucket": { "Ref": failure_bucket() }, "PolicyDocument": tls_only(failure_bucket()) },
        }),
    );
}

pub(super) fn private() -> Value {
    json!({
        "BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
    })
}

/// Refuses whatever does not come by TLS.
pub(super) fn tls_only(bucket: &str) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [
            { "Fn::GetAtt": [bucket, "Arn"] },
            { "Fn::Sub": format!("${{{bucket}.Arn}}/*") },
        ],
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    }] })
}
