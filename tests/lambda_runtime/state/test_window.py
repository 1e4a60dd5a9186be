"""The rules of the window, as pure functions: against naive models, wherever the bucket boundaries fall."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lambda_runtime.state import window
from lambda_runtime.state.items import Update
from lambda_runtime.state.window import Bucket
from tests.lambda_runtime.state.table_kit import START, TARGET

outcomes = st.lists(st.booleans(), max_size=120)
gaps = st.floats(0, 9, allow_nan=False)


class Counted:
    """What additions add up to: DynamoDB for one partition."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}

    def do(self, update: Update) -> None:
        item = self.items.setdefault(update.sk, {"sk": {"S": update.sk}})
        item.update({name: {"N": str(value)} for name, value in update.sets.items()})
        for name, value in update.adds.items():
            item[name] = {"N": str(int(item.get(name, {"N": "0"})["N"]) + value)}

    def buckets(self, now: float, since: float = 0.0) -> list[Bucket]:
        first = window.last_minute("t", TARGET, now)["ExpressionAttributeValues"][":first"]["S"]
        return window.buckets_of([item for key, item in self.items.items() if key >= first], since, now)


def row_at_end(failed: list[bool]) -> int:
    """The naive model."""
    row = 0
    for each in failed:
        row = row + 1 if each else 0
    return row


@given(st.lists(st.tuples(st.booleans(), gaps), min_size=1, max_size=120))
def test_failures_in_a_row_are_counted_whatever_the_bucket_boundaries(attempts: list[tuple[bool, float]]) -> None:
    counted, now, seen = Counted(), START, []
    for failed, gap in attempts:
        now += gap
        counted.do(window.counted(TARGET, 0.0, failed=failed, now=now))
        seen.append((int(now) // 10, failed))
    recent = [failed for bucket, failed in seen if bucket > int(now) // 10 - 6]
    buckets = counted.buckets(now)
    assert window.in_a_row(buckets) == row_at_end(recent)
    assert sum(bucket.calls for bucket in buckets) == len(recent)
    assert sum(bucket.failures for bucket in buckets) == sum(recent)


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), min_size=1, max_size=6))
def test_five_percent_in_the_window_never_open_by_rate(shares: list[tuple[int, int]]) -> None:
    calls = [calls for calls, _ in shares]
    allowed = sum(calls) // 20
    buckets = []
    for index, (count, wanted) in enumerate(shares):
        failures = min(wanted, count, allowed)
        allowed -= failures
        buckets.append(Bucket(index * 10, count, failures, min(failures, 1)))
    assert window.verdict(buckets) != window.BY_RATE


@given(st.integers(25, 60), st.integers(0, 59), st.floats(0.01, 2.0), st.integers(100, 600))
def test_one_failure_in_25_or_fewer_at_any_pace_is_never_opened(every: int, first: int, pace: float, attempts: int) -> None:
    """Evenly spread, 4 % stay below 5 wherever the window begins. From 1 in 24 on, 5 failures may lie within 97 calls."""
    counted, now = Counted(), START
    for index in range(attempts):
        now += pace
        failed = index % every == first % every
        counted.do(window.counted(TARGET, 0.0, failed=failed, now=now))
        if failed:
            assert window.verdict(counted.buckets(now)) == ""


@given(outcomes)
def test_a_row_of_five_always_opens(failed: list[bool]) -> None:
    counted = Counted()
    for index, each in enumerate([*failed, *[True] * 5]):
        counted.do(window.counted(TARGET, 0.0, failed=each, now=START + index / 10))
    assert window.verdict(counted.buckets(START + (len(failed) + 4) / 10)) == window.BY_ROW


def test_both_guards() -> None:
    assert window.verdict([Bucket(0, 19, 5, 1)]) == ""
    assert window.verdict([Bucket(0, 20, 5, 1)]) == window.BY_RATE
    assert window.verdict([Bucket(0, 20, 4, 1)]) == ""
    assert window.verdict([Bucket(0, 100, 5, 1)]) == ""
    assert window.verdict([Bucket(0, 99, 5, 1)]) == window.BY_RATE
    assert window.verdict([]) == ""


def test_attempts_under_another_state_of_the_breaker_are_counted_apart() -> None:
    counted = Counted()
    for since in (0.0, 1_790_000_001.5, 1_790_000_004.125):
        for _ in range(3):
            counted.do(window.counted(TARGET, since, failed=True, now=START))
    for since in (0.0, 1_790_000_001.5, 1_790_000_004.125):
        assert counted.buckets(START, since) == [Bucket(1_790_000_000, 3, 3, 3)]


def test_what_is_no_bucket_is_passed_over() -> None:
    items: list[dict[str, Any]] = [{}, {"sk": {"S": "x"}}, {"sk": {"S": "001790000000"}, "calls": {"S": "many"}}, {"sk": 3}]
    assert window.buckets_of(items, 0.0, START) == [Bucket(1_790_000_000)]
