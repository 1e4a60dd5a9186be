"""The daily look at all rotations."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lambda_runtime.rotation.check import check_all
from tests.lambda_runtime.rotation.kit import NEW, OLD, Secret, make_secret, openai_rotation, staged_rotation
from tests.lambda_runtime.rotation.test_staged import metrics

URL = "https://unused.example"


def due(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def test_nothing_staged_and_due_soon(secret: Secret, capsys: pytest.CaptureFixture[str]) -> None:
    secret.enable(due=due(6.9))
    assert check_all([staged_rotation(secret, URL)], secret.client) == {"unprepared": ["main"], "failed": []}
    said = capsys.readouterr().out
    assert "no next key is staged: ai-gateway credentials stage main" in said
    assert f"a rotation is due on {due(6.9):%Y-%m-%d}" in said
    assert '"RotationUnprepared":1' in said
    assert '"RotationFailed":0' in said


def test_nothing_staged_and_due_later(secret: Secret, capsys: pytest.CaptureFixture[str]) -> None:
    secret.enable(due=due(7.1))
    assert check_all([staged_rotation(secret, URL)], secret.client) == {"unprepared": [], "failed": []}
    assert metrics(capsys) == [("RotationFailed", 0), ("RotationUnprepared", 0)]


def test_a_staged_key_is_enough(secret: Secret) -> None:
    secret.enable(due=due(1))
    secret.stage(NEW)
    assert check_all([staged_rotation(secret, URL)], secret.client) == {"unprepared": [], "failed": []}


@pytest.mark.parametrize("value", [OLD, '{"placeholder":true}', " "])
def test_what_is_staged_must_be_a_new_key(secret: Secret, value: str) -> None:
    secret.enable(due=due(1))
    secret.stage(value)
    assert check_all([staged_rotation(secret, URL)], secret.client)["unprepared"] == ["main"]


def test_minted_keys_need_no_staging(secret: Secret, capsys: pytest.CaptureFixture[str]) -> None:
    secret.enable(due=due(1))
    assert check_all([openai_rotation(secret, URL)], secret.client) == {"unprepared": [], "failed": []}
    assert metrics(capsys) == [("RotationFailed", 0)]


def test_a_rotation_that_is_long_due_has_failed(secret: Secret) -> None:
    secret.stage(NEW)
    secret.enable(due=due(-0.9))
    assert check_all([staged_rotation(secret, URL)], secret.client)["failed"] == []
    secret.enable(due=due(-1.1))
    assert check_all([staged_rotation(secret, URL)], secret.client)["failed"] == ["main"]


def test_a_rotation_that_is_under_way_is_neither_well_nor_failed(secret: Secret, capsys: pytest.CaptureFixture[str]) -> None:
    secret.stage(NEW)
    secret.enable(due=due(10))
    secret.begin()
    check_all([staged_rotation(secret, URL)], secret.client)
    assert metrics(capsys) == [("RotationUnprepared", 0)]


def test_a_rotation_that_was_switched_off(secret: Secret, capsys: pytest.CaptureFixture[str]) -> None:
    secret.enable(on=False)
    secret.stage(NEW)
    assert check_all([staged_rotation(secret, URL)], secret.client)["failed"] == ["main"]
    assert "deploy the gateway again" in capsys.readouterr().out


def test_one_secret_that_cannot_be_looked_at_does_not_hide_the_others(
    secret: Secret, capsys: pytest.CaptureFixture[str]
) -> None:
    other = make_secret("other", OLD)
    other.enable(due=due(1))
    gone = replace(staged_rotation(secret, URL), secret=secret.arn.replace("main", "gone"), upstream="gone")
    there = replace(staged_rotation(other, URL), upstream="there")
    assert check_all([gone, there], secret.client) == {"unprepared": ["there"], "failed": ["gone"]}
    assert "ResourceNotFoundException" in capsys.readouterr().out
