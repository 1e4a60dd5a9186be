"""What a stream's events cost in the function's own process: passed on in the same format, and translated to the other."""

from __future__ import annotations

import json
import time

from benchmarks.table import Row
from lambda_runtime.config import Operation
from lambda_runtime.streams.event_stream import EventStream, StreamTranslator
from lambda_runtime.streams.readers import reader_for
from lambda_runtime.translation.chat_stream import MessagesToChatStream
from lambda_runtime.translation.messages_stream import ChatToMessagesStream

_EVENTS = 2000
_ROUNDS = 15


def _chat(number: int) -> bytes:
    choice = {"index": 0, "delta": {"content": f"token{number} "}, "logprobs": None, "finish_reason": None}
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4.1", "choices": [choice]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _messages(number: int) -> bytes:
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": f"token{number} "}}
    return b"event: content_block_delta\ndata: " + json.dumps(delta).encode() + b"\n\n"


_MESSAGES_HEAD = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message","role":"assistant",'
    b'"model":"claude","content":[],"stop_reason":null,"usage":{"input_tokens":9,"output_tokens":1}}}\n\n'
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n'
)


def _microseconds(operation: Operation, translator: type[StreamTranslator] | None, head: bytes, events: list[bytes]) -> float:
    """The least of several rounds: CPU time of one event, parsed and passed on, each in a piece of its own."""
    least = float("inf")
    for _ in range(_ROUNDS):
        stream = EventStream(reader_for(operation, 1), _made(translator))
        stream.feed(head)
        began = time.process_time()
        made = [stream.feed(event) for event in events]
        least = min(least, (time.process_time() - began) / len(events) * 1e6)
        if not all(b"token%d " % number in event for number, event in enumerate(made)):
            raise RuntimeError("an event was lost on the way")
    return least


def _made(translator: type[StreamTranslator] | None) -> StreamTranslator | None:
    if translator is MessagesToChatStream:
        return MessagesToChatStream(include_usage=True)
    return translator() if translator else None


def translated_streams() -> list[Row]:
    """Rows for passing on and translating in both directions."""
    chat, messages = ([event(number) for number in range(_EVENTS)] for event in (_chat, _messages))
    kinds = [
        ("chat event, passed on", Operation.CHAT_COMPLETIONS, None, b"", chat, 12.0),
        ("messages event, passed on", Operation.MESSAGES, None, _MESSAGES_HEAD, messages, 12.0),
        ("chat event to messages", Operation.CHAT_COMPLETIONS, ChatToMessagesStream, b"", chat, 25.0),
        ("messages event to chat", Operation.MESSAGES, MessagesToChatStream, _MESSAGES_HEAD, messages, 25.0),
    ]
    rows = []
    for name, operation, translator, head, events, target in kinds:
        figure = _microseconds(operation, translator, head, events)
        rows.append(Row(f"{name}, CPU", "", f"{figure:.1f}", figure, target, "us"))
    return rows
