"""The errors of the runtime, read by the official SDKs: what it answers is served to them byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from lambda_runtime.config import Operation
from lambda_runtime.errors import BudgetExceededError
from lambda_runtime.streams.event_stream import heartbeat
from tests.lambda_runtime.gateway_kit import RecordingWriter, both_formats, event, gateway_over
from tests.lambda_runtime.samples import CHAT_STREAM, MESSAGES_STREAM, RESPONSES_STREAM, STREAMS
from tests.lambda_runtime.upstream_server import Connection, Received, UpstreamServer, answer_json, answer_stream, serve

CHAT, MESSAGES, RESPONSES = Operation.CHAT_COMPLETIONS, Operation.MESSAGES, Operation.RESPONSES


@pytest.fixture
def front() -> Iterator[UpstreamServer]:
    """Serves recorded answers to the SDKs."""
    with serve() as server:
        yield server


def relayed(operation: Operation, stream: list[bytes], *, cut: bool = False) -> RecordingWriter:
    with serve() as upstream, gateway_over(both_formats("main", upstream.url)) as kit:
        upstream.answer = answer_stream(stream, cut=cut)
        return kit.call(event(operation, {"model": "m", "stream": True}))


def refused(operation: Operation, body: Any) -> RecordingWriter:
    with gateway_over(both_formats("main", "http://127.0.0.1:1"), serve_unmapped_models=False) as kit:
        return kit.call(event(operation, body))


def replay(recorded: RecordingWriter) -> Any:
    def answer(_received: Received, connection: Connection) -> None:
        connection.start(recorded.status, recorded.headers)
        connection.chunk(recorded.body)
        connection.end()

    return answer


def openai_client(front: UpstreamServer) -> openai.OpenAI:
    return openai.OpenAI(base_url=front.url + "/v1", api_key="k", max_retries=0)


def anthropic_client(front: UpstreamServer) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=front.url, api_key="k", max_retries=0)


HALVES = [0, 1, 7, 40, -4]
"""Bytes of the event in whose middle a stream breaks; none, and all but its ending and a brace."""


@pytest.mark.parametrize("cut", [True, False])
@pytest.mark.parametrize("half", HALVES)
def test_openai_raises_on_a_broken_chat_stream(front: UpstreamServer, cut: bool, half: int) -> None:
    front.answer = replay(relayed(CHAT, [*CHAT_STREAM[:2], *([CHAT_STREAM[2][:half]] if half else [])], cut=cut))
    with openai_client(front) as client, pytest.raises(openai.APIError, match="the upstream's") as caught:
        list(client.chat.completions.create(model="m", messages=[], stream=True))
    assert caught.value.code == "upstream_stream_interrupted"


def test_openai_raises_on_a_broken_responses_stream(front: UpstreamServer) -> None:
    front.answer = replay(relayed(RESPONSES, [*RESPONSES_STREAM[:2], RESPONSES_STREAM[2][:20]]))
    with openai_client(front) as client, pytest.raises(openai.APIError, match="the upstream's") as caught:
        list(client.responses.create(model="m", input="x", stream=True))
    assert caught.value.code == "upstream_stream_interrupted"


@pytest.mark.parametrize("half", [*HALVES, MESSAGES_STREAM[3].index(b"data")])
def test_anthropic_raises_on_a_broken_messages_stream(front: UpstreamServer, half: int) -> None:
    front.answer = replay(relayed(MESSAGES, [*MESSAGES_STREAM[:3], *([MESSAGES_STREAM[3][:half]] if half else [])], cut=True))
    with anthropic_client(front) as client, pytest.raises(anthropic.APIStatusError, match="the upstream's"):
        list(client.messages.create(model="m", max_tokens=5, messages=[], stream=True))


def test_openai_gets_a_whole_answer_where_only_done_was_missing(front: UpstreamServer) -> None:
    front.answer = replay(relayed(CHAT, CHAT_STREAM[:-1]))
    with openai_client(front) as client:
        chunks = list(client.chat.completions.create(model="m", messages=[], stream=True))
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_openai_reads_code_param_and_request_id(front: UpstreamServer) -> None:
    front.answer = replay(refused(CHAT, {"model": "nope"}))
    with openai_client(front) as client, pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="nope", messages=[])
    error = caught.value
    assert (error.code, error.param, error.request_id) == ("model_not_found", "model", "request-1")


def test_anthropic_reads_type_message_and_request_id(front: UpstreamServer) -> None:
    front.answer = replay(refused(MESSAGES, {"model": "nope"}))
    with anthropic_client(front) as client, pytest.raises(anthropic.NotFoundError, match="'nope' does not exist") as caught:
        client.messages.create(model="nope", max_tokens=5, messages=[])
    assert caught.value.request_id == "request-1"
    assert caught.value.body["error"]["type"] == "not_found_error"  # type: ignore[index]


VOID = [b"retry: 3000\n\n", b"id: 1\n\n", b"event: nothing\n\n", b": a comment\n\n", b"data: not json\n\n", b"\n\n"]


def test_openai_reads_a_stream_full_of_what_it_cannot_parse(front: UpstreamServer) -> None:
    front.answer = replay(relayed(CHAT, [piece for event in CHAT_STREAM for piece in (*VOID, b"id: 7\n" + event)]))
    with openai_client(front) as client:
        chunks = list(client.chat.completions.create(model="m", messages=[], stream=True))
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None, None, None, "stop"]


def test_anthropic_reads_a_stream_full_of_what_it_cannot_parse(front: UpstreamServer) -> None:
    void = [*VOID, b"event: message_delta\n\n"]
    front.answer = replay(relayed(MESSAGES, [piece for event in MESSAGES_STREAM for piece in (*void, event)]))
    with anthropic_client(front) as client:
        events = list(client.messages.create(model="m", max_tokens=5, messages=[], stream=True))
    assert [event.type for event in events] == ["message_start", "content_block_delta", "message_delta", "message_stop"]


@pytest.mark.parametrize("operation", [CHAT, MESSAGES, RESPONSES])
def test_the_sdks_read_over_heartbeats(front: UpstreamServer, operation: Operation) -> None:
    beat = heartbeat(operation.wire_format)
    writer = RecordingWriter()
    writer.start(200, [("content-type", "text/event-stream")])
    writer.write(b"".join([beat, *(beat + event for event in STREAMS[operation])]))
    front.answer = replay(writer)
    if operation is MESSAGES:
        with anthropic_client(front) as client:
            events = list(client.messages.create(model="m", max_tokens=5, messages=[], stream=True))
        assert events[-1].type == "message_stop"
        return
    with openai_client(front) as openai_sdk:
        if operation is CHAT:
            assert len(list(openai_sdk.chat.completions.create(model="m", messages=[], stream=True))) == 4
        else:
            assert len(list(openai_sdk.responses.create(model="m", input="x", stream=True))) == 3


def test_the_sdks_do_not_repeat_what_was_tried_already(front: UpstreamServer) -> None:
    with serve() as upstream, gateway_over(both_formats("main", upstream.url)) as kit:
        upstream.answer = answer_json({"error": {"message": "down"}}, 503, [("retry-after", "0")])
        for operation in (CHAT, MESSAGES):
            front.received.clear()
            front.answer = replay(kit.call(event(operation, {"model": "m"})))
            if operation is CHAT:
                with openai.OpenAI(base_url=front.url, api_key="k") as client, pytest.raises(openai.InternalServerError):
                    client.chat.completions.create(model="m", messages=[])
            else:
                with anthropic.Anthropic(base_url=front.url, api_key="k") as sdk, pytest.raises(anthropic.InternalServerError):
                    sdk.messages.create(model="m", max_tokens=5, messages=[])
            assert len(front.received) == 1


def test_openai_raises_on_an_error_event_that_only_its_type_tells(front: UpstreamServer) -> None:
    front.answer = replay(relayed(CHAT, [*CHAT_STREAM[:2], b'data: {"type":"error","message":"their words"}\n\n']))
    with openai_client(front) as client, pytest.raises(openai.APIError, match="their words"):
        list(client.chat.completions.create(model="m", messages=[], stream=True))


def test_anthropic_raises_on_an_error_event_without_a_name(front: UpstreamServer) -> None:
    error = b'data: {"type":"error","error":{"type":"api_error","message":"their words"}}\n\n'
    front.answer = replay(relayed(MESSAGES, [*MESSAGES_STREAM[:3], error]))
    with anthropic_client(front) as client, pytest.raises(anthropic.APIStatusError, match="their words"):
        list(client.messages.create(model="m", max_tokens=5, messages=[], stream=True))


class UsedUp:
    """An `Admission` that admits nobody any more."""

    def admit(self, *_request: Any) -> None:
        raise BudgetExceededError("the budget tokens_per_day of this key is used up", retry_after=3600)


def used_up(operation: Operation) -> RecordingWriter:
    upstream = both_formats("main", "http://127.0.0.1:1")
    with gateway_over(upstream, admission_of=lambda _: UsedUp()) as kit:  # type: ignore[arg-type,return-value]
        return kit.call(event(operation, {"model": "m"}))


def test_openai_knows_a_budget_that_is_used_up_and_does_not_repeat(front: UpstreamServer) -> None:
    front.answer = replay(used_up(CHAT))
    with openai.OpenAI(base_url=front.url + "/v1", api_key="k") as client, pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model="m", messages=[])
    assert (caught.value.code, caught.value.type) == ("budget_exceeded", "insufficient_quota")
    assert caught.value.response.headers["retry-after"] == "3600"
    assert len(front.received) == 1


def test_anthropic_knows_a_budget_that_is_used_up_and_does_not_repeat(front: UpstreamServer) -> None:
    front.answer = replay(used_up(MESSAGES))
    with anthropic.Anthropic(base_url=front.url, api_key="k") as client, pytest.raises(anthropic.RateLimitError) as caught:
        client.messages.create(model="m", max_tokens=5, messages=[])
    assert "tokens_per_day of this key is used up" in str(caught.value)
    assert len(front.received) == 1
