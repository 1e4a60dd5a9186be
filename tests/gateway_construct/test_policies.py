"""Least privilege: every statement of every documented configuration is looked at."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lambda_runtime.state.items import USAGE
from tests.configurations import CONFIGURATIONS
from tests.gateway_construct.resources import of_type

pytestmark = pytest.mark.template

Json = dict[str, Any]

FUNCTION_ACTIONS = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "secretsmanager:GetSecretValue",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
    "kms:Decrypt",
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "sts:GetWebIdentityToken",
}

RELEASE_ACTIONS = {
    "lambda:GetAlias",
    "lambda:UpdateAlias",
    "lambda:GetProvisionedConcurrencyConfig",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:SetAlarmState",
    "states:StartExecution",
    "states:ListExecutions",
    "states:DescribeExecution",
    "states:StopExecution",
}
ROTATION_ACTIONS = {
    "secretsmanager:DescribeSecret",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
    "kms:GenerateDataKey",
}
LIMITS_ACTIONS = {"dynamodb:PutItem", "dynamodb:DeleteItem"}
RELEASES = {"canary-release", "code-deploy-release"}


def statements(template: Json) -> Iterator[tuple[str, Json]]:
    """Every policy statement in a template, with the type of its resource. Keys belong to the user, so do their policies."""

    def walk(value: object) -> Iterator[Json]:
        if isinstance(value, dict):
            if "Effect" in value:
                yield value
            for item in value.values():
                yield from walk(item)
        elif isinstance(value, list):
            for item in value:
                yield from walk(item)

    for resource in template["Resources"].values():
        for statement in walk(resource):
            yield resource["Type"].removeprefix("AWS::"), statement


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def is_xray(kind: str, statement: Json) -> bool:
    """X-Ray's write actions know no resource."""
    return kind == "IAM::Policy" and set(statement["Action"]) == {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}


def is_web_identity(kind: str, statement: Json) -> bool:
    """Identity tokens know no resource: whom they are for, how long they hold and how they are signed stand in its place."""
    condition = statement.get("Condition", {})
    return (
        kind == "IAM::Policy"
        and statement["Action"] == "sts:GetWebIdentityToken"
        and statement["Resource"] == "*"
        and len(condition["ForAllValues:StringEquals"]["sts:IdentityTokenAudience"]) == 1
        and condition["Null"] == {"sts:IdentityTokenAudience": "false"}
        and condition["NumericLessThanEquals"] == {"sts:DurationSeconds": 900}
        and condition["StringEquals"]["sts:SigningAlgorithm"] in {"ES384", "RS256"}
    )


def is_key_policy(kind: str, _: Json) -> bool:
    """In a key's policy `*` means that key."""
    return kind == "KMS::Key"


def is_private_api(kind: str, statement: Json) -> bool:
    """Everybody who comes through the endpoint, to every path of the stage. Keys are asked for all the same."""
    return (
        kind == "ApiGateway::RestApi"
        and statement["Action"] == "execute-api:Invoke"
        and statement["Resource"] == "execute-api:/prod/*"
        and statement["Principal"] == {"AWS": "*"}
        and list(statement["Condition"]) == ["StringEquals"]
        and list(statement["Condition"]["StringEquals"]) == ["aws:SourceVpce"]
    )


def is_executions(kind: str, statement: Json) -> bool:
    """An execution has no ARN before it runs: those of one state machine."""
    return (
        kind == "IAM::Policy"
        and set(listed(statement["Action"])) <= {"states:DescribeExecution", "states:StopExecution"}
        and all(re.search(r":execution:.*Name.*:\*", text(resource)) for resource in listed(statement["Resource"]))
    )


def is_versions(kind: str, statement: Json) -> bool:
    """The versions and aliases of one function, which CodeDeploy names by number."""
    return kind == "IAM::Policy" and "lambda:GetProvisionedConcurrencyConfig" in statement["Action"]


JUSTIFIED: tuple[Callable[[str, Json], bool], ...] = (
    is_xray,
    is_key_policy,
    is_private_api,
    is_executions,
    is_versions,
    is_web_identity,
)


