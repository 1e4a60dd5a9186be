"""An upstream on loopback that does exactly what a test says, faults included, and remembers the bytes that it was sent."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

JSON = ("content-type", "application/json")
SSE = ("content-type", "text/event-stream; charset=utf-8")


SAID: dict[str, Any] = {
    "ok": True,
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "content": [{"type": "text", "text": "hi"}],
    "stop_reason": "end_turn",
}
"""An answer that says something in each format."""


@dataclass(frozen=True)
class Received:
    """A request as it came over the wire."""

    head: bytes
    body: bytes

    @property
    def method(self) -> str:
        return self.head.split(b" ", 1)[0].decode()

    @property
    def target(self) -> str:
        return self.head.split(b" ", 2)[1].decode()

    @property
    def headers(self) -> list[tuple[str, str]]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines if line)]

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)


class Connection:
    """The answering side of one connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.open = True

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def start(self, status: int = 200, headers: Iterable[tuple[str, str]] = (SSE,), *, chunked: bool = True) -> None:
        lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in headers)]
        if chunked:
            lines.append("transfer-encoding: chunked")
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1"))

    def chunk(self, data: bytes) -> None:
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def end(self) -> None:
        self.send(b"0\r\n\r\n")

    def cut(self, *, reset: bool = False) -> None:
        """Close the connection in the middle of whatever was being said."""
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.open = False
        self.socket.close()

    def wait_until_peer_closes(self, timeout: float = 10.0) -> bool:
        self.socket.settimeout(timeout)
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False


Answer = Callable[[Received, Connection], None]


def answer_bytes(body: bytes, status: int = 200, headers: Iterable[tuple[str, str]] = (JSON,)) -> Answer:
    def answer(_received: Received, connection: Connection) -> None:
        connection.start(status, [*headers, ("content-length", str(len(body)))], chunked=False)
        connection.send(body)

    return answer


def answer_json(document: Any, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> Answer:
    return answer_bytes(json.dumps(document).encode(), status, [JSON, *headers])


def answer_stream(chunks: Iterable[bytes], *, cut: bool = False, headers: Iterable[tuple[str, str]] = (SSE,)) -> Answer:
    def answer(_received: Received, connection: Connection) -> None:
        connection.start(200, headers)
        for chunk in chunks:
            connection.chunk(chunk)
        if cut:
            connection.cut()
        else:
            connection.end()

    return answer


def answer_with_silence(_received: Received, connection: Connection) -> None:
    connection.wait_until_peer_closes()


@dataclass
class UpstreamServer:
    """The server. `answer` may be replaced at any time; `answers`, while not empty, is used up first."""

    port: int
    answer: Answer = field(default_factory=lambda: answer_json(SAID))
    answers: list[Answer] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def asked(self, client_request_id: str, *, at_least: int = 0, timeout: float = 10.0) -> int:
        """How often a client's request came here, by its `x-client-request-id`; waits until that was so often.

        A request whose client gave it up may be read late, when the next test has begun: counting by name tells them apart.
        """

        def count() -> int:
            return sum(received.header("x-client-request-id") == client_request_id for received in self.received)

        with self.arrived:
            self.arrived.wait_for(lambda: count() >= at_least, timeout)
            return count()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def last(self) -> Received:
        return self.received[-1]


def _read_request(stream: Any) -> Received | None:
    lines: list[bytes] = []
    while (line := stream.readline()) not in {b"\r\n", b""}:
        lines.append(line)
    if not lines:
        return None
    head = b"".join(lines)
    received = Received(head, b"")
    length = int(received.header("content-length") or 0)
    return Received(head, stream.read(length))


def _serve_connection(server: UpstreamServer, sock: socket.socket, open_sockets: set[socket.socket]) -> None:
    connection = Connection(sock)
    with suppress(OSError), sock, sock.makefile("rb") as stream:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while connection.open and (received := _read_request(stream)) is not None:
            with server.arrived:
                server.received.append(received)
                server.arrived.notify_all()
            answer = server.answers.pop(0) if server.answers else server.answer
            answer(received, connection)
    open_sockets.discard(sock)


@contextmanager
def serve() -> Iterator[UpstreamServer]:
    """Run an upstream until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = UpstreamServer(listener.getsockname()[1])
    open_sockets: set[socket.socket] = set()
    threads: list[threading.Thread] = []

    def accept() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            server.connections += 1
            open_sockets.add(sock)
            thread = threading.Thread(target=_serve_connection, args=(server, sock, open_sockets), daemon=True)
            threads.append(thread)
            thread.start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield server
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for sock in list(open_sockets):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in [acceptor, *threads]:
            thread.join(10)
