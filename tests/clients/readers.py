"""Makes functions with an event source mapping each on the stream of a table: ENDPOINT STREAM-ARN NAME..."""

import io
import sys
import zipfile

import boto3

endpoint, stream_arn, *names = sys.argv[1:]
role = boto3.client("iam", endpoint_url=endpoint).create_role(RoleName="role", AssumeRolePolicyDocument="{}")
functions = boto3.client("lambda", endpoint_url=endpoint)
package = io.BytesIO()
with zipfile.ZipFile(package, "w") as file:
    file.writestr("bootstrap", "never run")
for name in names:
    functions.create_function(
        FunctionName=name,
        Runtime="provided.al2023",
        Role=role["Role"]["Arn"],
        Handler="bootstrap",
        Code={"ZipFile": package.getvalue()},
    )
    functions.create_event_source_mapping(FunctionName=name, EventSourceArn=stream_arn, StartingPosition="LATEST")
