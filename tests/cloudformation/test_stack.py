"""A whole stack such as a deployer makes: every resource type, read back from moto."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from harness import Case, client, template

ASSUME = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}]}


def put_code(bucket: str, key: str, text: str) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("bootstrap", text)
    client("s3").create_bucket(Bucket=bucket)
    client("s3").put_object(Bucket=bucket, Key=key, Body=archive.getvalue())


def whole(bucket: str, key: str, version: str = "Version1", **mapping: Any) -> dict[str, Any]:
    """A function with version and alias on a table's stream, and what belongs to it."""
    return template(
        {
            "Table": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {
                    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                    "BillingMode": "PAY_PER_REQUEST",
                    "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
                },
            },
            "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 14}},
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": ASSUME}},
            "Rights": {
                "Type": "AWS::IAM::Policy",
                "Properties": {"PolicyName": "rights", "PolicyDocument": ALLOW, "Roles": [{"Ref": "Role"}]},
            },
            "Function": {
                "Type": "AWS::Lambda::Function",
                "DependsOn": "Rights",
                "Properties": {
                    "Code": {"S3Bucket": bucket, "S3Key": {"Ref": "CodeKey"}},
                    "Handler": "bootstrap",
                    "Runtime": "provided.al2023",
                    "Architectures": ["arm64"],
                    "MemorySize": 256,
                    "Timeout": {"Ref": "Timeout"},
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Environment": {"Variables": {"TABLE": {"Fn::Sub": "${AWS::StackName}-${Table}"}}},
                    "LoggingConfig": {"LogFormat": "JSON", "LogGroup": {"Ref": "Logs"}},
                    "TracingConfig": {"Mode": "Active"},
                    "ReservedConcurrentExecutions": 5,
                },
            },
            version: {
                "Type": "AWS::Lambda::Version",
                "Properties": {"FunctionName": {"Ref": "Function"}},
                "UpdateReplacePolicy": "Retain",
            },
            "Live": {
                "Type": "AWS::Lambda::Alias",
                "Properties": {
                    "FunctionName": {"Ref": "Function"},
                    "FunctionVersion": {"Fn::GetAtt": f"{version}.Version"},
                    "Name": "live",
                },
            },
            "Failures": {
                "Type": "AWS::S3::Bucket",
                "Properties": {
                    "BucketEncryption": {
                        "ServerSideEncryptionConfiguration": [
                            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
                        ]
                    },
                    "LifecycleConfiguration": {"Rules": [{"Id": "old", "Status": "Enabled", "ExpirationInDays": 30}]},
                    "VersioningConfiguration": {"Status": "Enabled"},
                    "PublicAccessBlockConfiguration": {
                        "BlockPublicAcls": True,
                        "BlockPublicPolicy": True,
                        "IgnorePublicAcls": True,
                        "RestrictPublicBuckets": True,
                    },
                },
            },
            "FailuresPolicy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {
                    "Bucket": {"Ref": "Failures"},
                    "PolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Effect": "Deny",
                                "Principal": "*",
                                "Action": "s3:*",
                                "Resource": [
                                    {"Fn::GetAtt": ["Failures", "Arn"]},
                                    {"Fn::Join": ["", [{"Fn::GetAtt": "Failures.Arn"}, "/*"]]},
                                ],
                                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                            }
                        ],
                    },
                },
            },
            "Mapping": {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {
                    "EventSourceArn": {"Fn::GetAtt": ["Table", "StreamArn"]},
                    "FunctionName": {"Ref": "Live"},
                    "StartingPosition": "TRIM_HORIZON",
                    "Enabled": False,
                    "BatchSize": 50,
                    "BisectBatchOnFunctionError": True,
                    "MaximumRetryAttempts": 10,
                    "FunctionResponseTypes": ["ReportBatchItemFailures"],
                    "FilterCriteria": {"Filters": [{"Pattern": '{"eventName":["INSERT"]}'}]},
                    "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["Failures", "Arn"]}}},
                    **mapping,
                },
            },
            "Alerts": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "alerts"}},
            "Parked": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 60}},
            "Age": {
                "Type": "AWS::CloudWatch::Alarm",
                "Properties": {
                    "AlarmActions": [{"Ref": "Alerts"}],
                    "ComparisonOperator": "GreaterThanThreshold",
                    "EvaluationPeriods": 3,
                    "MetricName": "IteratorAge",
                    "Namespace": "AWS/Lambda",
                    "Period": 60,
                    "Statistic": "Maximum",
                    "Threshold": 60000,
                    "Dimensions": [{"Name": "FunctionName", "Value": {"Ref": "Function"}}],
                },
            },
        },
        Parameters={"CodeKey": {"Type": "String", "Default": key}, "Timeout": {"Type": "Number", "Default": 30}},
        Outputs={
            "Alias": {"Value": {"Ref": "Live"}, "Description": "what runs"},
            "Stream": {"Value": {"Fn::GetAtt": ["Table", "StreamArn"]}},
        },
    )


