"""The errors of the runtime, read by the official SDKs: what it answers is served to them byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from lambda_runtime.config import Operation
from tests.lambda_runtime.gateway_kit import RecordingWriter, both_formats, event, gateway_over
from tests.lambda_runtime.test_relay import CHAT_STREAM, MESSAGES_STREAM, RESPONSES_STREAM
from tests.lambda_runtime.upstream_server import Connection, Received, UpstreamServer, answer_stream, serve

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


@pytest.mark.parametrize("cut", [True, False])
def test_openai_raises_on_a_broken_chat_stream(front: UpstreamServer, cut: bool) -> None:
    front.answer = replay(relayed(CHAT, CHAT_STREAM[:2], cut=cut))
    with openai_client(front) as client, pytest.raises(openai.APIError, match="the upstream's") as caught:
        list(client.chat.completions.create(model="m", messages=[], stream=True))
    assert caught.value.code == "upstream_stream_interrupted"


def test_openai_raises_on_a_broken_responses_stream(front: UpstreamServer) -> None:
    front.answer = replay(relayed(RESPONSES, RESPONSES_STREAM[:1]))
    with openai_client(front) as client, pytest.raises(openai.APIError, match="the upstream's") as caught:
        list(client.responses.create(model="m", input="x", stream=True))
    assert caught.value.code == "upstream_stream_interrupted"


def test_anthropic_raises_on_a_broken_messages_stream(front: UpstreamServer) -> None:
    front.answer = replay(relayed(MESSAGES, MESSAGES_STREAM[:3], cut=True))
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
