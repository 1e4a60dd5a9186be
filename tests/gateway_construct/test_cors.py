from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Stack

from gateway_construct import AiGateway, Upstream
from tests.gateway_construct.resources import methods, of_type, synthesized, unknown_routes

pytestmark = pytest.mark.template

ORIGIN = "Access-Control-Allow-Origin"


def preflights(template: Any) -> dict[str, Any]:
    return {path: properties for method, path, properties in methods(template) if method == "OPTIONS"}


def header(method: Any, name: str) -> str:
    value: str = method["Integration"]["IntegrationResponses"][0]["ResponseParameters"][f"method.response.header.{name}"]
    return value.strip("'")


def error_origins(template: Any) -> set[str | None]:
    """What gateway responses allow, and the methods for unknown routes."""
    responses = of_type(template, "ApiGateway::GatewayResponse").values()
    allowed = {r.get("ResponseParameters", {}).get(f"gatewayresponse.header.{ORIGIN}") for r in responses}
    for _, _, properties in unknown_routes(template):
        (response,) = properties["Integration"]["IntegrationResponses"]
        allowed.add(response.get("ResponseParameters", {}).get(f"method.response.header.{ORIGIN}"))
    return allowed


def test_preflights_are_answered_without_key_and_function(template_of: Callable[[str], Any]) -> None:
    found = preflights(template_of("smallest"))
    assert len(found) == 7
    for method in found.values():
        assert (method["AuthorizationType"], method["ApiKeyRequired"]) == ("NONE", False)
        assert "AuthorizerId" not in method
        assert method["Integration"]["Type"] == "MOCK"
    assert header(found["/v1/messages"], "Access-Control-Allow-Methods") == "POST,OPTIONS"
    assert header(found["/v1/models"], "Access-Control-Allow-Methods") == "GET,OPTIONS"


@pytest.mark.parametrize(
    "name",
    [
        "authorization",
        "content-type",
        "x-api-key",
        "anthropic-version",
        "anthropic-beta",
        "anthropic-dangerous-direct-browser-access",
        "x-stainless-retry-count",
        "x-stainless-timeout",
        "x-ai-gateway-delivery",
    ],
)
def test_headers_of_the_sdks_are_allowed(template_of: Callable[[str], Any], name: str) -> None:
    allowed = header(preflights(template_of("smallest"))["/v1/messages"], "Access-Control-Allow-Headers").split(",")
    assert name in allowed
    assert "*" not in allowed


def test_any_origin(template_of: Callable[[str], Any]) -> None:
    template = template_of("smallest")
    assert {header(method, ORIGIN) for method in preflights(template).values()} == {"*"}
    assert error_origins(template) == {"'*'"}


def test_several_origins(template_of: Callable[[str], Any]) -> None:
    template = template_of("models")
    assert {header(method, ORIGIN) for method in preflights(template).values()} == {"https://app.example.com"}
    assert error_origins(template) == {"'*'"}


def test_one_origin(stack: Stack) -> None:
    AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], cors_allow_origins=["https://app.example.com"])
    template = synthesized(stack)
    assert {header(method, ORIGIN) for method in preflights(template).values()} == {"https://app.example.com"}
    assert error_origins(template) == {"'https://app.example.com'"}


def test_no_origin(stack: Stack) -> None:
    AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], cors_allow_origins=[])
    template = synthesized(stack)
    assert not preflights(template)
    assert error_origins(template) == {None}
