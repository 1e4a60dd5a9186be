"""Same format in and out: bytes pass as they came, in both directions."""

from __future__ import annotations

import base64
import gzip
import json
import threading
from typing import Any

import pytest

from lambda_runtime.config import Operation
from tests.lambda_runtime.gateway_kit import UPSTREAM_KEY, Kit, RecordingWriter, event
from tests.lambda_runtime.samples import CHAT, CHAT_JSON, CHAT_STREAM, FRAMES, STREAMS
from tests.lambda_runtime.upstream_server import (
    JSON,
    SSE,
    Connection,
    Received,
    UpstreamServer,
    answer_bytes,
    answer_json,
    answer_stream,
)


@pytest.mark.parametrize(
    ("operation", "path"),
    [
        (Operation.CHAT_COMPLETIONS, "/v1/chat/completions"),
        (Operation.RESPONSES, "/v1/responses"),
        (Operation.EMBEDDINGS, "/v1/embeddings"),
        (Operation.MESSAGES, "/v1/messages"),
        (Operation.COUNT_TOKENS, "/v1/messages/count_tokens"),
    ],
)
def test_each_route_goes_to_its_path_and_answers_byte_for_byte(
    kit: Kit, upstream: UpstreamServer, operation: Operation, path: str
) -> None:
    said = '"choices":[{"message":{"content":"\\u00e9 é \\ud83d\\ude00"}}], "content":["x"],"output":[1]'
    answer = f'{{ "usage" : {{"total_tokens": 1.0e2}},\n{said}}}  '.encode()
    upstream.answer = answer_bytes(answer, headers=[("Content-Type", "application/json; charset=utf-8")])
    response = kit.call(event(operation, {"model": "some-model", "messages": []}))
    assert (response.status, response.body, response.ended) == (200, answer, True)
    assert response.header("content-type") == "application/json; charset=utf-8"
    assert response.header("content-length") is None
    assert (upstream.last.method, upstream.last.target) == ("POST", path)


@pytest.mark.parametrize("operation", list(STREAMS))
def test_streams_pass_byte_for_byte(kit: Kit, upstream: UpstreamServer, operation: Operation) -> None:
    upstream.answer = answer_stream(STREAMS[operation])
    response = kit.call(event(operation, {"model": "m", "stream": True}))
    assert response.body == b"".join(STREAMS[operation])
    assert response.ended
    assert response.header("content-type") == "text/event-stream; charset=utf-8"


@pytest.mark.parametrize("operation", list(STREAMS))
def test_from_the_first_content_on_events_are_not_held_back(kit: Kit, upstream: UpstreamServer, operation: Operation) -> None:
    writer = RecordingWriter()
    seen: list[bool] = []
    stream = STREAMS[operation]

    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        for number, chunk in enumerate(stream, 1):
            connection.chunk(chunk)
            if number > FRAMES[operation]:
                seen.append(writer.wait_for(b"".join(stream[:number])))
        connection.end()

    upstream.answer = answer
    kit.call(event(operation, {"model": "m", "stream": True}), writer)
    assert seen == [True] * (len(stream) - FRAMES[operation])
    assert writer.ended


@pytest.mark.parametrize("operation", list(STREAMS))
def test_what_frames_content_is_held_until_there_is_content(kit: Kit, upstream: UpstreamServer, operation: Operation) -> None:
    writer = RecordingWriter()
    frames, content = STREAMS[operation][: FRAMES[operation]], STREAMS[operation][FRAMES[operation] :]
    started: list[bool] = []

    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        for frame in frames:
            connection.chunk(frame)
        started.append(writer.started)
        connection.chunk(content[0][:10])
        started.append(writer.started)
        connection.chunk(content[0][10:])
        assert writer.wait_for(content[0])
        for chunk in content[1:]:
            connection.chunk(chunk)
        connection.end()

    upstream.answer = answer
    kit.call(event(operation, {"model": "m", "stream": True}), writer)
    assert started == [False, False]
    assert writer.pieces[0] == b"".join([*frames, content[0]])


def test_half_an_event_is_never_passed_on(kit: Kit, upstream: UpstreamServer) -> None:
    writer = RecordingWriter()
    arrived = threading.Event()

    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        connection.chunk(CHAT_STREAM[1])
        assert writer.wait_for(CHAT_STREAM[1])
        for piece in (b'data: {"choi', b'ces":[{"delta":{"content":"x"}}]}\n', b"\ndata: [DO", b"NE]\n\n"):
            connection.chunk(piece)
        arrived.set()
        connection.end()

    upstream.answer = answer
    kit.call(event(CHAT, {"model": "m", "stream": True}), writer)
    assert arrived.is_set()
    assert writer.body == CHAT_STREAM[1] + b'data: {"choices":[{"delta":{"content":"x"}}]}\n\ndata: [DONE]\n\n'
    assert all(piece.endswith(b"\n\n") for piece in writer.pieces)


