"""Rotation to keys that OpenAI's administration API mints."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from lambda_runtime.rotation import provider_http
from lambda_runtime.rotation.errors import KeyRefusedError, RotationError, UpstreamSilentError
from tests.lambda_runtime.rotation.kit import OLD, STEPS, OpenAi, Secret, openai_rotation
from tests.lambda_runtime.rotation.test_staged import Crashing
from tests.lambda_runtime.upstream_server import answer_json

SOMEBODY_ELSES = "search team"


def account(secret: Secret, label: str = "AWSCURRENT") -> Any:
    return json.loads(secret.value(label) or "{}").get("serviceAccountId")


def test_three_rotations_keep_two_accounts(secret: Secret, openai: OpenAi, capsys: pytest.CaptureFixture[str]) -> None:
    theirs = [openai.add(SOMEBODY_ELSES) for _ in range(3)]
    rotated = openai_rotation(secret, openai.url)
    secret.rotate(rotated)
    assert openai.works(secret.value())
    assert secret.value("AWSPREVIOUS") == OLD
    first = account(secret)
    secret.rotate(rotated)
    second = account(secret)
    assert (account(secret, "AWSPREVIOUS"), openai.works(secret.value("AWSPREVIOUS"))) == (first, True)
    secret.rotate(rotated)
    assert account(secret, "AWSPREVIOUS") == second
    assert set(openai.accounts) == {*theirs, second, account(secret)}
    assert secret.labels() == {"AWSCURRENT", "AWSPREVIOUS"}
    names = {openai.accounts[second], openai.accounts[account(secret)]}
    assert len(names) == 2
    assert all(name.startswith("ai-gateway-main-") for name in names)
    said = capsys.readouterr().out
    assert "sk-" not in said


def test_a_field_of_another_name(secret: Secret, openai: OpenAi) -> None:
    secret.rotate(replace(openai_rotation(secret, openai.url), field="token"))
    assert set(json.loads(secret.value() or "")) == {"token", "serviceAccountId"}


def test_a_new_key_is_waited_for(secret: Secret, openai: OpenAi) -> None:
    openai.not_yet = 20
    secret.rotate(openai_rotation(secret, openai.url))
    assert openai.works(secret.value())
    assert sum(secret.pause.slept) > 300


def test_a_key_that_takes_longer_than_the_function_may_run_is_tried_again(secret: Secret, openai: OpenAi) -> None:
    openai.not_yet = 1000
    rotated = openai_rotation(secret, openai.url)
    token = secret.begin()
    with pytest.raises(KeyRefusedError, match="new keys may take a while, Secrets Manager tries again"):
        secret.rotate(rotated, token)
    assert 800 < sum(secret.pause.slept) < 900
    assert secret.pause.remaining() > 25
    assert secret.value() == OLD
    openai.not_yet = 0
    secret.pause.clock = 0
    secret.rotate(rotated, token)
    assert (openai.works(secret.value()), openai.minted) == (True, 1)


def test_a_key_whose_account_somebody_deleted_is_given_up(secret: Secret, openai: OpenAi) -> None:
    rotated = openai_rotation(secret, openai.url)
    token = secret.begin()
    secret.take("createSecret", rotated, token)
    openai.accounts.clear()
    with pytest.raises(KeyRefusedError, match="its service account is gone; the next rotation mints another"):
        secret.take("testSecret", rotated, token)
    assert secret.labels() == {"AWSCURRENT"}
    secret.pause.clock = 0
    secret.rotate(rotated)
    assert openai.works(secret.value())


def test_an_orphan_is_replaced_and_another_gateways_is_not(secret: Secret, openai: OpenAi) -> None:
    rotated = openai_rotation(secret, openai.url)
    token = secret.begin()
    secret.take("createSecret", rotated, token)
    orphan = openai.accounts[account(secret, "AWSPENDING")]
    (of_another_gateway,) = (openai.add(f"ai-gateway-main-0123456789ab-{orphan[-12:]}"),)
    # The function died before it had stored the key.
    del secret.fake.versions[token]["secret_string"]
    secret.rotate(rotated, token)
    assert set(openai.accounts) == {of_another_gateway, account(secret)}
    assert openai.accounts[account(secret)] == orphan


def test_a_key_that_was_put_by_hand_is_nobodys_account(secret: Secret, openai: OpenAi) -> None:
    rotated = openai_rotation(secret, openai.url)
    secret.rotate(rotated)
    minted = account(secret)
    secret.put_by_hand("by-hand")
    secret.rotate(rotated)
    assert (secret.value("AWSPREVIOUS"), set(openai.accounts)) == ("by-hand", {account(secret)})
    assert minted not in openai.accounts


def test_nothing_is_deleted_when_it_is_not_known_what_is_needed(
    secret: Secret, openai: OpenAi, capsys: pytest.CaptureFixture[str]
) -> None:
    rotated = openai_rotation(secret, openai.url)
    secret.rotate(rotated)
    before = dict(openai.accounts)
    token = secret.put_by_hand("by-hand")
    secret.take("finishSecret", rotated, token)
    assert openai.accounts == before
    assert "no service account is deleted" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("status", "document", "words"),
    [
        (401, {}, r"refuses the admin key; put a valid admin key of the organization \(sk-admin-...\), not one of a project"),
        (403, {"error": {"message": "Missing scopes"}}, r"403: Missing scopes; is the project proj_abc123 right"),
        (404, {}, "404: no reason given; is the project proj_abc123 right"),
        (400, {"error": {"message": "expires_in_seconds is required"}}, "400: expires_in_seconds is required"),
        (400, ["no object"], "400: no reason given"),
    ],
)
def test_a_refusal_of_the_administration_api_says_what_to_do(
    secret: Secret, openai: OpenAi, status: int, document: Any, words: str
) -> None:
    openai.server.answer = answer_json(document, status)
    with pytest.raises(RotationError, match=words):
        secret.rotate(openai_rotation(secret, openai.url))
    assert secret.value() == OLD


def test_an_account_without_a_key_is_an_error(secret: Secret, openai: OpenAi) -> None:
    openai.server.answers = [answer_json({"data": [], "has_more": False}), answer_json({"id": "svc_1", "api_key": None})]
    with pytest.raises(RotationError, match="a service account without a key"):
        secret.rotate(openai_rotation(secret, openai.url))


def test_a_secret_without_an_admin_key(secret: Secret, openai: OpenAi) -> None:
    secret.client.put_secret_value(SecretId="admin", SecretString='{"placeholder":true,"apiKey":"x"}')
    with pytest.raises(RotationError, match="the secret admin holds no admin key of OpenAI; put one there"):
        secret.rotate(openai_rotation(secret, openai.url))
    assert openai.server.received == []


def test_openai_being_down_for_a_moment_does_not_matter(secret: Secret, openai: OpenAi) -> None:
    openai.server.answers = [answer_json({}, 500), answer_json({}, 429), lambda _r, connection: connection.cut()]
    secret.rotate(openai_rotation(secret, openai.url))
    assert openai.works(secret.value())
    openai.server.answer = answer_json({}, 503)
    with pytest.raises(UpstreamSilentError, match="administration API answered with status 503"):
        secret.rotate(openai_rotation(secret, openai.url))
    assert openai.works(secret.value())


def test_a_key_minted_by_a_request_whose_answer_was_lost_does_not_stay(secret: Secret, openai: OpenAi) -> None:
    real = openai.answer

    def lose_the_first(received: Any, connection: Any) -> None:
        if received.method == "POST" and openai.minted == 0:
            openai._answer(received)
            connection.cut()
        else:
            real(received, connection)

    openai.server.answer = lose_the_first
    secret.rotate(openai_rotation(secret, openai.url))
    assert (openai.minted, list(openai.accounts)) == (2, [account(secret)])


class _Crash(BaseException):
    pass


@pytest.mark.parametrize("after", range(1, 12))
def test_a_crash_after_any_request_to_openai_is_made_good(
    secret: Secret, openai: OpenAi, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotated = openai_rotation(secret, openai.url)
    theirs = openai.add(SOMEBODY_ELSES)
    secret.rotate(rotated)
    secret.rotate(rotated)
    real, count = provider_http.send, 0

    def send(*arguments: Any) -> Any:
        nonlocal count
        reply = real(*arguments)
        count += 1
        if count == after:
            raise _Crash
        return reply

    monkeypatch.setattr(provider_http, "send", send)
    token = secret.begin()
    crashed = False
    try:
        secret.rotate(rotated, token)
    except _Crash:
        crashed = True
        assert openai.works(secret.value())
        secret.rotate(rotated, token)
    assert crashed == (after < 10), "the number of requests has changed"
    _check_end(secret, openai, theirs)


@pytest.mark.parametrize("after", range(1, 26))
def test_a_crash_after_any_request_to_secrets_manager_is_made_good(secret: Secret, openai: OpenAi, after: int) -> None:
    rotated = openai_rotation(secret, openai.url)
    theirs = openai.add(SOMEBODY_ELSES)
    secret.rotate(rotated)
    secret.rotate(rotated)
    token = secret.begin()
    try:
        secret.rotate(rotated, token, Crashing(secret.client, after))
    except SystemExit:
        assert openai.works(secret.value())
        secret.rotate(rotated, token)
    else:
        assert after > 15, "there are fewer requests than this test believes"
    _check_end(secret, openai, theirs)


def _check_end(secret: Secret, openai: OpenAi, theirs: str) -> None:
    assert openai.works(secret.value())
    assert openai.works(secret.value("AWSPREVIOUS"))
    assert set(openai.accounts) == {theirs, account(secret), account(secret, "AWSPREVIOUS")}
    assert account(secret) != account(secret, "AWSPREVIOUS")
    assert secret.labels() == {"AWSCURRENT", "AWSPREVIOUS"}


@pytest.mark.parametrize("step", STEPS)
def test_each_step_may_be_repeated(secret: Secret, openai: OpenAi, step: str) -> None:
    rotated = openai_rotation(secret, openai.url)
    token = secret.begin()
    for name in STEPS:
        for _ in range(2 if name == step else 1):
            secret.take(name, rotated, token)
    assert (openai.minted, list(openai.accounts)) == (1, [account(secret)])
