"""Tokens of each kind of request: in the log line, as metrics, and counted for the consumer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lambda_runtime.config import AuthStyle, Endpoint, Operation, UpstreamConfig
from lambda_runtime.usage import Usage
from tests.lambda_runtime.gateway_kit import Kit, RecordingWriter, both_formats, event, gateway_over
from tests.lambda_runtime.samples import (
    ANSWERS,
    CHAT,
    CHAT_STREAM,
    CHAT_USAGE,
    MESSAGES,
    MESSAGES_STREAM,
    RESPONSES,
    RESPONSES_STREAM,
)
from tests.lambda_runtime.upstream_server import Answer, UpstreamServer, answer_bytes, answer_json, answer_stream

DONE = CHAT_STREAM[-1]
RESPONSES_USAGE = b'data: {"type":"response.completed","response":{"usage":{"input_tokens":4,"output_tokens":2}}}\n\n'


class Counts:
    """What `UsageCounts` is told."""

    def __init__(self) -> None:
        self.added: list[tuple[str, Usage]] = []

    def add(self, consumer: str, usage: Usage, cost: int | None = None) -> None:
        assert cost is None  # there are no prices
        self.added.append((consumer, usage))


@pytest.fixture
def counts() -> Counts:
    return Counts()


@pytest.fixture
def kit(upstream: UpstreamServer, counts: Counts) -> Iterator[Kit]:
    with gateway_over(both_formats("main", upstream.url), models={"gpt-4": ["main/gpt-4.1"]}, usage_counts=counts) as kit:
        yield kit


def line_of(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return document


def figures(line: dict[str, Any]) -> Usage | None:
    if "InputTokens" not in line:
        return None
    names = ("InputTokens", "OutputTokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens", "usage_estimated")
    return Usage(*(line[name] for name in names))


@pytest.mark.parametrize(
    ("operation", "stream", "answer", "usage"),
    [
        (CHAT, False, answer_json(ANSWERS[CHAT]), Usage(11, 7)),
        (CHAT, True, answer_stream([*CHAT_STREAM[:-1], CHAT_USAGE, DONE]), Usage(11, 7)),
        (CHAT, True, answer_stream([*CHAT_STREAM[:-1], CHAT_USAGE]), Usage(11, 7)),
        (CHAT, True, answer_stream([*CHAT_STREAM[:-1], CHAT_USAGE], cut=True), Usage(11, 7)),
        (CHAT, False, answer_json({**ANSWERS[CHAT], "usage": None}), None),
        (MESSAGES, False, answer_json(ANSWERS[MESSAGES]), Usage(3, 1)),
        (MESSAGES, True, answer_stream(MESSAGES_STREAM), Usage(3, 1)),
        (MESSAGES, True, answer_stream(MESSAGES_STREAM[:3], cut=True), Usage(3, 1, estimated=True)),
        (RESPONSES, False, answer_json(ANSWERS[RESPONSES]), Usage(4, 2)),
        (RESPONSES, True, answer_stream([*RESPONSES_STREAM[:-1], RESPONSES_USAGE]), Usage(4, 2)),
        (
            Operation.EMBEDDINGS,
            False,
            answer_json({"data": [{"embedding": [0.5] * 9000}], "usage": {"prompt_tokens": 8, "total_tokens": 8}}),
            Usage(8, 0),
        ),
        (Operation.EMBEDDINGS, False, answer_json({"usage": {"prompt_tokens": 8}, "data": [0.5] * 9000}), Usage(8, 0)),
        (Operation.EMBEDDINGS, False, answer_bytes(b'{"usage":{"prompt_tokens":}}'), None),
        (Operation.COUNT_TOKENS, False, answer_json({"input_tokens": 5}), None),
        (CHAT, False, answer_json({"error": {}}, 400), None),
        (CHAT, True, answer_json({"error": {}}, 503), None),
    ],
)
def test_the_upstreams_own_figures_count(  # noqa: PLR0917
    kit: Kit,
    upstream: UpstreamServer,
    counts: Counts,
    capsys: pytest.CaptureFixture[str],
    operation: Operation,
    stream: bool,
    answer: Answer,
    usage: Usage | None,
) -> None:
    upstream.answer = answer
    kit.call(event(operation, {"model": "gpt-4", "stream": stream}))
    line = line_of(capsys)
    assert figures(line) == usage
    assert counts.added == ([("consumer-1", usage)] if usage else [])


def test_tokens_are_metrics_by_upstream_and_mapped_model(
    kit: Kit, upstream: UpstreamServer, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream.answer = answer_json(ANSWERS[CHAT])
    for asked, label in (("gpt-4", "gpt-4"), ("anything-" + "x" * 300, "other")):
        kit.call(event(CHAT, {"model": asked}))
        line = line_of(capsys)
        tokens = line["_aws"]["CloudWatchMetrics"][-1]
        assert tokens["Dimensions"] == [["Gateway"], ["Gateway", "Upstream", "Model"]]
        assert [metric["Name"] for metric in tokens["Metrics"]] == ["InputTokens", "OutputTokens"]
        assert (line["Gateway"], line["Upstream"], line["Model"]) == ("gateway-function", "main", label)
        assert not {"consumer", "request_id"} & {name for names in tokens["Dimensions"] for name in names}


def test_a_request_without_a_key_is_counted_for_nobody(kit: Kit, upstream: UpstreamServer, counts: Counts) -> None:
    upstream.answer = answer_json(ANSWERS[CHAT])
    asked = event(CHAT, {"model": "m"})
    asked["requestContext"]["identity"] = {}
    assert kit.call(asked).status == 200
    assert counts.added == []


# A stream's figures have to be asked for


def test_figures_are_asked_for_and_hidden(kit: Kit, upstream: UpstreamServer) -> None:
    upstream.answer = answer_stream([*CHAT_STREAM[:-1], CHAT_USAGE, DONE])
    response = kit.call(event(CHAT, {"model": "gpt-4", "stream": True}))
    assert response.body == b"".join(CHAT_STREAM)
    assert json.loads(upstream.last.body)["stream_options"] == {"include_usage": True}


def test_a_client_that_asks_for_them_has_them(kit: Kit, upstream: UpstreamServer) -> None:
    upstream.answer = answer_stream([*CHAT_STREAM[:-1], CHAT_USAGE, DONE])
    body = {"model": "gpt-4", "stream": True, "stream_options": {"include_usage": True, "more": 1}}
    assert kit.call(event(CHAT, body)).body == b"".join([*CHAT_STREAM[:-1], CHAT_USAGE, DONE])
    assert json.loads(upstream.last.body)["stream_options"] == {"include_usage": True, "more": 1}


@pytest.mark.parametrize("options", [{"include_usage": False}, None, {}])
def test_a_client_that_does_not_want_them_has_none(kit: Kit, upstream: UpstreamServer, options: Any) -> None:
    upstream.answer = answer_stream([*CHAT_STREAM[:-1], CHAT_USAGE, DONE])
    body = {"model": "gpt-4", "stream": True, "stream_options": options}
    assert kit.call(event(CHAT, body)).body == b"".join(CHAT_STREAM)
    assert json.loads(upstream.last.body)["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize(
    ("operation", "stream"), [(CHAT, False), (RESPONSES, True), (MESSAGES, True), (Operation.EMBEDDINGS, False)]
)
def test_elsewhere_nothing_is_asked_for(kit: Kit, upstream: UpstreamServer, operation: Operation, stream: bool) -> None:
    kit.call(event(operation, {"model": "m", "stream": stream}))
    assert "stream_options" not in json.loads(upstream.last.body)


def test_an_upstream_that_does_not_take_the_option_is_not_asked(
    upstream: UpstreamServer, capsys: pytest.CaptureFixture[str]
) -> None:
    endpoint = Endpoint(base_url=upstream.url + "/v1", auth=AuthStyle.NONE, operations=(CHAT,))
    upstream.answer = answer_stream(CHAT_STREAM)
    with gateway_over(UpstreamConfig(name="main", endpoints=(endpoint,), stream_usage=False)) as kit:
        kit.call(event(CHAT, {"model": "m", "stream": True}))
    assert upstream.last.body == b'{"model": "m", "stream": true}'
    usage = figures(line_of(capsys))
    assert usage is not None
    assert (usage.output_tokens, usage.estimated) == (2, True)


def test_a_client_that_goes_is_charged_what_had_come(
    kit: Kit, upstream: UpstreamServer, counts: Counts, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream.answer = answer_stream([*CHAT_STREAM[:-1], CHAT_USAGE, DONE])
    kit.call(event(CHAT, {"model": "m", "stream": True}), RecordingWriter(gone_after=0))
    usage = figures(line_of(capsys))
    assert usage is not None
    assert usage.output_tokens >= 1
    assert counts.added == [("consumer-1", usage)]


# Events that are not JSON


def test_malformed_events_are_dropped_and_counted(
    kit: Kit, upstream: UpstreamServer, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = b'data: {"choices":[{"delta":{"content":"cut\n\n'
    upstream.answer = answer_stream([bad, *CHAT_STREAM[:2], bad, b"data: hello\n\n", *CHAT_STREAM[2:]])
    response = kit.call(event(CHAT, {"model": "m", "stream": True}))
    assert (response.body, response.ended) == (b"".join(CHAT_STREAM), True)
    line = line_of(capsys)
    assert (line["malformed_events"], line["Errors"]) == (3, 0)
    upstream.answer = answer_stream(CHAT_STREAM)
    kit.call(event(CHAT, {"model": "m", "stream": True}))
    assert "malformed_events" not in line_of(capsys)
