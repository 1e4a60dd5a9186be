"""The call through the gateway. Plays the Runtime API over a raw socket, so that little is measured but the function."""

from __future__ import annotations

import json
import socket
import time

from benchmarks import calls
from benchmarks.calls import PATH, Kind, Times


class RuntimeApi:
    """A Runtime API for one function process at a time."""

    patience = 30
    """Seconds that the function may be silent."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(self.patience)
        self._socket: socket.socket | None = None

    @property
    def address(self) -> str:
        """What `AWS_LAMBDA_RUNTIME_API` says."""
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def wait_for_next(self) -> float:
        """Wait until a new function process asks for its first event: when that was, by `time.perf_counter`."""
        self._socket, _ = self._listener.accept()
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(self.patience)
        data = self._socket.recv(65536)
        if b"/invocation/next" not in data:
            raise RuntimeError(f"the function did not start: {data.decode(errors='replace')}")
        return time.perf_counter()

    def call(self, event: bytes) -> Times:
        """Hand out an event; take the answer to its end; wait until the function asks for the next event.

        Raises:
            RuntimeError: if the status is not 200.
        """
        times, data = self.exchange(event)
        if b'"statusCode":200' not in data[:4096]:
            raise RuntimeError(f"the gateway answered {data[:2000].decode(errors='replace')}")
        return times

    def exchange(self, event: bytes) -> tuple[Times, bytes]:
        """As `call`, whatever the status.

        Returns:
            The times, and what the function sent, HTTP and all.
        """
        began = self._send(event)
        data = bytearray(self._receive())
        # The body begins behind the prelude, the 8 NULs' chunk and its own size line.
        while (start := data.find(b"\0" * 8)) < 0 or len(data) <= start + 10:
            data += self._receive()
        first = time.perf_counter()
        # After the last chunk there may be trailers.
        while not (data.endswith(b"\r\n\r\n") and data.find(b"\r\n0\r\n", -4096) >= 0):
            data += self._receive()
        times = Times((first - began) * 1000, (time.perf_counter() - began) * 1000)
        self._accept()
        return times, bytes(data)

    def _send(self, event: bytes) -> float:
        """Hand out an event: when that was."""
        if self._socket is None:
            raise RuntimeError("no function is connected")
        began = time.perf_counter()
        self._socket.sendall(event)
        return began

    def _accept(self) -> None:
        """Take the answer, and wait until the function asks for the next event."""
        if self._socket:
            self._socket.sendall(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
        if b"/invocation/next" not in self._receive():
            raise RuntimeError("the function did not ask for the next event")

    def _receive(self) -> bytes:
        data = self._socket.recv(65536) if self._socket else b""
        if not data:
            raise RuntimeError("the function has ended")
        return data

    def hang_up(self) -> None:
        """Close the function's connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def close(self) -> None:
        """Stop listening."""
        self.hang_up()
        self._listener.close()


class GatewayCall:
    """A call through the gateway.

    Args:
        api: a function is connected to it.
    """

    def __init__(self, api: RuntimeApi, model: str = "gpt-4.1") -> None:
        self._api = api
        self._events = {kind: invocation(calls.body(kind, model)) for kind in Kind}

    def __call__(self, kind: Kind) -> Times:
        """Call, and read the answer to its end."""
        return self._api.call(self._events[kind])


def invocation(body: bytes) -> bytes:
    """The Runtime API's answer to `/next`, with API Gateway's event of a chat request.

    Args:
        body: the request's.
    """
    event = {
        "resource": PATH,
        "path": PATH,
        "httpMethod": "POST",
        "headers": {"content-type": "application/json", "authorization": "Bearer key", "user-agent": "OpenAI/Python 3.0.0"},
        "multiValueHeaders": {
            "content-type": ["application/json"],
            "authorization": ["Bearer key"],
            "user-agent": ["OpenAI/Python 3.0.0"],
        },
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "requestId": "3c0c6e1c-0000-4000-8000-000000000000",
            "identity": {"apiKeyId": "a1b2c3d4e5", "sourceIp": "203.0.113.7"},
            "resourcePath": PATH,
            "httpMethod": "POST",
            "stage": "prod",
        },
        "body": body.decode(),
        "isBase64Encoded": False,
    }
    data = json.dumps(event).encode()
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n"
        f"Lambda-Runtime-Aws-Request-Id: 8c0c6e1c-0000-4000-8000-000000000000\r\n"
        f"Lambda-Runtime-Deadline-Ms: {int((time.time() + 86_400) * 1000)}\r\n"
        f"Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:123456789012:function:gateway:live\r\n"
        f"Lambda-Runtime-Trace-Id: Root=1-00000000-000000000000000000000000;Sampled=0\r\n\r\n"
    )
    return head.encode() + data
