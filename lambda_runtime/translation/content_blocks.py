"""Content blocks of Anthropic's messages as content of chat completions'."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lambda_runtime.errors import RequestError
from lambda_runtime.translation.data_urls import data_url
from lambda_runtime.translation.errors import UntranslatableError
from lambda_runtime.translation.request import Dropped, list_at, object_at, text_at

Part = dict[str, Any]

_KNOWN: dict[str, frozenset[str]] = {
    "text": frozenset({"type", "text"}),
    "image": frozenset({"type", "source"}),
    "document": frozenset({"type", "source", "title", "context"}),
    "search_result": frozenset({"type", "source", "title", "content"}),
}


def text_part(text: str) -> Part:
    """A part of text."""
    return {"type": "text", "text": text}


def content_blocks(content: Any, path: str) -> list[dict[str, Any]]:
    """A message's content as a list of blocks, each of which is an object.

    Raises:
        RequestError: if it is neither a text nor a list of objects.
    """
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [object_at(block, f"{path}[{index}]") for index, block in enumerate(list_at(content, path))]


def parts_of(block: dict[str, Any], path: str, dropped: Dropped) -> list[Part]:
    """A block that a user or a tool may say, as parts.

    Raises:
        RequestError: if it is malformed, or chat completions have nothing like it.
    """
    kind = block.get("type")
    make = _BLOCKS.get(kind) if isinstance(kind, str) else None
    if make is None or not isinstance(kind, str):
        raise UntranslatableError(
            path, f"Content of type {str(kind)[:40]!r} has no counterpart in chat completions", "Leave it out"
        )
    dropped.others(block, _KNOWN[kind], "system." if path.startswith("system[") else "messages.content.")
    return make(block, path, dropped)


def plain(parts: list[Part]) -> str | list[Part]:
    """Parts in their shortest form: a single text is a string, which every server takes."""
    if not parts:
        return ""
    return parts[0]["text"] if len(parts) == 1 and parts[0]["type"] == "text" else parts


def joined(parts: list[Part], separator: str) -> str:
    """The texts of parts that are all texts."""
    return separator.join(part["text"] for part in parts)


def _text(block: dict[str, Any], path: str, _dropped: Dropped) -> list[Part]:
    return [text_part(text_at(block.get("text"), f"{path}.text"))]


def _image(block: dict[str, Any], path: str, _dropped: Dropped) -> list[Part]:
    source = object_at(block.get("source"), f"{path}.source")
    match source.get("type"):
        case "url":
            url = text_at(source.get("url"), f"{path}.source.url")
        case "base64":
            media_type = text_at(source.get("media_type"), f"{path}.source.media_type")
            url = data_url(media_type, text_at(source.get("data"), f"{path}.source.data"))
        case _:
            raise _unknown_source(source, path, "an image")
    return [{"type": "image_url", "image_url": {"url": url}}]


def _document(block: dict[str, Any], path: str, dropped: Dropped) -> list[Part]:
    where = f"{path}.source"
    source = object_at(block.get("source"), where)
    title, context = (text if isinstance(text, str) else "" for text in (block.get("title"), block.get("context")))
    about = [text_part(text) for text in (title, context) if text]
    match source.get("type"):
        case "base64":
            media_type = text_at(source.get("media_type"), f"{where}.media_type")
            url = data_url(media_type, text_at(source.get("data"), f"{where}.data"))
            file = {"type": "file", "file": {"filename": title or "document.pdf", "file_data": url}}
            return [*about[1 if title else 0 :], file]
        case "text":
            return [*about, text_part(text_at(source.get("data"), f"{where}.data"))]
        case "content":
            inner = content_blocks(source.get("content"), f"{where}.content")
            return about + [
                part for index, each in enumerate(inner) for part in parts_of(each, f"{where}.content[{index}]", dropped)
            ]
        case _:
            raise _unknown_source(source, path, "a document")


def _search_result(block: dict[str, Any], path: str, dropped: Dropped) -> list[Part]:
    head = [block.get("title"), block.get("source")]
    parts = [text_part("\n".join(text for text in head if isinstance(text, str)))]
    for index, each in enumerate(content_blocks(block.get("content"), f"{path}.content")):
        parts += parts_of(each, f"{path}.content[{index}]", dropped)
    return parts


def _unknown_source(source: dict[str, Any], path: str, what: str) -> RequestError:
    kind = str(source.get("type"))[:40]
    return UntranslatableError(
        f"{path}.source", f"Chat completions have no source of type {kind!r} for {what}", "Send the data in base64"
    )


_BLOCKS: dict[str, Callable[[dict[str, Any], str, Dropped], list[Part]]] = {
    "text": _text,
    "image": _image,
    "document": _document,
    "search_result": _search_result,
}
