"""What the two formats' JSON must look like where the gateway itself has written it, and what it says."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, NoReturn

FINISHES = {"stop", "length", "tool_calls", "content_filter"}
STOPS = {"end_turn", "stop_sequence", "tool_use", "max_tokens", "refusal"}


def _no_constant(text: str) -> NoReturn:
    raise ValueError(text)


def strict(text: str | bytes) -> Any:
    """What JSON's own grammar allows, and no more.

    Raises:
        ValueError: if it is anything else.
    """
    return json.loads(text, parse_constant=_no_constant)


def dumped(document: Any) -> str:
    """JSON that every parser takes. Fails for figures that it cannot hold."""
    return json.dumps(document, allow_nan=False)


@dataclass
class Said:
    """What an answer says, whatever its format."""

    text: str = ""
    thoughts: str = ""
    calls: list[list[str]] = field(default_factory=list)
    """Each with its id, name and arguments."""
    reason: str | None = None
    ended: bool = False
    """Whether the format's end came."""


def chat_figures(usage: dict[str, Any]) -> None:
    """Figures that add up."""
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert min(usage["prompt_tokens"], usage["completion_tokens"], *usage["prompt_tokens_details"].values()) >= 0


def messages_figures(usage: dict[str, Any]) -> None:
    """Figures that are some."""
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")
    assert all(isinstance(usage[name], int) and usage[name] >= 0 for name in names)


def chat_answer(answer: dict[str, Any]) -> Said:
    """A chat completion."""
    assert answer["object"] == "chat.completion"
    assert answer["id"].startswith("chatcmpl-")
    assert isinstance(answer["model"], str)
    assert isinstance(answer["created"], int)
    chat_figures(answer["usage"])
    (choice,) = answer["choices"]
    assert (choice["index"], choice["message"]["role"]) == (0, "assistant")
    assert choice["finish_reason"] in FINISHES
    message = choice["message"]
    said = Said(message["content"] or "", message.get("reasoning_content", ""), reason=choice["finish_reason"], ended=True)
    for call in message.get("tool_calls", []):
        assert call["type"] == "function"
        said.calls.append([call["id"], call["function"]["name"], call["function"]["arguments"]])
        json.loads(said.calls[-1][2])
    assert all(isinstance(text, str) for text in (said.text, said.thoughts))
    return said


def messages_answer(answer: dict[str, Any]) -> Said:
    """A message."""
    assert (answer["type"], answer["role"]) == ("message", "assistant")
    assert answer["id"].startswith("msg_")
    assert isinstance(answer["model"], str)
    assert answer["stop_reason"] in STOPS
    assert (answer["stop_sequence"] is not None) == (answer["stop_reason"] == "stop_sequence")
    messages_figures(answer["usage"])
    said = Said(reason=answer["stop_reason"], ended=True)
    for block in answer["content"]:
        match block["type"]:
            case "text":
                said.text += block["text"]
            case "thinking":
                said.thoughts += block["thinking"]
                assert isinstance(block["signature"], str)
            case "tool_use":
                assert isinstance(block["input"], dict)
                said.calls.append([block["id"], block["name"], dumped(block["input"])])
                assert all(isinstance(text, str) for text in said.calls[-1])
            case kind:
                raise AssertionError(kind)
    return said


def _events(data: bytes) -> list[tuple[str, str]]:
    """Names and data of events in the one spelling in which they are written."""
    assert data == b"" or data.endswith(b"\n\n")
    assert b"\r" not in data
    assert data.isascii()
    events = []
    for event in data.decode().split("\n\n")[:-1]:
        *heads, line = event.split("\n")
        assert line.startswith("data: ")
        assert len(heads) <= 1
        assert all(head.startswith("event: ") for head in heads)
        events.append((heads[0][7:] if heads else "", line[6:]))
    return events


def chat_stream(data: bytes) -> Said:
    """A stream of chunks, whole or broken off."""
    said = Said()
    usage: dict[str, Any] | None = None
    for name, text in _events(data):
        assert name == ""
        assert not said.ended
        if text == "[DONE]":
            said.ended = True
            continue
        chunk = strict(text)
        assert chunk["object"] == "chat.completion.chunk"
        assert chunk["id"].startswith("chatcmpl-")
        assert isinstance(chunk["model"], str)
        assert usage is None
        if not chunk["choices"]:
            usage = chunk["usage"]
            chat_figures(chunk["usage"])
            continue
        (choice,) = chunk["choices"]
        assert choice["index"] == 0
        assert said.reason is None or choice["finish_reason"] is None
        said.reason = said.reason or choice["finish_reason"]
        assert said.reason is None or said.reason in FINISHES
        delta = choice["delta"]
        said.text += delta.get("content") or ""
        said.thoughts += delta.get("reasoning_content") or ""
        for call in delta.get("tool_calls", []):
            if "id" in call:
                assert call["index"] == len(said.calls)
                assert call["type"] == "function"
                said.calls.append([call["id"], call["function"]["name"], ""])
            said.calls[call["index"]][2] += call["function"]["arguments"]
    assert said.reason or not said.ended
    return said


def messages_stream(data: bytes) -> Said:
    """A stream of a message's events, whole or broken off. Their order is checked."""
    said = Said()
    opened: int | None = None
    count, begun, kind = 0, False, ""
    for name, text in _events(data):
        event = strict(text)
        assert name == event["type"]
        assert not said.ended
        assert begun == (name != "message_start")
        begun = True
        match name:
            case "message_start":
                message = event["message"]
                assert (message["role"], message["content"], message["stop_reason"]) == ("assistant", [], None)
                assert message["id"].startswith("msg_")
                messages_figures(message["usage"])
            case "content_block_start":
                assert (opened, event["index"]) == (None, count)
                opened, count, kind = count, count + 1, event["content_block"]["type"]
                if kind == "tool_use":
                    said.calls.append([event["content_block"]["id"], event["content_block"]["name"], ""])
            case "content_block_delta":
                assert event["index"] == opened
                _delta(event["delta"], kind, said)
            case "content_block_stop":
                assert event["index"] == opened
                opened = None
            case "message_delta":
                assert opened is None
                assert said.reason is None
                said.reason = event["delta"]["stop_reason"]
                assert said.reason in STOPS
                assert (event["delta"]["stop_sequence"] is not None) == (said.reason == "stop_sequence")
                messages_figures(event["usage"])
            case "message_stop":
                assert said.reason
                said.ended = True
            case _:
                raise AssertionError(name)
    return said


def _delta(delta: dict[str, Any], kind: str, said: Said) -> None:
    match delta["type"]:
        case "text_delta":
            assert kind == "text"
            said.text += delta["text"]
        case "thinking_delta":
            assert kind == "thinking"
            said.thoughts += delta["thinking"]
        case "input_json_delta":
            assert kind == "tool_use"
            said.calls[-1][2] += delta["partial_json"]
        case other:
            raise AssertionError(other)