class WholeStack(Case):
    def setUp(self) -> None:
        super().setUp()
        self.bucket = f"code-{self.stack}"
        put_code(self.bucket, "one.zip", "one")
        put_code(self.bucket, "two.zip", "two")

    def test_create_read_back_update_and_delete(self) -> None:
        stack = self.create(whole(self.bucket, "one.zip"))
        self.assertEqual(stack["StackStatus"], "CREATE_COMPLETE", self.events())
        outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        self.assertTrue(outputs["Alias"].endswith(":live"), outputs)

        function = client("lambda").get_function(FunctionName=self.physical_id("Function"))
        configuration = function["Configuration"]
        self.assertEqual(configuration["Timeout"], 30)
        self.assertEqual(configuration["Architectures"], ["arm64"])
        self.assertEqual(configuration["LoggingConfig"], {"LogFormat": "JSON", "LogGroup": self.physical_id("Logs")})
        self.assertEqual(configuration["TracingConfig"], {"Mode": "Active"})
        self.assertEqual(function["Concurrency"]["ReservedConcurrentExecutions"], 5)
        variables = configuration["Environment"]["Variables"]
        self.assertEqual(variables, {"TABLE": f"{self.stack}-{self.physical_id('Table')}"})

        [mapping] = client("lambda").list_event_source_mappings(FunctionName=outputs["Alias"])["EventSourceMappings"]
        self.assertEqual(mapping["FunctionArn"], outputs["Alias"])
        self.assertEqual(mapping["UUID"], self.physical_id("Mapping"))
        self.assertEqual(mapping["FunctionResponseTypes"], ["ReportBatchItemFailures"])
        self.assertEqual(mapping["BatchSize"], 50)
        self.assertEqual(mapping["State"], "Disabled")
        self.assertTrue(mapping["BisectBatchOnFunctionError"])

        bucket = self.physical_id("Failures")
        self.assertRegex(bucket, f"^{self.stack}-failures-[a-z0-9]{{12}}$")
        self.assertEqual(client("s3").get_bucket_versioning(Bucket=bucket)["Status"], "Enabled")
        self.assertTrue(
            client("s3").get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]["BlockPublicAcls"]
        )
        [rule] = client("s3").get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
        self.assertEqual(rule["Expiration"], {"Days": 30})
        # moto looks at no condition: what refuses under one stays with the stack.
        self.assertIn('"Statement": []', client("s3").get_bucket_policy(Bucket=bucket)["Policy"])
        self.assertEqual(client("iam").list_role_policies(RoleName=self.physical_id("Role"))["PolicyNames"], ["rights"])
        self.assertEqual(self.physical_id("Rights").split("-")[:2], [self.stack, "Rights"])

        changed = whole(self.bucket, "two.zip", "Version2", BatchSize=70)
        stack = self.deploy(changed, name="second")
        self.assertEqual(stack["StackStatus"], "UPDATE_COMPLETE", self.events())
        alias = client("lambda").get_alias(FunctionName=self.physical_id("Function"), Name="live")
        self.assertEqual(alias["FunctionVersion"], "2")
        [mapping] = client("lambda").list_event_source_mappings(FunctionName=outputs["Alias"])["EventSourceMappings"]
        self.assertEqual(mapping["BatchSize"], 70)
        # The old version was removed from the template, and deleted after all else.
        versions = client("lambda").list_versions_by_function(FunctionName=self.physical_id("Function"))["Versions"]
        self.assertEqual([version["Version"] for version in versions], ["$LATEST", "2"])

        # A number is not given twice, although the older version is gone.
        stack = self.deploy(whole(self.bucket, "one.zip", "Version3"), name="third")
        self.assertEqual(stack["StackStatus"], "UPDATE_COMPLETE", self.events())
        self.assertTrue(self.physical_id("Version3").endswith(":3"))

        function_name = self.physical_id("Function")
        stack = self.delete()
        self.assertEqual(stack["StackStatus"], "DELETE_COMPLETE", self.events(stack["StackId"]))
        functions = client("lambda").list_functions()["Functions"]
        self.assertNotIn(function_name, [each["FunctionName"] for each in functions])
        self.assertEqual(client("lambda").list_event_source_mappings()["EventSourceMappings"], [])
