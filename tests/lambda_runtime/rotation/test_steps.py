"""Secrets Manager's rules, whatever the kind of rotation."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from lambda_runtime.config.secrets import ROTATION_VARIABLE, read_rotation_json, rotation_json
from lambda_runtime.rotation import index
from lambda_runtime.rotation.errors import RotationError
from lambda_runtime.rotation.steps import Step
from tests.lambda_runtime.rotation.kit import NEW, OLD, STEPS, Secret, make_secret, openai_rotation, staged_rotation, takes
from tests.lambda_runtime.upstream_server import UpstreamServer

TOKEN = "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize("name", ["createSecret", "create_secret"])
def test_either_spelling_is_a_step(name: str) -> None:
    assert Step.of(name) is Step.CREATE
    assert [Step.of(step) for step in STEPS] == list(Step)


def test_an_unknown_step_is_refused() -> None:
    with pytest.raises(RotationError, match="there is no step 'dropSecret'; steps are createSecret, setSecret"):
        Step.of("dropSecret")


@pytest.mark.parametrize("step", STEPS)
def test_a_rotation_that_is_off_is_an_error(secret: Secret, upstream: UpstreamServer, step: str) -> None:
    secret.begin(TOKEN)
    secret.enable(on=False)
    with pytest.raises(RotationError, match="is switched off"):
        secret.take(step, staged_rotation(secret, upstream.url), TOKEN)


@pytest.mark.parametrize("step", STEPS)
def test_a_token_that_is_no_version_is_an_error(secret: Secret, upstream: UpstreamServer, step: str) -> None:
    with pytest.raises(RotationError, match=f"has no version {TOKEN}"):
        secret.take(step, staged_rotation(secret, upstream.url), TOKEN)


@pytest.mark.parametrize("step", STEPS)
def test_a_version_that_is_not_pending_is_an_error(secret: Secret, upstream: UpstreamServer, step: str) -> None:
    secret.begin(TOKEN)
    secret.fake.versions[TOKEN]["version_stages"] = ["SOMETHING"]
    with pytest.raises(RotationError, match="no longer on its way"):
        secret.take(step, staged_rotation(secret, upstream.url), TOKEN)


@pytest.mark.parametrize("step", STEPS)
def test_the_current_version_is_left_alone(secret: Secret, upstream: UpstreamServer, step: str) -> None:
    (current,) = secret.fake.versions
    secret.stage(NEW)
    secret.take(step, staged_rotation(secret, upstream.url), current)
    assert (secret.value(), secret.value("AIGATEWAY_STAGED")) == (OLD, NEW)
    assert upstream.received == []


def test_the_test_of_a_set_up_has_no_value_and_passes(
    secret: Secret, upstream: UpstreamServer, capsys: pytest.CaptureFixture[str]
) -> None:
    token = secret.begin()
    secret.take("testSecret", staged_rotation(secret, upstream.url), token)
    assert upstream.received == []
    assert "only the set-up is tested" in capsys.readouterr().out


def test_a_version_without_a_value_never_becomes_the_current_one(secret: Secret, upstream: UpstreamServer) -> None:
    token = secret.begin()
    with pytest.raises(RotationError, match="has no value"):
        secret.take("finishSecret", staged_rotation(secret, upstream.url), token)
    assert secret.value() == OLD


def test_a_secret_of_somebody_else_is_refused(secret: Secret, upstream: UpstreamServer) -> None:
    other = make_secret("other", OLD)
    token = other.begin()
    with pytest.raises(RotationError, match=r"is none of this gateway's; .*Upstream\(rotation=...\)"):
        other.take("createSecret", staged_rotation(secret, upstream.url), token)


def test_a_secret_that_was_imported_by_its_name_is_known(secret: Secret, upstream: UpstreamServer) -> None:
    rotated = replace(staged_rotation(secret, upstream.url), secret=secret.arn[:-7])
    upstream.answer = takes(NEW)
    secret.stage(NEW)
    secret.rotate(rotated)
    assert secret.value() == NEW
    assert not rotated.holds(secret.arn.replace("main", "main-2"))


def test_what_the_function_is_told_comes_back_as_it_was(secret: Secret) -> None:
    both = (staged_rotation(secret, "https://a.example"), openai_rotation(secret, "https://b.example"))
    assert read_rotation_json(rotation_json(both)) == both
    assert "project" not in rotation_json(both[:1])


# Where Lambda begins


def context(milliseconds: int = 900_000) -> Any:
    return SimpleNamespace(get_remaining_time_in_millis=lambda: milliseconds)


@pytest.fixture
def lambda_environment(secret: Secret, upstream: UpstreamServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ROTATION_VARIABLE, rotation_json([staged_rotation(secret, upstream.url)]))
    monkeypatch.setenv("AI_GATEWAY_FUNCTION", "gateway-function")
    for name, value in (("AWS_DEFAULT_REGION", "eu-west-1"), ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")):
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("lambda_environment")
def test_a_rotation_through_the_functions_entry(
    secret: Secret, upstream: UpstreamServer, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream.answer = takes(NEW)
    secret.stage(NEW)
    token = secret.begin()
    for step in STEPS:
        event = {"Step": step, "SecretId": secret.arn, "ClientRequestToken": token}
        assert index.handler(event, context()) is None
    assert secret.value() == NEW
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["Gateway"], line["Upstream"], line["RotationFailed"]) == ("gateway-function", "main", 0)


@pytest.mark.usefixtures("lambda_environment")
def test_the_check_through_the_functions_entry() -> None:
    assert index.handler({"check": "staged"}, context()) == {"unprepared": ["main"], "failed": []}


@pytest.mark.usefixtures("lambda_environment")
def test_any_other_event_is_refused() -> None:
    with pytest.raises(RotationError, match=r"neither a step .* it has the fields \['hello'\]"):
        index.handler({"hello": 1}, context())
