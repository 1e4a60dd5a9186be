"""Usage per consumer, month and day."""

from __future__ import annotations

import calendar
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_runtime.state import items, usage_counts
from lambda_runtime.state.usage_counts import UsageCounts
from lambda_runtime.state.usage_months import Counts, MonthOfUsage, parse
from lambda_runtime.usage import MOST, Usage
from tests.lambda_runtime.state.table_kit import Clock, Instance, Table

CONSUMER = "key#1"


def utc(year: int, month: int, day: int, hour: int = 12) -> float:
    return float(calendar.timegm((year, month, day, hour, 0, 0)))


@pytest.fixture
def counts(instance: Instance, clock: Clock) -> UsageCounts:
    clock.now = utc(2026, 11, 5)
    return UsageCounts(instance.client, instance.health, clock=clock)


def month(table: Table, name: str = "2026-11") -> MonthOfUsage:
    return parse(table.items(f"usage#{CONSUMER}")[name])


def test_a_request_is_one_addition(counts: UsageCounts, table: Table) -> None:
    counts.add(CONSUMER, Usage(1000, 50, cached_tokens=800, cache_write_tokens=100, reasoning_tokens=20))
    assert [operation for operation, _ in table.requests] == ["UpdateItem"]
    added = Counts(1, 1000, 50, 800, 100, 20, unpriced=1)
    assert month(table) == MonthOfUsage(CONSUMER, "2026-11", added, {5: added})


def test_days_and_months_add_up(counts: UsageCounts, table: Table, clock: Clock) -> None:
    counts.add(CONSUMER, Usage(10, 1))
    counts.add(CONSUMER, Usage(10, 1, estimated=True))
    clock.now = utc(2026, 11, 30, 23) + 3599.9
    counts.add(CONSUMER, Usage(5))
    clock.pass_(0.2)
    counts.add(CONSUMER, Usage(7))
    days = {5: Counts(2, 20, 2, estimated=1, unpriced=2), 30: Counts(1, 5, unpriced=1)}
    assert month(table) == MonthOfUsage(CONSUMER, "2026-11", Counts(3, 25, 2, estimated=1, unpriced=3), days)
    assert month(table, "2026-12").days == {1: Counts(1, 7, unpriced=1)}


def test_money_adds_up_exactly(counts: UsageCounts, table: Table) -> None:
    # More than a float can tell from one more, and less than is left out as no figure.
    costs = [999_999_999_999_999] * 10 + [1, 0, None, 10**15 + 1, -1]
    for cost in costs:
        counts.add(CONSUMER, Usage(1), cost)
    total = month(table).total
    assert (total.cost, total.unpriced, total.requests) == (9_999_999_999_999_991, 3, 15)
    assert month(table).days == {5: total}
    assert items.count({"u": {"N": str(10**18 - 1)}}, "u") == 10**18 - 1


def test_it_is_kept_for_four_hundred_days(counts: UsageCounts, table: Table, clock: Clock) -> None:
    counts.add(CONSUMER, Usage())
    assert table.items(f"usage#{CONSUMER}")["2026-11"]["expires"] == {"N": str(int(clock.now) + 400 * 86_400)}


def test_the_largest_item_costs_three_units_a_write(counts: UsageCounts, table: Table, clock: Clock) -> None:
    for day in range(1, 32):
        clock.now = utc(2026, 10, day)
        for _ in range(2):
            counts.add(CONSUMER, Usage(99_999_999, 9_999_999, 9_999_999, 999_999, 999_999, estimated=True), 10**12)
        counts.add(CONSUMER, Usage())
    item = table.items(f"usage#{CONSUMER}")["2026-10"]
    # DynamoDB's own rule: names in UTF-8; a number about a byte for two digits, and one more.
    size = sum(len(name) + (len(value["S"]) if "S" in value else len(value["N"]) // 2 + 2) for name, value in item.items())
    assert 2048 < size < 3072


@pytest.mark.parametrize("figure", [-1, 10**30, 100_000_001, float("nan"), 1.5, None, "9"])
def test_figures_that_cannot_be(figure: Any) -> None:
    update = usage_counts.usage_update(CONSUMER, Usage(figure, 7, cached_tokens=figure), utc(2026, 1, 1))
    assert update.adds == {"n": 1, "01n": 1, "o": 7, "01o": 7, "e": 1, "01e": 1, "x": 1, "01x": 1}


@given(st.builds(Usage, *[st.integers()] * 5, st.booleans()), st.none() | st.integers(), st.floats(1.7e9, 4e9))
def test_whatever_is_added_is_no_less_and_believable(usage: Usage, cost: int | None, now: float) -> None:
    update = usage_counts.usage_update(CONSUMER, usage, now, cost)
    assert all(0 < count <= (10**15 if name.endswith("u") else MOST) for name, count in update.adds.items())
    assert update.adds["n"] == 1
    item = {name: items.encoded(value) for name, value in {**update.sets, **update.adds}.items()}
    parsed = parse({**item, "pk": {"S": update.pk}, "sk": {"S": update.sk}})
    assert parsed.consumer == CONSUMER
    assert parsed.days == {next(iter(parsed.days)): parsed.total}


def test_any_item_can_be_parsed() -> None:
    assert parse({}) == MonthOfUsage("", "", Counts(), {})
    odd = {"n": {"N": "x"}, "i": {"S": "3"}, "05n": {"N": "-1"}, "06n": {"N": "2"}}
    assert parse(odd).days == {6: Counts(2)}


def test_every_placeholder_is_one_for_dynamodb() -> None:
    request = usage_counts.usage_update(CONSUMER, Usage(1, 2), utc(2026, 1, 2)).request("t")
    assert request["Key"] == {"pk": {"S": "usage#key#1"}, "sk": {"S": "2026-01"}}
    assert all(name[1:].isalnum() for name in request["ExpressionAttributeNames"])
