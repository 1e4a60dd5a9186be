from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, RemovalPolicy, Stack, Stage
from aws_cdk.aws_kms import Key

from gateway_cli.aws.tables import TABLE_TAG
from gateway_construct import AiGateway, Upstream
from lambda_runtime.state import items
from tests.gateway_construct.resources import gateway_function, of_type, only, synthesized

pytestmark = pytest.mark.template


def function_statements(template: Any) -> list[Any]:
    """What the gateway's function may do."""
    role = gateway_function(template)["Role"]["Fn::GetAtt"][0]
    (policy,) = (p for p in of_type(template, "IAM::Policy").values() if {"Ref": role} in p["Roles"])
    statements: list[Any] = policy["PolicyDocument"]["Statement"]
    return statements


def about(statements: list[Any], service: str) -> list[Any]:
    """The statements about a service. An action is a string or a list of them."""
    return [statement for statement in statements if f"'{service}:" in repr(statement["Action"])]


def test_the_table(template_of: Callable[[str], Any]) -> None:
    template = template_of("smallest")
    ((name, table),) = of_type(template, "DynamoDB::Table").items()
    assert table == {
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": False},
        "SSESpecification": {"SSEEnabled": False},
        "Tags": [{"Key": "ai-gateway:table", "Value": "AiGateway/Gateway"}],
        "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True},
    }
    resource = template["Resources"][name]
    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert gateway_function(template)["Environment"]["Variables"]["AI_GATEWAY_TABLE"] == {"Ref": name}


def test_keys_and_tag_are_those_that_the_runtime_and_the_command_know(template_of: Callable[[str], Any]) -> None:
    table = only(template_of("smallest"), "DynamoDB::Table")
    assert [key["AttributeName"] for key in table["KeySchema"]] == [items.PARTITION_KEY, items.SORT_KEY]
    assert table["TimeToLiveSpecification"]["AttributeName"] == items.EXPIRES
    assert [tag["Key"] for tag in table["Tags"]] == [TABLE_TAG]


def test_its_props(template_of: Callable[[str], Any]) -> None:
    template = template_of("everything")
    ((name, table),) = of_type(template, "DynamoDB::Table").items()
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert template["Resources"][name]["DeletionPolicy"] == "Delete"


def test_the_function_may_ask_and_count_and_no_more(any_template: Any) -> None:
    tables = of_type(any_template, "DynamoDB::Table")
    found = about(function_statements(any_template), "dynamodb")
    assert found == [
        {
            "Action": ["dynamodb:Query", "dynamodb:UpdateItem"],
            "Effect": "Allow",
            "Resource": {"Fn::GetAtt": [name, "Arn"]},
        }
        for name in tables
    ]


def test_nobody_else_may_use_the_table(any_template: Any) -> None:
    policies = [p["PolicyDocument"]["Statement"] for p in of_type(any_template, "IAM::Policy").values()]
    tables = of_type(any_template, "DynamoDB::Table")
    writers = len(
        {one["ServiceToken"]["Fn::GetAtt"][0] for one in of_type(any_template, "Custom::AiGatewayConsumerLimits").values()}
    )
    assert sum(len(about(statements, "dynamodb")) for statements in policies) == len(tables) + writers
    assert not any("ResourcePolicy" in table for table in tables.values())


def test_the_customers_key(template_of: Callable[[str], Any]) -> None:
    template = template_of("customer-key")
    ((key, properties),) = of_type(template, "KMS::Key").items()
    arn = {"Fn::GetAtt": [key, "Arn"]}
    assert only(template, "DynamoDB::Table")["SSESpecification"] == {
        "KMSMasterKeyId": arn,
        "SSEEnabled": True,
        "SSEType": "KMS",
    }
    via = "kms:ViaService"
    found = {
        repr(statement["Condition"]["StringEquals"][via]): statement
        for statement in about(function_statements(template), "kms")
    }
    service = {"Fn::Join": ["", ["dynamodb.", {"Ref": "AWS::Region"}, ".amazonaws.com"]]}
    assert found[repr(service)] == {
        "Action": "kms:Decrypt",
        "Condition": {"StringEquals": {via: service}},
        "Effect": "Allow",
        "Resource": arn,
    }
    assert len(found) == 2, "one for the secret, one for the table"
    # The account's policies decide, which the role's is one of: nothing of the table is in the key's own policy.
    assert "dynamodb" not in repr(properties["KeyPolicy"])


def test_without_resilience_there_is_no_table(template_of: Callable[[str], Any], stack: Stack) -> None:
    template = template_of("no-table")
    assert not of_type(template, "DynamoDB::Table")
    assert "AI_GATEWAY_TABLE" not in gateway_function(template)["Environment"]["Variables"]
    assert AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], resilience=False).table is None


def test_without_resilience_the_key_is_for_the_secrets_only(stack: Stack) -> None:
    AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], resilience=False, encryption_key=Key(stack, "Key"))
    (statement,) = about(function_statements(synthesized(stack)), "kms")
    assert "secretsmanager" in repr(statement["Condition"])


def test_a_prop_of_no_table_is_refused(stack: Stack) -> None:
    with pytest.raises(ValueError, match="point_in_time_recovery=True needs the table, which resilience=False leaves out"):
        AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], resilience=False, point_in_time_recovery=True)


def test_the_table_is_exposed(stack: Stack, gateway: AiGateway) -> None:
    assert gateway.table is not None
    ((name, _),) = of_type(synthesized(stack), "DynamoDB::Table").items()
    assert stack.resolve(gateway.table.table_name) == {"Ref": name}


def test_two_gateways_have_a_table_each(stack: Stack) -> None:
    AiGateway(stack, "One", upstreams=[Upstream.openai()])
    AiGateway(stack, "Two", upstreams=[Upstream.openai()])
    assert tags(stack) == ["Stack/One", "Stack/Two"]


@pytest.mark.parametrize(
    ("construct_id", "tag"),
    [("Größe 1", "Stage/Stack/Gr--e-1"), ("a(b)&c", "Stage/Stack/a-b--c"), ("x" * 300, "x" * 256)],
)
def test_the_tag_takes_any_path(construct_id: str, tag: str) -> None:
    stack = Stack(Stage(App(), "Stage"), "Stack")
    AiGateway(stack, construct_id, upstreams=[Upstream.openai()], table_removal_policy=RemovalPolicy.DESTROY)
    assert tags(stack) == [tag]


def tags(stack: Stack) -> list[str]:
    """The paths in the tags of all tables."""
    tables = of_type(synthesized(stack), "DynamoDB::Table").values()
    return [tag["Value"] for table in tables for tag in table["Tags"] if tag["Key"] == "ai-gateway:table"]
