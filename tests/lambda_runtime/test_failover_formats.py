"""Failover crosses formats: the client hears nothing of which one the upstream that answers speaks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from lambda_runtime.config import ModelRoute, Operation, Timeouts
from lambda_runtime.state.outcome import Attempted, Outcome
from lambda_runtime.state.target_states import Availability
from tests.lambda_runtime.failing_upstreams import status
from tests.lambda_runtime.failover_kit import FakeStates
from tests.lambda_runtime.faults_kit import last_event
from tests.lambda_runtime.gateway_kit import Kit, RecordingWriter, anthropic_upstream, event, gateway_over, openai_upstream
from tests.lambda_runtime.samples import CHAT, CHAT_JSON, CHAT_STREAM, CHAT_USAGE, MESSAGES, MESSAGES_JSON, MESSAGES_STREAM
from tests.lambda_runtime.upstream_server import (
    Answer,
    Connection,
    Received,
    UpstreamServer,
    answer_bytes,
    answer_json,
    answer_stream,
    serve,
)

BLOCK = b'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}'
FULL_MESSAGES_STREAM = [MESSAGES_STREAM[0], BLOCK + b"\n\n", *MESSAGES_STREAM[1:]]
FULL_CHAT_STREAM = [*CHAT_STREAM[:2], *CHAT_STREAM[3:-1], CHAT_USAGE, CHAT_STREAM[-1]]
BODIES: dict[Operation, dict[str, Any]] = {
    CHAT: {"model": "m", "messages": [{"role": "user", "content": "hello"}]},
    MESSAGES: {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]},
}
OTHER = {CHAT: MESSAGES, MESSAGES: CHAT}


@contextmanager
def two_formats(
    asked: Operation,
    *,
    states: FakeStates | None = None,
    timeouts: Timeouts | None = None,
    whole: bool = False,
    translated: int = 1,
) -> Iterator[tuple[Kit, UpstreamServer, UpstreamServer]]:
    """A gateway whose `m` asks an upstream of the client's format (`own`) and one of the other (`other`).

    Args:
        asked: what clients ask for.
        states: of the targets.
        timeouts: of the gateway.
        whole: whether streams are delivered whole.
        translated: the place of the one of the other format.
    """
    makers = {CHAT: openai_upstream, MESSAGES: anthropic_upstream}
    with serve() as own, serve() as other:
        upstreams = [makers[asked]("own", own.url), makers[OTHER[asked]]("other", other.url)]
        targets = ["own/x", "other/y"] if translated else ["other/y", "own/x"]
        route = ModelRoute(targets, delivery="whole" if whole else "streamed")
        with gateway_over(*upstreams, models={"m": route}, states=states, timeouts=timeouts) as kit:
            own.answer = status(501)
            other.answer = well
            yield kit, own, other


def well(received: Received, connection: Connection) -> None:
    chat, stream = received.target.endswith("/chat/completions"), json.loads(received.body).get("stream")
    if stream:
        answer_stream(FULL_CHAT_STREAM if chat else FULL_MESSAGES_STREAM)(received, connection)
    else:
        answer_json(CHAT_JSON if chat else MESSAGES_JSON)(received, connection)


def ask(kit: Kit, operation: Operation, *, stream: bool, **more: Any) -> RecordingWriter:
    return kit.call(event(operation, {**BODIES[operation], "stream": stream, **more}))


def said(operation: Operation, response: RecordingWriter, *, stream: bool) -> str:
    """The text of an answer."""
    if not stream:
        document = response.json()
        text = document["choices"][0]["message"]["content"] if operation is CHAT else document["content"][0]["text"]
        return str(text)
    texts = []
    for line in response.body.decode().split("\n"):
        if line.startswith("data: {"):
            document = json.loads(line[6:])
            deltas = (
                [choice["delta"] for choice in document.get("choices", ())] if operation is CHAT else [document.get("delta")]
            )
            texts += [(delta or {}).get("content" if operation is CHAT else "text") or "" for delta in deltas]
    return "".join(texts)


@pytest.mark.parametrize("operation", [CHAT, MESSAGES])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("whole", [True, False])
def test_the_other_format_answers(operation: Operation, stream: bool, whole: bool, capsys: pytest.CaptureFixture[str]) -> None:
    with two_formats(operation, whole=whole) as (kit, own, other):
        response = ask(kit, operation, stream=stream)
    assert (len(own.received), len(other.received)) == (1, 1)
    assert (response.status, response.ended) == (200, True)
    theirs = "hi" if operation is CHAT or not stream else "héllo ☃ [DONE]"
    assert said(operation, response, stream=stream) == theirs
    assert response.header("content-type") == ("text/event-stream; charset=utf-8" if stream else "application/json")
    if stream:
        assert response.body.endswith(CHAT_STREAM[-1] if operation is CHAT else MESSAGES_STREAM[-1])
    sent = json.loads(other.last.body)
    assert sent["model"] == "y"
    assert other.last.target == ("/v1/messages" if operation is CHAT else "/v1/chat/completions")
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert line["attempts"] == ["own/x failure", "other/y success"]
    assert (line["InputTokens"], line["OutputTokens"]) == ((3, 1) if operation is CHAT else (11, 7))


@pytest.mark.parametrize("operation", [CHAT, MESSAGES])
def test_a_client_that_asks_for_usage_gets_it_from_the_other_format(operation: Operation) -> None:
    with two_formats(operation) as (kit, _, other):
        plain = ask(kit, operation, stream=True)
        asking = ask(kit, operation, stream=True, **({"stream_options": {"include_usage": True}} if operation is CHAT else {}))
        sent = json.loads(other.last.body)
    if operation is CHAT:
        assert b'"prompt_tokens":3' not in plain.body
        assert b'"prompt_tokens":3' in asking.body
    else:
        assert sent["stream_options"] == {"include_usage": True}
        assert b'"output_tokens":7' in plain.body


@pytest.mark.parametrize("operation", [CHAT, MESSAGES])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("answer", "code", "message"),
    [
        (status(404, type="not_found_error"), 404, "status 404"),
        (status(429, ("retry-after", "9")), 429, "status 429"),
        (status(503), 503, "status 503"),
        (answer_bytes(b"<html>", 502), 502, ""),
    ],
)
def test_the_others_errors_are_in_the_clients_format(
    operation: Operation, stream: bool, answer: Answer, code: int, message: str
) -> None:
    with two_formats(operation) as (kit, _, other):
        other.answer = answer
        response = ask(kit, operation, stream=stream)
    document = response.json()
    assert response.status == code
    assert ("type" in document) is (operation is MESSAGES)
    assert message in document["error"]["message"]
    assert response.header("retry-after") == ("9" if code == 429 else None)


@pytest.mark.parametrize("operation", [CHAT, MESSAGES])
def test_an_error_in_the_others_stream_is_in_the_clients_format(operation: Operation) -> None:
    error = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Their words"}}\n\n'
    begun = (FULL_MESSAGES_STREAM if operation is CHAT else FULL_CHAT_STREAM)[: 4 if operation is CHAT else 2]
    writer = RecordingWriter()

    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        connection.chunk(b"".join(begun))
        assert writer.wait_until(lambda body: b"hi" in body or b"llo" in body)
        connection.chunk(error)
        connection.end()

    with two_formats(operation) as (kit, _, other):
        other.answer = answer
        kit.call(event(operation, {**BODIES[operation], "stream": True}), writer)
    name, document = last_event(writer)
    assert name == ("" if operation is CHAT else "error")
    assert document["error"]["message"] == "Their words"
    assert b"[DONE]\n\n" not in writer.body.replace("☃ [DONE]".encode(), b"")
    assert b"message_stop" not in writer.body
    assert writer.failure is not None


@pytest.mark.parametrize("operation", [CHAT, MESSAGES])
@pytest.mark.parametrize("cut", [True, False])
def test_the_others_broken_stream_is_broken_in_the_clients_format(operation: Operation, cut: bool) -> None:
    begun = (FULL_MESSAGES_STREAM if operation is CHAT else FULL_CHAT_STREAM)[: 4 if operation is CHAT else 2]
    with two_formats(operation) as (kit, _, other):
        other.answer = answer_stream(begun, cut=cut)
        response = ask(kit, operation, stream=True)
    assert said(operation, response, stream=True) in {"hi", "héllo ☃ [DONE]"}
    name, document = last_event(response)
    assert name == ("" if operation is CHAT else "error")
    assert "message" in document["error"]
    assert b"message_stop" not in response.body
    assert not response.body.endswith(CHAT_STREAM[-1])


@pytest.mark.parametrize("operation", [CHAT, MESSAGES])
def test_what_the_other_lacks_at_its_end_is_added(operation: Operation) -> None:
    stream = (FULL_MESSAGES_STREAM if operation is CHAT else FULL_CHAT_STREAM)[:-1]
    with two_formats(operation) as (kit, _, other):
        other.answer = answer_stream(stream, cut=True)
        response = ask(kit, operation, stream=True)
    assert response.ended
    assert response.body.endswith(CHAT_STREAM[-1] if operation is CHAT else MESSAGES_STREAM[-1])


@pytest.mark.parametrize("operation", [CHAT, MESSAGES])
def test_from_the_other_format_to_the_clients_own(operation: Operation) -> None:
    with two_formats(operation, translated=0) as (kit, own, other):
        other.answer = answer_stream((FULL_MESSAGES_STREAM if operation is CHAT else FULL_CHAT_STREAM)[:1])
        own.answer = well
        response = ask(kit, operation, stream=True)
    assert response.body == b"".join(
        FULL_MESSAGES_STREAM if operation is MESSAGES else [event for event in FULL_CHAT_STREAM if event != CHAT_USAGE]
    )


INEXPRESSIBLE = {"messages": [{"role": "user", "content": [{"type": "video", "video": "x"}]}]}


def test_what_the_other_cannot_express_is_asked_of_the_own_only() -> None:
    with two_formats(CHAT, translated=0) as (kit, own, other):
        own.answer = well
        response = ask(kit, CHAT, stream=False, **INEXPRESSIBLE)
    assert (response.status, len(own.received), len(other.received)) == (200, 1, 0)


def test_what_nobody_can_express_is_a_400_and_gives_a_probe_back() -> None:
    states = FakeStates()
    states.states = {"own/x": Availability.OPEN, "other/y": Availability.HALF_OPEN}
    states.since = {"own/x": float("inf"), "other/y": 1.0}
    with two_formats(CHAT, states=states, translated=0) as (kit, own, other):
        response = ask(kit, CHAT, stream=False, **INEXPRESSIBLE)
    assert (response.status, response.json()["error"]["code"]) == (400, "untranslatable")
    assert own.received == other.received == []
    assert states.recorded == [Attempted("other/y", Outcome.IGNORED, probe=True)]


def test_what_was_dropped_is_named() -> None:
    with two_formats(CHAT) as (kit, _, other):
        for stream in (True, False):
            response = ask(kit, CHAT, stream=stream, logit_bias={"5": 1})
            assert response.header("x-ai-gateway-dropped") == "logit_bias"
        assert "logit_bias" not in json.loads(other.last.body)


def late(answer: Answer, seconds: float = 0.25) -> Answer:
    """An answer after some silence."""

    def answering(received: Received, connection: Connection) -> None:
        connection.wait_until_peer_closes(seconds)
        answer(received, connection)

    return answering


@pytest.mark.parametrize("first", ["own", "other"])
def test_what_was_dropped_is_named_behind_heartbeats_too(first: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In the header if a heartbeat begins the answer while the other one is asked, else in a comment."""
    with two_formats(CHAT, timeouts=Timeouts(heartbeat=0.05), translated=0 if first == "other" else 1) as (kit, own, other):
        own.answer = late(status(500))
        other.answer = late(well)
        response = ask(kit, CHAT, stream=True, logit_bias={"5": 1})
    assert response.body.endswith(b"data: [DONE]\n\n")
    if first == "other":
        assert response.header("x-ai-gateway-dropped") == "logit_bias"
    else:
        assert response.body.count(b": x-ai-gateway-dropped: logit_bias\n\n") == 1
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["dropped"] == "logit_bias"


