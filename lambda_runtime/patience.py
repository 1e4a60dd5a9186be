"""How long the gateway waits for an upstream, and what the client hears meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

import httpx

from lambda_runtime.config import Timeouts
from lambda_runtime.errors import DeadlineError, GatewayError, UpstreamTimeoutError

_ALMOST = 0.01  # seconds: a wait until a limit may end a little before it
_WIND_UP = 0.25
_NEVER = float("inf")


class Silence(Protocol):
    """The silence towards the client, which heartbeats break."""

    def next_beat(self) -> float:
        """When a heartbeat is due, as `time.time()`; infinite if the client gets none."""

    def beat(self) -> None:
        """Send one."""


class _Nobody:
    """Nobody waits who would have to be kept awake."""

    def next_beat(self) -> float:
        """Never."""
        return _NEVER

    def beat(self) -> None:
        """Nothing is sent."""


NOBODY: Silence = _Nobody()
"""For requests of our own."""


class Patience:
    """How long the next step with an upstream may take: its own time-out, or what is left until our deadline.

    A `lambda_runtime.connection.ReadLimit`: the transport asks it before each read of the socket. Until the upstream's first
    content one limit holds for all reads together, so that pings and frames do not prolong it; after it each read has its own.

    Args:
        timeouts: the configured ones.
        ends: when the request must be over, as `time.time()`.
        first: seconds until the first content, or, of an answer that is not streamed, until its end.
        silence: towards the client.
        admitted: called when the connection stands, before anything is sent; what it raises passes through. Default: nothing.

    Raises:
        DeadlineError: if no time is left.
    """

    __slots__ = ("_admitted", "_connect", "_due", "_ends", "_first", "_flowing", "_idle", "_silence", "sent")

    def __init__(
        self, timeouts: Timeouts, ends: float, first: float, silence: Silence, admitted: Callable[[], None] | None = None
    ) -> None:
        now = time.time()
        self._ends = ends
        self._connect = timeouts.connect
        self._idle = timeouts.idle
        self._admitted = admitted
        self._first = first
        self._due = now + first
        self._flowing = False
        self._silence = silence
        self.sent = False
        """Whether the upstream may have the request: from then on it may have to be paid for."""
        if ends <= now:
            raise self.deadline()

    def extensions(self) -> dict[str, Any]:
        """Of a request that this is the patience for.

        Made for each request and kept by nobody else: a cycle of references would be left to the garbage collector.
        """
        left = max(self._ends - time.time(), _ALMOST)
        return {
            "timeout": {"connect": min(self._connect, left), "write": min(self._idle, left)},
            "read_budget": self,
            "connected": self._connected,
        }

    def _connected(self) -> None:
        """The request goes out now, unless it is not admitted after all."""
        if self._admitted is not None:
            self._admitted()
        self.sent = True
        self._due = time.time() + self._first

    def next_timeout(self) -> float:
        """Seconds that the next read may take; 0 or less if no time is left."""
        now = time.time()
        if self._flowing:
            self._due = now + self._idle
        if self._silence.next_beat() <= now:
            self._silence.beat()
        return self._left(now)

    def waited(self) -> float:
        """Seconds to wait on after some have passed in silence."""
        now = time.time()
        if min(self._due, self._ends) - now > _ALMOST:
            if self._silence.next_beat() - now <= _ALMOST:
                self._silence.beat()
            return max(self._left(now), _ALMOST)
        return 0.0

    def flowing(self) -> None:
        """Content has come: from now on the idle time-out counts."""
        self._flowing = True

    def wind_up(self) -> None:
        """What matters has come. Only the end is awaited, so that the connection can be used again; and not for long."""
        self._ends = min(self._ends, time.time() + _WIND_UP)
        self._silence = NOBODY

    def deadline(self) -> DeadlineError:
        """The error for the end of our own time."""
        return DeadlineError("the gateway's time limit for one request was reached before the answer was complete")

    def timed_out(self, error: httpx.TimeoutException) -> GatewayError:
        """The error for a time-out: the upstream's fault, or our own deadline's."""
        if self._ends - time.time() <= _ALMOST:
            return self.deadline()
        if isinstance(error, httpx.ConnectTimeout):
            return UpstreamTimeoutError("the upstream could not be connected to in time", code="upstream_connect_timeout")
        if self._flowing:
            return UpstreamTimeoutError(f"the upstream sent nothing for {self._idle:g} seconds")
        return UpstreamTimeoutError(f"the upstream sent no content within {self._first:g} seconds")

    def _left(self, now: float) -> float:
        return min(self._due, self._ends, self._silence.next_beat()) - now
