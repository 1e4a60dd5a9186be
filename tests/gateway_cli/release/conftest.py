"""Gateways in the embedded AWS, as a deployment leaves them, and the commands on their releases as they are typed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway_cli.local.alarms.definitions import NAMESPACE
from gateway_cli.local.emulator import Emulator
from gateway_construct.canary_states import Share
from tests.embedded_aws import Released, embedded_aws, patient
from tests.gateway_cli.gateways import DONE, Done, call
from tests.local_gateway import until

DAY = 86_400
BAKE = 200 * DAY
FOR_LONG = (Share(0.05, BAKE), Share(0.25, 3600), Share(0.5, 3600))
"""So long that even in this hurry nothing looks at the alias before a test has ended."""


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with embedded_aws(tmp_path_factory.mktemp("embedded")) as aws:
        yield aws


class Gateway(Released):
    """A gateway whose function has three versions, of which the first is stable.

    Args:
        emulator: where it is.
        machine: whether a state machine releases its versions.
        shares: what that one gives a version.
    """

    def __init__(self, emulator: Emulator, *, machine: bool = True, shares: Sequence[Share] = FOR_LONG) -> None:
        super().__init__(emulator, shares=shares)
        self.path = f"Stack/{self.name}"
        self.arn = self.machine() if machine else ""
        tags = {"ai-gateway:api": self.path, "ai-gateway:function": self.name, "ai-gateway:release": self.arn}
        patient(emulator, "apigateway").create_rest_api(name=self.name, tags={name: tag for name, tag in tags.items() if tag})
        self.watch("3", "1")

    def watch(self, version: str, stable: str) -> None:
        """Let the alarm be about a version, as a deployment of it does."""
        metrics = [
            {"Id": id_, "MetricStat": {"Metric": {"Dimensions": [{"Name": "Version", "Value": value}]}, "Stat": "Sum"}}
            for id_, value in (("requests", version), ("stable_requests", stable))
        ]
        told = {"AlarmDescription": "", "Metrics": metrics}
        self.put_alarm(self.own, Namespace=NAMESPACE, AlarmDescription=json.dumps(told))

    def command(self, *words: str) -> Done:
        """Run a command of `ai-gateway release` on this gateway."""
        return call("release", *words, "--gateway", self.name)

    def done(self, *words: str) -> dict[str, Any]:
        """What a command that can be carried out tells scripts."""
        done = self.command(*words, "--json")
        assert done.exit_code == DONE, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document

    def refused(self, *words: str, status: int = 1) -> str:
        """What a command says that cannot be carried out, on one line. It changes nothing."""
        before = self.alias(), self.names()
        done = self.command(*words)
        assert (done.exit_code, done.stdout) == (status, "")
        assert (self.alias(), self.names()) == before
        return " ".join(done.stderr.split())

    def names(self, *statuses: str) -> list[str]:
        """The releases by name, the newest first."""
        if not self.arn:
            return []
        found = self.sfn.list_executions(stateMachineArn=self.arn)["executions"]
        return [one["name"] for one in found if not statuses or one["status"] in statuses]

    def begin(self, version: str, **told: str) -> str:
        """Start a release, and wait until the version has its first share: the execution's ARN."""
        execution = self.start(self.arn, {"version": version, "stable": "1", **told})
        until(lambda: version in self.alias()[1])
        return execution


@pytest.fixture
def typed(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Emulator:
    """Commands reach the embedded AWS, and nothing of the machine's own settings."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    settings = {
        "ENDPOINT_URL": emulator.endpoint_url,
        "REGION": "us-east-1",
        "ACCESS_KEY_ID": "test",
        "SECRET_ACCESS_KEY": "test",
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return emulator


@pytest.fixture
def gateway(typed: Emulator) -> Gateway:
    return Gateway(typed)


@pytest.fixture
def plain(typed: Emulator) -> Gateway:
    """One without a state machine: AllAtOnce, Weighted or CodeDeploy."""
    return Gateway(typed, machine=False)
