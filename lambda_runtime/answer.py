"""An upstream's answer, from the attempt that obtained it to the client."""

from __future__ import annotations

from typing import NamedTuple

from lambda_runtime.headers import Headers
from lambda_runtime.router import Candidate
from lambda_runtime.streams.event_stream import EventStream
from lambda_runtime.upstream_call import UpstreamCall
from lambda_runtime.usage import Usage


class Answer(NamedTuple):
    """An answer that a client may be given.

    Args:
        candidate: who answered.
        status: its status.
        headers: those of its headers that the client gets.
        head: what the client gets first: of a stream whole events in the client's format, else the body or its beginning.
        call: the rest of it; None if `head` is all.
        stream: makes the client's events of the rest, if it is a stream.
        usage: what was used, as far as it is known from a whole body.
    """

    candidate: Candidate
    status: int
    headers: Headers
    head: bytes
    call: UpstreamCall | None = None
    stream: EventStream | None = None
    usage: Usage | None = None

    def close(self) -> None:
        """Give up what was not read."""
        if self.call is not None:
            self.call.close()
