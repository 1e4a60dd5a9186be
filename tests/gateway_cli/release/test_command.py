"""The commands as they are typed."""

from __future__ import annotations

import json
import re

import pytest

from gateway_cli.errors import MISTAKEN
from gateway_cli.local.emulator import Emulator
from gateway_construct.canary_states import Share
from tests.gateway_cli.gateways import call
from tests.gateway_cli.release.conftest import DAY, Gateway
from tests.local_gateway import until

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("releases")]


def test_start_releases_the_newest_version(gateway: Gateway) -> None:
    done = gateway.command("start")
    assert done.exit_code == 0, done.stderr
    (name,) = gateway.names("RUNNING")
    assert name.startswith("v3-by-hand-20")
    assert len(name) <= 80
    assert f"The release of version 3 has begun ({name}): 5 % for 200 d, then 25 % for 1 h, then 50 % for 1 h" in done.stdout
    assert f"ai-gateway release rollback --gateway {gateway.name}" in done.stdout
    until(lambda: gateway.alias() == ("1", {"3": 0.05}))
    (execution,) = gateway.sfn.list_executions(stateMachineArn=gateway.arn)["executions"]
    told = gateway.sfn.describe_execution(executionArn=execution["executionArn"])["input"]
    # What the deployment's roll-back reads.
    assert json.loads(told) == {"version": "3", "stable": "1"}
    refused = gateway.refused("start")
    assert "the release of version 3 is under way, since " in refused
    assert "the version has 5 % of the requests" in refused
    document = gateway.done("start", "--force")
    assert (document["ended"], document["before"]["canary"]) == ([name], {"version": "3", "weight": 0.05})
    assert gateway.names("RUNNING") == [document["started"]]


def test_start_replaces_another_release(gateway: Gateway) -> None:
    execution = gateway.begin("2")
    done = gateway.command("start", "3")
    assert "It replaces that of version 2; version 1 stays the stable one." in done.stdout
    ended = gateway.ended(execution)
    assert gateway.outcome(ended) == ("ABORTED", "Replaced")
    assert ended["cause"] == "version 3 was started by hand"
    until(lambda: gateway.alias() == ("1", {"3": 0.05}))


def test_start_what_cannot_be_released(gateway: Gateway) -> None:
    assert "has no version '9'; published: 3, 2, 1" in gateway.refused("start", "9", status=MISTAKEN)
    assert "has no version 'v3'" in gateway.refused("start", "v3", status=MISTAKEN)
    gateway.set_alias(FunctionVersion="3")
    assert "version 3 is the stable one, and the newest one: there is nothing to release" in gateway.refused("start")
    gateway.set_weight("2", 0.1)
    assert f"to end the release of 2: ai-gateway release rollback --gateway {gateway.name}" in gateway.refused("start", "3")


def test_start_without_alarms_that_would_notice(gateway: Gateway) -> None:
    refused = gateway.refused("start", "2")
    assert "the alarms watch version 3, not 2: nothing would notice that 2 fails" in refused
    assert f"ai-gateway release start 2 --unwatched --gateway {gateway.name}" in refused
    assert f"ai-gateway release start 2 --weight 5% --gateway {gateway.name}" in refused
    gateway.watch("3", "2")
    assert "the alarms compare with version 2, but 1 is the stable one: only crashes of 3" in gateway.refused("start")
    gateway.cloudwatch.delete_alarms(AlarmNames=[gateway.own])
    assert f"alarms of the gateway are missing: {gateway.own}" in gateway.refused("start")
    assert gateway.done("start", "2", "--unwatched")["started"].startswith("v2-by-hand-")


def test_start_with_a_share_that_stays(gateway: Gateway, plain: Gateway) -> None:
    done = plain.command("start", "--weight", "2.5%")
    assert "Version 3 has 2.5 % of the requests now, and 1 has the others." in done.stdout
    assert "nothing watches it, and nothing promotes it" in done.stdout
    assert "This holds until the next deployment that changes the function" in done.stdout
    assert plain.alias() == ("1", {"3": 0.025})
    assert plain.done("start", "3", "--weight", "20")["canary"] == {"version": "3", "weight": 0.2}
    done = plain.command("start", "2", "--weight", "50%")
    assert "Version 3, which had 20 %, has none any more." in done.stdout
    assert plain.alias() == ("1", {"2": 0.5})

    execution = gateway.begin("3")
    assert "--force ends it and begins anew" in gateway.refused("start", "3", "--weight", "20%")
    done = gateway.command("start", "3", "--weight", "20%", "--force")
    assert "an alarm that rings takes it back, and nothing promotes it" in done.stdout
    assert "next deployment" not in done.stdout
    assert gateway.outcome(gateway.ended(execution)) == ("ABORTED", "Replaced")
    assert gateway.alias() == ("1", {"3": 0.2})
    # What has a share by hand may be released.
    assert gateway.command("start", "3").exit_code == 0
    until(lambda: gateway.alias() == ("1", {"3": 0.05}))


@pytest.mark.parametrize("weight", ["0", "100%", "-5", "nan", "inf", "half", "", "%", "150%"])
def test_weights_that_are_none(plain: Gateway, weight: str) -> None:
    assert f"above 0 and below 100, as in 5%, got {weight!r}" in plain.refused("start", f"--weight={weight}", status=MISTAKEN)


def test_a_weight_that_could_be_either(plain: Gateway) -> None:
    assert "write 0.05% or 5%: '0.05' could be either" in plain.refused("start", "--weight", "0.05", status=MISTAKEN)
    assert plain.done("start", "--weight", "0.05%")["canary"]["weight"] == 0.0005
    assert "leave out --unwatched" in plain.refused("start", "--weight", "5%", "--unwatched", status=MISTAKEN)


