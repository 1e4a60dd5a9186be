"""What can be wrong with an upstream: each fault as what its server does with one request."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterable, Iterator

from tests.faults.wire import FIRST, Wire
from tests.lambda_runtime.upstream_server import (
    JSON,
    SSE,
    Answer,
    Connection,
    Received,
    answer_bytes,
    answer_with_silence,
)

Fault = Callable[[Wire, bool], Answer]
"""Makes the answer in a format, to a request that asked for a stream or not."""

LIMIT = 1.0
"""Seconds of every time-out in the run: longer than a busy machine lets a well upstream wait."""

HEARTBEAT = 0.1
"""Seconds of silence after which a client gets a heartbeat, in the run of what is late."""

_PAUSE = LIMIT / 3
_BEAT = HEARTBEAT / 2


def pause(seconds: float) -> None:
    threading.Event().wait(seconds)


def type_of(streamed: bool) -> tuple[str, str]:
    return SSE if streamed else JSON


def body_of(wire: Wire, *, streamed: bool, pieces: tuple[str, ...] = FIRST) -> bytes:
    """A whole and good body."""
    return b"".join(wire.events(pieces)) if streamed else json.dumps(wire.document("".join(pieces))).encode()


def _then_closed(*pieces: bytes, reset: bool = False) -> Answer:
    """Sends just these bytes."""

    def answer(_received: Received, connection: Connection) -> None:
        for piece in pieces:
            connection.send(piece)
        connection.cut(reset=reset)

    return answer


# No connection, no answer


def closed(*, reset: bool) -> Fault:
    return lambda _wire, _streamed: _then_closed(reset=reset)


def half_a_head(_wire: Wire, _streamed: bool) -> Answer:
    return _then_closed(b"HTTP/1.1 200 OK\r\ncontent-ty")


def no_http(_wire: Wire, _streamed: bool) -> Answer:
    return _then_closed(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")


def closed_after_headers(*, reset: bool) -> Fault:
    def fault(_wire: Wire, streamed: bool) -> Answer:
        def answer(_received: Received, connection: Connection) -> None:
            connection.start(200, [type_of(streamed)])
            connection.cut(reset=reset)

        return answer

    return fault


def silent(_wire: Wire, _streamed: bool) -> Answer:
    return answer_with_silence


def silent_after(begin: Callable[[Wire], Iterable[bytes]]) -> Fault:
    """Silence after headers and what `begin` gives of a stream."""

    def fault(wire: Wire, streamed: bool) -> Answer:
        def answer(_received: Received, connection: Connection) -> None:
            connection.start(200, [type_of(streamed)])
            for event in begin(wire) if streamed else ():
                connection.chunk(event)
            connection.wait_until_peer_closes()

        return answer

    return fault


def only_pings(wire: Wire, streamed: bool) -> Answer:
    """Roles and pings, or empty lines where JSON is awaited, as long as somebody listens."""

    def answer(_received: Received, connection: Connection) -> None:
        connection.start(200, [type_of(streamed)])
        for event in wire.opening if streamed else ():
            connection.chunk(event)
        while True:
            connection.chunk(wire.ping if streamed else b"\n")
            pause(_BEAT)

    return answer


def slow_drip(wire: Wire, streamed: bool) -> Answer:
    """Longer than the time-out in all, never so long between two pieces."""

    def answer(_received: Received, connection: Connection) -> None:
        connection.start(200, [type_of(streamed)])
        pieces = [b"".join(wire.opening), *map(wire.content, FIRST), b"".join(wire.closing) + wire.terminator]
        if not streamed:
            whole = body_of(wire, streamed=False)
            size = len(whole) // 5
            pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
        for piece in pieces:
            connection.chunk(piece)
            pause(_PAUSE)
        connection.end()

    return answer


# Statuses


def status(code: int, chat: tuple[str, str | None], messages: str, *headers: tuple[str, str]) -> Fault:
    """An error in the upstream's format: type and code of OpenAI's, type of Anthropic's."""

    def fault(wire: Wire, _streamed: bool) -> Answer:
        kind, error_code = chat if wire.name == "chat completions" else (messages, None)
        return answer_bytes(json.dumps(wire.error("no", kind, error_code)).encode(), code, [JSON, *headers])

    return fault


def saying(code: int, words: str, chat: tuple[str, str | None], messages: str) -> Fault:
    """The same, with words of its own."""

    def fault(wire: Wire, _streamed: bool) -> Answer:
        kind, error_code = chat if wire.name == "chat completions" else (messages, None)
        return answer_bytes(json.dumps(wire.error(words, kind, error_code)).encode(), code)

    return fault


