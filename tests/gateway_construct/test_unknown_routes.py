from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Stack

from gateway_construct import AiGateway, Upstream
from tests.gateway_construct.resources import of_type, synthesized, unknown_routes

pytestmark = pytest.mark.template


@pytest.fixture
def catch_all(template_of: Callable[[str], Any]) -> Any:
    (method,) = (properties for _, path, properties in unknown_routes(template_of("smallest")) if path == "/{proxy+}")
    return method


def test_every_path_has_an_answer_to_every_method(any_template: Any) -> None:
    # API Gateway goes on to the greedy path where a resource lacks the method.
    assert {(method, path) for method, path, _ in unknown_routes(any_template)} == {("ANY", ""), ("ANY", "/{proxy+}")}


def test_neither_an_authorizer_nor_a_key_is_asked_for(any_template: Any) -> None:
    for _, _, properties in unknown_routes(any_template):
        assert properties["AuthorizationType"] == "NONE"
        assert not properties.get("ApiKeyRequired")
        assert "AuthorizerId" not in properties


def test_the_answer_is_404_whatever_the_body_is(catch_all: Any) -> None:
    integration = catch_all["Integration"]
    assert integration["Type"] == "MOCK"
    (template,) = integration["RequestTemplates"].items()
    assert (template[0], json.loads(template[1])) == ("application/json", {"statusCode": 404})
    # Otherwise a body of another type would be passed on in place of the template's result, which is a 500.
    assert integration["PassthroughBehavior"] == "NEVER"
    (response,) = integration["IntegrationResponses"]
    assert response["StatusCode"] == "404"
    assert "SelectionPattern" not in response


def test_both_sdk_families_find_their_fields(catch_all: Any) -> None:
    (response,) = catch_all["Integration"]["IntegrationResponses"]
    answer = json.loads(response["ResponseTemplates"]["application/json"])
    assert (answer["type"], answer["request_id"]) == ("error", "$context.requestId")
    error = answer["error"]
    assert (error["type"], error["param"], error["code"]) == ("not_found_error", None, "unknown_route")
    assert "an OpenAI client's base URL ends in /v1, an Anthropic client's has no /v1" in error["message"]


def test_it_says_the_same_as_the_gateway_responses(template_of: Callable[[str], Any], catch_all: Any) -> None:
    (response,) = catch_all["Integration"]["IntegrationResponses"]
    same = {
        name
        for name, properties in (
            (properties["ResponseType"], properties)
            for properties in of_type(template_of("smallest"), "ApiGateway::GatewayResponse").values()
        )
        if properties["ResponseTemplates"] == response["ResponseTemplates"]
    }
    assert {"MISSING_AUTHENTICATION_TOKEN", "UNSUPPORTED_MEDIA_TYPE"} <= same


@pytest.mark.parametrize("origins", [["*"], ["https://a.example", "https://b.example"], []])
def test_every_header_is_declared_and_its_value_is_a_literal(stack: Stack, origins: list[str]) -> None:
    AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], cors_allow_origins=origins)
    for _, _, properties in unknown_routes(synthesized(stack)):
        (declared,), (response,) = properties["MethodResponses"], properties["Integration"]["IntegrationResponses"]
        headers = response.get("ResponseParameters", {})
        assert declared["StatusCode"] == response["StatusCode"]
        assert declared.get("ResponseParameters", {}).keys() == headers.keys()
        # A header of the request, which gateway responses may repeat, is no source for an integration response.
        assert all(value.startswith("'") and value.endswith("'") for value in headers.values())


def test_they_are_deployed_before_the_stage_is(any_template: Any) -> None:
    (deployment,) = (r for r in any_template["Resources"].values() if r["Type"] == "AWS::ApiGateway::Deployment")
    needed = {*of_type(any_template, "ApiGateway::Method"), *of_type(any_template, "ApiGateway::GatewayResponse")}
    assert needed <= set(deployment["DependsOn"])


def test_another_answer_is_deployed(stack: Stack) -> None:
    other = Stack(stack.node.root, "Other")
    for scope, origin in ((stack, "https://a.example"), (other, "https://b.example")):
        AiGateway(scope, "Gateway", upstreams=[Upstream.openai()], cors_allow_origins=[origin])
    first, second = (of_type(synthesized(scope), "ApiGateway::Deployment") for scope in (stack, other))
    assert first.keys() != second.keys()
