"""Decoding of compressed bodies as they come. httpx decodes too, but takes a body that was cut short for a whole one."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_RAW = -zlib.MAX_WBITS

DECODABLE = frozenset({"gzip", "x-gzip", "deflate"})
"""What `inflated` decodes."""

MAX_PIECE = 256 * 1024
"""Bytes that are decoded at once. A kilobyte may stand for a megabyte: whoever reads decides how much of it is taken."""


class InflateError(Exception):
    """The bytes do not decode, or end before their own end."""


def inflated(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Decode a body.

    Args:
        chunks: the compressed bytes, cut anywhere.
        encoding: one of `DECODABLE`.

    Yields:
        What has become readable with each chunk, if that is something, in pieces of `MAX_PIECE` at most.

    Raises:
        InflateError: if the bytes do not decode, or stop before the compressed data does. Errors of `chunks` pass through.
    """
    decoder = None
    for chunk in chunks:
        if decoder is None:
            # Some servers send `deflate` without the zlib header that belongs to it. Its first byte tells.
            bare = encoding == "deflate" and chunk[0] & 0x0F != zlib.DEFLATED
            decoder = zlib.decompressobj(_RAW if bare else _GZIP_OR_ZLIB)
        data, left = b"", chunk
        while left or len(data) == MAX_PIECE:  # of so much there may be more, though all has been taken in
            if decoder.eof:
                if not left:
                    break
                decoder = zlib.decompressobj(_GZIP_OR_ZLIB)  # another compressed member
            try:
                data = decoder.decompress(left, MAX_PIECE)
            except zlib.error as error:
                raise InflateError(f"the compressed body does not decode: {error}") from error
            if data:
                yield data
            left = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
    if decoder is not None and not decoder.eof:
        raise InflateError("the compressed body ends before its own end")
