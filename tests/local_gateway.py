"""The local gateway as its users run it: the command, in a process of its own, on what `app.py` synthesizes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.endswith("_API_KEY") and not name.startswith("AWS_")},
    # Node for jsii and the CDK CLI are in the virtual environment.
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
    "CDK_VALIDATION": "false",
    "CDK_DISABLE_CLI_TELEMETRY": "1",
}
START_SECONDS = 120


@dataclass
class LocalGateway:
    """A running local gateway."""

    process: subprocess.Popen[str]
    lines: list[str]
    facts: dict[str, Any]
    changed: threading.Condition = field(repr=False)

    @property
    def url(self) -> str:
        return str(self.facts["url"])

    @property
    def openai_base_url(self) -> str:
        return str(self.facts["openai_base_url"])

    @property
    def anthropic_base_url(self) -> str:
        return str(self.facts["anthropic_base_url"])

    @property
    def keys(self) -> dict[str, str]:
        """Key values by consumer."""
        return dict(self.facts["keys"])

    @property
    def key(self) -> str:
        """The first consumer's key."""
        return next(iter(self.keys.values()))

    @property
    def pid(self) -> int:
        return int(self.facts["pid"])

    @property
    def aws_environment(self) -> dict[str, str]:
        """What makes boto3 and the CDK CLI use the embedded AWS."""
        return {
            "AWS_ENDPOINT_URL": self.facts["aws_endpoint_url"],
            "AWS_REGION": self.facts["aws_region"],
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }

    def client(self, service: str) -> Any:
        """A boto3 client of the embedded AWS."""
        return boto3.client(
            service,
            endpoint_url=self.facts["aws_endpoint_url"],
            region_name=self.facts["aws_region"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(proxies={}),
        )

    def add_key(self, name: str, **plan: Any) -> tuple[str, dict[str, str]]:
        """Make a key and a usage plan with boto3: the key's id, and the header that carries it."""
        apigateway = self.client("apigateway")
        api = apigateway.get_rest_apis()["items"][0]["id"]
        created = apigateway.create_usage_plan(name=name, apiStages=[{"apiId": api, "stage": "prod"}], **plan)
        key = apigateway.create_api_key(name=name, enabled=True)
        apigateway.create_usage_plan_key(usagePlanId=created["id"], keyId=key["id"], keyType="API_KEY")
        value = apigateway.get_api_key(apiKey=key["id"], includeValue=True)["value"]
        return key["id"], {"Authorization": f"Bearer {value}"}

    def printed(self, text: str) -> int:
        """How many of the printed lines have a text."""
        with self.changed:
            return sum(text in line for line in self.lines)

    def wait_for(self, text: str, count: int = 1) -> None:
        """Wait until so many of the printed lines have a text."""
        with self.changed:
            assert self.changed.wait_for(lambda: sum(text in line for line in self.lines) >= count, timeout=30), "\n".join(
                self.lines[-40:]
            )


def until(happened: Callable[[], bool], seconds: float = 20) -> None:
    """Ask again and again until something has happened, with pauses that leave the processor to what is waited for."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        pause.wait(0.02)


def workers_of(pid: int) -> list[int]:
    """Processes that run the function below a process."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == pid and b"lambda_runtime" in (entry / "cmdline").read_bytes():
                    found.append(int(entry.name))
    return found


BUDGETED = "budgeted"
"""A consumer that the tests' gateways have besides those of cdk.json."""

BUDGETED_PLAN = {"tokens_per_month": 1_000_000, "models": ["gpt-4", "claude-*"]}


def synthesize(directory: Path) -> Path:
    """Run `app.py` without the CDK CLI, with one consumer more who has limits."""
    block = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]["ai-gateway"]
    block["plans"][BUDGETED] = BUDGETED_PLAN
    block["consumers"][BUDGETED] = BUDGETED
    environment = {**ENVIRONMENT, "CDK_OUTDIR": str(directory), "CDK_CONTEXT_JSON": json.dumps({"ai-gateway": block})}
    subprocess.run([sys.executable, "app.py"], cwd=ROOT, env=environment, check=True)
    return directory


def runtime_directory(scratch: Path) -> Path:
    """The user's session directory of a gateway that runs in a scratch directory."""
    return scratch.with_name(f"{scratch.name}-session")


@contextmanager
def running(assembly: Path, *options: str, scratch: Path, environment: dict[str, str] | None = None) -> Iterator[LocalGateway]:
    """Start the command, and stop it afterwards if it still runs."""
    ready = scratch / "ready.json"
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "gateway_cli",
            "local",
            "--assembly",
            str(assembly),
            "--port=0",
            f"--ready-file={ready}",
            *options,
        ],
        cwd=ROOT,
        # With a session directory of its own: gateways of tests are not what `--local` is to find on this machine.
        env={**ENVIRONMENT, "TMPDIR": str(scratch), "XDG_RUNTIME_DIR": str(runtime_directory(scratch)), **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    lines: list[str] = []
    changed = threading.Condition()
    ended: list[bool] = []

    def read() -> None:
        assert process.stdout
        for line in process.stdout:
            with changed:
                lines.append(line.rstrip("\n"))
                changed.notify_all()
        with changed:
            ended.append(True)
            changed.notify_all()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        with changed:
            changed.wait_for(lambda: ended or any(line.startswith("Serving") for line in lines), timeout=START_SECONDS)
        assert ready.exists(), "the gateway did not start:\n" + "\n".join(lines)
        yield LocalGateway(process, lines, json.loads(ready.read_text()), changed)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        finally:
            process.kill()
            reader.join(30)
            process.stdout.close()
