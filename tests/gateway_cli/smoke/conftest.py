import json
from collections.abc import Iterator

import pytest

from tests.lambda_runtime.upstream_server import (
    Answer,
    Connection,
    Received,
    UpstreamServer,
    answer_json,
    answer_stream,
    serve,
)

CHAT = {
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 12, "completion_tokens": 1},
}
MESSAGE = {
    "type": "message",
    "content": [{"type": "text", "text": "ok"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 12, "output_tokens": 1},
}
CHAT_EVENTS = [
    b'data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{"content":"ok"}}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
    b"data: [DONE]\n\n",
]
MESSAGE_EVENTS = [
    b'event: message_start\ndata: {"type":"message_start","message":{"usage":{"input_tokens":12,"output_tokens":1}}}\n\n',
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"ok"}}\n\n',
    b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n',
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}\n\n',
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
]
ID = ("x-request-id", "req-1")


class Provider:
    """Answers as a provider of both formats does, or a gateway. What a test wants to be otherwise, it sets."""

    def __init__(self, server: UpstreamServer, key: str) -> None:
        self.server = server
        self.key = key
        self.models: list[str] = ["model-1"]
        self.instead: dict[str, Answer] = {}
        """Answers by what is asked for: `models`, `request`, `stream`, `unknown`, `refusal`."""

    def answer(self, received: Received, connection: Connection) -> None:
        kind, answer = self._usual(received)
        self.instead.get(kind, answer)(received, connection)

    def _usual(self, received: Received) -> tuple[str, Answer]:
        if self.key not in {received.header("x-api-key"), (received.header("authorization") or "").removeprefix("Bearer ")}:
            return "refusal", error(401, "no such key")
        path = received.target.partition("?")[0]
        if path.endswith("/models"):
            return "models", answer_json({"data": [{"id": name} for name in self.models]}, headers=[ID])
        messages = path.endswith("/messages")
        if not messages and not path.endswith("/chat/completions"):
            return "unknown", error(404, "no such route")
        if json.loads(received.body).get("stream"):
            return "stream", answer_stream(MESSAGE_EVENTS if messages else CHAT_EVENTS, headers=[STREAM, ID])
        return "request", answer_json(MESSAGE if messages else CHAT, headers=[ID])

    @property
    def bodies(self) -> list[dict[str, object]]:
        """What was asked for."""
        return [json.loads(received.body) for received in self.server.received if received.body]


STREAM = ("content-type", "text/event-stream")


def error(status: int, message: str, **fields: str) -> Answer:
    """An error that both families of clients can read."""
    return answer_json({"type": "error", "error": {"type": "x", "message": message, **fields}}, status, headers=[ID])


@pytest.fixture
def provider() -> Iterator[Provider]:
    with serve() as server:
        found = Provider(server, "sk-smoke-0123456789")
        server.answer = found.answer
        yield found
