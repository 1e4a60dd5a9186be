"""Cuts a stream of bytes into server-sent events, wherever the network cut it.

The format is that of the HTML standard (server-sent events, "Parsing an event stream"): lines end in CR LF, LF or CR, an event
ends with an empty line, a byte order mark at the very beginning is ignored.
"""

from __future__ import annotations

import re

MAX_EVENT = 32 * 1024 * 1024
"""Bytes of the longest event that is taken. An image comes in a few MB; what is longer would fill the function's memory."""

_BOM = b"\xef\xbb\xbf"
_LF = b"\n\n"

# A lone CR at the end of what has come may be half of a CR LF: it counts only when something else follows.
_BOUNDARY = rb"(?:\r\n|\n|\r(?=[^\n]))(?:\r\n|\n|\r(?=[^\n]))"
"""Compiled by `re` when a stream has a CR: hardly any has, and each start would pay for it."""

_REACH = 3
"""Bytes before a new piece that may belong to a boundary in it."""


class EventTooLongError(Exception):
    """An event is longer than `MAX_EVENT`."""


class EventSplitter:
    """Cuts one stream into events."""

    __slots__ = ("_begun", "_parts", "_size", "_tail", "ending")

    ending: bytes
    """What ends an event in this stream: what was seen last."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._tail = b""
        self._begun = False
        self.ending = _LF

    def feed(self, piece: bytes) -> list[bytes]:
        """The events that became complete with this piece, each without its ending.

        Raises:
            EventTooLongError: if one becomes longer than is taken.
        """
        if not self._begun:
            piece = self._first(piece)
        if self._parts:
            window = self._tail + piece
            if _LF not in window and not (b"\r" in window and re.search(_BOUNDARY, window)):
                self._keep(piece)
                return []
            self._parts.append(piece)
            piece = b"".join(self._parts)
            self._parts.clear()
            self._size = 0
        events = self._split_any(piece) if b"\r" in piece else piece.split(_LF)
        rest = events.pop()
        if rest:
            self._keep(rest)
        return events

    def finish(self) -> bytes:
        """What is left when the stream has ended: an event that lacks its ending, or half of one, or nothing."""
        rest = b"".join(self._parts).rstrip(b"\r\n")
        self._parts.clear()
        return rest

    def _first(self, piece: bytes) -> bytes:
        """Take a byte order mark away, which may come in pieces, too."""
        whole = b"".join(self._parts) + piece
        self._parts.clear()
        if len(whole) < len(_BOM) and _BOM.startswith(whole):
            self._parts.append(whole)
            return b""
        self._begun = True
        return whole.removeprefix(_BOM)

    def _split_any(self, piece: bytes) -> list[bytes]:
        events: list[bytes] = []
        at = 0
        for boundary in re.finditer(_BOUNDARY, piece):
            events.append(piece[at : boundary.start()])
            at = boundary.end()
            self.ending = boundary[0]
        events.append(piece[at:])
        return events

    def _keep(self, piece: bytes) -> None:
        self._parts.append(piece)
        self._size += len(piece)
        if self._size > MAX_EVENT:
            raise EventTooLongError
        # Of short pieces several may belong to one boundary.
        self._tail = (self._tail + piece)[-_REACH:] if len(piece) < _REACH else piece[-_REACH:]


class Fields:
    """One event's fields, for what is not just a line of data.

    Args:
        raw: the event without its ending.
    """

    __slots__ = ("data", "name")

    def __init__(self, raw: bytes) -> None:
        self.name = b""
        data: list[bytes] = []
        for line in raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n"):
            field, _, value = line.partition(b":")
            if field == b"data":
                data.append(value.removeprefix(b" "))
            elif field == b"event":
                self.name = value.removeprefix(b" ")
        self.data: bytes | None = b"\n".join(data) if data else None


def is_void(raw: bytes) -> bool:
    """Whether an event has fields but no data. By the standard it is to be ignored; the SDKs parse the data all the same."""
    return Fields(raw).data is None and not all(line.startswith(b":") for line in raw.splitlines() if line)


def without_id(raw: bytes) -> bytes:
    """The event without its `id` lines: after one, OpenAI's SDK takes an empty event for data, and fails on it.

    One without a colon says that there is no id, and does no harm.
    """
    lines = [line for line in raw.splitlines(keepends=True) if not line.startswith(b"id:")]
    return b"".join(lines).rstrip(b"\r\n")
