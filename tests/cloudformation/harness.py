"""Starts moto and the server for the tests, once for all of them, and ends both by their handles."""

from __future__ import annotations

import atexit
import functools
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request
from pathlib import Path
from typing import Any, Callable

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

HERE = Path(__file__).resolve().parent
LIMIT_SECONDS = 120
ACCOUNT = "123456789012"
_names = itertools.count(1)


@functools.cache
def moto() -> str:
    """A moto server on a free port, for all tests."""
    log = tempfile.NamedTemporaryFile("w+", prefix="moto-")
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "moto", "AWS_SECRET_ACCESS_KEY": "moto", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"], stdout=log, stderr=log, env=environment
    )
    atexit.register(_stop, process)
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        found = re.search(r"Running on (http://127\.0\.0\.1:\d+)", Path(log.name).read_text())
        if found:
            return found.group(1)
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise RuntimeError(f"moto did not start: {Path(log.name).read_text()}")


def start(*arguments: str) -> tuple[str, subprocess.Popen[str]]:
    """A server of this folder's; its URL and its process."""
    command = [sys.executable, str(HERE / "server.py"), "--moto", moto(), *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(_stop, process)
    assert process.stdout is not None
    line = process.stdout.readline()
    return line.removeprefix("listening on ").strip(), process


@functools.cache
def server() -> str:
    return start()[0]


def _stop(process: subprocess.Popen[Any]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    process.terminate()
    process.wait(LIMIT_SECONDS)


def client(service: str, url: str | None = None, retries: int = 1) -> Any:
    config = Config(retries={"total_max_attempts": retries, "mode": "standard"}, s3={"addressing_style": "path"})
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=url or server(),
        aws_access_key_id="tester",
        aws_secret_access_key="tester",
        config=config,
    )


def control(request: dict[str, Any], url: str | None = None) -> Any:
    body = json.dumps(request).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{url or server()}/_control", body)) as answer:
        return json.load(answer)


def until(what: Callable[[], Any], description: str) -> Any:
    """Waits for something to be true, with a limit."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        value = what()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"{description} did not come true in {LIMIT_SECONDS} s")


class Case(unittest.TestCase):
    """A test with a CloudFormation client and a stack name of its own."""

    def setUp(self) -> None:
        self.cloudformation = client("cloudformation")
        self.stack = f"stack{next(_names)}"
        self.addCleanup(control, {"pause": False, "clear-faults": True, "throttle": 0})

    def refused(self, code: str, text: str, call: Callable[..., Any], **arguments: Any) -> str:
        """The message of a call that must be refused with a code and a text."""
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        error = caught.exception.response["Error"]
        self.assertEqual(error["Code"], code, error["Message"])
        self.assertIn(text, error["Message"])
        return error["Message"]

    def change_set(
        self, template: dict[str, Any], kind: str = "UPDATE", name: str = "changes", **more: Any
    ) -> dict[str, Any]:
        """A change set that is made, whatever came of it."""
        more.setdefault("Capabilities", ["CAPABILITY_NAMED_IAM"])
        made = self.cloudformation.create_change_set(
            StackName=self.stack, ChangeSetName=name, ChangeSetType=kind, TemplateBody=json.dumps(template), **more
        )

        def ready() -> Any:
            described = self.cloudformation.describe_change_set(ChangeSetName=made["Id"])
            return described if described["Status"] in ("CREATE_COMPLETE", "FAILED") else None

        return until(ready, f"change set {name}")

    def deploy(self, template: dict[str, Any], kind: str = "UPDATE", **more: Any) -> dict[str, Any]:
        """A change set made and executed; the stack when it is at rest."""
        change_set = self.change_set(template, kind, **more)
        self.assertEqual(change_set["Status"], "CREATE_COMPLETE", change_set.get("StatusReason"))
        self.cloudformation.execute_change_set(ChangeSetName=change_set["ChangeSetId"])
        return self.at_rest()

    def create(self, template: dict[str, Any], **more: Any) -> dict[str, Any]:
        return self.deploy(template, "CREATE", **more)

    def described(self, stack: str | None = None) -> dict[str, Any]:
        return self.cloudformation.describe_stacks(StackName=stack or self.stack)["Stacks"][0]

    def at_rest(self, stack: str | None = None) -> dict[str, Any]:
        def ended() -> Any:
            found = self.described(stack)
            return None if found["StackStatus"].endswith("_IN_PROGRESS") else found

        return until(ended, "the operation's end")

    def delete(self, **more: Any) -> dict[str, Any]:
        stack_id = self.described()["StackId"]
        self.cloudformation.delete_stack(StackName=self.stack, **more)
        return self.at_rest(stack_id)

    def events(self, stack: str | None = None) -> list[dict[str, Any]]:
        """Oldest first."""
        pages = self.cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack or self.stack)
        return [event for page in pages for event in page["StackEvents"]][::-1]

    def told(self, stack: str | None = None) -> list[str]:
        return [f"{event['LogicalResourceId']} {event['ResourceStatus']}" for event in self.events(stack)]

    def physical_id(self, logical_id: str) -> str:
        detail = self.cloudformation.describe_stack_resource(StackName=self.stack, LogicalResourceId=logical_id)
        return detail["StackResourceDetail"]["PhysicalResourceId"]


def template(resources: dict[str, Any], **sections: Any) -> dict[str, Any]:
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources, **sections}


def topic(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SNS::Topic", "Properties": properties}


def queue(**properties: Any) -> dict[str, Any]:
    return {"Type": "AWS::SQS::Queue", "Properties": properties}
