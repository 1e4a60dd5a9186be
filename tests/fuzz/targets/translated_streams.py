"""An upstream's stream in the other format: every cut gives the same, it is of that format, and says what was said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lambda_runtime.config import Operation
from lambda_runtime.streams.event_stream import EventStream
from lambda_runtime.streams.readers import reader_for
from lambda_runtime.translation.answers import text_of
from lambda_runtime.translation.chat_stream import MessagesToChatStream
from lambda_runtime.translation.messages_stream import ChatToMessagesStream
from tests.fuzz import shapes
from tests.fuzz.ends import document_of
from tests.fuzz.inputs import chosen, cut, data_of, name_of, standard, taken_apart

KIND = "stream"
SOURCES = ("lambda_runtime/streams", "lambda_runtime/translation")
OUTCOMES = frozenset({f"{to} {what}" for to in ("chat", "messages") for what in ("complete", "error", "broken", "nothing")})

MOST_OF_AN_EVENT = 3500
"""Bytes that an event may hold beside what is said: the answer's id and its model stand in each chunk."""

_CREATED = re.compile(rb'"created":\d+')


def check(data: bytes) -> str:
    """What the client gets of a stream."""
    options, material = taken_apart(data)
    upstream = Operation.MESSAGES if chosen(options, "cm", "c") == "m" else Operation.CHAT_COMPLETIONS
    figures = "u" in options
    stream, given = _translated([material], upstream, figures=figures)
    other, cut_up = _translated(cut(options, material), upstream, figures=figures)
    assert cut_up == given
    assert other.reader.usage(4) == stream.reader.usage(4)
    assert (other.over, other.reader.complete) == (stream.over, stream.reader.complete)
    to_chat = upstream is Operation.MESSAGES
    said = shapes.chat_stream(given) if to_chat else shapes.messages_stream(given)
    reader = stream.reader
    assert said.ended == (reader.complete and reader.error is None)
    text = "".join(_texts_of_messages(material) if to_chat else _texts_of_chat(material))
    # What a block waits for may not have come where the stream broke; where it is whole, all of it is there.
    assert text.startswith(said.text)
    assert text == said.text or not said.ended
    if not to_chat and said.ended:
        # Some relays answer with the events of a third format, of which nothing is left in the second.
        assert not [kind for kind, document in _documents(material, chat=True) if _is_foreign(kind, document)]
    events = len(standard(material)) + 2
    assert len(given) <= 6 * len(material) + events * (MOST_OF_AN_EVENT if to_chat else 4 * MOST_OF_AN_EVENT)
    ending = "complete" if said.ended else "error" if reader.error is not None else "broken" if reader.content else "nothing"
    return f"{'chat' if to_chat else 'messages'} {ending}"


def _translated(pieces: list[bytes], upstream: Operation, *, figures: bool) -> tuple[EventStream, bytes]:
    translator: Any = MessagesToChatStream(include_usage=figures) if upstream is Operation.MESSAGES else ChatToMessagesStream()
    stream = EventStream(reader_for(upstream, 1), translator)
    parts = [stream.feed(piece) for piece in pieces]
    assert all(part.endswith(b"\n\n") for part in parts if part)
    return stream, _CREATED.sub(b'"created":0', b"".join([*parts, stream.finish()]))


def _documents(material: bytes, *, chat: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a stream with their types, up to its end or its error."""
    for event in standard(material):
        data = data_of(event)
        if chat and data is not None and data.strip() == "[DONE]":
            return
        document = document_of(data)
        if document is None:
            continue
        kind = document.get("type") if chat or document.get("type") is not None else name_of(event)
        if kind == "error" or (chat and document.get("error")) or (not chat and kind == "message_stop"):
            return
        yield str(kind), document


def _is_foreign(kind: str, document: dict[str, Any]) -> bool:
    return kind.startswith("response.") and "choices" not in document


def _texts_of_messages(material: bytes) -> Iterator[str]:
    """The texts of a stream of messages, read plainly."""
    for kind, document in _documents(material, chat=False):
        holder, what = {
            "content_block_delta": (document.get("delta"), "text_delta"),
            "content_block_start": (document.get("content_block"), "text"),
        }.get(kind, (None, ""))
        if isinstance(holder, dict) and holder.get("type") == what:
            yield holder["text"] if isinstance(holder.get("text"), str) else ""


def _texts_of_chat(material: bytes) -> Iterator[str]:
    """The texts of the first answer of a stream of chat completions, read plainly."""
    for _, document in _documents(material, chat=True):
        for choice in document["choices"] if isinstance(document.get("choices"), list) else ():
            if isinstance(choice, dict) and not choice.get("index") and isinstance(choice.get("delta"), dict):
                yield text_of(choice["delta"].get("refusal"))
                yield text_of(choice["delta"].get("content"))
