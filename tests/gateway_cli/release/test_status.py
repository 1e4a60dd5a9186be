"""What `ai-gateway release status` shows."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway_cli.local.emulator import Emulator
from gateway_cli.release.model import Plan, Step
from gateway_construct.canary_states import Share
from tests.gateway_cli.release.conftest import BAKE, DAY, Gateway
from tests.local_gateway import until

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("releases")]


def seconds_between(first: str, second: str) -> float:
    return (datetime.fromisoformat(second) - datetime.fromisoformat(first)).total_seconds()


def findings(gateway: Gateway) -> list[str]:
    found: list[str] = gateway.done("status")["findings"]
    return found


def test_a_gateway_at_rest(gateway: Gateway) -> None:
    document = gateway.done("status")
    assert (document["gateway"], document["function"]) == (gateway.path, gateway.name)
    assert (document["stable"], document["canary"], document["release"]) == ("1", None, None)
    assert (document["releases"], document["findings"], document["stable_since"]) == ([], [], None)
    assert [version["version"] for version in document["versions"]] == ["3", "2", "1"]
    assert [alarm["name"] for alarm in document["alarms"]] == [gateway.own, gateway.other]
    done = gateway.command("status")
    assert done.stdout.startswith("version 1 is stable: every request\n")
    assert f"function {gateway.name} (of the gateway {gateway.name})" in " ".join(done.stderr.split())


def test_all_times_are_of_one_zone(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    published = gateway.done("status")["versions"][0]["published"]
    moment = datetime.strptime(published, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    # The hours of no other zone are those of this one at the same time.
    monkeypatch.setenv("TZ", "XYZ-13:30")
    time.tzset()
    try:
        lines = gateway.command("status").stdout.splitlines()
    finally:
        monkeypatch.undo()
        time.tzset()
    (line,) = [line for line in lines if line.startswith("3 ")]
    assert f"{moment + timedelta(hours=13, minutes=30):%H:%M:%S}" in line


def test_a_release_that_is_under_way(gateway: Gateway) -> None:
    gateway.begin("3")
    document = gateway.done("status")
    assert document["canary"] == {"version": "3", "weight": 0.05}
    assert document["findings"] == []
    release = document["release"]
    assert (release["version"], release["step"], release["steps"]) == ("3", 1, 3)
    assert [coming["weight"] for coming in release["next"]] == [0.25, 0.5, 1.0]
    after = [seconds_between(release["started"], coming["about"]) for coming in release["next"]]
    assert after == pytest.approx([BAKE, BAKE + 3600, BAKE + 7200], abs=2)
    assert [run["outcome"] for run in document["releases"]] == ["under way"]
    lines = gateway.command("status").stdout.splitlines()
    assert lines[:2] == ["version 1 is stable: 95 %", "version 3 is the canary: 5 %"]
    assert lines[2].startswith("its release began ")
    assert lines[2].endswith("ago: step 1 of 3")
    assert lines[3].startswith("if no alarm rings: 25 % about 20")
    assert "; every request about 20" in lines[3]


def test_a_later_step(gateway: Gateway) -> None:
    gateway.begin("3")
    gateway.set_weight("3", 0.5)
    release = gateway.done("status")["release"]
    assert (release["step"], [coming["weight"] for coming in release["next"]]) == (3, [1.0])


def test_outcomes(typed: Emulator) -> None:
    gateway = Gateway(typed, shares=[Share(0.05, 60)])
    promoted = gateway.ended(gateway.start(gateway.arn, {"version": "2", "stable": "1"}))
    gateway.ring(gateway.other)
    gateway.ended(gateway.start(gateway.arn, {"version": "3", "stable": "2"}))
    gateway.ended(gateway.start(gateway.arn, {"version": "2", "stable": "2"}))
    gateway.ended(gateway.start(gateway.arn, {"told": "nothing"}))
    document = gateway.done("status")
    told = {(run["version"], run["outcome"]): run["because"] for run in document["releases"]}
    failed = told.pop((None, "failed"))
    assert failed.startswith("States.QueryEvaluationError: ")
    assert told == {
        ("2", "promoted"): None,
        ("3", "rolled back"): f"alarm: {gateway.other}",
        ("2", "stable already"): None,
    }
    assert document["stable"] == "2"
    assert datetime.fromisoformat(document["stable_since"]).timestamp() == int(promoted["stopDate"].timestamp())
    lines = gateway.command("status").stdout.splitlines()
    assert lines[0].startswith("version 2 is stable, since ")
    assert any(line.split()[:3] == ["3", "rolled", "back"] and f"alarm: {gateway.other}" in line for line in lines)
    # By hand to another version: since when is not known.
    assert gateway.command("promote", "1").exit_code == 0
    assert gateway.done("status")["stable_since"] is None


def test_releases_that_were_ended(gateway: Gateway) -> None:
    for words in (("rollback",), ("start", "2", "--unwatched"), ("promote",)):
        gateway.begin("3")
        assert gateway.command(*words).exit_code == 0
        if words[0] == "start":
            until(lambda: gateway.alias() == ("1", {"2": 0.05}))
            assert gateway.command("rollback").exit_code == 0
    told = {(run["version"], run["outcome"], run["because"]) for run in gateway.done("status")["releases"]}
    assert told == {
        ("3", "rolled back", "by hand"),
        ("3", "replaced", "version 2 was started by hand"),
        ("2", "rolled back", "by hand"),
        ("3", "promoted", "by hand"),
    }


def test_without_a_state_machine(plain: Gateway) -> None:
    plain.set_weight("3", 0.2)
    document = plain.done("status")
    assert (document["state_machine"], document["alarms"], document["releases"]) == (None, [], [])
    assert (document["canary"], document["findings"]) == ({"version": "3", "weight": 0.2}, [])
    assert "version 3 is the canary: 20 %" in plain.command("status").stdout


def test_a_share_that_no_release_watches(gateway: Gateway) -> None:
    gateway.set_weight("3", 0.2)
    (found,) = findings(gateway)
    assert found.startswith("version 3 has 20 % of the requests, and no release is under way that would promote it or take")
    assert f"ai-gateway release promote --gateway {gateway.name}, or ai-gateway release rollback" in found
    assert "note: version 3 has 20 %" in gateway.command("status").stderr


def test_a_release_of_another_version(gateway: Gateway) -> None:
    gateway.states["States"]["Look at the alarms"] = {**gateway.states["States"]["Wait"], "Seconds": DAY}
    gateway.sfn.update_state_machine(stateMachineArn=gateway.arn, definition=json.dumps(gateway.states))
    gateway.begin("3")
    gateway.set_weight("2", 0.2)
    assert "version 3 is being released, but 2 has 20 % of the requests" in findings(gateway)[0]
    gateway.start(gateway.arn, {"version": "2"})
    assert findings(gateway)[0].startswith("several releases are under way: version ")


def test_a_release_without_requests(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway.states["States"]["Look at the alarms"] = {**gateway.states["States"]["Wait"], "Seconds": DAY}
    gateway.sfn.update_state_machine(stateMachineArn=gateway.arn, definition=json.dumps(gateway.states))
    gateway.begin("3")
    gateway.set_alias(RoutingConfig={"AdditionalVersionWeights": {}})
    # It may be about to begin.
    assert findings(gateway) == []
    assert "version 3 is about to get its first share" in gateway.command("status").stdout
    monkeypatch.setattr("gateway_cli.release.status._PATIENCE", 0.0)
    (found,) = findings(gateway)
    assert "and the version has no requests: somebody has taken them; end it: ai-gateway release rollback" in found


def test_alarms_that_do_not_fit(gateway: Gateway) -> None:
    gateway.begin("2")
    assert findings(gateway)[0].startswith("the alarms watch version 3, not 2: nothing would notice that 2 fails; ai-gateway")
    gateway.watch("2", "1")
    assert findings(gateway) == []
    gateway.ring(gateway.other)
    (found,) = findings(gateway)
    assert found.startswith(f"the alarm {gateway.other} rings, and version 2 still has 5 % of the requests: ai-gateway")
    assert gateway.command("rollback").exit_code == 0
    assert findings(gateway) == []


def test_the_plan_is_the_one_that_the_construct_writes(gateway: Gateway) -> None:
    plan = Plan.of(json.dumps(gateway.states))
    assert plan.steps == [Step(0.05, BAKE), Step(0.25, 3600), Step(0.5, 3600)]
    assert (plan.own_alarms, plan.alarms) == ([gateway.own], [gateway.own, gateway.other])


@pytest.mark.parametrize("definition", ["", "[]", "{}", '{"States": {"Plan": {}}}'])
def test_a_plan_that_is_written_otherwise(definition: str) -> None:
    assert Plan.of(definition) == Plan()


def test_a_state_machine_that_is_written_otherwise(gateway: Gateway) -> None:
    states: dict[str, Any] = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": DAY, "End": True}}}
    gateway.sfn.update_state_machine(stateMachineArn=gateway.arn, definition=json.dumps(states))
    gateway.start(gateway.arn, {"version": "3"})
    gateway.set_weight("3", 0.05)
    document = gateway.done("status")
    assert (document["release"]["step"], document["release"]["next"], document["alarms"]) == (None, [], [])
    assert "its release began " in gateway.command("status").stdout
