"""A client's request in the other format: a refusal, or a request of that format in which all words are that were said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from lambda_runtime.errors import RequestError
from lambda_runtime.json_scan import parse_object
from lambda_runtime.translation.chat_request import chat_request_to_messages
from lambda_runtime.translation.messages_request import messages_request_to_chat
from lambda_runtime.translation.request import NAME_LENGTH, NAMES_AT_MOST
from tests.fuzz.inputs import chosen, taken_apart
from tests.fuzz.shapes import dumped

KIND = "json"
SOURCES = ("lambda_runtime/translation",)
OUTCOMES = frozenset({"no object", "to messages", "to messages refused", "to chat", "to chat refused"})

CLAUDE = ("claude-sonnet-4-20250514", "claude-opus-4-5", "claude-opus-5-5", "claude-3-5-haiku-latest", "glm-5")
CHAT = ("gpt-4.1", "gpt-5.5", "o3", "deepseek-chat", "qwen3")
_LETTERS = "abcde"
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-[]")


def check(data: bytes) -> str:
    """What an upstream of the other format is sent."""
    options, material = taken_apart(data)
    body = parse_object(material)
    if body is None or not _finite(body):
        return "no object"
    number = _LETTERS.index(chosen(options, _LETTERS, "a"))
    to_chat = "m" in options
    translate = messages_request_to_chat if to_chat else chat_request_to_messages
    model = CHAT[number] if to_chat else CLAUDE[number]
    before = dumped(body)
    try:
        result = translate(body, model=model)
    except RequestError as error:
        assert dumped(body) == before
        assert 400 <= error.status < 500
        assert len(error.message) < 600
        assert error.message
        return f"to {'chat' if to_chat else 'messages'} refused"
    assert dumped(body) == before
    assert translate(body, model=model) == result
    text = dumped(result.body)
    assert len(text) <= 4 * len(json.dumps(body)) + 1000
    assert len(result.dropped) <= NAMES_AT_MOST == len(set(result.dropped)) or len(set(result.dropped)) == len(result.dropped)
    assert all(0 < len(name) <= NAME_LENGTH and set(name) <= _SAFE for name in result.dropped)
    assert result.body["model"] == model
    assert bool(result.body.get("stream")) == bool(body.get("stream"))
    if to_chat:
        _is_for_chat(result.body)
    else:
        _is_for_messages(result.body)
    _says_the_same(body, result.body, to_chat=to_chat)
    _and_back(result.body, to_chat=to_chat)
    return f"to {'chat' if to_chat else 'messages'}"


def _finite(body: dict[str, Any]) -> bool:
    """Whether JSON can hold it. Whoever sends the request sees to that."""
    try:
        dumped(body)
    except (ValueError, RecursionError):
        return False
    return True


def _is_for_messages(body: dict[str, Any]) -> None:
    assert body["max_tokens"] >= 1
    roles = [message["role"] for message in body["messages"]]
    assert roles
    assert roles[0] == "user"
    assert all(one != other for one, other in pairwise(roles))
    assert set(roles) <= {"user", "assistant"}
    for message in body["messages"]:
        assert message.keys() == {"role", "content"}
        content = message["content"]
        assert content
        for block in [] if isinstance(content, str) else content:
            _block(block, message["role"])
    assert body.get("system") != ""
    assert body.get("temperature", 0) <= 1
    if "tool_choice" in body:
        assert body["tool_choice"]["type"] in {"auto", "any", "none", "tool"}
    for tool in body.get("tools", []):
        assert isinstance(tool["name"], str)
        assert tool["input_schema"]["type"] == "object"
    assert all(text.strip() for text in body.get("stop_sequences", []))


def _block(block: dict[str, Any], role: str) -> None:
    match block["type"]:
        case "text":
            assert block["text"].strip() or role == "assistant"
        case "tool_use":
            assert role == "assistant"
            assert isinstance(block["input"], dict)
            assert block["id"].isascii()
        case "tool_result":
            assert role == "user"
            assert block["tool_use_id"].isascii()
        case kind:
            assert kind in {"image", "document"}
            assert block["source"]["type"] in {"url", "base64", "text"}


def _is_for_chat(body: dict[str, Any]) -> None:
    assert body["messages"]
    for message in body["messages"]:
        content = message["content"]
        match message["role"]:
            case "system" | "tool":
                assert isinstance(content, str)
            case "user":
                assert isinstance(content, str) or content
                parts = [] if isinstance(content, str) else content
                assert all(part["type"] in {"text", "image_url", "file"} for part in parts)
            case "assistant":
                assert isinstance(content, str) or message["tool_calls"]
                for call in message.get("tool_calls", []):
                    assert call["id"]
                    assert isinstance(json.loads(call["function"]["arguments"]), dict)
            case role:
                raise AssertionError(role)
    assert body["messages"][-1]["role"] in {"user", "tool", "system"}
    assert ("max_tokens" in body) != ("max_completion_tokens" in body)
    for tool in body.get("tools", []):
        assert tool["type"] == "function"
        assert tool["function"]["name"]
    assert body.get("stream_options", {"include_usage": True}) == {"include_usage": True}


def _says_the_same(before: dict[str, Any], after: dict[str, Any], *, to_chat: bool) -> None:
    """No text of the conversation is lost, and none is made up. Blank ones are left out for Anthropic."""
    system = before.get("system") if to_chat else None
    said = "".join(_texts([system, *(message.get("content") for message in before["messages"])]))
    kept = "".join(_texts([after.get("system"), *(message.get("content") for message in after["messages"])]))
    assert _letters(said) <= _letters(kept)


def _letters(text: str) -> frozenset[tuple[str, int]]:
    """Each letter with its number, white space apart."""
    counts: dict[str, int] = {}
    for letter in text:
        if not letter.isspace():
            counts[letter] = counts.get(letter, 0) + 1
    return frozenset((letter, number + 1) for letter, most in counts.items() for number in range(most))


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    for part in content if isinstance(content, list) else ():
        if isinstance(part, str):
            yield part
        elif isinstance(part, list):
            yield from _texts(part)
        elif isinstance(part, dict):
            yield part["text"] if part.get("type") == "text" else ""
            if part.get("type") == "tool_result":
                yield from _texts(part.get("content"))


def _and_back(body: dict[str, Any], *, to_chat: bool) -> None:
    """What was made is a request that the way back understands, or refuses."""
    try:
        if to_chat:
            chat_request_to_messages(body, model=CLAUDE[0])
        else:
            messages_request_to_chat(body, model=CHAT[0])
    except RequestError:
        pass
