"""Passes a function's answer on to the client while the function is still writing it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

from aiohttp import web
from multidict import CIMultiDict

from gateway_cli.console import Output
from gateway_cli.local.answer import Answer, FunctionError, Head
from gateway_cli.local.gateway_responses import Refusal

HEADER_BYTES = 10_240
"""What all header values of a response may have together."""
IDLE_SECONDS = 300.0
"""How long a streamed answer of a regional or private API may be silent."""

_NEVER_PASSED_ON = frozenset({"transfer-encoding", "connection", "keep-alive", "upgrade", "content-length", "trailer"})
_REMAPPED = frozenset(
    {
        "authorization",
        "date",
        "expect",
        "host",
        "max-forwards",
        "proxy-authenticate",
        "server",
        "user-agent",
        "www-authenticate",
    }
)


class NotRelayedError(Exception):
    """The function has not answered, or nothing that can be passed on, and nothing has been sent yet.

    Args:
        refusal: what the client is told.
        reason: what the terminal is told.
    """

    def __init__(self, refusal: Refusal, reason: str) -> None:
        super().__init__(reason)
        self.refusal = refusal
        self.reason = reason


FUNCTION_FAILED = Refusal(kind="INTEGRATION_FAILURE", status=502)
"""A function that fails, times out or answers nonsense: its invocation as such succeeds, so API Gateway says 502, not 504."""


def client_headers(head: Head, own: Iterable[tuple[str, str]]) -> CIMultiDict[str]:
    """The headers for the client: the function's, a few renamed as API Gateway does, and API Gateway's own.

    Raises:
        NotRelayedError: if they are too many bytes.
    """
    headers = CIMultiDict[str]()
    for name, value in head.headers:
        lower = name.lower()
        if lower not in _NEVER_PASSED_ON:
            headers.add(f"x-amzn-Remapped-{name}" if lower in _REMAPPED else name, value)
    headers.setdefault("Content-Type", "application/json")
    if sum(len(value.encode()) for value in headers.values()) > HEADER_BYTES:
        raise NotRelayedError(FUNCTION_FAILED, f"the answer's header values have more than {HEADER_BYTES} bytes together")
    for name, value in own:
        headers.add(name, value)
    return headers


async def relay(
    request: web.BaseRequest, answer: Answer, *, limit: float, streaming: bool, own: Iterable[tuple[str, str]], output: Output
) -> web.StreamResponse:
    """Send the answer to the client.

    Args:
        request: the client's request.
        answer: the function's answer.
        limit: seconds that the whole answer may take.
        streaming: whether the integration streams, so that silence is limited, too.
        own: API Gateway's own headers.
        output: takes what goes wrong after the first byte, which the client sees as a cut connection.

    Raises:
        NotRelayedError: if nothing has been sent, so that an error still can be.
    """
    deadline = time.monotonic() + limit
    # Silence before the first byte counts as well.
    silence = min(limit, IDLE_SECONDS) if streaming else limit
    try:
        async with asyncio.timeout(silence):
            head = await answer.head()
    except TimeoutError as error:
        answer.drop()
        raise NotRelayedError(Refusal(kind="INTEGRATION_TIMEOUT"), f"no answer within {silence:.0f} s") from error
    except FunctionError as error:
        raise NotRelayedError(FUNCTION_FAILED, str(error)) from error
    headers = client_headers(head, own)
    if answer.whole is not None:
        return web.Response(status=head.status, headers=headers, body=answer.whole)
    response = web.StreamResponse(status=head.status, headers=headers)
    if request.version >= (1, 1) and head.status not in {204, 304}:
        response.enable_chunked_encoding()
    try:
        await response.prepare(request)
        await _pass_on(answer, response, deadline)
        await response.write_eof()
    except (FunctionError, TimeoutError) as error:
        reason = str(error) or f"silent for {IDLE_SECONDS:.0f} s, or longer than the {limit:.0f} s of the integration"
        output.error(f"{request.method} {request.path}: the answer broke off after it had started: {reason}")
        answer.drop()
        if request.transport and isinstance(error, FunctionError):
            # What has been written still goes out: the last of it may be the event that tells the client.
            request.transport.close()
        elif request.transport:
            request.transport.abort()
    except ConnectionError:
        # The client has gone. The function does not learn of it and runs to its end.
        answer.drop()
    return response


async def _pass_on(answer: Answer, response: web.StreamResponse, deadline: float) -> None:
    """Write the body's pieces as they come.

    Raises:
        FunctionError: if the answer breaks off.
        TimeoutError: if the function is silent for too long, or all of it takes too long.
    """
    body = answer.body()
    while True:
        async with asyncio.timeout(max(0.0, min(IDLE_SECONDS, deadline - time.monotonic()))):
            piece = await anext(body, None)
        if piece is None:
            return
        # A client that reads nothing has until the integration's end, as one that reads slowly has.
        async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
            await response.write(piece)
