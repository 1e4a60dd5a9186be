"""Whole answers of each format, small, as upstreams give them."""

from __future__ import annotations

from typing import Any

from lambda_runtime.config import Operation

CHAT, MESSAGES, RESPONSES = Operation.CHAT_COMPLETIONS, Operation.MESSAGES, Operation.RESPONSES

CHAT_STREAM = [
    b'data: {"id":"c1","model":"gpt-4.1","choices":[{"index":0,"delta":{"role":"assistant"},"finish_reason":null}]}\n\n',
    'data: {"id":"c1","choices":[{"index":0,"delta":{"content":"h\\u00e9llo ☃ [DONE]"},"finish_reason":null}]}\n\n'.encode(),
    b'data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\\"a\\":"}}]},"finish_reason":null}]}\n\n',
    b'data: {"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
    b"data: [DONE]\n\n",
]
CHAT_USAGE = b'data: {"id":"c1","choices":[],"usage":{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18}}\n\n'
MESSAGES_STREAM = [
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","content":[],"usage":{"input_tokens":3}}}\n\n',
    b'event: ping\ndata: {"type": "ping"}\n\n',
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}\n\n',
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}\n\n',
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n',
]
RESPONSES_STREAM = [
    b'event: response.created\ndata: {"type":"response.created","response":{"id":"r"}}\n\n',
    b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"hi"}\n\n',
    b'event: response.completed\ndata: {"type":"response.completed","response":{"id":"r","usage":{}}}\n\n',
]
STREAMS = {CHAT: CHAT_STREAM, MESSAGES: MESSAGES_STREAM, RESPONSES: RESPONSES_STREAM}
FRAMES = {CHAT: 1, MESSAGES: 2, RESPONSES: 1}
"""Events at the beginning of each stream that are no content."""

CHAT_JSON: dict[str, Any] = {
    "id": "c1",
    "model": "gpt-4.1",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 11, "completion_tokens": 7},
}
MESSAGES_JSON: dict[str, Any] = {
    "id": "m",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "output_tokens": 1},
}
RESPONSES_JSON: dict[str, Any] = {
    "id": "r",
    "object": "response",
    "status": "completed",
    "output": [{"type": "message", "content": [{"type": "output_text", "text": "hi"}]}],
    "usage": {"input_tokens": 4, "output_tokens": 2},
}
ANSWERS = {CHAT: CHAT_JSON, MESSAGES: MESSAGES_JSON, RESPONSES: RESPONSES_JSON}
