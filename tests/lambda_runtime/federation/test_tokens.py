"""Tokens of federated upstreams: kept while they are good, exchanged anew in time, and what happens when that fails."""

from __future__ import annotations

import json

import httpx
import pytest

from lambda_runtime.aws_credentials import AwsCredentialsSource
from lambda_runtime.config import UpstreamConfig
from lambda_runtime.federation import tokens as tokens_module
from lambda_runtime.federation.tokens import FederatedTokens
from lambda_runtime.secret_value import SecretProblem
from tests.lambda_runtime.federation.federation_kit import (
    Provider,
    Sts,
    environ,
    federated_anthropic,
    federated_openai,
    sts_error,
)
from tests.lambda_runtime.upstream_server import answer_bytes, answer_json


class Clock:
    """What `time.time` is to the tokens."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(tokens_module, "time", clock)
    return clock


@pytest.fixture
def tokens(sts: Sts, client: httpx.Client) -> FederatedTokens:
    variables = environ(sts.server)
    return FederatedTokens(client, variables, AwsCredentialsSource(client, variables))


@pytest.fixture
def openai(provider: Provider) -> UpstreamConfig:
    return federated_openai(provider)


def test_a_token_is_exchanged_once_and_kept(
    tokens: FederatedTokens, provider: Provider, openai: UpstreamConfig, clock: Clock
) -> None:
    first = tokens.token(openai)
    clock.now += 3539
    assert tokens.token(openai) == first == tokens.held(openai)
    assert len(provider.exchanges) == 1


def test_it_is_renewed_a_minute_before_it_ends(
    tokens: FederatedTokens, provider: Provider, openai: UpstreamConfig, clock: Clock
) -> None:
    first = tokens.token(openai)
    clock.now += 3540
    assert tokens.token(openai) != first
    assert len(provider.exchanges) == 2


@pytest.mark.parametrize("lifetime", [60.0, 4.0])
def test_a_short_one_at_half_of_its_time(
    tokens: FederatedTokens, provider: Provider, openai: UpstreamConfig, clock: Clock, lifetime: float
) -> None:
    provider.lifetime = lifetime
    first = tokens.token(openai)
    clock.now += lifetime / 2 - 1
    assert tokens.token(openai) == first
    clock.now += 1
    assert tokens.token(openai) != first


def test_an_instance_that_was_frozen_for_hours_gets_a_new_one(
    tokens: FederatedTokens, provider: Provider, openai: UpstreamConfig, clock: Clock
) -> None:
    first = tokens.token(openai)
    clock.now += 6 * 3600
    assert tokens.token(openai) != first
    assert len(provider.exchanges) == 2


def test_upstreams_have_tokens_of_their_own(tokens: FederatedTokens, provider: Provider, openai: UpstreamConfig) -> None:
    other = federated_anthropic(provider)
    assert tokens.token(openai) != tokens.token(other)
    assert ["subject_token" in sent for sent in provider.exchanges] == [True, False]


def test_a_token_that_cannot_be_renewed_is_used_until_it_ends(
    tokens: FederatedTokens, provider: Provider, openai: UpstreamConfig, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    first = tokens.token(openai)
    provider.refusal = answer_json({"error": "invalid_grant"}, 400)
    clock.now += 3545
    for _ in range(3):
        assert tokens.token(openai) == first
    assert len(provider.exchanges) == 2  # not again with each request
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["level"], line["upstream"]) == ("WARNING", "openai")
    assert "the token is not renewed yet: OpenAI gives no token" in line["message"]
    clock.now += 10
    assert tokens.token(openai) == first
    assert len(provider.exchanges) == 3
    clock.now += 45
    with pytest.raises(SecretProblem):
        tokens.token(openai)
    provider.refusal = None
    clock.now += 10
    assert tokens.token(openai) != first


def test_a_refusal_stands_for_a_while(
    tokens: FederatedTokens, sts: Sts, provider: Provider, openai: UpstreamConfig, clock: Clock
) -> None:
    provider.refusal = answer_json({"error": "invalid_grant"}, 400)
    messages = set()
    for _ in range(3):
        with pytest.raises(SecretProblem) as caught:
            tokens.token(openai)
        messages.add(str(caught.value))
    assert len(messages) == len(provider.exchanges) == len(sts.issued) == 1
    provider.refusal = None
    clock.now += 9
    with pytest.raises(SecretProblem):
        tokens.token(openai)
    clock.now += 1
    assert tokens.token(openai)


def test_so_does_one_of_aws(tokens: FederatedTokens, sts: Sts, openai: UpstreamConfig, clock: Clock) -> None:
    del clock
    sts.server.answer = sts_error("AccessDenied", "no", 403)
    for _ in range(2):
        with pytest.raises(SecretProblem, match="sts:GetWebIdentityToken is denied"):
            tokens.token(openai)
    assert len(sts.server.received) == 1


def test_what_passes_is_tried_again_at_once_with_a_new_identity_token(
    tokens: FederatedTokens, sts: Sts, provider: Provider, openai: UpstreamConfig
) -> None:
    """A provider that has seen the first one may have used it up."""
    for fault in (answer_bytes(b"", 503), lambda _received, connection: connection.cut()):
        tokens.forget()
        provider.server.answers = [fault]
        assert tokens.token(openai)
    assert len(sts.issued) == 4
    provider.server.answer = answer_bytes(b"", 503)
    tokens.forget()
    for asked in (2, 4):
        with pytest.raises(SecretProblem) as caught:
            tokens.token(openai)
        assert caught.value.passes
        assert len(sts.issued) == 4 + asked


def test_a_forgotten_token_is_nowhere(tokens: FederatedTokens, provider: Provider, openai: UpstreamConfig) -> None:
    first = tokens.token(openai)
    assert first not in repr(vars(tokens))
    tokens.forget()
    assert tokens.held(openai) is None
    assert tokens.token(openai) != first
    assert len(provider.exchanges) == 2


def test_an_upstream_with_a_stored_key_has_no_token(tokens: FederatedTokens) -> None:
    from tests.lambda_runtime.gateway_kit import openai_upstream  # noqa: PLC0415

    with pytest.raises(ValueError, match="'a' is not federated"):
        tokens.token(openai_upstream("a", "https://a.example"))
