"""The table, and what operators and failures have left in it."""

from __future__ import annotations

import time

import pytest

from gateway_cli.doctor.circuits import check_circuits
from gateway_cli.doctor.findings import Finding, Level
from gateway_cli.doctor.table import check_table
from gateway_cli.upstreams.store import StateStore
from lambda_runtime.state import items, operator_actions
from lambda_runtime.state.items import Update
from tests.gateway_cli.doctor.conftest import Ward, config, levels

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("doctor")]


def test_a_table(ward: Ward) -> None:
    assert [(one.level, one.text) for one in ward.find(check_table)] == [
        (Level.OK, "active"),
        (Level.OK, "what has expired goes by itself"),
    ]


def test_none(ward: Ward) -> None:
    ward.serve(config(), variables={})
    assert (ward.only(check_table).level, ward.only(check_circuits).level) == (Level.NOTE, Level.NOTE)


def test_a_table_that_is_gone(ward: Ward) -> None:
    ward.dynamodb.delete_table(TableName=ward.table)
    found = ward.only(check_table)
    assert (found.level, found.subject, found.mend) == (Level.ERROR, ward.table, ("npx cdk deploy Stack",))
    assert levels(ward.find(check_circuits)) == [Level.SKIPPED]


@pytest.mark.parametrize(("status", "level"), [("UPDATING", Level.WARNING), ("DELETING", Level.ERROR)])
def test_a_table_that_is_not_active(ward: Ward, status: str, level: Level) -> None:
    ward.answer("DescribeTable", Table={"TableStatus": status})
    found = ward.find(check_table)[0]
    assert (found.level, found.text) == (level, f"the table is not active, but {status}")
    assert f"aws dynamodb describe-table --table-name {ward.table}" in found.mend[0]


@pytest.mark.parametrize(
    "described", [{"TimeToLiveStatus": "DISABLED"}, {"TimeToLiveStatus": "ENABLED", "AttributeName": "other"}]
)
def test_without_ttl(ward: Ward, described: dict[str, str]) -> None:
    ward.answer("DescribeTimeToLive", TimeToLiveDescription=described)
    found = ward.find(check_table)[1]
    assert found.level is Level.WARNING
    specification = "--time-to-live-specification Enabled=true,AttributeName=expires"
    assert found.mend == (f"aws dynamodb update-time-to-live --table-name {ward.table} {specification} --region us-east-1",)


@pytest.mark.parametrize("operation", ["DescribeTable", "DescribeTimeToLive"])
def test_what_the_operator_may_not_see(ward: Ward, operation: str) -> None:
    ward.refuse(operation)
    found = ward.find(check_table)[-1]
    assert (found.level, found.text) == (
        Level.SKIPPED,
        f"you lack the permission dynamodb:{operation} on the gateway's table",
    )


def written(ward: Ward, *updates: Update) -> list[Finding]:
    """What is found after these changes."""
    StateStore(ward.dynamodb, ward.table, time.time).write(updates)
    return ward.find(check_circuits)


def test_closed(ward: Ward) -> None:
    assert ward.only(check_circuits).text == "every circuit is closed, and the configured weights count"


def test_stopped_by_an_operator(ward: Ward) -> None:
    stopped, refused = written(ward, *operator_actions.open_breaker("holysheep", now=time.time() - 7200))
    assert (stopped.level, stopped.subject) == (Level.WARNING, "holysheep")
    assert stopped.text == "an operator has stopped it for 2 h, without an end"
    assert stopped.mend == (f"ai-gateway upstreams close holysheep --gateway {ward.path}",)
    assert (refused.level, refused.mend) == (Level.ERROR, (f"ai-gateway upstreams status --gateway {ward.path}",))
    assert "requests for gpt-4 are refused" in refused.text


def test_stopped_for_a_while(ward: Ward) -> None:
    # Half an hour more than is told: the time goes on while the table is written and read.
    (found,) = written(ward, *operator_actions.open_breaker("holysheep/gpt-5", seconds=5 * 3600 + 1800, now=time.time()))
    assert (found.level, found.subject, ", another 5 h" in found.text) == (Level.NOTE, "holysheep/gpt-5", True)


def test_a_weight(ward: Ward) -> None:
    (found,) = written(ward, *operator_actions.set_weight("gpt-4", "holysheep/gpt-4.1", 5, now=time.time() - 90000))
    assert (found.level, found.subject) == (Level.WARNING, "holysheep/gpt-4.1 in gpt-4")
    assert "an operator's weight of 5 % counts, for 1 d" in found.text
    assert found.mend == (f"ai-gateway upstreams weight gpt-4 holysheep/gpt-4.1 --reset --gateway {ward.path}",)


@pytest.mark.parametrize(
    ("by", "level", "said"),
    [
        ("key refused", Level.ERROR, "it refuses the gateway's key for "),
        ("failure rate", Level.WARNING, "its circuit is open for "),
    ],
)
def test_opened_for_its_failures(ward: Ward, by: str, level: Level, said: str) -> None:
    now = time.time()
    sets = {"state": "open", "by": by, "since": now - 60, "until": now + 60, "openings": 1}
    (found,) = written(ward, Update(items.STATE_PARTITION, items.BREAKER + "holysheep/gpt-4.1", sets))
    assert (found.level, found.text[: len(said)]) == (level, said)


def test_cooling(ward: Ward) -> None:
    now = time.time()
    sets = {"since": now, "until": now + 30}
    (found,) = written(ward, Update(items.STATE_PARTITION, items.COOLING + "holysheep/gpt-4.1", sets))
    assert (found.level, "it answered 429" in found.text) == (Level.NOTE, True)


def test_the_operator_may_not_read_the_table(ward: Ward) -> None:
    ward.refuse("Query")
    assert ward.only(check_circuits).text == "you lack the permission dynamodb:Query on the gateway's table"


def test_without_the_configuration_states_are_told_all_the_same(ward: Ward) -> None:
    ward.refuse("GetFunction")
    found = written(ward, *operator_actions.open_breaker("holysheep", now=time.time()))
    assert levels(found) == [Level.WARNING]
