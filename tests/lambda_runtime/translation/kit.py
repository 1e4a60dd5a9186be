"""What the tests of translation share: short forms, the SDKs' own reading of streams, and what a conversation means."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

import anthropic.types
import openai.types.chat
from anthropic._streaming import SSEDecoder as MessagesDecoder
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from openai._streaming import SSEDecoder as ChatDecoder
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter

from lambda_runtime.translation.chat_request import chat_request_to_messages
from lambda_runtime.translation.messages_request import messages_request_to_chat
from lambda_runtime.translation.request import TranslatedRequest

OLD_CLAUDE = "claude-sonnet-4-20250514"
NEW_CLAUDE = "claude-opus-5-5"
PLAIN_GPT = "gpt-4.1"
PIXEL = "iVBORw0KGgo="


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def to_messages(model: str = OLD_CLAUDE, /, **fields: Any) -> TranslatedRequest:
    """A chat completions request translated. What comes out is checked against the SDK's types."""
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **fields}
    before = json.dumps(body)
    result = chat_request_to_messages(body, model=model)
    assert json.dumps(body) == before
    _adapter(MessageCreateParamsNonStreaming).validate_python({**result.body, "stream": False})
    return result


def to_chat(model: str = PLAIN_GPT, /, **fields: Any) -> TranslatedRequest:
    """A messages request translated. What comes out is checked against the SDK's types."""
    body = {"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "hi"}], **fields}
    before = json.dumps(body)
    result = messages_request_to_chat(body, model=model)
    assert json.dumps(body) == before
    _adapter(CompletionCreateParamsNonStreaming).validate_python({**result.body, "stream": False})
    return result


def function(name: str = "f", **fields: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, **fields}}


def call(identity: str, name: str = "f", arguments: str = "{}") -> dict[str, Any]:
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments}}


def image(url: str = f"data:image/png;base64,{PIXEL}") -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def whole_events(data: bytes) -> list[bytes]:
    """The events in some bytes, each of which must be whole, of the formats' plain form, and JSON."""
    assert data == b"" or data.endswith(b"\n\n")
    events = data.split(b"\n\n")[:-1]
    for event in events:
        assert b"\r" not in event
        *heads, line = event.split(b"\n")
        assert line.startswith(b"data: ")
        if line != b"data: [DONE]":
            document = json.loads(line[6:])
            assert json.dumps(document, separators=(",", ":")).encode() == line[6:]
            assert heads in ([], [b"event: " + str(document.get("type")).encode()])
    return events


def read_chat_stream(pieces: Iterable[bytes]) -> tuple[openai.types.chat.ChatCompletion, list[ChatCompletionChunk]]:
    """What OpenAI's SDK makes of a stream."""
    state = ChatCompletionStreamState()
    chunks = []
    done = False
    for event in ChatDecoder().iter_bytes(iter([b"".join(pieces)])):
        assert not done
        if event.data == "[DONE]":
            done = True
            continue
        chunk = ChatCompletionChunk.model_validate(event.json(), strict=True)
        chunks.append(chunk)
        list(state.handle_chunk(chunk))
    assert done
    # Not `get_final_completion`, which raises for answers that were cut at the limit or by a filter.
    return state.current_completion_snapshot, chunks


def read_messages_stream(pieces: Iterable[bytes]) -> tuple[anthropic.types.Message, list[Any]]:
    """What Anthropic's SDK makes of a stream. The order of its events is checked as well."""
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    events = []
    is_open, number, over = None, 0, False
    for raw in MessagesDecoder().iter_bytes(iter([b"".join(pieces)])):
        event = _adapter(anthropic.types.RawMessageStreamEvent).validate_python(raw.json(), strict=True)
        assert raw.event == event.type
        assert not over
        assert (event.type == "message_start") == (not events)
        match event.type:
            case "content_block_start":
                assert (is_open, event.index) == (None, number)
                is_open, number = number, number + 1
            case "content_block_delta":
                assert event.index == is_open
            case "content_block_stop":
                assert event.index == is_open
                is_open = None
            case "message_delta":
                assert is_open is None
            case "message_stop":
                assert events[-1].type == "message_delta"
                over = True
        events.append(event)
        snapshot = accumulate_event(event=event, current_snapshot=snapshot, json_bufs=buffers)
    assert over
    return snapshot, events


def meaning_of_chat(body: dict[str, Any]) -> dict[str, Any]:
    """What a chat completions request says, whatever its form."""
    system: list[str] = []
    turns: list[list[Any]] = []
    for message in body["messages"]:
        content, role = message.get("content"), message["role"]
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
        texts = [part["text"] for part in parts if part["type"] == "text"]
        if role in ("system", "developer"):
            system += texts
            continue
        said: list[Any]
        if role == "tool":
            said = [("result", message["tool_call_id"], "\n".join(texts))]
        elif role == "user":
            said = [("text", part["text"]) if part["type"] == "text" else (part["type"], json.dumps(part)) for part in parts]
        else:
            said = [("text", "".join(texts))] if texts else []
            for one in message.get("tool_calls", []):
                given = json.loads(one["function"]["arguments"])
                said.append(("call", one["id"], one["function"]["name"], json.dumps(given, sort_keys=True)))
        who = "assistant" if role == "assistant" else "user"
        if turns and turns[-1][0] == who:
            turns[-1][1] += said
        else:
            turns.append([who, said])
    rest = {name: value for name, value in body.items() if name not in ("messages", "model", "max_tokens")}
    rest["limit"] = rest.pop("max_completion_tokens", body.get("max_tokens"))
    return {"system": "\n\n".join(system), "turns": turns, **rest}
