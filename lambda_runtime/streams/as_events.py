"""A whole answer as the stream that it should have been: some upstreams answer with JSON whatever they were asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from lambda_runtime.config import Operation

_DONE = b"data: [DONE]\n\n"


def as_events(document: dict[str, Any], operation: Operation) -> bytes:
    """The events of a whole answer, terminator included. What is not of the format's shape gives a stream without content.

    Args:
        document: the answer.
        operation: chat completions or messages.
    """
    make = _messages if operation is Operation.MESSAGES else _chat
    return b"".join(make(document))


def _event(data: dict[str, Any], name: str = "") -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _chat(document: dict[str, Any]) -> Iterator[bytes]:
    common = {name: value for name, value in document.items() if name not in {"choices", "usage"}}
    common["object"] = "chat.completion.chunk"
    for position, choice in enumerate(_objects(document.get("choices"))):
        message = choice.get("message")
        delta = {"role": "assistant", **(message if isinstance(message, dict) else {})}
        calls = _objects(delta.get("tool_calls"))
        if calls:
            delta["tool_calls"] = [{"index": index, **call} for index, call in enumerate(calls)]
        rest = {name: value for name, value in choice.items() if name not in {"message", "finish_reason"}}
        said = {"index": position, **rest, "delta": delta, "finish_reason": None}
        ended = {"index": said["index"], "delta": {}, "finish_reason": choice.get("finish_reason")}
        yield _event({**common, "choices": [said]})
        yield _event({**common, "choices": [ended]})
    if document.get("usage"):
        yield _event({**common, "choices": [], "usage": document["usage"]})
    yield _DONE


def _messages(document: dict[str, Any]) -> Iterator[bytes]:
    def event(kind: str, **fields: Any) -> bytes:
        return _event({"type": kind, **fields}, kind)

    usage = document.get("usage")
    ending = {"stop_reason": document.get("stop_reason"), "stop_sequence": document.get("stop_sequence")}
    yield event("message_start", message={**document, "content": [], "stop_reason": None, "stop_sequence": None})
    for index, block in enumerate(_objects(document.get("content"))):
        begin, deltas = _block(block)
        yield event("content_block_start", index=index, content_block=begin)
        for delta in deltas:
            yield event("content_block_delta", index=index, delta=delta)
        yield event("content_block_stop", index=index)
    yield event("message_delta", delta=ending, usage=usage if isinstance(usage, dict) else {})
    yield event("message_stop")


def _block(block: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """How a block begins, and what follows. One that comes in no pieces begins as what it is."""
    match block.get("type"):
        case "text":
            citations = _objects(block.get("citations"))
            begin = {**block, "text": "", **({"citations": []} if citations else {})}
            return begin, [
                *({"type": "citations_delta", "citation": citation} for citation in citations),
                {"type": "text_delta", "text": block.get("text") or ""},
            ]
        case "thinking":
            return {**block, "thinking": "", "signature": ""}, [
                {"type": "thinking_delta", "thinking": block.get("thinking") or ""},
                {"type": "signature_delta", "signature": block.get("signature") or ""},
            ]
        case "tool_use" | "server_tool_use" | "mcp_tool_use":
            text = json.dumps(block.get("input") or {}, separators=(",", ":"))
            return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": text}]
    return block, []
