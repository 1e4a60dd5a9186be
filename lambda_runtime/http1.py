"""Reading of HTTP/1.1 responses from a socket, strictly: what was cut short is an error, never a shorter answer.

Used for the Runtime API and for the upstreams. `http.client` would do, but it takes a response's header fields through an
e-mail parser, hands out one chunk at a time where ten have arrived, and its `read1` takes a body shorter than its
length for a whole one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum, auto

from lambda_runtime.chunked import ChunkedDecoder, ChunkError

_READ_SIZE = 16384
_LARGE_READ_SIZE = 262144
"""For the rest of a body whose length is known and large. Elsewhere it would only cost memory."""

_MAX_HEAD = 65536
_MAX_DIGITS = 18

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: ([^\r\n]*))?")
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\r\n\0]*)")
_FOLDED = re.compile(rb"[ \t][^\r\n\0]*")
"""A line that goes on with the field before it, as old servers still write it."""

_QUOTED = 16
"""Bytes of a malformed line that its error quotes: enough to tell another protocol, too few for what a model said or a key."""

RawHeaders = list[tuple[bytes, bytes]]
"""Header fields in the order and with the bytes they came in."""


class ProtocolError(Exception):
    """The peer does not speak HTTP/1.1."""


class ClosedError(ProtocolError):
    """The peer closed the connection before the message was complete."""


class _Framing(Enum):
    NONE = auto()
    LENGTH = auto()
    CHUNKED = auto()
    CLOSE = auto()


class ResponseReader:
    """Reads the responses of one connection, one after the other.

    Args:
        recv: reads at most so many bytes as are given, at least one, and returns empty bytes when the peer has closed. Time
            limits and the kinds of errors are its business: what it raises passes through.
    """

    __slots__ = ("_buffer", "_chunks", "_framing", "_left", "_recv", "keep_alive")

    def __init__(self, recv: Callable[[int], bytes]) -> None:
        self._recv = recv
        self._buffer = b""
        self._framing = _Framing.NONE
        self._left = 0
        self._chunks = ChunkedDecoder()
        self.keep_alive = True
        """Whether the connection can take another request once the body has been read to its end."""

    @property
    def untouched(self) -> bool:
        """Whether nothing of a response is here that has not been read."""
        return not self._buffer

    @property
    def complete(self) -> bool:
        """Whether the body has been read to its end."""
        return self._framing is _Framing.NONE

    def head(self, method: str) -> tuple[int, bytes, RawHeaders]:
        """Read the next response's status and header fields; interim responses (1xx) are skipped.

        Args:
            method: the request's; the answer to HEAD has no body.

        Returns:
            Status, reason and header fields.

        Raises:
            ClosedError: if the connection ends before the head does.
            ProtocolError: if it is malformed or says two things about the body's length.
        """
        while True:
            status, reason, headers, minor = self._parse_head(self._head_bytes())
            if status >= 200:  # noqa: PLR2004
                break
            if status == 101:  # noqa: PLR2004
                raise ProtocolError("the peer switched protocols without being asked")
        self._frame(method, status, headers, minor)
        return status, reason, headers

    def read(self) -> bytes:
        """Return what has arrived of the body, waiting only if that is nothing; empty at its end.

        Raises:
            ClosedError: if the connection ends before the body does.
            ProtocolError: if its chunks are malformed.
        """
        if self._framing is _Framing.CHUNKED:
            return self._read_chunked(self._chunks)
        if self._framing is _Framing.NONE:
            return b""
        data = self._buffer or self._recv(_READ_SIZE if self._left <= _READ_SIZE else _LARGE_READ_SIZE)
        self._buffer = b""
        if self._framing is _Framing.CLOSE:
            if not data:
                self._framing = _Framing.NONE
            return data
        if not data:
            raise ClosedError(f"the peer closed the connection {self._left} bytes before the end of the body")
        if len(data) > self._left:
            data, self._buffer = data[: self._left], data[self._left :]
        self._left -= len(data)
        if not self._left:
            self._framing = _Framing.NONE
        return data

    def _head_bytes(self) -> bytes:
        buffer = self._buffer
        while (end := buffer.find(b"\r\n\r\n", 0, _MAX_HEAD)) < 0:
            if len(buffer) >= _MAX_HEAD:
                raise ProtocolError(f"the response's header fields are longer than {_MAX_HEAD} bytes")
            data = self._recv(_READ_SIZE)
            if not data:
                raise ClosedError("the peer closed the connection before the response's header fields were complete")
            buffer += data
            self._buffer = buffer
        self._buffer = buffer[end + 4 :]
        return buffer[:end]

    @staticmethod
    def _parse_head(head: bytes) -> tuple[int, bytes, RawHeaders, bytes]:
        first, *lines = head.split(b"\r\n")
        status_line = _STATUS_LINE.fullmatch(first)
        if not status_line:
            raise ProtocolError(f"malformed status line {first[:_QUOTED]!r}")
        minor, status, reason = status_line.groups(b"")
        headers: RawHeaders = []
        for line in lines:
            if headers and _FOLDED.fullmatch(line):
                name, value = headers[-1]
                headers[-1] = (name, value + b" " + line.strip())
                continue
            field = _FIELD.fullmatch(line)
            if not field:
                raise ProtocolError(f"malformed header field {line.partition(b':')[0][:_QUOTED]!r}")
            headers.append((field[1], field[2].rstrip(b" \t")))
        return int(status), reason, headers, minor

    def _frame(self, method: str, status: int, headers: RawHeaders, minor: bytes) -> None:
        lengths: set[bytes] = set()
        encoding = connection = b""
        for name, value in headers:
            match name.lower():
                case b"content-length":
                    lengths.update(piece.strip() for piece in value.split(b","))
                case b"transfer-encoding":
                    encoding = (encoding + b"," + value if encoding else value).lower()
                case b"connection":
                    connection += b"," + value.lower()
        options = {piece.strip() for piece in connection.split(b",")}
        self.keep_alive = b"close" not in options and (minor == b"1" or b"keep-alive" in options)
        if method == "HEAD" or status in {204, 304}:
            self._framing = _Framing.NONE
        elif encoding:
            if encoding.strip() != b"chunked":
                raise ProtocolError(f"unknown transfer encoding {encoding[:_QUOTED]!r}")
            self._framing, self._chunks = _Framing.CHUNKED, ChunkedDecoder()
            # Whoever sends both may have been led to: nothing after this body is believed.
            self.keep_alive = self.keep_alive and not lengths
        elif lengths:
            length = lengths.pop()
            if lengths or not length.isdigit() or len(length) > _MAX_DIGITS:
                raise ProtocolError(f"malformed content length {length[:_QUOTED]!r}")
            self._left = int(length)
            self._framing = _Framing.LENGTH if self._left else _Framing.NONE
        else:
            self._framing, self.keep_alive = _Framing.CLOSE, False

    def _read_chunked(self, decoder: ChunkedDecoder) -> bytes:
        raw, self._buffer = self._buffer, b""
        while True:
            try:
                data = decoder.feed(raw)
            except ChunkError as error:
                raise ProtocolError(str(error)) from error
            if decoder.finished:
                self._buffer, self._framing = decoder.rest, _Framing.NONE
            if data or decoder.finished:
                return data
            raw = self._recv(_READ_SIZE)
            if not raw:
                raise ClosedError("the peer closed the connection before the last chunk")
