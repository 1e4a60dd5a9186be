"""The small requests that are sent, and what makes an answer to them one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from lambda_runtime.config import AuthStyle, Operation, WireFormat

TOKENS = 16
"""That an answer may have at most. OpenAI's responses take no smaller limit."""

_QUESTION = "Reply with the word ok."
_VERSION = {"anthropic-version": "2023-06-01"}
_LONGEST = 240
_FIELDS = (("prompt", "input"), ("completion", "output"))

_NAMES = {
    Operation.CHAT_COMPLETIONS: "chat completions",
    Operation.MESSAGES: "messages",
    Operation.RESPONSES: "responses",
    Operation.EMBEDDINGS: "embeddings",
    Operation.COUNT_TOKENS: "token counting",
}


def called(operation: Operation) -> str:
    """An operation as people call it."""
    return _NAMES[operation]


def question(operation: Operation, model: str, *, stream: bool, limit: str = "max_tokens") -> bytes:
    """A request's body.

    Args:
        operation: what is asked for.
        model: of whom.
        stream: whether the answer is to be streamed.
        limit: the field that limits a chat completion. Default: the one that every server knows.
    """
    document: dict[str, Any] = {"model": model}
    if operation is Operation.EMBEDDINGS:
        document["input"] = "ok"
    elif operation is Operation.RESPONSES:
        document |= {"input": _QUESTION, "max_output_tokens": TOKENS}
    else:
        document |= {limit: TOKENS, "messages": [{"role": "user", "content": _QUESTION}]}
    if stream:
        document["stream"] = True
    return json.dumps(document).encode()


def headers_for(wire_format: WireFormat, auth: AuthStyle, key: str) -> dict[str, str]:
    """The headers of a request in a format, with the key as the server takes it."""
    headers = {"Accept": "application/json", "Content-Type": "application/json", "User-Agent": "ai-gateway smoke"}
    if wire_format is WireFormat.ANTHROPIC:
        headers |= _VERSION
    if auth is AuthStyle.BEARER:
        headers["Authorization"] = f"Bearer {key}"
    elif auth is not AuthStyle.NONE:
        headers[auth.value] = key
    return headers


def is_answer(operation: Operation, document: Any) -> bool:
    """Whether a document is an answer of an operation."""
    if not isinstance(document, dict):
        return False
    if operation is Operation.CHAT_COMPLETIONS:
        return _has_first(document, "choices", "message")
    if operation is Operation.EMBEDDINGS:
        return _has_first(document, "data", "embedding")
    content = document.get("output" if operation is Operation.RESPONSES else "content")
    return isinstance(content, list)


def used(document: Mapping[str, Any]) -> str:
    """What an answer says that it has used, for people; empty if it says nothing."""
    usage = document.get("usage")
    if not isinstance(usage, dict):
        return ""
    read, written = (usage.get(f"{old}_tokens", usage.get(f"{new}_tokens")) for old, new in _FIELDS)
    return f"{read or 0} tokens in, {written or 0} out"


def error_text(status: int, body: bytes, key: str) -> str:
    """An error's status and words, without the key that some servers repeat."""
    try:
        words = words_of(json.loads(body), key)
    except ValueError:
        words = _shown(body.decode("utf-8", "replace"), key)
    return f"status {status}" + (f": {words}" if words else "")


def words_of(document: Any, key: str) -> str:
    """What an error's document says, in whichever format; the whole document if it says nothing."""
    error = document.get("error", document) if isinstance(document, dict) else document
    message = error.get("message") if isinstance(error, dict) else error
    return _shown(message if isinstance(message, str) else json.dumps(document), key)


def _shown(text: str, key: str) -> str:
    """One line, not too long, without the key."""
    line = " ".join((text.replace(key, "[key]") if key else text).split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _has_first(document: Mapping[str, Any], field: str, inner: str) -> bool:
    items = document.get(field)
    return isinstance(items, list) and bool(items) and isinstance(items[0], dict) and inner in items[0]
