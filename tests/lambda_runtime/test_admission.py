"""Consumers with limits at the gateway: who is refused and how, what answers tell, and what is asked of upstreams."""

from __future__ import annotations

from typing import Any

import pytest

from lambda_runtime.config import Operation, Timeouts
from lambda_runtime.state.target_states import NoStates
from tests.lambda_runtime import budget_kit
from tests.lambda_runtime.budget_kit import ANSWER, COST, TOKENS, Consumer, error_of, limited_gateway, line_of
from tests.lambda_runtime.gateway_kit import Kit, RecordingWriter, anthropic_upstream, both_formats, event
from tests.lambda_runtime.samples import ANSWERS, CHAT, CHAT_STREAM, CHAT_USAGE, MESSAGES, MESSAGES_STREAM, RESPONSES
from tests.lambda_runtime.state.table_kit import Table
from tests.lambda_runtime.test_budgets import utc
from tests.lambda_runtime.upstream_server import Answer, Connection, Received, UpstreamServer, answer_json, answer_stream, serve

EMBEDDINGS, COUNT_TOKENS = Operation.EMBEDDINGS, Operation.COUNT_TOKENS
DAY_ENDS = "2026-11-24T00:00:00Z"
USED_UP = f"tokens_per_day; used=100; limit=100; resets={DAY_ENDS}"

table, consumer, kit = budget_kit.table, budget_kit.consumer, budget_kit.kit


# Budgets


@pytest.mark.parametrize("operation", [CHAT, RESPONSES, EMBEDDINGS, MESSAGES])
def test_a_budget_that_is_used_up_is_a_429_and_nobody_is_asked(
    kit: Kit, consumer: Consumer, upstream: UpstreamServer, operation: Operation, capsys: pytest.CaptureFixture[str]
) -> None:
    consumer.limit(tokens_per_day=100)
    consumer.use(100)
    response = consumer.ask(kit, operation)
    assert response.status == 429
    message = f"the budget tokens_per_day of this key is used up: 100 of 100 tokens; it begins anew at {DAY_ENDS}"
    if operation is MESSAGES:
        body = response.json()
        assert body == {"type": "error", "error": {"type": "rate_limit_error", "message": message}, "request_id": "request-1"}
    else:
        expected = {"message": message, "type": "insufficient_quota", "param": None, "code": "budget_exceeded"}
        assert error_of(response) == expected
    assert response.header("retry-after") == str(12 * 3600)
    assert response.header("x-should-retry") == "false"
    assert response.header("x-ai-gateway-budget") == USED_UP
    assert upstream.received == []
    line = line_of(capsys)
    assert (line["error"], line["budget"], line["budget_percent"], line["model"]) == (
        "budget_exceeded",
        "tokens_per_day",
        100,
        "gpt-4.1",
    )
    assert "cost_usd" not in line


def test_each_answer_counts_and_the_last_one_may_go_over(kit: Kit, consumer: Consumer) -> None:
    consumer.limit(tokens_per_month=2 * TOKENS + 1)
    assert [consumer.ask(kit).status for _ in range(5)] == [200, 200, 200, 429, 429]
    assert error_of(consumer.ask(kit))["message"].startswith("the budget tokens_per_month of this key is used up: 54 of 37")
    consumer.clock.now = utc("2026-12-01T00:00:00")
    assert consumer.ask(kit).status == 200


@pytest.mark.parametrize("period", ["day", "month"])
def test_money_is_counted_by_the_prices(kit: Kit, consumer: Consumer, period: str) -> None:
    consumer.limit(**{f"usd_per_{period}": (2 * COST - 1) / 1e9})
    assert [consumer.ask(kit).status for _ in range(3)] == [200, 200, 429]


def test_other_consumers_are_not_concerned(kit: Kit, consumer: Consumer, table: Table) -> None:
    consumer.limit(tokens_per_day=1)
    consumer.use(1)
    other = Consumer(table, consumer.clock)
    nobody = event(CHAT, {"model": "m"})
    nobody["requestContext"]["identity"] = {}
    assert [consumer.ask(kit).status, other.ask(kit).status, kit.call(nobody).status] == [429, 200, 200]


def test_counting_tokens_is_never_refused_by_a_budget(kit: Kit, consumer: Consumer, upstream: UpstreamServer) -> None:
    upstream.answer = answer_json({"input_tokens": 5})
    consumer.limit(tokens_per_day=100, usd_per_day=1, models=["main-model"])
    consumer.use(100, 10**10)
    response = consumer.ask(kit, COUNT_TOKENS, "main-model")
    assert (response.status, response.header("x-ai-gateway-budget")) == (
        200,
        f"usd_per_day; used=1000; limit=1; resets={DAY_ENDS}",
    )
    assert consumer.ask(kit, COUNT_TOKENS, "another").status == 403


