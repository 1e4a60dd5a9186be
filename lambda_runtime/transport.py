"""The httpx transport that reaches upstreams and AWS's services: HTTP/1.1 over plain sockets, and nothing else.

httpx's own transport brings httpcore, h11, anyio and certifi along, which costs start-up, memory and time per chunk.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator

import httpx

from lambda_runtime.connection import Connection, Origin, tls_context
from lambda_runtime.http1 import ClosedError, ProtocolError, RawHeaders

_MAX_IDLE = 50.0
"""Seconds for which an unused connection is kept. Load balancers commonly close after 60."""

_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})


class ReadBudget:
    """How long reading an answer may take. It is looked at before each read of the socket, so it may be changed meanwhile.

    Pass it as `extensions={"read_budget": budget}`; it then takes the place of httpx's read time-out. A read that it ends
    raises `httpx.ReadTimeout`. `connection.ReadLimit` is the protocol of it, for limits of other kinds.

    Args:
        timeout: seconds that one read may wait for the peer. Default: no limit.
        deadline: `time.monotonic()` at which reading is over, however much arrives. Default: never.
    """

    __slots__ = ("deadline", "timeout")

    def __init__(self, timeout: float | None = None, deadline: float | None = None) -> None:
        self.timeout = timeout
        self.deadline = deadline

    def next_timeout(self) -> float | None:
        """Seconds that the next read may wait, None for no limit. Zero or less: the time is over."""
        if self.deadline is None:
            return self.timeout
        left = self.deadline - time.monotonic()
        return left if self.timeout is None or left < self.timeout else self.timeout

    def waited(self) -> float:
        """There is nothing to do meanwhile."""
        return 0.0


class HttpClientTransport(httpx.BaseTransport):
    """Sends requests over kept-alive HTTP/1.1 connections, one idle connection for each origin.

    The answer's bytes are handed out as they arrive, never decoded; its header fields keep their case and order. A body that
    ends before its declared end raises `httpx.RemoteProtocolError`. Time-outs are httpx's (`extensions["timeout"]`); reads may
    be limited by a `ReadBudget` instead. A function in `extensions["connected"]` is called when the connection stands and
    nothing was sent yet; what it raises passes through. Request bodies are sent whole. There are no proxies and no HTTP/2.

    Args:
        capath: directory of CA certificates with hashed names. `SSL_CERT_FILE` and `SSL_CERT_DIR` go before it. Default:
            `certs` below `LAMBDA_TASK_ROOT` if that exists, else the system's.
    """

    def __init__(self, *, capath: str | None = None) -> None:
        self._capath = capath
        self._tls: ssl.SSLContext | None = None
        self._idle: dict[Origin, Connection] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and read the answer's head.

        Raises:
            httpx.ConnectError: if there is no connection: refused, unknown host, untrusted certificate.
            httpx.ConnectTimeout: if there is none in time.
            httpx.WriteError, httpx.WriteTimeout: if the request could not be sent.
            httpx.ReadError, httpx.ReadTimeout: if the answer's head did not come.
            httpx.RemoteProtocolError: if it is not HTTP/1.1, or the peer closed the connection instead.
        """
        url = request.url
        origin = Origin(url.scheme, url.raw_host.decode("ascii"), url.port or (443 if url.scheme == "https" else 80))
        if origin.scheme not in {"http", "https"}:
            raise httpx.UnsupportedProtocol(f"the URL must start with http:// or https://, got {str(url)!r}")
        message = _serialized(request)
        timeouts = request.extensions.get("timeout") or {}
        limit = request.extensions.get("read_budget") or ReadBudget(timeouts.get("read"))
        connected = request.extensions.get("connected")
        connection = self._take_idle(origin)
        reused = connection is not None
        while True:
            if connection is None:
                connection = self._connect(origin, timeouts.get("connect"))
            connection.limit = limit
            if connected is not None:
                self._tell(connected, origin, connection)
            try:
                status, reason, headers = _exchange(connection, request.method, message, timeouts.get("write"))
            except (OSError, ProtocolError, _SendError) as error:
                again = reused and _never_served(connection, request.method, error)
                connection.close()
                if not again:
                    raise _translated(error) from error
                connection, reused = None, False
                continue
            except BaseException:
                connection.close()
                raise
            stream = _BodyStream(self, origin, connection)
            return httpx.Response(
                status,
                headers=headers,
                stream=stream,
                extensions={"http_version": b"HTTP/1.1", "reason_phrase": reason},
            )

    def close(self) -> None:
        """Close all idle connections. The transport may be used again: do this before a snapshot is taken."""
        while self._idle:
            self._idle.popitem()[1].close()

    def _tell(self, connected: Callable[[], None], origin: Origin, connection: Connection) -> None:
        try:
            connected()
        except BaseException:
            self._give_back(origin, connection)  # unused
            raise

    def _connect(self, origin: Origin, timeout: float | None) -> Connection:
        if origin.scheme == "https" and self._tls is None:
            self._tls = tls_context(self._capath)
        try:
            return Connection(origin, timeout, self._tls)
        except TimeoutError as error:
            raise httpx.ConnectTimeout(f"no connection to {origin.host}:{origin.port} within {timeout} s") from error
        except OSError as error:
            raise httpx.ConnectError(f"no connection to {origin.host}:{origin.port}: {error}") from error

    def _take_idle(self, origin: Origin) -> Connection | None:
        # Taking and giving back are single operations of a dict, so that two threads never get one connection.
        connection = self._idle.pop(origin, None)
        if connection is None:
            return None
        if time.time() - connection.idle_since > _MAX_IDLE or connection.readable():
            connection.close()
            return None
        return connection

    def _give_back(self, origin: Origin, connection: Connection) -> None:
        # Not the monotonic clock, which stands still while Lambda has the instance frozen.
        connection.idle_since = time.time()
        while self._idle.setdefault(origin, connection) is not connection:
            replaced = self._idle.pop(origin, None)
            if replaced is not None:
                replaced.close()


