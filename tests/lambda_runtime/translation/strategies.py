"""Answers and streams as hypothesis draws them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

WORDS = st.text(alphabet='ab é☃\n"\\{}\U0001f600', min_size=1, max_size=12)
NAMES = st.text(alphabet="abc_-1", min_size=1, max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4) | st.sampled_from([0.5, 1e30]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
ARGUMENTS = st.dictionaries(st.text(max_size=4), VALUES, max_size=3)
COUNTS = st.integers(0, 5000)


@st.composite
def calls(draw: st.DrawFn, max_size: int = 3) -> list[tuple[str, str, dict[str, Any]]]:
    """Tool calls: id, name, arguments."""
    identities = draw(st.lists(NAMES, unique=True, max_size=max_size))
    return [(identity, draw(NAMES), draw(ARGUMENTS)) for identity in identities]


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Any]:
    """A message of Anthropic's."""
    thoughts = draw(st.lists(WORDS, max_size=2))
    content: list[dict[str, Any]] = [{"type": "thinking", "thinking": text, "signature": draw(NAMES)} for text in thoughts]
    content += [{"type": "text", "text": text} for text in draw(st.lists(WORDS, max_size=2))]
    uses = [{"type": "tool_use", "id": i, "name": name, "input": given} for i, name, given in draw(calls())]
    usage: dict[str, Any] = {"input_tokens": draw(COUNTS), "output_tokens": draw(COUNTS)}
    if draw(st.booleans()):
        usage |= {"cache_read_input_tokens": draw(COUNTS), "cache_creation_input_tokens": draw(COUNTS)}
    if draw(st.booleans()):
        usage["output_tokens_details"] = {"thinking_tokens": draw(COUNTS)}
    return {
        "id": "msg_" + draw(NAMES),
        "type": "message",
        "role": "assistant",
        "model": draw(NAMES),
        "content": content + uses,
        "stop_reason": "tool_use" if uses else draw(st.sampled_from(["end_turn", "max_tokens", "refusal"])),
        "stop_sequence": None,
        "usage": usage,
    }


@st.composite
def cuts(draw: st.DrawFn, text: str) -> list[str]:
    """A text in pieces, some of which may be empty."""
    places = sorted(draw(st.lists(st.integers(0, len(text)), max_size=4)))
    return [text[begin:end] for begin, end in zip([0, *places], [*places, len(text)], strict=True)]


@st.composite
def events_of(draw: st.DrawFn, answer: dict[str, Any]) -> list[dict[str, Any]]:
    """A message as a stream, cut anywhere."""
    usage = answer["usage"]
    begun = {**answer, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    events: list[dict[str, Any]] = [{"type": "message_start", "message": begun}, {"type": "ping"}]
    for index, block in enumerate(answer["content"]):
        kind = block["type"]
        if kind == "tool_use":
            empty, name, field = {**block, "input": {}}, "input_json_delta", "partial_json"
            text = json.dumps(block["input"]) if block["input"] or draw(st.booleans()) else ""
        else:
            empty, name, field = {**block, kind: ""}, f"{kind}_delta", kind
            text = block[kind]
        events.append({"type": "content_block_start", "index": index, "content_block": empty})
        events += [
            {"type": "content_block_delta", "index": index, "delta": {"type": name, field: piece}} for piece in draw(cuts(text))
        ]
        if kind == "thinking":
            signature = {"type": "signature_delta", "signature": block["signature"]}
            events.append({"type": "content_block_delta", "index": index, "delta": signature})
        events.append({"type": "content_block_stop", "index": index})
    said = {"stop_reason": answer["stop_reason"], "stop_sequence": None}
    events.append({"type": "message_delta", "delta": said, "usage": {"output_tokens": usage["output_tokens"]}})
    return [*events, {"type": "message_stop"}]


@st.composite
def completions(draw: st.DrawFn) -> dict[str, Any]:
    """A chat completion."""
    made = [
        {"id": identity, "type": "function", "function": {"name": name, "arguments": json.dumps(given)}}
        for identity, name, given in draw(calls())
    ]
    message: dict[str, Any] = {"role": "assistant", "content": draw(WORDS) if draw(st.booleans()) or not made else None}
    if draw(st.booleans()):
        message["reasoning_content"] = draw(WORDS)
    if made:
        message["tool_calls"] = made
    cached, stored, fresh, thought = (draw(COUNTS) for _ in range(4))
    written = thought + draw(COUNTS)
    return {
        "id": "chatcmpl-" + draw(NAMES),
        "object": "chat.completion",
        "created": 1,
        "model": draw(NAMES),
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": "tool_calls" if made else draw(st.sampled_from(["stop", "length", "content_filter"])),
            }
        ],
        "usage": {
            "prompt_tokens": cached + stored + fresh,
            "completion_tokens": written,
            "total_tokens": cached + stored + fresh + written,
            "prompt_tokens_details": {"cached_tokens": cached, "cache_write_tokens": stored},
            "completion_tokens_details": {"reasoning_tokens": thought},
        },
    }


@st.composite
def _merged(draw: st.DrawFn, rows: list[list[Any]]) -> list[Any]:
    """Rows in one row, in any order that keeps each one's own."""
    left = [list(row) for row in rows if row]
    result = []
    while left:
        row = draw(st.sampled_from(left))
        result.append(row.pop(0))
        left = [row for row in left if row]
    return result


@st.composite
def chunks_of(draw: st.DrawFn, answer: dict[str, Any]) -> list[dict[str, Any]]:
    """A chat completion as a stream: cut anywhere, in any order, with several pieces in a chunk or one."""
    choice = answer["choices"][0]
    message = choice["message"]
    name = draw(st.sampled_from(["reasoning_content", "reasoning"]))
    rows: list[list[dict[str, Any]]] = [
        [{name: piece} for piece in draw(cuts(message.get("reasoning_content") or ""))],
        [{"content": piece} for piece in draw(cuts(message.get("content") or ""))],
    ]
    pieces: list[list[dict[str, Any]]] = []
    for index, call in enumerate(message.get("tool_calls", [])):
        texts = draw(cuts(call["function"]["arguments"]))
        head = {**call, "index": index, "function": {**call["function"], "arguments": texts[0]}}
        pieces.append([head, *({"index": index, "function": {"arguments": text}} for text in texts[1:])])
    rows += [[{"tool_calls": [piece]} for piece in row] for row in pieces]
    usual_order = [delta for row in rows for delta in row]
    deltas = usual_order if draw(st.booleans()) else draw(_merged(rows))
    joined: list[dict[str, Any]] = []
    for delta in deltas:
        if joined and not joined[-1].keys() & delta.keys() and draw(st.booleans()):
            joined[-1] = {**joined[-1], **delta}
        elif joined and joined[-1].keys() == delta.keys() == {"tool_calls"} and draw(st.booleans()):
            joined[-1] = {"tool_calls": joined[-1]["tool_calls"] + delta["tool_calls"]}
        else:
            joined.append(delta)
    head = {"id": answer["id"], "object": "chat.completion.chunk", "created": 1, "model": answer["model"]}
    chunks = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}], "usage": None}
        for delta in [{"role": "assistant", "content": ""}, *joined]
    ]
    if draw(st.booleans()):
        chunks[-1]["choices"][0]["finish_reason"] = choice["finish_reason"]
    else:
        chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}]})
    return [*chunks, {**head, "choices": [], "usage": answer["usage"]}]
