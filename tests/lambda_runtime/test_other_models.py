"""Models that a request names beside `model`, which an upstream would run: judged as `model` is."""

from __future__ import annotations

from typing import Any

import pytest

from lambda_runtime.config import Operation
from lambda_runtime.config.prices import Price
from lambda_runtime.hooks import Hooks
from tests.lambda_runtime import budget_kit
from tests.lambda_runtime.budget_kit import ANSWER, PRICES, Consumer, error_of, limited_gateway, line_of
from tests.lambda_runtime.gateway_kit import Kit, both_formats, event, gateway_over
from tests.lambda_runtime.samples import ANSWERS, CHAT, MESSAGES, RESPONSES
from tests.lambda_runtime.state.table_kit import Table
from tests.lambda_runtime.upstream_server import UpstreamServer, answer_json

table, consumer, kit = budget_kit.table, budget_kit.consumer, budget_kit.kit

ADVISOR = {"type": "advisor_20260301", "name": "advisor"}
IMAGE = {"type": "image_generation"}

# Where a model is named, and what names it there.
PLACES = [
    (MESSAGES, "tools[1].model", lambda model: {"tools": [{"name": "t"}, {**ADVISOR, "model": model}]}),
    (MESSAGES, "tools[0].MODEL", lambda model: {"tools": [{**ADVISOR, "MODEL": model}]}),
    (MESSAGES, "fallbacks[0].model", lambda model: {"fallbacks": [{"model": model}, {"model": "claude-1"}]}),
    (CHAT, "fallbacks[1]", lambda model: {"fallbacks": ["claude-1", model]}),
    (CHAT, "models[1]", lambda model: {"models": ["claude-1", model]}),
    (RESPONSES, "tools[0].model", lambda model: {"tools": [{**IMAGE, "model": model}]}),
    (RESPONSES, "tools[0].svg.model", lambda model: {"tools": [{**IMAGE, "svg": {"model": model}}]}),
    (
        RESPONSES,
        "input[1].tools[0].model",
        lambda model: {"input": [{"role": "user"}, {"type": "additional_tools", "tools": [{**IMAGE, "model": model}]}]},
    ),
]
NOT_NAMED = [
    {"tools": [{"name": "t", "input_schema": {"properties": {"model": {"type": "string", "default": "dear"}}}}]},
    {"tools": [{"type": "function", "function": {"name": "model", "parameters": {"model": {"enum": ["dear"]}}}}]},
    {"tools": None, "fallbacks": None, "models": []},
    {"tools": [5, None, {"model": 5}], "fallbacks": {"model": "dear"}},
    {"input": "dear", "messages": [{"role": "user", "content": '{"tools":[{"model":"dear"}]}'}]},
    {"messages": [{"content": [{"type": "tool_use", "input": {"model": "dear", "tools": [{"model": "dear"}]}}]}]},
]
places = pytest.mark.parametrize(("operation", "field", "body"), PLACES, ids=[field for _, field, _ in PLACES])
DEFAULT_FALLBACK = "fallbacks: 'default' has the upstream choose the model; name the models"


@places
def test_a_model_that_is_not_allowed_is_a_403_wherever_it_is_named(  # noqa: PLR0917
    kit: Kit, consumer: Consumer, upstream: UpstreamServer, operation: Operation, field: str, body: Any
) -> None:
    upstream.answer = answer_json(ANSWERS[operation])
    consumer.limit(models=["gpt-4", "claude-*"])
    # `gpt-4` is a name of the map's; the upstream would take it for its own.
    for model in ("dear", "gpt-4"):
        response = consumer.ask(kit, operation, "gpt-4", **body(model))
        assert response.status == 403
        error = error_of(response)
        assert error["message"] == f"{field}: this key may not ask for the model {model!r}; it may ask for gpt-4, claude-*"
        assert operation is MESSAGES or (error["code"], error["param"]) == ("model_not_allowed", field)
    assert upstream.received == []
    # Under another name the client may have the first.
    for model in ("gpt-4.1", "claude-9"):
        assert consumer.ask(kit, operation, "gpt-4", **body(model)).status == 200


def test_the_upstreams_choice_is_nobodys_to_judge(kit: Kit, consumer: Consumer, upstream: UpstreamServer) -> None:
    for limits in ({"models": ["*"]}, {"usd_per_day": 1}):
        consumer.limit(**limits)
        response = consumer.ask(kit, MESSAGES, "claude-1", fallbacks="default")
        assert (response.status, error_of(response)["message"]) == (403, DEFAULT_FALLBACK)
    assert upstream.received == []
    consumer.limit(tokens_per_day=100)
    assert consumer.ask(kit, MESSAGES, "claude-1", fallbacks="default").status == 200


