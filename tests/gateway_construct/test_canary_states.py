"""The state machines of a release as text: what holds whatever the canary is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from aws_cdk import Duration
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway_construct import Canary
from gateway_construct.canary_states import (
    MOST_SHARES,
    MOST_WATCHES,
    SHORTEST_WATCH,
    Share,
    plan_of,
    release_states,
    rollback_states,
)

HISTORY = 25_000
"""Events that AWS keeps of an execution, which fails with one more."""

EVENTS_OF_A_LOOK = 20
"""Wait, two tasks and a choice are 14 when all goes well, and each repetition of a task is three more."""

OF_JSONPATH = {"InputPath", "OutputPath", "Parameters", "ResultPath", "ResultSelector", "ItemsPath", "SecondsPath", "Result"}
FIELDS = {
    "Pass": {"Assign", "Output", "Next", "End"},
    "Task": {"Resource", "Arguments", "Assign", "Output", "Retry", "Catch", "Next", "End"},
    "Choice": {"Choices", "Default", "Assign"},
    "Wait": {"Seconds", "Next"},
    "Map": {"Items", "ItemProcessor", "Catch", "Next", "End"},
    "Succeed": set(),
    "Fail": {"Error", "Cause"},
}


def release(shares: list[Share] | None = None, alarms: int = 6) -> dict[str, Any]:
    names = [f"alarm-{number}" for number in range(alarms)]
    return release_states(
        partition="aws", function_name="f", alias="live", shares=shares or [Share(0.05, 60)], own_alarms=names, alarms=names
    )


MACHINES = {
    "release": release(),
    "rollback": rollback_states(partition="aws", function_name="f", alias="live", release_arn="arn:release"),
}


def levels(machine: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The machine, and those that its maps run."""
    yield machine
    for state in machine["States"].values():
        if "ItemProcessor" in state:
            yield from levels(state["ItemProcessor"])


def ways(state: Mapping[str, Any]) -> list[str]:
    """Where a state may go on."""
    named = [state.get("Next"), state.get("Default")]
    return [name for name in named if name] + [way["Next"] for way in [*state.get("Catch", []), *state.get("Choices", [])]]


def reached(states: Mapping[str, Any], start: str) -> set[str]:
    found, waiting = set(), [start]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += ways(states[name])
    return found


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES.keys())
def test_every_state_is_reached_and_comes_to_an_end(machine: dict[str, Any]) -> None:
    for level in levels(machine):
        states = level["States"]
        ends = {name for name, state in states.items() if state.get("End") or state["Type"] in {"Succeed", "Fail"}}
        assert reached(states, level["StartAt"]) == set(states)
        for name, state in states.items():
            assert len(name) <= 80
            assert reached(states, name) & ends, name
            assert bool(ways(state)) is not (name in ends) or state.get("Catch"), name


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES.keys())
def test_states_have_the_fields_that_jsonata_knows(machine: dict[str, Any]) -> None:
    assert machine["QueryLanguage"] == "JSONata"
    assert json.loads(json.dumps(machine)) == machine
    for level in levels(machine):
        for name, state in level["States"].items():
            assert set(state) - {"Type"} <= FIELDS[state["Type"]], name
    assert not OF_JSONPATH & set(_keys(machine))


@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES.keys())
def test_every_call_is_repeated_and_all_errors_come_last_and_alone(machine: dict[str, Any]) -> None:
    for level in levels(machine):
        for name, state in level["States"].items():
            assert ("Retry" in state) is (state["Type"] == "Task"), name
            for handlers in (state.get("Retry", []), state.get("Catch", [])):
                assert all("States.ALL" not in one["ErrorEquals"] for one in handlers[:-1]), name
                assert not handlers or handlers[-1]["ErrorEquals"] == ["States.ALL"], name


def test_only_what_takes_requests_back_changes_the_alias_without_its_revision() -> None:
    free = {"End any other canary", "Take back after an error"}
    for name, state in MACHINES["release"]["States"].items():
        if state.get("Resource", "").endswith("lambda:updateAlias"):
            assert ("RevisionId" not in state["Arguments"]) is (name in free), name


shares_of = st.lists(st.floats(0.001, 0.999), min_size=1, max_size=MOST_SHARES, unique=True).map(sorted)


@settings(deadline=None)
@given(weights=shares_of, bake=st.integers(1, 60 * 24 * 100), interval=st.integers(1, 60 * 24 * 2), alarms=st.integers(6, 100))
def test_the_history_holds_any_canary(weights: list[float], bake: int, interval: int, alarms: int) -> None:
    canary = Canary(weight=weights[0], bake=Duration.minutes(bake), ramp=weights[1:], ramp_interval=Duration.minutes(interval))
    shares = [Share(canary.weight, canary.bake_seconds), *(Share(weight, canary.ramp_seconds) for weight in canary.ramp)]
    definition = release(shares, alarms)
    plan = definition["States"]["Plan"]["Assign"]["plan"]
    assert [step["weight"] for step in plan] == weights
    for step, share in zip(plan, shares, strict=True):
        assert step["seconds"] >= SHORTEST_WATCH
        assert step["looks"] >= 1
        assert step["lasts"] == share.seconds
        # What is lost to whole seconds is less than a second a look.
        assert share.seconds - step["looks"] < step["seconds"] * step["looks"] <= share.seconds
    looks = sum(step["looks"] for step in plan)
    assert looks <= MOST_WATCHES + len(plan)
    assert (looks + len(plan) + alarms + 10) * EVENTS_OF_A_LOOK < HISTORY
    assert len(json.dumps(definition)) < 1_048_576


def test_looks_are_divided_by_time() -> None:
    days = 48 * 3600
    assert plan_of([Share(0.05, days)]) == [{"weight": 0.05, "lasts": days, "seconds": 288, "looks": 600}]
    assert [step["looks"] for step in plan_of([Share(0.05, days), Share(0.25, 3600), Share(0.5, 3600)])] == [576, 12, 12]
    assert plan_of([Share(0.05, 60), Share(0.5, 90)]) == [
        {"weight": 0.05, "lasts": 60, "seconds": 60, "looks": 1},
        {"weight": 0.5, "lasts": 90, "seconds": 90, "looks": 1},
    ]


def test_what_no_state_machine_could_watch_is_refused() -> None:
    with pytest.raises(ValueError, match="ramp must have 99 shares at most, got 100"):
        release([Share(number / 200, 60) for number in range(1, MOST_SHARES + 2)])
    with pytest.raises(ValueError, match="100 alarms can be watched, 101 of the gateway among them, got 101"):
        release(alarms=101)


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from _keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _keys(inner)
