"""What hooks are told about a response."""

from __future__ import annotations

from typing import NamedTuple

from lambda_runtime.usage import Usage


class HookResponse(NamedTuple):
    """What came of a request. The client has its whole answer by then.

    Args:
        status: the status that the client got; 499 if it had gone before.
        model: the upstream's own name of the model that was asked last. Default: none was.
        upstream: name of the upstream that was asked last. Default: none was.
        usage: tokens. Default: unknown.
        error: machine-readable cause of a failure, as in the log line. Default: nothing failed.
        streamed: whether a stream was asked for. Default: False.
        duration_ms: milliseconds from the event to the end of the answer. Default: 0.
        first_byte_ms: milliseconds from the event to the first byte of the answer. Default: there was none.
        cost_usd: what the usage cost by the gateway's prices, an estimate. Default: unknown.
    """

    status: int
    model: str | None = None
    upstream: str | None = None
    usage: Usage | None = None
    error: str | None = None
    streamed: bool = False
    duration_ms: float = 0.0
    first_byte_ms: float | None = None
    cost_usd: float | None = None
