"""Rotations: on, in time, and with a next key."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from gateway_cli.doctor.findings import Level
from gateway_cli.doctor.rotation import check_rotation
from lambda_runtime.config import AuthStyle, WireFormat
from lambda_runtime.config.secrets import ROTATION_VARIABLE, STAGED_LABEL, RotatedSecret, RotationKind, rotation_json
from tests.gateway_cli.doctor.conftest import Ward, code, levels

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("doctor")]

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)
CURRENT = {"v1": ["AWSCURRENT"]}
STAGED = {**CURRENT, "v2": [STAGED_LABEL]}
PENDING = {**STAGED, "v3": ["AWSPENDING"]}


@pytest.fixture
def rotated(ward: Ward) -> Ward:
    """A gateway with a function that rotates its upstream's key."""
    secret = RotatedSecret(
        upstream="holysheep",
        secret=ward.secret,
        kind=RotationKind.STAGED,
        field="apiKey",
        url="https://holysheep.invalid/v1/models",
        auth=AuthStyle.BEARER,
        wire_format=WireFormat.OPENAI,
        notice=int((7 * DAY).total_seconds()),
    )
    function(ward, rotation_json([secret]))
    return ward


def function(ward: Ward, variable: str) -> None:
    ward.tags["ai-gateway:rotation"] = f"rotation-{ward.number}"
    ward.lambda_.create_function(
        FunctionName=f"rotation-{ward.number}",
        Runtime="python3.13",
        Role=ward.role,
        Handler="index.handler",
        Code={"ZipFile": code(None)},
        Environment={"Variables": {ROTATION_VARIABLE: variable}},
    )


def described(ward: Ward, due: dt.timedelta | None = 30 * DAY, **more: Any) -> None:
    """Have AWS describe the secret so; the embedded one does not rotate."""
    content = {"RotationEnabled": True, "VersionIdsToStages": STAGED, **more}
    if due is not None:
        content["NextRotationDate"] = NOW + due
    ward.answer("DescribeSecret", **content)


def test_no_rotation(ward: Ward) -> None:
    assert (ward.only(check_rotation).level, ward.only(check_rotation).text) == (Level.NOTE, "no key is rotated by schedule")


def test_all_is_well(rotated: Ward) -> None:
    described(rotated)
    found = rotated.only(check_rotation)
    assert (found.level, found.subject) == (Level.OK, "holysheep")
    assert found.text == f"rotated by schedule (staged), the next one by {NOW + 30 * DAY:%Y-%m-%d}"


def test_switched_off(rotated: Ward) -> None:
    found = rotated.only(check_rotation)
    assert (found.level, found.text) == (Level.ERROR, "its rotation is switched off")
    assert found.mend == (
        f"aws secretsmanager rotate-secret --secret-id {rotated.secret} --no-rotate-immediately --region us-east-1",
    )


@pytest.mark.parametrize(("due", "level"), [(3 * DAY, Level.WARNING), (20 * DAY, Level.NOTE), (None, Level.WARNING)])
def test_nothing_is_staged(rotated: Ward, due: dt.timedelta | None, level: Level) -> None:
    described(rotated, due, VersionIdsToStages=CURRENT)
    well, unprepared = rotated.find(check_rotation)
    assert (well.level, unprepared.level) == (Level.OK, level)
    assert unprepared.text.startswith("no next key is staged")
    assert unprepared.mend == (f"ai-gateway credentials stage holysheep --gateway {rotated.path}",)


def test_overdue(rotated: Ward) -> None:
    described(rotated, -3 * DAY)
    found = rotated.only(check_rotation)
    assert (found.level, f"was due on {NOW - 3 * DAY:%Y-%m-%d}" in found.text) == (Level.ERROR, True)
    logs, again = found.mend
    assert logs == f"aws logs tail /aws/lambda/rotation-{rotated.number} --since 2d --region us-east-1"
    assert again == f"ai-gateway credentials rotate holysheep --gateway {rotated.path}"
    # The day on which it is due is Secrets Manager's to choose an hour of.
    described(rotated, -0.5 * DAY)
    assert levels(rotated.find(check_rotation)) == [Level.OK]


def test_the_last_one_failed(rotated: Ward) -> None:
    described(rotated, VersionIdsToStages=PENDING)
    made = {"VersionId": "v3", "CreatedDate": NOW - dt.timedelta(hours=2)}
    rotated.answer("ListSecretVersionIds", Versions=[made])
    found = rotated.only(check_rotation)
    assert (found.level, "its last rotation failed; the current key stays" in found.text) == (Level.ERROR, True)
    assert found.mend[1] == f"ai-gateway credentials rotate holysheep --again --gateway {rotated.path}"


def test_one_is_under_way(rotated: Ward) -> None:
    described(rotated, VersionIdsToStages=PENDING)
    rotated.answer("ListSecretVersionIds", Versions=[{"VersionId": "v3", "CreatedDate": NOW}])
    assert levels(rotated.find(check_rotation)) == [Level.OK]
    # The label may stay on the version that has become the current one.
    described(rotated, VersionIdsToStages={"v3": ["AWSCURRENT", "AWSPENDING"], "v2": [STAGED_LABEL]})
    assert levels(rotated.find(check_rotation)) == [Level.OK]


@pytest.mark.parametrize("variable", ["not JSON", "[{}]", "[1]"])
def test_a_variable_of_another_time(ward: Ward, variable: str) -> None:
    function(ward, variable)
    found = ward.only(check_rotation)
    assert (found.level, "cannot be read" in found.text) == (Level.SKIPPED, True)


@pytest.mark.parametrize("operation", ["DescribeSecret", "GetFunctionConfiguration", "ListSecretVersionIds"])
def test_what_the_operator_may_not_see(rotated: Ward, operation: str) -> None:
    described(rotated, VersionIdsToStages=PENDING)
    rotated.refuse(operation)
    found = rotated.only(check_rotation)
    assert (found.level, f":{operation} on" in found.text) == (Level.SKIPPED, True)
