from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, Duration, Stack

from gateway_construct import AiGateway, Upstream
from tests.gateway_construct.resources import of_type, only, routes, synthesized

pytestmark = pytest.mark.template


def test_without_a_cache_one_authorizer_takes_either_header(template_of: Callable[[str], Any]) -> None:
    authorizer = only(template_of("smallest"), "ApiGateway::Authorizer")
    assert authorizer["Type"] == "REQUEST"
    assert authorizer["AuthorizerResultTtlInSeconds"] == 0
    assert "IdentitySource" not in authorizer


def test_its_function(template_of: Callable[[str], Any]) -> None:
    function = only(template_of("smallest"), "Lambda::Function", Handler="lambda_runtime.authorizer.index.handler")
    assert (function["Runtime"], function["Architectures"], function["MemorySize"]) == ("python3.13", ["arm64"], 128)
    assert function["Timeout"] == 5
    assert "Environment" not in function


def test_with_a_cache_each_route_family_has_its_header(template_of: Callable[[str], Any]) -> None:
    template = template_of("cached-authorizer")
    authorizers = of_type(template, "ApiGateway::Authorizer")
    found = {
        path: (authorizer.get("IdentitySource"), authorizer["AuthorizerResultTtlInSeconds"])
        for _, path, properties in routes(template)
        for authorizer in [authorizers[properties["AuthorizerId"]["Ref"]]]
    }
    openai, anthropic = ("method.request.header.Authorization", 300), ("method.request.header.x-api-key", 300)
    assert found == {
        "/v1/chat/completions": openai,
        "/v1/responses": openai,
        "/v1/embeddings": openai,
        "/v1/messages": anthropic,
        "/v1/messages/count_tokens": anthropic,
        "/v1/models": (None, 0),
        "/v1/models/{id+}": (None, 0),
    }


def test_a_cached_answer_is_good_for_every_route(template_of: Callable[[str], Any]) -> None:
    function = only(template_of("cached-authorizer"), "Lambda::Function", Handler="lambda_runtime.authorizer.index.handler")
    assert function["Environment"] == {"Variables": {"AUTHORIZER_CACHED": "1"}}


@pytest.mark.parametrize("flag", [True, False])
def test_another_cache_time_is_deployed(flag: bool) -> None:
    def deployment(ttl: Duration) -> str:
        app = App(context={"@aws-cdk/aws-apigateway:authorizerChangeDeploymentLogicalId": flag})
        stack = Stack(app, "Stack")
        AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], authorizer_cache_ttl=ttl)
        (name,) = of_type(synthesized(stack), "ApiGateway::Deployment")
        return name

    assert deployment(Duration.minutes(1)) == deployment(Duration.minutes(1))
    assert deployment(Duration.minutes(1)) != deployment(Duration.minutes(2))


@pytest.mark.parametrize("ttl", [Duration.minutes(61), Duration.seconds(0), Duration.millis(1500)])
def test_mistakes_are_explained(stack: Stack, ttl: Duration) -> None:
    with pytest.raises(
        ValueError,
        match=r"authorizer_cache_ttl must be a whole number of seconds from 1 second to 1 hour, got .*; leave it out for no",
    ):
        AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], authorizer_cache_ttl=ttl)
