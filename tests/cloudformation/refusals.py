"""A refusal in the form of the service that it is of."""

from __future__ import annotations

import json
import uuid
from xml.sax.saxutils import escape

from control import Refusal
from proxy import Request, Response


def answer(request: Request, service: str, refusal: Refusal) -> Response:
    """The protocols are those of the services' API models: XML of the query services and of S3, JSON of the rest."""
    request_id = str(uuid.uuid4())
    code, message = escape(refusal.code), escape(refusal.message)
    if service == "s3":
        # S3 API Reference, "Error responses". To a HEAD it says no word.
        text = (
            f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message>'
            f"<RequestId>{request_id}</RequestId></Error>"
        )
        body, kind = b"" if request.method == "HEAD" else text.encode(), "application/xml"
    elif request.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        # IAM User Guide, "Making query requests", "Query API error".
        text = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        body, kind = text.encode(), "text/xml"
    else:
        body = json.dumps({"__type": refusal.code, "message": refusal.message}).encode()
        kind = "application/x-amz-json-1.0"
    headers = [("Content-Type", kind), ("x-amzn-RequestId", request_id), ("x-amzn-ErrorType", refusal.code)]
    return Response(refusal.status, "", headers, body)
