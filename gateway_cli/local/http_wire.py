"""As much HTTP/1.1 as the Runtime API needs, on asyncio streams.

aiohttp's server would do but for one thing: it throws the trailers of a request away, and trailers are how a function tells
that an answer broke after it had started.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

HEAD_LIMIT = 64 * 1024
PIECE = 64 * 1024


class WireError(Exception):
    """The peer sent something that is not HTTP, or closed the connection in the middle of a message."""


@dataclass(slots=True)
class WireRequest:
    """A request whose body is read from the connection as it arrives.

    Args:
        method: the method.
        path: the path.
        headers: the headers, names in lower case.
        reader: the connection's stream.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    reader: asyncio.StreamReader
    trailers: dict[str, str] = field(default_factory=dict)
    """What followed a chunked body, names in lower case; complete when the body has been read."""

    async def body(self) -> AsyncIterator[bytes]:
        """The body's pieces, as soon as they arrive.

        Raises:
            WireError: if the connection ends before the body does.
        """
        try:
            if "chunked" in self.headers.get("transfer-encoding", "").lower():
                async for piece in self._chunks():
                    yield piece
            else:
                left = int(self.headers.get("content-length", "0"))
                while left:
                    piece = await self.reader.read(min(left, PIECE))
                    if not piece:
                        raise WireError("the connection ended inside a body")
                    left -= len(piece)
                    yield piece
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, ConnectionError) as error:
            raise WireError(f"the body broke off: {error}") from error

    async def _chunks(self) -> AsyncIterator[bytes]:
        while size := int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16):
            left = size
            while left:
                piece = await self.reader.readexactly(left) if left <= PIECE else await self.reader.readexactly(PIECE)
                left -= len(piece)
                yield piece
            await self.reader.readexactly(2)
        while (line := await self.reader.readuntil(b"\r\n")) != b"\r\n":
            name, _, value = line.decode("latin-1").partition(":")
            self.trailers[name.strip().lower()] = value.strip()

    async def text(self) -> str:
        """The whole body, decoded."""
        return b"".join([piece async for piece in self.body()]).decode("utf-8", "replace")


async def read_request(reader: asyncio.StreamReader) -> WireRequest | None:
    """The next request of a connection, or None if the peer has closed it.

    Raises:
        WireError: if what arrives is not HTTP.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise WireError("the connection ended inside a request's head") from error
        return None
    except ConnectionError:
        return None
    except asyncio.LimitOverrunError as error:
        raise WireError(f"a request's head has more than {HEAD_LIMIT} bytes") from error
    lines = head.decode("latin-1").split("\r\n")
    try:
        method, path, _ = lines[0].split(" ")
    except ValueError as error:
        raise WireError(f"not an HTTP request: {lines[0]!r}") from error
    headers = {}
    for line in lines[1:-2]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return WireRequest(method, path, headers, reader)


def response(status: int, headers: Mapping[str, str], body: bytes) -> bytes:
    """The bytes of a whole response."""
    lines = [f"HTTP/1.1 {status} ."]
    lines += [f"{name}: {value}" for name, value in {**headers, "Content-Length": str(len(body))}.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