def test_start_without_a_state_machine(plain: Gateway) -> None:
    refused = plain.refused("start")
    assert "the gateway has no state machine that could release version 3" in refused
    assert f"ai-gateway release start 3 --weight 5% --gateway {plain.name}" in refused
    assert f"ai-gateway release promote 3 --gateway {plain.name}" in refused


def test_promote(gateway: Gateway) -> None:
    execution = gateway.begin("3")
    done = gateway.command("promote")
    assert done.stdout.startswith("Version 3 has every request now (it had 5 %).")
    assert f"to go back to it: ai-gateway release rollback --to 1 --gateway {gateway.name}" in done.stdout
    assert gateway.alias() == ("3", {})
    ended = gateway.ended(execution)
    assert (gateway.outcome(ended), ended["cause"]) == (("ABORTED", "Promoted"), "by hand")
    refused = gateway.refused("promote")
    assert "no release is under way: version 3 has every request" in refused
    assert f"ai-gateway release promote VERSION --gateway {gateway.name}" in refused


def test_promote_any_version(gateway: Gateway, plain: Gateway) -> None:
    execution = gateway.begin("3")
    done = gateway.command("promote", "2")
    assert done.stdout.startswith("Version 2 has every request now.")
    assert gateway.alias() == ("2", {})
    assert gateway.outcome(gateway.ended(execution)) == ("ABORTED", "Replaced")
    assert "Version 2 has every request already." in gateway.command("promote", "2").stdout
    assert "has no version '7'" in gateway.refused("promote", "7", status=MISTAKEN)
    plain.set_weight("3", 0.1)
    assert "version 1 is the stable one, and 3 has 10 % of the requests" in plain.refused("promote", "1", status=MISTAKEN)
    done = plain.command("promote")
    assert "This holds until the next deployment" in done.stdout
    assert plain.alias() == ("3", {})


def test_rollback(gateway: Gateway) -> None:
    execution = gateway.begin("3")
    done = gateway.command("rollback")
    said = r"Version 3 has no requests any more \(it had 5 %\)\. Version 1 has every request now; that took \d+\.\d+ s"
    assert re.match(said, done.stdout)
    assert gateway.alias() == ("1", {})
    ended = gateway.ended(execution)
    assert (gateway.outcome(ended), ended["cause"]) == (("ABORTED", "RolledBack"), "by hand")
    refused = gateway.refused("rollback")
    assert "there is nothing to take back" in refused
    assert f"ai-gateway release rollback --to VERSION --gateway {gateway.name}; published: 3, 2, 1" in refused


def test_rollback_to_an_earlier_version(typed: Emulator) -> None:
    gateway = Gateway(typed, shares=[Share(0.05, 60)])
    execution = gateway.start(gateway.arn, {"version": "3", "stable": "1"})
    assert gateway.outcome(gateway.ended(execution)) == ("SUCCEEDED", "promoted")
    # Version 2 has never served, so that it is not what was there before.
    assert f"ai-gateway release rollback --to 1 --gateway {gateway.name}" in gateway.refused("rollback")
    document = gateway.done("rollback", "--to", "1")
    assert (document["stable"], document["before"]["stable"], document["canary"]) == ("1", "3", None)
    assert document["seconds"] > 0
    assert gateway.alias() == ("1", {})
    assert "Version 1 has every request already." in gateway.command("rollback", "--to", "1").stdout
    assert "has no version '7'" in gateway.refused("rollback", "--to", "7", status=MISTAKEN)


def test_rollback_to_an_earlier_version_ends_a_release(gateway: Gateway) -> None:
    gateway.set_alias(FunctionVersion="2")
    execution = gateway.begin("3")
    done = gateway.command("rollback", "--to", "1")
    assert "Version 3 has no requests any more (it had 5 %). Version 1 has every request now" in done.stdout
    assert (
        f"Before, 2 was the stable one; to go back to it: ai-gateway release promote 2 --gateway {gateway.name}" in done.stdout
    )
    assert gateway.alias() == ("1", {})
    assert gateway.outcome(gateway.ended(execution)) == ("ABORTED", "RolledBack")


def test_rollback_of_a_release_that_has_not_given_anything_yet(gateway: Gateway) -> None:
    gateway.states["States"]["Give a share"] = {**gateway.states["States"]["Wait"], "Seconds": DAY}
    gateway.sfn.update_state_machine(stateMachineArn=gateway.arn, definition=json.dumps(gateway.states))
    execution = gateway.start(gateway.arn, {"version": "3"})
    done = gateway.command("rollback")
    assert "The release of version 3 had not given it any requests yet, and has ended." in done.stdout
    assert gateway.outcome(gateway.ended(execution)) == ("ABORTED", "RolledBack")


def test_options_that_find_no_gateway(gateway: Gateway) -> None:
    done = call("release", "status", "--gateway", "nothing")
    assert done.exit_code == MISTAKEN
    assert f"--gateway {gateway.path}" in " ".join(done.stderr.split())


def test_a_gateway_that_does_not_say_which_function_is_its_own(typed: Emulator) -> None:
    typed.client("apigateway").create_rest_api(name="old", tags={"ai-gateway:api": "Stack/old"})
    done = call("release", "rollback", "--gateway", "old")
    assert done.exit_code == 1
    assert "does not say which function is its own: an older version of the construct deployed it" in done.stderr


def test_a_function_without_the_alias(gateway: Gateway) -> None:
    gateway.functions.delete_alias(FunctionName=gateway.name, Name="live")
    for words in (("status",), ("promote",), ("rollback",), ("start",)):
        done = gateway.command(*words)
        assert done.exit_code == 1
        assert f"the function {gateway.name} has no alias 'live'" in done.stderr
