"""Breakers through the table: opened, probed, closed, cooled and overruled, by instances that know of each other only by it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lambda_runtime.state.operator_actions import close_breaker
from lambda_runtime.state.outcome import Attempted, Outcome
from lambda_runtime.state.target_states import Availability, NoStates, TargetStates
from tests.lambda_runtime.state.table_kit import OTHER, START, TARGET, Clock, Instance, Table, fail, opened, succeed

CLOSED, HALF_OPEN, OPEN = Availability.CLOSED, Availability.HALF_OPEN, Availability.OPEN
WHOLE = "main/*"


def test_both_are_target_states(instance: Instance) -> None:
    states: list[TargetStates] = [instance, NoStates()]
    for each in states:
        assert each.availability(TARGET) is CLOSED
        assert each.open_since(TARGET) == 0.0
        assert each.weight("gpt-4", TARGET) is None
        each.forget()


def test_an_attempt_is_one_addition(instance: Instance, table: Table) -> None:
    succeed(instance)
    assert [operation for operation, _ in table.requests] == ["UpdateItem"]
    assert table.window(TARGET) == {"001790000000": {"calls": 1, "row": 0, "expires": 1_790_000_300}}
    fail(instance, 2)
    assert table.window(TARGET)["001790000000"] == {"calls": 3, "failures": 2, "row": 2, "expires": 1_790_000_300}
    assert len(table.asked("UpdateItem")) == 3
    succeed(instance)
    assert table.window(TARGET)["001790000000"]["row"] == 0


def test_the_window_is_read_after_failures_only_and_consistently(instance: Instance, table: Table) -> None:
    succeed(instance, 3)
    assert table.asked("Query") == []
    fail(instance)
    (query,) = table.asked("Query")
    assert query["ConsistentRead"] is True


def test_five_failures_in_a_row_open(instance: Instance, table: Table, clock: Clock) -> None:
    fail(instance, 4)
    assert instance.availability(TARGET) is CLOSED
    clock.pass_(14)  # another bucket
    fail(instance)
    assert instance.availability(TARGET) is OPEN
    assert instance.open_since(TARGET) == clock.now
    assert instance.availability(OTHER) is CLOSED
    assert table.breaker(TARGET) == {
        "state": "open",
        "by": "5 failures in a row",
        "since": clock.now,
        "until": clock.now + 30,
        "openings": 1,
        "successes": 0,
        "probe_until": 0,
        "rev": 1,
        "expires": int(clock.now + 30 + 86_400),
    }


def test_a_success_between_keeps_it_closed(instance: Instance) -> None:
    for _ in range(3):
        fail(instance, 4)
        succeed(instance)
    assert instance.availability(TARGET) is CLOSED


def test_the_rate_opens(instance: Instance, table: Table) -> None:
    for _ in range(4):
        fail(instance)
        succeed(instance, 4)
    assert instance.availability(TARGET) is CLOSED  # 20 calls, 4 failures
    fail(instance)
    assert instance.availability(TARGET) is OPEN
    assert table.breaker(TARGET)["by"] == "failure rate"


def test_failures_of_more_than_a_minute_ago_do_not_count(instance: Instance, clock: Clock) -> None:
    fail(instance, 4)
    clock.pass_(60)
    fail(instance)
    assert instance.availability(TARGET) is CLOSED


def test_other_instances_follow(instance_of: Callable[[str], Instance], table: Table, clock: Clock) -> None:
    one, two = instance_of(table.url), instance_of(table.url)
    two.look()
    opened(one, clock)
    assert two.availability(TARGET) is CLOSED
    clock.pass_(1.9)
    two.look()
    assert two.availability(TARGET) is CLOSED  # what is known is young enough
    clock.pass_(0.2)
    two.look()
    assert two.availability(TARGET) is OPEN
    assert two.open_since(TARGET) == one.open_since(TARGET) == START


def test_failures_of_several_instances_add_up(instance_of: Callable[[str], Instance], table: Table) -> None:
    instances = [instance_of(table.url) for _ in range(5)]
    for each in instances:
        fail(each)
    assert [each.availability(TARGET) for each in instances] == [CLOSED] * 4 + [OPEN]


def test_failures_from_before_do_not_open_a_closed_breaker(instance: Instance, table: Table, clock: Clock) -> None:
    fail(instance, 4)
    opened_at = clock.now
    fail(instance)
    table.do(*close_breaker(TARGET, now=clock.now + 0.5))
    clock.pass_(2.5)  # the same bucket
    instance.look()
    fail(instance, 4)
    assert instance.availability(TARGET) is CLOSED
    assert len(table.window(TARGET)) == 2
    fail(instance)
    assert instance.availability(TARGET) is OPEN
    assert clock.now - opened_at < 10


def test_late_failures_change_nothing_about_an_open_breaker(
    instance_of: Callable[[str], Instance], table: Table, clock: Clock
) -> None:
    opened(instance_of(table.url), clock)
    before = table.breaker(TARGET)
    clock.pass_(8)
    for _ in range(5):
        late = instance_of(table.url)
        fail(late)  # it knows of no opening: its attempt began before
        assert late.availability(TARGET) is OPEN
    assert table.breaker(TARGET) == before


def test_an_open_breaker_is_kept_open_while_tries_fail_and_counts_no_opening(
    instance: Instance, table: Table, clock: Clock
) -> None:
    opened(instance, clock)
    clock.pass_(20)
    fail(instance, 5)  # all targets are open, and one is tried all the same
    assert table.breaker(TARGET)["until"] == clock.now + 30
    assert table.breaker(TARGET)["openings"] == 1
    assert table.breaker(TARGET)["since"] == START


def test_it_is_never_shortened(instance: Instance, table: Table, clock: Clock) -> None:
    opened(instance, clock, times=3)
    clock.pass_(80)
    before = table.breaker(TARGET)
    assert before["until"] == clock.now + 10
    instance._jitter = lambda: -1.0
    clock.pass_(-79)
    fail(instance, 5)
    assert table.breaker(TARGET)["until"] == before["until"]


@pytest.mark.parametrize(("retry_after", "seconds"), [(None, 30), (7.5, 7.5), (86_400.0, 300)])
def test_a_429_cools(
    instance_of: Callable[[str], Instance], table: Table, clock: Clock, retry_after: float | None, seconds: float
) -> None:
    one, two = instance_of(table.url), instance_of(table.url)
    one.record([Attempted(TARGET, Outcome.RATE_LIMITED, retry_after)])
    two.look()
    for each in (one, two):
        assert each.availability(TARGET) is OPEN
        assert each.availability("main/other") is CLOSED
        assert each.open_since(TARGET) == START
    assert table.window(TARGET) == {}
    clock.pass_(seconds - 0.1)
    assert two.availability(TARGET) is OPEN
    clock.pass_(0.2)
    for each in (one, two):
        assert each.availability(TARGET) is CLOSED
        assert each.open_since(TARGET) == 0


def test_a_429_that_invites_to_come_back_at_once_does_not(instance: Instance, table: Table) -> None:
    instance.record([Attempted(TARGET, Outcome.RATE_LIMITED, 0.0)])
    assert instance.availability(TARGET) is CLOSED
    assert table.requests == []


def test_a_cooling_is_not_shortened(instance_of: Callable[[str], Instance], table: Table, clock: Clock) -> None:
    one, two = instance_of(table.url), instance_of(table.url)
    one.record([Attempted(TARGET, Outcome.RATE_LIMITED, 60.0)])
    two.record([Attempted(TARGET, Outcome.RATE_LIMITED, 5.0)])
    clock.pass_(50)
    assert two.availability(TARGET) is OPEN


def test_a_refused_key_opens_the_whole_upstream(instance: Instance, table: Table, clock: Clock) -> None:
    instance.attempt(Outcome.KEY_REFUSED)
    for target in (TARGET, "main/other"):
        assert instance.availability(target) is OPEN
        assert instance.open_since(target) == START
    assert instance.availability(OTHER) is CLOSED
    assert table.breaker(WHOLE)["by"] == "key refused"
    assert table.window(TARGET) == {}
    clock.pass_(31)
    assert instance.availability("main/other") is HALF_OPEN
    assert instance.take_probe("main/other")
    assert not instance.take_probe(TARGET)
    instance.attempt(Outcome.KEY_REFUSED, "main/other", probe=True)
    assert table.breaker(WHOLE)["openings"] == 2
    assert instance.availability(TARGET) is OPEN


def test_what_a_client_did_wrong_is_not_written(instance: Instance, table: Table) -> None:
    instance.attempt(Outcome.IGNORED, times=30)
    assert table.requests == []


@pytest.mark.parametrize("target", ["main/*", "main/" + "m" * 600])
def test_a_model_name_that_a_client_made_up_gets_no_state(instance: Instance, table: Table, target: str) -> None:
    for outcome in Outcome:
        instance.attempt(outcome, target, times=6)
    assert table.requests == []
    assert instance.availability(TARGET) is CLOSED


# Life times


def test_what_has_expired_counts_no_more_though_it_is_still_there(instance: Instance, table: Table, clock: Clock) -> None:
    opened(instance, clock, times=8)
    clock.pass_(2 * 86_400)
    instance.look()
    assert table.breaker(TARGET)["openings"] == 8
    assert instance.availability(TARGET) is CLOSED
    fail(instance, 5)
    assert table.breaker(TARGET)["openings"] == 1


def test_openings_go_on_where_the_item_has_been_deleted_meanwhile(instance: Instance, table: Table, clock: Clock) -> None:
    opened(instance, clock)
    clock.pass_(31)
    table.boto.delete_item(TableName="gateway-state", Key={"pk": {"S": "state"}, "sk": {"S": f"breaker#{TARGET}"}})
    assert instance.take_probe(TARGET)  # nothing to probe: it is closed
    assert instance.availability(TARGET) is CLOSED
    instance.attempt(Outcome.FAILURE, probe=True, times=5)
    assert instance.availability(TARGET) is OPEN
    assert table.breaker(TARGET)["openings"] == 1


def test_forgetting(instance: Instance, table: Table, clock: Clock) -> None:
    opened(instance, clock)
    instance.forget()
    assert instance.availability(TARGET) is CLOSED
    instance.look()
    assert instance.availability(TARGET) is OPEN
    assert table.breaker(TARGET)["openings"] == 1
