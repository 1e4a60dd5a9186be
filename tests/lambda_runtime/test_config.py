"""What a configuration refuses that the runtime could not use, and that it survives its travel as JSON."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_runtime.config import (
    ANTHROPIC_OPERATIONS,
    OPENAI_OPERATIONS,
    AuthStyle,
    Delivery,
    Endpoint,
    GatewayConfig,
    ModelRoute,
    Operation,
    Target,
    Timeouts,
    UpstreamConfig,
)

UPSTREAMS = tuple(
    UpstreamConfig(
        name=name,
        endpoints=(Endpoint(base_url="https://a.example/v1", auth=AuthStyle.BEARER, operations=OPENAI_OPERATIONS),),
    )
    for name in ("a", "b")
)
# Of a name, too, anything may be part that is text: models are called as their providers like.
TEXT = st.text(min_size=1, max_size=8)
SECONDS = st.floats(min_value=0.001, max_value=900)
# API Gateway's own limit is 300.
SHORT_SECONDS = st.floats(min_value=0.001, max_value=299)
# Not the CDK's own, which the runtime does not know.
DURATION = timedelta(seconds=5)
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,31}", fullmatch=True)
ENDPOINTS = st.sampled_from([OPENAI_OPERATIONS, ANTHROPIC_OPERATIONS, (Operation.EMBEDDINGS,)]).flatmap(
    lambda operations: st.builds(
        Endpoint,
        base_url=st.sampled_from(["https://a.example/v1", "http://127.0.0.1:8000", "https://b.example"]),
        auth=st.sampled_from(AuthStyle),
        operations=st.just(operations),
    )
)


@st.composite
def routes(draw: st.DrawFn, upstreams: list[str]) -> ModelRoute:
    """A route over some of these upstreams, with a weight for some of its targets."""
    name = st.builds("{}/{}".format, st.sampled_from(upstreams), TEXT)
    names = draw(st.lists(name, min_size=1, max_size=4, unique=True))
    weights = [draw(st.none() | st.floats(0, 100 / len(names))) for _ in names]
    weights[draw(st.integers(0, len(names) - 1))] = None
    return ModelRoute(
        [Target(n, weight=weight, larger_context=draw(st.booleans())) for n, weight in zip(names, weights, strict=True)],
        delivery=draw(st.sampled_from(Delivery)),
        first_content=draw(st.none() | SECONDS),
    )


@st.composite
def configurations(draw: st.DrawFn) -> GatewayConfig:
    """Any configuration that is valid."""
    upstreams = tuple(
        UpstreamConfig(
            name=name,
            endpoints=(draw(ENDPOINTS),),
            secret_field=draw(TEXT),
            model_prefixes=tuple(draw(st.lists(TEXT, max_size=3))),
            stream_usage=draw(st.booleans()),
        )
        for name in draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    )
    return GatewayConfig(
        upstreams=upstreams,
        models=draw(st.dictionaries(TEXT, routes([upstream.name for upstream in upstreams]), max_size=3)),
        serve_unmapped_models=draw(st.booleans()),
        cors_allow_origins=tuple(draw(st.lists(TEXT, max_size=2))),
        model_list_ttl=draw(SECONDS),
        timeouts=Timeouts(
            connect=draw(SECONDS),
            first_content=draw(SECONDS),
            first_content_reasoning=draw(SECONDS),
            idle=draw(SECONDS),
            unstreamed=draw(SHORT_SECONDS),
            total=draw(st.none() | SECONDS),
            heartbeat=draw(SHORT_SECONDS),
        ),
        client_delivery=draw(st.booleans()),
        hooks=draw(st.none() | TEXT),
    )


@given(configurations())
def test_what_was_written_is_what_is_read(config: GatewayConfig) -> None:
    text = config.to_json()
    read = GatewayConfig.from_json(text)
    assert read == config
    assert read.to_json() == text
    assert all(type(route.delivery) is Delivery for route in read.models.values())


@given(configurations())
def test_the_order_of_the_model_map_is_no_change(config: GatewayConfig) -> None:
    turned = GatewayConfig(
        **{name: getattr(config, name) for name in GatewayConfig.__dataclass_fields__}
        | {"models": dict(reversed(config.models.items()))}
    )
    assert turned.to_json() == config.to_json()


def test_every_field_travels() -> None:
    assert set(json.loads(GatewayConfig(upstreams=UPSTREAMS).to_json())) == set(GatewayConfig.__dataclass_fields__)


@pytest.mark.parametrize(
    "base_url",
    [
        "https://a.example:99999/v1",
        "https://a.example:port/v1",
        "https://a.example:0",
        "https://a b.example",
        "https://a.example/ü",
    ],
)
def test_a_base_url_that_no_request_can_be_sent_to_is_refused(base_url: str) -> None:
    with pytest.raises(ValueError, match="base_url must be an absolute https URL, got"):
        Endpoint(base_url=base_url, auth=AuthStyle.BEARER, operations=OPENAI_OPERATIONS)


def test_a_target_has_two_names() -> None:
    target = Target("vllm/meta-llama/Llama-3.3-70B-Instruct")
    assert (target.upstream, target.model, str(target)) == ("vllm", "meta-llama/Llama-3.3-70B-Instruct", target.name)
    assert (target.weight, target.larger_context) == (None, False)


@pytest.mark.parametrize("name", ["", "gpt-4", "openai/", "/gpt-4", "/"])
def test_a_target_lacks_no_part(name: str) -> None:
    with pytest.raises(ValueError, match=f"a target is written 'upstream/model', got '{name}'"):
        Target(name)


@pytest.mark.parametrize("weight", [-1, 100.1, float("nan"), float("inf"), "5", True, DURATION])
def test_a_weight_is_a_percentage(weight: Any) -> None:
    with pytest.raises(
        ValueError, match=f"target 'a/x': weight is a percentage from 0 to 100, for example 5, got {re.escape(repr(weight))}"
    ):
        Target("a/x", weight=weight)


@pytest.mark.parametrize("value", ["no", "false", 1, 0, None])
def test_a_target_takes_more_or_not(value: Any) -> None:
    with pytest.raises(ValueError, match=f"target 'a/x': larger_context must be True or False, got {value!r}"):
        Target("a/x", larger_context=value)


def test_a_route_is_a_list_of_targets_however_they_are_written() -> None:
    route = ModelRoute(["a/x", Target("b/y", weight=5)], delivery="whole")
    assert route.ordered == (Target("a/x"), Target("b/y", weight=5))
    assert route.delivery is Delivery.WHOLE
    assert ModelRoute(["a/x"]).delivery is Delivery.STREAMED
    assert route == ModelRoute((Target("a/x"), Target("b/y", weight=5)), delivery=Delivery.WHOLE)


@pytest.mark.parametrize(
    "weights",
    [[None, None], [5, None], [0, None], [5, 95], [100, 0], [100, None], [0, 0, 100], [0.7, 88.4, 10.9], [33.3, 33.3, 33.4]],
)
def test_weights_are_parts_of_a_whole(weights: list[float | None]) -> None:
    ModelRoute([Target(f"a/{number}", weight=weight) for number, weight in enumerate(weights)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"targets": []}, "a model has no target; write at least one 'upstream/model'"),
        ({"targets": "a/x"}, r"targets must be a list, got the string 'a/x'; write \['a/x'\]"),
        ({"targets": ["x"]}, "a target is written 'upstream/model', got 'x'"),
        ({"targets": ["a/x", "b/y", Target("a/x", larger_context=True)]}, "the target 'a/x' is given twice"),
        ({"targets": [Target("a/x", weight=5)]}, "the weights of a/x are percentages .* add up to 5; let them add up to 100"),
        ({"targets": [Target("a/x", weight=5), Target("b/y", weight=90)]}, "a/x, b/y are percentages .* add up to 95;"),
        ({"targets": [Target("a/x", weight=60), Target("b/y", weight=60), "a/z"]}, "add up to 120; .* or leave one target"),
        ({"targets": ["a/x"], "delivery": "hole"}, "delivery must be 'streamed' or 'whole', got 'hole'"),
        ({"targets": ["a/x"], "first_content": 0}, "first_content must be more than 0 seconds, got 0"),
        ({"targets": ["a/x"], "first_content": float("nan")}, "first_content must be more than 0 seconds, got nan"),
    ],
)
def test_mistakes_in_a_route_are_explained(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ModelRoute(**arguments)


@pytest.mark.parametrize("value", ["5", True, DURATION])
def test_a_time_is_a_number_of_seconds(value: Any) -> None:
    message = f"must be a number of seconds, for example 5, got {re.escape(repr(value))}"
    with pytest.raises(ValueError, match=f"^first_content {message}"):
        ModelRoute(["a/x"], first_content=value)
    for name in Timeouts.__dataclass_fields__:
        with pytest.raises(ValueError, match=f"^timeouts: {name} {message}"):
            Timeouts(**{name: value})


def test_api_gateway_is_not_waited_for_longer_than_it_waits() -> None:
    Timeouts(unstreamed=300, heartbeat=299.9, first_content=400, total=800)
    with pytest.raises(ValueError, match=r"unstreamed must be 300 seconds at most, after which API Gateway .*, got 300\.1"):
        Timeouts(unstreamed=300.1)
    with pytest.raises(ValueError, match=r"heartbeat must be less than 300 seconds, after which API Gateway .*, got 300"):
        Timeouts(heartbeat=300)


@pytest.mark.parametrize("name", [name for name in Timeouts.__dataclass_fields__ if name != "total"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_time_out_is_some_time(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"timeouts: {name} must be more than 0 seconds, got {value}"):
        Timeouts(**{name: value})


def test_only_the_total_may_be_left_to_the_function() -> None:
    assert Timeouts(total=None).total is None
    with pytest.raises(ValueError, match="timeouts: total must be more than 0 seconds, got 0"):
        Timeouts(total=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"upstreams": ()}, "upstreams must not be empty"),
        ({"upstreams": UPSTREAMS[:1] * 2}, "upstream 'a' is given twice; .* name='a-2'"),
        ({"models": {"": ModelRoute(["a/x"])}}, "models: a model name must not be empty"),
        (
            {"models": {"m": ModelRoute(["a/x", "c/y"])}},
            "models: 'm' names the upstream 'c', which does not exist; upstreams: a, b",
        ),
    ],
)
def test_what_does_not_fit_together_is_explained(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GatewayConfig(**{"upstreams": UPSTREAMS, **arguments})


def test_an_upstream_may_have_what_begins_with_its_prefixes() -> None:
    endpoints = UPSTREAMS[0].endpoints
    own = UpstreamConfig(name="a", endpoints=endpoints, model_prefixes=("gpt-", "o4"))
    assert [own.may_have(model) for model in ("gpt-4", "o4-mini", "claude-3", "gpt", "my-gpt-4")] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert UPSTREAMS[0].may_have("whatever")
