"""Models that a consumer may not ask for, or that nobody knows the price of: refused, and not listed."""

from __future__ import annotations

from typing import Any

import pytest

from lambda_runtime.config import Operation
from lambda_runtime.config.prices import Price
from lambda_runtime.hooks import HookRequest, HookResponse, Hooks
from tests.lambda_runtime import budget_kit
from tests.lambda_runtime.budget_kit import ANSWER, COST, Consumer, error_of, limited_gateway, line_of
from tests.lambda_runtime.gateway_kit import Kit, both_formats
from tests.lambda_runtime.samples import ANSWERS, CHAT, MESSAGES, RESPONSES
from tests.lambda_runtime.state.table_kit import Table
from tests.lambda_runtime.upstream_server import UpstreamServer, answer_json

EMBEDDINGS, COUNT_TOKENS = Operation.EMBEDDINGS, Operation.COUNT_TOKENS

table, consumer, kit = budget_kit.table, budget_kit.consumer, budget_kit.kit


@pytest.mark.parametrize("operation", [CHAT, RESPONSES, EMBEDDINGS, MESSAGES, COUNT_TOKENS])
def test_a_model_that_is_not_allowed_is_a_403(
    kit: Kit, consumer: Consumer, upstream: UpstreamServer, operation: Operation, capsys: pytest.CaptureFixture[str]
) -> None:
    consumer.limit(models=["gpt-4", "claude-*"])
    for model in ("gpt-4.1", "gpt-", "Claude-1", "no-such-model"):
        response = consumer.ask(kit, operation, model)
        assert response.status == 403
        error = error_of(response)
        assert error["type"] == "permission_error"
        assert error["message"] == f"this key may not ask for the model {model!r}; it may ask for gpt-4, claude-*"
        assert operation.wire_format == "anthropic" or (error["code"], error["param"]) == ("model_not_allowed", "model")
        assert response.header("x-should-retry") == "false"
        assert response.header("retry-after") is None
    assert line_of(capsys)["error"] == "model_not_allowed"
    assert upstream.received == []
    upstream.answer = answer_json(ANSWERS.get(operation, {"input_tokens": 1}))
    assert [consumer.ask(kit, operation, model).status for model in ("gpt-4", "claude-", "claude-9")] == [200] * 3


def test_a_model_that_a_body_names_twice_is_the_one_that_is_asked_for(kit: Kit, consumer: Consumer) -> None:
    consumer.limit(models=["gpt-4"])
    for body, status in (('{"model":"gpt-4","model":"secret"}', 403), ('{"model":"secret","model":"gpt-4"}', 200)):
        assert kit.call(consumer.event(CHAT, body)).status == status


def test_a_404_names_no_model_that_the_consumer_may_not_ask_for(
    table: Table, upstream: UpstreamServer, consumer: Consumer
) -> None:
    models = {"gpt-4": ["main/gpt-4.1"], "secret": ["main/secret"]}
    with limited_gateway(
        table.url, consumer.clock, both_formats("main", upstream.url), models=models, serve_unmapped_models=False
    ) as kit:
        for names, told in ((["gpt-*"], "models: gpt-4"), (["gpt-5*"], "this key may ask for none of those that do")):
            consumer.limit(models=names)
            response = consumer.ask(kit, model="gpt-5")
            assert response.status == 404
            assert error_of(response)["message"] == f"the model 'gpt-5' does not exist; {told}"
        consumer.limit(tokens_per_day=5)
        assert error_of(consumer.ask(kit, model="gpt-5"))["message"].endswith("; models: gpt-4, secret")


