"""Whole answers: a message as a chat completion, and the other way round."""

from __future__ import annotations

import json
import time
from typing import Any

from lambda_runtime.translation.chat_history import parse_arguments
from lambda_runtime.translation.figures import usage_to_chat, usage_to_messages
from lambda_runtime.translation.stop_reasons import finish_reason, stop_reason

NAME_LENGTH = 256
"""Longest id or model's name that is passed on, in characters: they stand in each event of a translated stream, so that a long
one of a broken upstream's would make megabytes of kilobytes."""

_CHAT, _MESSAGES = "chatcmpl-", "msg_"
_TIERS = {"standard": "default", "priority": "priority"}


def name_of(value: Any) -> str:
    """An answer's id or its model's name, cut to `NAME_LENGTH`; empty if there is none."""
    return str(value)[:NAME_LENGTH] if value and isinstance(value, str | int) else ""


def chat_id(value: Any) -> str:
    """A message's id as a chat completion's."""
    return _CHAT + name_of(value).removeprefix(_MESSAGES)


def message_id(value: Any) -> str:
    """A chat completion's id as a message's."""
    return _MESSAGES + name_of(value).removeprefix(_CHAT)


def call_id(value: Any, answer_id: Any, index: int) -> str:
    """A tool call's id, or one of its own if the upstream gave none."""
    return value if isinstance(value, str) and value else f"call_{message_id(answer_id)}_{index}"


def text_of(content: Any) -> str:
    """The text of an answer's content, which some servers give in parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = [part.get("text") for part in content if isinstance(part, dict)]
    return "".join(text for text in texts if isinstance(text, str))


def reasoning_of(holder: dict[str, Any]) -> str:
    """What a chat completion's message or delta says of the model's reasoning, under either of its two names."""
    for name in ("reasoning_content", "reasoning"):
        value = holder.get(name)
        if isinstance(value, str) and value:
            return value
    return ""


def service_tier(usage: Any) -> str | None:
    """OpenAI's word for the queue that an answer came from, if it is known."""
    return _TIERS.get(str(usage.get("service_tier"))) if isinstance(usage, dict) else None


def explanation(details: Any) -> str | None:
    """Why the model declined, in its words."""
    text = details.get("explanation") if isinstance(details, dict) else None
    return text if isinstance(text, str) and text else None


def messages_answer_to_chat(answer: dict[str, Any]) -> dict[str, Any]:
    """A message as a chat completion.

    Signatures of thinking, redacted thinking, citations and blocks of tools that ran at the provider are left out.

    Args:
        answer: the upstream's answer, parsed.
    """
    texts: list[str] = []
    thoughts: list[str] = []
    calls: list[dict[str, Any]] = []
    content = answer.get("content")
    for block in content if isinstance(content, list) else []:
        if not isinstance(block, dict):
            continue
        match block.get("type"):
            case "text":
                texts.append(str(block.get("text") or ""))
            case "thinking":
                thoughts.append(str(block.get("thinking") or ""))
            case "tool_use":
                arguments = json.dumps(block.get("input") or {}, separators=(",", ":"), ensure_ascii=False)
                function = {"name": str(block.get("name") or ""), "arguments": arguments}
                identity = call_id(block.get("id"), answer.get("id"), len(calls))
                calls.append({"id": identity, "type": "function", "function": function})
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(texts) or (None if calls else ""),
        "refusal": explanation(answer.get("stop_details")),
    }
    reasoning = "".join(thoughts)
    if reasoning:
        message["reasoning_content"] = reasoning
    if calls:
        message["tool_calls"] = calls
    usage = answer.get("usage")
    result: dict[str, Any] = {
        "id": chat_id(answer.get("id")),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": name_of(answer.get("model")),
        "choices": [
            {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason(answer.get("stop_reason"))}
        ],
        "usage": usage_to_chat(usage),
        "system_fingerprint": None,
    }
    tier = service_tier(usage)
    if tier:
        result["service_tier"] = tier
    return result


def chat_answer_to_messages(answer: dict[str, Any]) -> dict[str, Any]:
    """A chat completion as a message. Of several choices it is the first.

    Log probabilities, annotations and the fingerprint are left out. Reasoning becomes a thinking block without a signature.

    Args:
        answer: the upstream's answer, parsed.
    """
    choices = answer.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    content: list[dict[str, Any]] = []
    reasoning, refusal = reasoning_of(message), text_of(message.get("refusal"))
    if reasoning:
        content.append({"type": "thinking", "thinking": reasoning, "signature": ""})
    text = text_of(message.get("content")) + refusal
    if text:
        content.append({"type": "text", "text": text})
    calls = message.get("tool_calls")
    for index, call in enumerate(calls if isinstance(calls, list) else []):
        content.append(_tool_use(call, answer.get("id"), index))
    matched = choice.get("stop_reason")  # vLLM's: the stop sequence that was met
    calling = bool(content) and content[-1]["type"] == "tool_use"
    reason = stop_reason(choice.get("finish_reason"), tools=calling, refused=bool(refusal))
    if reason == "end_turn" and isinstance(matched, str):
        reason = "stop_sequence"
    return {
        "id": message_id(answer.get("id")),
        "type": "message",
        "role": "assistant",
        "model": name_of(answer.get("model")),
        "content": content,
        "stop_reason": reason,
        "stop_sequence": matched if reason == "stop_sequence" else None,
        "usage": usage_to_messages(answer.get("usage")),
    }


def _tool_use(call: Any, answer_id: Any, index: int) -> dict[str, Any]:
    call = call if isinstance(call, dict) else {}
    function = call.get("function")
    function = function if isinstance(function, dict) else {}
    arguments = function.get("arguments")
    given = parse_arguments(arguments)
    return {
        "type": "tool_use",
        "id": call_id(call.get("id"), answer_id, index),
        "name": str(function.get("name") or ""),
        "input": {"arguments": arguments} if given is None else given,
    }