def test_of_lists_that_a_body_has_twice_each_is_judged(kit: Kit, consumer: Consumer) -> None:
    consumer.limit(models=["gpt-4"])
    for body in ('"models":["dear"],"models":[]', '"models":[],"models":["dear"]', '"mod\\u0065ls":["dear"]'):
        assert kit.call(consumer.event(CHAT, '{"model":"gpt-4",' + body + "}")).status == 403


@pytest.mark.parametrize("body", NOT_NAMED)
def test_what_names_no_model_is_passed_on(
    table: Table, upstream: UpstreamServer, consumer: Consumer, body: dict[str, Any]
) -> None:
    upstream.answer = ANSWER
    consumer.limit(models=["gpt-4"], usd_per_day=1)
    with limited_gateway(
        table.url,
        consumer.clock,
        both_formats("main", upstream.url),
        models={"gpt-4": ["main/gpt-4.1"]},
        serve_unmapped_models=False,
    ) as kit:
        assert consumer.ask(kit, RESPONSES, "gpt-4", **body).status == 200


@places
def test_money_is_not_spent_on_another_model_without_a_price(  # noqa: PLR0917
    table: Table,
    upstream: UpstreamServer,
    consumer: Consumer,
    operation: Operation,
    field: str,
    body: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    upstream.answer = answer_json(ANSWERS[operation])
    models = {"gpt-4": ["main/gpt-4.1"]}
    prices = {f"main/{model}": Price(input=1, output=1) for model in ("gpt-4.1", "known", "claude-1")}
    with limited_gateway(table.url, consumer.clock, both_formats("main", upstream.url), models=models, prices=prices) as kit:
        consumer.limit(usd_per_day=1)
        response = consumer.ask(kit, operation, "gpt-4", **body("dear"))
        assert response.status == 403
        assert error_of(response)["message"].startswith(
            f"{field}: this key has a budget in USD, and the gateway knows no price"
        )
        assert "prices={'main/dear': Price(" in error_of(response)["message"]
        assert line_of(capsys)["error"] == "model_not_priced"
        assert upstream.received == []
        assert consumer.ask(kit, operation, "gpt-4", **body("known")).status == 200
        consumer.limit(usd_per_day=1, shadow=True)
        assert consumer.ask(kit, operation, "gpt-4", **body("dear")).status == 200
        assert line_of(capsys)["shadow_error"] == "model_not_priced"


@places
@pytest.mark.parametrize("limits", [None, {}, {"models": ["gpt-4"]}])
def test_a_gateway_of_mapped_models_has_no_other_served(  # noqa: PLR0917
    table: Table,
    upstream: UpstreamServer,
    consumer: Consumer,
    operation: Operation,
    field: str,
    body: Any,
    limits: dict[str, Any] | None,
) -> None:
    upstream.answer = answer_json(ANSWERS[operation])
    config: dict[str, Any] = {"models": {"gpt-4": ["main/gpt-4.1", "main/claude-1"]}, "serve_unmapped_models": False}
    upstreams = both_formats("main", upstream.url)
    if limits:
        consumer.limit(**limits)
    with (
        gateway_over(upstreams, **config)
        if limits is None
        else limited_gateway(table.url, consumer.clock, upstreams, **config) as kit
    ):
        response = consumer.ask(kit, operation, "gpt-4", **body("gpt-4"))
        assert response.status == (403 if limits else 404)
        message = f"{field}: the model 'gpt-4' does not exist; it must be what a mapped model is to its upstream"
        assert limits or error_of(response)["message"] == message
        assert consumer.ask(kit, MESSAGES, "gpt-4", fallbacks="default").status == 403
        assert upstream.received == []
        assert consumer.ask(kit, operation, "gpt-4", **body("gpt-4.1")).status == 200


def test_a_hook_chooses_the_model_and_no_other(table: Table, upstream: UpstreamServer, consumer: Consumer) -> None:
    upstream.answer = ANSWER
    consumer.limit(models=["cheap"])

    def before(request: Any) -> None:
        request.model = "cheap"

    with limited_gateway(
        table.url, consumer.clock, both_formats("main", upstream.url), hooks=Hooks("gateway_hooks", before=before)
    ) as kit:
        assert consumer.ask(kit, model="x").status == 200
        assert consumer.ask(kit, model="x", models=["dear"]).status == 403


def test_who_has_no_limits_has_the_upstream_judge(upstream: UpstreamServer) -> None:
    upstream.answer = ANSWER
    with gateway_over(both_formats("main", upstream.url), prices=PRICES) as kit:
        for _, _, body in PLACES:
            assert kit.call(event(CHAT, {"model": "m", **body("dear")})).status == 200
