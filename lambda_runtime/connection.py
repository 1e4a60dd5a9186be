"""One TCP or TLS connection to an upstream: opening it, and reading and writing under time limits."""

from __future__ import annotations

import os
import select
import socket
import ssl
import time
from pathlib import Path
from typing import NamedTuple, Protocol

from lambda_runtime.http1 import ClosedError, ResponseReader

_KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4))
"""A model may think for minutes: without probes, address translation on the way forgets a silent connection (AWS: 350 s)."""

_ACKED_AT, _SENT_AT, _RESENT_AT, _TCP_INFO_SIZE = 120, 200, 208, 216
"""Offsets of Linux's `struct tcp_info` (`tcpi_bytes_acked`, `_sent`, `_retrans`), each 8 bytes long."""


class Origin(NamedTuple):
    """Where a connection leads.

    Args:
        scheme: `http` or `https`.
        host: name or address, without brackets.
        port: TCP port.
    """

    scheme: str
    host: str
    port: int


class ReadLimit(Protocol):
    """How long the next read from the socket may take."""

    def next_timeout(self) -> float | None:
        """Seconds that the next read may wait, None for no limit. Zero or less: the time is over."""

    def waited(self) -> float:
        """Asked when that time has passed and nothing came: seconds to wait on. Zero or less: the time is over.

        On a socket of our own a read that timed out can be taken up again, TLS or not: nothing of the answer is lost. What is
        to be done meanwhile (a heartbeat for the client) needs no thread.
        """


class Connection:
    """A connection to an origin, with the reader of its responses.

    Args:
        origin: where to.
        timeout: seconds for all of resolving, connecting and the TLS handshake; resolving itself cannot be interrupted.
            None for no limit.
        tls: context for `https`.

    Raises:
        TimeoutError: if there is no connection in time.
        OSError: if there is none for another reason.
    """

    def __init__(self, origin: Origin, timeout: float | None, tls: ssl.SSLContext | None) -> None:
        deadline = None if timeout is None else time.monotonic() + timeout
        self._socket = _connected(origin, deadline)
        self.reader = ResponseReader(self._recv)
        self.limit: ReadLimit | None = None
        self.idle_since = 0.0
        if origin.scheme == "https":
            if tls is None:
                raise ValueError("https needs a TLS context")
            try:
                self._socket.settimeout(_left(deadline))
                self._socket = tls.wrap_socket(self._socket, server_hostname=origin.host, suppress_ragged_eofs=False)
            except BaseException:
                self._socket.close()
                raise

    def send(self, data: bytes, timeout: float | None) -> None:
        """Send everything.

        Args:
            data: the bytes.
            timeout: seconds that it may take. None for no limit.
        """
        self._socket.settimeout(timeout)
        self._socket.sendall(data)

    def readable(self) -> bool:
        """Whether something can be read. On an idle connection that can only be its end."""
        if not self.reader.untouched or (isinstance(self._socket, ssl.SSLSocket) and self._socket.pending()):
            return True
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(0))

    def request_unread(self) -> bool:
        """Whether the peer closed the connection without its TCP having taken all that was sent.

        To be asked after the peer's end was read. It tells a connection that was closed while idle, its end crossing with our
        request, from a peer that took the request and died on it: the end then acknowledges the request. (A reset would not
        tell: it says nothing of what was read before.) False where the system does not say.
        """
        try:
            info = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_SIZE)
        except (AttributeError, OSError):
            return False
        if len(info) < _TCP_INFO_SIZE:
            return False
        acked, sent, resent = (int.from_bytes(info[at : at + 8], "little") for at in (_ACKED_AT, _SENT_AT, _RESENT_AT))
        # The connection's SYN counts as one acknowledged byte, but not as a sent one.
        return acked - 1 < sent - resent

    def close(self) -> None:
        """Close the socket at once, whatever is still on its way."""
        self._socket.close()

    def _recv(self, size: int) -> bytes:
        limit = self.limit
        timeout = limit.next_timeout() if limit else None
        while True:
            if timeout is not None and timeout <= 0:
                raise TimeoutError("the time for reading is over")
            self._socket.settimeout(timeout)
            try:
                return self._socket.recv(size)
            except TimeoutError:
                if limit is None:
                    raise
                timeout = limit.waited()
            except ssl.SSLEOFError as error:
                # Without TLS's own end anybody on the way could cut off an answer that ends with its connection.
                raise ClosedError("the peer, or somebody on the way, cut the TLS connection") from error


def tls_context(capath: str | None) -> ssl.SSLContext:
    """A context that verifies servers. Hashed certificates are read by need, which takes 0.2 ms; a bundle takes 15.

    Args:
        capath: their directory. `SSL_CERT_FILE` and `SSL_CERT_DIR` go before it. Default: `certs` below `LAMBDA_TASK_ROOT` if
            that exists, else the system's certificates.
    """
    cafile = os.environ.get("SSL_CERT_FILE") or None
    directory = os.environ.get("SSL_CERT_DIR") or None
    if not cafile and not directory:
        directory = capath or str(Path(os.environ.get("LAMBDA_TASK_ROOT", ""), "certs"))
        if not Path(directory).is_dir():
            directory = None
    context = ssl.create_default_context(cafile=cafile, capath=directory)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _connected(origin: Origin, deadline: float | None) -> socket.socket:
    failure: OSError | None = None
    for family, kind, protocol, _, address in socket.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(_left(deadline))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for name, value in _KEEPALIVE:
                if hasattr(socket, name):
                    sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    raise failure or OSError(f"no address found for {origin.host}")


def _left(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time for connecting is over")
    return left