def test_an_upstream_that_does_not_know_stream_options_is_not_sent_them() -> None:
    with serve() as server:
        server.answer = answer_stream(FULL_CHAT_STREAM)
        upstream = replace(openai_upstream("other", server.url), stream_usage=False)
        with gateway_over(upstream, models={"m": ["other/y"]}) as kit:
            for operation in (CHAT, MESSAGES):
                assert ask(kit, operation, stream=True).status == 200
                assert "stream_options" not in json.loads(server.last.body)


def test_a_shape_that_is_no_answer_goes_on() -> None:
    odd = [{"type": "text", "text": ["not a text"]}, 5]
    with two_formats(CHAT, translated=0) as (kit, own, other):
        own.answer = well
        other.answer = answer_json({**MESSAGES_JSON, "content": odd, "usage": [5], "stop_reason": {}})
        response = ask(kit, CHAT, stream=False)
    assert response.status == 200
    assert len(own.received) in {0, 1}


def test_heartbeats_are_the_clients_while_the_other_is_silent() -> None:
    writer = RecordingWriter()

    def answer(received: Received, connection: Connection) -> None:
        assert writer.wait_for(b'event: ping\ndata: {"type":"ping"}\n\n')
        well(received, connection)

    with two_formats(MESSAGES, timeouts=Timeouts(heartbeat=0.03)) as (kit, _, other):
        other.answer = answer
        kit.call(event(MESSAGES, {**BODIES[MESSAGES], "stream": True}), writer)
    assert writer.body.startswith(b"event: ping")
    assert writer.ended


