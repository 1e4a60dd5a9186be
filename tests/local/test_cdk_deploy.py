"""The pinned CDK CLI against the embedded AWS: a deployment of its own, and one into the running gateway."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway_cli.console import Output
from gateway_cli.local.emulator import Emulator
from tests.local_gateway import ENVIRONMENT, ROOT, LocalGateway, until

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("gateway")]


def cdk(*arguments: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["npx", "--no-install", "cdk", *arguments],
        cwd=ROOT,
        env={**ENVIRONMENT, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@asynccontextmanager
async def emulator(directory: Path) -> AsyncIterator[Emulator]:
    started = await Emulator.start(account="000000000000", region="us-east-1", directory=directory, output=Output())
    try:
        yield started
    finally:
        await started.stop()


def test_bootstrap_deploy_diff_and_destroy(app_assembly: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with emulator(tmp_path) as aws:
            environment = {
                "AWS_ENDPOINT_URL": aws.endpoint_url,
                "AWS_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
            }
            app = ["--app", str(app_assembly)]

            async def step(*arguments: str) -> str:
                return await asyncio.to_thread(cdk, *arguments, environment=environment)

            await step("bootstrap", "aws://000000000000/us-east-1")
            await step("deploy", *app, "--require-approval", "never")
            stack = aws.client("cloudformation").describe_stacks(StackName="AiGateway")["Stacks"][0]
            assert stack["StackStatus"] == "CREATE_COMPLETE"
            assert any(output["OutputKey"] == "OpenAiBaseUrl" for output in stack["Outputs"])
            assert "There were no differences" in await step("diff", *app, "--fail")
            await step("destroy", *app, "--force")
            assert "AiGateway" not in {stack["StackName"] for stack in aws.client("cloudformation").describe_stacks()["Stacks"]}

    asyncio.run(run())


def rename_model(assembly: Path, directory: Path) -> Path:
    """A copy of the assembly whose function has one more name in its model map."""
    copy = shutil.copytree(assembly, directory)
    config = next(copy.glob("asset.*/gateway.json"))
    content = json.loads(config.read_text())
    content["models"]["deployed-later"] = {"targets": [{"name": "openai/gpt-4o"}]}
    config.write_text(json.dumps(content))
    # Whatever has changed gets another hash, as the CDK would give it.
    properties = json.loads((copy / "manifest.json").read_text())["artifacts"]["AiGateway"]["properties"]
    old = {
        config.parent.name.removeprefix("asset."): "f" * 64,
        properties["stackTemplateAssetObjectUrl"].rpartition("/")[2].removesuffix(".json"): "e" * 64,
    }
    config.parent.rename(copy / f"asset.{'f' * 64}")
    for path in copy.glob("*.json"):
        text = path.read_text()
        for before, after in old.items():
            text = text.replace(before, after)
        path.write_text(text)
    template = copy / "AiGateway.template.json"
    # The CDK gives a version of changed code another logical id.
    version = next(
        name for name, r in json.loads(template.read_text())["Resources"].items() if r["Type"] == "AWS::Lambda::Version"
    )
    template.write_text(template.read_text().replace(version, version[:-8] + "deadbeef"))
    return copy


def test_a_deployment_into_the_running_gateway(
    app_assembly: Path, tmp_path: Path, local_gateway: LocalGateway, http: httpx.Client
) -> None:
    changed = rename_model(app_assembly, tmp_path / "cdk.out")
    cdk("deploy", "--app", str(changed), "--require-approval", "never", environment=local_gateway.aws_environment)
    _, unlimited = local_gateway.add_key("after-deployment")
    chat = {"model": "deployed-later", "messages": [{"role": "user", "content": "hello"}]}

    def model() -> Any:
        return http.post("/v1/chat/completions", json=chat, headers=unlimited).json()["model"]

    until(lambda: model() == "gpt-4o")