def test_no_statement_has_a_wildcard(any_template: Json) -> None:
    for kind, statement in statements(any_template):
        if any(justified(kind, statement) for justified in JUSTIFIED):
            continue
        assert statement["Effect"] == "Allow"
        assert not {"NotAction", "NotResource", "NotPrincipal"} & statement.keys()
        assert not any("*" in action for action in listed(statement["Action"])), statement
        assert not any("*" in text(resource) for resource in listed(statement.get("Resource", []))), statement
        assert "*" not in json.dumps(statement.get("Principal", "")), statement


def test_no_arn_names_a_partition(any_template: Json) -> None:
    mine = {name: resource for name, resource in any_template["Resources"].items() if resource["Type"] != "AWS::KMS::Key"}
    rendered = json.dumps(mine)
    for arn in ("arn:aws:iam", "arn:aws:logs", "arn:aws:lambda", "arn:aws:execute-api", "arn:aws:apigateway"):
        assert arn not in rendered


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_functions_may_do_what_they_need_and_no_more(template_of: Callable[[str], Any], name: str) -> None:
    allowed = FUNCTION_ACTIONS | (RELEASE_ACTIONS if name in RELEASES else set())
    allowed |= ROTATION_ACTIONS if name == "rotation" else set()
    allowed |= LIMITS_ACTIONS if name == "budgets" else set()
    for policy in of_type(template_of(name), "IAM::Policy").values():
        for statement in policy["PolicyDocument"]["Statement"]:
            assert set(listed(statement["Action"])) <= allowed


def test_only_the_rotation_function_may_change_secrets(template_of: Callable[[str], Any]) -> None:
    policies = of_type(template_of("rotation"), "IAM::Policy").values()
    (changing,) = (policy for policy in policies if any(action in json.dumps(policy) for action in ROTATION_ACTIONS))
    (role,) = changing["Roles"]
    (function,) = (
        function
        for function in of_type(template_of("rotation"), "Lambda::Function").values()
        if function["Role"]["Fn::GetAtt"][0] == role["Ref"]
    )
    assert function["Handler"] == "lambda_runtime.rotation.index.handler"


def test_what_writes_limits_may_write_of_consumers_and_nothing_else(template_of: Callable[[str], Any]) -> None:
    policies = of_type(template_of("budgets"), "IAM::Policy").values()
    found = [
        (role["Ref"], statement)
        for policy in policies
        for statement in policy["PolicyDocument"]["Statement"]
        for role in policy["Roles"]
        if LIMITS_ACTIONS & set(listed(statement["Action"]))
    ]
    ((role, statement),) = found
    assert statement["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{USAGE}*"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }
    assert role.startswith("GatewayLimitsRole")


@pytest.mark.parametrize("name", sorted(RELEASES))
def test_only_what_releases_may_change_the_alias(template_of: Callable[[str], Any], name: str) -> None:
    roles = {
        role["Ref"]
        for policy in of_type(template_of(name), "IAM::Policy").values()
        if "lambda:UpdateAlias" in json.dumps(policy)
        for role in policy["Roles"]
    }
    trusted = {
        of_type(template_of(name), "IAM::Role")[role]["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"]
        for role in roles
    }
    assert roles
    assert trusted <= {"states.amazonaws.com", "codedeploy.amazonaws.com", "lambda.amazonaws.com"}
    assert not any("GatewayFunctionRole" in role for role in roles)


def test_no_managed_policy_and_nothing_account_wide(any_template: Json) -> None:
    for role in of_type(any_template, "IAM::Role").values():
        assert "ManagedPolicyArns" not in role
    assert not of_type(any_template, "ApiGateway::Account")
    assert not of_type(any_template, "Logs::ResourcePolicy")


def test_each_function_writes_to_its_own_logs_only(any_template: Json) -> None:
    for function in of_type(any_template, "Lambda::Function").values():
        role = function["Role"]["Fn::GetAtt"][0]
        policies = (p for p in of_type(any_template, "IAM::Policy").values() if {"Ref": role} in p["Roles"])
        (logs,) = (s for p in policies for s in p["PolicyDocument"]["Statement"] if "logs:PutLogEvents" in s["Action"])
        assert logs["Resource"] == {"Fn::GetAtt": [function["LoggingConfig"]["LogGroup"]["Ref"], "Arn"]}


def test_tracing_is_the_only_reason_for_xray(template_of: Callable[[str], Any]) -> None:
    def has_xray(name: str) -> bool:
        return any(is_xray(kind, statement) for kind, statement in statements(template_of(name)))

    assert has_xray("access-logs-and-tracing")
    assert not has_xray("smallest")