@pytest.mark.parametrize(
    "body",
    [
        '{"model":"gpt-4","temperature":1.0,"seed":1e5,"x":-0.0,"messages":[{"role":"user","content":"\\u00e9\\/ ☃"}]}',
        '{ "messages" : [ { "model" : "gpt-4" } ] ,\r\n\t"model"\t:\t"gpt-4" , "metadata": {"model": "gpt-4"} } \n',
        '{"tools":[{"type":"function","function":{"name":"f","parameters":{"model":"gpt-4"}}}],"\\u006dodel":"gpt-4","a":1,"a":2}',
        '{"model":"gpt\\u002d4","stop":["\\"model\\":\\"gpt-4\\""],"n":10000000000000000000000001}',
    ],
)
def test_only_the_model_is_rewritten(kit: Kit, upstream: UpstreamServer, body: str) -> None:
    kit.call(event(CHAT, body))
    sent = upstream.last.body.decode()
    assert json.loads(sent)["model"] == "gpt-4.1"
    begin = next(i for i, (a, b) in enumerate(zip(body, sent, strict=False)) if a != b)
    assert sent[:begin] == body[:begin]
    rest = body[body.index('"', begin) :] if '"gpt' in body else ""
    assert sent.endswith(rest)


@pytest.mark.parametrize("stream", [False, True])
def test_a_body_of_100_kb_with_tools_and_images_is_passed_untouched(kit: Kit, upstream: UpstreamServer, stream: bool) -> None:
    image = base64.b64encode(bytes(range(256)) * 400).decode()
    body = json.dumps(
        {
            "model": "claude",
            "stream": stream,
            "system": [{"type": "text", "text": "x" * 1000, "cache_control": {"type": "ephemeral"}}],
            "messages": [
                {"role": "user", "content": [{"type": "image", "source": {"type": "base64", "data": image}}]},
                {
                    "role": "assistant",
                    "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"model": "y", "z": 1.0}}],
                },
            ],
            "unknown_field": {"nested": [None, True, "é"]},
        },
        ensure_ascii=False,
        indent=1,
    )
    assert len(body) > 100_000
    kit.call(event(Operation.MESSAGES, body))
    assert upstream.last.body == body.encode()


def test_a_base64_body_is_decoded(kit: Kit, upstream: UpstreamServer) -> None:
    encoded = event(CHAT, base64.b64encode('{"model": "gpt-4", "x": "é"}'.encode()).decode()) | {"isBase64Encoded": True}
    assert kit.call(encoded).status == 200
    assert upstream.last.body == '{"model": "gpt-4.1", "x": "é"}'.encode()


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ({"beta": ["true"]}, "?beta=true"),
        ({"b": ["2", "1"], "a": ["x y&z=/?"], "empty": [""]}, "?b=2&b=1&a=x%20y%26z%3D%2F%3F&empty="),
        ({"include[]": ["é", "+"]}, "?include%5B%5D=%C3%A9&include%5B%5D=%2B"),
        ({"a": ["\ud800", None]}, "?a=%3F&a="),
        (None, ""),
    ],
)
def test_the_query_string_keeps_its_meaning(kit: Kit, upstream: UpstreamServer, query: Any, sent: str) -> None:
    kit.call(event(Operation.MESSAGES, {"model": "m"}, query=query))
    assert upstream.last.target == "/v1/messages" + sent


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422, 429, 500, 503, 529])
def test_an_upstreams_errors_pass_as_they_are(kit: Kit, upstream: UpstreamServer, status: int) -> None:
    body = b'{"error" : {"message":"their own words","type":"t","code":null,"param":null}}'
    upstream.answer = answer_bytes(body, status, [JSON, ("retry-after", "7"), ("x-request-id", "up-1")])
    response = kit.call(event(CHAT, {"model": "m", "stream": True}))
    assert (response.status, response.body, response.ended) == (status, body, True)
    assert (response.header("retry-after"), response.header("x-request-id")) == ("7", "up-1")
    # What may pass was tried again already; the SDKs would multiply that by three.
    assert response.header("x-should-retry") == (None if status < 429 else "false")


@pytest.mark.parametrize("words", ["y", "y" * 65_500, "y" * 300_000, "y" * 65_500 + UPSTREAM_KEY + "y" * 65_500])
@pytest.mark.parametrize("status", [501, 404])
def test_an_error_of_any_length_passes_whole(kit: Kit, upstream: UpstreamServer, status: int, words: str) -> None:
    upstream.answer = answer_json({"error": {"message": words}}, status)
    response = kit.call(event(CHAT, {"model": "m"}))
    assert (response.status, response.ended) == (status, True)
    assert response.json() == {"error": {"message": words.replace(UPSTREAM_KEY, "[redacted]")}}
    kit.call(event(CHAT, {"model": "m"}))
    assert upstream.connections == 1


