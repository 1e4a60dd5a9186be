"""The pinned CDK CLI with cdk.json, the CDK's own validation of templates included."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.templates import ROOT, child_environment

pytestmark = pytest.mark.template


def cdk(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [shutil.which("npx", path=child_environment()["PATH"]) or "npx", "--no-install", "cdk", *arguments]
    env = child_environment(CDK_DISABLE_CLI_TELEMETRY="true", **environment)
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def test_synth_then_diff(tmp_path: Path) -> None:
    assembly = str(tmp_path / "cdk.out")
    synthesized = cdk("synth", "--quiet", "--strict", "--output", assembly, CDK_VALIDATION="true")
    assert synthesized.returncode == 0, synthesized.stderr
    reports = json.loads((tmp_path / "cdk.out" / "validation-report.json").read_text())["pluginReports"]
    assert [violation for report in reports for violation in report["violations"]] == []

    template = f"{assembly}/AiGateway.template.json"
    compared = cdk("diff", "--app", assembly, "--template", template, "--fail", "AiGateway")
    assert compared.returncode == 0, compared.stderr
    assert "There were no differences" in compared.stderr + compared.stdout


def test_block_on_the_command_line(tmp_path: Path) -> None:
    block = json.dumps({"stack_name": "Mine", "upstreams": ["openai"]})
    completed = cdk("synth", "--quiet", "--output", str(tmp_path), "-c", f"ai-gateway={block}")
    assert completed.returncode == 0, completed.stderr
    assert (tmp_path / "Mine.template.json").exists()
