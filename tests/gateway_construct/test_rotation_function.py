"""What a gateway with rotations deploys."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_logs import RetentionDays
from aws_cdk.aws_secretsmanager import Secret

from function_build.sources import runtime_sources
from gateway_construct import AiGateway, Rotation, Upstream
from gateway_construct.auxiliary_code import auxiliary_sources
from tests.gateway_construct.resources import of_type, only, synthesized

pytestmark = pytest.mark.template

HANDLER = "lambda_runtime.rotation.index.handler"


def variables(template: Any) -> Any:
    return only(template, "Lambda::Function", Handler=HANDLER)["Environment"]["Variables"]


def told(template: Any) -> list[dict[str, Any]]:
    """What the function is told, with references in angle brackets."""
    variable = variables(template)["AI_GATEWAY_ROTATION"]
    parts = [variable] if isinstance(variable, str) else variable["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in parts)
    secrets: list[dict[str, Any]] = json.loads(text)
    return secrets


def rotation_alarms(template: Any) -> list[Any]:
    alarms = of_type(template, "CloudWatch::Alarm").values()
    return [alarm for alarm in alarms if alarm.get("MetricName", "").startswith("Rotation")]


def test_one_function_and_a_schedule_for_each_upstream(template_of: Callable[[str], Any]) -> None:
    template = template_of("rotation")
    schedules = of_type(template, "SecretsManager::RotationSchedule").values()
    assert sorted(schedule["RotationRules"]["ScheduleExpression"] for schedule in schedules) == [
        "rate(30 days)",
        "rate(30 days)",
        "rate(7 days)",
        "rate(90 hours)",
    ]
    function = only(template, "Lambda::Function", Handler=HANDLER)
    assert (function["Runtime"], function["Architectures"], function["Timeout"]) == ("python3.13", ["arm64"], 900)
    for schedule in schedules:
        assert schedule["RotateImmediatelyOnUpdate"] is False
        assert schedule["RotationLambdaARN"]["Fn::GetAtt"][0] in of_type(template, "Lambda::Function")


def test_the_function_is_told_where_to_try_each_key(template_of: Callable[[str], Any]) -> None:
    secrets = {secret["upstream"]: secret for secret in told(template_of("rotation"))}
    assert secrets["holysheep"] == {
        "upstream": "holysheep",
        "secret": "<GatewaySecretsholysheep3731E3EE>",
        "kind": "staged",
        "field": "apiKey",
        "url": "https://api.holysheep.ai/v1/models",
        "auth": "authorization",
        "wire_format": "openai",
        "notice": 604_800,
    }
    assert secrets["anthropic"]["url"] == "https://api.anthropic.com/v1/models"
    assert (secrets["anthropic"]["auth"], secrets["anthropic"]["wire_format"]) == ("x-api-key", "anthropic")
    openai = secrets["openai"]
    assert (openai["kind"], openai["project"], openai["admin_url"]) == (
        "openai_admin",
        "proj_abc123",
        "https://api.openai.com/v1",
    )
    assert openai["admin_secret"].endswith(":secret:openai-admin")
    assert "notice" not in openai
    assert "gemini" not in secrets


def test_a_gateway_without_rotation_has_none_of_it(template_of: Callable[[str], Any], gateway: AiGateway) -> None:
    template = template_of("smallest")
    assert not of_type(template, "SecretsManager::RotationSchedule")
    assert HANDLER not in json.dumps(template)
    assert not rotation_alarms(template)
    assert gateway.rotation_function is None
    assert not gateway.rotation_alarms


def test_secrets_manager_may_call_for_these_secrets_only(template_of: Callable[[str], Any]) -> None:
    permissions = [
        permission
        for permission in of_type(template_of("rotation"), "Lambda::Permission").values()
        if permission["Principal"] == "secretsmanager.amazonaws.com"
    ]
    assert len(permissions) == 4
    assert all(permission["SourceAccount"] == "111122223333" for permission in permissions)
    sources = [permission["SourceArn"] for permission in permissions]
    assert {"Ref": "GatewaySecretsholysheep3731E3EE"} in sources
    assert "arn:aws:secretsmanager:eu-central-1:111122223333:secret:anthropic-AbCdEf" in sources
    assert any(json.dumps(source).endswith(':secret:deepseek-??????"]]}') for source in sources)


def test_a_schedule_waits_for_all_that_its_test_needs(template_of: Callable[[str], Any]) -> None:
    template = template_of("rotation")
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::SecretsManager::RotationSchedule":
            kinds = {template["Resources"][name]["Type"] for name in resource["DependsOn"]}
            assert {"AWS::Lambda::Permission", "AWS::IAM::Policy"} <= kinds


def test_keys_of_the_users_may_be_used(template_of: Callable[[str], Any]) -> None:
    statements = [
        statement
        for policy in of_type(template_of("rotation"), "IAM::Policy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    ]
    (statement,) = statements
    assert len(statement["Resource"]) == 2
    assert list(statement["Condition"]) == ["StringEquals"]


def test_alarms_for_each_upstream(template_of: Callable[[str], Any]) -> None:
    alarms = rotation_alarms(template_of("rotation"))
    named = {(alarm["MetricName"], alarm["Dimensions"][1]["Value"]) for alarm in alarms}
    staged = {"holysheep", "anthropic", "deepseek"}
    assert named == {
        *(("RotationFailed", name) for name in (*staged, "openai")),
        *(("RotationUnprepared", name) for name in staged),
    }
    for alarm in alarms:
        assert alarm["TreatMissingData"] == "ignore"
        assert alarm["Dimensions"][0] == {"Name": "Gateway", "Value": variables(template_of("rotation"))["AI_GATEWAY_FUNCTION"]}


def test_the_function_looks_every_day(template_of: Callable[[str], Any]) -> None:
    template = template_of("rotation")
    ((name, rule),) = ((name, rule) for name, rule in of_type(template, "Events::Rule").items() if "ScheduleExpression" in rule)
    assert rule["ScheduleExpression"] == "rate(1 day)"
    (target,) = rule["Targets"]
    assert json.loads(target["Input"]) == {"check": "staged"}
    permission = only(template, "Lambda::Permission", Principal="events.amazonaws.com")
    assert permission["SourceArn"] == {"Fn::GetAtt": [name, "Arn"]}


def test_the_api_tells_the_functions_name(template_of: Callable[[str], Any]) -> None:
    template = template_of("rotation")
    (api,) = of_type(template, "ApiGateway::RestApi").values()
    tags = {tag["Key"]: tag["Value"] for tag in api["Tags"]}
    (function,) = (
        name for name, properties in of_type(template, "Lambda::Function").items() if properties["Handler"] == HANDLER
    )
    assert tags["ai-gateway:rotation"] == {"Ref": function}


def test_the_gateways_architecture_and_logs(stack: Stack) -> None:
    gateway = AiGateway(
        stack,
        "Gateway",
        upstreams=[Upstream.openai(rotation=Rotation.staged())],
        architecture=lambda_.Architecture.X86_64,
        log_retention=RetentionDays.ONE_WEEK,
    )
    assert len(gateway.rotation_alarms) == 2
    template = synthesized(stack)
    function = only(template, "Lambda::Function", Handler=HANDLER)
    assert function["Architectures"] == ["x86_64"]
    group = of_type(template, "Logs::LogGroup")[function["LoggingConfig"]["LogGroup"]["Ref"]]
    assert group["RetentionInDays"] == 7


def test_two_upstreams_with_one_secret(stack: Stack) -> None:
    secret = Secret.from_secret_name_v2(stack, "Shared", "shared")
    with pytest.raises(ValueError, match=r"upstreams 'openai' and 'openai-eu' share a secret, .* give rotation to one"):
        AiGateway(
            stack,
            "Gateway",
            upstreams=[
                Upstream.openai(secret=secret, rotation=Rotation.staged()),
                Upstream.openai(name="openai-eu", secret=secret, rotation=Rotation.staged()),
            ],
        )


def test_more_than_the_variables_hold(stack: Stack) -> None:
    def many(number: int) -> list[Upstream]:
        return [
            Upstream.openai_compatible(f"u{n}", base_url=f"https://provider-{n}.example.com/v1", rotation=Rotation.staged())
            for n in range(number)
        ]

    AiGateway(stack, "Few", upstreams=many(12))
    with pytest.raises(ValueError, match=r"about 20 upstreams takes about \d{4} bytes, and its variables hold 3968"):
        AiGateway(stack, "Many", upstreams=many(20))


def test_a_schedule_of_hours(stack: Stack) -> None:
    AiGateway(stack, "Gateway", upstreams=[Upstream.openai(rotation=Rotation.staged(every=Duration.hours(6)))])
    (schedule,) = of_type(synthesized(stack), "SecretsManager::RotationSchedule").values()
    assert schedule["RotationRules"] == {"ScheduleExpression": "rate(6 hours)"}
    assert told(synthesized(stack))[0]["notice"] == 6 * 3600


# The code


def test_the_code_is_not_the_gateways() -> None:
    """A change of the rotation must not be a new version of the gateway, nor the other way round."""
    assert not [path for path in runtime_sources() if "rotation" in path.parts]
    assert {path.parent.name for path in auxiliary_sources("rotation")} == {"lambda_runtime", "config", "rotation"}


@pytest.fixture
def asset(tmp_path: Path) -> Path:
    """The function's code as it is published."""
    app = App(outdir=str(tmp_path / "cdk.out"))
    stack = Stack(app, "Stack")
    AiGateway(stack, "Gateway", upstreams=[Upstream.openai(rotation=Rotation.staged())])
    app.synth()
    (directory,) = (path for path in (tmp_path / "cdk.out").glob("asset.*") if (path / "lambda_runtime" / "rotation").is_dir())
    return directory


def test_the_asset_is_complete(asset: Path, tmp_path: Path) -> None:
    """It runs with its own files and boto3, which the managed runtime has, and nothing else."""
    boto = tmp_path / "runtime"
    boto.mkdir()
    site = Path(str(boto3.__file__)).parent.parent
    for name in ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six.py"):
        source = site / name
        (shutil.copyfile if source.is_file() else shutil.copytree)(source, boto / name)
    program = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from lambda_runtime.rotation.index import handler\n"
        "print(sys.modules['lambda_runtime'].__file__)\n"
        "print(handler({'check': 'staged'}, None))\n"
    )
    environment = {
        "PATH": os.environ["PATH"],
        "AI_GATEWAY_ROTATION": "[]",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", "-c", program, str(asset), str(boto)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout.splitlines() == [
        str(asset / "lambda_runtime" / "__init__.py"),
        "{'unprepared': [], 'failed': []}",
    ], result.stderr
    assert {path.suffix for path in asset.rglob("*") if path.is_file()} - {".pyc"} == {".py"}
