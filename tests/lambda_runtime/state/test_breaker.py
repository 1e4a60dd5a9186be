"""The breaker's rules, as pure functions of a breaker and the time."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_runtime.state import items
from lambda_runtime.state.breaker import Breaker, open_seconds
from lambda_runtime.state.operator_actions import close_breaker, open_breaker
from lambda_runtime.state.target_states import Availability
from tests.lambda_runtime.state.table_kit import START, TARGET

jitters = st.floats(-1, 1, allow_nan=False)
waits = st.floats(0, 400, allow_nan=False)


def item_of(breaker: Breaker) -> dict[str, Any]:
    update = breaker.update(0, START)
    return {"sk": {"S": update.sk}, **{name: items.encoded(value) for name, value in update.sets.items()}}


@pytest.mark.parametrize(("openings", "seconds"), [(0, 30), (1, 30), (2, 60), (10, 300), (11, 300), (1000, 300)])
def test_open_seconds(openings: int, seconds: float) -> None:
    assert open_seconds(openings, 0) == seconds
    assert open_seconds(openings, 1) == pytest.approx(seconds * 1.1)
    assert open_seconds(openings, -1) == pytest.approx(seconds * 0.9)


@given(st.lists(st.tuples(waits, jitters), min_size=1, max_size=20))
def test_opening_never_shortens_and_an_open_one_counts_no_further_opening(decisions: list[tuple[float, float]]) -> None:
    breaker, now = Breaker(TARGET), START
    for wait, jitter in decisions:
        now += wait
        before = breaker
        breaker = before.opened("x", now, jitter) or before
        assert breaker.until >= before.until
        assert breaker.availability(now) is Availability.OPEN
        was_open = before.availability(now) is Availability.OPEN
        assert breaker.openings == before.openings + (not was_open)
        assert breaker.since == (before.since if was_open else now)


@given(st.lists(st.tuples(st.sampled_from(["open", "succeed", "fail", "lease", "release"]), waits, jitters), max_size=60))
def test_it_closes_by_three_probes_only_and_each_change_counts(steps: list[tuple[str, float, float]]) -> None:
    breaker, now, successes = Breaker(TARGET), START, 0
    for step, wait, jitter in steps:
        now = round(now + wait, 3)
        before, half_open = breaker, breaker.availability(now) is Availability.HALF_OPEN
        after: Breaker | None = None
        if step == "open":
            after = before.opened("x", now, jitter)
        elif step == "lease":
            after = before.leased(now)
            assert (after is not None) == (half_open and before.probe_until <= now)
        elif half_open:
            after = {"succeed": before.probed(now), "fail": before.opened("probe", now, jitter), "release": before.released()}[
                step
            ]
        breaker = after or before
        assert breaker.rev == before.rev + (after is not None)
        successes = 0 if breaker.since != before.since else successes + (step == "succeed" and half_open)
        assert breaker.successes == successes < 3
        assert Breaker.of(item_of(breaker), now)._replace(until=0, probe_until=0) == breaker._replace(until=0, probe_until=0)
        if before.is_open and not breaker.is_open:
            assert before.successes == 2
            assert breaker.openings == 0


@given(waits)
def test_an_operators_word_stands_until_it_ends(wait: float) -> None:
    for word in (open_breaker(TARGET, seconds=100, now=START), close_breaker(TARGET, seconds=100, now=START)):
        item = {"sk": {"S": word[0].sk}, **{name: items.encoded(value) for name, value in word[0].sets.items()}}
        now = START + wait
        breaker = Breaker.of(item, now)
        assert (breaker.opened("x", now, 0) is None) == (wait < 100)
        assert breaker.availability(now) in {Availability.CLOSED, Availability.OPEN}


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"sk": {"S": f"breaker#{TARGET}"}, "state": {"N": "1"}, "until": {"S": "soon"}, "rev": {"N": "x"}},
        {"sk": {"S": f"breaker#{TARGET}"}, "state": {"S": "ajar"}, "until": {"N": "inf"}, "rev": {"N": "-3"}, "since": "now"},
        {"sk": {"S": f"breaker#{TARGET}"}, "state": None, "until": {"N": "nan"}, "openings": {"N": "1e400"}, "by": []},
    ],
)
def test_what_nothing_here_wrote_is_a_closed_breaker(item: dict[str, Any]) -> None:
    breaker = Breaker.of(item, START)
    assert breaker.availability(START) is Availability.CLOSED
    assert breaker == Breaker(breaker.name)
