from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from gateway_app import checks
from gateway_app.checks import add_checks
from gateway_app.context import read_context
from gateway_app.json_value import ContextError
from gateway_app.stack import GatewayStack
from tests.templates import ROOT, THE_APP, cdk_json, child_environment, template_of

pytestmark = pytest.mark.template

RICH: dict[str, Any] = {
    "stack_name": "Mine",
    "upstreams": [
        "openai",
        {"preset": "anthropic", "secret_arn": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:claude-AbCdEf"},
    ],
    "plans": {"standard": {"rate": 20, "tokens_per_day": 2_000_000}},
    "consumers": {"team search": "standard"},
    "access_logs": True,
    "tracing": True,
    "web_acl": True,
    "snap_start": True,
    "point_in_time_recovery": True,
    "authorizer_cache_seconds": 60,
    "release": {"stable_version": 7, "weight": 0.05},
    "domain": {
        "name": "llm.example.com",
        "certificate_arn": "arn:aws:acm:eu-central-1:111122223333:certificate/11112222-3333-4444-5555-666677778888",
        "hosted_zone_id": "Z0123456789ABCDEFGHIJ",
        "hosted_zone_name": "example.com",
    },
}


def outputs() -> dict[str, Any]:
    return template_of(THE_APP)["Outputs"]


def test_outputs_of_the_default_block() -> None:
    assert list(outputs()) == [
        "GatewayUrl",
        "OpenAiBaseUrl",
        "AnthropicBaseUrl",
        "ConsumerSearchKeyId",
        "ConsumerAssistantKeyId",
        "UpstreamHolysheepSecretArn",
        "UpstreamOpenaiSecretArn",
        "UpstreamAnthropicSecretArn",
        "TableName",
    ]
    assert json.dumps(outputs()["OpenAiBaseUrl"]["Value"]).endswith('/prod/v1"]]}')
    assert json.dumps(outputs()["AnthropicBaseUrl"]["Value"]).endswith('/prod"]]}')


def test_outputs_say_what_to_do_with_an_id() -> None:
    assert "aws apigateway get-api-key --include-value" in outputs()["ConsumerSearchKeyId"]["Description"]
    assert "aws secretsmanager put-secret-value" in outputs()["UpstreamOpenaiSecretArn"]["Description"]


def test_no_output_is_the_value_of_a_key_or_a_secret() -> None:
    resources = template_of(THE_APP)["Resources"]
    # What a reference to a key or a secret gives is its id or ARN. Values come from attributes and dynamic references only.
    for name, output in outputs().items():
        assert "{{resolve:" not in json.dumps(output), name
        assert "Fn::GetAtt" not in json.dumps(output), name
    for logical_id, resource in resources.items():
        if resource["Type"] == "AWS::ApiGateway::ApiKey":
            assert "Value" not in resource["Properties"], logical_id
        if resource["Type"] == "AWS::SecretsManager::Secret":
            assert "SecretString" not in resource["Properties"], logical_id


def test_the_stack_is_bound_to_no_account_and_names_no_python() -> None:
    text = json.dumps(template_of(THE_APP))
    assert "AWS::CDK::Metadata" not in text
    assert str(ROOT) not in text


def test_default_block_is_what_the_readers_of_cdk_json_copy() -> None:
    context = read_context(cdk_json()["context"]["ai-gateway"])
    assert [entry.upstream.name for entry in context.upstreams] == ["holysheep", "openai", "anthropic"]
    assert all(plan.rate is not None and plan.quota is not None for plan in context.consumers.values())


def test_feature_flags_are_those_that_the_pinned_cli_recommends() -> None:
    flags = {name: value for name, value in cdk_json()["context"].items() if name != "ai-gateway"}
    recommended = ROOT / "node_modules/aws-cdk/lib/init-templates/.recommended-feature-flags.json"
    assert flags == json.loads(recommended.read_text("utf-8"))


def nag(block: object, outdir: Path, *, acknowledge: bool) -> set[str]:
    """Ids of the findings of the AWS Solutions rules."""
    app = App(context=cdk_json()["context"], outdir=str(outdir), stack_traces=False)
    context = read_context(block)
    gateway = GatewayStack(app, context).gateway
    if acknowledge:
        add_checks(app, gateway, tracing="tracing" in context.settings)
        app.synth()
    else:
        Validations.of(app).add_plugins(AwsSolutionsChecks(app))
        with pytest.raises(RuntimeError, match="AwsSolutions"):
            app.synth()
    reports = json.loads((outdir / "validation-report.json").read_text())["pluginReports"]
    return {violation["ruleName"] for report in reports for violation in report["violations"]}


def test_cdk_nag_finds_nothing_that_is_not_acknowledged(tmp_path: Path) -> None:
    assert nag(cdk_json()["context"]["ai-gateway"], tmp_path / "default", acknowledge=True) == set()
    assert nag(RICH, tmp_path / "rich", acknowledge=True) == set()
    no_table = {"resilience": False, "point_in_time_recovery": False, "plans": {"standard": {"rate": 20}}}
    assert nag({**RICH, **no_table}, tmp_path / "no-table", acknowledge=True) == set()
    assert nag({**cdk_json()["context"]["ai-gateway"], "release": "canary"}, tmp_path / "canary", acknowledge=True) == set()


def test_nothing_is_acknowledged_that_cdk_nag_does_not_find(tmp_path: Path) -> None:
    default = cdk_json()["context"]["ai-gateway"]
    found = nag({**default, "tracing": True}, tmp_path, acknowledge=False)
    assert found == {
        *checks.ON_API,
        *checks.ON_UNKNOWN_ROUTE,
        *checks.ON_FUNCTION,
        *checks.ON_TRACED_ROLE,
        *checks.ON_SECRET,
        *checks.ON_TABLE,
    }


def test_of_a_release_nothing_is_acknowledged_that_cdk_nag_does_not_find(tmp_path: Path) -> None:
    default = cdk_json()["context"]["ai-gateway"]
    without = nag(default, tmp_path / "all-at-once", acknowledge=False)
    found = nag({**default, "release": "canary"}, tmp_path / "canary", acknowledge=False) - without
    (executions,) = found - checks.ON_STATE_MACHINE.keys()
    assert found >= checks.ON_STATE_MACHINE.keys()
    assert ":execution:" in executions


def test_a_plan_that_the_gateway_cannot_keep_is_blamed_on_its_consumer() -> None:
    block = {
        "upstreams": ["holysheep"],
        "models": {"gpt-4": ["holysheep/gpt-4.1"]},
        "plans": {"paid": {"usd_per_day": 5}},
        "consumers": {"search": "paid"},
    }
    with pytest.raises(ContextError, match=r"^ai-gateway.consumers.search: add_consumer: .* cost: holysheep/gpt-4.1; give"):
        GatewayStack(App(), read_context(block))
    priced = {**block, "prices": {"holysheep/*": {"input": 2, "output": 8}}, "serve_unmapped_models": False}
    assert GatewayStack(App(), read_context(priced)).gateway.consumers


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"upstreems": []}, "ai-gateway.upstreems is no setting"),
        # Found by the construct, not by the reader of the block.
        ({"upstreams": ["openai"], "cors_allow_origins": ["foo"]}, "cors_allow_origins: an origin is scheme and host"),
        ({"upstreams": ["openai"], "resilience": False, "point_in_time_recovery": True}, "point_in_time_recovery=True needs"),
        (
            {"upstreams": ["openai"], "domain": {"name": "localhost", "certificate_arn": RICH["domain"]["certificate_arn"]}},
            "domain: name must be a domain name",
        ),
    ],
)
def test_an_error_is_one_line_without_a_traceback(block: object, message: str, tmp_path: Path) -> None:
    completed = subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=child_environment(CDK_CONTEXT_JSON=json.dumps({"ai-gateway": block}), CDK_OUTDIR=str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 1
    [line] = completed.stderr.strip().splitlines()
    assert line.startswith(f"error in the app's context (cdk.json, or -c): {message}")
