"""How long the gateway waits."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import inf


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
        ValueError: if one is not positive, or infinite.
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
            if not (value is None and name == "total") and not 0 < value < inf:
                raise ValueError(f"timeouts: {name} must be more than 0 seconds, got {value!r}")
