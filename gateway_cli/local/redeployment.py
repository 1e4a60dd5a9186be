"""Deploys an assembly that was written anew into the embedded AWS of the running gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from gateway_cli.console import Output
from gateway_cli.local.assembly import Stack
from gateway_cli.local.assembly_watch import AssemblyWatch
from gateway_cli.local.deployment import DeployedStack, Deployer
from gateway_cli.local.errors import LocalGatewayError
from gateway_cli.local.gateway_server import GatewayServer
from gateway_cli.local.rest_api_reader import read_rest_apis


@dataclass(frozen=True, kw_only=True, slots=True)
class Redeployment:
    """What happens after each synth.

    Args:
        read: the assembly's stacks, as far as they are deployed here.
        watch: notices a new assembly.
        deployer: has deployed the stacks.
        server: serves their gateways.
        output: is told.
    """

    read: Callable[[], list[Stack]]
    watch: AssemblyWatch
    deployer: Deployer
    server: GatewayServer
    output: Output

    async def run(self) -> None:
        """Deploy each new assembly until it is cancelled. One that cannot be deployed is told of; what stands goes on."""
        while True:
            await self.watch.changed()
            try:
                for stack in self.read():
                    await self._redeploy(stack)
            except LocalGatewayError as error:
                self.output.error(f"not deployed: {error}")
            except (BotoCoreError, ClientError) as error:
                self.output.error(f"not deployed: the embedded AWS does not answer as expected: {error}")

    async def _redeploy(self, stack: Stack) -> None:
        if not self.deployer.stands(stack):
            self.output.notice(f"the stack {stack.name} is new; start again to have it deployed and served")
            return
        with self.output.step(f"Deploying {stack.display_name} again"):
            deployed = await asyncio.to_thread(self.deployer.update, stack)
        if deployed is None:
            self.output.line(f"{stack.display_name} has no changes.")
            return
        for sentence in deployed.left_out:
            self.output.notice(sentence)
        nested: list[DeployedStack] = await asyncio.to_thread(self.deployer.nested, deployed)
        for api in [api for each in (deployed, *nested) for api in read_rest_apis(each)]:
            await self.server.follow(api)
        self.output.line(f"{stack.display_name} is deployed.")
