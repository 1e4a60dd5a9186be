"""Upstreams that stream where JSON was asked for, or the other way round, and fail at that: the next one answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lambda_runtime.config import Operation, Timeouts
from lambda_runtime.state.outcome import Outcome
from tests.lambda_runtime.failover_kit import Several, several, whole
from tests.lambda_runtime.samples import (
    ANSWERS,
    CHAT,
    CHAT_STREAM,
    MESSAGES,
    MESSAGES_STREAM,
    RESPONSES,
    RESPONSES_JSON,
)
from tests.lambda_runtime.upstream_server import JSON, Answer, Connection, Received, answer_json, answer_stream


@pytest.fixture
def gateway() -> Iterator[Several]:
    with several(names="ab") as gateway:
        yield gateway


def test_behind_heartbeats_json_becomes_a_stream_too() -> None:
    def late(_received: Received, connection: Connection) -> None:
        connection.start(200, [JSON])
        connection.wait_until_peer_closes(0.15)
        connection.chunk(json.dumps(ANSWERS[CHAT]).encode())
        connection.end()

    with several(names="a", timeouts=Timeouts(heartbeat=0.04)) as patient:
        patient.answers(a=late)
        response = patient.ask()
    assert response.body.startswith(b": heartbeat\n\n")
    assert response.body.endswith(b"data: [DONE]\n\n")
    assert response.ended


ODD: list[dict[str, Any]] = [
    {"choices": [{"index": [], "delta": {"content": "x"}, "finish_reason": None}]},
    {"choices": [{"index": 0, "delta": {"content": "x", "tool_calls": [5]}, "finish_reason": None}]},
]


@pytest.mark.parametrize(
    ("operation", "stream", "fault"),
    [
        (CHAT, False, answer_stream(CHAT_STREAM[:2])),
        (CHAT, False, answer_stream(CHAT_STREAM[:2], cut=True)),
        (CHAT, False, answer_stream([*CHAT_STREAM[:2], b'data: {"error":{"code":501}}\n\n'])),
        (CHAT, False, answer_stream([CHAT_STREAM[0], *CHAT_STREAM[3:]])),
        *((CHAT, False, answer_stream([b"data: " + json.dumps(odd).encode() + b"\n\n", *CHAT_STREAM[3:]])) for odd in ODD),
        (MESSAGES, False, answer_stream(MESSAGES_STREAM[1:])),
        (MESSAGES, False, answer_stream(MESSAGES_STREAM[:3], cut=True)),
        (CHAT, True, answer_json({"choices": []})),
        (CHAT, True, answer_json({"choices": [5]})),
        (MESSAGES, True, answer_json({"content": [], "stop_reason": "end_turn"})),
        (RESPONSES, True, answer_json(RESPONSES_JSON)),
    ],
)
def test_what_makes_no_answer_goes_on_to_the_next(gateway: Several, operation: Operation, stream: bool, fault: Answer) -> None:
    gateway.answers(a=fault)
    response = gateway.ask(operation, stream=stream)
    assert (response.status, response.body) == (200, whole(operation, stream=stream))
    assert gateway.asked == ["a", "b"]
    assert gateway.states.outcomes == [("a", Outcome.FAILURE), ("b", Outcome.SUCCESS)]
