"""Rotations as users write them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aws_cdk import Aws, Duration, Stack, Token
from aws_cdk.aws_secretsmanager import ISecret, Secret

from gateway_construct import AuthStyle, Rotation, Upstream


@pytest.fixture
def admin(stack: Stack) -> ISecret:
    return Secret.from_secret_name_v2(stack, "Admin", "openai-admin")


@pytest.mark.parametrize(
    ("every", "schedule"),
    [
        (None, "rate(30 days)"),
        (Duration.hours(4), "rate(4 hours)"),
        (Duration.hours(25), "rate(25 hours)"),
        (Duration.hours(24), "rate(1 day)"),
        (Duration.minutes(90 * 60), "rate(90 hours)"),
        (Duration.days(999), "rate(999 days)"),
    ],
)
def test_the_schedule_is_in_secrets_managers_words(every: Duration | None, schedule: str) -> None:
    assert Rotation.staged(every=every).schedule == schedule


@pytest.mark.parametrize(
    ("every", "message"),
    [
        (Duration.hours(3), "rotation staged: every must be from 4 hours to 999 days, got 3 hours"),
        (Duration.days(1000), "from 4 hours to 999 days, got 1000 days"),
        (Duration.minutes(301), "rotation staged: every must be whole hours, got 5 hours 1 minute"),
        (30, r"every must be a Duration, for example Duration.days\(30\), got 30"),
    ],
)
def test_schedules_that_secrets_manager_does_not_take_are_refused(every: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Rotation.staged(every=every)


def test_a_schedule_must_be_known_at_synth() -> None:
    with pytest.raises(ValueError, match="every must be known at synth, got a token"):
        Rotation.staged(every=Duration.days(Token.as_number({"Ref": "Days"})))


@pytest.mark.parametrize(
    ("every", "notice", "seconds"),
    [
        (None, None, 7 * 86_400),
        (Duration.days(3), None, 3 * 86_400),
        (Duration.hours(6), None, 6 * 3600),
        (None, Duration.days(14), 14 * 86_400),
    ],
)
def test_notice(every: Duration | None, notice: Duration | None, seconds: int) -> None:
    assert Rotation.staged(every=every, notice=notice).notice_seconds == seconds


@pytest.mark.parametrize("notice", [Duration.hours(23), Duration.days(31)])
def test_a_notice_that_could_not_be_given_is_refused(notice: Duration) -> None:
    with pytest.raises(ValueError, match=r"notice must be at least 1 day and no longer than every \(.*\), got"):
        Rotation.staged(notice=notice)


def test_minting_needs_a_project_of_openai(admin: ISecret) -> None:
    assert Rotation.openai_admin(project=Aws.STACK_NAME, admin_secret=admin).notice_seconds == 0
    with pytest.raises(ValueError, match=r"project must be the id of an OpenAI project such as .*, got 'my project'"):
        Rotation.openai_admin(project="my project", admin_secret=admin)


def test_an_admin_key_in_place_of_its_secret_is_refused_and_not_shown() -> None:
    with pytest.raises(ValueError, match=r"admin_secret must be a secret of Secrets Manager, got a str; put the") as refused:
        Rotation.openai_admin(project="proj_abc123", admin_secret="sk-admin-abcdef")  # type: ignore[arg-type]
    assert "sk-admin-abcdef" not in str(refused.value)


PRESETS = [Upstream.holysheep, Upstream.openai, Upstream.anthropic, Upstream.deepseek, Upstream.gemini]
COMPATIBLE = [Upstream.openai_compatible, Upstream.anthropic_compatible]


@pytest.mark.parametrize("make", PRESETS, ids=lambda make: make.__name__)
def test_every_preset_takes_a_rotation(make: Any) -> None:
    rotation = Rotation.staged()
    assert make(rotation=rotation).rotation is rotation
    assert make().rotation is None


@pytest.mark.parametrize("make", COMPATIBLE, ids=lambda make: make.__name__)
def test_so_does_everything_else(make: Any) -> None:
    rotation = Rotation.staged()
    assert make("a", base_url="https://a.example", rotation=rotation).rotation is rotation
    assert Upstream.bedrock("us-west-2", rotation=rotation).rotation is rotation


def test_an_upstream_without_a_key_has_nothing_to_rotate() -> None:
    with pytest.raises(ValueError, match="upstream 'vllm' takes no key, so there is nothing to rotate"):
        Upstream.openai_compatible("vllm", base_url="http://localhost/v1", auth=AuthStyle.NONE, rotation=Rotation.staged())


@pytest.mark.parametrize("rotation", ["staged", True, Rotation.staged, Rotation])
def test_a_rotation_is_no_name_of_one(rotation: Any) -> None:
    message = r"upstream 'openai': rotation must be Rotation\.staged\(\) or Rotation\.openai_admin\(\.\.\.\), got"
    with pytest.raises(ValueError, match=f"{message} {re.escape(repr(rotation))}$"):
        Upstream.openai(rotation=rotation)


@pytest.mark.parametrize(
    "base_url", ["https://api.openai.com.evil.example/v1", "https://openai.azure.com/openai/v1", "https://xapi.openai.com/v1"]
)
def test_only_openai_mints_keys_of_openai(admin: ISecret, base_url: str) -> None:
    rotation = Rotation.openai_admin(project="proj_abc123", admin_secret=admin)
    with pytest.raises(ValueError, match=r"'https://.*' is not OpenAI's; use Rotation.staged"):
        Upstream.openai_compatible("other", base_url=base_url, rotation=rotation)
    with pytest.raises(ValueError, match=r"upstream 'holysheep': Rotation.openai_admin mints keys of OpenAI"):
        Upstream.holysheep(rotation=rotation)
    eu = Upstream.openai(base_url="https://eu.api.openai.com/v1", rotation=rotation)
    assert eu.rotation is rotation


def test_the_key_and_its_account_are_in_different_fields(admin: ISecret) -> None:
    with pytest.raises(ValueError, match="secret_field must not be 'serviceAccountId'"):
        Upstream.openai(
            secret_field="serviceAccountId", rotation=Rotation.openai_admin(project="proj_abc123", admin_secret=admin)
        )
