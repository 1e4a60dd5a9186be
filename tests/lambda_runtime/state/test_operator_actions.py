"""What the operator's commands write and read, against moto's table by boto3."""

from __future__ import annotations

import pytest

from lambda_runtime.state.operator_actions import (
    StateItem,
    WeightItem,
    close_breaker,
    open_breaker,
    read_states,
    reset_weight,
    set_weight,
    state_items,
    weight_items,
)
from lambda_runtime.state.outcome import Attempted, Outcome
from tests.lambda_runtime.state.table_kit import OTHER, START, TABLE, TARGET, Clock, Instance, Table, fail


def states(table: Table, clock: Clock) -> list[StateItem]:
    pages = table.boto.get_paginator("query").paginate(**read_states(TABLE))
    return state_items([item for page in pages for item in page["Items"]], clock.now)


def weights(table: Table, clock: Clock) -> list[WeightItem]:
    return weight_items(table.items("state").values(), clock.now)


def test_states_can_be_read(instance: Instance, table: Table, clock: Clock) -> None:
    fail(instance, 5)
    fail(instance, 5, OTHER)
    instance.record([Attempted("main/slow", Outcome.RATE_LIMITED, 45.0)])
    table.do(*open_breaker("odd", seconds=600, now=clock.now), *open_breaker("old/model", now=clock.now))
    row = "5 failures in a row"
    assert states(table, clock) == [
        StateItem("main/gpt-4.1", "open", START, START + 30, 1, row),
        StateItem("main/slow", "cooling", START, START + 45, by="429"),
        StateItem("odd/*", "open", START, START + 600, by="operator"),
        StateItem("old/model", "open", START, by="operator"),
        StateItem("spare/gpt-4.1", "open", START, START + 30, 1, row),
    ]
    clock.pass_(46)
    assert instance.take_probe(TARGET)
    instance.attempt(Outcome.SUCCESS, probe=True)
    assert states(table, clock)[0] == StateItem("main/gpt-4.1", "half-open", START, None, 1, row, successes=1)
    assert [state.state for state in states(table, clock)] == ["half-open", "open", "open", "half-open"]
    clock.pass_(600)
    assert StateItem("odd/*", "closed", START + 600, None, by="operator") in states(table, clock)


def test_closing_an_upstream_closes_its_models(instance: Instance, table: Table, clock: Clock) -> None:
    fail(instance, 5)
    fail(instance, 5, OTHER)
    instance.record([Attempted("main/slow", Outcome.RATE_LIMITED, 45.0)])
    instance.attempt(Outcome.KEY_REFUSED)
    clock.pass_(1)
    table.do(*close_breaker("main", now=clock.now, known=states(table, clock)))
    found = {state.name: state for state in states(table, clock)}
    assert {name: state.state for name, state in found.items()} == {
        "main/*": "closed",
        TARGET: "closed",
        "main/slow": "closed",
        OTHER: "open",
    }
    assert found[TARGET] == StateItem(TARGET, "closed", clock.now, by="operator")


def test_closing_for_a_time(table: Table, clock: Clock) -> None:
    table.do(*close_breaker(TARGET, seconds=60, now=clock.now))
    assert states(table, clock) == [StateItem(TARGET, "closed", START, START + 60, by="operator")]
    clock.pass_(661)
    assert states(table, clock) == []


def test_an_opening_without_an_end_has_no_expiry(table: Table, clock: Clock) -> None:
    table.do(*close_breaker(TARGET, now=clock.now))
    assert "expires" in table.breaker(TARGET)
    table.do(*open_breaker(TARGET, now=clock.now))
    assert "expires" not in table.breaker(TARGET)
    assert table.breaker(TARGET)["rev"] == 2


def test_weights_can_be_read(table: Table, clock: Clock) -> None:
    table.do(*set_weight("gpt-4", TARGET, 0, now=clock.now), *set_weight("a#b/%23", OTHER, 5, now=clock.now))
    assert weights(table, clock) == [WeightItem("a#b/%23", OTHER, 5, START), WeightItem("gpt-4", TARGET, 0, START)]
    table.do(*reset_weight("gpt-4", TARGET, now=clock.now))
    assert weights(table, clock) == [WeightItem("a#b/%23", OTHER, 5, START)]
    table.do(*set_weight("gpt-4", TARGET, 100, now=clock.now))
    assert len(weights(table, clock)) == 2
    clock.pass_(10_000_000)
    assert len(weights(table, clock)) == 2


def test_what_makes_no_sense_is_refused() -> None:
    for name in ("", "/", "/model", "main/"):
        with pytest.raises(ValueError, match="a breaker is named 'upstream' or 'upstream/model'"):
            open_breaker(name, now=START)
    for seconds in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="more than 0 seconds"):
            close_breaker(TARGET, seconds=seconds, now=START)
    for weight in (-1, 101, float("nan")):
        with pytest.raises(ValueError, match="weight is a percentage"):
            set_weight("gpt-4", TARGET, weight, now=START)
    for target in ("main", "main/", "/x", ""):
        with pytest.raises(ValueError, match="a target is written 'upstream/model'"):
            set_weight("gpt-4", target, 5, now=START)
