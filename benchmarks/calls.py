"""The calls that are compared: direct ones over raw sockets, http.client and httpx. Each returns its times."""

from __future__ import annotations

import http.client
import json
import socket
import time
from enum import Enum, auto
from typing import NamedTuple

import httpx

PATH = "/v1/chat/completions"


class Kind(Enum):
    """What is asked for."""

    JSON = auto()
    """An answer in one piece."""
    BURST = auto()
    """200 events in a row."""
    PACED = auto()
    """200 events with a pause after the first."""
    STEADY = auto()
    """200 events, one every 5 ms."""
    LONG = auto()
    """An answer in one piece to a prompt of 80 KB, as coding agents send it."""
    CLOSING = auto()
    """An answer in one piece, after which the upstream closes the connection."""

    @property
    def streamed(self) -> bool:
        """Whether the answer is a stream."""
        return self in {Kind.BURST, Kind.PACED, Kind.STEADY}


def body(kind: Kind, model: str = "gpt-4.1") -> bytes:
    """The request's body, of about 1 KB unless it is a long one. What the upstream shall do is said in the prompt."""
    text = "Do say hello. " * 6000 if kind is Kind.LONG else ""
    return request_body(f"{text}[{kind.name.lower()}]", model, stream=kind.streamed)


def request_body(marker: str, model: str = "gpt-4.1", **fields: object) -> bytes:
    """A request with something of one's own.

    Args:
        marker: for the upstream, at the end of the prompt.
        model: what is asked for.
        fields: further ones.
    """
    messages = [{"role": "user", "content": "Say hello. " * 80 + marker}]
    return json.dumps({"model": model, "messages": messages, **fields}, separators=(",", ":")).encode()


class Times(NamedTuple):
    """When the first byte of the answer's body was here, and when all of it was; milliseconds since the call began."""

    first: float
    total: float


def _times(began: float, first: float) -> Times:
    now = time.perf_counter()
    return Times((first - began) * 1000, (now - began) * 1000)


class RawCall:
    """A direct call with nothing around it: the least that a call can cost."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._requests = {
            kind: b"POST %b HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
            % (PATH.encode(), len(body(kind)), body(kind))
            for kind in Kind
        }

    def __call__(self, kind: Kind) -> Times:
        """Call, and read the answer to its end."""
        began = time.perf_counter()
        self._socket.sendall(self._requests[kind])
        data = self._socket.recv(65536)
        first = time.perf_counter()
        if kind.streamed:
            while not data.endswith(b"\r\n0\r\n\r\n"):
                data += self._socket.recv(65536)
        return _times(began, first)


class HttpClientCall:
    """A direct call with the standard library's client."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._bodies = {kind: body(kind) for kind in Kind}

    def __call__(self, kind: Kind) -> Times:
        """Call, and read the answer to its end."""
        began = time.perf_counter()
        self._connection.request("POST", PATH, self._bodies[kind], {"content-type": "application/json"})
        response = self._connection.getresponse()
        response.read1(65536)
        first = time.perf_counter()
        while response.read1(65536):
            pass
        response.close()
        return _times(began, first)


class HttpxCall:
    """A direct call with httpx, as an application would make it."""

    def __init__(self, port: int) -> None:
        self._client = httpx.Client(trust_env=False)
        self._url = httpx.URL(f"http://127.0.0.1:{port}{PATH}")
        self._bodies = {kind: body(kind) for kind in Kind}

    def __call__(self, kind: Kind) -> Times:
        """Call, and read the answer to its end."""
        began = time.perf_counter()
        headers = {"content-type": "application/json"}
        with self._client.stream("POST", self._url, content=self._bodies[kind], headers=headers) as response:
            chunks = response.iter_raw()
            next(chunks)
            first = time.perf_counter()
            for _ in chunks:
                pass
        return _times(began, first)
