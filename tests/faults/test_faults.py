"""Every fault of an upstream: what the client sees, and who was asked."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.faults.cases import BEHIND_HEARTBEATS_CASES, CASES, Case
from tests.faults.pool import run_all
from tests.faults.rig import Run
from tests.faults.upstream_faults import HEARTBEAT

# One worker runs them all: they share functions, and wait more than they work.
pytestmark = pytest.mark.xdist_group("faults")

AT_ONCE = 6

Runs = dict[Case, Run | AssertionError]


@pytest.fixture(scope="session")
def asked(request: pytest.FixtureRequest) -> Callable[[tuple[Case, ...]], list[Case]]:
    """Those of the cases that are to be run in this session."""
    wanted = {item.callspec.params.get("case") for item in request.session.items if hasattr(item, "callspec")}
    return lambda cases: [case for case in cases if case in wanted]


@pytest.fixture(scope="session")
def runs(asked: Callable[[tuple[Case, ...]], list[Case]], tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return run_all(asked(CASES), tmp_path_factory.mktemp("faults"), at_once=AT_ONCE)


@pytest.fixture(scope="session")
def beating_runs(asked: Callable[[tuple[Case, ...]], list[Case]], tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return run_all(asked(BEHIND_HEARTBEATS_CASES), tmp_path_factory.mktemp("beats"), at_once=AT_ONCE, heartbeat=HEARTBEAT)


def check(case: Case, runs: Runs) -> None:
    run = runs[case]
    if isinstance(run, AssertionError):
        raise run
    expected, tries = case.expected()
    if expected is not None:
        assert run.seen == expected.of(case.wire)
    assert run.tries == tries


@pytest.mark.parametrize("case", CASES, ids=str)
def test_fault(runs: Runs, case: Case) -> None:
    check(case, runs)


@pytest.mark.parametrize("case", BEHIND_HEARTBEATS_CASES, ids=str)
def test_fault_behind_heartbeats(beating_runs: Runs, case: Case) -> None:
    check(case, beating_runs)