def test_the_clients_own_headers_stay_with_its_format() -> None:
    with two_formats(MESSAGES, translated=0) as (kit, _, other):
        kit.call(event(MESSAGES, BODIES[MESSAGES], headers={"anthropic-beta": "x", "anthropic-version": "2023-06-01"}))
        assert not [name for name, _ in other.last.headers if name.startswith("anthropic")]
    with two_formats(CHAT, translated=0) as (kit, _, other):
        kit.call(event(CHAT, BODIES[CHAT], headers={"openai-beta": "x"}))
        assert other.last.header("openai-beta") is None
        assert other.last.header("anthropic-version") == "2023-06-01"


def test_an_answer_that_cannot_be_held_is_not_translated(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the client's own format it is passed on as it comes; to translate it takes all of it."""
    monkeypatch.setattr("lambda_runtime.secure_answer.MAX_EVENT", 10_000)
    with two_formats(CHAT, translated=0) as (kit, own, other):
        other.answer = answer_json({**MESSAGES_JSON, "content": [{"type": "text", "text": "x" * 20_000}]})
        own.answer = answer_json(CHAT_JSON)
        assert kit.call(event(CHAT, BODIES[CHAT])).json() == CHAT_JSON
    assert (len(other.received), len(own.received)) == (1, 1)
