"""What is odd about an upstream's answer, which is one all the same: each as what its server does with one request."""

from __future__ import annotations

from collections.abc import Callable

from tests.faults.client import HUGE
from tests.faults.upstream_faults import Fault, begun, body_of, type_of, whole
from tests.faults.wire import FIRST, SECOND, Wire, sse
from tests.lambda_runtime.upstream_server import Answer, answer_bytes


def well(wire: Wire, _streamed: bool) -> Answer:
    return wire.well()


def labelled(content_type: str) -> Fault:
    return whole(lambda wire, streamed: body_of(wire, streamed=streamed), content_type)


def respelled(make: Callable[[bytes], bytes]) -> Fault:
    """A whole stream in another spelling of the same."""
    return whole(lambda wire, streamed: make(body_of(wire, streamed=streamed)))


def byte_by_byte(wire: Wire) -> list[bytes]:
    body = body_of(wire, streamed=True)
    return [body[at : at + 1] for at in range(len(body))]


def huge(wire: Wire, streamed: bool) -> bytes:
    return body_of(wire, streamed=streamed, pieces=(HUGE,))


def between(*odd: bytes) -> Callable[[Wire], list[bytes]]:
    """Something odd between two events."""

    def make(wire: Wire) -> list[bytes]:
        at = len(begun(wire))
        stream = wire.events()
        return [*stream[:at], *odd, *stream[at:]]

    return make


def with_lines(line: bytes) -> Callable[[bytes], bytes]:
    """A further line in each event."""
    return lambda body: line + b"\n" + body[:-2].replace(b"\n\n", b"\n\n" + line + b"\n") + b"\n\n"


def in_two_lines(body: bytes) -> bytes:
    """Each event's data in two lines, which belong together."""
    return body.replace(b"data: {", b"data: {\ndata: ")


def without_spaces(body: bytes) -> bytes:
    return body.replace(b"data: ", b"data:").replace(b"event: ", b"event:")


def and_more(wire: Wire) -> list[bytes]:
    """It goes on after its terminator."""
    return [*wire.events(), wire.content(SECOND[0]), wire.terminator]


def the_other(wire: Wire, streamed: bool) -> Answer:
    """A stream where JSON was asked, JSON where a stream was."""
    return answer_bytes(body_of(wire, streamed=not streamed), 200, [type_of(not streamed)])


def responses_events(_wire: Wire) -> list[bytes]:
    text = "".join(FIRST)
    return [
        sse({"type": "response.created", "response": {"id": "r", "status": "in_progress"}}, "response.created"),
        *(sse({"type": "response.output_text.delta", "delta": piece}, "response.output_text.delta") for piece in FIRST),
        sse({"type": "response.output_text.done", "text": text}, "response.output_text.done"),
        sse({"type": "response.completed", "response": {"id": "r", "status": "completed"}}, "response.completed"),
    ]
