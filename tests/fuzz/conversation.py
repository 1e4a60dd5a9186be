"""What a conversation says in either format: who says what, in which order, as far as both formats have it.

Read by the formats' own rules, and by none of the gateway's code. White space is left out, for Anthropic's format takes no
blank text and texts are joined with it; a turn without words stands there as an empty one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

Words = list[tuple[str, str]]
"""Role and text. The roles are system, user, assistant, `result of ID`, and `call of ID`, which says the function's name."""

_CALL = "call of "
_RESULT = "result of "
_BESIDES = "user, besides a result"
"""Attached to a result, for which chat completions have no place: the user says it, before all else."""
_BEGIN = "[result]"
_NAMED = "[call]"
_ATTACHED = "[attached]"
"""An image or a file."""
_BESIDE = re.compile("Belongs to the result of the tool call .+:", re.DOTALL)
"""What the gateway says before that."""


def of_chat(messages: Iterable[dict[str, Any]]) -> Words:
    """Of a chat completions request."""
    found: Words = []
    for message in messages:
        role = "system" if message["role"] == "developer" else message["role"]
        if role == "tool":
            role = _RESULT + _id(message["tool_call_id"])
            found.append((role, _BEGIN))
        found += [(role, text) for text in ("", *_parts(message.get("content")))]
        if role == "assistant":
            found += [(role, text) for text in _parts(message.get("refusal"))]
            for call in message.get("tool_calls") or ():
                found.append((_CALL + _id(call["id"]), _NAMED + call["function"]["name"]))
    return found


def of_messages(body: dict[str, Any], *, documents: bool) -> Words:
    """Of a messages request.

    Args:
        body: the request.
        documents: whether what documents say counts, which chat completions have as text.
    """
    found: Words = [("system", text) for text in _blocks(body.get("system") or [], documents=documents)]
    for message in body["messages"]:
        found.append((message["role"], ""))
        for block in _listed(message["content"]):
            match block["type"]:
                case "tool_use":
                    found.append((_CALL + _id(block["id"]), _NAMED + block["name"]))
                case "tool_result":
                    role = _RESULT + _id(block["tool_use_id"])
                    held = list(_blocks(block.get("content") or [], documents=documents))
                    text = "\n".join(each for each in held if each != _ATTACHED)
                    failed = documents and block.get("is_error") is True and not text.lower().startswith("error")
                    found += [(role, _BEGIN), (role, "Error: " * failed + text)]
                    found += [(_BESIDES if documents else role, each) for each in held if each == _ATTACHED]
                case _:
                    found += [(message["role"], text) for text in _blocks([block], documents=documents)]
    return found


def in_order(words: Words) -> Words:
    """In the order that both formats can have: within a turn results before the user's words, calls after the assistant's."""
    found: Words = []
    for _, together in groupby(words, key=lambda said: _side(said[0])):
        found += sorted(together, key=lambda said: _place(said[0]))
    return merged([("user" if role == _BESIDES else role, text) for role, text in found])


def system_first(words: Words) -> Words:
    """With all that the system says at the beginning; said by the user if there is nothing else. Without blank turns."""
    words = merged(words)
    system = [said for said in words if said[0] == "system"]
    others = [said for said in words if said[0] != "system"]
    return system + others if others else [("user", text) for _, text in system]


def merged(words: Words) -> Words:
    """With neighbours of one role made one, and without what is blank."""
    found: Words = []
    for role, text in words:
        letters = "".join(text.split())
        if not letters or (role == "user" and _BESIDE.fullmatch(text)):
            continue
        if found and found[-1][0] == role:
            letters = found.pop()[1] + letters
        found.append((role, letters))
    return found


def _side(role: str) -> str:
    return "user" if role.startswith((_RESULT, _BESIDES)) else "assistant" if role.startswith(_CALL) else role


def _place(role: str) -> int:
    return 0 if role.startswith(_RESULT) else 1 if role == _BESIDES else 3 if role.startswith(_CALL) else 2


def _id(value: Any) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]", "_", value)


def _parts(content: Any) -> Iterator[str]:
    """The texts of a chat message's content."""
    if isinstance(content, str):
        yield content
    for part in content if isinstance(content, list) else ():
        yield part[part["type"]] if part["type"] in {"text", "refusal"} else _ATTACHED


def _listed(content: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _blocks(content: Any, *, documents: bool) -> Iterator[str]:
    """The texts of content blocks."""
    for block in _listed(content):
        match block["type"]:
            case "text":
                yield block["text"]
            case "search_result" if documents:
                yield from (block[name] for name in ("title", "source") if isinstance(block.get(name), str))
                yield from _blocks(block["content"], documents=True)
            case "document" if documents:
                yield from _document(block)
            case "image" | "document":
                yield _ATTACHED


def _document(block: dict[str, Any]) -> Iterator[str]:
    source = block["source"]
    # A file's title becomes its name.
    for name in ("context",) if source["type"] == "base64" else ("title", "context"):
        if isinstance(block.get(name), str):
            yield block[name]
    if source["type"] == "text":
        yield source["data"]
    elif source["type"] == "content":
        yield from _blocks(source["content"], documents=True)
    else:
        yield _ATTACHED
