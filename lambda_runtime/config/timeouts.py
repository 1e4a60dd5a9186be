"""How long the gateway waits."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import inf

_API_GATEWAY_SILENCE = 300
"""Seconds of silence after which API Gateway gives up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeouts:
    """How long the gateway waits, in seconds.

    Args:
        connect: for a connection to an upstream, TLS included.
        first_content: for the first content of a streamed answer after the request was sent. What comes before content (roles,
            pings, `message_start`) does not count. A `ModelRoute` may have its own.
        first_content_reasoning: the same for a model that thinks before it speaks: one that is asked to (`reasoning_effort`,
            `reasoning`, `thinking`), or whose name says so.
        idle: between two reads of a streamed answer after its first content.
        unstreamed: for all of an answer that is not streamed, which the provider sends when it is complete. API Gateway itself
            gives up after 300 s of silence.
        total: for the whole request, all attempts together. None: until 1.5 s before the function's own time-out, which is the
            limit in any case.
        heartbeat: silence towards the client of a stream after which it is sent a heartbeat. API Gateway gives up after 300.

    Raises:
        ValueError: if one is no number, not positive or infinite, or if API Gateway would give up before `unstreamed` or
            `heartbeat` is over.
    """

    connect: float = 3.0
    first_content: float = 30.0
    first_content_reasoning: float = 120.0
    idle: float = 60.0
    unstreamed: float = 290.0
    total: float | None = None
    heartbeat: float = 20.0

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self)):
            value = getattr(self, name)
            if not (value is None and name == "total"):
                require_seconds(f"timeouts: {name}", value)
        if self.unstreamed > _API_GATEWAY_SILENCE:
            raise ValueError(
                f"timeouts: unstreamed must be {_API_GATEWAY_SILENCE} seconds at most, after which API Gateway gives up on an "
                f"answer that has not begun, got {self.unstreamed!r}"
            )
        if self.heartbeat >= _API_GATEWAY_SILENCE:
            raise ValueError(
                f"timeouts: heartbeat must be less than {_API_GATEWAY_SILENCE} seconds, after which API Gateway gives up on a "
                f"silent stream, got {self.heartbeat!r}"
            )


def is_number(value: object) -> bool:
    """Whether a value is a number. A boolean is one to Python only."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def require_seconds(what: str, value: float) -> None:
    """Refuse what is no time to wait. Who writes CDK apps tries a `Duration` first.

    Raises:
        ValueError: if the value is no number, not positive, or infinite.
    """
    if not is_number(value):
        raise ValueError(f"{what} must be a number of seconds, for example 5, got {value!r}")
    if not 0 < value < inf:
        raise ValueError(f"{what} must be more than 0 seconds, got {value!r}")
