"""`--watch`: what each new synth does to the running gateway."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from aws_cdk import App, CustomResource, Stack
from aws_cdk import aws_lambda as lambda_

from gateway_construct import AiGateway, Upstream
from tests.local_gateway import LocalGateway, running, until

pytestmark = [pytest.mark.local, pytest.mark.template]

REFUSES = """
import json, urllib.request

def handler(event, context):
    answer = {"Status": "FAILED", "Reason": "it was asked to", "PhysicalResourceId": "none"}
    answer |= {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    request = urllib.request.Request(event["ResponseURL"], json.dumps(answer).encode(), method="PUT")
    urllib.request.urlopen(request)
"""


def synthesize(
    directory: Path,
    *models: str,
    upstreams: tuple[str, ...] = ("one",),
    consumers: tuple[str, ...] = ("search",),
    failing: bool = False,
    origins: tuple[str, ...] = ("*",),
    stacks: tuple[str, ...] = (),
) -> None:
    app = App(outdir=str(directory), analytics_reporting=False)
    stack = Stack(app, "Product")
    gateway = AiGateway(
        stack,
        "Gateway",
        upstreams=[Upstream.openai_compatible(name, base_url="https://one.example/v1") for name in upstreams],
        models={model: [f"{upstreams[-1]}/gpt-4.1"] for model in models},
        cors_allow_origins=origins,
    )
    for consumer in consumers:
        gateway.add_consumer(consumer)
    if failing:
        code = lambda_.InlineCode(REFUSES)
        refuses = lambda_.Function(stack, "Refuses", runtime=lambda_.Runtime.PYTHON_3_13, handler="index.handler", code=code)
        CustomResource(stack, "Refused", service_token=refuses.function_arn).node.add_dependency(gateway)
    for name in stacks:
        AiGateway(Stack(app, name), "Gateway", upstreams=[Upstream.openai()])
    app.synth()


def served(gateway: LocalGateway, model: str, key: str | None = None) -> Any:
    """The model that answers for a name."""
    chat = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
    headers = {"Authorization": f"Bearer {key or gateway.key}"}
    answer = httpx.post(f"{gateway.openai_base_url}/chat/completions", json=chat, headers=headers, trust_env=False, timeout=60)
    return answer.json().get("model", answer.status_code)


def test_each_synth_is_deployed_into_the_running_gateway(tmp_path: Path) -> None:
    assembly = tmp_path / "cdk.out"
    (scratch := tmp_path / "gateway").mkdir()
    synthesize(assembly)
    with running(assembly, "--watch", scratch=scratch) as gateway:
        assert served(gateway, "new") == "new", "an unmapped name goes on as it is"

        synthesize(assembly, "new")
        gateway.wait_for("Product is deployed.")
        until(lambda: served(gateway, "new") == "gpt-4.1")

        synthesize(assembly, "new")
        gateway.wait_for("Product has no changes.")

        # What fails is undone, and said.
        synthesize(assembly, "new", "newer", failing=True)
        gateway.wait_for("not deployed: stack 'Product' is as it was before; its update failed:")
        gateway.wait_for("Refused (AWS::CloudFormation::CustomResource): it was asked to")
        assert (served(gateway, "new"), served(gateway, "newer")) == ("gpt-4.1", "newer")
        (assembly / "manifest.json").write_text("{broken")
        gateway.wait_for("not deployed: the cloud assembly at")

        # A consumer and an upstream that the gateway has not had when it started.
        synthesize(
            assembly, "new", "newer", consumers=("search", "mobile"), upstreams=("one", "two"), origins=("https://a.example",)
        )
        gateway.wait_for("Product is deployed.", 2)
        gateway.wait_for(
            "note: Product/Gateway: routes, authorizer or their limits have changed; start again to have them served"
        )
        (line,) = [line for line in gateway.lines if "has the consumer mobile now, with the key" in line]
        until(lambda: served(gateway, "newer", line.rpartition(" ")[2]) == "gpt-4.1")

        synthesize(assembly, "new", "newer", consumers=("search", "mobile"), upstreams=("one", "two"), stacks=("Another",))
        gateway.wait_for("note: the stack Another is new; start again to have it deployed and served")
        assert gateway.process.poll() is None
        assert gateway.printed("Traceback") == 0
        assert json.loads((assembly / "manifest.json").read_text())
