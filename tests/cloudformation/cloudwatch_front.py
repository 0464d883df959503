"""CloudWatch's newer protocol on its way to moto, which has only the older one.

The SDK for Rust speaks Smithy's RPC v2 in CBOR (smithy.io, "Smithy RPC v2 CBOR protocol"), boto3 the Query protocol. What
comes in the one is asked of moto in the other, and the answer goes back; both directions by botocore's own model.
"""

import re
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError
from botocore.parsers import RpcV2CBORParser
from botocore.serialize import RpcV2CBORSerializer

from proxy import Request, Response

OPERATION = re.compile(r"/service/GraniteServiceVersion20100801/operation/(\w+)")
HEADERS = [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]


def operation(request: Request) -> str | None:
    """The operation of a request in that protocol."""
    found = OPERATION.fullmatch(request.path)
    return found[1] if found else None


def answer(client: Any, name: str, body: bytes) -> Response:
    """Asks moto, by a client of boto3, and writes its answer in CBOR."""
    model = client.meta.service_model.operation_model(name)
    parser, serializer = RpcV2CBORParser(), RpcV2CBORSerializer()
    parameters = parser.parse_data_item(parser.get_peekable_stream_from_bytes(body)) if body else {}
    try:
        call = getattr(client, re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower())
        found = call(**{key: value for key, value in parameters.items() if value is not None})
    except ClientError as error:
        said = error.response["Error"]
        text = _text_map({"__type": said["Code"], "message": said["Message"]})
        return Response(error.response["ResponseMetadata"]["HTTPStatusCode"], "", HEADERS, text)
    found.pop("ResponseMetadata", None)
    written = bytearray()
    if model.output_shape is not None:
        serializer._serialize_data_item(written, _plain(found), model.output_shape)
    return Response(200, "OK", HEADERS, bytes(written))


def _plain(value: Any) -> Any:
    """Times without a zone's name: the serializer counts seconds."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value if not isinstance(value, datetime) else value.replace(tzinfo=None)


def _text_map(fields: dict[str, str]) -> bytes:
    """A map of texts, each with a length of two bytes."""
    texts = [part.encode() for pair in fields.items() for part in pair]
    return bytes([0xA0 | len(fields)]) + b"".join(b"\x79" + len(text).to_bytes(2, "big") + text for text in texts)
