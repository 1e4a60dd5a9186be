"""What is counted of a function that runs here, as Lambda would count it."""

import http.client
from contextlib import suppress
from pathlib import Path

import pytest

from gateway_cli.local.alarms.function_metrics import FunctionMetrics
from gateway_cli.local.alarms.metric_store import MetricStore
from gateway_cli.local.worker import FunctionVersion
from tests.gateway_cli.front_kit import api, function, serving
from tests.local_gateway import until

NOW = 1_800_000_000


class Counts(FunctionMetrics):
    """Counts at a time that stands still."""

    def __init__(self) -> None:
        super().__init__(MetricStore(clock=lambda: NOW))
        self.store.want([("AWS/Lambda", "Invocations"), ("AWS/Lambda", "Errors"), ("Mine", "Things")])

    def of(self, version: str = "1") -> tuple[float | None, float | None]:
        """Invocations and errors of a version."""
        dimensions = {"FunctionName": "dummy", "Resource": "dummy:live", "ExecutedVersion": version}
        invocations, errors = (("AWS/Lambda", name, frozenset(dimensions.items())) for name in ("Invocations", "Errors"))
        return self.store.statistic(invocations, "Sum", NOW, 60), self.store.statistic(errors, "Sum", NOW, 60)


@pytest.mark.parametrize(
    ("do", "errors"),
    [
        ("echo", 0),
        ("buffered", 0),
        # API Gateway does not understand the answer; to Lambda it is one.
        ("nonsense", 0),
        ("error", 1),
        ("die", 1),
        ("trailers", 1),
        ("die-midway", 1),
    ],
)
def test_invocations_and_errors(authorizer: Path, tmp_path: Path, do: str, errors: int) -> None:
    (gate := tmp_path / "gate").touch()
    counts = Counts()
    with serving(api(authorizer), metrics=counts) as front:
        with suppress(http.client.IncompleteRead, ConnectionResetError):
            front.ask(do=f"{do}={gate}").read()
        until(lambda: counts.of() == (1, errors))


@pytest.mark.parametrize("broken", [{"DUMMY_INIT": "error"}, {"timeout": 0.3}])
def test_a_start_that_fails_and_a_time_out_are_errors(authorizer: Path, tmp_path: Path, broken: dict[str, object]) -> None:
    version: FunctionVersion = function(**broken)  # type: ignore[arg-type]
    counts = Counts()
    with serving(api(authorizer), version, metrics=counts) as front:
        assert front.ask(do=f"hold={tmp_path / 'never'}").status == 502
        until(lambda: counts.of() == (1, 1))


def test_each_version_by_itself_and_what_it_prints(authorizer: Path) -> None:
    counts = Counts()
    with serving(api(authorizer), function("1"), function("2"), metrics=counts) as front:
        for _ in range(3):
            front.ask(do="measure").read()
        until(lambda: (counts.of("1"), counts.of("2")) == ((1, 0), (2, 0)))
    assert counts.store.statistic(("Mine", "Things", frozenset({("Kind", "good")})), "Sum", NOW, 60) == 15
