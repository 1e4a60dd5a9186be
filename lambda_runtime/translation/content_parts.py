"""Content of chat completions' messages as content blocks of Anthropic's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lambda_runtime.translation.data_urls import read_data_url
from lambda_runtime.translation.errors import UntranslatableError
from lambda_runtime.translation.request import Dropped, list_at, object_at, text_at

Block = dict[str, Any]

IMAGE_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp")
"""Media types of images that Anthropic takes."""

_MARKS = frozenset({"type", "cache_control", "prompt_cache_breakpoint"})


def text_block(text: str) -> Block:
    """A block of text."""
    return {"type": "text", "text": text}


def blocks_of(content: Any, path: str, dropped: Dropped) -> list[Block]:
    """A message's content as blocks. Text that is empty or blank is left out: Anthropic refuses it.

    Args:
        content: a text, a list of parts, or None.
        path: its name in the request.
        dropped: collects what is left out.

    Raises:
        RequestError: if it is malformed, or holds what Anthropic has no block for.
    """
    if content is None:
        return []
    if isinstance(content, str):
        return [text_block(content)] if content.strip() else []
    blocks = []
    for index, part in enumerate(list_at(content, path)):
        where = f"{path}[{index}]"
        block = _block_of(object_at(part, where), where, dropped)
        if block["type"] != "text" or block["text"].strip():
            blocks.append(block)
    return blocks


def plain(blocks: list[Block]) -> str | list[Block]:
    """Blocks in their shortest form: a single text without anything to it is a string."""
    return blocks[0]["text"] if len(blocks) == 1 and blocks[0].keys() == {"type", "text"} else blocks


def _block_of(part: dict[str, Any], path: str, dropped: Dropped) -> Block:
    kind = part.get("type")
    make = _PARTS.get(kind) if isinstance(kind, str) else None
    if make is None or not isinstance(kind, str):
        raise UntranslatableError(
            path, f"Content of type {str(kind)[:40]!r} has no counterpart in Anthropic's messages", "Leave it out"
        )
    dropped.others(part, _MARKS | {kind}, "messages.content.")
    block = make(part, path, dropped)
    # The latter is Anthropic's own name, which some clients use towards gateways.
    cached = {"type": "ephemeral"} if part.get("prompt_cache_breakpoint") else part.get("cache_control")
    if isinstance(cached, dict):
        block["cache_control"] = cached
    return block


def _text(part: dict[str, Any], path: str, _dropped: Dropped) -> Block:
    return text_block(text_at(part.get("text"), f"{path}.text"))


def _refusal(part: dict[str, Any], path: str, _dropped: Dropped) -> Block:
    return text_block(text_at(part.get("refusal"), f"{path}.refusal"))


def _image(part: dict[str, Any], path: str, dropped: Dropped) -> Block:
    where = f"{path}.image_url"
    image = part.get("image_url")
    image = {"url": image} if isinstance(image, str) else object_at(image, where)
    url = text_at(image.get("url"), f"{where}.url", empty=False)
    if image.get("detail") not in (None, "auto"):
        dropped.add("messages.content.image_url.detail")
    if url[:8].lower().startswith(("http://", "https://")):
        return {"type": "image", "source": {"type": "url", "url": url}}
    data = read_data_url(url)
    if data is None or data.media_type not in IMAGE_TYPES:
        raise UntranslatableError(
            f"{where}.url",
            "An image must be a web address or a data URL in base64 of a JPEG, PNG, GIF or WebP",
            "Send it as one of these",
        )
    return {"type": "image", "source": {"type": "base64", "media_type": data.media_type, "data": data.encoded}}


def _file(part: dict[str, Any], path: str, _dropped: Dropped) -> Block:
    where = f"{path}.file"
    file = object_at(part.get("file"), where)
    if file.get("file_id"):
        raise UntranslatableError(f"{where}.file_id", "An uploaded file is known to its own provider only", "Send `file_data`")
    data = read_data_url(text_at(file.get("file_data"), f"{where}.file_data", empty=False))
    source: dict[str, Any] | None = None
    if data is not None and data.media_type == "application/pdf":
        source = {"type": "base64", "media_type": data.media_type, "data": data.encoded}
    elif data is not None and data.media_type.startswith("text/"):
        text = data.text()
        source = None if text is None else {"type": "text", "media_type": "text/plain", "data": text}
    if source is None:
        raise UntranslatableError(
            f"{where}.file_data", "A file must be a data URL in base64 of a PDF or of text in UTF-8", "Send it as one of these"
        )
    block: Block = {"type": "document", "source": source}
    if isinstance(file.get("filename"), str) and file["filename"]:
        block["title"] = file["filename"]
    return block


_PARTS: dict[str, Callable[[dict[str, Any], str, Dropped], Block]] = {
    "text": _text,
    "refusal": _refusal,
    "image_url": _image,
    "file": _file,
}
