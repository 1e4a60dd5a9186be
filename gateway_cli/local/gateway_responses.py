"""API Gateway's own answers: the defaults of each type, and what a template makes of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway_cli.local.rest_api_model import GatewayResponse

_VARIABLE = re.compile(r"\$context\.([A-Za-z0-9_.\-]+[A-Za-z0-9_\-])|\$stageVariables\.[A-Za-z0-9_]+")
_PARAMETER = "gatewayresponse.header."
_DEFAULT_TEMPLATE = '{"message":$context.error.messageString}'
_CLIENT_ERROR, _SERVER_ERROR = 400, 500

DEFAULTS: Mapping[str, tuple[int, str]] = {
    "ACCESS_DENIED": (403, "User is not authorized to access this resource"),
    "API_CONFIGURATION_ERROR": (500, "Internal server error"),
    "AUTHORIZER_CONFIGURATION_ERROR": (500, "Internal server error"),
    "AUTHORIZER_FAILURE": (500, "Internal server error"),
    "BAD_REQUEST_BODY": (400, "Invalid request body"),
    "BAD_REQUEST_PARAMETERS": (400, "Missing required request parameters"),
    "INTEGRATION_FAILURE": (504, "Internal server error"),
    "INTEGRATION_TIMEOUT": (504, "Endpoint request timed out"),
    "INVALID_API_KEY": (403, "Forbidden"),
    "MISSING_AUTHENTICATION_TOKEN": (403, "Missing Authentication Token"),
    "QUOTA_EXCEEDED": (429, "Limit Exceeded"),
    "REQUEST_TOO_LARGE": (413, "Request Too Long"),
    "RESOURCE_NOT_FOUND": (404, "Resource not found"),
    "THROTTLED": (429, "Too Many Requests"),
    "UNAUTHORIZED": (401, "Unauthorized"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "Unsupported Media Type"),
}
"""Status and message of each type where the template does not say otherwise."""

ERROR_TYPES: Mapping[str, str] = {
    "ACCESS_DENIED": "AccessDeniedException",
    "AUTHORIZER_CONFIGURATION_ERROR": "AuthorizerConfigurationException",
    "BAD_REQUEST_BODY": "BadRequestException",
    "BAD_REQUEST_PARAMETERS": "BadRequestException",
    "INVALID_API_KEY": "ForbiddenException",
    "MISSING_AUTHENTICATION_TOKEN": "MissingAuthenticationTokenException",
    "QUOTA_EXCEEDED": "LimitExceededException",
    "REQUEST_TOO_LARGE": "RequestTooLargeException",
    "RESOURCE_NOT_FOUND": "NotFoundException",
    "THROTTLED": "TooManyRequestsException",
    "UNAUTHORIZED": "UnauthorizedException",
    "UNSUPPORTED_MEDIA_TYPE": "UnsupportedMediaTypeException",
}
"""The header `x-amzn-ErrorType` of each type; the others are internal server errors."""

FIXED = frozenset({"REQUEST_TOO_LARGE"})
"""Types that a template cannot change: the request is refused before its API is known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A request that API Gateway answers itself.

    Args:
        kind: type of the gateway response, a key of `DEFAULTS`.
        status: Default: the type's own.
        message: Default: the type's own.
    """

    kind: str
    status: int | None = None
    message: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rendered:
    """An answer of API Gateway's own, ready to send."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestContext:
    """What gateway responses may refer to.

    Args:
        context: values of `$context`, by their dotted names.
        headers: the request's headers, names in lower case.
    """

    context: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def render(refusal: Refusal, responses: Mapping[str, GatewayResponse], request: RequestContext) -> Rendered:
    """Make the answer for a refused request.

    What the template says about the type wins over what it says about `DEFAULT_4XX` or `DEFAULT_5XX`, which wins over API
    Gateway's default; a status is inherited apart from headers and body, as API Gateway does it.

    Args:
        refusal: why the request is refused.
        responses: the template's gateway responses by type.
        request: what they may refer to.
    """
    status, message = DEFAULTS[refusal.kind]
    status, message = refusal.status or status, refusal.message or message
    family = "DEFAULT_4XX" if _CLIENT_ERROR <= status < _SERVER_ERROR else "DEFAULT_5XX"
    chosen = None if refusal.kind in FIXED else responses.get(refusal.kind) or responses.get(family)
    if chosen is None:
        chosen = GatewayResponse()
    status = chosen.status or status
    context = {
        **request.context,
        "error.message": message,
        "error.messageString": json.dumps(message),
        "error.responseType": refusal.kind,
        "status": str(status),
    }
    content_type, template = _template(chosen.templates, request.headers.get("accept", ""))
    headers = {
        "Content-Type": content_type,
        "x-amzn-ErrorType": ERROR_TYPES.get(refusal.kind, "InternalServerErrorException"),
    }
    for name, value in chosen.parameters.items():
        text = _parameter(value, context, request.headers)
        if name.startswith(_PARAMETER) and text is not None:
            headers[name.removeprefix(_PARAMETER)] = text
    body = _VARIABLE.sub(lambda match: context.get(match[1] or "", ""), template)
    return Rendered(status=status, headers=headers, body=body.encode())


def _template(templates: Mapping[str, str], accept: str) -> tuple[str, str]:
    """Content type and template: the first type the client names, or else JSON, or else the first there is."""
    for wanted in (part.partition(";")[0].strip() for part in accept.split(",")):
        if wanted in templates:
            return wanted, templates[wanted]
    if templates and "application/json" not in templates:
        return next(iter(templates.items()))
    return "application/json", templates.get("application/json", _DEFAULT_TEMPLATE)


def _parameter(value: str, context: Mapping[str, str], headers: Mapping[str, str]) -> str | None:
    """The value of a response parameter: a literal in quotes, or something of the request."""
    if value.startswith("'") and value.endswith("'"):
        return value[1:-1]
    if value.startswith("context."):
        return context.get(value.removeprefix("context."))
    if value.startswith("method.request.header."):
        return headers.get(value.removeprefix("method.request.header.").lower())
    return None
