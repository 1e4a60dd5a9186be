"""Lambda's Runtime API over one kept-alive socket.

Raw on purpose: `http.client` adds 0.1 ms to each invocation, and it can send neither trailers nor a chunk in one system call.
"""

from __future__ import annotations

import socket

from lambda_runtime.http1 import ProtocolError, ResponseReader

_PREFIX = b"/2018-06-01/runtime"

GONE = 410
"""The status for an answer that came too late: the invocation is over."""


class RuntimeClient:
    """Talks to the Runtime API. One request at a time; `send` may be called by several threads if they take turns.

    Args:
        address: `host:port`, from `AWS_LAMBDA_RUNTIME_API`.
    """

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._address = (host or address, int(port) if host else 80)
        self._host = address.encode("ascii")
        self._socket: socket.socket | None = None
        self._reader = ResponseReader(self._recv)

    def get(self, path: bytes) -> tuple[int, dict[str, str], bytes]:
        """Ask, waiting as long as it takes.

        Args:
            path: below the API's version, for example `/invocation/next`.

        Returns:
            Status, header fields by lower-case name, body.

        Raises:
            OSError: if the API cannot be reached.
            ProtocolError: if it does not speak HTTP.
        """
        request = b"GET %b%b HTTP/1.1\r\nHost: %b\r\n\r\n" % (_PREFIX, path, self._host)
        if self._socket is not None:
            try:
                self.send(request)
                return self._response("GET")
            except (OSError, ProtocolError):
                # The kept connection had ended, perhaps with an answer that Lambda no longer took.
                self.close()
        self.send(request)
        return self._response("GET")

    def post(self, path: bytes, body: bytes, headers: bytes = b"") -> int:
        """Send a whole request and wait for its status.

        Args:
            path: below the API's version.
            body: the whole body.
            headers: further header fields, each ended by CRLF.

        Raises:
            OSError: if the API cannot be reached.
            ProtocolError: if it does not speak HTTP.
        """
        self.send(self.head(path, headers + b"Content-Length: %d\r\n" % len(body)) + body)
        return self.status()

    def head(self, path: bytes, headers: bytes) -> bytes:
        """The head of a POST. The caller says in `headers` how the body is framed."""
        return b"POST %b%b HTTP/1.1\r\nHost: %b\r\n%b\r\n" % (_PREFIX, path, self._host, headers)

    def send(self, data: bytes) -> None:
        """Send bytes at once, connecting first if there is no connection.

        Raises:
            OSError: if the connection broke. It is closed then.
        """
        if self._socket is None:
            self._socket = socket.create_connection(self._address)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._reader = ResponseReader(self._recv)
        try:
            self._socket.sendall(data)
        except OSError:
            self.close()
            raise

    def status(self) -> int:
        """Read the answer to what was sent; only its status is of interest.

        Raises:
            OSError: if the connection broke.
            ProtocolError: if the answer is not HTTP. The connection is closed in both cases.
        """
        try:
            return self._response("POST")[0]
        except (OSError, ProtocolError):
            self.close()
            raise

    def close(self) -> None:
        """Close the connection. The next request opens a new one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _response(self, method: str) -> tuple[int, dict[str, str], bytes]:
        status, _, headers = self._reader.head(method)
        body = b"".join(iter(self._reader.read, b""))
        if not self._reader.keep_alive:
            self.close()
        return status, {name.lower().decode("ascii"): value.decode("latin-1") for name, value in headers}, body

    def _recv(self, size: int) -> bytes:
        if self._socket is None:
            raise OSError("there is no connection to the Runtime API to read from")
        return self._socket.recv(size)
