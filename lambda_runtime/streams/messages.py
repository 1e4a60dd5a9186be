"""Streams of messages."""

from __future__ import annotations

from typing import Any, ClassVar

from lambda_runtime.json_scan import parse_object
from lambda_runtime.streams.readers import Mark, ReaderState
from lambda_runtime.streams.sse import Fields
from lambda_runtime.usage import CHARACTERS_PER_TOKEN, Usage, of_anthropic


class MessagesReader(ReaderState):
    """Reads a stream of Anthropic's message events. An `EventReader`."""

    terminator: ClassVar[bytes] = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'

    __slots__ = ("_figures",)

    def __init__(self) -> None:
        super().__init__()
        self._figures: dict[str, Any] = {}

    def read(self, raw: bytes) -> Mark:
        """Say what an event is."""
        # Nearly all events are two lines, the first of which says what the data says again. What is not goes the long way.
        name, found, data = raw.partition(b"\ndata: ")
        if not found or b"\n" in data or b"\n" in name or b"\r" in raw or not name.startswith(b"event: "):
            fields = Fields(raw)
            if fields.data is None:
                return Mark.FILLER
            data = fields.data
        event = parse_object(data)
        if event is None:
            return self._dropped()
        self.event = event
        kind = event.get("type")
        if kind is None:  # Anthropic's SDKs, too, take the event's name for it then
            kind = event["type"] = Fields(raw).name.decode("latin-1")
        if kind == "content_block_delta":
            self._contents += 1
            self.content = True
            return Mark.CONTENT
        if kind == "error":
            self.error, self.clear = event.get("error") or event, Fields(raw).name == b"error"
            return Mark.ERROR
        return self._frame(kind, event)

    def usage(self, input_bytes: int) -> Usage:
        """What was used: figures are cumulative, so the last ones count. The output's are final with the reason to stop."""
        known = of_anthropic(self._figures)
        if known is not None and self.finished:
            return known
        if known is None:
            known = Usage(input_bytes // CHARACTERS_PER_TOKEN)
        return known._replace(output_tokens=max(known.output_tokens, self._contents), estimated=True)

    def _frame(self, kind: Any, event: dict[str, Any]) -> Mark:
        match kind:
            case "ping":
                return Mark.FILLER
            case "message_stop":
                self.complete = True
                return Mark.END
            case "message_start":
                message = event.get("message")
                self._count(message.get("usage") if isinstance(message, dict) else None)
            case "content_block_start":
                block = event.get("content_block")
                # A text or a thought begins empty; a tool's use, a search's result or an encrypted thought says something.
                if isinstance(block, dict) and (
                    block.get("type") not in ("text", "thinking") or block.get("text") or block.get("thinking")
                ):
                    self._contents += 1
                    self.content = True
                    return Mark.CONTENT
            case "message_delta":
                self._count(event.get("usage"))
                delta = event.get("delta")
                reason = delta.get("stop_reason") if isinstance(delta, dict) else None
                self.finished = self.finished or bool(reason)
                self.filtered = self.filtered or reason == "refusal"
        return Mark.FRAME

    def _count(self, figures: Any) -> None:
        if isinstance(figures, dict):
            self._figures.update({name: value for name, value in figures.items() if value is not None})
