"""The server beside CloudFormation: control, what goes through to moto, and what stands before moto's Lambda."""

from __future__ import annotations

import http.client
import http.server
import io
import json
import tempfile
import threading
import urllib.error
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from harness import Case, client, control, moto, server, start, template, topic
from test_stack import ASSUME, put_code, whole


class Control(Case):
    def test_throttling(self) -> None:
        """User Guide, "Troubleshooting CloudFormation", throttling: `Rate exceeded`."""
        control({"throttle": 2})
        for _ in range(2):
            message = self.refused("Throttling", "Rate exceeded", self.cloudformation.list_stacks)
            self.assertEqual(message, "Rate exceeded")
        self.cloudformation.list_stacks()
        control({"throttle": 2})
        client("cloudformation", retries=4).list_stacks()

    def test_calls_are_counted_and_the_engine_s_own_are_not(self) -> None:
        control({"reset-calls": True})
        self.create(template({"A": topic()}))
        client("dynamodb").list_tables()
        client("sns").list_topics()
        client("lambda").list_functions()
        calls = {(each["service"], each["operation"]): each["count"] for each in control({"calls": True})["calls"]}
        self.assertEqual(calls["cloudformation", "CreateChangeSet"], 1)
        self.assertEqual(calls["cloudformation", "ExecuteChangeSet"], 1)
        self.assertEqual(calls["dynamodb", "ListTables"], 1)
        self.assertEqual(calls["sns", "ListTopics"], 1)
        self.assertEqual([key for key in calls if key[0] == "lambda"], [("lambda", "GET /2015-03-31/functions")])
        control({"reset-calls": True})
        self.assertEqual(control({"calls": True})["calls"], [])

    def test_a_call_that_is_refused(self) -> None:
        expired = {"service": "sts", "operation": "GetCallerIdentity", "code": "ExpiredToken", "message": "it < is"}
        control({"refuse": expired})
        self.assertEqual(self.refused("ExpiredToken", "it < is", client("sts").get_caller_identity), "it < is")
        client("sts").get_caller_identity()
        denied = {"code": "AccessDeniedException", "message": "no", "status": 403, "times": 2}
        control({"refuse": {"service": "dynamodb", "operation": "ListTables"} | denied})
        for _ in range(2):
            self.refused("AccessDeniedException", "no", client("dynamodb").list_tables)
        client("dynamodb").list_tables()
        control({"refuse": {"service": "lambda", "operation": "GET /2015-03-31/functions"} | denied})
        self.refused("AccessDeniedException", "no", client("lambda").list_functions)

    def test_a_bucket_of_another_s(self) -> None:
        """S3 User Guide, "Verifying bucket ownership with bucket owner condition"."""
        s3 = client("s3")
        s3.create_bucket(Bucket=self.stack)
        control({"buckets-of-others": [self.stack]})
        put = {"Bucket": self.stack, "Key": "a", "Body": b"a"}
        self.refused("AccessDenied", "Access Denied", s3.put_object, ExpectedBucketOwner="123456789012", **put)
        self.refused("403", "", s3.head_bucket, ExpectedBucketOwner="123456789012", Bucket=self.stack)
        s3.put_object(**put)

    def test_an_unknown_control_is_refused(self) -> None:
        for request in {"colour": 1}, {"fail": {"logical-id": "A", "colour": 1}}, {"refuse": {"service": "s3"}}:
            with self.assertRaises(urllib.error.HTTPError) as caught:
                control(request)
            self.assertEqual(caught.exception.code, 400)

    def test_a_script_to_start_with_and_the_end_of_the_input(self) -> None:
        with tempfile.NamedTemporaryFile("w") as script:
            json.dump({"throttle": 1}, script)
            script.flush()
            url, process = start("--script", script.name)
        self.refused("Throttling", "Rate exceeded", client("cloudformation", url).list_stacks)
        client("cloudformation", url).list_stacks()
        assert process.stdin is not None
        process.stdin.close()
        self.assertEqual(process.wait(10), 0)


