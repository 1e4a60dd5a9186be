from typing import Any

import pytest

from gateway_cli.local.alarms.function_metrics import FunctionMetrics
from gateway_cli.local.alarms.metric_store import KEPT, MetricStore, Series, is_statistic

NOW = 1_800_000_000


def series(name: str, **dimensions: str) -> Series:
    return "AiGateway", name, frozenset(dimensions.items())


def line(**changes: Any) -> dict[str, Any]:
    metrics = [{"Name": "Requests", "StorageResolution": 1}, {"Name": "Duration"}]
    directive = {"Namespace": "AiGateway", "Dimensions": [["Gateway"], ["Gateway", "Version"]], "Metrics": metrics}
    return {
        "_aws": {"Timestamp": (NOW + 14) * 1000, "CloudWatchMetrics": [directive]},
        "Gateway": "g",
        "Version": 7,
        "Requests": 1,
        "Duration": 12.5,
        **changes,
    }


@pytest.fixture
def store() -> MetricStore:
    store = MetricStore(clock=lambda: NOW + 20)
    store.want([("AiGateway", "Requests"), ("AiGateway", "Duration")])
    return store


def test_each_set_of_dimensions_is_a_metric_of_its_own(store: MetricStore) -> None:
    store.take(line())
    store.take(line(Version=8))
    assert store.statistic(series("Requests", Gateway="g"), "Sum", NOW + 10, 10) == 2
    assert store.statistic(series("Requests", Gateway="g", Version="7"), "Sum", NOW + 10, 10) == 1
    assert store.statistic(series("Requests", Gateway="g", Version="8"), "Sum", NOW + 10, 10) == 1
    assert store.statistic(series("Requests", Version="7"), "Sum", NOW + 10, 10) is None


def test_only_high_resolution_has_windows_below_a_minute(store: MetricStore) -> None:
    store.take(line())
    requests, duration = series("Requests", Gateway="g"), series("Duration", Gateway="g")
    assert [store.statistic(requests, "Sum", NOW + start, 10) for start in (0, 10, 20)] == [None, 1, None]
    # The whole minute is at its start.
    assert [store.statistic(duration, "Sum", NOW + start, 10) for start in (0, 10, 20)] == [12.5, None, None]
    assert store.statistic(duration, "Sum", NOW, 60) == 12.5


@pytest.mark.parametrize(
    ("statistic", "value"),
    [
        ("Sum", 55),
        ("SampleCount", 10),
        ("Average", 5.5),
        ("Minimum", 1),
        ("Maximum", 10),
        ("p50", 5),
        ("p90", 9),
        ("p99.9", 10),
        ("p0", 1),
        ("p100", 10),
    ],
)
def test_statistics(store: MetricStore, statistic: str, value: float) -> None:
    store.take(line(Requests=list(range(1, 11))))
    assert is_statistic(statistic)
    assert store.statistic(series("Requests", Gateway="g"), statistic, NOW + 10, 10) == value


@pytest.mark.parametrize("statistic", ["p101", "tm90", "sum", "IQM", ""])
def test_what_is_no_statistic_here(statistic: str) -> None:
    assert not is_statistic(statistic)


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"_aws": None},
        {"_aws": {"Timestamp": 1, "CloudWatchMetrics": [{"Namespace": "AiGateway", "Dimensions": [["Gateway"]]}]}},
        line(Requests="many"),
        line(_aws={"Timestamp": "now", "CloudWatchMetrics": [{}]}),
    ],
)
def test_a_line_that_has_no_metrics_is_only_a_line(store: MetricStore, broken: dict[str, Any]) -> None:
    store.take(broken)
    assert store.statistic(series("Requests", Gateway="g"), "Sum", NOW + 10, 10) is None


def test_nothing_is_kept_that_no_alarm_wants(store: MetricStore) -> None:
    store.want([])
    store.take(line())
    store.want([("AiGateway", "Requests")])
    assert store.statistic(series("Requests", Gateway="g"), "Sum", NOW + 10, 10) is None
    store.take(line())
    store.want([("AiGateway", "Duration")])
    store.want([("AiGateway", "Requests")])
    assert store.statistic(series("Requests", Gateway="g"), "Sum", NOW + 10, 10) is None


def test_what_is_old_is_forgotten() -> None:
    now = [float(NOW)]
    store = MetricStore(clock=lambda: now[0])
    store.want([("n", "m")])
    store.put("n", "m", {}, 1, resolution=1)
    now[0] += KEPT + 10
    store.put("n", "m", {}, 1, resolution=1)
    # One that comes too late, too.
    store.put("n", "m", {}, 1, resolution=1, timestamp=NOW)
    assert store.statistic(("n", "m", frozenset()), "Sum", NOW, 10) is None
    assert store.statistic(("n", "m", frozenset()), "Sum", NOW + KEPT + 10, 10) == 1


def test_lambda_counts_by_version_only_through_an_alias() -> None:
    store = MetricStore(clock=lambda: NOW)
    store.want([("AWS/Lambda", "Errors"), ("AWS/Lambda", "Invocations")])
    metrics = FunctionMetrics(store)
    arn = "arn:aws:lambda:us-east-1:0:function:f"
    metrics.invoked("f", "7", f"{arn}:live", failed=True)
    metrics.invoked("f", "7", f"{arn}:live", failed=False)
    metrics.invoked("f", "7", f"{arn}:7", failed=True)
    metrics.invoked("f", "$LATEST", arn, failed=True)

    def counted(name: str, **dimensions: str) -> float | None:
        return store.statistic(("AWS/Lambda", name, frozenset(dimensions.items())), "Sum", NOW, 60)

    assert (counted("Invocations", FunctionName="f"), counted("Errors", FunctionName="f")) == (4, 3)
    version = {"FunctionName": "f", "Resource": "f:live", "ExecutedVersion": "7"}
    assert (counted("Invocations", **version), counted("Errors", **version)) == (2, 1)
    assert counted("Errors", FunctionName="f", Resource="f:live") == 1
    assert counted("Errors", FunctionName="f", Resource="f:7") is None
