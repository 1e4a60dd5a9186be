"""A client's request in the other format: a refusal, or a request of that format in which all words are that were said."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from typing import Any

from lambda_runtime.errors import RequestError
from lambda_runtime.json_scan import parse_object
from lambda_runtime.translation.chat_history import BEGINNING, CONTINUE
from lambda_runtime.translation.chat_request import ONE_JSON_OBJECT, chat_request_to_messages
from lambda_runtime.translation.messages_request import messages_request_to_chat
from lambda_runtime.translation.request import NAME_LENGTH, NAMES_AT_MOST
from tests.fuzz.conversation import in_order, merged, of_chat, of_messages, system_first
from tests.fuzz.inputs import chosen, taken_apart
from tests.fuzz.shapes import dumped

KIND = "json"
SOURCES = ("lambda_runtime/translation",)
OUTCOMES = frozenset({"no object", "to messages", "to messages refused", "to chat", "to chat refused"})

CLAUDE = ("claude-sonnet-4-20250514", "claude-opus-4-5", "claude-opus-5-5", "claude-3-5-haiku-latest", "glm-5")
CHAT = ("gpt-4.1", "gpt-5.5", "o3", "deepseek-chat", "qwen3")
_LETTERS = "abcde"
_BEGINNING, _CONTINUE = ("".join(text.split()) for text in (BEGINNING, CONTINUE))
_INSTRUCTION = re.compile(
    r"(Answerbycalling(thetool.+|oneofthetools)\.)?" + "(" + re.escape("".join(ONE_JSON_OBJECT.split())) + ")?", re.DOTALL
)
"""What the system prompt says in place of a field, as `conversation` has it."""

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
    """Everybody says the same, in the same order. What is said besides is one of a few sentences, at its place."""
    if to_chat:
        assert in_order(of_chat(after["messages"])) == in_order(of_messages(before, documents=True))
        return
    said = in_order(system_first(of_chat(before["messages"])))
    made = in_order(merged(of_messages(after, documents=False)))
    if made and made[0][0] == "system":
        told, system = made.pop(0)[1], said.pop(0)[1] if said and said[0][0] == "system" else ""
        assert told.startswith(system)
        assert _INSTRUCTION.fullmatch(told[len(system) :])
    if made and made[0] == ("user", _BEGINNING) and said[:1] != made[:1]:
        made.pop(0)
        assert not said or said[0][0].startswith(("assistant", "call of "))
    if made and made[-1] == ("user", _CONTINUE) and said[-1:] != made[-1:]:
        made.pop()
        assert said
        assert said[-1][0].startswith(("assistant", "call of "))
    assert made == said


def _and_back(body: dict[str, Any], *, to_chat: bool) -> None:
    """What was made is a request that the way back understands, or refuses."""
    try:
        if to_chat:
            chat_request_to_messages(body, model=CLAUDE[0])
        else:
            messages_request_to_chat(body, model=CHAT[0])
    except RequestError:
        pass
