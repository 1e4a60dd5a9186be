"""Keeps web pages away from the embedded AWS, which asks nobody who he is and lets every origin read its answers.

Without it any page that is open in a browser on this machine could try the ports of the loopback address, and read upstreams'
keys. Run by the embedded AWS's own Python, beside which nothing else of this package is installed: the standard library alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
_BODY = b"web pages are not served here: this is the embedded AWS of ai-gateway local\n"


def guarded(application: Application) -> Application:
    """An ASGI application that answers no web page.

    Args:
        application: answers everybody else.
    """

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or not of_a_page(scope["headers"]):
            await application(scope, receive, send)
        elif scope["type"] == "http":
            headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(_BODY))]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": _BODY})
        else:
            await send({"type": "websocket.close"})

    return guard


def of_a_page(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether a web page may have sent a request.

    Browsers say so themselves when one asks another origin (`Origin`, `Sec-Fetch-Site`); AWS's clients send neither. A page
    whose own name was made to lead to this machine is of the same origin for its browser, but it still asks for that name.

    Args:
        headers: the request's, names in lower case.
    """
    sent = dict(headers)
    host = sent.get(b"host", b"").decode("latin-1").lower()
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    return b"origin" in sent or b"sec-fetch-site" in sent or not (name in _HOSTS or name.endswith(".localhost"))
