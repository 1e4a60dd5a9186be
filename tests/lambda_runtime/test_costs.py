"""What an answer cost, by the price of who answered: in the log line, and counted for the consumer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_runtime import request_log
from lambda_runtime.config import GatewayConfig, Operation
from lambda_runtime.config.prices import MOST, NANO, Price
from lambda_runtime.usage import MOST as MOST_TOKENS
from lambda_runtime.usage import Usage
from tests.lambda_runtime.gateway_kit import anthropic_upstream, both_formats, event, gateway_over, openai_upstream
from tests.lambda_runtime.samples import ANSWERS, CHAT, CHAT_STREAM, CHAT_USAGE, MESSAGES, MESSAGES_STREAM
from tests.lambda_runtime.upstream_server import Answer, UpstreamServer, answer_json, answer_stream

SONNET = Price(
    input=3, output=15, cached_input=0.3, cache_write=3.75, above={200_000: Price(input=6, output=22.5, cached_input=0.6)}
)


class Counts:
    """What `UsageCounts` is told."""

    def __init__(self) -> None:
        self.added: list[tuple[str, int | None]] = []

    def add(self, consumer: str, _usage: Usage, cost: int | None) -> None:
        self.added.append((consumer, cost))


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (Usage(), 0),
        (Usage(1), 3_000),
        (Usage(0, 1), 15_000),
        (Usage(1000, 100, cached_tokens=800, cache_write_tokens=150), (50 * 3 + 800 * 0.3 + 150 * 3.75 + 100 * 15) * 1000),
        (Usage(200_000), 200_000 * 3_000),
        # The whole request is dearer, not what is above; what is not said there is as its own input.
        (Usage(200_001, 10, cached_tokens=200_000, cache_write_tokens=1), 200_000 * 600 + 6_000 + 10 * 22_500),
        # Thoughts are a part of the output.
        (Usage(0, 10, reasoning_tokens=8), 150_000),
        # Figures that contradict each other cost no less than nothing.
        (Usage(10, 0, cached_tokens=100), 30_000),
        (Usage(-1), None),
        (Usage(10**400), None),
        (Usage(0, 0, 0, 0, MOST_TOKENS + 1), None),
    ],
)
def test_a_price_says_what_usage_costs(usage: Usage, cost: float | None) -> None:
    assert usage.cost(SONNET) == cost
    assert usage.cost(None) is None


def test_tiers_are_those_that_the_input_is_longer_than() -> None:
    price = Price(input=1, output=0, above={300: Price(input=3, output=0), 100: Price(input=2, output=0)})
    assert [Usage(tokens).cost(price) for tokens in (100, 101, 300, 301)] == [100_000, 202_000, 600_000, 903_000]


@settings(max_examples=50)
@given(
    st.tuples(*[st.integers(0, MOST_TOKENS)] * 4).map(lambda figures: Usage(*figures)),
    st.builds(Price, **{name: st.floats(0, MOST) for name in ("input", "output", "cached_input", "cache_write")}),
)
def test_it_is_exact_to_a_part_in_a_billion(usage: Usage, price: Price) -> None:
    cost = usage.cost(price)
    assert isinstance(cost, int)
    fresh = max(0, usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens)
    assert price.cached_input is not None
    assert price.cache_write is not None
    parts = (
        (fresh, price.input),
        (usage.cached_tokens, price.cached_input),
        (usage.cache_write_tokens, price.cache_write),
        (usage.output_tokens, price.output),
    )
    exact = sum(tokens * Fraction(usd) for tokens, usd in parts) * 1000
    assert abs(cost - exact) <= 1 + exact / 10**9


def test_the_log_and_the_prices_count_in_the_same_unit() -> None:
    assert request_log._NANO == NANO


def asked(  # noqa: PLR0917
    upstream: UpstreamServer,
    answer: Answer,
    capsys: pytest.CaptureFixture[str],
    body: Mapping[str, Any],
    prices: Mapping[str, Price],
    operation: Operation = CHAT,
) -> tuple[dict[str, Any], list[tuple[str, int | None]]]:
    """The log line, and what was counted."""
    upstream.answer = answer
    counts = Counts()
    upstreams = both_formats("main", upstream.url), anthropic_upstream("claude", upstream.url)
    models = {"gpt-4": ["main/gpt-4.1"], "sonnet": ["claude/claude-sonnet"]}
    with gateway_over(*upstreams, models=models, usage_counts=counts, prices=prices) as kit:
        kit.call(event(operation, {"model": "gpt-4", **body}))
    return json.loads(capsys.readouterr().out.splitlines()[-1]), counts.added


def test_whole_answers_and_streams_are_priced(upstream: UpstreamServer, capsys: pytest.CaptureFixture[str]) -> None:
    prices = {"main/gpt-4.1": Price(input=2, output=8)}
    cost = (11 * 2 + 7 * 8) * 1000
    for answer, stream in ((answer_json(ANSWERS[CHAT]), False), (answer_stream([*CHAT_STREAM[:-1], CHAT_USAGE]), True)):
        line, counted = asked(upstream, answer, capsys, {"stream": stream}, prices)
        assert line["cost_usd"] == cost / 1e9 == 0.000078
        assert counted == [("consumer-1", cost)]


def test_a_price_of_all_models_of_an_upstream_gives_way_to_a_models_own(
    upstream: UpstreamServer, capsys: pytest.CaptureFixture[str]
) -> None:
    prices = {"main/*": Price(input=1, output=0), "main/gpt-4.1": Price(input=0, output=0)}
    line, counted = asked(upstream, answer_json(ANSWERS[CHAT]), capsys, {}, prices)
    # Known to cost nothing, which is not unknown.
    assert (line["cost_usd"], counted) == (0, [("consumer-1", 0)])
    line, counted = asked(upstream, answer_json(ANSWERS[CHAT]), capsys, {"model": "other"}, prices)
    assert (line["cost_usd"], counted) == (0.000011, [("consumer-1", 11_000)])


def test_without_a_price_it_is_not_known(upstream: UpstreamServer, capsys: pytest.CaptureFixture[str]) -> None:
    line, counted = asked(upstream, answer_json(ANSWERS[CHAT]), capsys, {}, {"main/another": Price(input=1, output=1)})
    assert "cost_usd" not in line
    assert counted == [("consumer-1", None)]
    line, counted = asked(upstream, answer_json({"error": {}}, 400), capsys, {}, {"main/*": Price(input=1, output=1)})
    assert "cost_usd" not in line
    assert counted == []


@pytest.mark.parametrize("operation", [CHAT, MESSAGES])
def test_anthropics_cache_is_priced_apart_whatever_the_clients_format(
    upstream: UpstreamServer, capsys: pytest.CaptureFixture[str], operation: Operation
) -> None:
    usage = {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 1000, "cache_creation_input_tokens": 100}
    body = {"model": "sonnet", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    answer = answer_json({**ANSWERS[MESSAGES], "usage": usage})
    line, _ = asked(upstream, answer, capsys, body, {"claude/claude-sonnet": SONNET}, operation)
    assert line["cost_usd"] == round((10 * 3 + 5 * 15 + 1000 * 0.3 + 100 * 3.75) / 1e6, 9)


@pytest.mark.parametrize("stream", [False, True])
def test_an_advisors_tokens_are_priced_as_the_advisors(
    upstream: UpstreamServer, capsys: pytest.CaptureFixture[str], *, stream: bool
) -> None:
    run = {"cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    runs = [
        {**run, "type": "message", "input_tokens": 10, "output_tokens": 5},
        {**run, "type": "advisor_message", "model": "claude-opus", "input_tokens": 100, "output_tokens": 20},
        {**run, "type": "compaction", "input_tokens": 1000, "output_tokens": 50},
    ]
    usage = {"input_tokens": 10, "output_tokens": 5, "iterations": runs}
    delta = json.dumps({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage}).encode()
    events = [*MESSAGES_STREAM[:3], b"event: message_delta\ndata: " + delta + b"\n\n", MESSAGES_STREAM[4]]
    answer = answer_stream(events) if stream else answer_json({**ANSWERS[MESSAGES], "usage": usage})
    prices = {"claude/claude-sonnet": SONNET, "claude/claude-opus": Price(input=30, output=150)}
    line, _ = asked(upstream, answer, capsys, {"model": "sonnet", "stream": stream}, prices, MESSAGES)
    assert (line["InputTokens"], line["OutputTokens"], line["usage_estimated"]) == (1110, 75, False)
    assert line["cost_usd"] == round((1010 * 3 + 55 * 15 + 100 * 30 + 20 * 150) / 1e6, 9)


def test_after_a_failover_it_is_the_price_of_who_answered(upstream: UpstreamServer, capsys: pytest.CaptureFixture[str]) -> None:
    upstream.answers = [answer_json({"error": {"message": "down"}}, 500)] * 2
    upstream.answer = answer_json(ANSWERS[CHAT])
    prices = {"dear/m": Price(input=100, output=100), "cheap/m": Price(input=1, output=1)}
    upstreams = openai_upstream("dear", upstream.url), openai_upstream("cheap", upstream.url)
    with gateway_over(*upstreams, models={"m": ["dear/m", "cheap/m"]}, prices=prices) as kit:
        assert kit.call(event(CHAT, {"model": "m"})).status == 200
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (line["upstream"], line["cost_usd"]) == ("cheap", 0.000018)


def test_figures_that_cannot_be_have_no_cost(upstream: UpstreamServer, capsys: pytest.CaptureFixture[str]) -> None:
    answer = answer_json({**ANSWERS[CHAT], "usage": {"prompt_tokens": MOST_TOKENS + 1, "completion_tokens": 1}})
    line, counted = asked(upstream, answer, capsys, {}, {"main/*": Price(input=MOST, output=MOST)})
    assert (line["status"], counted) == (200, [("consumer-1", None)])
    assert "cost_usd" not in line


# The configuration


def test_prices_travel_with_the_configuration() -> None:
    prices = {"main/claude/sonnet": SONNET, "main/*": Price(input=0, output=0.1), "main/a*b": Price(input=1, output=1)}
    config = GatewayConfig(upstreams=(openai_upstream("main", "http://127.0.0.1:1"),), prices=prices)
    read = GatewayConfig.from_json(config.to_json())
    assert read.prices == prices
    assert read.to_json() == config.to_json()
    assert read.price("main", "claude/sonnet") == SONNET
    assert read.price("main", "anything") == prices["main/*"]
    assert read.price("other", "claude/sonnet") is None
    # A client may ask for a model of any name: `*` is one that has the price of all.
    assert read.price("main", "*") == prices["main/*"]


@pytest.mark.parametrize("name", ["main", "main/", "other/m", "/m", ""])
def test_a_price_is_of_a_model_of_an_upstream(name: str) -> None:
    with pytest.raises(ValueError, match=r"a price is for 'upstream/model' or 'upstream/\*', got .*; upstreams: main"):
        GatewayConfig(upstreams=(openai_upstream("main", "http://127.0.0.1:1"),), prices={name: Price(input=1, output=1)})


@pytest.mark.parametrize("value", [-0.01, float("nan"), float("inf"), MOST + 1, True, "3", 10**400])
@pytest.mark.parametrize("name", ["input", "output", "cached_input", "cache_write"])
def test_a_price_is_an_amount(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"price: {name} must be USD per million tokens, from 0 to 1,000,000"):
        Price(**{"input": 1, "output": 1, name: value})


@pytest.mark.parametrize("name", ["input", "output"])
def test_a_price_has_both(name: str) -> None:
    with pytest.raises(ValueError, match=f"price: {name} must be"):
        Price(**{"input": 1, "output": 1, name: None})


@pytest.mark.parametrize(
    "above", [{0: SONNET}, {-1: SONNET}, {True: SONNET}, {"200": SONNET}, {2.0: SONNET}, {1: 3}, {1: SONNET}]
)
def test_tiers_are_prices_by_tokens(above: Any) -> None:
    with pytest.raises(ValueError, match="price: "):
        Price(input=1, output=1, above=above)


def test_what_other_models_used_costs_what_they_cost() -> None:
    cheap, dear = Price(input=1, output=2), Price(input=10, output=20, above={100: Price(input=30, output=60)})
    usage = Usage(150, 15, others=(("dear", Usage(80, 9)), ("unknown", Usage(20, 1))))
    prices = {"dear": dear}
    assert usage.cost(cheap, prices.get) == 1000 * (50 + 5 * 2 + 80 * 10 + 9 * 20 + 20 + 2)
    assert usage.cost(cheap) == 1000 * (150 + 15 * 2)
    assert usage.cost(None, prices.get) is None
    # Parts that are more than the whole make nothing cheaper.
    assert Usage(10, 1, others=(("dear", Usage(101, 1)),)).cost(cheap, prices.get) == 1000 * (101 * 30 + 60)
