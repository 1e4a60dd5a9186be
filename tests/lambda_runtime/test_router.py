"""Which upstreams may serve a model, under which names, and who of them is asked first."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from itertools import cycle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_runtime.config import (
    ANTHROPIC_OPERATIONS,
    OPENAI_OPERATIONS,
    AuthStyle,
    Endpoint,
    GatewayConfig,
    ModelRoute,
    Operation,
    Target,
    UpstreamConfig,
)
from lambda_runtime.errors import ModelNotFoundError
from lambda_runtime.router import MAX_PREFIXES, Routed, Router, in_order

CHAT, MESSAGES = Operation.CHAT_COMPLETIONS, Operation.MESSAGES


def upstream(name: str, operations: Sequence[Operation], **more: Any) -> UpstreamConfig:
    endpoint = Endpoint(base_url=f"https://{name}.example", auth=AuthStyle.NONE, operations=tuple(operations))
    return UpstreamConfig(name=name, endpoints=(endpoint,), **more)


OPENAI = upstream("openai", OPENAI_OPERATIONS, model_prefixes=("gpt-", "o1"))
ANTHROPIC = upstream("anthropic", ANTHROPIC_OPERATIONS, model_prefixes=("claude-",))
OTHER = upstream("other", (CHAT,))


def router(*upstreams: UpstreamConfig, models: dict[str, Any] | None = None, **config: Any) -> Router:
    routes = {name: route if isinstance(route, ModelRoute) else ModelRoute(route) for name, route in (models or {}).items()}
    return Router(GatewayConfig(upstreams=upstreams, models=routes, **config))


def names(routed: Routed) -> list[tuple[str, Operation]]:
    return [(candidate.target, candidate.operation) for candidate in routed.candidates]


def test_a_mapped_models_targets_come_in_their_order_translated_if_need_be() -> None:
    routes = router(OPENAI, ANTHROPIC, models={"m": ["anthropic/claude-x", "openai/gpt-x", "anthropic/org/y"]})
    chat = routes.route("m", CHAT)
    assert names(chat) == [("anthropic/claude-x", MESSAGES), ("openai/gpt-x", CHAT), ("anthropic/org/y", MESSAGES)]
    assert [candidate.model for candidate in chat.candidates] == ["claude-x", "gpt-x", "org/y"]
    assert [candidate.endpoint.base_url for candidate in chat.candidates][1] == "https://openai.example"
    assert names(routes.route("m", MESSAGES)) == [
        ("anthropic/claude-x", MESSAGES),
        ("openai/gpt-x", CHAT),
        ("anthropic/org/y", MESSAGES),
    ]
    assert names(routes.route("m", Operation.RESPONSES)) == [("openai/gpt-x", Operation.RESPONSES)]
    assert names(routes.route("m", Operation.COUNT_TOKENS))[0] == ("anthropic/claude-x", Operation.COUNT_TOKENS)
    assert routes.route("m", CHAT) is chat


def test_an_upstream_of_both_formats_is_never_translated_for() -> None:
    both = UpstreamConfig(
        name="both",
        endpoints=(
            Endpoint(base_url="https://b.example/v1", auth=AuthStyle.BEARER, operations=(CHAT,)),
            Endpoint(base_url="https://b.example", auth=AuthStyle.X_API_KEY, operations=(MESSAGES,)),
        ),
    )
    for operation in (CHAT, MESSAGES):
        assert names(router(both).route("m", operation)) == [("both/m", operation)]


def test_what_a_route_says_is_handed_on() -> None:
    route = ModelRoute(
        [Target("other/a", weight=5), Target("openai/b", larger_context=True)], delivery="whole", first_content=7
    )
    routed = router(OPENAI, OTHER, models={"m": route}).route("m", CHAT)
    assert (routed.name, routed.whole, routed.first_content) == ("m", True, 7)
    assert [(c.weight, c.larger_context) for c in routed.candidates] == [(5, False), (None, True)]


@pytest.mark.parametrize(
    ("upstreams", "model", "operation", "target", "asked"),
    [
        ((OPENAI, ANTHROPIC), "gpt-4", CHAT, "openai/gpt-4", CHAT),
        ((OPENAI, ANTHROPIC), "claude-3", CHAT, "anthropic/claude-3", MESSAGES),
        ((OPENAI, ANTHROPIC), "gpt-4", MESSAGES, "openai/gpt-4", CHAT),
        ((OPENAI, ANTHROPIC), "claude-3", MESSAGES, "anthropic/claude-3", MESSAGES),
        # Nobody is likely to have it: the first that speaks the format.
        ((OPENAI, ANTHROPIC), "llama", MESSAGES, "anthropic/llama", MESSAGES),
        ((OPENAI, ANTHROPIC), "llama", CHAT, "openai/llama", CHAT),
        ((OPENAI, ANTHROPIC), "llama", Operation.EMBEDDINGS, "openai/llama", Operation.EMBEDDINGS),
        # One that may have any model and speaks the format goes before one that must be translated for.
        ((OPENAI, ANTHROPIC, OTHER), "claude-3", CHAT, "other/claude-3", CHAT),
        ((OTHER, ANTHROPIC), "claude-3", MESSAGES, "anthropic/claude-3", MESSAGES),
        ((OTHER,), "x", MESSAGES, "other/x", CHAT),
        ((OPENAI, OTHER), "gpt-4", CHAT, "openai/gpt-4", CHAT),
        ((OTHER, OPENAI), "gpt-4", CHAT, "other/gpt-4", CHAT),
        ((ANTHROPIC, OTHER), "org/model", CHAT, "other/org/model", CHAT),
    ],
)
def test_an_unmapped_model_goes_to_one_upstream_that_may_have_it(
    upstreams: tuple[UpstreamConfig, ...], model: str, operation: Operation, target: str, asked: Operation
) -> None:
    routed = router(*upstreams).route(model, operation)
    assert names(routed) == [(target, asked)]
    assert (routed.name, routed.whole, routed.first_content) == ("", False, None)


def test_nobody_is_translated_to_who_is_not_likely_to_have_the_model() -> None:
    with pytest.raises(ModelNotFoundError, match="the model 'llama' does not exist"):
        router(ANTHROPIC).route("llama", CHAT)


def test_a_model_that_is_not_mapped_may_be_refused() -> None:
    with pytest.raises(ModelNotFoundError, match="models: m"):
        router(OTHER, models={"m": ["other/x"]}, serve_unmapped_models=False).route("x", CHAT)


def refusal(routes: Router, model: str, operation: Operation) -> str:
    with pytest.raises(ModelNotFoundError) as caught:
        routes.route(model, operation)
    return caught.value.message


def test_a_refusal_names_what_is_served_without_being_mapped() -> None:
    told = refusal(router(OPENAI, ANTHROPIC, models={"m": ["openai/x"]}), "m", Operation.COUNT_TOKENS)
    assert told == (
        f"the model 'm' is not served by {Operation.COUNT_TOKENS.route}: its upstreams (openai) do not offer that; "
        "models that are not mapped go by their own names to anthropic (claude-*)"
    )
    assert refusal(router(ANTHROPIC), "llama", CHAT).endswith("go by their own names to anthropic (claude-*)")
    many = upstream("many", ANTHROPIC_OPERATIONS, model_prefixes=tuple(f"p{number}-" for number in range(MAX_PREFIXES + 1)))
    told = refusal(
        router(OPENAI, many, upstream("any", [Operation.COUNT_TOKENS]), models={"m": ["openai/x"]}), "m", Operation.COUNT_TOKENS
    )
    assert told.endswith("to many (p0-*, p1-*, p2-*, p3-*, p4-* and others), any")
    mapped_only = router(OPENAI, ANTHROPIC, models={"m": ["openai/x"]}, serve_unmapped_models=False)
    assert refusal(mapped_only, "m", Operation.COUNT_TOKENS).endswith("; no model is mapped to an upstream that does")


def test_a_refusal_names_only_listed_models_that_the_operation_serves() -> None:
    config = GatewayConfig(upstreams=(OPENAI, ANTHROPIC), models={"m": ModelRoute(["openai/x"])})
    listed = Router(config, lambda: ["gpt-4", "claude-x", "o1"])
    assert refusal(listed, "m", Operation.COUNT_TOKENS).endswith("; models: claude-x")
    assert "go by their own names to anthropic" in refusal(Router(config, lambda: ["gpt-4"]), "m", Operation.COUNT_TOKENS)


def test_invented_names_are_not_remembered() -> None:
    routes = router(OTHER)
    for number in range(50):
        routes.route(f"model-{number}", CHAT)
    assert routes._known == {}


# Weights


def routed(*weights: float | None) -> Routed:
    # What the operator has not changed adds up; here the tests say what all of them are.
    targets = [Target(f"other/{number}") for number in range(len(weights))]
    plain = router(OTHER, models={"m": targets}).route("m", CHAT)
    return plain._replace(
        candidates=tuple(c._replace(weight=weight) for c, weight in zip(plain.candidates, weights, strict=True))
    )


def nobody(_route: str, _target: str) -> None:
    """No operator has set a weight."""


def firsts(route: Routed, weight_of: Any = nobody, steps: int = 10_000) -> dict[str, float]:
    """How many percent of evenly spread requests ask each target first."""
    chances = iter((step + 0.5) / steps for step in range(steps))
    counted = Counter(in_order(route, weight_of, next(chances))[0].model for _ in range(steps))
    return {model: count * 100 / steps for model, count in sorted(counted.items())}


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ((None, None), {"0": 100}),
        ((5, None), {"0": 5, "1": 95}),
        ((None, 5), {"0": 95, "1": 5}),
        ((None, None, 20), {"0": 80, "2": 20}),
        ((0, None), {"1": 100}),
        ((None, 0), {"0": 100}),
        ((100, None), {"0": 100}),
        ((30, 70), {"0": 30, "1": 70}),
        ((10, 20, 70), {"0": 10, "1": 20, "2": 70}),
        ((0.5, None), {"0": 0.5, "1": 99.5}),
    ],
)
def test_weights_are_percentages_of_who_is_asked_first(weights: tuple[float | None, ...], expected: dict[str, float]) -> None:
    assert firsts(routed(*weights)) == expected


@pytest.mark.parametrize(
    ("weights", "operators", "expected"),
    [
        ((5, None), {"0": 50}, {"0": 50, "1": 50}),
        ((5, None), {"0": 0}, {"1": 100}),
        ((None, None), {"1": 25}, {"0": 75, "1": 25}),
        ((None, None), {"0": 0}, {"1": 100}),
        # Lowered weights that were the whole: the largest takes the rest.
        ((30, 70), {"0": 0}, {"1": 100}),
        ((30, 70), {"1": 0}, {"0": 100}),
        ((30, 70), {"1": 10}, {"0": 90, "1": 10}),
        ((30, 70), {"0": 0, "1": 0}, {"0": 100}),
        # More than the whole: who comes first takes it.
        ((None, None), {"0": 80, "1": 80}, {"0": 80, "1": 20}),
    ],
)
def test_an_operators_weight_goes_before_the_configured_one(
    weights: tuple[float | None, ...], operators: dict[str, float], expected: dict[str, float]
) -> None:
    def weight_of(route: str, target: str) -> float | None:
        assert route == "m"
        return operators.get(target.removeprefix("other/"))

    assert firsts(routed(*weights), weight_of) == expected


@given(weights=st.lists(st.none() | st.floats(0, 100), min_size=1, max_size=5), chance=st.floats(0, 1, exclude_max=True))
def test_each_target_stands_once_and_the_others_keep_their_order(weights: list[float | None], chance: float) -> None:
    route = routed(*weights)
    ordered = [int(candidate.model) for candidate in in_order(route, nobody, chance)]
    assert sorted(ordered) == list(range(len(weights)))
    assert ordered[1:] == sorted(ordered[1:])


def test_chance_is_drawn_anew_for_each_request() -> None:
    route = routed(50, 50)
    chances = cycle([0.1, 0.9])
    assert [in_order(route, nobody, next(chances))[0].model for _ in range(4)] == ["0", "1", "0", "1"]
    dice = random.Random(5)  # noqa: S311
    drawn = Counter(in_order(route, nobody, dice.random())[0].model for _ in range(1000))
    assert 400 < drawn["0"] < 600


def test_an_unmapped_model_has_no_weights() -> None:
    def weight_of(_route: str, _target: str) -> float:
        raise AssertionError

    (candidate,) = in_order(router(OTHER).route("x", CHAT), weight_of, 0.5)
    assert candidate.target == "other/x"
