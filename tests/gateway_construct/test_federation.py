"""Federated upstreams: no secret, no more than the permission that they need, and nothing that contradicts itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Aws, Stack
from aws_cdk.aws_secretsmanager import Secret

from gateway_construct import AiGateway, AnthropicFederation, AuthStyle, OpenAiFederation, Rotation, Upstream
from lambda_runtime.federation.web_identity import statement as missing_statement
from tests.gateway_construct.resources import gateway_function, of_type, synthesized

OPENAI = OpenAiFederation(identity_provider_id="idp_1", service_account_id="sa-1")
ANTHROPIC = AnthropicFederation(
    federation_rule_id="fdrl_1", organization_id="11112222-3333-4444-5555-666677778888", service_account_id="svac_1"
)


def identity_statements(template: Any) -> list[Any]:
    return [
        statement
        for policy in of_type(template, "IAM::Policy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if "sts:" in json.dumps(statement["Action"])
    ]


@pytest.mark.template
def test_a_federated_upstream_has_no_secret_and_no_variable(template_of: Callable[[str], Any]) -> None:
    template = template_of("federated")
    assert len(of_type(template, "SecretsManager::Secret")) == 1
    variables = gateway_function(template)["Environment"]["Variables"]
    assert [name for name in variables if name.startswith("UPSTREAM_SECRET_")] == ["UPSTREAM_SECRET_HOLYSHEEP"]


@pytest.mark.template
def test_each_provider_is_allowed_for_itself(template_of: Callable[[str], Any]) -> None:
    statements = identity_statements(template_of("federated"))
    # What the log tells an operator to add where it is missing is what the construct adds.
    assert statements == [json.loads(missing_statement(OPENAI)), json.loads(missing_statement(ANTHROPIC))]
    assert statements[0] == {
        "Effect": "Allow",
        "Action": "sts:GetWebIdentityToken",
        "Resource": "*",
        "Condition": {
            "ForAllValues:StringEquals": {"sts:IdentityTokenAudience": ["https://api.openai.com/v1"]},
            "Null": {"sts:IdentityTokenAudience": "false"},
            "NumericLessThanEquals": {"sts:DurationSeconds": 900},
            "StringEquals": {"sts:SigningAlgorithm": "ES384"},
        },
    }


@pytest.mark.template
def test_who_stores_all_keys_may_say_who_it_is_to_nobody(template_of: Callable[[str], Any]) -> None:
    for name in ("smallest", "models", "everything"):
        assert identity_statements(template_of(name)) == []


@pytest.mark.template
def test_two_upstreams_of_a_provider_share_a_statement(stack: Stack) -> None:
    other = OpenAiFederation(identity_provider_id="idp_1", service_account_id="sa-2")
    gateway = AiGateway(
        stack, "Gateway", upstreams=[Upstream.openai(federation=OPENAI), Upstream.openai(name="b", federation=other)]
    )
    template = synthesized(stack)
    assert len(identity_statements(template)) == 1
    assert not gateway.secrets
    assert not of_type(template, "SecretsManager::Secret")


def test_tokens_go_as_each_provider_takes_them() -> None:
    openai, anthropic = Upstream.openai(federation=OPENAI), Upstream.anthropic(federation=ANTHROPIC)
    assert [e.auth for e in openai.config.endpoints] == [AuthStyle.BEARER]
    assert [e.auth for e in anthropic.config.endpoints] == [AuthStyle.ANTHROPIC_OAUTH]
    assert (openai.config.federation, anthropic.config.federation) == (OPENAI, ANTHROPIC)
    assert not openai.config.needs_key
    assert Upstream.openai().config.federation is None
    relocated = Upstream.anthropic(base_url="https://eu.example", federation=ANTHROPIC)
    assert ANTHROPIC.exchange_url(relocated.config.endpoints[0].base_url) == "https://eu.example/v1/oauth/token"


@pytest.mark.parametrize("field", ["secret", "secret_field", "rotation"])
@pytest.mark.parametrize(
    ("make", "federation"), [(Upstream.openai, OPENAI), (Upstream.anthropic, ANTHROPIC)], ids=["openai", "anthropic"]
)
def test_what_is_for_stored_keys_is_refused(make: Any, federation: Any, field: str, stack: Stack) -> None:
    given: dict[str, Callable[[], Any]] = {
        "secret": lambda: Secret.from_secret_name_v2(stack, "Secret", "name"),
        "secret_field": lambda: "key",
        "rotation": Rotation.staged,
    }
    with pytest.raises(
        ValueError, match=r"federation takes the place of a stored key; leave secret, secret_field and rotation"
    ):
        make(federation=federation, **{field: given[field]()})


def test_another_providers_federation_is_refused() -> None:
    with pytest.raises(ValueError, match=r"upstream 'openai': federation must be OpenAiFederation\(\.\.\.\), got Anthropic"):
        Upstream.openai(federation=ANTHROPIC)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"upstream 'anthropic': federation must be AnthropicFederation\(\.\.\.\), got 'x'"):
        Upstream.anthropic(federation="x")  # type: ignore[arg-type]


def test_what_is_known_at_deployment_only_is_refused() -> None:
    with pytest.raises(ValueError, match="upstream 'openai': audience must be known at synth, got a token"):
        Upstream.openai(
            federation=OpenAiFederation(identity_provider_id="i", service_account_id="s", audience=f"https://{Aws.ACCOUNT_ID}")
        )
    with pytest.raises(ValueError, match="identity_provider_id must be the id that the provider shows"):
        OpenAiFederation(identity_provider_id=Aws.ACCOUNT_ID, service_account_id="s")
