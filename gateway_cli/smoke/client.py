"""A small HTTP client that says where a request failed: at the name, the connection, the certificate or the answer.

Other clients fold these into one error, and what mends them is different. Nothing is repeated, redirected or kept.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

LONGEST = 120.0
"""Seconds that an answer may take altogether, however often the server says something meanwhile."""

_MAX_BODY = 4 * 1024 * 1024
_PIECE = 64 * 1024
_PORTS = {"https": 443, "http": 80}


class Phase(StrEnum):
    """How far a request came before it failed."""

    NAME = "DNS"
    CONNECTION = "TCP"
    CERTIFICATE = "TLS"
    ANSWER = "HTTP"


class UnreachableError(Exception):
    """There is no answer, or no whole one.

    Args:
        phase: where it failed.
        message: why.
    """

    def __init__(self, phase: Phase, message: str) -> None:
        super().__init__(f"{phase}: {message}")
        self.phase = phase


@dataclass(slots=True)
class Reply:
    """An answer whose status and headers are here.

    Args:
        status: HTTP status.
        headers: by their lower-case names.
        began: when its request was begun, on the monotonic clock.
        timeout: seconds to wait each time for something to come.
        response: gives the body.
    """

    status: int
    headers: Mapping[str, str]
    began: float
    timeout: float
    response: http.client.HTTPResponse = field(repr=False)

    @property
    def seconds(self) -> float:
        """How long it has taken up to now."""
        return time.monotonic() - self.began

    def pieces(self) -> Iterator[bytes]:
        """The body as it comes.

        Raises:
            UnreachableError: if it is cut short, or takes too long.
        """
        while piece := self._read():
            yield piece
            if self.seconds > LONGEST:
                raise UnreachableError(Phase.ANSWER, f"the answer has not ended after {LONGEST:.0f} s")
        if self.response.length:
            raise UnreachableError(Phase.ANSWER, "the answer was cut short")

    def _read(self) -> bytes:
        try:
            # Not by lines: http.client takes a chunked body that is cut short for one that has ended, when it reads those.
            return self.response.read1(_PIECE)
        except (OSError, http.client.HTTPException) as error:
            raise _broken(error, self.timeout) from None

    def body(self) -> bytes:
        """The whole body, or as much of it as anybody needs to see.

        Raises:
            UnreachableError: see `pieces`.
        """
        parts: list[bytes] = []
        for piece in self.pieces():
            parts.append(piece)
            if sum(map(len, parts)) > _MAX_BODY:
                break
        return b"".join(parts)


@contextmanager
def requested(
    method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None, timeout: float
) -> Iterator[Reply]:
    """Send a request, and read its answer while the block runs.

    Args:
        method: as in `GET`.
        url: absolute.
        headers: all but `Host` and `Content-Length`.
        body: of the request. Default: none.
        timeout: seconds to wait for the connection, and each time for something to come.

    Raises:
        UnreachableError: if there is no answer.
    """
    parts, began = urlsplit(url), time.monotonic()
    connection = _connected(parts, timeout)
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        # A proxy for plain HTTP wants the whole address.
        connection.request(
            method, url if _proxy(parts) and parts.scheme == "http" else path, body, {"Host": parts.netloc, **headers}
        )
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        yield Reply(response.status, found, began, timeout, response)
    except (OSError, http.client.HTTPException) as error:
        raise _broken(error, timeout) from None
    finally:
        connection.close()


def _connected(parts: SplitResult, timeout: float) -> http.client.HTTPConnection:
    """A connection that is open, through the user's proxy if there is one."""
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    proxy = _proxy(parts)
    connection = http.client.HTTPConnection(*(proxy or (host, port)), timeout=timeout)
    if proxy and parts.scheme == "https":
        connection.set_tunnel(host, port)
    where = f"the proxy {connection.host}:{connection.port}" if proxy else f"{host}:{port}"
    try:
        # By itself, so that a name that does not exist is told from a host that does not answer.
        socket.getaddrinfo(connection.host, connection.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UnreachableError(Phase.NAME, f"{connection.host} has no address ({_reason(error)})") from None
    phase = Phase.CONNECTION
    try:
        connection.connect()
        if parts.scheme == "https":
            phase = Phase.CERTIFICATE
            connection.sock = ssl.create_default_context().wrap_socket(connection.sock, server_hostname=host)
    except TimeoutError:
        connection.close()
        raise UnreachableError(phase, f"{where} does not answer within {timeout:g} s") from None
    except OSError as error:
        connection.close()
        what = f"{where} cannot be connected to" if phase is Phase.CONNECTION else f"no secure connection to {host}"
        raise UnreachableError(phase, f"{what} ({_reason(error)})") from None
    return connection


def _broken(error: OSError | http.client.HTTPException, timeout: float) -> UnreachableError:
    """What an error says that came when the connection stood."""
    if isinstance(error, TimeoutError):
        why = f"nothing came for {timeout:g} s"
    elif isinstance(error, http.client.IncompleteRead):
        why = "the answer was cut short"
    elif isinstance(error, OSError):
        why = f"the connection broke ({_reason(error)})"
    else:
        why = f"no HTTP answer ({type(error).__name__}: {error})"
    return UnreachableError(Phase.ANSWER, why)


def _proxy(parts: SplitResult) -> tuple[str, int] | None:
    """The proxy that the user's environment names for a URL."""
    host = parts.hostname or ""
    named = urllib.request.getproxies().get(parts.scheme)
    if not named or _is_here(host) or urllib.request.proxy_bypass(host):
        return None
    address = urlsplit(named if "//" in named else f"//{named}")
    return (address.hostname, address.port or _PORTS["http"]) if address.hostname else None


def _is_here(host: str) -> bool:
    """Whether a host is this machine, which no proxy leads to."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return error.verify_message
    return error.strerror or str(error) or type(error).__name__
