"""An upstream's whole answer, or its error, in the other format: always of that format, with the words that were said."""

from __future__ import annotations

from typing import Any

from lambda_runtime.config import WireFormat
from lambda_runtime.json_scan import parse_object
from lambda_runtime.translation.answers import chat_answer_to_messages, messages_answer_to_chat, text_of
from lambda_runtime.translation.errors import MESSAGE_LENGTH, translate_error
from tests.fuzz import shapes
from tests.fuzz.inputs import chosen, taken_apart

KIND = "json"
SOURCES = ("lambda_runtime/translation",)
OUTCOMES = frozenset(
    {"an error for openai", "an error for anthropic", "no answer", "silence", "a completion", "a message", "calls", "thoughts"}
)

_STATUSES = {"4": 400, "1": 401, "9": 429, "5": 500, "8": 529, "3": 413}


def check(data: bytes) -> str:
    """What the client gets of an answer."""
    options, material = taken_apart(data)
    if "e" in options:
        return _error(material, options)
    answer = parse_object(material)
    if answer is None:
        return "no answer"
    to_chat = "m" in options
    try:
        said, text = _to_chat(answer) if to_chat else _to_messages(answer)
    except ValueError:
        assert not _finite(answer)
        return "no answer"
    assert said.text == text
    if said.calls:
        return "calls"
    if said.thoughts:
        return "thoughts"
    return ("a completion" if to_chat else "a message") if text else "silence"


def _finite(answer: dict[str, Any]) -> bool:
    try:
        shapes.dumped(answer)
    except (ValueError, RecursionError):
        return False
    return True


def _to_chat(answer: dict[str, Any]) -> tuple[shapes.Said, str]:
    result = messages_answer_to_chat(answer)
    content = answer["content"] if isinstance(answer.get("content"), list) else []
    texts = [block for block in content if isinstance(block, dict) and block.get("type") == "text"]
    said = shapes.chat_answer(_written(result, answer))
    return said, "".join(str(block.get("text") or "") for block in texts)


def _to_messages(answer: dict[str, Any]) -> tuple[shapes.Said, str]:
    result = chat_answer_to_messages(answer)
    choices = answer.get("choices")
    first = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
    message = first["message"] if isinstance(first.get("message"), dict) else {}
    said = shapes.messages_answer(_written(result, answer))
    return said, text_of(message.get("content")) + text_of(message.get("refusal"))


def _written(result: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """As the client reads it."""
    text = shapes.dumped(result)  # or else a `ValueError`, which is for whoever sends it
    assert len(text) <= 30 * len(repr(answer)) + 1000  # a call that says nothing is four characters, and a hundred with an id
    read: dict[str, Any] = shapes.strict(text)
    return read


def _error(material: bytes, options: str) -> str:
    status = _STATUSES[chosen(options, "".join(_STATUSES), "5")]
    wire_format = WireFormat.ANTHROPIC if "a" in options else WireFormat.OPENAI
    body = translate_error(status, material, to=wire_format, request_id="request-1")
    document = shapes.strict(body)
    error = document["error"]
    assert isinstance(error["message"], str)
    assert 0 < len(error["message"]) <= MESSAGE_LENGTH + 50
    assert isinstance(error["type"], str)
    assert len(body) <= 12 * MESSAGE_LENGTH + 12 * len(material) + 500
    if wire_format is WireFormat.ANTHROPIC:
        assert document.keys() == {"type", "error", "request_id"}
        return "an error for anthropic"
    assert error.keys() == {"message", "type", "param", "code"}
    assert all(error[name] is None or isinstance(error[name], str) for name in ("param", "code"))
    return "an error for openai"
