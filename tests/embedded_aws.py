"""The embedded AWS for tests, without a local gateway, and functions whose versions are released in it."""

from __future__ import annotations

import asyncio
import io
import json
import os
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from botocore.config import Config
from rich.console import Console

from gateway_cli.aws.embedded import embedded_session
from gateway_cli.console import Output
from gateway_cli.local.emulator import Emulator
from gateway_construct.canary_states import Share, release_states, rollback_states
from tests.local_gateway import until

ALIAS = "live"
HURRY = 0.001
"""Of what its Step Functions are to wait."""

_SECONDS = 60
_numbers = count(1)


@contextmanager
def embedded_aws(directory: Path, wait_scale: float = HURRY) -> Iterator[Emulator]:
    """Run one.

    Args:
        directory: an existing one for its files.
        wait_scale: how much of what its Step Functions are to wait they wait.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        os.environ["SFN_WAIT_SCALE"] = str(wait_scale)
        quiet = Output(console=Console(file=io.StringIO()))
        start = Emulator.start(account="000000000000", region="us-east-1", directory=directory, output=quiet)
        emulator = asyncio.run_coroutine_threadsafe(start, loop).result(_SECONDS)
        try:
            yield emulator
        finally:
            asyncio.run_coroutine_threadsafe(emulator.stop(), loop).result(_SECONDS)
    finally:
        os.environ.pop("SFN_WAIT_SCALE", None)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_SECONDS)
        loop.close()


def patient(emulator: Emulator, service: str) -> Any:
    """A client that asks again where a busy machine has dropped a connection."""
    config = Config(retries={"total_max_attempts": 4, "mode": "standard"}, proxies={})
    session = embedded_session(emulator.region)
    return session.client(service, endpoint_url=emulator.endpoint_url, config=config)  # type: ignore[call-overload]


class Released:
    """A function with an alias, alarms, and what releases its versions.

    Args:
        emulator: where it is.
        versions: how many are published; the alias has the first.
        shares: what a new version gets.
    """

    def __init__(self, emulator: Emulator, *, versions: int = 3, shares: Sequence[Share] = (Share(0.05, 60),)) -> None:
        self.functions, self.sfn = patient(emulator, "lambda"), patient(emulator, "stepfunctions")
        self.cloudwatch = patient(emulator, "cloudwatch")
        self.name = f"function-{next(_numbers)}"
        self.role = "arn:aws:iam::000000000000:role/any"
        self.own, self.other = f"{self.name}-own", f"{self.name}-other"
        self.functions.create_function(
            FunctionName=self.name, Runtime="python3.13", Role=self.role, Handler="index.handler", Code={"ZipFile": _code("0")}
        )
        for _ in range(versions):
            self.publish()
        self.functions.create_alias(FunctionName=self.name, Name=ALIAS, FunctionVersion="1")
        for alarm in (self.own, self.other):
            self.put_alarm(alarm, Namespace="Any")
        self.states = release_states(
            partition="aws",
            function_name=self.name,
            alias=ALIAS,
            shares=shares,
            own_alarms=[self.own],
            alarms=[self.own, self.other],
        )

    def publish(self) -> str:
        """One more version: its number."""
        self.functions.update_function_code(FunctionName=self.name, ZipFile=_code(str(next(_numbers))))
        return str(self.functions.publish_version(FunctionName=self.name)["Version"])

    def put_alarm(self, name: str, **more: Any) -> None:
        """Make an alarm on a metric that does not exist."""
        self.cloudwatch.put_metric_alarm(
            AlarmName=name,
            MetricName="any",
            Statistic="Sum",
            Period=10,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            **more,
        )

    def machine(self, states: Mapping[str, Any] | None = None) -> str:
        """Make a state machine: its ARN. Without states it is the one that releases."""
        definition = json.dumps(states or self.states)
        name = f"machine-{next(_numbers)}"
        made = self.sfn.create_state_machine(name=name, definition=definition, roleArn=self.role)
        return str(made["stateMachineArn"])

    def rollback_states(self, release_arn: str) -> dict[str, Any]:
        return rollback_states(partition="aws", function_name=self.name, alias=ALIAS, release_arn=release_arn)

    def start(self, machine: str, told: Mapping[str, Any]) -> str:
        """Start an execution: its ARN."""
        return str(self.sfn.start_execution(stateMachineArn=machine, input=json.dumps(told))["executionArn"])

    def ended(self, execution: str) -> dict[str, Any]:
        """An execution that has come to its end, as soon as it has."""
        found: dict[str, Any] = {}

        def has_ended() -> bool:
            found.update(self.sfn.describe_execution(executionArn=execution))
            return bool(found["status"] != "RUNNING")

        until(has_ended, 60)
        return found

    def run(self, told: Mapping[str, Any], states: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Start an execution of a new state machine, and wait for its end."""
        return self.ended(self.start(self.machine(states), told))

    def outcome(self, ended: Mapping[str, Any]) -> tuple[str, str | None]:
        """Status, and what became of the version or why it failed."""
        said = json.loads(ended["output"]).get("outcome") if ended["status"] == "SUCCEEDED" else ended.get("error")
        return ended["status"], said

    def alias(self) -> tuple[str, dict[str, float]]:
        """The stable version, and the weight of others."""
        alias = self.functions.get_alias(FunctionName=self.name, Name=ALIAS)
        return alias["FunctionVersion"], (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}

    def set_alias(self, **change: Any) -> None:
        self.functions.update_alias(FunctionName=self.name, Name=ALIAS, **change)

    def set_weight(self, version: str, weight: float) -> None:
        self.set_alias(RoutingConfig={"AdditionalVersionWeights": {version: weight}})

    def ring(self, alarm: str, state: str = "ALARM") -> None:
        self.cloudwatch.set_alarm_state(AlarmName=alarm, StateValue=state, StateReason="a test says so")

    def given(self, execution: str) -> list[tuple[str, dict[str, float]]]:
        """What the alias was set to, in order: the stable version, and the weight of others."""
        events = self.sfn.get_execution_history(executionArn=execution, maxResults=1000)["events"]
        done = [event["taskSucceededEventDetails"] for event in events if event["type"] == "TaskSucceeded"]
        aliases = [json.loads(one["output"]) for one in done if one["resource"].endswith("lambda:updateAlias")]
        return [
            (one["FunctionVersion"], (one.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}) for one in aliases
        ]


def _code(text: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("index.py", f"def handler(event, context): return {text!r}")
    return archive.getvalue()
