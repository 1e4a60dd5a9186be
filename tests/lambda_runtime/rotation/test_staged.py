"""Rotation to a key that the operator staged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambda_runtime.rotation.errors import KeyRefusedError, RotationError, UpstreamSilentError
from tests.lambda_runtime.rotation.kit import NEW, OLD, STEPS, FakePause, Secret, key_of, staged_rotation, takes
from tests.lambda_runtime.upstream_server import UpstreamServer, answer_json

STAGED = "AIGATEWAY_STAGED"


def metrics(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, int]]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    written = [line for line in lines if "_aws" in line]
    return [(m["Name"], line[m["Name"]]) for line in written for m in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]]


def test_the_staged_key_becomes_the_current_one_and_the_old_one_the_previous(
    secret: Secret, upstream: UpstreamServer, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream.answer = takes(NEW)
    secret.stage(NEW)
    secret.rotate(staged_rotation(secret, upstream.url))
    assert (secret.value(), secret.value("AWSPREVIOUS")) == (NEW, OLD)
    assert secret.labels() == {"AWSCURRENT", "AWSPREVIOUS"}
    assert [key_of(received) for received in upstream.received] == [NEW]
    assert upstream.last.target == "/v1/models"
    said = capsys.readouterr().out
    assert NEW not in said
    assert OLD not in said


@pytest.mark.parametrize("value", [json.dumps({"apiKey": NEW, "note": "kept"}), f" {NEW}\n"])
def test_what_is_staged_is_taken_as_it_is(secret: Secret, upstream: UpstreamServer, value: str) -> None:
    upstream.answer = takes(NEW)
    secret.stage(value)
    secret.rotate(staged_rotation(secret, upstream.url))
    assert secret.value() == value


def test_a_placeholder_is_replaced_by_the_first_key(secret: Secret, upstream: UpstreamServer) -> None:
    secret.client.put_secret_value(SecretId=secret.arn, SecretString='{"placeholder":true,"apiKey":"x8Jk2"}')
    upstream.answer = takes(NEW)
    secret.stage(NEW)
    secret.rotate(staged_rotation(secret, upstream.url))
    assert secret.value() == NEW


@pytest.mark.parametrize(
    ("staged", "message"),
    [
        (None, "no next key is staged for the upstream 'main', the current one stays; stage one: ai-gateway credentials stage"),
        (OLD, "is the key that it has already"),
        (json.dumps({"apiKey": OLD}), "is the key that it has already"),
        ('{"placeholder":true,"apiKey":"x8Jk2"}', "is no key"),
        ('{"other":"sk-misplaced"}', "is no key"),
        (" ", "is no key"),
    ],
)
def test_without_a_new_key_the_current_one_stays(
    secret: Secret, upstream: UpstreamServer, staged: str | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if staged is not None:
        secret.stage(staged)
    with pytest.raises(RotationError, match=message):
        secret.rotate(staged_rotation(secret, upstream.url))
    assert secret.value() == OLD
    assert upstream.received == []
    assert metrics(capsys) == [("RotationFailed", 1)]


def test_a_binary_secret_is_refused(secret: Secret, upstream: UpstreamServer) -> None:
    secret.client.put_secret_value(SecretId=secret.arn, SecretBinary=b"x", VersionStages=[STAGED])
    with pytest.raises(RotationError, match="is binary; keys are text"):
        secret.rotate(staged_rotation(secret, upstream.url))


def test_the_step_may_be_repeated_before_something_is_staged_and_after(secret: Secret, upstream: UpstreamServer) -> None:
    rotated = staged_rotation(secret, upstream.url)
    upstream.answer = takes(NEW)
    token = secret.begin()
    for _ in range(2):
        with pytest.raises(RotationError):
            secret.take("createSecret", rotated, token)
    secret.stage(NEW)
    for step in STEPS:
        for _ in range(2):
            secret.take(step, rotated, token)
    assert (secret.value(), secret.value("AWSPREVIOUS")) == (NEW, OLD)
    assert secret.labels() == {"AWSCURRENT", "AWSPREVIOUS"}


def test_a_key_that_is_refused_for_good_is_put_away(
    secret: Secret, upstream: UpstreamServer, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream.answer = takes("another")
    secret.stage(NEW)
    with pytest.raises(KeyRefusedError, match=r"status 401; the current key stays, stage another: .* stage main") as caught:
        secret.rotate(staged_rotation(secret, upstream.url))
    assert secret.value() == OLD
    # Nothing seems to be under way, and nothing seems to be staged: the next rotation begins anew.
    assert secret.labels() == {"AWSCURRENT"}
    assert NEW not in str(caught.value)
    assert 30 < sum(secret.pause.slept) <= 60
    assert metrics(capsys) == [("RotationFailed", 1)]
    upstream.answer = takes("sk-third-333333")
    secret.stage("sk-third-333333")
    secret.rotate(staged_rotation(secret, upstream.url))
    assert secret.value() == "sk-third-333333"


def test_a_refusal_is_not_believed_at_once(secret: Secret, upstream: UpstreamServer) -> None:
    upstream.answers = [answer_json({}, 401), answer_json({}, 403)]
    upstream.answer = takes(NEW)
    secret.stage(NEW)
    secret.rotate(staged_rotation(secret, upstream.url))
    assert secret.value() == NEW
    assert secret.pause.slept == [1, 2]


def test_an_upstream_that_is_down_is_waited_for_and_the_key_kept(secret: Secret, upstream: UpstreamServer) -> None:
    upstream.answer = answer_json({}, 503)
    secret.stage(NEW)
    token = secret.begin()
    rotated = staged_rotation(secret, upstream.url)
    secret.take("createSecret", rotated, token)
    with pytest.raises(UpstreamSilentError, match="status 503"):
        secret.take("testSecret", rotated, token)
    assert 200 < sum(secret.pause.slept) <= 300
    assert (secret.value(), secret.value("AWSPENDING"), secret.value(STAGED)) == (OLD, NEW, NEW)
    # Secrets Manager repeats the rotation as a whole.
    upstream.answer = takes(NEW)
    secret.rotate(rotated, token)
    assert secret.value() == NEW


def test_there_is_always_time_left_to_say_so(secret: Secret, upstream: UpstreamServer) -> None:
    secret.pause = FakePause(120)
    upstream.answer = answer_json({}, 503)
    secret.stage(NEW)
    with pytest.raises(UpstreamSilentError):
        secret.rotate(staged_rotation(secret, upstream.url))
    assert secret.pause.remaining() > 25


def test_another_key_that_was_staged_meanwhile_is_for_the_next_rotation(secret: Secret, upstream: UpstreamServer) -> None:
    rotated = staged_rotation(secret, upstream.url)
    upstream.answer = takes(NEW)
    secret.stage(NEW)
    token = secret.begin()
    secret.take("createSecret", rotated, token)
    secret.stage("sk-third-333333")
    for step in STEPS:
        secret.take(step, rotated, token)
    assert (secret.value(), secret.value(STAGED)) == (NEW, "sk-third-333333")


def test_a_key_put_by_hand_afterwards_does_not_stop_later_rotations(secret: Secret, upstream: UpstreamServer) -> None:
    """Were the label left on the version, Secrets Manager would take a rotation for being under way from then on."""
    upstream.answer = takes(NEW)
    secret.stage(NEW)
    secret.rotate(staged_rotation(secret, upstream.url))
    secret.put_by_hand("by-hand")
    assert "AWSPENDING" not in secret.labels()


class Crashing:
    """boto3's client, of a function that dies after so many requests."""

    def __init__(self, client: Any, after: int) -> None:
        self._client, self._left = client, after
        self.exceptions = client.exceptions

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._client, name)

        def call(**arguments: Any) -> Any:
            try:
                return operation(**arguments)
            finally:
                self._left -= 1
                if self._left == 0:
                    raise SystemExit

        return call


@pytest.mark.parametrize("after", range(1, 22))
def test_a_crash_after_any_request_to_secrets_manager_is_made_good(
    secret: Secret, upstream: UpstreamServer, after: int
) -> None:
    upstream.answer = takes(NEW)
    secret.stage(NEW)
    rotated = staged_rotation(secret, upstream.url)
    token = secret.begin()
    client = Crashing(secret.client, after)
    try:
        secret.rotate(rotated, token, client)
    except SystemExit:
        assert secret.value() in {OLD, NEW}
        secret.rotate(rotated, token)
    else:
        assert after > 15, "there are fewer requests than this test believes"
    assert (secret.value(), secret.value("AWSPREVIOUS")) == (NEW, OLD)
    assert secret.labels() == {"AWSCURRENT", "AWSPREVIOUS"}
