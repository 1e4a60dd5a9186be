"""A stream of Anthropic's message events as chat completion chunks."""

from __future__ import annotations

import json
import time
from json.encoder import encode_basestring_ascii
from typing import Any

from lambda_runtime.translation.answers import call_id, chat_id, explanation, name_of, service_tier
from lambda_runtime.translation.figures import usage_to_chat
from lambda_runtime.translation.stop_reasons import finish_reason

_DONE = b"data: [DONE]\n\n"
_CONTENT, _REASONING = '{"content":', '{"reasoning_content":'


class _Call:
    """A tool call under way."""

    __slots__ = ("began", "given", "index")

    def __init__(self, index: int, given: Any) -> None:
        self.index = index
        self.given = given  # arguments that came whole with the block's start
        self.began = False


class MessagesToChatStream:
    """Makes chunks of chat completions out of the events of a message. Each event must be an object, and no error.

    Args:
        include_usage: whether the client asked for a chunk with usage figures.
    """

    __slots__ = ("_answer_id", "_called", "_calls", "_finished", "_head", "_include_usage", "_model", "_tail", "_usage")

    def __init__(self, *, include_usage: bool) -> None:
        self._include_usage = include_usage
        self._answer_id: Any = None
        self._model = ""
        self._head = ""
        self._tail = ""
        self._usage: dict[str, Any] = {}
        self._calls: dict[int, _Call] = {}  # by their blocks' indexes, of which some servers give all the same
        self._called = 0
        self._finished = False

    def feed(self, event: dict[str, Any]) -> bytes:
        """The chunks for an event: often one, sometimes none."""
        kind = event.get("type")
        if kind == "content_block_delta":
            return self._delta(event)
        if kind == "content_block_start":
            return self._start_block(event.get("index"), event.get("content_block"))
        if kind == "content_block_stop":
            return self._stop_block(event.get("index"))
        if kind == "message_start":
            return self._start(event.get("message"))
        return self._end(event) if kind == "message_delta" else b""

    def finish(self) -> bytes:
        """What ends the stream: the figures, if they are wanted, and the terminator."""
        ends = [] if self._finished else [self._finish(None, None)]
        if self._include_usage:
            figures = json.dumps(usage_to_chat(self._usage), separators=(",", ":"))
            ends.append(f'{self._opened()}[],"usage":{figures}}}\n\n'.encode())
        ends.append(_DONE)
        return b"".join(ends)

    def _start(self, message: Any) -> bytes:
        message = message if isinstance(message, dict) else {}
        self._answer_id = message.get("id")
        self._model = name_of(message.get("model"))
        usage = message.get("usage")
        if isinstance(usage, dict):
            self._usage.update(usage)
        self._opened()
        return self._chunk('{"role":"assistant","content":"","refusal":null}')

    def _opened(self) -> str:
        """What each chunk begins with, up to its choices. Made once: it is the same for all chunks of a stream."""
        if not self._head:
            tier = service_tier(self._usage)
            self._head = (
                f'data: {{"id":{json.dumps(chat_id(self._answer_id))},"object":"chat.completion.chunk",'
                f'"created":{int(time.time())},"model":{json.dumps(self._model)},'
                + (f'"service_tier":"{tier}",' if tier else "")
                + '"system_fingerprint":null,"choices":'
            )
            self._tail = ',"logprobs":null,"finish_reason":null}]' + (',"usage":null}' if self._include_usage else "}") + "\n\n"
        return self._head

    def _delta(self, event: dict[str, Any]) -> bytes:
        delta = event.get("delta")
        if not isinstance(delta, dict):
            return b""
        kind = delta.get("type")
        if kind == "text_delta":
            return self._text(_CONTENT, delta.get("text"))
        if kind == "thinking_delta":
            return self._text(_REASONING, delta.get("thinking"))
        # Signatures and citations have no counterpart.
        return self._arguments(event.get("index"), delta.get("partial_json")) if kind == "input_json_delta" else b""

    def _text(self, opening: str, text: Any) -> bytes:
        if not isinstance(text, str) or not text:
            return b""
        head = self._head or self._opened()
        return f'{head}[{{"index":0,"delta":{opening}{encode_basestring_ascii(text)}}}{self._tail}'.encode()

    def _chunk(self, delta: str) -> bytes:
        return f'{self._opened()}[{{"index":0,"delta":{delta}{self._tail}'.encode()

    def _start_block(self, index: Any, block: Any) -> bytes:
        if not isinstance(block, dict):
            return b""
        kind = block.get("type")
        if kind == "tool_use" and isinstance(index, int):
            call = self._calls[index] = _Call(self._called, block.get("input"))
            self._called += 1
            name = str(block.get("name") or "")
            identity = call_id(block.get("id"), self._answer_id, call.index)
            return self._chunk(
                f'{{"tool_calls":[{{"index":{call.index},"id":{encode_basestring_ascii(identity)},"type":"function",'
                f'"function":{{"name":{encode_basestring_ascii(name)},"arguments":""}}}}]}}'
            )
        if kind == "text":
            return self._text(_CONTENT, block.get("text"))
        return self._text(_REASONING, block.get("thinking")) if kind == "thinking" else b""

    def _arguments(self, index: Any, piece: Any) -> bytes:
        """A piece of a call's arguments. Those of the provider's own tools have no counterpart."""
        call = self._calls.get(index) if isinstance(index, int) else None
        if call is None or not isinstance(piece, str) or not piece:
            return b""
        call.began = True
        return self._chunk(
            f'{{"tool_calls":[{{"index":{call.index},"function":{{"arguments":{encode_basestring_ascii(piece)}}}}}]}}'
        )

    def _stop_block(self, index: Any) -> bytes:
        """Arguments that did not come in pieces: none at all are an empty object, or the client could not parse them."""
        call = self._calls.get(index) if isinstance(index, int) else None
        if call is None or call.began:
            return b""
        return self._arguments(index, json.dumps(call.given or {}, separators=(",", ":"), ensure_ascii=False))

    def _end(self, event: dict[str, Any]) -> bytes:
        usage, delta = event.get("usage"), event.get("delta")
        if isinstance(usage, dict):  # cumulative; what is not said anew stays
            self._usage.update((name, value) for name, value in usage.items() if value is not None)
        if self._finished or not isinstance(delta, dict) or not delta.get("stop_reason"):
            return b""
        return self._finish(delta["stop_reason"], explanation(delta.get("stop_details")))

    def _finish(self, reason: Any, refusal: str | None) -> bytes:
        self._finished = True
        said = {} if refusal is None else {"refusal": refusal}
        finish = finish_reason(reason or ("tool_use" if self._calls else "end_turn"))
        head = self._opened()
        tail = self._tail.replace('"finish_reason":null', f'"finish_reason":"{finish}"')
        return f'{head}[{{"index":0,"delta":{json.dumps(said)}{tail}'.encode()
