"""Upstreams as they answer, from servers on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from gateway_cli.doctor.findings import Finding, Level
from gateway_cli.doctor.reachability import check_reachability
from lambda_runtime.config import AuthStyle
from lambda_runtime.config.federation import OpenAiFederation
from tests.gateway_cli.doctor.conftest import KEY, Ward, config
from tests.lambda_runtime.upstream_server import UpstreamServer, answer_json, serve

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("doctor")]


@pytest.fixture
def upstream(ward: Ward) -> Iterator[UpstreamServer]:
    """The gateway's upstream."""
    with serve() as server:
        ward.serve(config(f"{server.url}/v1"))
        server.answer = answer_json({"data": [{"id": "gpt-4.1"}, {"id": "gpt-4.1-mini"}]})
        yield server


def only(ward: Ward) -> Finding:
    found = ward.only(check_reachability)
    assert KEY not in repr(found)
    return found


def test_it_takes_the_key(ward: Ward, upstream: UpstreamServer) -> None:
    found = only(ward)
    assert (found.level, found.subject) == (Level.OK, "holysheep")
    assert f"{upstream.url}/v1/models answers in " in found.text
    assert found.text.endswith("key accepted, 2 models")
    assert upstream.last.header("authorization") == f"Bearer {KEY}"


def test_it_refuses_the_key(ward: Ward, upstream: UpstreamServer) -> None:
    upstream.answer = answer_json({"error": {"message": f"Incorrect API key provided: {KEY}"}}, 401)
    found = only(ward)
    assert (found.level, "key refused: status 401: Incorrect API key provided: [key]" in found.text) == (Level.ERROR, True)
    assert found.mend[0] == f"ai-gateway smoke upstream holysheep --gateway {ward.path}"
    assert found.mend[1] == f"ai-gateway credentials set holysheep --gateway {ward.path}"


@pytest.mark.parametrize(
    ("status", "level", "said"),
    [
        (404, Level.OK, "does not say whether it takes the key"),
        (503, Level.WARNING, "with an error: status 503: out of order"),
        (429, Level.WARNING, "with an error: status 429"),
    ],
)
def test_it_answers_otherwise(ward: Ward, upstream: UpstreamServer, status: int, level: Level, said: str) -> None:
    upstream.answer = answer_json({"error": {"message": "out of order"}}, status)
    found = only(ward)
    assert (found.level, said in found.text) == (level, True)
    if level is Level.WARNING:
        assert found.mend == (f"ai-gateway upstreams open holysheep --for 30m --gateway {ward.path}",)


def test_it_is_not_there(ward: Ward) -> None:
    with serve() as server:
        gone = f"{server.url}/v1"
    ward.serve(config(gone))
    found = only(ward)
    assert (found.level, "cannot be reached from this machine (TCP: 127.0.0.1:" in found.text) == (Level.WARNING, True)
    assert found.mend[1] == f"curl -v --max-time 10 {gone}/models"


def test_without_a_key_nobody_is_asked(ward: Ward, upstream: UpstreamServer) -> None:
    ward.secretsmanager.put_secret_value(SecretId=ward.secret, SecretString='{"placeholder": true}')
    assert (only(ward).level, upstream.received) == (Level.SKIPPED, [])
    ward.refuse("GetSecretValue")
    assert (only(ward).level, upstream.received) == (Level.SKIPPED, [])
    assert "you lack the permission secretsmanager:GetSecretValue" in only(ward).text


def test_an_upstream_without_a_key(ward: Ward, upstream: UpstreamServer) -> None:
    configured = config(f"{upstream.url}/v1")
    (keyless,) = configured.upstreams
    endpoint = replace(keyless.endpoints[0], auth=AuthStyle.NONE)
    ward.serve(replace(configured, upstreams=(replace(keyless, endpoints=(endpoint,)),)), variables={})
    assert (only(ward).level, upstream.last.header("authorization")) == (Level.OK, None)


def test_an_upstream_that_takes_tokens(ward: Ward) -> None:
    configured = config("https://api.openai.com/v1")
    federation = OpenAiFederation(identity_provider_id="idp_1", service_account_id="sa_1")
    federated = replace(configured.upstreams[0], federation=federation)
    ward.serve(replace(configured, upstreams=(federated,)), variables={})
    assert (only(ward).level, "short-lived tokens" in only(ward).text) == (Level.SKIPPED, True)
