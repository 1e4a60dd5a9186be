"""API Gateway's own errors, in a shape that the OpenAI and the Anthropic SDKs both understand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from aws_cdk import aws_apigateway as apigateway

from gateway_construct.cors import error_headers

_OWN_MESSAGE = "$context.error.messageString"
"""API Gateway's own message: it fills it in as a quoted JSON string."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Response:
    """One gateway response. Without a status API Gateway's own stays, without a message its own message."""

    status: int | None = None
    error_type: str
    message: str | None = None
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> str:
        """The template: substitution is all that API Gateway does with it."""
        body = {
            "type": "error",
            "error": {"type": self.error_type, "message": self.message or _OWN_MESSAGE, "param": None, "code": self.code},
            "request_id": "$context.requestId",
        }
        return json.dumps(body).replace(f'"{_OWN_MESSAGE}"', _OWN_MESSAGE)


_UNKNOWN_ROUTE = _Response(
    status=404,
    error_type="not_found_error",
    message="this gateway has no such route; it serves POST /v1/chat/completions, /v1/responses, /v1/embeddings, /v1/messages, "
    "/v1/messages/count_tokens and GET /v1/models",
    code="unknown_route",
)

_RESPONSES: Mapping[str, _Response] = {
    "DEFAULT_4XX": _Response(error_type="invalid_request_error"),
    "DEFAULT_5XX": _Response(error_type="api_error"),
    "UNAUTHORIZED": _Response(
        status=401,
        error_type="authentication_error",
        message="no API key was given; send it as 'Authorization: Bearer <key>' or as 'x-api-key: <key>'",
        code="missing_api_key",
    ),
    "INVALID_API_KEY": _Response(
        status=401,
        error_type="authentication_error",
        message="the API key is unknown, disabled or without a usage plan; ask the operator of this gateway for one",
        code="invalid_api_key",
    ),
    "ACCESS_DENIED": _Response(
        status=403,
        error_type="permission_error",
        message="the request is not allowed",
        code="access_denied",
    ),
    "WAF_FILTERED": _Response(
        status=403,
        error_type="permission_error",
        message="the request was blocked by the gateway's firewall",
        code="request_blocked",
    ),
    # API Gateway takes whatever comes to an unknown route for a request that should have been signed. No route of the gateway
    # wants a signature, so that all of these mean the same.
    "MISSING_AUTHENTICATION_TOKEN": _UNKNOWN_ROUTE,
    "INVALID_SIGNATURE": _UNKNOWN_ROUTE,
    "EXPIRED_TOKEN": _UNKNOWN_ROUTE,
    "RESOURCE_NOT_FOUND": _UNKNOWN_ROUTE,
    "THROTTLED": _Response(
        status=429,
        error_type="rate_limit_error",
        message="too many requests at once; slow down",
        code="rate_limit_exceeded",
        headers={"retry-after": "'1'", "x-should-retry": "'true'"},
    ),
    "QUOTA_EXCEEDED": _Response(
        status=429,
        error_type="rate_limit_error",
        message="the quota of this API key is used up for the current period",
        code="insufficient_quota",
        # The SDKs would try again in a second: it takes until the period ends.
        headers={"x-should-retry": "'false'"},
    ),
    "INTEGRATION_TIMEOUT": _Response(
        status=504,
        error_type="timeout_error",
        message="the gateway took too long to answer",
        code="gateway_timeout",
    ),
    "INTEGRATION_FAILURE": _Response(
        status=502,
        error_type="api_error",
        message="the gateway failed to answer",
        code="gateway_failure",
    ),
    "AUTHORIZER_FAILURE": _Response(
        status=500,
        error_type="api_error",
        message="the gateway failed to check the API key",
        code="authorizer_failure",
    ),
    "AUTHORIZER_CONFIGURATION_ERROR": _Response(
        status=500,
        error_type="api_error",
        message="the gateway failed to check the API key",
        code="authorizer_failure",
    ),
}
"""By API Gateway's name of the response type. 413 (REQUEST_TOO_LARGE) cannot be overridden."""


def add_gateway_responses(api: apigateway.RestApi, *, cors_allow_origins: tuple[str, ...]) -> None:
    """Give the API its errors, readable for browsers of the allowed origins."""
    cors = error_headers(cors_allow_origins)
    for name, response in _RESPONSES.items():
        api.add_gateway_response(
            name.title().replace("_", ""),
            type=apigateway.ResponseType.of(name),
            status_code=str(response.status) if response.status else None,
            response_headers={**cors, **response.headers},
            templates={"application/json": response.body()},
        )
