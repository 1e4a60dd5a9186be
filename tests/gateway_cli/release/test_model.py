"""Alarms and executions as AWS describes them."""

from __future__ import annotations

import pytest

from gateway_cli.release.model import Alarm, Run
from tests.gateway_construct.resources import of_type
from tests.templates import template_of


def run(status: str, error: str = "", cause: str = "") -> Run:
    return Run(
        arn="arn",
        name="v8",
        version="8",
        stable="7",
        replaced="",
        status=status,
        started=0.0,
        ended=None,
        error=error,
        cause=cause,
    )


@pytest.mark.parametrize(
    ("status", "error", "cause", "outcome", "because"),
    [
        ("RUNNING", "", "", "under way", ""),
        ("SUCCEEDED", "promoted", "", "promoted", ""),
        ("SUCCEEDED", "", "", "promoted", ""),
        ("ABORTED", "RolledBack", "alarm: a", "rolled back", "alarm: a"),
        ("ABORTED", "", "", "stopped", ""),
        ("ABORTED", "Other", "somebody", "stopped", "somebody"),
        ("FAILED", "ReleaseFailed", "Lambda.X: y", "failed", "Lambda.X: y"),
        ("FAILED", "States.Runtime", "broken", "failed", "States.Runtime: broken"),
        ("TIMED_OUT", "", "", "failed", ""),
    ],
)
def test_outcomes(status: str, error: str, cause: str, outcome: str, because: str) -> None:
    found = run(status, error, cause)
    assert (found.outcome, found.because) == (outcome, because)


@pytest.mark.template
def test_the_versions_of_the_alarms_that_the_construct_makes() -> None:
    alarms = [
        Alarm.of({"AlarmName": name, "StateValue": "OK", **properties})
        for name, properties in of_type(template_of("canary-release"), "CloudWatch::Alarm").items()
        if "ReleaseAlarms" in name
    ]
    assert len(alarms) == 6
    (watched,) = {version for alarm in alarms for version in alarm.watches}
    (compared,) = {version for alarm in alarms for version in alarm.compares}
    # References, since nothing is deployed.
    assert "'Version'" in watched
    assert "'StableVersion'" in compared
    assert all(alarm.watches for alarm in alarms)


def test_alarms_that_are_about_no_version() -> None:
    composite = Alarm.of({"AlarmName": "all", "StateValue": "ALARM", "AlarmRule": "ALARM(any)"})
    assert (composite.watches, composite.compares, composite.since) == (frozenset(), frozenset(), None)
