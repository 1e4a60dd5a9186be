"""The client's side of a relayed answer: the commit point, heartbeats, and errors after it.

Status and headers are held until there is content, so that another upstream may still take over. A heartbeat that is due before
commits the client to a stream with status 200, but to no upstream: it says nothing, so failover stays invisible after it, too.
"""

from __future__ import annotations

import time

from lambda_runtime.config import Operation, WireFormat
from lambda_runtime.errors import GatewayError, error_event
from lambda_runtime.exchange import Exchange
from lambda_runtime.headers import Headers
from lambda_runtime.streams.event_stream import heartbeat

_OK = 200
_STREAM_HEADERS: Headers = [("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache")]
_NEVER = float("inf")
_LONGEST = 1024
_ID_HEADERS = {
    WireFormat.OPENAI: ("x-request-id", "request-id"),
    WireFormat.ANTHROPIC: ("request-id", "x-request-id"),
}
"""The header of an id that the format's SDKs show, and the other format's."""

DROPPED = "x-ai-gateway-dropped"
"""Header that names fields of the request which the upstream's format cannot express."""


class Delivery:
    """Delivers one answer. A `lambda_runtime.patience.Silence`.

    Args:
        exchange: the request.
        operation: what the client asked for; its format is the answer's.
        streamed: whether the client asked for a stream: only then there are heartbeats.
        heartbeat_after: seconds of silence.
    """

    __slots__ = ("_after", "_events", "_exchange", "_last", "_record", "_response", "_streamed", "_told", "operation")

    def __init__(self, exchange: Exchange, operation: Operation, *, streamed: bool, heartbeat_after: float) -> None:
        self._exchange = exchange
        self._response = exchange.response
        self._record = exchange.record
        self._streamed = streamed
        self._events = False
        self._told: tuple[str, ...] = ()
        self._after = heartbeat_after
        self._last = time.time()
        self.operation = operation

    @property
    def begun(self) -> bool:
        """Whether the client has status and headers: an error can only be an event now."""
        return self._response.started

    def next_beat(self) -> float:
        """When a heartbeat is due, as `time.time()`; infinite if the client gets none."""
        return self._last + self._after if self._streamed else _NEVER

    def beat(self) -> None:
        """Send a heartbeat. Only whole events are ever written, so that it never stands inside one."""
        if not self._response.started:
            self.start(_OK, _STREAM_HEADERS)
        self.write(heartbeat(self.operation.wire_format))
        self._record.heartbeats += 1

    def start(self, status: int, headers: Headers, *, events: bool = True) -> None:
        """Send status and headers, unless a heartbeat has.

        Args:
            status: HTTP status.
            headers: the answer's.
            events: whether what follows are events; inside another body there must be no heartbeat. Default: True.
        """
        self._events = events
        self._streamed = self._streamed and events
        dropped = self._record.dropped
        if not self._response.started:
            self._told = dropped
            named: Headers = [(DROPPED, ", ".join(dropped)[:_LONGEST])] if dropped else []
            self._record.status = status
            self._response.start(status, headers + named + self._own_ids(headers) + self._exchange.own_headers)
        elif dropped != self._told:  # too late for a header
            self._told = dropped
            self.write(f": {DROPPED}: {', '.join(dropped)[:_LONGEST]}\n\n".encode("ascii", "replace"))

    def _own_ids(self, headers: Headers) -> Headers:
        """The request's id where the client's SDK looks for it: the upstream's, else ours."""
        given = dict(headers)
        name, other = _ID_HEADERS[self.operation.wire_format]
        if name in given:
            return []
        if other in given:
            return [(name, given[other])]
        return [(name, self._record.request_id), (other, self._record.request_id)]

    def write(self, data: bytes) -> None:
        """Send whole events, or a piece of a body that is none of events.

        Raises:
            ClientGoneError: if the client is gone.
        """
        self._response.write(data)
        self._record.bytes_out += len(data)
        self._last = time.time()

    def end(self) -> None:
        """The answer is complete."""
        self._response.end()

    def break_off(self, error: GatewayError) -> None:
        """Say in the stream that has begun, if one has, that it is over. Whoever knows more tells Lambda."""
        if self._events:
            self.write(error_event(error, self.operation, self._record.request_id))

    def fail(self, error: GatewayError, *, event: bool) -> None:
        """The answer breaks after it has begun: say so in the stream if it is one, and tell Lambda.

        Args:
            error: what happened.
            event: whether the client reads events.
        """
        if event:
            self.write(error_event(error, self.operation, self._record.request_id))
        self._record.fail(error.code, broken=True)
        self._response.fail(type(error).__name__, error.message)