def page(code: int) -> Fault:
    """An error page of something between: not JSON."""
    return lambda _wire, _streamed: answer_bytes(b"<html><h1>Bad</h1></html>", code, [("content-type", "text/html")])


def redirect(_wire: Wire, _streamed: bool) -> Answer:
    return answer_bytes(b"", 307, [("location", "https://elsewhere.example/v1")])


# Status 200, and all the same no answer


def whole(make: Callable[[Wire, bool], bytes], content_type: str | None = None, *headers: tuple[str, str]) -> Fault:
    """A body of announced length."""

    def fault(wire: Wire, streamed: bool) -> Answer:
        kind = ("content-type", content_type) if content_type else type_of(streamed)
        return answer_bytes(make(wire, streamed), 200, [kind, *headers])

    return fault


def events(make: Callable[[Wire], Iterable[bytes]], content_type: str | None = None, *, cut: bool = False) -> Fault:
    """A stream, each piece a chunk. An empty piece is a pause: what came before it is read apart from what comes after."""

    def fault(wire: Wire, _streamed: bool) -> Answer:
        kind = ("content-type", content_type) if content_type else SSE

        def answer(_received: Received, connection: Connection) -> None:
            connection.start(200, [kind])
            for piece in make(wire):
                if piece:
                    connection.chunk(piece)
                else:
                    pause(_BEAT)
            if cut:
                connection.cut()
            else:
                connection.end()

        return answer

    return fault


def cut_json(wire: Wire, _streamed: bool) -> Answer:
    """Half of a document, and a length that tells."""
    body = body_of(wire, streamed=False)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
    return _then_closed(head + body[: len(body) // 2])


def document(wire: Wire, _streamed: bool) -> bytes:
    return body_of(wire, streamed=False)


def half(wire: Wire, _streamed: bool) -> bytes:
    body = body_of(wire, streamed=False)
    return body[: len(body) // 2]


def errors(wire: Wire, streamed: bool) -> bytes:
    """An overload, as an event or as JSON."""
    error = wire.error("no", "overloaded_error")
    return wire.error_event("no", "overloaded_error") if streamed else json.dumps(error).encode()


def empty(wire: Wire, streamed: bool) -> bytes:
    if not streamed:
        return json.dumps(wire.document("")).encode()
    return b"".join([*wire.opening, *wire.closing, wire.terminator]).replace(b'_tokens":4', b'_tokens":0')


# After content


def begun(wire: Wire) -> list[bytes]:
    """The first half of a stream: two pieces of content."""
    return [*wire.opening, *map(wire.content, FIRST[:2])]


def mid_line(wire: Wire) -> Iterator[bytes]:
    yield from begun(wire)
    event = wire.content(FIRST[2])
    yield event[: len(event) // 2]


def mid_event(wire: Wire) -> Iterator[bytes]:
    yield from begun(wire)
    yield wire.content(FIRST[2])[:-1]  # all but the empty line


def error_after_content(wire: Wire) -> Iterator[bytes]:
    yield from begun(wire)
    yield b""
    yield wire.error_event("no", "overloaded_error")


def bad_chunk(wire: Wire, _streamed: bool) -> Answer:
    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        for event in begun(wire):
            connection.chunk(event)
        pause(_BEAT)
        connection.send(b"what?\r\n")
        connection.cut()

    return answer


def compressed(*, upto: int | None = None) -> Fault:
    def make(wire: Wire, streamed: bool) -> bytes:
        return gzip.compress(body_of(wire, streamed=streamed), mtime=0)[:upto]

    return whole(make, None, ("content-encoding", "gzip"))


def cut_compressed(wire: Wire, _streamed: bool) -> Answer:
    """The length is right, only the compressed data stops in its middle, after some content."""
    body = gzip.compress(body_of(wire, streamed=True), compresslevel=0, mtime=0)
    at = body.index(FIRST[2].encode()[:4])
    return answer_bytes(body[:at], 200, [SSE, ("content-encoding", "gzip")])


def late(fault: Fault) -> Fault:
    """The same after some silence, but before the time-out."""

    def slow(wire: Wire, streamed: bool) -> Answer:
        now = fault(wire, streamed)

        def answer(received: Received, connection: Connection) -> None:
            pause(3 * HEARTBEAT)
            now(received, connection)

        return answer

    return slow
