"""An upstream's answer on the wire: the same however the network cuts it, whole or an error, and never larger than is taken."""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx

from lambda_runtime.config import Timeouts
from lambda_runtime.connection import Origin
from lambda_runtime.errors import UpstreamError
from lambda_runtime.headers import to_client
from lambda_runtime.http1 import ClosedError, ProtocolError, ResponseReader
from lambda_runtime.inflate import MAX_PIECE
from lambda_runtime.patience import NOBODY, Patience
from lambda_runtime.transport import HttpClientTransport
from lambda_runtime.upstream_call import UpstreamCall, post_request
from tests.fuzz.inputs import chosen, cut, taken_apart

KIND = "http"
SOURCES = tuple(f"lambda_runtime/{name}.py" for name in ("http1", "chunked", "inflate", "headers"))
OUTCOMES = frozenset(
    {"whole", "several", "cut short", "malformed", "payload", "payload cut short", "payload of the wrong kind"}
)

_MOST_ANSWERS = 3


class Read(NamedTuple):
    """What was read of a connection."""

    answers: list[tuple[int, Any, bytes]]
    error: type[Exception] | None
    partial: bytes
    """What came of an answer that was not whole."""


class Peer:
    """Sends pieces, then closes.

    Args:
        pieces: what it sends, one for each read.
    """

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = [piece for piece in pieces if piece][::-1]
        self.asked_again = 0

    @property
    def silent(self) -> bool:
        """Whether it has sent all that it had."""
        return not self._pieces

    def recv(self, size: int) -> bytes:
        """As a socket's."""
        assert size > 0
        if not self._pieces:
            self.asked_again += 1
            return b""
        piece = self._pieces.pop()
        if len(piece) > size:
            self._pieces.append(piece[size:])
        return piece[:size]


def check(data: bytes) -> str:
    """What becomes of an answer's bytes."""
    options, material = taken_apart(data)
    if chosen(options, "lko", ""):
        return _payload(options, material)
    method = "HEAD" if "H" in options else "POST"
    whole, pieces = _read([material], method), _read(cut(options, material), method)
    assert pieces.answers == whole.answers
    assert pieces.error is whole.error
    assert whole.partial.startswith(pieces.partial) or pieces.partial.startswith(whole.partial)
    assert sum(len(body) for *_, body in whole.answers) + len(whole.partial) <= len(material)
    if method == "POST":
        _as_the_gateway_reads([material], whole)
    if whole.error is not None:
        return "cut short" if whole.error is ClosedError else "malformed"
    return "whole" if len(whole.answers) == 1 else "several"


def _read(pieces: list[bytes], method: str) -> Read:
    """Read a connection's answers, one after the other, as long as it may be used again."""
    peer = Peer(pieces)
    reader = ResponseReader(peer.recv)
    answers: list[tuple[int, Any, bytes]] = []
    parts: list[bytes] = []
    try:
        while not answers or (reader.keep_alive and not (peer.silent and reader.untouched) and len(answers) < _MOST_ANSWERS):
            parts = []
            status, reason, headers = reader.head(method)
            assert 200 <= status <= 599
            assert not set(reason) & set(b"\r\n")
            assert all(not set(name + value) & set(b"\r\n\0") for name, value in headers)
            while part := reader.read():
                parts.append(part)
            assert reader.complete
            assert reader.read() == b""
            answers.append((status, headers, b"".join(parts)))
            if method == "HEAD" or status in {204, 304}:
                assert not parts
            parts = []
    except (ProtocolError, ClosedError) as error:
        assert len(str(error)) < 300
        assert peer.asked_again <= 1
        return Read(answers, type(error), b"".join(parts))
    assert peer.asked_again <= 1
    return Read(answers, None, b"")


