"""A gateway that stores no key in AWS runs on a laptop, where no provider trusts anybody: with the stand-in."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from aws_cdk import App, Stack

from gateway_construct import AiGateway
from tests.credential_configurations import federated
from tests.local_gateway import LocalGateway, running

pytestmark = pytest.mark.local


def ask(gateway: LocalGateway, path: str, model: str) -> httpx.Response:
    body = {"model": model, "max_tokens": 16, "messages": [{"role": "user", "content": "hi"}]}
    headers = {"x-api-key": gateway.key}
    return httpx.post(f"{gateway.anthropic_base_url}{path}", json=body, headers=headers, timeout=60, trust_env=False)


def test_federated_upstreams_are_stood_in_for(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path / "cdk.out"))
    built: AiGateway = federated(Stack(app, "Federated"))
    assert list(built.secrets) == ["holysheep"]
    app.synth()
    with running(tmp_path / "cdk.out", scratch=tmp_path) as gateway:
        assert gateway.printed("a stand-in answers for anthropic, holysheep, openai") == 1
        for path, model in (("/v1/chat/completions", "gpt-4.1"), ("/v1/messages", "claude-x"), ("/v1/messages", "gpt-4.1")):
            reply = ask(gateway, path, model)
            assert reply.status_code == 200, reply.text
