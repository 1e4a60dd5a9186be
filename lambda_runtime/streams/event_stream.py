"""An upstream's stream of events on its way to becoming the client's."""

from __future__ import annotations

from typing import Any, Protocol

from lambda_runtime.config import WireFormat
from lambda_runtime.streams.readers import EventReader, Mark
from lambda_runtime.streams.sse import EventSplitter, is_void, without_id


class StreamTranslator(Protocol):
    """Makes another format's events out of a stream's."""

    def feed(self, event: dict[str, Any]) -> bytes:
        """Whole events of the client's format for one of the upstream's; often one, sometimes none."""

    def finish(self) -> bytes:
        """What ends the client's stream. To be called when the upstream's answer is complete."""


class EventStream:
    """Takes the bytes of an upstream's answer and gives those of the client's, whole events only.

    In the same format the events' bytes stay as they came, but for what would harm the client: lines with ids, events that are
    not JSON or have no data, and the usage that only the gateway asked for.

    Args:
        reader: understands the upstream's events.
        translator: makes the client's events, where its format is another. Default: none.
        hide_usage: whether the events that hold nothing but usage are the gateway's own wish. Default: False.
    """

    def __init__(self, reader: EventReader, translator: StreamTranslator | None = None, *, hide_usage: bool = False) -> None:
        self.reader = reader
        self._splitter = EventSplitter()
        self._translator = translator
        self._hide_usage = hide_usage
        self._over = False

    @property
    def untold(self) -> bool:
        """Whether the upstream gave up in an event that the client was not given, for it would not have understood it."""
        return self.reader.error is not None and (self._translator is not None or not self.reader.clear)

    @property
    def over(self) -> bool:
        """Whether the upstream has said its last word: what comes after it is of no interest."""
        return self._over

    def feed(self, piece: bytes) -> bytes:
        """What the client gets for the next bytes of the upstream's, perhaps nothing.

        Raises:
            EventTooLongError: if an event is longer than is taken.
        """
        return self._pass_on(self._splitter.feed(piece))

    def finish(self) -> bytes:
        """What the client gets when the upstream's stream has ended, be it as it should or not.

        An event whose ending is all that is missing is taken; half of one is dropped. If the answer is complete but for the
        format's terminator, that is added. What else there is to say if it is not complete is the caller's.
        """
        rest = self._splitter.finish()
        given = self._pass_on([rest]) if rest and not self._over else b""
        if self.reader.finished and not self.reader.complete and self.reader.error is None:
            self._over = self.reader.complete = True
            given += self._translator.finish() if self._translator else self.reader.terminator
        return given

    def _pass_on(self, events: list[bytes]) -> bytes:
        if self._over:
            return b""
        return self._relayed(events) if self._translator is None else self._translated(self._translator, events)

    def _relayed(self, events: list[bytes]) -> bytes:
        """The events as they came."""
        kept: list[bytes] = []
        read = self.reader.read
        for raw in events:
            mark = read(raw)
            if mark is Mark.MALFORMED or not raw or (mark is Mark.USAGE and self._hide_usage):
                continue
            if mark is Mark.FILLER and is_void(raw):
                continue
            if mark is Mark.ERROR and not self.reader.clear:
                self._over = True
                break
            kept.append(raw)
            if mark is Mark.END or mark is Mark.ERROR:
                self._over = True
                break
        if not kept:
            return b""
        ending = self._splitter.ending
        joined = ending.join(kept) + ending
        return _without_ids(kept, ending) if b"id:" in joined and _has_id(joined) else joined

    def _translated(self, translator: StreamTranslator, events: list[bytes]) -> bytes:
        """The client's events for the upstream's. What an error event says is the caller's to tell."""
        made: list[bytes] = []
        read = self.reader.read
        for raw in events:
            mark = read(raw)
            if mark is Mark.MALFORMED or mark is Mark.FILLER:
                continue
            if self.reader.foreign:  # the client would get a whole answer without a word in it
                self.reader.error = self.reader.error or "the upstream answered with events of another format"
            if self.reader.error is not None:
                self._over = True
                break
            if mark is Mark.END:
                made.append(translator.finish())
                self._over = True
                break
            made.append(translator.feed(self.reader.event))
        return b"".join(made)


def _has_id(data: bytes) -> bool:
    return data.startswith(b"id:") or b"\nid:" in data or b"\rid:" in data


def _without_ids(events: list[bytes], ending: bytes) -> bytes:
    return b"".join(event + ending for event in map(without_id, events) if event)


def heartbeat(wire_format: WireFormat) -> bytes:
    """What keeps a client waiting and says nothing: a comment for OpenAI's SDKs, a ping for Anthropic's."""
    return b'event: ping\ndata: {"type":"ping"}\n\n' if wire_format is WireFormat.ANTHROPIC else b": heartbeat\n\n"
