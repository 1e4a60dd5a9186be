"""How long a table that has failed is left alone, and what the log says of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lambda_runtime.state.operator_actions import open_breaker
from lambda_runtime.state.state_reader import GRACE
from lambda_runtime.state.table_health import BackOff, RefusedRequestError, TableError, TableHealth, Use, Way
from lambda_runtime.state.target_states import Availability
from tests.lambda_runtime.state.faults import reset, said
from tests.lambda_runtime.state.table_kit import TARGET, Clock, Instance, Table

DOWN = TableError("no answer", "it does not answer", unreachable=True)
HELD = "requests are answered without it, and usage is not counted but held back meanwhile"


@pytest.fixture
def health(clock: Clock) -> TableHealth:
    return TableHealth(clock)


def left_alone(health: TableHealth, clock: Clock, use: Use) -> float:
    """Seconds until it may be asked again, which pass."""
    began = clock.now
    while not health.may(use):
        clock.pass_(0.5)
    return clock.now - began


def test_the_first_back_off_is_short_and_they_double_to_thirty_seconds(health: TableHealth, clock: Clock) -> None:
    waits = []
    for _ in range(7):
        health.failed(Use.WRITE_CONSUMERS, TableError("x", "x"))
        assert health.may(Use.READ_CONSUMERS)
        waits.append(left_alone(health, clock, Use.WRITE_CONSUMERS))
    assert waits == [2, 4, 8, 16, 30, 30, 30]


def test_one_success_resets_it(health: TableHealth, clock: Clock) -> None:
    for _ in range(5):
        health.failed(Use.READ_CONSUMERS, TableError("x", "x"))
        left_alone(health, clock, Use.READ_CONSUMERS)
    health.worked(Use.READ_CONSUMERS)
    health.failed(Use.READ_CONSUMERS, TableError("x", "x"))
    assert left_alone(health, clock, Use.READ_CONSUMERS) == 2


def test_a_success_of_one_use_says_nothing_about_the_other(health: TableHealth) -> None:
    health.failed(Use.READ_CONSUMERS, DOWN)
    health.worked(Use.READ_CONSUMERS)
    assert health.may(Use.READ_CONSUMERS)
    assert not health.may(Use.WRITE_CONSUMERS)


def test_what_fails_during_a_back_off_does_not_double_it(health: TableHealth, clock: Clock) -> None:
    """A read and a write that were under way together are one trouble."""
    health.failed(Use.WRITE_CONSUMERS, DOWN)
    clock.pass_(0.5)
    health.failed(Use.READ_CONSUMERS, DOWN)
    assert left_alone(health, clock, Use.READ_CONSUMERS) == 2
    assert health.may(Use.WRITE_CONSUMERS)


def test_a_clock_that_is_set_back_ends_a_back_off(health: TableHealth, clock: Clock) -> None:
    health.failed(Use.READ_CONSUMERS, TableError("x", "x"))
    assert not health.may(Use.READ_CONSUMERS)
    assert health.may(Use.WRITE_CONSUMERS)
    clock.pass_(-100)
    assert health.may(Use.READ_CONSUMERS)
    assert not BackOff(5.0, 2.0).holds(4.9)


def test_forgetting_ends_a_back_off(health: TableHealth) -> None:
    health.failed(Use.READ_CONSUMERS, DOWN)
    health.forget()
    assert health.may(Use.READ_CONSUMERS)
    assert health.may(Use.WRITE_CONSUMERS)


def test_the_warning_says_that_usage_is_held_back(health: TableHealth, capsys: pytest.CaptureFixture[str]) -> None:
    throttled = TableError("throttled", "throttled")
    health.failed(Use.READ_CONSUMERS, throttled)
    health.failed(Use.READ_CONSUMERS, throttled)
    health.failed(Use.WRITE_CONSUMERS, throttled)
    health.failed(Use.WRITE_CONSUMERS, throttled)
    health.failed(Use.READ_CONSUMERS, DOWN)
    health.failed(Use.WRITE_CONSUMERS, DOWN)
    health.failed(Use.WRITE_CONSUMERS, RefusedRequestError("invalid", "invalid"))
    assert said(capsys) == [
        "the table cannot be read: throttled; requests are answered without it",
        f"the table cannot be written: throttled; {HELD}",
        f"the table cannot be read: it does not answer; {HELD}",
        "the table cannot be written: invalid; requests are answered without it",
    ]


def test_after_one_slow_read_the_operator_is_heard_again_in_seconds(table: Table, instance: Instance, clock: Clock) -> None:
    instance.look()
    table.server.answers.append(reset)
    clock.pass_(2)
    instance.look()
    table.do(*open_breaker(TARGET, now=clock.now))
    clock.pass_(1.9)
    instance.look()
    assert instance.availability(TARGET) is Availability.CLOSED
    clock.pass_(0.2)
    instance.look()
    assert instance.availability(TARGET) is Availability.OPEN


@pytest.mark.parametrize("use", Use)
def test_what_is_throttled_is_left_alone_and_nothing_else(health: TableHealth, use: Use) -> None:
    """A partition is throttled for itself: budgets do not wait for the breaker's counts."""
    health.failed(use, TableError("ThrottlingException", "throttled"))
    assert [other for other in Use if not health.may(other)] == [use]
    for other in set(Use) - {use}:
        health.worked(other)
    assert not health.may(use)
    health.worked(use)
    assert health.may(use)


