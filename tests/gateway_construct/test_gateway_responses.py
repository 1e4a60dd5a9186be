from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway_construct.routes import ROUTES
from tests.gateway_construct.resources import of_type

pytestmark = pytest.mark.template


@pytest.fixture
def responses(template_of: Callable[[str], Any]) -> dict[str, Any]:
    found = of_type(template_of("smallest"), "ApiGateway::GatewayResponse").values()
    return {response["ResponseType"]: response for response in found}


def body(response: Any) -> Any:
    return json.loads(response["ResponseTemplates"]["application/json"].replace("$context.error.messageString", '"message"'))


@pytest.mark.parametrize(
    ("kind", "status", "error_type", "code"),
    [
        ("UNAUTHORIZED", "401", "authentication_error", "missing_api_key"),
        ("INVALID_API_KEY", "401", "authentication_error", "invalid_api_key"),
        ("ACCESS_DENIED", "403", "permission_error", "access_denied"),
        ("WAF_FILTERED", "403", "permission_error", "request_blocked"),
        ("MISSING_AUTHENTICATION_TOKEN", "404", "not_found_error", "unknown_route"),
        ("INVALID_SIGNATURE", "404", "not_found_error", "unknown_route"),
        ("EXPIRED_TOKEN", "404", "not_found_error", "unknown_route"),
        ("RESOURCE_NOT_FOUND", "404", "not_found_error", "unknown_route"),
        ("UNSUPPORTED_MEDIA_TYPE", "404", "not_found_error", "unknown_route"),
        ("THROTTLED", "429", "rate_limit_error", "rate_limit_exceeded"),
        ("QUOTA_EXCEEDED", "429", "rate_limit_error", "insufficient_quota"),
        ("INTEGRATION_FAILURE", "502", "api_error", "gateway_failure"),
        ("INTEGRATION_TIMEOUT", "504", "timeout_error", "gateway_timeout"),
        ("AUTHORIZER_FAILURE", "500", "api_error", "authorizer_failure"),
        ("AUTHORIZER_CONFIGURATION_ERROR", "500", "api_error", "authorizer_failure"),
        ("DEFAULT_4XX", None, "invalid_request_error", None),
        ("DEFAULT_5XX", None, "api_error", None),
    ],
)
def test_status_type_and_code(
    responses: dict[str, Any], kind: str, status: str | None, error_type: str, code: str | None
) -> None:
    response = responses[kind]
    assert response.get("StatusCode") == status
    answer = body(response)
    assert answer["error"]["type"] == error_type
    assert answer["error"]["code"] == code


def test_both_sdk_families_find_their_fields(responses: dict[str, Any]) -> None:
    for response in responses.values():
        answer = body(response)
        assert answer["type"] == "error"
        assert set(answer["error"]) == {"type", "message", "param", "code"}
        assert answer["error"]["message"]
        assert answer["request_id"] == "$context.requestId"


def test_what_the_sdks_should_try_again(responses: dict[str, Any]) -> None:
    def header(kind: str, name: str) -> str | None:
        value: str | None = responses[kind]["ResponseParameters"].get(f"gatewayresponse.header.{name}")
        return value

    assert header("THROTTLED", "x-should-retry") == "'true'"
    assert header("THROTTLED", "retry-after") == "'1'"
    assert header("QUOTA_EXCEEDED", "x-should-retry") == "'false'"
    assert header("QUOTA_EXCEEDED", "retry-after") is None


def test_the_list_of_routes_in_the_message_is_right(responses: dict[str, Any]) -> None:
    message = body(responses["MISSING_AUTHENTICATION_TOKEN"])["error"]["message"]
    for route in ROUTES:
        assert route.path.removesuffix("/{id+}") in message
