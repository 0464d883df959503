"""What is not CloudFormation's goes on to moto as it came, and is counted.

It tells services apart and forwards bytes. It understands no service but for the name of the operation that it counts.
"""

from __future__ import annotations

import http.client
import re
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import parse_qs, urlsplit

# IAM User Guide, "AWS Signature Version 4": KEY/DATE/REGION/SERVICE/aws4_request, in a header or, presigned, in the
# query.
SCOPE = re.compile(r"[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request")
DEFAULT_REGION = "us-east-1"
# RFC 9110, 7.6.1: what concerns one connection is not forwarded. The body is sent whole, so its length is known.
HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "content-length",
}
# moto invokes functions and waits for streams; nothing that a test does takes longer.
TIMEOUT_SECONDS = 60


@dataclass
class Request:
    method: str
    target: str  # path and query as they came
    headers: Message
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    def scope(self) -> tuple[str, str]:
        """Region and service: of the signature, else of the host, else of the path."""
        signature = self.headers.get("Authorization") or self.query.get("X-Amz-Credential", [""])[0]
        found = SCOPE.search(signature)
        if found:
            return found.group(1), found.group(2)
        host = (self.headers.get("Host") or "").partition(":")[0]
        named = re.fullmatch(r"([a-z0-9-]+)(?:\.([a-z0-9-]+))?\.amazonaws\.com", host)
        if named:
            return named.group(2) or DEFAULT_REGION, named.group(1)
        if self.path.startswith("/2015-03-31/"):
            return DEFAULT_REGION, "lambda"
        if b"Version=2010-05-15" in self.body[:65_536]:
            return DEFAULT_REGION, "cloudformation"
        return DEFAULT_REGION, "s3"

    def operation(self) -> str:
        """For the count: of JSON services the target, of query services the action, of REST services method and
        path."""
        target = self.headers.get("X-Amz-Target")
        if target:
            return target.rpartition(".")[2]
        if self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
            action = parse_qs(self.body.decode("utf-8", "replace")).get("Action")
            if action:
                return action[0]
        return f"{self.method} {self.path}"


@dataclass
class Response:
    status: int
    reason: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def with_body(self, body: bytes) -> Response:
        return Response(self.status, self.reason, self.headers, body)


def forward(base: str, request: Request, rename: bool = False) -> Response:
    """Sends a request on as it came; signature and body untouched, and the host too unless it must be the server's own."""
    parts = urlsplit(base)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers.items():
            if name.lower() not in HOP_BY_HOP and name.lower() != "expect":
                connection.putheader(name, parts.netloc if rename and name.lower() == "host" else value)
        if request.body or request.method in ("POST", "PUT"):
            connection.putheader("Content-Length", str(len(request.body)))
        connection.endheaders(request.body or None)
        answer = connection.getresponse()
        body = answer.read()
        # A HEAD's Content-Length is that of the body that is not sent: it stays (RFC 9110, 8.6).
        drop = HOP_BY_HOP - {"content-length"} if request.method == "HEAD" else HOP_BY_HOP
        headers = [(name, value) for name, value in answer.getheaders() if name.lower() not in drop]
        return Response(answer.status, answer.reason, headers, body)
    finally:
        connection.close()
