"""What is refused before an upstream is asked, and how that is said."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from lambda_runtime.config import Operation
from tests.lambda_runtime.gateway_kit import Kit, anthropic_upstream, event, gateway_over, openai_upstream
from tests.lambda_runtime.upstream_server import UpstreamServer

CHAT = Operation.CHAT_COMPLETIONS


@pytest.fixture
def kit(upstream: UpstreamServer) -> Iterator[Kit]:
    with gateway_over(
        openai_upstream("first", upstream.url),
        anthropic_upstream("second", upstream.url + "/anthropic"),
        models={"gpt-4": ["second/claude", "first/gpt-4.1"], "only-claude": ["second/claude"]},
    ) as kit:
        yield kit


@pytest.mark.parametrize(
    ("body", "expected", "words"),
    [
        ("", ("missing_body", None), "no body"),
        ("{", ("invalid_json", None), "not valid JSON"),
        ("[1", ("invalid_json", None), "not valid JSON"),
        ('{"model":"m"', ("invalid_json", None), "not valid JSON"),
        ('{"model":"m",}', ("invalid_json", None), "not valid JSON"),
        ('{"model" "m"}', ("invalid_json", None), "not valid JSON"),
        ('{"model":"m"} x', ("invalid_json", None), "not valid JSON"),
        ('{"model":"m","t":NaN}', ("invalid_json", None), "not valid JSON"),
        ('{"model":"m","t":-Infinity}', ("invalid_json", None), "not valid JSON"),
        ('{"model":"m","t":' + "9" * 5000 + "}", ("invalid_json", None), "too many digits"),
        ('{"model":"m","t":' + "[" * 100_000 + "}", ("invalid_json", None), "deeply"),
        ('{"model":"a\nb"}', ("invalid_json", None), "control character"),
        ("'model'", ("invalid_json", None), "not valid JSON"),
        ('["model"]', ("invalid_type", None), "object"),
        ('"model"', ("invalid_type", None), "object"),
        ("null", ("invalid_type", None), "object"),
        ("{}", ("missing_required_parameter", "model"), "'model'"),
        ('{"Model":"m"}', ("invalid_value", "model"), "key 'Model' must be written 'model'"),
        ('{"model":"m","mODel":"n"}', ("invalid_value", "model"), "key 'mODel' must be written 'model'"),
        ('{"model":"m","\u017ftream":true}', ("invalid_value", "stream"), "must be written 'stream'"),
        (
            '{"model":"m","\\u017ftream_option\\u017f":null}',
            ("invalid_value", "stream_options"),
            "must be written 'stream_options'",
        ),
        ('{"model":"m","Tools":[]}', ("invalid_value", "tools"), "must be written 'tools'"),
        ('{"model":"m","Model":"n"', ("invalid_json", None), "not valid JSON"),
        ('{"model":5}', ("invalid_type", "model"), "a number"),
        ('{"model":null}', ("invalid_type", "model"), "null"),
        ('{"model":["m"]}', ("invalid_type", "model"), "an array"),
        ('{"model":""}', ("invalid_value", "model"), "empty"),
        ('{"model":{},"model":"m"}', ("invalid_type", "model"), "an object"),
        ('{"model":"m","stream":"yes"}', ("invalid_type", "stream"), "a string"),
        ('{"model":"m","stream":1}', ("invalid_type", "stream"), "a number"),
    ],
)
def test_a_body_that_cannot_be_served_is_a_400_that_names_the_field(
    kit: Kit, upstream: UpstreamServer, body: str, expected: tuple[str, str | None], words: str
) -> None:
    response = kit.call(event(CHAT, body))
    assert response.status == 400
    error = response.json()["error"]
    assert ((error["code"], error["param"]), error["type"]) == (expected, "invalid_request_error")
    assert words.lower() in error["message"].lower()
    assert upstream.received == []
    anthropic = kit.call(event(Operation.MESSAGES, body))
    assert anthropic.json()["error"] == {"type": "invalid_request_error", "message": error["message"]}


def test_a_null_stream_is_none(kit: Kit) -> None:
    assert kit.call(event(CHAT, '{"model":"m","stream":null}')).status == 200


def test_6_mb_pass_and_more_is_a_413(kit: Kit, upstream: UpstreamServer) -> None:
    frame = len('{"model":"m","x":""}')
    body = '{"model":"m","x":"' + "a" * (6 * 1024 * 1024 - frame) + '"}'
    assert kit.call(event(CHAT, body)).status == 200
    assert len(upstream.last.body) == 6 * 1024 * 1024
    for larger in (body + " ", '{"model":"m","x":"' + "é" * (3 * 1024 * 1024) + '"}'):
        response = kit.call(event(CHAT, larger))
        assert (response.status, response.json()["error"]["code"]) == (413, "request_too_large")
    response = kit.call(event(Operation.MESSAGES, body + " "))
    assert response.json()["error"]["type"] == "request_too_large"
    assert len(upstream.received) == 1


@pytest.mark.parametrize("body", ["\ufeff{}", '\ufeff{"model":"m"}'])
def test_a_byte_order_mark_is_named(kit: Kit, body: str) -> None:
    for asked in (event(CHAT, body), event(CHAT, b64encode(body.encode()).decode()) | {"isBase64Encoded": True}):
        response = kit.call(asked)
        assert response.status == 400
        assert "byte order mark" in response.json()["error"]["message"]


def test_a_query_that_no_url_takes_is_a_400(kit: Kit) -> None:
    response = kit.call(event(CHAT, {"model": "m"}, query={"x": ["y" * 70_000]}))
    assert (response.status, response.json()["error"]["code"]) == (400, "invalid_query")


@pytest.mark.parametrize("body", ["gA==", "%%%", "a"])
def test_base64_that_is_no_text_is_a_400(kit: Kit, body: str) -> None:
    response = kit.call(event(CHAT, body) | {"isBase64Encoded": True})
    assert response.status == 400
    assert "UTF-8" in response.json()["error"]["message"]


def test_half_a_surrogate_pair_is_a_400(kit: Kit) -> None:
    assert kit.call(event(CHAT, '{"model":"m","x":"\ud800"}')).status == 400


# The model map


@pytest.mark.parametrize(
    ("operation", "asked", "sent"),
    [
        (CHAT, "gpt-4", ("/v1/chat/completions", "gpt-4.1")),
        (Operation.MESSAGES, "gpt-4", ("/anthropic/v1/messages", "claude")),
        (CHAT, "own/name", ("/v1/chat/completions", "own/name")),
        (Operation.MESSAGES, "own", ("/anthropic/v1/messages", "own")),
    ],
)
def test_the_first_target_that_serves_the_operation_is_used(
    kit: Kit, upstream: UpstreamServer, operation: Operation, asked: str, sent: tuple[str, str]
) -> None:
    kit.call(event(operation, {"model": asked}))
    assert (upstream.last.target, json.loads(upstream.last.body)["model"]) == sent


@pytest.mark.parametrize("operation", [CHAT, Operation.MESSAGES])
def test_an_unknown_model_is_a_404_that_names_those_that_exist(upstream: UpstreamServer, operation: Operation) -> None:
    models = {f"model-{n:02}": ["first/x", "second/y"] for n in range(25)}
    with gateway_over(
        openai_upstream("first", upstream.url),
        anthropic_upstream("second", upstream.url),
        models=models,
        serve_unmapped_models=False,
    ) as kit:
        response = kit.call(event(operation, {"model": "gpt-9"}))
    assert response.status == 404
    error = response.json()["error"]
    assert "'gpt-9' does not exist" in error["message"]
    assert "model-00, model-01" in error["message"]
    assert error["message"].endswith("model-19 and 5 more")
    if operation is CHAT:
        assert (error["code"], error["param"]) == ("model_not_found", "model")
    else:
        assert error["type"] == "not_found_error"


def test_a_mapped_model_whose_upstreams_do_not_serve_the_operation_is_a_404(kit: Kit) -> None:
    response = kit.call(event(Operation.EMBEDDINGS, {"model": "only-claude"}))
    assert response.status == 404
    message = response.json()["error"]["message"]
    assert "not served by /v1/embeddings" in message
    assert "second" in message
    assert "models: gpt-4" in message


def test_an_operation_that_no_upstream_serves_is_said_so(upstream: UpstreamServer) -> None:
    with gateway_over(anthropic_upstream("second", upstream.url)) as kit:
        response = kit.call(event(Operation.RESPONSES, {"model": "m"}))
    assert response.status == 404
    message = response.json()["error"]["message"]
    assert "no upstream of this gateway serves /v1/responses" in message
    assert "/v1/messages" in message


# Routes


@pytest.mark.parametrize(
    ("resource", "method", "status"),
    [("/v1/chat/completions", "GET", 405), ("/v1/models", "POST", 405), ("/v1/audio", "POST", 404), ("", "GET", 404)],
)
def test_an_unknown_route_answers_in_a_body_both_sdks_parse(kit: Kit, resource: str, method: str, status: int) -> None:
    response = kit.call(event(resource, method=method))
    assert response.status == status
    error: dict[str, Any] = response.json()["error"]
    assert error["message"]
    assert error["type"] in {"invalid_request_error", "not_found_error"}
    if status == 404:
        assert response.json()["type"] == "error"
        assert {"param", "code"} <= set(error)


def test_head_has_no_body(kit: Kit) -> None:
    response = kit.call(event("/v1/messages", method="HEAD"))
    assert (response.status, response.body, response.ended) == (405, b"", True)
