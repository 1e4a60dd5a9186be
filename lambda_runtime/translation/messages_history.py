"""The conversation of a messages request as that of chat completions."""

from __future__ import annotations

import json
from typing import Any

from lambda_runtime.errors import RequestError
from lambda_runtime.translation.content_blocks import Part, content_blocks, joined, parts_of, plain, text_part
from lambda_runtime.translation.errors import UntranslatableError
from lambda_runtime.translation.openai_models import ChatModel
from lambda_runtime.translation.request import Dropped, list_at, object_at, text_at

Blocks = list[tuple[dict[str, Any], str]]
"""Content blocks, each with its name in the request."""

ERROR = "Error: "
"""What the result of a tool begins with if the tool failed: chat completions have no flag for it."""

_KNOWN = frozenset({"role", "content"})
_KNOWN_OF_CALL = frozenset({"type", "id", "name", "input"})
_KNOWN_OF_RESULT = frozenset({"type", "tool_use_id", "content", "is_error"})


def read_messages(body: dict[str, Any], chat: ChatModel, dropped: Dropped) -> list[dict[str, Any]]:
    """Read `system` and `messages`.

    Args:
        body: the client's request.
        chat: the model.
        dropped: collects what is left out.

    Raises:
        RequestError: if they are malformed, or say what chat completions cannot say.
    """
    result: list[dict[str, Any]] = []
    if body.get("system"):
        result += _system(_named(body["system"], "system"), dropped)
    turns = _turns(body.get("messages"), dropped)
    if not turns:
        raise RequestError("messages must hold at least one message", param="messages")
    if turns[-1][0] == "assistant":
        raise UntranslatableError(
            "messages", "Models behind chat completions do not go on with a beginning of theirs", "End with a user's message"
        )
    for role, blocks in turns:
        if role == "user":
            result += _user(blocks, dropped)
        else:
            result += _system(blocks, dropped) if role == "system" else _assistant(blocks, chat, dropped)
    if not result:  # the system alone, and it says nothing
        raise RequestError("messages must hold at least one message with content", param="messages")
    return result


def _turns(messages: Any, dropped: Dropped) -> list[tuple[str, Blocks]]:
    """The messages with neighbours of the same role made one, as Anthropic does."""
    turns: list[tuple[str, Blocks]] = []
    for index, item in enumerate(list_at(messages, "messages")):
        path = f"messages[{index}]"
        message = object_at(item, path)
        role = message.get("role")
        if role not in ("user", "assistant", "system"):
            raise RequestError(f"{path}.role must be user, assistant or system", param=f"{path}.role")
        dropped.others(message, _KNOWN, "messages.")
        blocks = _named(message.get("content"), f"{path}.content")
        if turns and turns[-1][0] == role:
            turns[-1][1].extend(blocks)
        else:
            turns.append((role, blocks))
    return turns


def _named(content: Any, path: str) -> Blocks:
    return [(block, f"{path}[{index}]") for index, block in enumerate(content_blocks(content, path))]


def _system(blocks: Blocks, dropped: Dropped) -> list[dict[str, Any]]:
    parts: list[Part] = []
    for block, path in blocks:
        if block.get("type") != "text":
            raise RequestError(f"{path}.type must be text", param=f"{path}.type")
        parts += parts_of(block, path, dropped)
    text = joined([part for part in parts if part["text"]], "\n\n")
    return [{"role": "system", "content": text}] if text else []


def _user(blocks: Blocks, dropped: Dropped) -> list[dict[str, Any]]:
    """Messages with the results of tools, then one with all else that the user says."""
    results: list[dict[str, Any]] = []
    beside: list[Part] = []
    said: list[Part] = []
    for block, path in blocks:
        if block.get("type") == "tool_result":
            results.append(_tool(block, path, beside, dropped))
        else:
            said += parts_of(block, path, dropped)
    parts = beside + said
    if parts or not results:
        results.append({"role": "user", "content": plain(parts)})
    return results


def _tool(block: dict[str, Any], path: str, beside: list[Part], dropped: Dropped) -> dict[str, Any]:
    """A tool's result. Only text fits: images and files go beside it, into the user's message that follows."""
    call = text_at(block.get("tool_use_id"), f"{path}.tool_use_id", empty=False)
    dropped.others(block, _KNOWN_OF_RESULT, "messages.content.")
    content = block.get("content")
    parts: list[Part] = []
    if content is not None:
        for inner, where in _named(content, f"{path}.content"):
            parts += parts_of(inner, where, dropped)
    others = [part for part in parts if part["type"] != "text"]
    if others:
        beside += [text_part(f"Belongs to the result of the tool call {call}:"), *others]
    text = joined([part for part in parts if part["type"] == "text"], "\n")
    if block.get("is_error") is True and not text.lower().startswith("error"):
        text = ERROR + text
    return {"role": "tool", "tool_call_id": call, "content": text}


def _assistant(blocks: Blocks, chat: ChatModel, dropped: Dropped) -> list[dict[str, Any]]:
    texts: list[str] = []
    thoughts: list[str] = []
    calls: list[dict[str, Any]] = []
    for block, path in blocks:
        match block.get("type"):
            case "text":
                texts += [part["text"] for part in parts_of(block, path, dropped)]
            case "tool_use":
                calls.append(_call(block, path, dropped))
            case "thinking" if chat.wants_its_reasoning_back:
                thoughts.append(text_at(block.get("thinking"), f"{path}.thinking"))
            case "thinking" | "redacted_thinking" as kind:
                dropped.add(f"messages.content.{kind}")
            case kind:
                raise UntranslatableError(
                    path, f"Content of type {str(kind)[:40]!r} has no counterpart in chat completions", "Leave it out"
                )
    message: dict[str, Any] = {"role": "assistant", "content": "".join(texts) or None}
    if thoughts:
        message["reasoning_content"] = "".join(thoughts)
    if calls:
        message["tool_calls"] = calls
    elif message["content"] is None:
        message["content"] = ""
    return [message]


def _call(block: dict[str, Any], path: str, dropped: Dropped) -> dict[str, Any]:
    dropped.others(block, _KNOWN_OF_CALL, "messages.content.")
    given = object_at(block.get("input"), f"{path}.input")
    function = {
        "name": text_at(block.get("name"), f"{path}.name", empty=False),
        "arguments": json.dumps(given, separators=(",", ":"), ensure_ascii=False),
    }
    return {"id": text_at(block.get("id"), f"{path}.id", empty=False), "type": "function", "function": function}