class _Connection:
    """Stands in for `lambda_runtime.connection.Connection`."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.reader = ResponseReader(Peer(pieces).recv)
        self.limit: Any = None
        self.idle_since = 0.0
        self.closed = False

    def send(self, data: bytes, timeout: float | None) -> None:
        """Everything is taken."""

    def readable(self) -> bool:
        """Nothing comes of itself."""
        return False

    def close(self) -> None:
        """Remember it."""
        self.closed = True


class _Transport(HttpClientTransport):
    def __init__(self, connection: _Connection) -> None:
        super().__init__()
        self._made = connection

    def _connect(self, origin: Origin, timeout: float | None) -> Any:
        assert (origin.host, bool(timeout)) == ("upstream.test", True)
        return self._made


def _called(pieces: list[bytes], use: Callable[[UpstreamCall], None]) -> type[Exception] | None:
    """Have the gateway's own client read an answer. Whatever is wrong with it is an `UpstreamError`."""
    failed: type[Exception] | None = None
    connection = _Connection(pieces)
    with _Transport(connection) as transport:
        patience = Patience(Timeouts(), time.time() + 900, 30, NOBODY)
        request = post_request(httpx.URL("http://upstream.test/v1"), [], b"{}", patience)
        try:
            call = UpstreamCall(transport, request, patience)
            try:
                use(call)
            finally:
                call.close()
        except UpstreamError as error:
            failed = type(error)
        # It is used again only if nothing of the answer can be taken for the next one.
        reader, kept = connection.reader, bool(transport._idle)
        fit = reader.complete and reader.keep_alive and reader.untouched
        assert fit or not kept
        assert kept or not fit or failed
        assert kept != connection.closed
    return failed


def _as_the_gateway_reads(pieces: list[bytes], read: Read) -> None:
    def use(call: UpstreamCall) -> None:
        for name, value in to_client(call.headers):
            assert name.isascii()
            assert not set(value) & {"\r", "\n", "\0"}
            assert name not in {"set-cookie", "connection", "transfer-encoding", "content-length", "www-authenticate"}
        encoded = call.header("content-encoding")
        for piece in call:
            assert 0 < len(piece) <= MAX_PIECE
            if not encoded:
                body.append(piece)

    body: list[bytes] = []
    error = _called(pieces, use)
    if body and read.answers and error is None:
        assert b"".join(body) == read.answers[0][2]
    if not read.answers:
        assert error is not None


def _payload(options: str, payload: bytes) -> str:
    """Put a payload into an answer as a server would, and have it back."""
    if "B" in options:
        payload *= min(4000, 1 + 600_000 // (len(payload) + 1))
    body, encoding = _encoded(options, payload)
    framing, wire = _framed(options, body)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + framing + encoding + b"\r\n"
    missing = min(len(wire), sum(int(digit) for digit in options if digit in "0123456789")) if "t" in options else 0
    wire = wire[: len(wire) - missing] if missing else wire
    parts: list[bytes] = []
    largest = [0]

    def use(call: UpstreamCall) -> None:
        for piece in call:
            parts.append(piece)
            largest[0] = max(largest[0], len(piece))

    error = _called([head, *cut(options, wire)] if "B" not in options else [head + wire], use)
    given = b"".join(parts)
    assert largest[0] <= MAX_PIECE
    if "f" in options and encoding:  # not what its header says it is
        assert error is not None or given != payload or not payload
        return "payload of the wrong kind"
    assert payload.startswith(given)
    if not missing:
        assert (given, error) == (payload, None)
        return "payload"
    # What ends with its connection may be cut without a sign, unless it is compressed.
    if not framing.startswith(b"Connection") or (encoding and wire):
        assert error is not None
    return "payload cut short"


def _encoded(options: str, payload: bytes) -> tuple[bytes, bytes]:
    if "f" in options:
        return payload, b"Content-Encoding: gzip\r\n"
    match chosen(options, "gdbz", ""):
        case "g":
            return gzip.compress(payload, 1), b"Content-Encoding: gzip\r\n"
        case "d":
            return zlib.compress(payload), b"content-encoding: Deflate\r\n"
        case "b":
            compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
            return compressor.compress(payload) + compressor.flush(), b"Content-Encoding: deflate\r\n"
        case "z":
            half = len(payload) // 2
            return gzip.compress(payload[:half]) + gzip.compress(payload[half:]), b"Content-Encoding: x-gzip\r\n"
    return payload, b""


def _framed(options: str, body: bytes) -> tuple[bytes, bytes]:
    match chosen(options, "lko", "l"):
        case "l":
            return b"Content-Length: %d\r\n" % len(body), body
        case "k":
            return b"Transfer-Encoding: chunked\r\n", b"".join(_chunks(options, body))
    return b"Connection: close\r\n", body


def _chunks(options: str, body: bytes) -> Iterator[bytes]:
    for piece in cut(options[::-1], body):
        yield b"%X;a=b\r\n%s\r\n" % (len(piece), piece)
    yield b"0\r\nTrailer: x\r\n\r\n"