def test_a_list_names_what_the_consumer_may_ask_for(kit: Kit, consumer: Consumer, upstream: UpstreamServer) -> None:
    listed = [{"id": name, "object": "model"} for name in ("gpt-4.1", "claude-9", "other")]
    upstream.answer = answer_json({"object": "list", "data": listed})
    anthropic = {"anthropic-version": "2023-06-01"}

    def names(**more: Any) -> list[str]:
        response = kit.call(consumer.event("/v1/models", **more))
        assert response.status == 200
        return [model["id"] for model in response.json()["data"]]

    assert names() == ["gpt-4", "gpt-4.1", "claude-9", "other"]
    consumer.clock.pass_(61)
    consumer.limit(models=["gpt-4", "claude-*"], tokens_per_day=10)
    consumer.use(10)
    assert names() == names(headers=anthropic) == ["gpt-4", "claude-9"]
    # Its pages, too, are of these.
    assert names(headers=anthropic, query={"limit": ["1"], "after_id": ["gpt-4"]}) == ["claude-9"]
    for name, status in (("gpt-4", 200), ("claude-9", 200), ("gpt-4.1", 404), ("other", 404)):
        response = kit.call(consumer.event("/v1/models/{id+}", path_id=name))
        assert response.status == status
        assert str(response.header("x-ai-gateway-budget")).startswith("tokens_per_day; used=100;")
    assert "does not exist" in error_of(response)["message"]
    consumer.limit(tokens_per_day=10)
    assert names() == ["gpt-4", "gpt-4.1", "claude-9", "other"]


def test_a_hooks_model_is_judged_and_hooks_see_what_is_refused(
    table: Table, upstream: UpstreamServer, consumer: Consumer
) -> None:
    upstream.answer = ANSWER
    seen: list[tuple[int, str | None, float | None]] = []

    def before(request: HookRequest) -> None:
        if request.headers.get("x-model"):
            request.model = request.headers["x-model"]

    def after(_request: HookRequest, response: HookResponse) -> None:
        seen.append((response.status, response.error, response.cost_usd))

    hooks = Hooks("gateway_hooks", before=before, after=after)
    with limited_gateway(table.url, consumer.clock, both_formats("main", upstream.url), hooks=hooks) as kit:
        consumer.limit(models=["cheap"], usd_per_day=1)
        for asked, chosen in (("cheap", "dear"), ("dear", "cheap"), ("cheap", "")):
            kit.call(consumer.event(CHAT, {"model": asked}, headers={"x-model": chosen}))
        consumer.use(0, 10**9)
        consumer.ask(kit, model="cheap")
    cost = COST / 1e9
    assert seen == [(403, "model_not_allowed", None), (200, None, cost), (200, None, cost), (429, "budget_exceeded", None)]


# Prices


def test_money_is_not_spent_on_what_has_no_price(
    table: Table, upstream: UpstreamServer, consumer: Consumer, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream.answer = ANSWER
    models = {"both": ["main/priced", "spare/priced"], "one": ["main/priced", "spare/free"], "free": ["spare/free"]}
    prices = {"main/priced": Price(input=1, output=1), "spare/priced": Price(input=0, output=0)}
    upstreams = both_formats("main", upstream.url), both_formats("spare", upstream.url)
    with limited_gateway(table.url, consumer.clock, *upstreams, models=models, prices=prices) as kit:
        consumer.limit(usd_per_month=1)
        for model, target in (("one", "spare/free"), ("free", "spare/free"), ("unmapped", "main/unmapped")):
            response = consumer.ask(kit, model=model)
            assert response.status == 403
            assert response.header("x-should-retry") == "false"
            error = error_of(response)
            assert (error["code"], error["type"]) == ("model_not_priced", "permission_error")
            assert f"prices={{'{target}': Price(input=..., output=...)}}" in error["message"]
            assert line_of(capsys)["error"] == "model_not_priced"
        assert upstream.received == []
        assert consumer.ask(kit, model="both").status == 200
        # Counting tokens costs nothing.
        assert consumer.ask(kit, COUNT_TOKENS, model="free").status == 200
        # And who has no budget in money need not know what it costs.
        consumer.limit(tokens_per_month=1000)
        assert consumer.ask(kit, model="free").status == 200
