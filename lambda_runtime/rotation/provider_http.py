"""Requests to providers: certificates verified, time-outs set, redirects not followed, no proxy."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

TIMEOUT = 10.0
"""Seconds for each wait on the network; an answer may take twice as long in all."""

_MAX_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """What a provider answered."""

    status: int
    body: bytes


class NoReplyError(Exception):
    """The provider did not answer. Says why, and nothing of what was sent."""


def send(method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Reply:
    """Ask once.

    Args:
        method: HTTP's.
        url: absolute.
        headers: with the key.
        body: JSON. Default: none.

    Raises:
        NoReplyError: if there is no answer.
    """
    parts = urlsplit(url)
    connection = _connection(parts.scheme, parts.hostname or "", parts.port)
    more = {"accept": "application/json", "accept-encoding": "identity", "user-agent": "cdk-ai-gateway-rotation"}
    if body is not None:
        more["content-type"] = "application/json"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, target, body=body, headers={**more, **headers})
        response = connection.getresponse()
        return Reply(response.status, _read(response))
    except (OSError, http.client.HTTPException) as error:
        raise NoReplyError(f"{parts.hostname} does not answer ({type(error).__name__})") from None
    finally:
        connection.close()


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=ssl.create_default_context())
    return http.client.HTTPConnection(host, port, timeout=TIMEOUT)


def _read(response: http.client.HTTPResponse) -> bytes:
    """The body, as far as it comes within the time: of lists of models only the status counts."""
    deadline = time.monotonic() + TIMEOUT
    body = b""
    while len(body) < _MAX_BYTES and time.monotonic() < deadline:
        piece = response.read1(65536)
        if not piece:
            break
        body += piece
    return body