class _BodyStream(httpx.SyncByteStream):
    """The body, as it arrives. The connection goes back to the transport when it was read to its end."""

    def __init__(self, transport: HttpClientTransport, origin: Origin, connection: Connection) -> None:
        self._transport = transport
        self._origin = origin
        self._connection: Connection | None = connection

    def __iter__(self) -> Iterator[bytes]:
        connection = self._connection
        if connection is None:
            return
        read = connection.reader.read
        try:
            while data := read():
                yield data
        except (OSError, ProtocolError) as error:
            self.close()
            raise _translated(error) from error

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if connection.reader.complete and connection.reader.keep_alive and connection.reader.untouched:
            self._transport._give_back(self._origin, connection)  # noqa: SLF001
        else:
            connection.close()


def _serialized(request: httpx.Request) -> bytes:
    """The request's bytes. Small and large bodies alike go out with the head: one system call, one TLS record less."""
    body = b"".join(request.stream) if isinstance(request.stream, httpx.SyncByteStream) else request.read()
    lines = [request.method.encode("ascii") + b" " + request.url.raw_path + b" HTTP/1.1"]
    for name, value in request.headers.raw:
        if name.lower() == b"transfer-encoding":
            lines.append(b"Content-Length: %d" % len(body))
        else:
            lines.append(name + b": " + value)
    head = b"\r\n".join(lines)
    if b"\r" in head.replace(b"\r\n", b"") or head.count(b"\n") != len(lines) - 1:
        raise httpx.LocalProtocolError("a header field of the request contains a line break")
    return head + b"\r\n\r\n" + body


_BROKEN = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
"""What a connection that has gone raises, apart from time-outs."""


class _SendError(Exception):
    """The request could not be sent; the cause says why."""


def _exchange(connection: Connection, method: str, message: bytes, timeout: float | None) -> tuple[int, bytes, RawHeaders]:
    try:
        connection.send(message, timeout)
    except OSError as error:
        if not isinstance(error, _BROKEN):
            raise _SendError from error
        # A server may refuse a body before it has all of it: its answer is worth more than the broken pipe.
        try:
            return connection.reader.head(method)
        except (OSError, ProtocolError):
            raise _SendError from error
    return connection.reader.head(method)


def _never_served(connection: Connection, method: str, error: BaseException) -> bool:
    """Whether a request that failed on a connection kept from before may be sent again on a new one.

    A server may close an idle connection just while a request is on its way to it. Nothing was answered then, and nothing
    served. But the same is seen of a server that took the request and died on it, and a completion that is asked for twice may
    be paid for twice. So the request goes out again only if not one byte was answered and either the method is idempotent, or
    the request was not sent whole, or the peer closed before its TCP had taken it whole.
    """
    if not connection.reader.untouched:
        return False
    match error:
        case _SendError(__cause__=cause):
            return isinstance(cause, _BROKEN)
        case ClosedError():
            return method in _IDEMPOTENT or connection.request_unread()
        case _:
            return method in _IDEMPOTENT and isinstance(error, _BROKEN)


def _translated(error: BaseException) -> BaseException:
    """The exception that httpx's own transport would raise."""
    match error:
        case _SendError(__cause__=TimeoutError()):
            return httpx.WriteTimeout("the request could not be sent in time")
        case _SendError():
            return httpx.WriteError(f"the request could not be sent: {error.__cause__}")
        case ProtocolError():
            return httpx.RemoteProtocolError(str(error))
        case TimeoutError():
            return httpx.ReadTimeout(str(error) or "the peer did not answer in time")
        case OSError():
            return httpx.ReadError(f"the connection broke: {error}")
        case _:
            return error
