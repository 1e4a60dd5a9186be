"""Exchanging an identity token: what is sent is what the providers' own SDKs send, and what is answered is understood."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import httpx
import openai.auth
import pytest
from openai.auth._workload import WorkloadIdentityAuth

from lambda_runtime.config.federation import Federation
from lambda_runtime.federation import exchange as exchange_module
from lambda_runtime.federation.exchange import exchange
from lambda_runtime.federation.problem import TransientProblem
from lambda_runtime.secret_value import SecretProblem
from tests.lambda_runtime.federation.federation_kit import (
    ISSUER,
    ORGANIZATION,
    ROLE,
    anthropic_federation,
    encoded,
    openai_federation,
)
from tests.lambda_runtime.upstream_server import Received, UpstreamServer, answer_bytes, answer_json, answer_with_silence

JWT = f"{encoded({'alg': 'ES384'})}.{encoded({'iss': ISSUER, 'sub': ROLE, 'aud': 'https://a.example', 'jti': 'hidden'})}.sig"
GRANTED = {"access_token": "token-1", "token_type": "Bearer", "expires_in": 600}
BOTH: list[Federation] = [openai_federation(), anthropic_federation()]
both = pytest.mark.parametrize("federation", BOTH, ids=["openai", "anthropic"])


def ask(upstream: UpstreamServer, client: httpx.Client, federation: Federation) -> Any:
    return exchange(client, federation, f"{upstream.url}/v1/oauth/token", JWT)


def problem_of(upstream: UpstreamServer, client: httpx.Client, federation: Federation) -> SecretProblem:
    with pytest.raises(SecretProblem) as caught:
        ask(upstream, client, federation)
    assert JWT not in str(caught.value)
    assert "hidden" not in str(caught.value)
    return caught.value


def essentials(received: Received) -> Any:
    header = {name: received.header(name) for name in ("content-type", "anthropic-beta", "authorization")}
    return received.method, received.target, header, json.loads(received.body)


def test_openai_is_sent_what_its_sdk_sends(upstream: UpstreamServer, client: httpx.Client) -> None:
    upstream.answer = answer_json(GRANTED)
    assert ask(upstream, client, openai_federation()) == ("token-1", 600.0)
    sdk = WorkloadIdentityAuth(
        workload_identity={
            "identity_provider_id": "idp_1",
            "service_account_id": "sa-1",
            "provider": {"token_type": "jwt", "get_token": lambda: JWT},
        },
        token_exchange_url=f"{upstream.url}/v1/oauth/token",
    )
    assert sdk.get_token() == "token-1"
    ours, theirs = upstream.received
    assert essentials(ours) == essentials(theirs)
    assert openai_federation().token_url == openai.auth._workload.DEFAULT_TOKEN_EXCHANGE_URL


@pytest.mark.parametrize("workspace", [None, "wrkspc_1", "default"])
def test_anthropic_is_sent_what_its_sdk_sends(upstream: UpstreamServer, client: httpx.Client, workspace: str | None) -> None:
    upstream.answer = answer_json(GRANTED)
    federation = anthropic_federation(workspace_id=workspace)
    assert ask(upstream, client, federation) == ("token-1", 600.0)
    sdk = anthropic.WorkloadIdentityCredentials(
        identity_token_provider=lambda: JWT,
        federation_rule_id="fdrl_1",
        organization_id=ORGANIZATION,
        service_account_id="svac_1",
        workspace_id=workspace,
    )
    with sdk:
        sdk.bind_base_url(upstream.url)
        assert sdk().token == "token-1"
    ours, theirs = upstream.received
    assert essentials(ours) == essentials(theirs)
    assert federation.exchange_url("https://api.anthropic.com") == "https://api.anthropic.com/v1/oauth/token"


@both
@pytest.mark.parametrize(
    ("given", "used"),
    [(1, 1.0), (59.5, 59.5), (10**9, 86_400.0), (None, 60.0), (0, 60.0), (-5, 60.0), ("600", 60.0), (True, 60.0)],
)
def test_a_lifetime_that_is_none_is_the_shortest(
    upstream: UpstreamServer, client: httpx.Client, federation: Federation, given: Any, used: float
) -> None:
    upstream.answer = answer_json({**GRANTED, "expires_in": given})
    assert ask(upstream, client, federation).lifetime == used


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity"])
def test_a_lifetime_that_is_no_number_of_json(upstream: UpstreamServer, client: httpx.Client, number: bytes) -> None:
    upstream.answer = answer_bytes(b'{"access_token": "t", "expires_in": %s}' % number)
    assert ask(upstream, client, openai_federation()).lifetime in {60.0, 86_400.0}


@both
@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html>", b"[]", b"{}", b'{"access_token": 5}', b'{"access_token": ""}', b'{"access_token": "a b"}'),
        *(b'{"access_token": "a\\r\\nx: y"}', '{"access_token": "ü"}'.encode()),
    ],
)
def test_an_answer_without_a_usable_token(
    upstream: UpstreamServer, client: httpx.Client, federation: Federation, body: bytes
) -> None:
    upstream.answer = answer_bytes(body)
    assert "without a token that a request can carry" in str(problem_of(upstream, client, federation))


def test_openai_does_not_trust_the_function(upstream: UpstreamServer, client: httpx.Client) -> None:
    upstream.answer = answer_json({"error": "invalid_grant", "error_description": f"No mapping for {JWT}"}, 400)
    problem = problem_of(upstream, client, openai_federation())
    message = str(problem)
    assert not problem.passes
    assert "OpenAI gives no token for the function's identity (status 400: invalid_grant: No mapping for [redacted])" in message
    assert f"iss={ISSUER}, sub={ROLE}, aud=https://a.example" in message
    assert "the workload identity provider idp_1 must have this issuer and audience" in message
    assert "service account sa-1" in message


@pytest.mark.parametrize("status", [400, 401, 403])
def test_anthropic_does_not_trust_the_function(upstream: UpstreamServer, client: httpx.Client, status: int) -> None:
    words = {"type": "error", "error": {"type": "authentication_error", "message": "Authentication failed"}}
    upstream.answer = answer_json(words, status)
    message = str(problem_of(upstream, client, anthropic_federation()))
    assert f"(status {status}: authentication_error: Authentication failed)" in message
    assert f"sub={ROLE}" in message
    assert "the rule fdrl_1 must match this subject and audience" in message


@both
def test_a_refusal_without_words_and_a_redirect(upstream: UpstreamServer, client: httpx.Client, federation: Federation) -> None:
    upstream.answer = answer_bytes(b"no", 404)
    assert "(status 404)" in str(problem_of(upstream, client, federation))
    upstream.answer = answer_bytes(b"", 302, [("location", "https://elsewhere.example/")])
    assert "(status 302)" in str(problem_of(upstream, client, federation))
    assert len(upstream.received) == 2  # an identity token is taken nowhere else
    upstream.answer = answer_json({"error": {"type": 5, "message": ["x"]}, "error_description": {"a": 1}}, 400)
    assert "(status 400)" in str(problem_of(upstream, client, federation))


@both
@pytest.mark.parametrize("status", [408, 429, 500, 503, 529])
def test_what_passes_is_no_refusal(upstream: UpstreamServer, client: httpx.Client, federation: Federation, status: int) -> None:
    upstream.answer = answer_json({"error": "slow_down"}, status)
    problem = problem_of(upstream, client, federation)
    assert isinstance(problem, TransientProblem)
    assert problem.again is (status >= 500)
    assert "slow_down" in str(problem)


@both
def test_a_provider_out_of_reach(
    upstream: UpstreamServer, client: httpx.Client, federation: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.answer = lambda _received, connection: connection.cut()
    problem = problem_of(upstream, client, federation)
    assert problem.passes
    assert "NAT gateway" in str(problem)
    monkeypatch.setattr(exchange_module, "_TIMEOUT", httpx.Timeout(0.1))
    upstream.answer = answer_with_silence
    silent = problem_of(upstream, client, federation)
    assert isinstance(silent, TransientProblem)
    assert not silent.again


def test_an_identity_token_that_is_no_jwt_is_said_to_be_none(upstream: UpstreamServer, client: httpx.Client) -> None:
    upstream.answer = answer_json({"error": "invalid_grant"}, 400)
    for identity in ("x", "a.b.c", f"a.{encoded({})[:-1]}.c"):
        with pytest.raises(SecretProblem, match="It was asked with"):
            exchange(client, openai_federation(), upstream.url, identity)


def test_tokens_are_not_shown(upstream: UpstreamServer, client: httpx.Client) -> None:
    upstream.answer = answer_json(GRANTED)
    assert "token-1" not in repr(ask(upstream, client, openai_federation()))
