"""The tables are those of CloudWatch's guide on missing data: X breaches, 0 does not, - is missing."""

import pytest

from gateway_cli.local.alarms.definitions import Definition, Statistic
from gateway_cli.local.alarms.evaluation import ALARM, INSUFFICIENT, OK, judge, last_window, state_of
from gateway_cli.local.alarms.metric_store import MetricStore

KEPT = "the state it had"
NOW = 1_800_000_000
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


def points(text: str) -> list[bool | None]:
    return [None if mark == "-" else mark == "X" for mark in text.split()]


@pytest.mark.parametrize(
    ("text", "states"),
    [
        ("0 - X - X", (OK, OK, OK, OK)),
        ("- - - - 0", (OK, OK, OK, OK)),
        ("- - - - -", (INSUFFICIENT, KEPT, ALARM, OK)),
        ("0 X X - X", (ALARM, ALARM, ALARM, ALARM)),
        ("- - X - -", (ALARM, KEPT, ALARM, OK)),
        # Too early to tell.
        ("- - - - X", (KEPT, KEPT, ALARM, OK)),
    ],
)
def test_three_of_three(text: str, states: tuple[str, ...]) -> None:
    assert tuple(state_of(points(text), 3, 3, missing, KEPT) for missing in TREATMENTS) == states


@pytest.mark.parametrize(
    ("text", "states"),
    [
        ("0 - X - X", (ALARM, ALARM, ALARM, ALARM)),
        ("0 0 X 0 X", (ALARM, ALARM, ALARM, ALARM)),
        ("0 - X - -", (OK, OK, ALARM, OK)),
        ("- - - - 0", (OK, OK, ALARM, OK)),
        ("- - - X -", (ALARM, KEPT, ALARM, OK)),
    ],
)
def test_two_of_three(text: str, states: tuple[str, ...]) -> None:
    assert tuple(state_of(points(text), 3, 2, missing, KEPT) for missing in TREATMENTS) == states


@pytest.mark.parametrize(
    ("period", "now", "end"),
    [(10, 29.9, 20), (10, 30, 30), (30, 89, 60), (60, 119, 60), (300, 119, 60), (300, 359, 300)],
)
def test_windows_end_with_their_period_or_a_minute(period: int, now: float, end: int) -> None:
    assert last_window(period, NOW + now) == NOW + end


def errors(version: str) -> Statistic:
    return Statistic(("AiGateway", "Errors", frozenset({("Version", version)})), "Sum")


def definition(**changes: object) -> Definition:
    values = {
        "name": "Errors",
        "arn": "arn:aws:cloudwatch:us-east-1:0:alarm:Errors",
        "description": "",
        "queries": {"ratio": "IF(all > 2, new / all, 0)", "all": "new + old", "new": errors("2"), "old": errors("1")},
        "watched": "ratio",
        "period": 10,
        "periods": 2,
        "datapoints": 2,
        "comparison": "GreaterThanThreshold",
        "threshold": 0.5,
        "missing": "notBreaching",
    }
    return Definition(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
def store() -> MetricStore:
    store = MetricStore(clock=lambda: NOW)
    store.want([("AiGateway", "Errors")])
    for second, version, value in [(0, "2", 1), (0, "1", 1), (10, "2", 9), (10, "1", 1), (20, "2", 3), (20, "1", 1)]:
        store.put("AiGateway", "Errors", {"Version": version}, value, resolution=1, timestamp=NOW + second)
    return store


def test_an_expression_of_expressions(store: MetricStore) -> None:
    verdict = judge(definition(), store, NOW + 30, OK)
    assert verdict.state == ALARM
    assert verdict.reason == (
        "Threshold Crossed: 2 out of the last 2 datapoints [0.9 (08:00:10), 0.75 (08:00:20)] were greater than the threshold "
        "(0.5); in the last window: all 4, new 3, old 1"
    )
    assert verdict.data == '{"version": "1.0", "period": 10, "recentDatapoints": [0.9, 0.75], "threshold": 0.5}'
    # The window before had two requests, too few to be judged.
    assert judge(definition(), store, NOW + 20, OK).state == OK


def test_no_data(store: MetricStore) -> None:
    verdict = judge(definition(missing="missing"), store, NOW - 100, OK)
    assert verdict.state == INSUFFICIENT
    assert verdict.reason == "no datapoints were received for 2 periods and were treated as [missing]"


@pytest.mark.parametrize(
    ("comparison", "state"),
    [
        ("GreaterThanThreshold", OK),
        ("GreaterThanOrEqualToThreshold", ALARM),
        ("LessThanThreshold", OK),
        ("LessThanOrEqualToThreshold", ALARM),
    ],
)
def test_comparisons(store: MetricStore, comparison: str, state: str) -> None:
    watched = definition(queries={"m": errors("2")}, watched="m", periods=1, datapoints=1, comparison=comparison, threshold=3)
    verdict = judge(watched, store, NOW + 30, OK)
    assert verdict.state == state
    assert ";" not in verdict.reason


def test_what_cannot_be_computed(store: MetricStore) -> None:
    with pytest.raises(KeyError, match="need each other: a, b"):
        judge(definition(queries={"a": "b + 1", "b": "a + 1"}, watched="a"), store, NOW, OK)
    with pytest.raises(KeyError, match="LessThanLowerThreshold"):
        judge(definition(comparison="LessThanLowerThreshold"), store, NOW, OK)
