"""The state machines of a release, carried out by the embedded AWS on a function's alias."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from gateway_cli.local.emulator import Emulator
from gateway_construct.canary_states import Share
from tests.embedded_aws import Released, embedded_aws
from tests.local_gateway import until

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("states")]

RAMP = (Share(0.05, 120), Share(0.25, 60), Share(0.5, 60))
FOR_LONG = (Share(0.05, 48 * 3600),)
ALL = [("1", {"2": 0.05}), ("1", {"2": 0.25}), ("1", {"2": 0.5}), ("2", {})]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with embedded_aws(tmp_path_factory.mktemp("embedded")) as aws:
        yield aws


def meddled(states: dict[str, Any], before: str, action: str, arguments: dict[str, Any], step: int = 0) -> dict[str, Any]:
    """The same machine, in which somebody else does something, once, just before a state is entered."""
    changed: dict[str, Any] = copy.deepcopy(states)
    for state in changed["States"].values():
        for way in [state, *state.get("Catch", []), *state.get("Choices", [])]:
            for field in ("Next", "Default"):
                if way.get(field) == before:
                    way[field] = "Does somebody meddle?"
    # Only the release counts steps.
    first = changed["States"][changed["StartAt"]]
    first["Assign"] = {"step": 0, **first["Assign"], "meddled": False}
    changed["States"]["Does somebody meddle?"] = {
        "Type": "Choice",
        "Choices": [{"Condition": f"{{% $meddled or $step < {step} %}}", "Next": before}],
        "Default": "Somebody",
    }
    changed["States"]["Somebody"] = {
        "Type": "Task",
        "Resource": f"arn:aws:states:::aws-sdk:{action}",
        "Arguments": arguments,
        "Assign": {"meddled": True},
        "Output": "{% $states.input %}",
        "Next": before,
    }
    return changed


def on_alias(released: Released, **change: Any) -> tuple[str, dict[str, Any]]:
    """What somebody does to the alias."""
    return "lambda:updateAlias", {"FunctionName": released.name, "Name": "live", **change}


def test_the_first_deployment_gets_everything_at_once(emulator: Emulator) -> None:
    released = Released(emulator, versions=1)
    assert released.outcome(released.run({"version": "1"})) == ("SUCCEEDED", "stable already")
    assert released.alias() == ("1", {})


def test_a_version_that_is_stable_ends_the_canary_of_another(emulator: Emulator) -> None:
    released = Released(emulator)
    released.set_weight("2", 0.05)
    assert released.outcome(released.run({"version": "1"})) == ("SUCCEEDED", "stable already")
    assert released.alias() == ("1", {})


def test_ramp_and_promotion(emulator: Emulator) -> None:
    released = Released(emulator, shares=RAMP)
    # The number of a version may come as one.
    ended = released.run({"version": 2, "stable": "1"})
    assert released.outcome(ended) == ("SUCCEEDED", "promoted")
    assert released.given(ended["executionArn"]) == ALL
    assert released.alias() == ("2", {})


def test_one_release_after_the_other(emulator: Emulator) -> None:
    released = Released(emulator)
    machine = released.machine()
    for version in ("2", "3"):
        ended = released.ended(released.start(machine, {"version": version}))
        assert released.outcome(ended) == ("SUCCEEDED", "promoted")
        assert released.alias() == (version, {})


def test_an_alarm_that_is_found_at_a_look(emulator: Emulator) -> None:
    released = Released(emulator, shares=RAMP)
    released.ring(released.other)
    ended = released.run({"version": "2"})
    assert released.outcome(ended) == ("FAILED", "RolledBack")
    assert ended["cause"] == f"alarm: {released.other}"
    assert released.given(ended["executionArn"]) == [("1", {"2": 0.05}), ("1", {})]
    assert released.alias() == ("1", {})


def test_alarms_of_the_release_before_are_put_to_rest(emulator: Emulator) -> None:
    released = Released(emulator)
    released.ring(released.own)
    assert released.outcome(released.run({"version": "2"})) == ("SUCCEEDED", "promoted")
    (alarm,) = released.cloudwatch.describe_alarms(AlarmNames=[released.own])["MetricAlarms"]
    assert (alarm["StateValue"], alarm["StateReason"]) == ("OK", "A new release begins.")


@pytest.mark.parametrize(
    ("event", "cause"),
    [({"detail": {"alarmName": "the-alarm"}}, "alarm: the-alarm"), ({}, "alarm: ")],
    ids=["event", "by hand"],
)
def test_an_alarm_takes_the_requests_back_while_the_release_waits(
    emulator: Emulator, event: dict[str, Any], cause: str
) -> None:
    released = Released(emulator, shares=FOR_LONG)
    machine = released.machine()
    execution = released.start(machine, {"version": "2"})
    until(lambda: released.alias() == ("1", {"2": 0.05}))
    assert released.run(event, released.rollback_states(machine))["status"] == "SUCCEEDED"
    assert released.alias() == ("1", {})
    ended = released.ended(execution)
    assert released.outcome(ended) == ("ABORTED", "RolledBack")
    assert ended["cause"] == cause


def test_an_alarm_without_a_release(emulator: Emulator) -> None:
    released = Released(emulator)
    released.set_weight("2", 0.5)
    ended = released.run({"detail": {"alarmName": "any"}}, released.rollback_states(released.machine()))
    assert ended["status"] == "SUCCEEDED"
    assert released.alias() == ("1", {})


def test_what_a_release_gave_before_it_was_ended_is_taken_back_too(emulator: Emulator) -> None:
    released = Released(emulator)
    gives = on_alias(released, RoutingConfig={"AdditionalVersionWeights": {"2": 0.05}})
    rollback = meddled(released.rollback_states(released.machine()), "End the release", *gives)
    ended = released.run({"detail": {"alarmName": "any"}}, rollback)
    assert ended["status"] == "SUCCEEDED"
    assert released.given(ended["executionArn"]) == [("1", {}), ("1", {"2": 0.05}), ("1", {})]


def test_a_release_that_another_has_replaced_leaves_the_alias_alone(emulator: Emulator) -> None:
    released = Released(emulator, shares=FOR_LONG)
    execution = released.start(released.machine(), {"version": "2"})
    until(lambda: released.alias() == ("1", {"2": 0.05}))
    released.set_weight("3", 0.1)
    assert released.outcome(released.ended(execution)) == ("SUCCEEDED", "replaced")
    assert released.alias() == ("1", {"3": 0.1})


@pytest.mark.parametrize("state", ["Look at the alarms", "Look at the alias", "Promote"])
def test_a_step_that_fails_takes_the_requests_back(emulator: Emulator, state: str) -> None:
    released = Released(emulator)
    released.states["States"][state]["Arguments"] = {"FunctionName": "nothing", "Name": "nothing"}
    released.states["States"][state]["Resource"] = "arn:aws:states:::aws-sdk:lambda:getAlias"
    ended = released.run({"version": "2"})
    assert released.outcome(ended) == ("FAILED", "ReleaseFailed")
    assert ended["cause"].startswith("Lambda.ResourceNotFoundException: Function not found")
    assert released.given(ended["executionArn"]) == [("1", {"2": 0.05}), ("1", {})]


def test_an_alias_that_goes(emulator: Emulator) -> None:
    released = Released(emulator, shares=FOR_LONG)
    execution = released.start(released.machine(), {"version": "2"})
    until(lambda: released.alias() == ("1", {"2": 0.05}))
    released.functions.delete_alias(FunctionName=released.name, Name="live")
    ended = released.ended(execution)
    assert released.outcome(ended) == ("FAILED", "ReleaseFailed")
    assert "Alias not found" in ended["cause"]


def test_a_function_that_is_not_there(emulator: Emulator) -> None:
    released = Released(emulator)
    released.functions.delete_function(FunctionName=released.name)
    ended = released.run({"version": "2"})
    assert released.outcome(ended) == ("FAILED", "ReleaseFailed")
    assert "Function not found" in ended["cause"]
    assert released.given(ended["executionArn"]) == []


def test_without_a_version_nothing_is_touched(emulator: Emulator) -> None:
    released = Released(emulator)
    released.set_weight("3", 0.1)
    ended = released.run({})
    assert released.outcome(ended) == ("FAILED", "States.QueryEvaluationError")
    assert released.alias() == ("1", {"3": 0.1})


@pytest.mark.parametrize(("before", "step"), [("Give a share", 0), ("Give a share", 1), ("Give a share", 2), ("Promote", 0)])
def test_a_revision_that_changes_between_read_and_write(emulator: Emulator, before: str, step: int) -> None:
    released = Released(emulator, shares=RAMP)
    somebody = on_alias(released, Description="somebody was here")
    ended = released.run({"version": "2"}, meddled(released.states, before, *somebody, step))
    assert released.outcome(ended) == ("SUCCEEDED", "promoted")
    # One of these is the meddler's, who changes nothing of it.
    given = released.given(ended["executionArn"])
    assert len(given) == len(ALL) + 1
    assert list(dict.fromkeys(map(str, given))) in (list(map(str, ALL)), list(map(str, [("1", {}), *ALL])))


def test_a_revision_that_changes_before_the_requests_are_taken_back(emulator: Emulator) -> None:
    released = Released(emulator, shares=RAMP)
    released.ring(released.other)
    somebody = on_alias(released, Description="somebody was here")
    ended = released.run({"version": "2"}, meddled(released.states, "Take back after an alarm", *somebody))
    assert released.outcome(ended) == ("FAILED", "RolledBack")
    assert released.alias() == ("1", {})


@pytest.mark.parametrize(("before", "step"), [("Give a share", 1), ("Promote", 0), ("Take back after an alarm", 0)])
@pytest.mark.parametrize("left", [{}, {"3": 0.1}], ids=["taken back", "replaced"])
def test_a_release_that_is_replaced_between_read_and_write(
    emulator: Emulator, before: str, step: int, left: dict[str, float]
) -> None:
    released = Released(emulator, shares=RAMP)
    if before == "Take back after an alarm":
        released.ring(released.other)
    somebody = on_alias(released, RoutingConfig={"AdditionalVersionWeights": left})
    ended = released.run({"version": "2"}, meddled(released.states, before, *somebody, step))
    assert released.outcome(ended) == ("SUCCEEDED", "replaced")
    assert released.alias() == ("1", left)


def test_a_version_that_is_promoted_by_hand_before_it_has_its_share(emulator: Emulator) -> None:
    released = Released(emulator, shares=RAMP)
    somebody = on_alias(released, FunctionVersion="2")
    ended = released.run({"version": "2"}, meddled(released.states, "Give a share", *somebody))
    assert released.outcome(ended) == ("SUCCEEDED", "stable already")
    assert released.alias() == ("2", {})
