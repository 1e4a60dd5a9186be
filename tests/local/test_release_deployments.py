"""Deployments of a gateway with a canary release into the embedded AWS: what each does to the alias, above all one that fails.

The custom resources' function and the state machine run there for real. Nothing serves requests.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CustomResource, Duration, Stack

from gateway_cli.console import Output
from gateway_cli.local.assembly import Stack as DeployableStack
from gateway_cli.local.assembly import read_assembly
from gateway_cli.local.deployment import Deployer
from gateway_cli.local.emulator import Emulator
from gateway_cli.local.errors import LocalGatewayError
from gateway_construct import AiGateway, AllAtOnce, Canary, Upstream
from gateway_construct.release import Release
from tests.local_gateway import until

pytestmark = [pytest.mark.local, pytest.mark.template]

CANARY = Canary(weight=0.05, bake=Duration.hours(48))
Serving = tuple[str, dict[str, float]]


class Account:
    """An embedded account with one stack."""

    def __init__(self, emulator: Emulator, directory: Path) -> None:
        self._deployer = Deployer(emulator)
        self._directory = directory
        self._count = 0
        self._lambda = emulator.client("lambda")
        self._sfn = emulator.client("stepfunctions")

    def deploy(self, *models: str, release: Release = CANARY, failing: bool = False) -> None:
        """Deploy the gateway with these names in its model map, which makes a version for each set of names.

        Args:
            models: the names.
            release: its kind.
            failing: whether a resource fails that comes after everything of the gateway.
        """
        stack = self._synthesize(models, release, failing=failing)
        if self._deployer.stands(stack):
            self._deployer.update(stack)
        else:
            self._deployer.deploy(stack)

    def _synthesize(self, models: tuple[str, ...], release: Release, *, failing: bool) -> DeployableStack:
        self._count += 1
        app = App(outdir=str(self._directory / str(self._count)), analytics_reporting=False)
        stack = Stack(app, "AiGateway")
        gateway = AiGateway(
            stack,
            "Gateway",
            upstreams=[Upstream.openai()],
            models={model: ["openai/gpt-4.1"] for model in models},
            release=release,
        )
        if failing:
            function = gateway.node.find_child("Function").node.find_child("Release").node.find_child("Function")
            # The function knows no such type, and tells CloudFormation that it has failed.
            unknown = CustomResource(stack, "Fails", service_token=function.function_arn, resource_type="Custom::Unknown")  # type: ignore[attr-defined]
            unknown.node.add_dependency(gateway)
        app.synth()
        (found,) = read_assembly(Path(app.outdir))
        return found

    @property
    def serving(self) -> Serving:
        """The alias: its version, and the weights of others."""
        for function in self._lambda.list_functions()["Functions"]:
            for alias in self._lambda.list_aliases(FunctionName=function["FunctionName"])["Aliases"]:
                return alias["FunctionVersion"], (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        raise AssertionError("there is no alias")

    def serves(self, *expected: Any) -> None:
        """Wait until the alias is like this."""
        until(lambda: self.serving == expected)

    def running(self) -> list[dict[str, Any]]:
        """Inputs of the releases that are under way."""
        return [
            json.loads(self._sfn.describe_execution(executionArn=execution["executionArn"])["input"])
            for machine in self._sfn.list_state_machines()["stateMachines"]
            for execution in self._sfn.list_executions(stateMachineArn=machine["stateMachineArn"], statusFilter="RUNNING")[
                "executions"
            ]
        ]

    def promote(self, version: str) -> None:
        """End the release under way, as the state machine does at its end."""
        for machine in self._sfn.list_state_machines()["stateMachines"]:
            for execution in self._sfn.list_executions(stateMachineArn=machine["stateMachineArn"], statusFilter="RUNNING")[
                "executions"
            ]:
                self._sfn.stop_execution(executionArn=execution["executionArn"])
        name = next(
            function["FunctionName"]
            for function in self._lambda.list_functions()["Functions"]
            if self._lambda.list_aliases(FunctionName=function["FunctionName"])["Aliases"]
        )
        self._lambda.update_alias(
            FunctionName=name, Name="live", FunctionVersion=version, RoutingConfig={"AdditionalVersionWeights": {}}
        )


@asynccontextmanager
async def embedded(directory: Path) -> AsyncIterator[Account]:
    emulator = await Emulator.start(account="000000000000", region="us-east-1", directory=directory, output=Output())
    try:
        yield Account(emulator, directory)
    finally:
        await emulator.stop()


@pytest.fixture
def in_account(tmp_path: Path) -> Callable[[Callable[[Account], None]], None]:
    """Runs a test's steps in an account of their own."""

    def run(steps: Callable[[Account], None]) -> None:
        async def main() -> None:
            async with embedded(tmp_path) as account:
                await asyncio.to_thread(steps, account)

        asyncio.run(main())

    return run


Run = Callable[[Callable[[Account], None]], None]


def test_deployments_begin_replace_and_keep_canaries(in_account: Run) -> None:
    def steps(account: Account) -> None:
        account.deploy("a")
        account.serves("1", {})
        until(lambda: account.running() == [])
        account.deploy("b")
        account.serves("1", {"2": 0.05})
        # The stable side stays, the canary is another one.
        account.deploy("c")
        account.serves("1", {"3": 0.05})
        assert account.running() == [{"version": "3", "stable": "1", "replaced": "2"}]
        # Nothing of the function has changed.
        account.deploy("c", release=Canary(weight=0.05, bake=Duration.hours(48), alarms=()))
        assert account.serving == ("1", {"3": 0.05})
        account.promote("3")
        account.deploy("d")
        account.serves("3", {"4": 0.05})

    in_account(steps)


def test_a_failed_update_leaves_the_alias_as_it_was(in_account: Run) -> None:
    def steps(account: Account) -> None:
        account.deploy("a")
        account.serves("1", {})
        account.deploy("b")
        account.serves("1", {"2": 0.05})
        account.promote("2")
        # Far from what the template has said at first, which CloudFormation must not bring back.
        with pytest.raises(LocalGatewayError):
            account.deploy("c", failing=True)
        account.serves("2", {})
        until(lambda: account.running() == [])
        account.deploy("d")
        until(lambda: account.serving[0] == "2" and account.serving[1] != {})
        (canary,) = account.serving[1]
        # With a canary under way, that one goes on.
        with pytest.raises(LocalGatewayError):
            account.deploy("e", failing=True)
        account.serves("2", {canary: 0.05})
        until(lambda: [told["version"] for told in account.running()] == [canary])

    in_account(steps)


def test_a_gateway_changes_its_kind_of_release(in_account: Run) -> None:
    def steps(account: Account) -> None:
        account.deploy("a", release=AllAtOnce())
        account.deploy("b", release=AllAtOnce())
        assert account.serving == ("2", {})
        account.deploy("c")
        account.serves("2", {"3": 0.05})
        account.promote("3")
        account.deploy("d", release=AllAtOnce())
        account.serves("4", {})

    in_account(steps)


def test_a_first_canary_whose_deployment_fails_keeps_no_share(in_account: Run) -> None:
    def steps(account: Account) -> None:
        account.deploy("a", release=AllAtOnce())
        with pytest.raises(LocalGatewayError):
            account.deploy("b", failing=True)
        account.serves("1", {})
        assert account.running() == []

    in_account(steps)


def test_a_canary_ends_with_its_kind_of_release(in_account: Run) -> None:
    def steps(account: Account) -> None:
        account.deploy("a")
        account.deploy("b")
        account.serves("1", {"2": 0.05})
        account.deploy("c", release=AllAtOnce())
        account.serves("3", {})

    in_account(steps)
