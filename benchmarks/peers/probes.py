"""What a gateway does with three answers by which people choose one."""

from __future__ import annotations

from typing import NamedTuple

from benchmarks.peers.http_call import Answer, Exchange
from benchmarks.upstream import RETRY_AFTER


class Findings(NamedTuple):
    """In the words of the table.

    Args:
        retry_after: what becomes of a 429 with Retry-After.
        usage: whether the client that asks for it gets the usage of a stream.
        broken: how a stream ends that broke.
    """

    retry_after: str
    usage: str
    broken: str


def retry_after(exchange: Exchange) -> str:
    """What becomes of a 429 with Retry-After."""
    answer = _asked(exchange, "[refused]")
    if answer is None:
        return "no answer"
    return f"{'yes' if answer.headers.get('retry-after') == str(RETRY_AFTER) else 'no'}, {answer.status}"


def usage(exchange: Exchange) -> str:
    """Whether the client that asks for it gets the usage of a stream."""
    answer = _asked(exchange, "", stream=True, stream_options={"include_usage": True})
    if answer is None:
        return "no answer"
    return "yes" if b'"total_tokens":260' in answer.body.replace(b" ", b"") else "no"


def broken(exchange: Exchange) -> str:
    """How a stream ends that broke."""
    answer = _asked(exchange, "[broken]", stream=True)
    if answer is None:
        return "no answer"
    if answer.status != 200:
        return f"status {answer.status}"
    if b'"error"' in answer.body:
        return "error event, then [DONE]" if b"[DONE]" in answer.body else "error event"
    return "as if whole" if answer.complete else "cut connection"


def _asked(exchange: Exchange, marker: str, **fields: object) -> Answer | None:
    try:
        return exchange(marker, **fields)
    except (OSError, RuntimeError):
        return None
