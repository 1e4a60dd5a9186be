"""Decoding of the chunked transfer coding, for as many chunks at once as have arrived."""

from __future__ import annotations

import re

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?")
_MAX_LINE = 4096

_DATA_END, _SIZE_LINE, _TRAILERS = 0, -1, -2


class ChunkError(ValueError):
    """The chunks are malformed."""


class ChunkedDecoder:
    """Takes the bytes of one chunked body as they come and gives back its data. Trailers are skipped."""

    __slots__ = ("_left", "finished", "rest")

    def __init__(self) -> None:
        self._left = _SIZE_LINE
        """What the current chunk lacks of data, or what comes next if that is not data."""
        self.rest = b""
        """What could not be decoded yet; once finished, what came after the body."""
        self.finished = False
        """Whether the end of the body has been seen."""

    def feed(self, data: bytes) -> bytes:
        """Decode.

        Args:
            data: the next bytes.

        Returns:
            The data of all chunks and parts of chunks that are here.

        Raises:
            ChunkError: if they are malformed.
        """
        buffer = self.rest + data if self.rest else data
        pieces: list[bytes] = []
        at = 0
        while not self.finished:
            if self._left > 0:
                piece = buffer[at : at + self._left]
                if not piece:
                    break
                pieces.append(piece)
                at += len(piece)
                self._left -= len(piece)
            else:
                after = self._delimiter(buffer, at)
                if not after:
                    break
                at = after
        self.rest = buffer[at:]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _delimiter(self, buffer: bytes, at: int) -> int:
        """Read what stands between data: the position after it, 0 if it is not whole yet."""
        end = buffer.find(b"\r\n", at)
        if self._left == _DATA_END:
            if end != at and len(buffer) - at >= 2:  # noqa: PLR2004
                raise ChunkError("a chunk is longer than its size")
            if end == at:
                self._left = _SIZE_LINE
        elif (end if end >= 0 else len(buffer)) - at > _MAX_LINE:
            raise ChunkError(f"a line between chunks is longer than {_MAX_LINE} bytes")
        elif end < 0:
            return 0
        elif self._left == _TRAILERS:
            self.finished = end == at
        else:
            size = _SIZE.fullmatch(buffer, at, end)
            if not size:
                # Not quoted: where the sizes are wrong, this is a piece of the answer, and answers are never logged.
                raise ChunkError("malformed chunk size")
            self._left = int(size[1], 16) or _TRAILERS
        return end + 2 if end >= 0 else 0
