"""Streams of the responses format."""

from __future__ import annotations

from typing import Any, ClassVar

from lambda_runtime.json_scan import parse_object
from lambda_runtime.streams.readers import Mark, ReaderState
from lambda_runtime.streams.sse import Fields
from lambda_runtime.usage import Usage, of_openai_stream

_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})
_FRAMES = frozenset(
    {
        "response.created",
        "response.queued",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.reasoning_summary_part.added",
    }
)


class ResponsesReader(ReaderState):
    """Reads a stream of the responses format. An `EventReader`."""

    terminator: ClassVar[bytes] = b""

    __slots__ = ("_figures",)

    def __init__(self) -> None:
        super().__init__()
        self.clear = True
        self._figures: Any = None

    def read(self, raw: bytes) -> Mark:
        """Say what an event is."""
        fields = Fields(raw)
        if fields.data is None:
            return Mark.FILLER
        if fields.data.strip() == b"[DONE]":  # some relays add it
            self.complete = True
            return Mark.END
        event = parse_object(fields.data)
        if event is None:
            return self._dropped()
        self.event = event
        kind = str(event.get("type") or fields.name.decode("latin-1"))
        if kind in _ENDS or kind == "error":
            return self._ended(kind, event)
        if kind in _FRAMES or not kind.startswith("response."):
            return Mark.FRAME
        self._contents += kind.endswith(".delta")
        self.content = True
        return Mark.CONTENT

    def usage(self, input_bytes: int) -> Usage:
        """What was used: the figures come with the last event."""
        return of_openai_stream(self._figures, self._contents, input_bytes)

    def _ended(self, kind: str, event: dict[str, Any]) -> Mark:
        response = event.get("response")
        response = response if isinstance(response, dict) else {}
        if kind in _ENDS:
            self.finished = self.complete = True
            self._figures = response.get("usage")
            details = response.get("incomplete_details")
            self.filtered = isinstance(details, dict) and details.get("reason") == "content_filter"
        if kind in {"error", "response.failed"}:
            self.error = event.get("error") or response.get("error") or event
            return Mark.ERROR
        return Mark.END
