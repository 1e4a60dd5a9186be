from __future__ import annotations

from inspect import signature
from typing import Any

import pytest
from aws_cdk import Aws, Duration, Stack, Token

from gateway_construct import HOLYSHEEP_EXAMPLE_MODELS, AiGateway, Delivery, ModelRoute, Price, Target, Timeouts, Upstream
from gateway_construct.configuration import gateway_config
from lambda_runtime.config import GatewayConfig

FLAGS = [name for name, prop in signature(AiGateway.__init__).parameters.items() if prop.annotation == "bool"]
_DEFAULTS: dict[str, Any] = {
    "upstreams": [Upstream.openai()],
    "models": None,
    "serve_unmapped_models": True,
    "timeouts": None,
    "client_delivery": False,
    "model_list_ttl": None,
    "cors_allow_origins": ["*"],
}


def config(**props: Any) -> GatewayConfig:
    return gateway_config(**{**_DEFAULTS, **props})


def test_every_prop_reaches_the_runtime() -> None:
    assert config(
        upstreams=[Upstream.anthropic(), Upstream.openai()],
        models={"gpt-4": ["openai/gpt-4.1", "openai/gpt-4o"]},
        serve_unmapped_models=False,
        timeouts=Timeouts(connect=1),
        client_delivery=True,
        model_list_ttl=Duration.minutes(2),
        cors_allow_origins=["https://app.example.com"],
        prices={"openai/*": Price(input=1, output=2)},
    ) == GatewayConfig(
        upstreams=(Upstream.anthropic().config, Upstream.openai().config),
        models={"gpt-4": ModelRoute([Target("openai/gpt-4.1"), Target("openai/gpt-4o")])},
        serve_unmapped_models=False,
        timeouts=Timeouts(connect=1),
        client_delivery=True,
        model_list_ttl=120,
        cors_allow_origins=("https://app.example.com",),
        prices={"openai/*": Price(input=1, output=2)},
    )


@pytest.mark.parametrize("flag", FLAGS)
def test_a_flag_is_true_or_false(flag: str) -> None:
    for value in ("no", 1, None):
        with pytest.raises(ValueError, match=f"^{flag} must be True or False, got {value!r}"):
            AiGateway(Stack(), "Gateway", upstreams=[Upstream.openai()], **{flag: value})  # type: ignore[arg-type]


def test_defaults_are_those_of_the_runtime() -> None:
    assert config() == GatewayConfig(upstreams=(Upstream.openai().config,))


def test_a_route_is_spelled_as_one_likes() -> None:
    route = ModelRoute(["openai/a", "openai/b"])
    spellings = {
        "strings": ["openai/a", "openai/b"],
        "targets": (Target("openai/a"), "openai/b"),
        "route": route,
    }
    assert set(config(models=spellings).models.values()) == {route}
    whole = ModelRoute(["openai/a"], delivery="whole", first_content=60)
    assert config(models={"a": whole}).models["a"].delivery is Delivery.WHOLE


def test_example_models_fill_what_the_map_leaves_out() -> None:
    models = config(
        upstreams=[Upstream.holysheep(name="sheep", example_models=True), Upstream.openai()],
        models={"gpt-4": ["openai/gpt-4.1"]},
    ).models
    assert models["gpt-4"] == ModelRoute(["openai/gpt-4.1"])
    assert models["deepseek-chat"] == ModelRoute(["sheep/deepseek-v3.2"])
    assert set(models) == set(HOLYSHEEP_EXAMPLE_MODELS)


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"upstreams": []}, r"upstreams must not be empty; give at least one, for example Upstream\.openai\(\)"),
        ({"upstreams": [Upstream.openai(), Upstream.openai()]}, "upstream 'openai' is given twice"),
        ({"models": {"a": ["gpt-4.1"]}}, "models: 'a': a target is written 'upstream/model', got 'gpt-4.1'"),
        ({"models": {"a": []}}, "models: 'a': a model has no target"),
        ({"models": {"a": "openai/gpt-4.1"}}, r"models: 'a': targets must be a list, .*; write \['openai/gpt-4.1'\]"),
        ({"models": {"a": Target("openai/b")}}, r"models: 'a': targets must be a list, got one target; write \[Target\("),
        ({"models": {"a": ["openai/b", Target("openai/b")]}}, "models: 'a': the target 'openai/b' is given twice"),
        ({"models": {"a": [Target("openai/b", weight=5)]}}, "models: 'a': the weights of openai/b are percentages"),
        ({"models": {"a": ["acme/gpt"]}}, "models: 'a' names the upstream 'acme', which does not exist; upstreams: openai"),
        ({"models": {Aws.REGION: ["openai/a"]}}, "models must be known at synth, got a token"),
        ({"models": {"a": [f"openai/{Aws.REGION}"]}}, "models: 'a' must be known at synth, got a token"),
        ({"models": {"a": ModelRoute([f"openai/{Aws.REGION}"])}}, "models: 'a' must be known at synth, got a token"),
        ({"model_list_ttl": Duration.seconds(Token.as_number({"Ref": "A"}))}, "model_list_ttl must be known at synth"),
        ({"serve_unmapped_models": False}, "serve_unmapped_models=False needs a model map"),
        ({"cors_allow_origins": ["*", "https://a.example"]}, r"'\*' stands for every origin, so it must be the only one"),
        ({"cors_allow_origins": ["a.example"]}, "an origin is scheme and host, for example .*, got 'a.example'"),
        ({"cors_allow_origins": ["https://a.example/"]}, "got 'https://a.example/'"),
        ({"cors_allow_origins": ["https://a.example'"]}, 'got "https://a.example\'"'),
        ({"cors_allow_origins": "*"}, r"cors_allow_origins must be a list of origins, got the string '\*'"),
    ],
)
def test_mistakes_are_explained(props: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        config(**props)