@pytest.mark.parametrize("body", [b"", b"<html>nginx</html>", b"[]", b"\xff\xfe"])
def test_an_error_that_is_a_proxys_page_is_said_in_the_clients_format(kit: Kit, upstream: UpstreamServer, body: bytes) -> None:
    upstream.answer = answer_bytes(body, 502, [("content-type", "text/html"), ("retry-after", "9")])
    chat, messages = (kit.call(event(operation, {"model": "m"})) for operation in (CHAT, Operation.MESSAGES))
    assert chat.status == messages.status == 502
    assert set(chat.json()["error"]) == {"message", "type", "param", "code"}
    assert messages.json()["type"] == "error"
    assert messages.header("content-type") == "application/json"
    assert (messages.header("retry-after"), messages.header("x-should-retry")) == ("9", "false")


def test_a_compressed_answer_is_decoded(kit: Kit, upstream: UpstreamServer) -> None:
    body = json.dumps(CHAT_JSON).encode()
    upstream.answer = answer_bytes(gzip.compress(body), headers=[JSON, ("content-encoding", "gzip")])
    response = kit.call(event(CHAT, {"model": "m"}))
    assert response.body == body
    assert response.header("content-encoding") is None
    assert upstream.last.header("accept-encoding") == "identity"


def test_a_compressed_stream_is_decoded(kit: Kit, upstream: UpstreamServer) -> None:
    body = b"".join(CHAT_STREAM)
    upstream.answer = answer_bytes(gzip.compress(body), headers=[SSE, ("content-encoding", "gzip")])
    assert kit.call(event(CHAT, {"model": "m", "stream": True})).body == body


@pytest.mark.parametrize("stream", [False, True])
def test_a_compressed_answer_that_is_cut_is_not_whole(kit: Kit, upstream: UpstreamServer, stream: bool) -> None:
    """The length may be right and the compressed data short of its end, as from a proxy that was cut off itself."""
    body = b"".join(CHAT_STREAM) if stream else json.dumps(CHAT_JSON).encode()
    compressed = gzip.compress(body)
    cut = compressed[: len(compressed) // 2] if stream else compressed[:-9]
    upstream.answer = answer_bytes(cut, headers=[SSE if stream else JSON, ("content-encoding", "gzip")])
    response = kit.call(event(CHAT, {"model": "m", "stream": stream}))
    assert (response.status, response.json()["error"]["code"]) == (502, "upstream_interrupted")


def test_an_unknown_encoding_stays_what_it_is(kit: Kit, upstream: UpstreamServer) -> None:
    upstream.answer = answer_bytes(b"\x01\x02", headers=[JSON, ("content-encoding", "x-own")])
    response = kit.call(event(CHAT, {"model": "m"}))
    assert (response.body, response.header("content-encoding")) == (b"\x01\x02", "x-own")


def test_a_redirect_is_not_followed(kit: Kit, upstream: UpstreamServer) -> None:
    upstream.answer = answer_bytes(b"", 307, [("location", "http://127.0.0.1:1/elsewhere")])
    response = kit.call(event(CHAT, {"model": "m"}))
    assert response.status == 502
    assert response.json()["error"]["code"] == "upstream_redirect"


def test_connections_are_reused(kit: Kit, upstream: UpstreamServer) -> None:
    for _ in range(5):
        upstream.answer = answer_stream(CHAT_STREAM)
        kit.call(event(CHAT, {"model": "m", "stream": True}))
    assert upstream.connections == 1


def test_a_client_that_is_gone_closes_the_upstreams_connection(kit: Kit, upstream: UpstreamServer) -> None:
    closed = threading.Event()

    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        connection.chunk(CHAT_STREAM[0])
        connection.chunk(CHAT_STREAM[1])
        if connection.wait_until_peer_closes():
            closed.set()

    upstream.answer = answer
    writer = RecordingWriter(gone_after=0)
    kit.call(event(CHAT, {"model": "m", "stream": True}), writer)
    assert closed.wait(10)
    assert not writer.ended


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "text/html"])
@pytest.mark.parametrize("beginning", [b"", b"\xef\xbb\xbf", b": hello\n\n", b"\r\n", b"retry: 5\n\n"])
def test_an_upstream_that_streams_without_saying_so_is_watched_too(
    kit: Kit, upstream: UpstreamServer, stream: bool, content_type: str, beginning: bytes
) -> None:
    whole = beginning + b"".join(CHAT_STREAM[:2])
    upstream.answer = answer_stream([whole[:1], whole[1:3], whole[3:]], headers=[("content-type", content_type)])
    response = kit.call(event(CHAT, {"model": "m", "stream": stream}))
    assert b'"upstream_stream_interrupted"' in response.body
    if stream:
        assert CHAT_STREAM[1] in response.body
        assert response.header("content-type") == "text/event-stream; charset=utf-8"
    else:
        assert (response.status, response.header("content-type")) == (502, "application/json")
