"""One endpoint for a client of AWS: CloudFormation is answered here, everything else by moto.

    python3 tests/cloudformation/server.py --moto http://127.0.0.1:PORT [--mappings URL] [--dynamodb URL] [--script FILE] [--throttle N]

Prints `listening on http://127.0.0.1:PORT` and ends when its standard input does.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import traceback
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

import cloudwatch_front
import refusals
import wire
from control import Control, Refusal
from engine import Engine
from errors import ApiError
from execution import Services
from lambda_front import LambdaFront
from operations import Api
from proxy import DEFAULT_REGION, Request, Response, forward
from store import Store

# Marks the engine's own calls of Lambda, which come back through this server: they are not the client's.
ENGINE_AGENT = "cloudformation-engine"

# A call for each service that the engine uses, which changes nothing.
WARM_UP = {
    "dynamodb": "list_tables",
    "iam": "list_roles",
    "s3": "list_buckets",
    "logs": "describe_log_groups",
    "lambda": "list_functions",
    "sns": "list_topics",
    "sqs": "list_queues",
    "cloudwatch": "describe_alarms",
}


class Clients:
    """The engine's boto3 clients: Lambda's through this server, which puts right what moto lacks, the others' to
    moto."""

    def __init__(self, moto: str) -> None:
        self.moto = moto
        self.own = ""  # known once the server listens
        self._lock = threading.Lock()
        self._made: dict[tuple[str, str], Any] = {}
        self._session = boto3.Session(aws_access_key_id="engine", aws_secret_access_key="engine")

    def warm_up(self) -> None:
        """Has boto3 and moto read what they need for each service, half a second each: beside the start of a test, in
        place of in its first deployment."""
        for service, read in WARM_UP.items():
            try:
                getattr(self(service, DEFAULT_REGION), read)()
            except (BotoCoreError, ClientError):
                return  # moto is not there yet, or no longer

    def __call__(self, service: str, region: str) -> Any:
        with self._lock:
            if (service, region) not in self._made:
                config = Config(
                    retries={"total_max_attempts": 1},
                    s3={"addressing_style": "path"},
                    user_agent_extra=ENGINE_AGENT,
                    max_pool_connections=20,
                )
                url = self.own if service == "lambda" else self.moto
                self._made[service, region] = self._session.client(
                    service, region_name=region, endpoint_url=url, config=config
                )
            return self._made[service, region]


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, moto: str, mappings: str | None, dynamodb: str | None, control: Control) -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        self.moto = moto
        self.dynamodb = dynamodb or moto
        self.control = control
        self.clients = Clients(moto)
        self.clients.own = f"http://127.0.0.1:{self.server_port}"
        self.api = Api(Engine(Services(Store(), control, self.clients)))
        self.lambdas = LambdaFront(moto, mappings)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is gone is no fault of this server."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def answer(self, request: Request) -> Response:
        if request.path == "/_control":
            return self._control(request)
        region, service = request.scope()
        if service == "cloudformation":
            return self._cloudformation(request, region)
        if ENGINE_AGENT not in request.headers.get("User-Agent", ""):
            self.control.count(service, request.operation())
            refused = self._refused(request, service)
            if refused is not None:
                return refused
        named = cloudwatch_front.operation(request)
        if named is not None:
            return cloudwatch_front.answer(self.clients("cloudwatch", region), named, request.body)
        if service == "lambda":
            return self.lambdas.handle(request, region)
        # Streams are signed for the same service.
        if service == "dynamodb" and self.dynamodb != self.moto:
            # It answers to its own name only, as a guard against web pages.
            return forward(self.dynamodb, request, rename=True)
        return forward(self.moto, request)

    def _refused(self, request: Request, service: str) -> Response | None:
        """What a test has put on the call, or what the bucket's owner leads to."""
        seeded = self.control.refusal(service, request.operation())
        if seeded is not None:
            return refusals.answer(request, service, seeded)
        # S3 User Guide, "Verifying bucket ownership with bucket owner condition": a request that names another account
        # than the owner's is 403, and one that names none goes through.
        bucket = request.path.lstrip("/").partition("/")[0]
        if service == "s3" and "x-amz-expected-bucket-owner" in request.headers and self.control.is_another_s(bucket):
            return refusals.answer(request, service, Refusal("s3", "", "AccessDenied", "Access Denied", 403, 0))
        return None

    def _control(self, request: Request) -> Response:
        try:
            reply = self.control.command(json.loads(request.body))
        except (ValueError, TypeError, KeyError) as error:
            return Response(400, "Bad Request", [("Content-Type", "text/plain")], f"{error}\n".encode())
        return Response(200, "OK", [("Content-Type", "application/json")], json.dumps(reply).encode())

    def _cloudformation(self, request: Request, region: str) -> Response:
        request_id = str(uuid.uuid4())
        headers = [("Content-Type", "text/xml"), ("x-amzn-RequestId", request_id)]
        self.control.count("cloudformation", request.operation())
        try:
            if self.control.throttled():
                # User Guide, "Troubleshooting CloudFormation", "Throttling": `Rate exceeded`.
                raise ApiError("Throttling", "Rate exceeded")
            form = wire.read_form(request.body)
            operation = wire.operation_of(form)
            output = self.api.call(operation.name, wire.read_input(operation, form), region)
            return Response(200, "OK", headers, wire.answer(operation, output, request_id))
        except ApiError as error:
            return Response(error.status, "", headers, wire.error(error, request_id))
        except Exception as error:  # a fault of this server: told to the client, and in full to the test's output
            traceback.print_exc()
            return Response(500, "", headers, wire.error(ApiError("InternalFailure", repr(error), 500), request_id))


class Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body in one write: apart, the second would wait for the acknowledgement of the first.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: Server

    def _serve(self) -> None:
        try:
            if self.headers.get("Expect", "").lower() == "100-continue":
                self.send_response_only(100)
                self.end_headers()
                self.wfile.flush()
            request = Request(self.command, self.path, self.headers, self._body())
            try:
                response = self.server.answer(request)
            except OSError as error:
                response = Response(
                    502, "Bad Gateway", [("Content-Type", "text/plain")], f"behind this server: {error}\n".encode()
                )
            self._send(response)
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _serve

    def handle_expect_100(self) -> bool:
        """Answered in `_serve`, where the body is read."""
        return True

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass  # trailers
        return body

    def _send(self, response: Response) -> None:
        self.send_response_only(response.status, response.reason or None)
        for name, value in response.headers:
            self.send_header(name, value)
        lengths = [name for name, _ in response.headers if name.lower() == "content-length"]
        if not (self.command == "HEAD" and lengths) and response.status != 204:
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: a test's output is for what went wrong."""


def _leave_the_client_s_settings() -> None:
    """The variables of who starts this server are for its client: a profile or a proxy would lead the engine astray."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            del os.environ[name]
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"


def main() -> None:
    parser = argparse.ArgumentParser(description="CloudFormation for tests, before a moto server")
    parser.add_argument("--moto", required=True, metavar="URL", help="the moto server that resources are made at")
    parser.add_argument("--mappings", metavar="URL", help="who answers for event source mappings, in place of moto")
    parser.add_argument("--dynamodb", metavar="URL", help="who answers for DynamoDB and its streams, in place of moto")
    parser.add_argument("--script", type=Path, metavar="FILE", help="a control request (JSON) to start with")
    parser.add_argument("--throttle", type=int, default=0, metavar="N", help="the first N calls are throttled")
    arguments = parser.parse_args()
    _leave_the_client_s_settings()
    control = Control(arguments.throttle)
    if arguments.script:
        control.command(json.loads(arguments.script.read_text()))
    server = Server(arguments.moto, arguments.mappings, arguments.dynamodb, control)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Thread(target=server.clients.warm_up, daemon=True).start()
    # Who started this server holds its input open; when that ends, so does this.
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
