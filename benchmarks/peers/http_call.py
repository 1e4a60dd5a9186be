"""A call to an HTTP server over a raw socket, so that little is measured but the server."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from benchmarks.calls import PATH, Kind, Times, body, request_body

_TIMEOUT = 60
FIRST_TOKEN = b"token0"


class Answer(NamedTuple):
    """What came back.

    Args:
        status: HTTP's.
        headers: names in lower case.
        body: without its chunks' sizes.
        complete: whether HTTP says that this is all of it.
        times: milliseconds to the first token of a stream, or byte of a body, and to the end.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool
    times: Times


class Exchange(Protocol):
    """Makes a call with a request of one's own."""

    def __call__(self, marker: str, **fields: object) -> Answer:
        """Call, and read the answer to its end.

        Args:
            marker: for the upstream.
            fields: of the request.
        """


class HttpCall:
    """Calls over one connection, which is made anew when the server has closed it.

    Args:
        port: on this machine.
        path: what is posted to. Default: chat completions.
        headers: further ones. Default: none.
        model: what is asked for. Default: gpt-4.1.
    """

    def __init__(
        self, port: int, *, path: str = PATH, headers: Mapping[str, str] | None = None, model: str = "gpt-4.1"
    ) -> None:
        lines = [f"POST {path} HTTP/1.1", f"host: 127.0.0.1:{port}", "content-type: application/json", "accept: */*"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self._head = "\r\n".join(lines).encode()
        self._port = port
        self._model = model
        self._socket: socket.socket | None = None
        self._requests = {kind: self._request(body(kind, model)) for kind in Kind}

    def __call__(self, kind: Kind) -> Times:
        """Call, and read the answer to its end.

        Raises:
            OSError: if the server does not answer, or not with 200.
        """
        answer = self._exchange(self._requests[kind], FIRST_TOKEN if kind.streamed else b"")
        if answer.status != 200 or not answer.complete:
            raise OSError(f"answered {answer.status}: {answer.body[:300].decode(errors='replace')}")
        return answer.times

    def exchange(self, marker: str, **fields: object) -> Answer:
        """Call with a request of one's own.

        Args:
            marker: for the upstream.
            fields: of the request.
        """
        return self._exchange(self._request(request_body(marker, self._model, **fields)), b"")

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _request(self, data: bytes) -> bytes:
        return b"%b\r\ncontent-length: %d\r\n\r\n%b" % (self._head, len(data), data)

    def _exchange(self, request: bytes, first_token: bytes) -> Answer:
        if self._socket is not None:
            try:
                return self._once(self._socket, request, first_token)
            except (_StaleError, ConnectionError):
                # Servers close connections that were idle for some seconds.
                self.close()
        self._socket = socket.create_connection(("127.0.0.1", self._port), _TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._once(self._socket, request, first_token)

    def _once(self, sock: socket.socket, request: bytes, first_token: bytes) -> Answer:
        began = time.perf_counter()
        sock.sendall(request)
        data = bytearray()
        while (at := data.find(b"\r\n\r\n")) < 0:
            more = sock.recv(65536)
            if not more:
                raise _StaleError("the server closed the connection without an answer")
            data += more
        status, headers = _read_head(bytes(data[:at]))
        del data[: at + 4]
        chunked = headers.get("transfer-encoding", "").lower() == "chunked"
        length = int(headers.get("content-length", "-1"))
        first = 0.0
        while True:
            if not first and data and first_token in data:
                first = time.perf_counter()
            complete = (
                data.endswith(b"0\r\n\r\n") and (len(data) == 5 or data[-7:-5] == b"\r\n") if chunked else len(data) == length
            )
            if complete:
                break
            try:
                more = sock.recv(65536)
            except ConnectionError:
                more = b""
            if not more:
                # Without a length, the end of the connection is the end of the answer.
                complete = not chunked and length < 0
                break
            data += more
        now = time.perf_counter()
        if not complete or headers.get("connection", "").lower() == "close":
            self.close()
        times = Times(((first or now) - began) * 1000, (now - began) * 1000)
        return Answer(status, headers, unchunked(bytes(data)) if chunked else bytes(data), complete, times)


class _StaleError(OSError):
    """The connection was closed before it was used."""


def unchunked(data: bytes) -> bytes:
    """The body that chunks make up.

    Args:
        data: the chunks, the last one perhaps cut.
    """
    parts = []
    while (at := data.find(b"\r\n")) > 0:
        size = int(data[:at].split(b";")[0], 16)
        parts.append(data[at + 2 : at + 2 + size])
        data = data[at + 4 + size :]
        if not size:
            break
    return b"".join(parts)


def _read_head(head: bytes) -> tuple[int, dict[str, str]]:
    status, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return int(status.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}
