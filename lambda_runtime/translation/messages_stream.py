"""A stream of chat completion chunks as Anthropic's message events."""

from __future__ import annotations

import json
from typing import Any

from lambda_runtime.translation.answers import call_id, message_id, name_of, reasoning_of, text_of
from lambda_runtime.translation.figures import usage_to_messages
from lambda_runtime.translation.stop_reasons import stop_reason
from lambda_runtime.translation.stream_blocks import TEXT, THINKING, Block, ToolBlock

_STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


class ChatToMessagesStream:
    """Makes events of a message out of chunks of a chat completion. Each chunk must be an object, and no error.

    A message's blocks come one after the other, while the pieces of a completion's tool calls may come in any order. So one
    block is open at a time, and what belongs to a later one waits until the open one is known to be over: text when anything
    else begins, a call when its arguments are a whole JSON object and anything else begins, all of them when the answer ends.
    """

    __slots__ = (
        "_answer_id",
        "_called",
        "_calls",
        "_count",
        "_finish",
        "_last_call",
        "_line",
        "_matched",
        "_open",
        "_refused",
        "_started",
        "_usage",
    )

    def __init__(self) -> None:
        self._started = False
        self._answer_id: Any = None
        self._usage: Any = None
        self._open: Block | None = None
        self._line: list[Block] = []  # blocks that wait to be opened, in their order
        self._count = 0  # of blocks that were opened
        self._called = 0
        self._calls: dict[Any, ToolBlock] = {}
        self._last_call: ToolBlock | None = None
        self._finish: Any = None
        self._matched: str | None = None
        self._refused = False

    def feed(self, chunk: dict[str, Any]) -> bytes:
        """The events for a chunk: often one, sometimes none."""
        figures = chunk.get("usage")
        if figures:
            self._usage = figures
        choices = chunk.get("choices")
        if not choices or not isinstance(choices, list):
            return b""  # figures alone, or what Azure says of its filters before the answer has an id
        events = "" if self._started else self._start(chunk)
        for choice in choices:
            if isinstance(choice, dict) and not choice.get("index"):  # further answers are dropped
                events += self._choice(choice)
        return events.encode()

    def finish(self) -> bytes:
        """What ends the stream: why the answer ended, its figures, and the terminator."""
        events = "" if self._started else self._start({})
        events += self._close_all()
        reason = stop_reason(self._finish, tools=self._last_call is not None, refused=self._refused)
        if reason == "end_turn" and self._matched is not None:
            reason = "stop_sequence"
        delta = {"stop_reason": reason, "stop_sequence": self._matched if reason == "stop_sequence" else None}
        event = {"type": "message_delta", "delta": delta, "usage": usage_to_messages(self._usage)}
        return f"{events}event: message_delta\ndata: {json.dumps(event, separators=(',', ':'))}\n\n".encode() + _STOP

    def _start(self, chunk: dict[str, Any]) -> str:
        self._started = True
        self._answer_id = chunk.get("id")
        message: dict[str, Any] = {
            "id": message_id(self._answer_id),
            "type": "message",
            "role": "assistant",
            "model": name_of(chunk.get("model")),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage_to_messages(self._usage),
        }
        event = {"type": "message_start", "message": message}
        return f"event: message_start\ndata: {json.dumps(event, separators=(',', ':'))}\n\n"

    def _choice(self, choice: dict[str, Any]) -> str:
        events = ""
        delta = choice.get("delta")
        if isinstance(delta, dict):
            text = delta.get("content")
            if len(delta) > 1 or not text:  # nearly all chunks hold content and nothing else
                events = self._beside_content(delta)
            if text:
                events += self._say(TEXT, text if isinstance(text, str) else text_of(text))
            if delta.get("tool_calls"):
                events += self._call_tools(delta["tool_calls"])
        finish = choice.get("finish_reason")
        if finish:
            self._finish = finish
            matched = choice.get("stop_reason")  # vLLM's: the stop sequence that was met
            self._matched = matched if isinstance(matched, str) else None
            events += self._close_all()
        return events

    def _beside_content(self, delta: dict[str, Any]) -> str:
        events = self._say(THINKING, reasoning_of(delta))
        refusal = text_of(delta.get("refusal"))
        if refusal:
            self._refused = True
            events += self._say(TEXT, refusal)
        return events

    def _say(self, kind: str, text: str) -> str:
        """Add text or thinking to the block that came last, or begin one."""
        current = self._open
        if current is not None and current.kind == kind and not self._line:
            return current.piece(text) if text else ""
        if not text:
            return ""
        last = self._line[-1] if self._line else current
        if last is None or last.kind != kind:
            last = Block(kind)
            self._line.append(last)
        last.waiting.append(text)
        return self._advance()

    def _call_tools(self, calls: Any) -> str:
        for call in calls if isinstance(calls, list) else []:
            if isinstance(call, dict):
                function = call.get("function")
                self._call_tool(call, function if isinstance(function, dict) else {})
        return self._advance()

    def _call_tool(self, call: dict[str, Any], function: dict[str, Any]) -> None:
        identity, name, arguments = call.get("id"), function.get("name"), function.get("arguments")
        block = self._block_of(call.get("index"), identity, name)
        if isinstance(name, str) and name and not block.name:
            block.name = name
        if isinstance(arguments, dict):
            arguments = json.dumps(arguments, separators=(",", ":"), ensure_ascii=False)
        if isinstance(arguments, str) and arguments:
            block.add(arguments)

    def _block_of(self, index: Any, identity: Any, name: Any) -> ToolBlock:
        """The block that a piece of a call belongs to. Some servers leave out indexes, some give all calls the same one."""
        named = isinstance(identity, str) and bool(identity)
        key = index if isinstance(index, int) else identity if named else None
        block = self._last_call if key is None else self._calls.get(key)
        if block is None or (named and name and identity != block.identity):
            block = ToolBlock(call_id(identity, self._answer_id, self._called))
            self._called += 1
            self._line.append(block)
            if key is not None:
                self._calls[key] = block
        self._last_call = block
        return block

    def _advance(self) -> str:
        """Send what may be sent: pieces of the open block, and the blocks after it as soon as it is over."""
        events = ""
        while True:
            if self._open is not None:
                events += self._open.flush()
                if not self._line or not self._open.over():
                    return events
                events += self._open.close()
                self._open = None
            if not self._line or not self._line[0].may_open:
                return events
            events += self._open_next()

    def _open_next(self) -> str:
        block = self._open = self._line.pop(0)
        self._count += 1
        return block.open(self._count - 1)

    def _close_all(self) -> str:
        events = ""
        while self._open is not None or self._line:
            if self._open is None:
                events += self._open_next()
            if self._open is not None:
                events += self._open.flush() + self._open.close()
                self._open = None
        return events
