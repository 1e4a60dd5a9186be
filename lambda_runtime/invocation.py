"""The seam between the Runtime API loop and the gateway: what a handler is given, and how it answers.

AWS plans response streaming in its own Python client. When that comes, the loop goes and only an adapter to these types stays.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

STOP_BEFORE_DEADLINE = 1.5
"""Seconds before Lambda's deadline at which an answer must be over: at its time-out a function is killed mid-stream."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Invocation:
    """One event's circumstances.

    Args:
        request_id: Lambda's id of the invocation.
        deadline: when Lambda kills the function, in seconds since the epoch.
        function_arn: the ARN that was invoked, with its alias or version.
        trace_id: X-Ray's trace header, or empty.
    """

    request_id: str
    deadline: float
    function_arn: str = ""
    trace_id: str = ""

    def remaining(self) -> float:
        """Seconds until the handler must have ended its answer; never negative."""
        return max(0.0, self.deadline - STOP_BEFORE_DEADLINE - time.time())


class ResponseWriter(Protocol):
    """Takes the answer. Safe to use from two threads at once (a heartbeat beside a relay)."""

    @property
    def started(self) -> bool:
        """Whether `start` was called: from then on an error can no longer change status and headers."""

    def start(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        """Begin the answer with status and headers. A name may occur more than once.

        A writer may hold them until the first piece of the body, or the end if there is none: nothing is promised to be with
        the client before that.
        """

    def write(self, data: bytes) -> None:
        """Send a piece of the body at once. Empty data is ignored.

        Raises:
            ClientGoneError: if Lambda no longer takes the answer.
        """

    def end(self) -> None:
        """The answer is complete. What the handler does afterwards delays nobody but the next event."""

    def fail(self, error_type: str, message: str) -> None:
        """The answer broke after it had started: ends it and tells Lambda so in trailers, as `Function.<error_type>`."""


class ClientGoneError(Exception):
    """Lambda no longer takes this invocation's answer: it came too late (410), or the connection to the Runtime API broke."""


Handler = Callable[[dict[str, Any], Invocation, ResponseWriter], None]
"""Answers one event through the writer. It may go on after `end()`; the loop asks for the next event when it returns.

A handler that raises before `start` has failed (Lambda's `/error`); one that raises after it ends the answer with trailers.
"""
