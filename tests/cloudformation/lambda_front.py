"""Lambda's requests on their way to moto, with what moto lacks put right.

moto 5.2 answers for a mapping of an alias with the ARN of the version behind it, makes a second mapping of the same
stream and function, gives a version's number again once an older version was deleted, and drops some settings of a
function. A deployer that reads back what it has deployed would see faults that AWS does not have. Everything else is
passed on.
"""

from __future__ import annotations

import json
import re
import threading
import uuid
from typing import Any, Callable
from urllib.parse import quote, unquote, urlencode

from proxy import Request, Response, forward
from store import ACCOUNT

FUNCTIONS = re.compile(r"/2015-03-31/functions(?:/([^/]+)(?:/(configuration|code|versions))?)?/?")
MAPPINGS = re.compile(r"/2015-03-31/event-source-mappings(?:/([^/]+))?/?")
# Settings of a function that moto does not keep, or keeps as they were at its creation.
KEPT_HERE = ("Architectures", "EphemeralStorage", "LoggingConfig", "TracingConfig", "DeadLetterConfig")


def _json(response: Response) -> Any:
    return json.loads(response.body or b"{}")


def _answer(response: Response, value: Any, status: int | None = None) -> Response:
    return Response(status or response.status, response.reason, response.headers, json.dumps(value).encode())


def _refuse(status: int, code: str, message: str) -> Response:
    """Lambda API Reference, "Common errors": the code is in a header, the text in the body."""
    headers = [
        ("Content-Type", "application/json"),
        ("x-amzn-ErrorType", code),
        ("x-amzn-RequestId", str(uuid.uuid4())),
    ]
    return Response(status, "", headers, json.dumps({"Type": "User", "Message": message, "message": message}).encode())


def split_name(name: str) -> tuple[str, str | None]:
    """A function's name and qualifier, from any of the forms that Lambda takes (Lambda API Reference, FunctionName)."""
    name = unquote(name)
    if ":function:" in name:
        name = name.partition(":function:")[2]
    bare, _, qualifier = name.partition(":")
    return bare, qualifier or None


