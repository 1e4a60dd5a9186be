"""`ai-gateway smoke` against a running local gateway, and against its stand-in upstream."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway_cli.running import noted
from tests.lambda_runtime.upstream_server import serve
from tests.local_gateway import ENVIRONMENT, ROOT, LocalGateway

pytestmark = [pytest.mark.local]


@pytest.fixture
def session(local_gateway: LocalGateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """A session directory in which `--local` finds the gateway."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    facts = local_gateway.facts
    labels, urls = [facts["label"]], [facts["url"]]
    with noted(facts["aws_endpoint_url"], facts["aws_region"], labels, urls):
        yield {"XDG_RUNTIME_DIR": str(tmp_path)}


def command(*arguments: str, status: int = 0, key: str | None = None, **environment: str) -> dict[str, Any]:
    """Run `ai-gateway smoke` as an operator does, and read what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway_cli", "smoke", *arguments, "--json"],
        cwd=ROOT,
        env={**ENVIRONMENT, **environment},
        input=key or "",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert not key or key not in done.stdout + done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def test_a_gateway_from_outside(local_gateway: LocalGateway) -> None:
    found = command("gateway", "--url", local_gateway.openai_base_url, key=local_gateway.key)
    assert found["url"] == local_gateway.url
    assert {step["outcome"] for step in found["steps"]} == {"passed"}
    # The first of the model map, in both formats.
    assert [step["name"] for step in found["steps"]] == [
        *("wrong key", "models", "request", "stream", "request", "stream", "unknown route"),
    ]
    streams = [step for step in found["steps"] if step["name"] == "stream"]
    assert all(0 < step["first_token_seconds"] < step["seconds"] for step in streams)


def test_every_model_of_the_map(session: dict[str, str]) -> None:
    found = command("gateway", "--local", "--consumer", "search", **session)
    asked = {step["subject"] for step in found["steps"] if step["name"] == "stream"}
    models = {subject.partition(" (")[0] for subject in asked}
    assert "gpt-4" in models
    assert asked == {f"{model} ({called})" for model in models for called in ("chat completions", "messages")}


def test_an_upstream_of_the_gateway(session: dict[str, str]) -> None:
    with serve() as gone:
        proxy = f"http://127.0.0.1:{gone.port}"
    # Its real address, which no test may reach: the way there leads nowhere.
    found = command("upstream", "holysheep", "--local", key="any-key-0123456789", status=1, https_proxy=proxy, **session)
    assert found["upstream"] == "holysheep"
    assert found["steps"][0]["text"].startswith("TCP: the proxy 127.0.0.1:")


def test_a_wrong_key_and_an_unknown_model(local_gateway: LocalGateway) -> None:
    found = command("gateway", "--url", local_gateway.url, key="nobodys-key-0123456789", status=1)
    assert [(step["name"], step["outcome"]) for step in found["steps"]] == [
        ("wrong key", "passed"),
        ("models", "failed"),
        ("answers", "skipped"),
        ("unknown route", "passed"),
    ]


def test_an_upstream_through_the_gateways_own_format(local_gateway: LocalGateway) -> None:
    # To this command a gateway is an upstream like any other.
    for wire_format, url in (("openai", local_gateway.openai_base_url), ("anthropic", local_gateway.anthropic_base_url)):
        options = ["--base-url", url, "--format", wire_format, "--model", "gpt-4"]
        found = command("upstream", "chained", *options, key=local_gateway.key)
        assert [(step["name"], step["outcome"]) for step in found["steps"]] == [
            ("models", "passed"),
            ("request", "passed"),
            ("stream", "passed"),
        ]
