"""An HTTP server for a hundred thousand requests: that of `tests.lambda_runtime`, which remembers each, without its memory."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from tests.lambda_runtime.upstream_server import Connection, Received, _read_request

_BACKLOG = 128

Handle = Callable[[Received, Connection], None]


class Server:
    """Serves each connection in a thread of its own, until the process ends.

    Args:
        handle: answers a request.
    """

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        # Bound by its number: such a port stays bound while nobody listens at it.
        with socket.create_server(("127.0.0.1", 0)) as found:
            self._port: int = found.getsockname()[1]
        self._listener = socket.create_server(("127.0.0.1", self._port), backlog=_BACKLOG)
        self._open: set[socket.socket] = set()
        self._accepting()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def refuse(self) -> None:
        """Take no more connections, and drop those that stand. The port stays ours."""
        self._listener.shutdown(socket.SHUT_RDWR)
        for sock in list(self._open):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def accept(self) -> None:
        """Take connections again."""
        self._listener.listen(_BACKLOG)
        self._accepting()

    def _accepting(self) -> None:
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self._open.add(sock)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        connection = Connection(sock)
        with suppress(OSError), sock, sock.makefile("rb") as stream:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while connection.open and (received := _read_request(stream)) is not None:
                self._handle(received, connection)
        self._open.discard(sock)
