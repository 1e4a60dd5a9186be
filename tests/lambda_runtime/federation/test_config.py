"""What a federation's configuration refuses, and that it survives its travel as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambda_runtime.config import ANTHROPIC_OPERATIONS, OPENAI_OPERATIONS, AuthStyle, Endpoint, GatewayConfig, UpstreamConfig
from lambda_runtime.config.federation import AnthropicFederation, Federation, OpenAiFederation
from tests.lambda_runtime.federation.federation_kit import ORGANIZATION, anthropic_federation, openai_federation


def upstream(federation: Federation | None, *, auth: AuthStyle, base_url: str = "https://a.example") -> UpstreamConfig:
    operations = OPENAI_OPERATIONS if auth is AuthStyle.BEARER else ANTHROPIC_OPERATIONS
    endpoint = Endpoint(base_url=base_url, auth=auth, operations=operations)
    return UpstreamConfig(name="a", endpoints=(endpoint,), federation=federation)


@pytest.mark.parametrize(
    ("federation", "auth"),
    [
        (None, AuthStyle.BEARER),
        (openai_federation(), AuthStyle.BEARER),
        (openai_federation("http://127.0.0.1:1/t"), AuthStyle.BEARER),
        (anthropic_federation(), AuthStyle.ANTHROPIC_OAUTH),
        (anthropic_federation(workspace_id="default", token_url="https://b.example/t"), AuthStyle.ANTHROPIC_OAUTH),
        (anthropic_federation(workspace_id="wrkspc_1", audience="urn:x"), AuthStyle.ANTHROPIC_OAUTH),
    ],
)
def test_what_was_written_is_what_is_read(federation: Federation | None, auth: AuthStyle) -> None:
    config = GatewayConfig(upstreams=(upstream(federation, auth=auth),))
    read = GatewayConfig.from_json(config.to_json())
    assert read == config
    assert read.to_json() == config.to_json()
    assert read.upstreams[0].federation == federation
    assert read.upstreams[0].needs_key is (federation is None)


def test_a_configuration_of_an_earlier_version_is_read() -> None:
    document = json.loads(GatewayConfig(upstreams=(upstream(None, auth=AuthStyle.BEARER),)).to_json())
    del document["upstreams"][0]["federation"]
    assert GatewayConfig.from_json(json.dumps(document)).upstreams[0].federation is None


OPENAI = {"identity_provider_id": "idp_1", "service_account_id": "sa-1"}
ANTHROPIC = {"federation_rule_id": "fdrl_1", "organization_id": ORGANIZATION, "service_account_id": "svac_1"}


@pytest.mark.parametrize(
    ("kind", "field", "value", "message"),
    [
        (OpenAiFederation, "identity_provider_id", "", "identity_provider_id must be the id that the provider shows, got ''"),
        (OpenAiFederation, "service_account_id", "sa 1", "service_account_id must be the id that the provider shows"),
        (OpenAiFederation, "service_account_id", "${Token[TOKEN.1]}", "service_account_id must be the id"),
        (OpenAiFederation, "service_account_id", None, "service_account_id must be the id"),
        (OpenAiFederation, "audience", "a b", "audience must be 1 to 1,000 visible ASCII characters"),
        (OpenAiFederation, "audience", "a" * 1001, "audience must be 1 to 1,000"),
        (OpenAiFederation, "token_url", "http://auth.example/t", "identity tokens are not sent in clear"),
        (OpenAiFederation, "token_url", "auth.example/t", "token_url must be an absolute https URL"),
        (OpenAiFederation, "token_url", "https:///t", "token_url must be an absolute https URL"),
        (AnthropicFederation, "federation_rule_id", "rule_1", r"federation_rule_id must be fdrl_\.\.\., got 'rule_1'"),
        (AnthropicFederation, "organization_id", "org-1", "organization_id must be a UUID, got 'org-1'; Claude's Console"),
        (AnthropicFederation, "service_account_id", "sa-1", r"service_account_id must be svac_\.\.\."),
        (AnthropicFederation, "workspace_id", "", r"workspace_id must be wrkspc_\.\.\."),
        (AnthropicFederation, "workspace_id", "Default", r"workspace_id must be wrkspc_\.\.\."),
        (AnthropicFederation, "audience", "", "audience must be 1 to 1,000"),
        (AnthropicFederation, "token_url", "ftp://a.example", "token_url must be an absolute https URL"),
    ],
)
def test_what_no_provider_takes_is_refused(kind: Any, field: str, value: Any, message: str) -> None:
    given = (OPENAI if kind is OpenAiFederation else ANTHROPIC) | {field: value}
    with pytest.raises(ValueError, match=message):
        kind(**given)


def test_tokens_go_as_the_provider_takes_them() -> None:
    with pytest.raises(ValueError, match=r"'a': OpenAiFederation sends its tokens as BEARER, but .* configured for X_API_KEY"):
        upstream(openai_federation(), auth=AuthStyle.X_API_KEY)
    with pytest.raises(ValueError, match="AnthropicFederation sends its tokens as ANTHROPIC_OAUTH, but"):
        upstream(anthropic_federation(), auth=AuthStyle.BEARER)


def test_an_exchange_below_a_base_url_is_not_in_clear() -> None:
    with pytest.raises(
        ValueError, match=r"'a': the token endpoint must be an absolute https URL, got 'http://a\.example/v1/oauth"
    ):
        upstream(anthropic_federation(), auth=AuthStyle.ANTHROPIC_OAUTH, base_url="http://a.example")
    upstream(anthropic_federation(), auth=AuthStyle.ANTHROPIC_OAUTH, base_url="http://localhost:1")


@pytest.mark.parametrize("federation", ["openai", True, OpenAiFederation])
def test_a_federation_is_no_name_of_one(federation: Any) -> None:
    message = r"upstream 'a': federation must be OpenAiFederation\(\.\.\.\) or AnthropicFederation\(\.\.\.\), got "
    with pytest.raises(ValueError, match=message):
        upstream(federation, auth=AuthStyle.BEARER)