# What answers tell


@pytest.mark.parametrize(
    ("operation", "model", "body", "answer", "status"),
    [
        (CHAT, "gpt-4", {}, ANSWER, 200),
        (CHAT, "gpt-4", {"stream": True}, answer_stream(CHAT_STREAM), 200),
        (CHAT, "claude", {"messages": [{"role": "user", "content": "hi"}]}, answer_json(ANSWERS[MESSAGES]), 200),
        (
            CHAT,
            "claude",
            {"stream": True, "messages": [{"role": "user", "content": "hi"}]},
            answer_stream(MESSAGES_STREAM),
            200,
        ),
        (MESSAGES, "gpt-4", {}, answer_json(ANSWERS[MESSAGES]), 200),
        (RESPONSES, "gpt-4", {}, answer_json(ANSWERS[RESPONSES]), 200),
        (CHAT, "gpt-4", {}, answer_json({"error": {"message": "no"}}, 400), 400),
        (CHAT, "gpt-4", {"stream": True}, answer_json({"error": {"message": "no"}}, 503), 503),
        (CHAT, "gpt-4", {}, answer_stream([], cut=True), 502),
        (RESPONSES, "claude", {}, ANSWER, 404),
        (CHAT, "gpt-4", {"stream": "yes"}, ANSWER, 400),
    ],
)
def test_every_answer_tells_of_a_budget_that_is_nearly_used_up(  # noqa: PLR0917
    table: Table,
    upstream: UpstreamServer,
    consumer: Consumer,
    operation: Operation,
    model: str,
    body: dict[str, Any],
    answer: Answer,
    status: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    upstream.answer = answer
    models = {"gpt-4": ["main/gpt-4.1"], "claude": ["claude/claude"]}
    consumer.limit(tokens_per_day=100)
    consumer.use(81)
    understood = body.get("stream") != "yes"  # otherwise it was refused before anybody asked who it is
    upstreams = both_formats("main", upstream.url), anthropic_upstream("claude", upstream.url)
    with limited_gateway(table.url, consumer.clock, *upstreams, models=models, serve_unmapped_models=False) as kit:
        response = consumer.ask(kit, operation, model, **body)
    assert response.status == status
    told = f"tokens_per_day; used=81; limit=100; resets={DAY_ENDS}"
    assert response.header("x-ai-gateway-budget") == (told if understood else None)
    assert "x-ai-gateway-budget" in str(response.header("access-control-expose-headers"))
    line = line_of(capsys)
    assert (line.get("budget"), line.get("budget_percent")) == (("tokens_per_day", 81) if understood else (None, None))


def test_a_stream_that_begins_with_a_heartbeat_tells_too(table: Table, upstream: UpstreamServer, consumer: Consumer) -> None:
    writer = RecordingWriter()

    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        assert writer.wait_for(b": heartbeat\n\n")
        for chunk in CHAT_STREAM:
            connection.chunk(chunk)
        connection.end()

    upstream.answer = answer
    consumer.limit(tokens_per_day=100)
    consumer.use(99)
    timeouts = Timeouts(heartbeat=0.02)
    with limited_gateway(table.url, consumer.clock, both_formats("main", upstream.url), timeouts=timeouts) as kit:
        kit.call(consumer.event(CHAT, {"model": "m", "stream": True}), writer)
    assert writer.header("x-ai-gateway-budget") == f"tokens_per_day; used=99; limit=100; resets={DAY_ENDS}"
    assert writer.body.endswith(CHAT_STREAM[-1])


def test_below_eighty_percent_nothing_is_told(kit: Kit, consumer: Consumer, capsys: pytest.CaptureFixture[str]) -> None:
    consumer.limit(tokens_per_day=1000, usd_per_month=1)
    consumer.use(799, 799_999_999)
    assert consumer.ask(kit).header("x-ai-gateway-budget") is None
    assert "budget" not in line_of(capsys)
    assert "tokens_per_day" in str(consumer.ask(kit).header("x-ai-gateway-budget"))


def test_a_stream_that_was_admitted_is_never_cut(kit: Kit, consumer: Consumer, upstream: UpstreamServer) -> None:
    consumer.limit(tokens_per_day=100)
    consumer.use(99)

    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        for chunk in CHAT_STREAM[:-1]:
            connection.chunk(chunk)
            consumer.use(100)  # meanwhile others use up many times the budget
        connection.chunk(CHAT_USAGE)
        connection.chunk(CHAT_STREAM[-1])
        connection.end()

    upstream.answer = answer
    response = consumer.ask(kit, stream=True)
    assert (response.status, response.body, response.ended) == (200, b"".join(CHAT_STREAM), True)
    assert consumer.ask(kit).status == 429
    # It counts where it ended, not where it was cut.
    used = consumer.table.items(f"usage#{consumer.key}")["2026-11"]
    assert int(used["i"]["N"]) + int(used["o"]["N"]) == 99 + 400 + TOKENS


# Shadow


def test_in_shadow_mode_nothing_is_refused_and_all_is_told(
    kit: Kit, consumer: Consumer, capsys: pytest.CaptureFixture[str]
) -> None:
    consumer.limit(tokens_per_day=100, shadow=True, models=["gpt-*"])
    consumer.use(90)
    response = consumer.ask(kit)
    assert response.header("x-ai-gateway-budget") == f"tokens_per_day; used=90; limit=100; resets={DAY_ENDS}"
    assert "shadow_error" not in line_of(capsys)
    response = consumer.ask(kit)
    assert response.status == 200
    assert response.header("x-ai-gateway-budget") == f"tokens_per_day; used=108; limit=100; resets={DAY_ENDS}; shadow"
    line = line_of(capsys)
    assert (line["shadow_error"], line["budget_percent"], line["error"]) == ("budget_exceeded", 108, None)
    # Which models it may ask for is no budget.
    assert consumer.ask(kit, model="other").status == 403


def test_a_model_without_price_is_told_in_shadow_mode(
    table: Table, upstream: UpstreamServer, consumer: Consumer, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream.answer = ANSWER
    with limited_gateway(table.url, consumer.clock, both_formats("main", upstream.url), prices={}) as kit:
        consumer.limit(usd_per_day=1, shadow=True)
        assert consumer.ask(kit).status == 200
        assert line_of(capsys)["shadow_error"] == "model_not_priced"
        consumer.use(1, 10**9)
        assert consumer.ask(kit).status == 200
        assert line_of(capsys)["shadow_error"] == "budget_exceeded"


# Limits that cannot be read


@pytest.mark.parametrize("headers", [{}, {"anthropic-version": "2023-06-01"}])
def test_limits_that_make_no_sense_are_a_500(
    kit: Kit, consumer: Consumer, upstream: UpstreamServer, headers: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    consumer.limit('{"tokens_per_day": "many", "models": ["secret-name"]}')
    operation = MESSAGES if headers else CHAT
    for made in (consumer.event(operation, {"model": "m"}), consumer.event("/v1/models", headers=headers)):
        response = kit.call(made)
        assert (response.status, response.header("x-should-retry")) == (500, "false")
        assert error_of(response)["message"] == "the limits of this key cannot be read; its operator has to set them again"
        assert line_of(capsys)["error"] == "limits_unreadable"
    assert upstream.received == []


def test_without_the_table_requests_are_answered(
    upstream: UpstreamServer, consumer: Consumer, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream.answer = ANSWER
    with serve() as dead, limited_gateway(dead.url, consumer.clock, both_formats("main", upstream.url)) as kit:
        dead.answer = answer_json({"__type": "x#InternalServerError"}, 500)
        assert [consumer.ask(kit).status for _ in range(3)] == [200] * 3
        # One read and one write: the rest is not tried.
        assert len(dead.received) == 2
    assert "unexpected" not in capsys.readouterr().out


class Noting(NoStates):
    """Notes how often the consumer had been read when the states were to be."""

    def __init__(self, consumer: Consumer) -> None:
        self.consumer = consumer
        self.refreshed: list[int] = []

    def refresh(self) -> None:
        self.refreshed.append(self.consumer.queries())


def test_the_states_are_read_when_the_consumer_has_been(table: Table, upstream: UpstreamServer, consumer: Consumer) -> None:
    """Both at once would take two connections to the table."""
    upstream.answer = ANSWER
    states = Noting(consumer)
    consumer.limit(tokens_per_day=TOKENS)
    with limited_gateway(table.url, consumer.clock, both_formats("main", upstream.url), states=states) as kit:
        assert [consumer.ask(kit).status for _ in range(2)] == [200, 429]
        # Who is refused needs no upstream, so that nobody asks how they are.
        assert states.refreshed == [1]
        Consumer(table, consumer.clock).ask(kit)
        assert len(states.refreshed) == 2
