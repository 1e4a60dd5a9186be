"""What the tests of failing upstreams share: short time-outs, and how to look at the end of a stream."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from lambda_runtime.config import Operation, Timeouts
from tests.lambda_runtime.gateway_kit import Kit, RecordingWriter, event
from tests.lambda_runtime.samples import CHAT
from tests.lambda_runtime.upstream_server import Answer, Connection, Received

QUICK = Timeouts(connect=1.0, first_content=0.3, first_content_reasoning=0.3, idle=0.3, unstreamed=0.3)


def limits_for(request: pytest.FixtureRequest) -> Timeouts:
    """Short time-outs for tests of silence, which say so in their name. Others must not fail because the machine is busy."""
    return QUICK if "silen" in request.node.name else Timeouts()


def ask(kit: Kit, operation: Operation = CHAT, **fields: Any) -> RecordingWriter:
    return kit.call(event(operation, {"model": "m", "stream": True, **fields}))


def last_event(response: RecordingWriter) -> tuple[str, Any]:
    """Name and data of the last event, which must be one of its own."""
    assert response.body.endswith(b"\n\n")
    lines = response.body[:-2].rpartition(b"\n\n")[2].decode().split("\n")
    fields = dict(line.split(": ", 1) for line in lines)
    assert set(fields) <= {"event", "data"}
    return fields.get("event", ""), json.loads(fields["data"])


def answering_when_read(writer: RecordingWriter, begun: list[bytes], rest: list[bytes]) -> Answer:
    """A stream whose rest is sent when the client has its beginning."""

    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        connection.chunk(b"".join(begun))
        assert writer.wait_for(b"".join(begun))
        connection.chunk(b"".join(rest))
        connection.end()

    return answer


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