class Through(Case):
    def test_s3(self) -> None:
        s3 = client("s3")
        s3.create_bucket(Bucket=self.stack)
        body = bytes(range(256)) * 4096
        s3.put_object(Bucket=self.stack, Key="a/b c+d", Body=io.BytesIO(body), Metadata={"mine": "1"})
        head = s3.head_object(Bucket=self.stack, Key="a/b c+d")
        self.assertEqual((head["ContentLength"], head["Metadata"]), (len(body), {"mine": "1"}))
        self.assertEqual(client("s3", moto()).get_object(Bucket=self.stack, Key="a/b c+d")["Body"].read(), body)
        self.assertEqual(s3.get_object(Bucket=self.stack, Key="a/b c+d", Range="bytes=0-9")["Body"].read(), body[:10])
        s3.upload_fileobj(io.BytesIO(body * 10), self.stack, "parts")
        self.assertEqual(s3.head_object(Bucket=self.stack, Key="parts")["ContentLength"], len(body) * 10)
        with self.assertRaises(ClientError) as caught:
            s3.head_object(Bucket=self.stack, Key="none")
        self.assertEqual(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], 404)

    def test_a_chunked_upload(self) -> None:
        """S3 API Reference, "Transferring payload in multiple chunks": the framing of HTTP is this server's, that of
        AWS moto's."""
        client("s3").create_bucket(Bucket=self.stack)
        connection = http.client.HTTPConnection(urlsplit(server()).netloc)
        headers = {
            "Authorization": (
                "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
            )
        }
        connection.request("PUT", f"/{self.stack}/key", iter([b"one", b"two"]), headers, encode_chunked=True)
        with connection.getresponse() as answer:
            self.assertEqual((answer.status, answer.read()), (200, b""))
        self.assertEqual(client("s3").get_object(Bucket=self.stack, Key="key")["Body"].read(), b"onetwo")
        headers |= {
            "Content-Encoding": "aws-chunked",
            "X-Amz-Content-Sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "X-Amz-Decoded-Content-Length": "5",
            "X-Amz-Trailer": "x-amz-checksum-crc32",
        }
        body = b"5\r\nthree\r\n0\r\nx-amz-checksum-crc32:R4tP/w==\r\n\r\n"
        connection.request("PUT", f"/{self.stack}/key", body, headers)
        with connection.getresponse() as answer:
            self.assertEqual((answer.status, answer.read()), (200, b""))
        self.assertEqual(client("s3").get_object(Bucket=self.stack, Key="key")["Body"].read(), b"three")
        connection.close()

    def test_dynamodb(self) -> None:
        dynamodb = client("dynamodb")
        dynamodb.create_table(
            TableName=self.stack,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        dynamodb.put_item(TableName=self.stack, Item={"id": {"S": "ä"}, "b": {"B": b"\x00"}})
        self.assertEqual(
            client("dynamodb", moto()).scan(TableName=self.stack)["Items"], [{"id": {"S": "ä"}, "b": {"B": b"\x00"}}]
        )


class Lambda(Case):
    def setUp(self) -> None:
        super().setUp()
        self.bucket = f"code-{self.stack}"
        put_code(self.bucket, "one.zip", "one")

    def failed(self) -> dict[str, Any]:
        [event] = [
            each
            for each in self.events()
            if each["ResourceStatus"].endswith("_FAILED") and "cancelled" not in each["ResourceStatusReason"]
        ]
        return event

    def test_a_mapping_of_the_same_stream_and_function_cannot_be_made_twice(self) -> None:
        """Lambda API Reference, CreateEventSourceMapping: ResourceConflictException; so a replacement fails."""
        self.create(whole(self.bucket, "one.zip"))
        stack = self.deploy(whole(self.bucket, "one.zip", StartingPosition="LATEST"))
        self.assertEqual(stack["StackStatus"], "UPDATE_ROLLBACK_COMPLETE")
        failed = self.failed()
        self.assertEqual((failed["LogicalResourceId"], failed["ResourceStatus"]), ("Mapping", "UPDATE_FAILED"))
        self.assertIn("provided mapping already exists", failed["ResourceStatusReason"])
        self.assertIn("HandlerErrorCode: AlreadyExists", failed["ResourceStatusReason"])
        self.assertEqual(self.delete()["StackStatus"], "DELETE_COMPLETE")

    def test_a_failed_update_puts_the_alias_back(self) -> None:
        put_code(f"other-{self.bucket}", "two.zip", "two")
        self.create(whole(self.bucket, "one.zip"))
        control({"fail": {"logical-id": "Mapping", "action": "update"}})
        name = self.physical_id("Function")
        before = client("lambda").get_function_configuration(FunctionName=name)["CodeSha256"]
        stack = self.deploy(whole(f"other-{self.bucket}", "two.zip", "Version2", BatchSize=70))
        self.assertEqual(stack["StackStatus"], "UPDATE_ROLLBACK_COMPLETE")
        self.assertEqual(client("lambda").get_alias(FunctionName=name, Name="live")["FunctionVersion"], "1")
        self.assertEqual(client("lambda").get_function_configuration(FunctionName=name)["CodeSha256"], before)
        versions = client("lambda").list_versions_by_function(FunctionName=name)["Versions"]
        self.assertEqual([each["Version"] for each in versions], ["$LATEST", "1"])
        stack = self.deploy(whole(f"other-{self.bucket}", "two.zip", "Version2", BatchSize=70), name="again")
        self.assertEqual(stack["StackStatus"], "UPDATE_COMPLETE")
        # Lambda does not give a number twice.
        self.assertEqual(client("lambda").get_alias(FunctionName=name, Name="live")["FunctionVersion"], "3")
        self.delete()

    def test_a_version_of_an_unchanged_function_fails(self) -> None:
        """Template Reference, AWS::Lambda::Version."""
        self.create(whole(self.bucket, "one.zip"))
        body = whole(self.bucket, "one.zip")
        body["Resources"]["Second"] = body["Resources"]["Version1"]
        self.assertEqual(self.deploy(body)["StackStatus"], "UPDATE_ROLLBACK_COMPLETE")
        self.assertIn("A version for this Lambda function exists ( 1 )", self.failed()["ResourceStatusReason"])
        self.delete()

    def test_a_version_that_an_alias_uses_is_not_deleted(self) -> None:
        self.create(whole(self.bucket, "one.zip"))
        name = self.physical_id("Function")
        self.refused(
            "ResourceConflictException", "[live]", client("lambda").delete_function, FunctionName=name, Qualifier="1"
        )
        self.delete()

    def test_a_function_that_is_there_is_not_overwritten(self) -> None:
        role = client("iam").create_role(RoleName=self.stack, AssumeRolePolicyDocument=json.dumps(ASSUME))["Role"][
            "Arn"
        ]
        code = {"S3Bucket": self.bucket, "S3Key": "one.zip"}
        client("lambda").create_function(
            FunctionName=self.stack, Role=role, Code=code, Handler="x", Runtime="provided.al2023"
        )
        body = template(
            {
                "F": {
                    "Type": "AWS::Lambda::Function",
                    "Properties": {
                        "FunctionName": self.stack,
                        "Role": role,
                        "Code": code,
                        "Handler": "x",
                        "Runtime": "provided.al2023",
                    },
                }
            }
        )
        made = self.change_set(body, "CREATE", DisableValidation=True)
        self.cloudformation.execute_change_set(ChangeSetName=made["ChangeSetId"])
        self.assertEqual(self.at_rest()["StackStatus"], "ROLLBACK_COMPLETE")
        self.assertIn("already exists.", self.failed()["ResourceStatusReason"])
        client("lambda").get_function(FunctionName=self.stack)

    def test_mappings_go_to_who_answers_for_them(self) -> None:
        seen: list[tuple[str, str, Any]] = []

        class Front(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                seen.append((self.command, self.path, json.loads(body)))
                answer = json.dumps({"UUID": "f0e1d2c3-0000-4000-8000-000000000000", "State": "Creating"}).encode()
                self.send_response(202)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        front = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Front)
        self.addCleanup(front.server_close)
        self.addCleanup(front.shutdown)
        threading.Thread(target=front.serve_forever, daemon=True).start()
        url, _ = start("--mappings", f"http://127.0.0.1:{front.server_port}")
        self.cloudformation = client("cloudformation", url)
        self.create(whole(self.bucket, "one.zip"))
        [(method, path, body)] = seen
        self.assertEqual((method, path), ("POST", "/2015-03-31/event-source-mappings"))
        self.assertTrue(body["FunctionName"].endswith(":live"))
        self.assertEqual(self.physical_id("Mapping"), "f0e1d2c3-0000-4000-8000-000000000000")