def test_a_table_that_cannot_be_reached_is_left_alone_by_all(health: TableHealth, clock: Clock) -> None:
    health.failed(Use.READ_STATES, DOWN)
    assert not any(map(health.may, Use))
    # It can be reached again, to read at least.
    health.worked(Use.READ_WINDOWS)
    assert [use for use in Use if health.may(use)] == [use for use in Use if use.way is Way.READ]
    clock.pass_(2)
    assert all(map(health.may, Use))


def test_a_use_that_is_rare_keeps_no_later_trouble_out_of_the_log(
    health: TableHealth, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    throttled = TableError("throttled", "throttled")
    for _ in range(2):
        health.failed(Use.READ_WINDOWS, throttled)
        health.failed(Use.WRITE_CONSUMERS, throttled)
        health.worked(Use.WRITE_CONSUMERS)
        clock.pass_(30)
        health.failed(Use.WRITE_CONSUMERS, throttled)
        health.worked(Use.WRITE_CONSUMERS)
        health.worked(Use.WRITE_CONSUMERS)
    assert [line.partition(":")[0] for line in said(capsys)] == [
        "the table cannot be read",
        "the table cannot be written",
        "the table can be used again",
    ] * 2


def test_the_breakers_counts_hold_no_usage_back(health: TableHealth, capsys: pytest.CaptureFixture[str]) -> None:
    health.failed(Use.WRITE_WINDOWS, TableError("throttled", "throttled"))
    assert said(capsys) == ["the table cannot be written: throttled; requests are answered without it"]


class LateLock:
    """In place of the lock that a read under way holds."""

    def __init__(self) -> None:
        self.in_time = False
        self.waited: list[float] = []

    def acquire(self, *, timeout: float) -> bool:
        self.waited.append(timeout)
        return self.in_time

    def release(self) -> None:
        """Nobody else waits."""


def test_a_read_in_time_ends_the_back_off_of_waiting(
    table: Table, instance_of: Callable[[str], Instance], clock: Clock
) -> None:
    instance = instance_of(table.url)
    reading = LateLock()

    def waits_within(seconds: int) -> int:
        reading.waited.clear()
        for _ in range(seconds):
            clock.pass_(1)
            instance._reader._reading = reading  # type: ignore[assignment]
            instance.settle()
        instance._reader._reading = None
        assert set(reading.waited) <= {GRACE}
        return len(reading.waited)

    assert waits_within(61) == 6  # at 1, 3, 7, 15, 31 and 61 s
    clock.pass_(30)
    reading.in_time = True
    assert waits_within(5) == 5
    reading.in_time = False
    assert waits_within(4) == 2  # at 1 and 3 s
