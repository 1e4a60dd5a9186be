"""One request to an upstream, and its answer: httpx's errors and time-outs become ours here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import cast

import httpx

from lambda_runtime.errors import GatewayError, RequestError, UpstreamError
from lambda_runtime.inflate import DECODABLE, InflateError, inflated
from lambda_runtime.patience import Patience


@lru_cache(maxsize=64)
def url_of(base: str, query: str) -> httpx.URL:
    """The parsed URL. Parsing costs more than the rest of a request's preparation, and the URLs are few.

    Raises:
        RequestError: if the query is longer than httpx takes.
    """
    try:
        return httpx.URL(f"{base}?{query}" if query else base)
    except httpx.InvalidURL:
        raise RequestError("the query string cannot be passed on: it is too long", code="invalid_query") from None


def post_request(url: httpx.URL, headers: list[tuple[bytes, bytes]], content: bytes, patience: Patience) -> httpx.Request:
    """A request that is ready to be sent.

    Given a stream, httpx takes the headers as they are. To have it derive these two takes longer than to read the answer.
    """
    derived = [(b"host", url.netloc), (b"content-length", b"%d" % len(content))]
    return httpx.Request(
        "POST", url, headers=derived + headers, stream=httpx.ByteStream(content), extensions=patience.extensions()
    )


class UpstreamCall:
    """An answer of an upstream, being read.

    Args:
        transport: sends it.
        request: what to send; with `patience.extensions()`.
        patience: how long to wait.

    Raises:
        UpstreamError: if the upstream cannot be reached or breaks off before its headers.
        UpstreamTimeoutError: if it is silent for too long.
        DeadlineError: if our own time is up first.
    """

    __slots__ = ("_decoded", "_iterator", "_patience", "_response")

    def __init__(self, transport: httpx.BaseTransport, request: httpx.Request, patience: Patience) -> None:
        self._patience = patience
        try:
            # Not through `httpx.Client`: cookies, redirects and authentication flows are what a relay must not have.
            self._response = transport.handle_request(request)
        except httpx.TimeoutException as error:
            raise patience.timed_out(error) from error
        except httpx.ConnectError as error:
            raise UpstreamError("the upstream could not be connected to", code="upstream_unreachable") from error
        except httpx.TransportError as error:
            raise UpstreamError("the upstream closed the connection without an answer") from error
        # We ask for plain bytes. An upstream that compresses all the same is decoded: the stream's end must be readable, and
        # nobody knows whether the client can do it. An encoding that `zlib` cannot decode stays, with its header.
        encoding = self.header("content-encoding").lower()
        self._decoded = encoding in DECODABLE
        # `iter_raw` would do the same as the stream itself, in three more steps for each chunk.
        stream = cast("httpx.SyncByteStream", self._response.stream)
        self._iterator = self._translated(inflated(stream, encoding) if self._decoded else iter(stream))

    @property
    def status(self) -> int:
        """The answer's status."""
        return self._response.status_code

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The answer's headers, as they are true of the bytes that `read` gives."""
        headers = self._response.headers.multi_items()
        return [header for header in headers if header[0] != "content-encoding"] if self._decoded else headers

    def header(self, name: str) -> str:
        """One of the answer's headers; empty if absent."""
        value: str = self._response.headers.get(name, "")
        return value

    def __iter__(self) -> Iterator[bytes]:
        """The bytes of the body, as they arrive; what `read_up_to` took is not among them.

        Raises:
            UpstreamError: if the body is cut short.
            UpstreamTimeoutError: if the upstream is silent for too long.
            DeadlineError: if our own time is up.
        """
        return self._iterator

    def _translated(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """One generator for the whole body: a call per chunk is what a stream's cost is made of."""
        try:
            yield from chunks
        except httpx.TimeoutException as error:
            raise self._patience.timed_out(error) from error
        except (httpx.HTTPError, InflateError) as error:  # cut short, a broken connection, bytes that do not decode
            raise UpstreamError("the upstream's answer was cut short", code="upstream_interrupted") from error

    def read_up_to(self, limit: int) -> bytes:
        """The body's first bytes, at least `limit` unless it is shorter. Errors as in `__iter__`."""
        parts: list[bytes] = []
        size = 0
        for chunk in self._iterator:
            parts.append(chunk)
            size += len(chunk)
            if size >= limit:
                break
        return b"".join(parts)

    def flowing(self) -> None:
        """Content has come: from now on the idle time-out counts, not the one of the first content."""
        self._patience.flowing()

    def drain(self) -> None:
        """Read the formal end of what the client has, so that the connection can be used again.

        Not for long: some upstreams keep it open, and every second of it is billed.
        """
        self._patience.wind_up()
        with suppress(GatewayError):
            for _ in self._iterator:
                pass

    def close(self) -> None:
        """Give up what was not read: that closes the upstream's connection."""
        self._response.close()
