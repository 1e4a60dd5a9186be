"""Federated upstreams in the app's block."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from gateway_app import checks
from gateway_app.context import read_context
from gateway_app.json_value import ContextError
from gateway_app.stack import GatewayStack
from gateway_construct import AnthropicFederation, OpenAiFederation
from tests.templates import cdk_json

pytestmark = pytest.mark.template

OPENAI = {"identity_provider_id": "idp_1", "service_account_id": "sa-1"}
ANTHROPIC = {
    "federation_rule_id": "fdrl_1",
    "organization_id": "11112222-3333-4444-5555-666677778888",
    "service_account_id": "svac_1",
}


def upstream(preset: str, **options: Any) -> dict[str, Any]:
    return {"preset": preset, **options}


def test_a_federation_is_read() -> None:
    block = {"upstreams": [upstream("openai", federation=OPENAI), upstream("anthropic", federation=ANTHROPIC)]}
    openai, anthropic = read_context(block).upstreams
    assert openai.upstream.config.federation == OpenAiFederation(**OPENAI)
    assert anthropic.upstream.config.federation == AnthropicFederation(**ANTHROPIC)
    given = {**ANTHROPIC, "workspace_id": "default", "audience": "urn:x"}
    (entry,) = read_context({"upstreams": [upstream("anthropic", federation=given)]}).upstreams
    assert entry.upstream.config.federation == AnthropicFederation(**given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (upstream("openai", federation={"service_account_id": "s"}), r"federation\.identity_provider_id is missing"),
        (upstream("openai", federation={**OPENAI, "workspace_id": "w"}), r"federation\.workspace_id is no setting"),
        (upstream("openai", federation=ANTHROPIC), r"federation\.federation_rule_id is no setting"),
        (
            upstream("anthropic", federation={**ANTHROPIC, "organization_id": "x"}),
            r"federation: organization_id must be a UUID",
        ),
        (upstream("gemini", federation=OPENAI), r"upstreams\[0\]\.federation is no setting"),
        (upstream("openai", federation=OPENAI, secret_field="key"), "federation takes the place of a stored key"),
        (
            upstream(
                "openai", federation=OPENAI, secret_arn="arn:aws:secretsmanager:eu-central-1:111122223333:secret:o-AbCdEf"
            ),
            "has no use for an upstream without a stored key",
        ),
    ],
)
def test_what_is_wrong_is_named(given: Any, message: str) -> None:
    with pytest.raises(ContextError, match=message):
        read_context({"upstreams": [given]})


def nag(outdir: Path, *, acknowledge: bool) -> set[str]:
    app = App(context=cdk_json()["context"], outdir=str(outdir), stack_traces=False)
    block = cdk_json()["context"]["ai-gateway"] | {"upstreams": [upstream("openai", federation=OPENAI)], "models": {}}
    gateway = GatewayStack(app, read_context(block)).gateway
    if acknowledge:
        checks.add_checks(app, gateway, tracing=False, federated=True)
        app.synth()
    else:
        Validations.of(app).add_plugins(AwsSolutionsChecks(app))
        with pytest.raises(RuntimeError, match="AwsSolutions"):
            app.synth()
    reports = json.loads((outdir / "validation-report.json").read_text())["pluginReports"]
    return {violation["ruleName"] for report in reports for violation in report["violations"]}


def test_the_permission_without_a_resource_is_acknowledged(tmp_path: Path) -> None:
    assert nag(tmp_path / "acknowledged", acknowledge=True) == set()
    found = nag(tmp_path / "all", acknowledge=False)
    assert set(checks.ON_FEDERATED_ROLE) <= found
    assert not set(checks.ON_SECRET) & found
