"""Reads an answer as a strict client would. What no answer may ever be fails here, whatever was expected of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tests.faults.outcome import By, Outcome, What
from tests.faults.wire import FIRST, OWN_WORDS, SECOND, Wire

HUGE = "x" * (5 * 1024 * 1024)
"""What an upstream says that says a lot."""

_EMPTY = "empty"
_ANSWERS = {"".join(FIRST): By.FIRST, HUGE: By.FIRST, "".join(SECOND): By.SECOND}
_FIELD = re.compile(r"(data|event|retry): ?(.*)")
_HEARTBEATS = (": heartbeat\n\n", 'event: ping\ndata: {"type":"ping"}\n\n')


class ClientAnswer(NamedTuple):
    """An answer on its way to the client, as Lambda has it.

    Args:
        status: HTTP status.
        headers: by lower-case name.
        body: the body.
        trailers: what Lambda is told of an answer that broke.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    trailers: Mapping[str, str]


def read(answer: ClientAnswer, wire: Wire, *, streamed: bool) -> Outcome:
    """Read an answer.

    Args:
        answer: the answer.
        wire: the client's format.
        streamed: whether it asked for a stream.

    Raises:
        AssertionError: if it is not what a client of this format can read.
    """
    if answer.status >= 400:
        return _error(answer, wire)
    assert answer.status == 200
    if not streamed:
        assert answer.headers["content-type"].startswith("application/json")
        assert not answer.trailers
        document = json.loads(answer.body)
        return _complete(_text_of(document, wire), "")
    assert answer.headers["content-type"].startswith("text/event-stream")
    return _stream(answer, wire)


def _error(answer: ClientAnswer, wire: Wire) -> Outcome:
    assert answer.headers["content-type"].startswith("application/json")
    assert not answer.trailers
    if answer.status in {408, 409, 429} or answer.status >= 500:
        # The SDKs would repeat it, and each of their attempts would be three of ours.
        assert answer.headers.get("x-should-retry") == "false"
    code, by = _error_fields(json.loads(answer.body), wire)
    return Outcome(What.ERROR, by, answer.status, code, answer.headers.get("retry-after", ""))


def _error_fields(document: dict[str, Any], wire: Wire) -> tuple[str, By]:
    error = document["error"]
    assert isinstance(error["message"], str)
    assert isinstance(error["type"], str)
    if wire.name == "messages":
        assert document["type"] == "error"
        code = error["type"]
    else:
        assert set(error) >= {"message", "type", "param", "code"}
        code = error["code"] or error["type"]
    return code, By.FIRST if error["message"].startswith(OWN_WORDS) else By.GATEWAY


def _stream(answer: ClientAnswer, wire: Wire) -> Outcome:
    text = answer.body.decode()
    heartbeats = text.startswith(_HEARTBEATS)
    said: list[str] = []
    form = ""
    last: tuple[str, Any] = ("", None)
    for name, data in _events(text):
        assert last[0] != "end", f"after the end came {data!r}"
        if data is None:
            continue
        last = _event(name, data, wire)
        if last[0] == "text":
            said.append(last[1])
        if str(data.get("type", "") if isinstance(data, dict) else "").startswith("response."):
            form = "as events of the responses format"
    assert last[0] == "end", "neither a terminator nor an error event came"
    whole = "".join(said)
    if last[1] is None:
        assert not answer.trailers
        return _complete(whole, form)._replace(heartbeats=heartbeats)
    assert any(known.startswith(whole) for known in _ANSWERS)
    code, by = last[1]
    return Outcome(What.BROKEN, by, code=code, begun=bool(whole), heartbeats=heartbeats)


def _event(name: str, data: Any, wire: Wire) -> tuple[str, Any]:
    """`text`, `other` or `end` with an error's fields, or with None if it is a good end."""
    if data == "[DONE]":
        assert wire.name == "chat completions"
        return "end", None
    if data.get("error") or data.get("type") == "error":
        assert wire.name == "chat completions" or name == "error"
        return "end", _error_fields(data, wire)
    return _message_event(name, data) if wire.name == "messages" else _chat_event(data)


def _message_event(name: str, data: dict[str, Any]) -> tuple[str, Any]:
    kind = data["type"]
    assert name == kind
    if kind == "content_block_delta":
        return "text", data["delta"]["text"]
    return ("end", None) if kind == "message_stop" else ("other", None)


def _chat_event(data: dict[str, Any]) -> tuple[str, Any]:
    match data.get("type"):
        case None:
            # Nobody asked for usage, so the extra chunk without choices is not for the client.
            assert data["choices"]
            return "text", data["choices"][0]["delta"].get("content") or ""
        case "response.completed":
            return "end", None
        case "response.output_text.delta":
            return "text", data["delta"]
    return "other", None


def _events(text: str) -> Iterator[tuple[str, Any]]:
    """Names and data; data is None for what is only a comment."""
    assert not text.startswith("\ufeff")
    lines = re.split("\r\n|\n|\r", text)
    assert lines[-2:] == ["", ""], "the last event has no end"
    name = ""
    data: list[str] = []
    for line in lines[:-1]:
        if not line:
            yield name, _parsed("\n".join(data)) if data else None
            name = ""
            data.clear()
        elif not line.startswith(":"):
            field = _FIELD.fullmatch(line)
            assert field, line[:100]  # an `id` among them: OpenAI's SDK fails on what comes after it
            if field[1] == "event":
                name = field[2]
            elif field[1] == "data":
                data.append(field[2])


def _parsed(data: str) -> Any:
    return data if data == "[DONE]" else json.loads(data)


def _complete(text: str, form: str) -> Outcome:
    if not text:
        return Outcome(What.ANSWER, By.FIRST, form=_EMPTY)
    assert text in _ANSWERS, f"an answer that looks complete says {text[:100]!r}"
    return Outcome(What.ANSWER, _ANSWERS[text], form=form)


def _text_of(document: dict[str, Any], wire: Wire) -> str:
    if wire.name == "messages":
        assert document["type"] == "message"
        return "".join(block["text"] for block in document["content"])
    assert document["object"] == "chat.completion"
    return "".join(choice["message"]["content"] for choice in document["choices"])
