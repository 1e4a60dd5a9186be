"""Assemblies of other shapes than `app.py`'s: several gateways, nested stacks, what the embedded AWS does not have."""

from pathlib import Path

import httpx
import pytest
from aws_cdk import App, NestedStack, Stack

from gateway_construct import AiGateway, Plan, Upstream, WebAcl
from tests.local_gateway import running

pytestmark = pytest.mark.local


def test_several_gateways_nested_ones_too(tmp_path: Path) -> None:
    app = App(outdir=str(tmp_path / "cdk.out"))
    first = AiGateway(Stack(app, "First"), "Gateway", upstreams=[Upstream.openai()], web_acl=WebAcl())
    first.add_consumer("search", plan=Plan(rate=20, burst=40))
    AiGateway(NestedStack(Stack(app, "Outer"), "Inner"), "Gateway", upstreams=[Upstream.anthropic()])
    app.synth()
    with running(tmp_path / "cdk.out", scratch=tmp_path) as gateway:
        gateways = {found["label"].partition("/")[0]: found for found in gateway.facts["gateways"]}
        assert set(gateways) == {"First", "Outer"}
        assert set(gateways["First"]["keys"]) == {"search"}
        # A gateway without a consumer gets one, and says so.
        assert set(gateways["Outer"]["keys"]) == {"local"}
        assert gateway.printed("the stack has no consumer") == 1
        assert gateway.printed("(AWS::WAFv2::WebACLAssociation) is left out") == 1

        def status(of: str, key_of: str) -> int:
            key = next(iter(gateways[key_of]["keys"].values()))
            url = f"{gateways[of]['openai_base_url']}/models"
            return httpx.get(url, headers={"Authorization": f"Bearer {key}"}, trust_env=False).status_code

        assert (status("First", "First"), status("Outer", "Outer")) == (200, 200)
        assert (status("First", "Outer"), status("Outer", "First")) == (401, 401)
