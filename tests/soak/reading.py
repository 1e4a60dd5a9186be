"""Reads answers as a strict client does: what it has heard, whether that looks complete, and what it is told if not. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.soak.asks import Ask
from tests.soak.said import Figures


class Heard(NamedTuple):
    """What a client makes of an answer.

    Args:
        text: the text.
        whole: whether it looks complete.
        finished: whether a stream has said why it ends.
        usage: tokens of all input and output, if the answer says them.
        error: code of the error that it tells, or empty.
        words: of that error.
    """

    text: str
    whole: bool
    finished: bool = False
    usage: tuple[int, int] | None = None
    error: str = ""
    words: str = ""


def read_document(ask: Ask, body: bytes) -> Heard:
    """Read an answer that is not streamed.

    Raises:
        ValueError: if it is none of its format.
    """
    document = json.loads(body)
    try:
        usage = document["usage"]
        match ask.format:
            case "chat":
                text = "".join(choice["message"]["content"] for choice in document["choices"])
                whole = bool(document["choices"]) and all(choice["finish_reason"] for choice in document["choices"])
            case "messages":
                text, whole = "".join(block["text"] for block in document["content"]), bool(document["stop_reason"])
            case "responses":
                text = "".join(part["text"] for item in document["output"] for part in item["content"])
                whole = document["status"] == "completed"
            case _:
                text, whole = document["model"], bool(document["data"][0]["embedding"])
    except (KeyError, TypeError, LookupError) as error:
        raise ValueError(f"no answer in the format {ask.format}: {type(error).__name__} {error}: {body[:200]!r}") from error
    return Heard(text, whole, usage=_sums(usage))


def read_error(ask: Ask, body: bytes) -> Heard:
    """Read an error.

    Raises:
        ValueError: if it is none of the client's format.
    """
    document = json.loads(body)
    try:
        return _error(ask, document, "")
    except (KeyError, TypeError) as error:
        raise ValueError(f"no error of the format: {type(error).__name__} {error}: {body[:200]!r}") from error


def read_stream(ask: Ask, body: bytes) -> Heard:
    """Read a stream, or what there is of it.

    Raises:
        ValueError: if an event is none of its format, or one comes after the end.
    """
    heard = Heard("", whole=False)
    said: list[str] = []
    try:
        for name, data in _events(body):
            if heard.whole or heard.error:
                raise ValueError(f"after the end came {data[:100]}")
            heard = _event(ask, name, data, heard, said)
    except (KeyError, TypeError, LookupError) as error:
        raise ValueError(f"an event is none of the format {ask.format}: {type(error).__name__} {error}") from error
    return heard._replace(text="".join(said))


def _event(ask: Ask, name: str, data: str, heard: Heard, said: list[str]) -> Heard:
    if data == "[DONE]":
        if ask.format != "chat":
            raise ValueError("[DONE] in a stream of another format")
        return _whole(heard)
    event = json.loads(data)
    if event.get("error") or event.get("type") == "error":
        return _error(ask, event, name)
    return _chunk(ask, event, heard, said) if ask.format == "chat" else _named(name, event, heard, said)


def _chunk(ask: Ask, event: dict[str, Any], heard: Heard, said: list[str]) -> Heard:
    if not event["choices"]:
        if not ask.usage:
            raise ValueError("usage that nobody has asked for")
        return heard._replace(usage=_sums(event["usage"]))
    choice = event["choices"][0]
    said.append(choice["delta"].get("content") or "")
    return heard._replace(finished=heard.finished or bool(choice.get("finish_reason")))


def _whole(heard: Heard) -> Heard:
    if not heard.finished:
        raise ValueError("a stream ends as if whole, and has not said why")
    return heard._replace(whole=True)


def _named(name: str, event: dict[str, Any], heard: Heard, said: list[str]) -> Heard:
    kind = event["type"]
    if name != kind:
        raise ValueError(f"event {name!r} says that it is {kind!r}")
    match kind:
        case "content_block_delta":
            said.append(event["delta"]["text"])
        case "response.output_text.delta":
            said.append(event["delta"])
        case "message_start":
            heard = heard._replace(usage=_sums(event["message"]["usage"]))
        case "message_delta":
            (read, _), usage = heard.usage or (0, 0), event["usage"]
            # The translation tells the input at the end, where the upstream has told it.
            heard = heard._replace(
                usage=(_input(usage) if "input_tokens" in usage else read, usage["output_tokens"]),
                finished=bool(event["delta"]["stop_reason"]),
            )
        case "message_stop":
            heard = _whole(heard)
        case "response.completed":
            heard = heard._replace(whole=True, usage=_sums(event["response"]["usage"]))
    return heard


def _error(ask: Ask, document: dict[str, Any], name: str) -> Heard:
    error = document["error"]
    if ask.format == "messages":
        if document["type"] != "error" or (name and name != "error"):
            raise ValueError(f"an error of another format: {document}")
        code = error["type"]
    else:
        code = error.get("code") or error["type"]
    return Heard("", whole=False, error=str(code), words=error["message"])


def _input(usage: dict[str, Any]) -> int:
    return sum(usage.get(name) or 0 for name in ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"))


def _sums(usage: dict[str, Any]) -> tuple[int, int]:
    if "prompt_tokens" in usage:
        return usage["prompt_tokens"], usage.get("completion_tokens", 0)
    return _input(usage), usage["output_tokens"]


def agrees(ask: Ask, heard: Heard, figures: Figures) -> bool:
    """Whether the figures that the client is told, if any, are those of the upstream."""
    written = 0 if ask.format == "embeddings" else figures.output
    return heard.usage is None or heard.usage == (figures.input, written)


def _events(body: bytes) -> Iterator[tuple[str, str]]:
    """Name and data of each event that has its end."""
    text = body.decode("utf-8", "surrogateescape")
    name = ""
    data: list[str] = []
    for line in re.split("\r\n|\n|\r", text)[:-1]:
        if not line:
            if data:
                yield name, "\n".join(data)
            name, data = "", []
        elif not line.startswith(":"):
            field, _, value = line.partition(":")
            if field == "event":
                name = value.removeprefix(" ")
            elif field == "data":
                data.append(value.removeprefix(" "))
            elif field != "retry":
                raise ValueError(f"a line that is none of an event: {line[:100]!r}")
