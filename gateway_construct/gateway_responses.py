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
class GatewayResponse:
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


UNKNOWN_ROUTE = GatewayResponse(
    status=404,
    error_type="not_found_error",
    message="this route is not served by the gateway, which serves POST /v1/chat/completions, /v1/responses, /v1/embeddings, "
    "/v1/messages, /v1/messages/count_tokens and GET /v1/models; an OpenAI client's base URL ends in /v1, an Anthropic "
    "client's has no /v1",
    code="unknown_route",
)
"""What is said about a path or a method that is no route of the gateway."""

_KEY_CHECK_FAILED = GatewayResponse(
    status=500,
    error_type="api_error",
    message="the gateway failed to check the API key",
    code="authorizer_failure",
)

_RESPONSES: Mapping[str, GatewayResponse] = {
    "DEFAULT_4XX": GatewayResponse(error_type="invalid_request_error"),
    "DEFAULT_5XX": GatewayResponse(error_type="api_error"),
    "UNAUTHORIZED": GatewayResponse(
        status=401,
        error_type="authentication_error",
        message="no API key was given; send it as 'Authorization: Bearer <key>' or as 'x-api-key: <key>'",
        code="missing_api_key",
    ),
    "INVALID_API_KEY": GatewayResponse(
        status=401,
        error_type="authentication_error",
        message="the API key is unknown, disabled or without a usage plan; ask the operator of this gateway for one",
        code="invalid_api_key",
    ),
    "ACCESS_DENIED": GatewayResponse(
        status=403,
        error_type="permission_error",
        message="the request is not allowed",
        code="access_denied",
    ),
    "WAF_FILTERED": GatewayResponse(
        status=403,
        error_type="permission_error",
        message="the request was blocked by the gateway's firewall",
        code="request_blocked",
    ),
    # Unknown routes have methods of their own, see unknown_routes.py; this is for what they do not catch. API Gateway takes
    # that for a request that should have been signed. No route wants a signature, so that all of these mean the same.
    "MISSING_AUTHENTICATION_TOKEN": UNKNOWN_ROUTE,
    "INVALID_SIGNATURE": UNKNOWN_ROUTE,
    "EXPIRED_TOKEN": UNKNOWN_ROUTE,
    "RESOURCE_NOT_FOUND": UNKNOWN_ROUTE,
    # Routes take every type of body; only the methods for unknown ones do not.
    "UNSUPPORTED_MEDIA_TYPE": UNKNOWN_ROUTE,
    "THROTTLED": GatewayResponse(
        status=429,
        error_type="rate_limit_error",
        message="too many requests at once; slow down",
        code="rate_limit_exceeded",
        headers={"retry-after": "'1'", "x-should-retry": "'true'"},
    ),
    "QUOTA_EXCEEDED": GatewayResponse(
        status=429,
        error_type="rate_limit_error",
        message="the quota of this API key is used up for the current period",
        code="insufficient_quota",
        # The SDKs would try again in a second: it takes until the period ends.
        headers={"x-should-retry": "'false'"},
    ),
    "INTEGRATION_TIMEOUT": GatewayResponse(
        status=504,
        error_type="timeout_error",
        message="the gateway took too long to answer",
        code="gateway_timeout",
    ),
    "INTEGRATION_FAILURE": GatewayResponse(
        status=502,
        error_type="api_error",
        message="the gateway failed to answer",
        code="gateway_failure",
    ),
    "AUTHORIZER_FAILURE": _KEY_CHECK_FAILED,
    "AUTHORIZER_CONFIGURATION_ERROR": _KEY_CHECK_FAILED,
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
