"""A stream where JSON was asked for and JSON where a stream was: made into each other without losing anything."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_runtime.config import Operation
from lambda_runtime.streams.as_document import assembler_for
from lambda_runtime.streams.as_events import as_events
from lambda_runtime.streams.readers import Mark, reader_for
from lambda_runtime.streams.sse import EventSplitter
from tests.lambda_runtime.gateway_kit import Kit, both_formats, event, gateway_over
from tests.lambda_runtime.upstream_server import UpstreamServer, answer_json, answer_stream

CHAT, MESSAGES, RESPONSES = Operation.CHAT_COMPLETIONS, Operation.MESSAGES, Operation.RESPONSES

CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"at": "ü"}'}}
OTHER_CALL = {"id": "call_2", "type": "function", "function": {"name": "hear", "arguments": "{}"}}


def chat(*choices: dict[str, Any]) -> dict[str, Any]:
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": list(choices), "usage": usage}


def choice(index: int = 0, finish_reason: str = "stop", **message: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": None, **message}
    return {"index": index, "message": message, "finish_reason": finish_reason}


def message(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "msg",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": list(blocks),
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 4, "cache_read_input_tokens": 1},
    }


TEXT = {"type": "text", "text": "Grüße"}
CITED = {"type": "text", "text": "so it says", "citations": [{"type": "char_location", "cited_text": "it"}]}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
HIDDEN = {"type": "redacted_thinking", "data": "b3BhcXVl"}
TOOL = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": ["ü", 1, None]}}
NO_INPUT = {"type": "tool_use", "id": "toolu_2", "name": "hear", "input": {}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "toolu_3", "content": [{"type": "web_search_result", "url": "u"}]}

CHATS = [
    chat(choice(content="Grüße")),
    chat(choice(content="Grüße", reasoning_content="hm", refusal=None)),
    chat(choice(finish_reason="tool_calls", tool_calls=[CALL, OTHER_CALL])),
    chat(choice(content="one"), choice(1, "length", content="two")),
    chat({**choice(content="a"), "logprobs": {"content": [{"token": "a", "logprob": -1.0}], "refusal": None}}),
    {**chat(choice(content="a")), "system_fingerprint": "fp", "service_tier": "default"},
]
MESSAGE_ANSWERS = [message(TEXT), message(THOUGHT, HIDDEN, CITED, TOOL), message(NO_INPUT), message(FOUND, TEXT)]


def there_and_back(document: dict[str, Any], operation: Operation, choices: int = 1) -> Any:
    reader, assembler = reader_for(operation, choices), assembler_for(operation)
    for raw in EventSplitter().feed(as_events(document, operation)):
        mark = reader.read(raw)
        assert mark is not Mark.MALFORMED
        if raw != b"data: [DONE]":
            assembler.add(reader.event)
    assert reader.complete
    assert reader.finished
    return assembler.document()


@pytest.mark.parametrize("document", CHATS)
def test_a_chat_completion_is_the_same_there_and_back(document: dict[str, Any]) -> None:
    assert there_and_back(document, CHAT, len(document["choices"])) == document


@pytest.mark.parametrize("document", MESSAGE_ANSWERS)
def test_a_message_is_the_same_there_and_back(document: dict[str, Any]) -> None:
    assert there_and_back(document, MESSAGES) == document


@given(st.text(min_size=1), st.lists(st.text(min_size=1), max_size=3))
def test_any_text_is_the_same_there_and_back(text: str, arguments: list[str]) -> None:
    calls = [{"id": f"c{i}", "type": "function", "function": {"name": "f", "arguments": a}} for i, a in enumerate(arguments)]
    said: dict[str, Any] = {"content": text, "tool_calls": calls} if calls else {"content": text}
    answer = chat(choice(**said))
    assert there_and_back(answer, CHAT) == answer
    answer = message({"type": "text", "text": text}, *({**TOOL, "input": {"a": argument}} for argument in arguments))
    assert there_and_back(answer, MESSAGES) == answer


def streamed(document: dict[str, Any], operation: Operation, pieces: int) -> list[bytes]:
    whole = as_events(document, operation)
    size = len(whole) // pieces + 1
    return [whole[at : at + size] for at in range(0, len(whole), size)]


@pytest.mark.parametrize(
    ("operation", "document"), [(CHAT, CHATS[2]), (MESSAGES, MESSAGE_ANSWERS[1])], ids=["chat", "messages"]
)
@pytest.mark.parametrize("pieces", [1, 7, 100])
def test_the_gateway_makes_json_of_a_stream(
    kit: Kit, upstream: UpstreamServer, operation: Operation, document: dict[str, Any], pieces: int
) -> None:
    upstream.answer = answer_stream(streamed(document, operation, pieces))
    response = kit.call(event(operation, {"model": "m"}))
    assert (response.status, response.header("content-type")) == (200, "application/json")
    assert response.json() == document


def test_the_deltas_of_real_streams_are_put_together(kit: Kit, upstream: UpstreamServer) -> None:
    def event_of(**fields: Any) -> bytes:
        data = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "usage": None, **fields}
        return b"data: " + json.dumps(data).encode() + b"\n\n"

    def chunk(delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
        return event_of(choices=[{"index": 0, "delta": delta, "finish_reason": finish_reason}])

    def arguments(text: str) -> bytes:
        return chunk({"tool_calls": [{"index": 0, "function": {"arguments": text}}]})

    upstream.answer = answer_stream(
        [
            chunk({"role": "assistant", "content": ""}),
            chunk({"content": "He"}),
            chunk({"content": "llo"}),
            chunk({"tool_calls": [{"index": 0, **CALL, "function": {"name": "look", "arguments": ""}}]}),
            arguments('{"at": '),
            arguments('"ü"}'),
            chunk({"tool_calls": [{"index": 1, **OTHER_CALL}]}),
            chunk({}, "tool_calls"),
            event_of(choices=[], usage=CHATS[0]["usage"]),
            b"data: [DONE]\n\n",
        ],
        cut=True,
    )
    assert kit.call(event(CHAT, {"model": "m"})).json() == chat(
        choice(content="Hello", finish_reason="tool_calls", tool_calls=[CALL, OTHER_CALL])
    )


@pytest.mark.parametrize("wanted", [True, False])
def test_the_gateway_makes_a_stream_of_json(kit: Kit, upstream: UpstreamServer, wanted: bool) -> None:
    upstream.answer = answer_json(CHATS[0])
    options = {"stream_options": {"include_usage": True}} if wanted else {}
    response = kit.call(event(CHAT, {"model": "m", "stream": True, **options}))
    assert (response.status, response.header("content-type")) == (200, "text/event-stream; charset=utf-8")
    assert response.body.endswith(b"data: [DONE]\n\n")
    assert (b'"usage"' in response.body) is wanted
    assert json.dumps("Grüße").encode() in response.body
    assert response.ended


def test_figures_are_known_although_the_client_did_not_ask(
    kit: Kit, upstream: UpstreamServer, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream.answer = answer_json(CHATS[0])
    kit.call(event(CHAT, {"model": "m", "stream": True}))
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (line["InputTokens"], line["OutputTokens"], line["usage_estimated"]) == (3, 4, False)


def test_json_is_no_stream_of_responses(kit: Kit, upstream: UpstreamServer) -> None:
    upstream.answer = answer_json({"object": "response", "status": "completed", "output": [{"type": "message"}]})
    response = kit.call(event(RESPONSES, {"model": "m", "stream": True}))
    assert (response.status, response.json()["error"]["code"]) == (502, "upstream_invalid_answer")


def test_an_error_that_is_no_failed_response_is_no_stream_either(kit: Kit, upstream: UpstreamServer) -> None:
    upstream.answer = answer_json({"object": "response", "status": "incomplete", "output": [{"type": "message"}], "error": "e"})
    response = kit.call(event(RESPONSES, {"model": "m", "stream": True}))
    assert (response.status, response.json()["error"]["code"]) == (502, "upstream_invalid_answer")


def test_a_stream_of_responses_holds_the_json(kit: Kit, upstream: UpstreamServer) -> None:
    answer = {"object": "response", "status": "completed", "output": [{"type": "message"}], "error": None}
    data = json.dumps({"type": "response.completed", "response": answer}).encode()
    upstream.answer = answer_stream([b"event: response.completed\ndata: " + data + b"\n\n"])
    assert kit.call(event(RESPONSES, {"model": "m"})).json() == answer


@pytest.mark.parametrize(
    "events",
    [
        b'data: {"choices":[{"index":0,"delta":{"content":"half"}}]}\n\n',
        b"data: [DONE]\n\n",
        b"data: {]\n\ndata: [DONE]\n\n",
        b": nothing\n\n",
    ],
)
def test_half_a_stream_is_no_json(kit: Kit, upstream: UpstreamServer, events: bytes) -> None:
    upstream.answer = answer_stream([events])
    response = kit.call(event(CHAT, {"model": "m"}))
    assert response.status == 502
    assert response.json()["error"]["code"] in {"upstream_stream_interrupted", "upstream_invalid_answer"}


@pytest.mark.parametrize("error", [b"event: error\ndata: {}\n\n", b'data: {"type":"response.failed"}\n\n'])
def test_an_error_event_without_words_is_no_json_either(kit: Kit, upstream: UpstreamServer, error: bytes) -> None:
    upstream.answer = answer_stream([error + b"data: more"])
    response = kit.call(event(RESPONSES, {"model": "m"}))
    assert (response.status, response.json()["error"]["message"]) == (502, "the upstream gave up")


@pytest.mark.parametrize("shape", [{"choices": 3}, {"choices": [3]}, {"choices": [{"message": 3}]}, {}])
def test_json_of_no_known_shape_is_an_empty_answer(upstream: UpstreamServer, shape: dict[str, Any]) -> None:
    upstream.answers = [answer_json(shape), answer_json(CHATS[0])]
    models = {"m": ["main/a", "main/b"]}
    with gateway_over(both_formats("main", upstream.url), models=models) as kit:
        response = kit.call(event(CHAT, {"model": "m", "stream": True}))
    assert json.dumps("Grüße").encode() in response.body
    assert len(upstream.received) == 2
