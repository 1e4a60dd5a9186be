"""Reads that end late, or not at all: what they say is old, and nobody waits for it."""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from lambda_runtime.state.operator_actions import open_breaker
from lambda_runtime.state.table_health import Use
from lambda_runtime.state.target_states import Availability
from tests.lambda_runtime.state.faults import reset, said
from tests.lambda_runtime.state.table_kit import TARGET, Clock, Instance, Table, fail
from tests.lambda_runtime.upstream_server import Answer, Connection, Received, UpstreamServer, answer_json

CLOSED, OPEN = Availability.CLOSED, Availability.OPEN


class Held:
    """A server's answer that waits until it is let go."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, received: Received, connection: Connection) -> None:
        self.begun.set()
        assert self.go.wait(10)
        self.answer(received, connection)


@contextmanager
def held_read(server: UpstreamServer, instance: Instance) -> Iterator[threading.Lock]:
    """A read whose answer was decided before the block and arrives at its end."""
    held, server.answer = Held(server.answer), server.answer
    server.answers.append(held)
    instance.refresh()
    assert held.begun.wait(10)
    reading = instance._reader._reading
    assert reading is not None
    yield reading
    held.go.set()
    assert reading.acquire(timeout=10)


def test_an_old_read_does_not_overwrite_what_this_instance_knows_better(table: Table, instance: Instance) -> None:
    with held_read(table.server, instance):
        # The answer that is held is made after the opening here; what counts is that the read began before.
        fail(instance, 5)
        table.boto.delete_item(TableName="gateway-state", Key={"pk": {"S": "state"}, "sk": {"S": f"breaker#{TARGET}"}})
    assert instance.availability(TARGET) is OPEN


def test_a_read_from_before_the_instance_was_frozen_is_given_up(
    server: UpstreamServer, instance_of: Callable[[str], Instance], clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answer = reset
    instance = instance_of(server.url)
    with held_read(server, instance) as old:
        clock.pass_(3600)
        item = {"sk": {"S": f"cooling#{TARGET}"}, "since": {"N": "1"}, "until": {"N": str(clock.now + 9)}}
        server.answer = answer_json({"Items": [item]})
        instance.look()
        assert instance._reader._reading is not old
        assert instance.availability(TARGET) is OPEN
    assert instance.availability(TARGET) is OPEN
    assert instance.health.may(Use.READ_STATES)
    assert said(capsys) == []


def test_forgetting_waits_for_the_read(table: Table, instance: Instance, clock: Clock) -> None:
    table.do(*open_breaker(TARGET, now=clock.now))
    instance.refresh()
    instance.forget()
    assert instance.availability(TARGET) is CLOSED
    assert instance._reader._reading is None


def test_no_thread_to_be_had(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(_thread, "start_new_thread", refuse)
    instance.refresh()
    instance.settle()
    assert instance.availability(TARGET) is CLOSED
