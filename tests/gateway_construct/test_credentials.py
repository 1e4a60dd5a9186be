from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway_construct import AiGateway, AuthStyle, Upstream
from tests.gateway_construct.resources import gateway_function, of_type, synthesized

pytestmark = pytest.mark.template


def reading(template: Any) -> list[Any]:
    """Statements about secrets. An action is a string or a list of them."""
    return [
        statement
        for policy in of_type(template, "IAM::Policy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "secretsmanager:GetSecretValue"
        or (statement["Action"] == "kms:Decrypt" and "secretsmanager." in repr(statement["Condition"]))
    ]


def test_a_placeholder_is_generated_and_kept(template_of: Callable[[str], Any]) -> None:
    template = template_of("smallest")
    ((name, secret),) = of_type(template, "SecretsManager::Secret").items()
    assert secret["GenerateSecretString"] == {
        "ExcludePunctuation": True,
        "GenerateStringKey": "apiKey",
        "SecretStringTemplate": '{"placeholder":true}',
    }
    assert not {"SecretString", "Name"} & secret.keys()
    resource = template["Resources"][name]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_the_placeholder_uses_the_upstreams_field(stack: Any) -> None:
    AiGateway(stack, "Gateway", upstreams=[Upstream.openai(secret_field="key")])
    (secret,) = of_type(synthesized(stack), "SecretsManager::Secret").values()
    assert secret["GenerateSecretString"]["GenerateStringKey"] == "key"


def test_one_secret_for_each_upstream_with_a_key(template_of: Callable[[str], Any]) -> None:
    template = template_of("models")
    secrets = of_type(template, "SecretsManager::Secret")
    assert len(secrets) == 7
    variables = gateway_function(template)["Environment"]["Variables"]
    assert {value["Ref"] for name, value in variables.items() if name.startswith("UPSTREAM_SECRET_")} == set(secrets)
    (statement,) = reading(template)
    assert {resource["Ref"] for resource in statement["Resource"]} == set(secrets)


def test_a_gateway_without_keys_reads_no_secret(stack: Any) -> None:
    upstream = Upstream.openai_compatible("vllm", base_url="http://localhost:8000/v1", auth=AuthStyle.NONE)
    gateway = AiGateway(stack, "Gateway", upstreams=[upstream])
    template = synthesized(stack)
    assert not gateway.secrets
    assert not of_type(template, "SecretsManager::Secret")
    assert not reading(template)


def test_own_secrets_are_used(template_of: Callable[[str], Any]) -> None:
    template = template_of("own-secrets")
    assert not of_type(template, "SecretsManager::Secret")
    secrets, key = reading(template)
    # One that was imported by name has an unknown end.
    assert secrets["Resource"] == [
        "arn:aws:secretsmanager:eu-central-1:111122223333:secret:openai-AbCdEf",
        {
            "Fn::Join": [
                "",
                ["arn:", {"Ref": "AWS::Partition"}, ":secretsmanager:eu-central-1:111122223333:secret:anthropic-??????"],
            ],
        },
        "arn:aws:secretsmanager:eu-central-1:111122223333:secret:gemini-GhIjKl",
    ]
    assert key["Resource"] == "arn:aws:kms:eu-central-1:111122223333:key/11112222-3333-4444-5555-666677778888"
    assert key["Condition"] == {"StringEquals": {"kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"}}


def test_the_customers_key(template_of: Callable[[str], Any]) -> None:
    template = template_of("customer-key")
    ((key, properties),) = of_type(template, "KMS::Key").items()
    arn = {"Fn::GetAtt": [key, "Arn"]}
    (secret,) = of_type(template, "SecretsManager::Secret").values()
    assert secret["KmsKeyId"] == arn
    assert [group["KmsKeyId"] for group in of_type(template, "Logs::LogGroup").values()] == [arn, arn]
    decrypt = [statement for statement in reading(template) if statement["Action"] == "kms:Decrypt"]
    assert [statement["Resource"] for statement in decrypt] == [arn]
    (logs,) = (s for s in properties["KeyPolicy"]["Statement"] if s.get("Sid") == "CloudWatchLogs")
    assert logs["Principal"] == {"Service": {"Fn::Join": ["", ["logs.", {"Ref": "AWS::Region"}, ".amazonaws.com"]]}}
    assert list(logs["Condition"]) == ["ArnLike"]


def test_secrets_are_exposed(gateway: AiGateway) -> None:
    assert list(gateway.secrets) == ["openai"]
    with pytest.raises(TypeError):
        gateway.secrets["other"] = gateway.secrets["openai"]  # type: ignore[index]
