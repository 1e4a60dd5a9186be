"""An upstream that fails for some minutes."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from lambda_runtime.config import Timeouts
from lambda_runtime.errors import UpstreamError, UpstreamTimeoutError
from lambda_runtime.failures import FailedAttempt
from lambda_runtime.state.outcome import Outcome

REFUSAL_SECONDS = 0.2
"""What an upstream takes to answer 500. Stated, not measured."""


class Kind(Enum):
    """How it fails."""

    STATUS_500 = "answers 500"
    SILENT = "is silent"


class Fault(NamedTuple):
    """A time in which one upstream fails.

    Args:
        kind: how.
        upstream: which.
        start: from when, in seconds of the simulation.
        end: until when.
    """

    kind: Kind
    upstream: str
    start: float
    end: float

    def of(self, upstream: str, now: float, timeouts: Timeouts, *, streamed: bool) -> tuple[float, FailedAttempt] | None:
        """How an upstream fails that is asked now: after how many seconds, and what the gateway takes it for. None: it answers.

        Args:
            upstream: which.
            now: the time.
            timeouts: how long the gateway waits for it.
            streamed: whether it is asked for a stream.
        """
        if upstream != self.upstream or not self.start <= now < self.end:
            return None
        if self.kind is Kind.STATUS_500:
            return REFUSAL_SECONDS, FailedAttempt(UpstreamError("status 500"), Outcome.FAILURE, repeatable=True)
        seconds = timeouts.first_content if streamed else timeouts.unstreamed
        return seconds, FailedAttempt(UpstreamTimeoutError("silent"), Outcome.FAILURE, billed=True)
