"""Streams of chat completions."""

from __future__ import annotations

from typing import Any, ClassVar

from lambda_runtime.json_scan import parse_object, scan
from lambda_runtime.streams.readers import EventReader, Mark, ReaderState
from lambda_runtime.streams.sse import Fields
from lambda_runtime.usage import Usage, of_openai_stream

_LONG = 65536
"""Bytes of an event that is worth a closer look before it is parsed."""


class ChatReader(ReaderState):
    """Reads a stream of chat completion chunks. An `EventReader`.

    Some relays answer chat completions with the events of the responses format: those are understood, too.

    Args:
        choices: how many answers the stream is to hold (`n`).
    """

    terminator: ClassVar[bytes] = b"data: [DONE]\n\n"

    __slots__ = ("_choices", "_done", "_figures", "_responses")

    def __init__(self, choices: int = 1) -> None:
        super().__init__()
        self._choices = choices
        self._done: set[Any] = set()
        self._figures: Any = None
        self._responses: EventReader | None = None

    def read(self, raw: bytes) -> Mark:
        """Say what an event is."""
        # Nearly all events are one line of data with some text of one choice. What is not goes the long way.
        if (
            self._responses is None
            and len(raw) < _LONG
            and raw.startswith(b"data: {")
            and b"\n" not in raw
            and b"\r" not in raw
        ):
            try:
                text = raw[6:].decode()
                event, end = scan(text, 0)
                (choice,) = event["choices"]
                plain = choice["finish_reason"] is None and not event.get("usage") and "error" not in event
                if plain and choice["delta"]["content"] and end == len(text):
                    self.event = event
                    self.content = True
                    self._contents += 1
                    return Mark.CONTENT
            except (KeyError, TypeError, ValueError, StopIteration, RecursionError):
                pass
        return self._read_any(raw)

    def usage(self, input_bytes: int) -> Usage:
        """What was used."""
        if self._responses is not None:
            return self._responses.usage(input_bytes)
        return of_openai_stream(self._figures, self._contents, input_bytes)

    def _read_any(self, raw: bytes) -> Mark:
        if self._responses is not None:
            return self._read_responses(self._responses, raw)
        data = Fields(raw).data
        if data is None:
            return Mark.FILLER
        if data.strip() == b"[DONE]":
            self.complete = True
            return Mark.END
        event = parse_object(data)
        if event is None:
            return self._dropped()
        self.event = event
        if "choices" in event and "error" not in event:
            return self._chunk(event)
        return self._other(raw, event)

    def _chunk(self, event: dict[str, Any]) -> Mark:
        figures = event.get("usage")
        if figures:
            self._figures = figures
        choices = event["choices"]
        if not choices:
            return Mark.USAGE if figures else Mark.FRAME
        mark = Mark.FRAME
        try:
            for choice in choices:
                delta = choice.get("delta")
                if delta and (delta.get("content") or _says_something(delta)):
                    mark = Mark.CONTENT
                if choice.get("finish_reason"):
                    self._finish(choice)
        except (AttributeError, TypeError):  # not the shape of a chunk: the client's to judge
            return Mark.FRAME
        if mark is Mark.CONTENT:
            self._contents += 1
            self.content = True
        return mark

    def _finish(self, choice: dict[str, Any]) -> None:
        self._done.add(choice.get("index", 0))
        self.finished = len(self._done) >= self._choices
        self.filtered = self.filtered or choice["finish_reason"] == "content_filter"

    def _other(self, raw: bytes, event: dict[str, Any]) -> Mark:
        error = event.get("error")
        if error or event.get("type") == "error":
            self.error, self.clear = error or event, bool(error)
            return Mark.ERROR
        if "choices" in event:  # with an error that is null
            return self._chunk(event)
        if str(event.get("type", "")).startswith("response."):
            from lambda_runtime.streams.responses import ResponsesReader  # noqa: PLC0415

            self._responses = ResponsesReader()
            self.foreign = True
            return self._read_responses(self._responses, raw)
        return Mark.FRAME

    def _read_responses(self, reader: EventReader, raw: bytes) -> Mark:
        mark = reader.read(raw)
        self.event, self.error, self.malformed = reader.event, reader.error, self.malformed + (mark is Mark.MALFORMED)
        self.content, self.finished, self.complete = reader.content, reader.finished, self.complete or reader.complete
        return mark


def _says_something(delta: dict[str, Any]) -> bool:
    """Whether a delta without text holds anything but who speaks: a tool call, reasoning, a refusal, audio."""
    return any(value for name, value in delta.items() if name != "role")
