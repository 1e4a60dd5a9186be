"""What an operator says, as function instances heed it."""

from __future__ import annotations

from math import inf

from lambda_runtime.state.operator_actions import close_breaker, open_breaker, reset_weight, set_weight
from lambda_runtime.state.outcome import Attempted, Outcome
from lambda_runtime.state.target_states import Availability
from tests.lambda_runtime.state.table_kit import TARGET, Clock, Instance, Table, fail

CLOSED, HALF_OPEN, OPEN = Availability.CLOSED, Availability.HALF_OPEN, Availability.OPEN
WHOLE = "main/*"


def test_an_operator_opens_and_closes(instance: Instance, table: Table, clock: Clock) -> None:
    table.do(*open_breaker("main", now=clock.now))
    instance.look()
    assert instance.availability(TARGET) is OPEN
    assert instance.open_since(TARGET) == inf
    clock.pass_(10_000_000)
    instance.look()
    assert instance.availability(TARGET) is OPEN
    table.do(*close_breaker("main", now=clock.now))
    clock.pass_(2)
    instance.look()
    assert instance.availability(TARGET) is CLOSED
    assert instance.open_since(TARGET) == 0


def test_an_operators_opening_ends_without_probes(instance: Instance, table: Table, clock: Clock) -> None:
    table.do(*open_breaker(TARGET, seconds=600, now=clock.now))
    instance.look()
    clock.pass_(599)
    instance.look()
    assert instance.availability(TARGET) is OPEN
    clock.pass_(2)
    assert instance.availability(TARGET) is CLOSED
    fail(instance, 5)
    assert instance.availability(TARGET) is OPEN
    assert table.breaker(TARGET)["openings"] == 1


def test_nothing_automatic_overrules_an_operator(instance: Instance, table: Table, clock: Clock) -> None:
    table.do(*open_breaker(TARGET, seconds=600, now=clock.now), *close_breaker("main", seconds=600, now=clock.now))
    words = table.breaker(TARGET), table.breaker(WHOLE)
    fail(instance, 6)  # it has not heard of it yet
    instance.attempt(Outcome.KEY_REFUSED)
    assert (table.breaker(TARGET), table.breaker(WHOLE)) == words
    clock.pass_(3)
    instance.look()
    fail(instance, 6)
    instance.attempt(Outcome.KEY_REFUSED)
    assert (table.breaker(TARGET), table.breaker(WHOLE)) == words


def test_closing_ends_a_cooling(instance: Instance, table: Table, clock: Clock) -> None:
    instance.record([Attempted(TARGET, Outcome.RATE_LIMITED, 200.0)])
    table.do(*close_breaker(TARGET, now=clock.now))
    clock.pass_(2)
    instance.look()
    assert instance.availability(TARGET) is CLOSED


def test_weights(instance: Instance, table: Table, clock: Clock) -> None:
    table.do(*set_weight("gpt-4#x%", TARGET, 12.5, now=clock.now))
    instance.look()
    assert instance.weight("gpt-4#x%", TARGET) == 12.5
    assert instance.weight("gpt-4", TARGET) is None
    table.do(*reset_weight("gpt-4#x%", TARGET, now=clock.now))
    clock.pass_(2)
    instance.look()
    assert instance.weight("gpt-4#x%", TARGET) is None
