"""What a well upstream says in each of the two formats, in parts that a fault can leave out, cut or spoil."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from lambda_runtime.config import Operation
from tests.lambda_runtime.upstream_server import Answer, Connection, Received, answer_json, answer_stream

FIRST = ("Grüße ", "aus 東京 ", "🚄 of the", " first")
"""What the upstream with the fault says if it is understood, piece by piece: letters of one to four bytes."""

SECOND = ("whole ", "answer of", " the second")
"""What the healthy upstream says."""

OWN_WORDS = "the upstream says: "
"""How the messages of an upstream's own errors begin."""


def sse(data: Any, name: str = "") -> bytes:
    """An event."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()


class Wire(ABC):
    """One format."""

    operation: ClassVar[Operation]
    name: ClassVar[str]
    terminator: ClassVar[bytes]
    ping: ClassVar[bytes]

    opening: ClassVar[list[bytes]]
    """The events before the first content."""

    closing: ClassVar[list[bytes]]
    """Those after the last content, up to the terminator: the reason to stop and the usage, which the gateway has asked for."""

    @abstractmethod
    def document(self, text: str) -> dict[str, Any]:
        """An answer that is not streamed."""

    @abstractmethod
    def content(self, piece: str) -> bytes:
        """A piece of a streamed one."""

    @abstractmethod
    def error(self, words: str, kind: str, code: str | None = None) -> dict[str, Any]:
        """The body of an error."""

    @abstractmethod
    def error_event(self, words: str, kind: str, code: str | None = None) -> bytes:
        """An error in a stream."""

    @abstractmethod
    def request(self, model: str, *, streamed: bool) -> dict[str, Any]:
        """What a client asks."""

    def events(self, pieces: tuple[str, ...] = FIRST) -> list[bytes]:
        """A whole stream."""
        return [*self.opening, *map(self.content, pieces), *self.closing, self.terminator]

    def well(self, pieces: tuple[str, ...] = FIRST) -> Answer:
        """Answers as it is asked to: with a stream or without."""

        def answer(received: Received, connection: Connection) -> None:
            if json.loads(received.body).get("stream"):
                answer_stream(self.events(pieces))(received, connection)
            else:
                answer_json(self.document("".join(pieces)))(received, connection)

        return answer


def _chunk(*choices: Mapping[str, Any], **more: Any) -> bytes:
    return sse(
        {"id": "chat-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices or [], **more}
    )


def _choice(delta: Mapping[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish_reason}


_CHAT_USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}


class Chat(Wire):
    """Chat completions."""

    operation = Operation.CHAT_COMPLETIONS
    name = "chat completions"
    terminator = b"data: [DONE]\n\n"
    ping = b": still here\n\n"
    opening: ClassVar[list[bytes]] = [_chunk(_choice({"role": "assistant", "content": ""}))]
    closing: ClassVar[list[bytes]] = [_chunk(_choice({}, "stop")), _chunk(usage=_CHAT_USAGE)]

    def document(self, text: str) -> dict[str, Any]:
        message = {"role": "assistant", "content": text}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}] if text else []
        return {
            "id": "chat-1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": choices,
            "usage": _CHAT_USAGE if text else {"prompt_tokens": 3, "completion_tokens": 0, "total_tokens": 3},
        }

    def content(self, piece: str) -> bytes:
        return _chunk(_choice({"content": piece}))

    def error(self, words: str, kind: str, code: str | None = None) -> dict[str, Any]:
        return {"error": {"message": OWN_WORDS + words, "type": kind, "param": None, "code": code}}

    def error_event(self, words: str, kind: str, code: str | None = None) -> bytes:
        return sse(self.error(words, kind, code))

    def request(self, model: str, *, streamed: bool) -> dict[str, Any]:
        return {"model": model, "messages": [{"role": "user", "content": "say something"}], "stream": streamed}


def _named(kind: str, **fields: Any) -> bytes:
    return sse({"type": kind, **fields}, kind)


def _message(text: str, output_tokens: int) -> dict[str, Any]:
    return {
        "id": "msg-1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": text}] if text else [],
        "stop_reason": "end_turn" if text else None,
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": output_tokens},
    }


class Messages(Wire):
    """Messages."""

    operation = Operation.MESSAGES
    name = "messages"
    terminator = _named("message_stop")
    ping = _named("ping")
    opening: ClassVar[list[bytes]] = [
        _named("message_start", message=_message("", 0)),
        _named("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        _named("ping"),
    ]
    closing: ClassVar[list[bytes]] = [
        _named("content_block_stop", index=0),
        _named("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 4}),
    ]

    def document(self, text: str) -> dict[str, Any]:
        return {**_message(text, 4 if text else 0), "stop_reason": "end_turn"}

    def content(self, piece: str) -> bytes:
        return _named("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})

    def error(self, words: str, kind: str, code: str | None = None) -> dict[str, Any]:
        del code
        return {"type": "error", "error": {"type": kind, "message": OWN_WORDS + words}, "request_id": "req-1"}

    def error_event(self, words: str, kind: str, code: str | None = None) -> bytes:
        return sse(self.error(words, kind, code), "error")

    def request(self, model: str, *, streamed: bool) -> dict[str, Any]:
        return {**Chat().request(model, streamed=streamed), "max_tokens": 100}


CHAT, MESSAGES = Chat(), Messages()
WIRES: tuple[Wire, ...] = (CHAT, MESSAGES)
