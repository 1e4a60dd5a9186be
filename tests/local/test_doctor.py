"""`ai-gateway doctor` on a running local gateway."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.local_gateway import ENVIRONMENT, ROOT, LocalGateway, running, runtime_directory

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("examined")]


@dataclass
class Examined:
    """A local gateway of its own, since it is made ill."""

    gateway: LocalGateway
    environment: dict[str, str]

    def command(self, *arguments: str, status: int = 0, text: str = "") -> str:
        """Run `ai-gateway` as an operator does, and give what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "gateway_cli", *arguments],
            cwd=ROOT,
            env={**ENVIRONMENT, **self.environment},
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def findings(self, *options: str, status: int = 0) -> dict[str, list[dict[str, Any]]]:
        """What the doctor finds, by check."""
        found: dict[str, list[dict[str, Any]]] = {}
        for finding in json.loads(self.command("doctor", "--local", "--json", *options, status=status))["findings"]:
            found.setdefault(finding["check"], []).append(finding)
        return found


@pytest.fixture(scope="module")
def examined(app_assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examined]:
    directory = tmp_path_factory.mktemp("examined")
    with running(app_assembly, scratch=directory) as gateway:
        yield Examined(gateway, {"XDG_RUNTIME_DIR": str(runtime_directory(directory))})


def levels(findings: list[dict[str, Any]]) -> set[str]:
    return {finding["level"] for finding in findings}


def test_a_gateway_as_it_is_deployed(examined: Examined) -> None:
    found = examined.findings("--strict")
    for check in ("alias", "configuration", "release", "secrets", "access", "circuits"):
        assert levels(found[check]) == {"ok"}, found[check]
    assert len(found["secrets"]) == len(found["access"]) == len(found["upstreams"]) >= 2
    # What answers for them is in the workers' copy of the configuration only.
    assert {finding["text"] for finding in found["upstreams"]} == {"the local gateway has a stand-in for it"}
    for check in ("clock", "concurrency", "throttle"):
        assert levels(found[check]) == {"skipped"}


def test_each_ill_is_mended_by_the_command_that_is_told(examined: Examined) -> None:
    gateway = examined.gateway
    function = json.loads(examined.command("doctor", "--local", "--json"))["function"]
    variables = gateway.client("lambda").get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    secret = variables["UPSTREAM_SECRET_HOLYSHEEP"]
    gateway.client("secretsmanager").put_secret_value(SecretId=secret, SecretString='{"placeholder": true}')
    examined.command("upstreams", "open", "holysheep", "--local")
    found = examined.findings(status=1)
    (placeholder,) = [finding for finding in found["secrets"] if finding["level"] != "ok"]
    assert (placeholder["level"], placeholder["subject"]) == ("error", "holysheep")
    stopped = found["circuits"][0]
    assert (stopped["level"], stopped["mend"]) == ("warning", ["ai-gateway upstreams close holysheep --local"])
    for finding in (placeholder, stopped):
        (mend,) = finding["mend"]
        examined.command(*mend.split()[1:], text="a-key-of-the-tests-0123456789")
    assert levels(examined.findings()["secrets"]) == levels(examined.findings()["circuits"]) == {"ok"}


def test_the_gateway_leaves_its_address_for_smoke(examined: Examined) -> None:
    printed = examined.command("smoke", "gateway", "--local", "--consumer", "search", "--model", "gpt-4", "--json")
    document = json.loads(printed)
    assert (document["url"], document["passed"]) == (examined.gateway.url, True)


def test_every_way_to_the_gateway(examined: Examined) -> None:
    environment = dict(examined.environment)
    examined.environment |= examined.gateway.aws_environment
    try:
        for options in ([], ["--stack", "AiGateway"], ["--gateway", "AiGateway/Gateway"]):
            document = json.loads(examined.command("doctor", "--json", "--no-upstreams", *options))
            assert document["gateway"] == "AiGateway/Gateway"
            # As in AWS, whose quotas count.
            assert {finding["level"] for finding in document["findings"] if finding["check"] == "throttle"} == {"ok"}
    finally:
        examined.environment = environment
