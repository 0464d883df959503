"""The two kinds of failure: what an API call answers, and what a resource's handler reports."""

from __future__ import annotations

import uuid

from botocore.exceptions import ClientError


class ApiError(Exception):
    """An error answer of CloudFormation's API."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def validation(message: str) -> ApiError:
    """CloudFormation answers most refusals with one code (API Reference, "Common Errors")."""
    return ApiError("ValidationError", message)


def not_emulated(what: str) -> ApiError:
    """AWS has it and this server does not: never confused with an answer of AWS."""
    return ApiError("NotImplemented", f"This emulation of CloudFormation does not have {what}", 501)


# CloudFormation CLI User Guide, "Handler error codes": what a resource handler may report. The services' own codes on
# the left; what is not here is GeneralServiceException.
HANDLER_ERROR_CODES = {
    "AccessDenied": "AccessDenied",
    "AccessDeniedException": "AccessDenied",
    "BucketAlreadyExists": "AlreadyExists",
    "BucketAlreadyOwnedByYou": "AlreadyExists",
    "EntityAlreadyExists": "AlreadyExists",
    "ResourceAlreadyExistsException": "AlreadyExists",
    "ResourceConflictException": "AlreadyExists",
    "ResourceInUseException": "AlreadyExists",
    "InvalidParameterValue": "InvalidRequest",
    "InvalidParameterValueException": "InvalidRequest",
    "InvalidParameterException": "InvalidRequest",
    "MalformedPolicyDocument": "InvalidRequest",
    "ValidationError": "InvalidRequest",
    "ValidationException": "InvalidRequest",
    "NoSuchBucket": "NotFound",
    "NoSuchEntity": "NotFound",
    "NotFound": "NotFound",
    "NotFoundException": "NotFound",
    "ResourceNotFoundException": "NotFound",
    "QueueDoesNotExist": "NotFound",
    "AWS.SimpleQueueService.NonExistentQueue": "NotFound",
    "LimitExceededException": "ServiceLimitExceeded",
    "ThrottlingException": "Throttling",
    "Throttling": "Throttling",
    "TooManyRequestsException": "Throttling",
}


class ResourceError(Exception):
    """A resource could not be made, changed or deleted; the text is an event's ResourceStatusReason."""

    def __init__(self, message: str, handler_code: str | None = None) -> None:
        self.handler_code = handler_code
        if handler_code is None:
            reason = message
        else:
            # The form that handlers of the CloudFormation registry report in; seen in many published stack events.
            reason = (
                f'Resource handler returned message: "{message}" '
                f"(RequestToken: {uuid.uuid4()}, HandlerErrorCode: {handler_code})"
            )
        super().__init__(reason)
        self.reason = reason


def from_service(error: ClientError, service: str) -> ResourceError:
    """What a handler reports when the service behind it has refused."""
    code = error.response["Error"].get("Code", "Unknown")
    message = error.response["Error"].get("Message", "").rstrip(".")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    text = f"{message} (Service: {service}, Status Code: {status}, Request ID: {uuid.uuid4()})"
    return ResourceError(text, HANDLER_ERROR_CODES.get(code, "GeneralServiceException"))


def is_not_found(error: ClientError) -> bool:
    """Whether the service says that there is no such thing: an S3 HEAD has a bare 404 in place of a code."""
    code = error.response["Error"].get("Code", "")
    return code == "404" or HANDLER_ERROR_CODES.get(code) == "NotFound"
