"""Which budget is told, how full it is, and when it begins anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambda_runtime.budgets import Spent, Verdict, verdict
from lambda_runtime.config.limits import BUDGETS, ConsumerLimits
from lambda_runtime.config.prices import NANO


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


NOW = utc("2026-11-23T12:00:00")
ALL: dict[str, Any] = {"tokens_per_day": 100, "tokens_per_month": 1000, "usd_per_day": 1, "usd_per_month": 10}


def judged(limits: dict[str, Any], spent: Spent, now: float = NOW) -> Verdict:
    found = verdict(ConsumerLimits(**limits), spent, now)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("now", "day", "month"),
    [
        ("2026-11-23T12:00:00", "2026-11-24T00:00:00Z", "2026-12-01T00:00:00Z"),
        ("2026-11-30T23:59:59.999", "2026-12-01T00:00:00Z", "2026-12-01T00:00:00Z"),
        ("2026-12-01T00:00:00", "2026-12-02T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("2026-12-31T23:59:59", "2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("2028-02-01T00:00:00", "2028-02-02T00:00:00Z", "2028-03-01T00:00:00Z"),
        ("2028-02-28T10:00:00", "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z"),
        ("2028-02-29T10:00:00", "2028-03-01T00:00:00Z", "2028-03-01T00:00:00Z"),
        ("2027-02-28T10:00:00", "2027-03-01T00:00:00Z", "2027-03-01T00:00:00Z"),
        ("2027-01-31T00:00:00", "2027-02-01T00:00:00Z", "2027-02-01T00:00:00Z"),
    ],
)
def test_days_and_months_end_in_utc(now: str, day: str, month: str) -> None:
    assert judged({"tokens_per_day": 1}, Spent(), utc(now)).resets_at == day
    assert judged({"usd_per_month": 1}, Spent(), utc(now)).resets_at == month


@settings(max_examples=50)
@given(st.datetimes(datetime(2024, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001  hypothesis wants them without
def test_any_months_end_is_the_first_of_the_next_one(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    first = (moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=32)).replace(day=1)
    found = judged({"tokens_per_month": 1}, Spent(), moment.timestamp())
    assert found.resets == first.timestamp()
    assert 1 <= found.retry_after(moment.timestamp()) <= 31 * 86_400


def test_there_need_not_be_a_budget() -> None:
    assert verdict(ConsumerLimits(models=["m"]), Spent(10**9, 10**9), NOW) is None


def test_the_fullest_one_is_told() -> None:
    assert judged(ALL, Spent(79, 800, 790_000_000, 0)).budget == "tokens_per_month"
    assert judged(ALL, Spent(0, 0, 1, 0)).budget == "usd_per_day"
    # Nothing used at all: the first.
    assert judged(ALL, Spent()).budget == "tokens_per_day"


def test_of_several_that_are_used_up_the_one_that_lasts_is() -> None:
    # The day's is fuller, but who waits for the next day is refused again.
    found = judged(ALL, Spent(500, 1000, 0, 0))
    assert (found.budget, found.percent) == ("tokens_per_month", 100)
    # One that is not used up does not matter beside one that is.
    assert judged(ALL, Spent(100, 999, 0, 9_999_999_999)).budget == "tokens_per_day"


@pytest.mark.parametrize(
    ("used", "percent", "told", "used_up"),
    [
        (0, 0, False, False),
        (799, 79, False, False),
        (800, 80, True, False),
        (999, 99, True, False),
        (1000, 100, True, True),
        (1001, 100, True, True),
        (2500, 250, True, True),
    ],
)
def test_how_full_it_is(used: int, percent: int, *, told: bool, used_up: bool) -> None:
    tokens = judged({"tokens_per_month": 1000}, Spent(month_tokens=used))
    money = judged({"usd_per_month": 1000}, Spent(month_cost=used * NANO))
    for found in (tokens, money):
        assert (found.percent, found.told, found.used_up) == (percent, told, used_up)


def test_money_is_exact_to_the_billionth() -> None:
    for limit in (0.1, 0.3, 12.34, 999_999.99):
        nanos = round(limit * NANO)
        assert not judged({"usd_per_day": limit}, Spent(day_cost=nanos - 1)).used_up
        assert judged({"usd_per_day": limit}, Spent(day_cost=nanos)).used_up
    # Less than can be counted: no division by nothing, and nothing to spend.
    assert judged({"usd_per_day": 1e-12}, Spent(day_cost=1)).used_up
    assert not judged({"usd_per_day": 1e-12}, Spent()).used_up


def test_what_is_told() -> None:
    money = judged({"usd_per_month": 50}, Spent(month_cost=50_123_400_000))
    assert money.header(shadow=False) == "usd_per_month; used=100; limit=50; resets=2026-12-01T00:00:00Z"
    assert money.header(shadow=True) == "usd_per_month; used=100; limit=50; resets=2026-12-01T00:00:00Z; shadow"
    assert money.message() == (
        "the budget usd_per_month of this key is used up: about USD 50.1234 of 50 (an estimate); "
        "it begins anew at 2026-12-01T00:00:00Z"
    )
    tokens = judged({"tokens_per_day": 1_000_000}, Spent(day_tokens=812_345))
    assert tokens.header(shadow=True) == "tokens_per_day; used=81; limit=1000000; resets=2026-11-24T00:00:00Z"
    assert "is used up: 812345 of 1000000 tokens; it" in tokens.message()
    # No exponents, whatever the amount.
    assert "limit=0.0000001;" in judged({"usd_per_day": 1e-7}, Spent()).header(shadow=False)
    assert "limit=1000000;" in judged({"usd_per_day": 1_000_000}, Spent()).header(shadow=False)


def test_retry_after_is_at_least_a_second() -> None:
    found = judged({"tokens_per_day": 1}, Spent(), NOW)
    assert found.retry_after(NOW) == 12 * 3600
    assert found.retry_after(NOW + 0.5) == 12 * 3600
    assert found.retry_after(found.resets - 0.001) == 1
    assert found.retry_after(found.resets + 5.0) == 1


@settings(max_examples=50)
@given(
    st.fixed_dictionaries({name: st.none() | st.integers(1, 10**6) for name in BUDGETS}),
    st.builds(Spent, *[st.integers(0, 2 * 10**15)] * 4),
)
def test_a_verdict_is_used_up_if_any_budget_is(limits: dict[str, int | None], spent: Spent) -> None:
    found = verdict(ConsumerLimits(**limits), spent, NOW)  # type: ignore[arg-type]
    used = dict(zip(("tokens_per_day", "tokens_per_month", "usd_per_day", "usd_per_month"), spent, strict=True))
    over = [
        name
        for name, limit in limits.items()
        if limit is not None and used[name] >= limit * (NANO if name.startswith("usd") else 1)
    ]
    assert (found is not None) == any(limit is not None for limit in limits.values())
    if found is not None:
        assert found.used_up == bool(over)
        assert not over or found.budget in over
        assert found.used_up == (found.percent >= 100)
