"""The answer to one request in each format, in the parts that `tests.faults` leaves out, cuts and spoils."""

from __future__ import annotations

import json
from typing import Any

from lambda_runtime.config import Operation
from tests.faults.wire import FIRST, Chat, Messages, Wire, sse
from tests.soak.said import Figures, Wish, figures, pieces_of, quarters


def _quarter(pieces: list[str], piece: str) -> list[str]:
    """The part of the text that stands for a piece of the faults' own."""
    if piece not in FIRST:
        return ["more than all"]
    begins = quarters(len(pieces))
    number = FIRST.index(piece)
    return pieces[begins[number] : begins[number + 1]]


def _chat_usage(told: Figures) -> dict[str, Any]:
    return {
        "prompt_tokens": told.input,
        "completion_tokens": told.output,
        "total_tokens": told.input + told.output,
        "prompt_tokens_details": {"cached_tokens": told.cached},
        "completion_tokens_details": {"reasoning_tokens": told.reasoning},
    }


class _InPieces(Wire):
    """What is said in many pieces, of which a fault takes a quarter for one of its own. It comes before a format."""

    _pieces: list[str]

    def content(self, piece: str) -> bytes:
        return b"".join(map(self._piece, _quarter(self._pieces, piece)))

    def apart(self) -> list[bytes]:
        """The stream, each event by itself."""
        return [*self.opening, *map(self._piece, self._pieces), *self.closing, self.terminator]

    def _piece(self, piece: str) -> bytes:
        return super().content(piece)  # type: ignore[safe-super]


class SaidChat(_InPieces, Chat):
    """A chat completion.

    Args:
        state: initial state of the run's random numbers.
        wish: what the request says.
        upstream: who answers.
    """

    def __init__(self, state: int, wish: Wish, upstream: str) -> None:
        self._pieces = pieces_of(state, wish, upstream, messages=False)
        self.figures = figures(state, wish.serial, messages=False)
        usage = {"choices": [], "usage": _chat_usage(self.figures)}
        self.closing = [  # type: ignore[misc]
            sse(
                {"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
            ),
            sse({"id": "c", "object": "chat.completion.chunk", **usage}),
        ]

    def document(self, text: str) -> dict[str, Any]:
        return {**super().document(text and "".join(self._pieces)), "usage": _chat_usage(self.figures)}


class SaidMessage(_InPieces, Messages):
    """A message. Args as those of `SaidChat`."""

    def __init__(self, state: int, wish: Wish, upstream: str) -> None:
        self._pieces = pieces_of(state, wish, upstream, messages=True)
        self.figures = told = figures(state, wish.serial, messages=True)
        self._usage = {
            "input_tokens": told.input - told.cached - told.cache_write,
            "cache_read_input_tokens": told.cached,
            "cache_creation_input_tokens": told.cache_write,
            "output_tokens": told.output,
        }
        begun = {**super().document(""), "usage": {**self._usage, "output_tokens": 1}, "stop_reason": None}
        self.opening = [sse({"type": "message_start", "message": begun}, "message_start"), *Messages.opening[1:]]  # type: ignore[misc]
        delta = {"stop_reason": "end_turn", "stop_sequence": None}
        self.closing = [  # type: ignore[misc]
            Messages.closing[0],
            sse({"type": "message_delta", "delta": delta, "usage": {"output_tokens": told.output}}, "message_delta"),
        ]

    def document(self, text: str) -> dict[str, Any]:
        return {**super().document(text and "".join(self._pieces)), "usage": self._usage}


class SaidResponse(SaidChat):
    """A response. Only faults that need none of its events are played with it."""

    def _response(self, status: str) -> dict[str, Any]:
        told, text = self.figures, "".join(self._pieces)
        said = [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}]
        usage = {
            "input_tokens": told.input,
            "output_tokens": told.output,
            "input_tokens_details": {"cached_tokens": told.cached},
            "output_tokens_details": {"reasoning_tokens": told.reasoning},
        }
        done = status == "completed"
        return {
            "id": "r",
            "object": "response",
            "status": status,
            "output": said if done else [],
            "usage": usage if done else None,
        }

    def document(self, text: str) -> dict[str, Any]:
        return self._response("completed") if text else super().document(text)

    def apart(self) -> list[bytes]:
        def named(kind: str, **fields: Any) -> bytes:
            return sse({"type": kind, **fields}, kind)

        return [
            named("response.created", response=self._response("in_progress")),
            *(named("response.output_text.delta", delta=piece) for piece in self._pieces),
            named("response.completed", response=self._response("completed")),
        ]


class SaidEmbedding(SaidChat):
    """An embedding, whose model is called as its text: the vector has no room for it."""

    def document(self, text: str) -> dict[str, Any]:
        usage = {"prompt_tokens": self.figures.input, "total_tokens": self.figures.input}
        data = [{"object": "embedding", "index": 0, "embedding": [0.25] * 64}]
        return {"object": "list", "data": data, "model": "".join(self._pieces), "usage": usage} if text else {}


Said = SaidChat | SaidMessage

WIRES: dict[str, tuple[Operation, type[Said]]] = {
    "/chat/completions": (Operation.CHAT_COMPLETIONS, SaidChat),
    "/messages": (Operation.MESSAGES, SaidMessage),
    "/responses": (Operation.RESPONSES, SaidResponse),
    "/embeddings": (Operation.EMBEDDINGS, SaidEmbedding),
}
"""By the end of the path that is asked."""


def answer_body(wire: Wire) -> bytes:
    """An answer that is not streamed."""
    return json.dumps(wire.document("all"), ensure_ascii=False, separators=(",", ":")).encode()
