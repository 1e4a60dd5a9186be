"""The conversation of a chat completions request as Anthropic's: system prompt and turns that alternate."""

from __future__ import annotations

import json
from math import isinf
from typing import Any, NamedTuple, NoReturn

from lambda_runtime.errors import RequestError
from lambda_runtime.translation.content_parts import Block, blocks_of, plain, text_block
from lambda_runtime.translation.errors import UntranslatableError
from lambda_runtime.translation.request import EMPTY, Dropped, list_at, object_at, text_at

BEGINNING = "(The conversation begins with the assistant.)"
"""Said by the user where a conversation begins with the assistant: Anthropic's begin with the user."""

CONTINUE = "Continue."
"""Said by the user after the assistant's last word, where the model does not take that word for a beginning."""

_ID_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_KNOWN = frozenset({"role", "content", "tool_calls", "tool_call_id", "refusal", "audio", "function_call"})


class Conversation(NamedTuple):
    """A conversation in Anthropic's terms.

    Args:
        system: blocks of the system prompt.
        turns: messages of alternating roles, the first of which is the user's; each content is a list of blocks.
    """

    system: list[Block]
    turns: list[dict[str, Any]]

    @property
    def in_tool_loop(self) -> bool:
        """Whether the model is to go on with the results of tools that it called."""
        last = self.turns[-1]
        return bool(last["role"] == "user" and last["content"] and last["content"][0]["type"] == "tool_result")


def read_conversation(messages: Any, dropped: Dropped, *, prefill: bool) -> Conversation:
    """Read the messages of a chat completions request.

    Args:
        messages: the messages.
        dropped: collects what is left out.
        prefill: whether the model goes on with a last message of the assistant's.

    Raises:
        RequestError: if they are malformed, or say what cannot be said in Anthropic's format.
    """
    system: list[Block] = []
    turns: list[dict[str, Any]] = []
    for index, item in enumerate(list_at(messages, "messages")):
        path = f"messages[{index}]"
        role, blocks = _message(object_at(item, path), path, dropped)
        if role == "system":
            if turns and blocks:
                dropped.add("messages.role")  # said at the beginning instead
            system += blocks
        else:
            _add(turns, role, blocks)
    if not turns:
        if not system:
            raise RequestError("messages must hold at least one message with content", param="messages")
        system, turns = [], [{"role": "user", "content": system}]
    for turn in turns:  # results come first in Anthropic's turns, and what else the user says after them
        turn["content"].sort(key=lambda block: block["type"] != "tool_result")
    if turns[0]["role"] != "user":
        turns.insert(0, {"role": "user", "content": [text_block(BEGINNING)]})
    if turns[-1]["role"] == "assistant":
        _end(turns, dropped, prefill=prefill)
    return Conversation(system, turns)


def written(turns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The turns as they are sent."""
    return [{"role": turn["role"], "content": plain(turn["content"])} for turn in turns]


def _message(message: dict[str, Any], path: str, dropped: Dropped) -> tuple[str, list[Block]]:
    """A message as Anthropic's role and blocks."""
    dropped.others(message, _KNOWN, "messages.")
    match message.get("role"):
        case "system" | "developer":
            return "system", blocks_of(message.get("content"), f"{path}.content", dropped)
        case "user":
            return "user", blocks_of(message.get("content"), f"{path}.content", dropped)
        case "assistant":
            return "assistant", _assistant(message, path, dropped)
        case "tool":
            return "user", [_tool_result(message, path, dropped)]
        case "function":
            raise UntranslatableError(f"{path}.role", "Messages of functions are not translated", "Use `tools` and role `tool`")
        case _:
            raise RequestError(f"{path}.role must be developer, system, user, assistant or tool", param=f"{path}.role")


def _add(turns: list[dict[str, Any]], role: str, blocks: list[Block]) -> None:
    """Add a message's blocks: neighbours of the same role are one turn."""
    if not blocks:
        return
    if turns and turns[-1]["role"] == role:
        turns[-1]["content"] += blocks
    else:
        turns.append({"role": role, "content": blocks})


def _end(turns: list[dict[str, Any]], dropped: Dropped, *, prefill: bool) -> None:
    last = turns[-1]["content"][-1]
    if prefill and last["type"] == "text":
        last["text"] = last["text"].rstrip()  # Anthropic refuses a beginning that ends in white space
    elif last["type"] == "text":
        turns.append({"role": "user", "content": [text_block(CONTINUE)]})
        dropped.add("messages.prefill")


def _assistant(message: dict[str, Any], path: str, dropped: Dropped) -> list[Block]:
    if message.get("audio"):
        raise UntranslatableError(f"{path}.audio", "Audio cannot be sent in Anthropic's format", "Send its transcript")
    if message.get("function_call"):
        raise UntranslatableError(f"{path}.function_call", "Function calls are not translated", "Use `tools` and `tool_calls`")
    blocks = blocks_of(message.get("content"), f"{path}.content", dropped)
    blocks += blocks_of(message.get("refusal"), f"{path}.refusal", dropped)
    calls = message.get("tool_calls")
    if calls not in EMPTY:
        for index, call in enumerate(list_at(calls, f"{path}.tool_calls")):
            where = f"{path}.tool_calls[{index}]"
            blocks.append(_tool_use(object_at(call, where), where, dropped))
    return blocks


def _tool_use(call: dict[str, Any], path: str, dropped: Dropped) -> Block:
    if call.get("type", "function") not in ("function", None):
        raise UntranslatableError(f"{path}.type", "Only calls of functions can be sent to Anthropic", "Leave the call out")
    function = object_at(call.get("function"), f"{path}.function")
    arguments = function.get("arguments")
    given = parse_arguments(arguments)
    if given is None:
        dropped.add("messages.tool_calls.function.arguments")
        given = {"arguments": arguments}
    return {
        "type": "tool_use",
        "id": _tool_id(call.get("id"), f"{path}.id"),
        "name": text_at(function.get("name"), f"{path}.function.name", empty=False),
        "input": given,
    }


def _tool_result(message: dict[str, Any], path: str, dropped: Dropped) -> Block:
    block: Block = {"type": "tool_result", "tool_use_id": _tool_id(message.get("tool_call_id"), f"{path}.tool_call_id")}
    content = blocks_of(message.get("content"), f"{path}.content", dropped)
    if content:
        block["content"] = plain(content)
    return block


def parse_arguments(arguments: Any) -> dict[str, Any] | None:
    """A call's arguments as an object, or None if they are none: models write them, and may write anything."""
    if arguments in EMPTY:
        return {}
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments, parse_constant=_no_constant, parse_float=_finite) if arguments.strip() else {}
        except (ValueError, RecursionError):
            return None
    return arguments if isinstance(arguments, dict) else None


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if isinf(number):  # 1e999 is JSON; what Python would write for it is not
        raise ValueError(f"{text} is too large")
    return number


def _tool_id(value: Any, path: str) -> str:
    """A call's id in the characters that Anthropic takes."""
    text = text_at(value, path, empty=False)
    return "".join(c if c in _ID_CHARACTERS else "_" for c in text)
