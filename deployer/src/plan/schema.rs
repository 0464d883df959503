//! Of each type of resource that gristmill uses, the properties that CloudFormation
//! changes only by making the resource anew: `createOnlyProperties` of AWS's
//! schemas. A test holds this list against the schemas that cfn-lint carries.

/// By type, each property of ours that makes it anew.
pub const CREATE_ONLY: [(&str, &[&str]); 10] = [
    ("AWS::CloudWatch::Alarm", &["AlarmName"]),
    ("AWS::IAM::Policy", &[]),
    ("AWS::IAM::Role", &["Path", "RoleName"]),
    ("AWS::Lambda::Alias", &["FunctionName", "Name"]),
    ("AWS::Lambda::EventSourceMapping", &["EventSourceArn", "StartingPosition"]),
    ("AWS::Lambda::Function", &["FunctionName", "PackageType"]),
    ("AWS::Lambda::Version", &["CodeSha256", "Description", "FunctionName"]),
    ("AWS::Logs::LogGroup", &["LogGroupName"]),
    ("AWS::S3::Bucket", &["BucketName"]),
    ("AWS::S3::BucketPolicy", &["Bucket"]),
];

/// Whether a change of the property makes the resource anew.
pub(super) fn is_create_only(kind: &str, property: &str) -> bool {
    CREATE_ONLY.iter().any(|(known, properties)| *known == kind && properties.contains(&property))
}