class LambdaFront:
    def __init__(self, moto: str, mappings: str | None) -> None:
        self.moto = moto
        self.mappings = mappings
        self._lock = threading.RLock()
        self._settings: dict[tuple[str, str, str], dict[str, Any]] = {}  # by Region, function and version
        self._deleted: set[tuple[str, str, str]] = set()  # versions that moto still has
        self._targets: dict[str, str] = {}  # the function's ARN as given, by mapping

    def handle(self, request: Request, region: str) -> Response:
        mapping = MAPPINGS.fullmatch(request.path)
        if mapping:
            if self.mappings is not None:
                return forward(self.mappings, request)
            return self._mapping(request, region, mapping.group(1))
        function = FUNCTIONS.fullmatch(request.path)
        if function:
            return self._function(request, region, function.group(1), function.group(2))
        return forward(self.moto, request)

    # Mappings

    def _target(self, region: str, function_name: str) -> str:
        name, qualifier = split_name(function_name)
        arn = f"arn:aws:lambda:{region}:{ACCOUNT}:function:{name}"
        return f"{arn}:{qualifier}" if qualifier else arn

    def _mapping(self, request: Request, region: str, mapping_id: str | None) -> Response:
        with self._lock:
            if request.method == "POST":
                return self._create_mapping(request, region)
            if request.method == "GET" and mapping_id is None:
                return self._list_mappings(request, region)
            response = forward(self.moto, request)
            if response.status >= 300:
                return response
            assert mapping_id is not None
            if request.method == "PUT" and "FunctionName" in json.loads(request.body or b"{}"):
                self._targets[mapping_id] = self._target(region, json.loads(request.body)["FunctionName"])
            answer = _answer(response, self._with_target(_json(response)))
            if request.method == "DELETE":
                self._targets.pop(mapping_id, None)
            return answer

    def _with_target(self, mapping: dict[str, Any]) -> dict[str, Any]:
        if mapping.get("UUID") in self._targets:
            mapping["FunctionArn"] = self._targets[mapping["UUID"]]
        return mapping

    def _all_mappings(self, request: Request, query: dict[str, str]) -> tuple[Response, list[dict[str, Any]]]:
        target = "/2015-03-31/event-source-mappings/" + ("?" + urlencode(query) if query else "")
        response = forward(self.moto, Request("GET", target, request.headers, b""))
        return response, [self._with_target(each) for each in _json(response).get("EventSourceMappings", [])]

    def _create_mapping(self, request: Request, region: str) -> Response:
        body = json.loads(request.body or b"{}")
        target, source = self._target(region, body.get("FunctionName", "")), body.get("EventSourceArn", "")
        for other in self._all_mappings(request, {})[1]:
            if other.get("EventSourceArn") == source and other.get("FunctionArn") == target:
                # Lambda API Reference, CreateEventSourceMapping: ResourceConflictException, 409; the words as
                # published.
                return _refuse(
                    409,
                    "ResourceConflictException",
                    f'The event source arn (" {source} ") and function (" {split_name(target)[0]} ") provided mapping'
                    " already "
                    f"exists. Please update or delete the existing mapping with UUID {other['UUID']}",
                )
        response = forward(self.moto, request)
        if response.status >= 300:
            return response
        mapping = _json(response)
        self._targets[mapping["UUID"]] = target
        # Lambda API Reference: 202, the mapping is still being made.
        return _answer(response, self._with_target(mapping), 202)

    def _list_mappings(self, request: Request, region: str) -> Response:
        query = {name: values[0] for name, values in request.query.items()}
        wanted = query.pop("FunctionName", None)
        response, mappings = self._all_mappings(request, query)
        if response.status >= 300:
            return response
        if wanted is not None:
            mappings = [each for each in mappings if each["FunctionArn"] == self._target(region, wanted)]
        return _answer(response, {**_json(response), "EventSourceMappings": mappings})

    # Functions

    def _function(self, request: Request, region: str, function_name: str | None, part: str | None) -> Response:
        with self._lock:
            if function_name is None:
                return (
                    self._create_function(request, region)
                    if request.method == "POST"
                    else self._list_functions(request, region)
                )
            name, qualifier = split_name(function_name)
            qualifier = request.query.get("Qualifier", [qualifier or "$LATEST"])[0]
            if (region, name, qualifier) in self._deleted:
                arn = f"{self._target(region, name)}:{qualifier}"
                return _refuse(404, "ResourceNotFoundException", f"Function not found: {arn}")
            handlers: dict[tuple[str, str | None], Callable[..., Response]] = {
                ("DELETE", None): self._delete_function,
                ("POST", "versions"): self._publish,
                ("GET", "versions"): self._list_versions,
                ("PUT", "configuration"): self._change,
                ("PUT", "code"): self._change,
            }
            handle = handlers.get((request.method, part))
            if handle is not None:
                return handle(request, region, name, qualifier)
            response = forward(self.moto, request)
            if response.status >= 300 or request.method != "GET":
                return response
            answer = _json(response)
            self._put_settings(region, answer.get("Configuration", answer))
            return _answer(response, answer)

    def _put_settings(self, region: str, configuration: dict[str, Any]) -> None:
        key = region, configuration.get("FunctionName", ""), configuration.get("Version", "$LATEST")
        configuration.update(self._settings.get(key, {}))

    def _create_function(self, request: Request, region: str) -> Response:
        response = forward(self.moto, request)
        if response.status >= 300:
            return response
        body, answer = json.loads(request.body), _json(response)
        name = answer["FunctionName"]
        self._forget(region, name)
        # Lambda API Reference, LoggingConfig: the default is text, to the function's own group.
        default = {"LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}}
        self._settings[region, name, "$LATEST"] = {**default, **{key: body[key] for key in KEPT_HERE if key in body}}
        answer.update(self._settings[region, name, "$LATEST"])
        if body.get("Publish"):
            self._settings[region, name, answer["Version"]] = dict(self._settings[region, name, "$LATEST"])
        return _answer(response, answer)

    def _list_functions(self, request: Request, region: str) -> Response:
        response = forward(self.moto, request)
        if response.status >= 300 or request.method != "GET":
            return response
        answer = _json(response)
        for each in answer.get("Functions", []):
            self._put_settings(region, each)
        return _answer(response, answer)

    def _forget(self, region: str, name: str) -> None:
        self._settings = {key: value for key, value in self._settings.items() if key[:2] != (region, name)}
        self._deleted = {key for key in self._deleted if key[:2] != (region, name)}

    def _change(self, request: Request, region: str, name: str, qualifier: str) -> Response:
        response = forward(self.moto, request)
        if response.status >= 300:
            return response
        body, answer = json.loads(request.body), _json(response)
        self._settings.setdefault((region, name, "$LATEST"), {}).update(
            {key: body[key] for key in KEPT_HERE if key in body}
        )
        answer.update(self._settings[region, name, "$LATEST"])
        return _answer(response, answer)

    def _delete_function(self, request: Request, region: str, name: str, qualifier: str) -> Response:
        if qualifier == "$LATEST":
            response = forward(self.moto, request)
            if response.status < 300:
                self._forget(region, name)
            return response
        # Were moto's version deleted, the next one published would get the number of one that is still there.
        target = f"/2015-03-31/functions/{quote(name)}/configuration?Qualifier={quote(qualifier)}"
        found = forward(self.moto, Request("GET", target, request.headers, b""))
        if found.status >= 300:
            return found
        aliases = forward(
            self.moto, Request("GET", f"/2015-03-31/functions/{quote(name)}/aliases", request.headers, b"")
        )
        for alias in _json(aliases).get("Aliases", []):
            if alias["FunctionVersion"] == qualifier:
                # Lambda API Reference, DeleteFunction: "You can't delete a version that an alias references."
                return _refuse(
                    409,
                    "ResourceConflictException",
                    f"Unable to delete version because the following aliases reference it: [{alias['Name']}]",
                )
        self._deleted.add((region, name, qualifier))
        return Response(204, "NO CONTENT")

    def _publish(self, request: Request, region: str, name: str, qualifier: str) -> Response:
        wanted = json.loads(request.body or b"{}").get("CodeSha256")
        if wanted:
            target = f"/2015-03-31/functions/{quote(name)}/configuration"
            latest = _json(forward(self.moto, Request("GET", target, request.headers, b""))).get("CodeSha256")
            if latest is not None and latest != wanted:
                # Lambda API Reference, PublishVersion, CodeSha256: "Only publish a version if the hash value matches".
                return _refuse(
                    400,
                    "InvalidParameterValueException",
                    f"CodeSHA256 ({wanted}) is different from current CodeSHA256 in $LATEST ({latest}). Please try"
                    " again with the CodeSHA256 in $LATEST.",
                )
        response = forward(self.moto, request)
        if response.status >= 300:
            return response
        answer = _json(response)
        key = region, name, answer["Version"]
        self._settings.setdefault(key, dict(self._settings.get((region, name, "$LATEST"), {})))
        answer.update(self._settings[key])
        return _answer(response, answer)

    def _list_versions(self, request: Request, region: str, name: str, qualifier: str) -> Response:
        response = forward(self.moto, request)
        if response.status >= 300:
            return response
        answer = _json(response)
        answer["Versions"] = [
            each for each in answer["Versions"] if (region, name, each["Version"]) not in self._deleted
        ]
        for each in answer["Versions"]:
            self._put_settings(region, each)
        return _answer(response, answer)
