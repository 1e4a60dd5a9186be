"""A run of the local gateway: what is started, in which order, and how all of it ends."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from function_build.bytecode import FUNCTION_PYTHON, find_function_python
from gateway_cli.console import Output
from gateway_cli.local.alarms.function_metrics import FunctionMetrics
from gateway_cli.local.alarms.watch import AlarmWatch
from gateway_cli.local.assembly import Stack, read_assembly
from gateway_cli.local.assembly_watch import AssemblyWatch
from gateway_cli.local.deployment import DeployedStack, Deployer
from gateway_cli.local.emulator import Emulator
from gateway_cli.local.errors import LocalGatewayError
from gateway_cli.local.gateway_server import GatewayServer, require_free
from gateway_cli.local.processes import ToolProcess
from gateway_cli.local.ready import print_ready, write_ready_file
from gateway_cli.local.redeployment import Redeployment
from gateway_cli.local.rest_api_reader import read_rest_apis
from gateway_cli.local.stand_in import StandIn
from gateway_cli.local.upstreams import UpstreamPlan, read_upstreams
from gateway_cli.local.versions import CodeStore
from gateway_cli.local.worker_pool import WorkerPool
from gateway_cli.running import noted
from lambda_runtime.config import CONFIG_FILE


@dataclass(kw_only=True, slots=True)
class LocalSession:
    """One run. `start` builds it up, `stop` takes down whatever stands, also after a `start` that failed or was cancelled.

    Args: the options of the command, and an existing directory for everything that ends with the run.
    """

    assembly: Path
    port: int
    stacks: tuple[str, ...]
    stand_in: bool
    workers: int
    ready_file: Path | None
    watch: bool
    scratch: Path
    output: Output
    _resources: AsyncExitStack = field(default_factory=AsyncExitStack)
    _tools: list[ToolProcess] = field(default_factory=list)
    _chores: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    async def start(self) -> None:
        """Deploy the assembly and serve its gateways.

        Raises:
            LocalGatewayError: if that cannot be done.
        """
        assembly = AssemblyWatch(self.assembly)
        stacks = self._selected(read_assembly(self.assembly))
        if self.port:
            require_free(self.port)
        python = await self._function_python()
        plan = UpstreamPlan(environment=os.environ, stand_in=self.stand_in, scratch=self.scratch)
        stand_in = await self._start_stand_in(plan, stacks)
        emulator = await self._start_emulator(stacks[0])
        deployer = Deployer(emulator)
        deployed = [await self._deploy(deployer, stack) for stack in stacks]
        nested = await asyncio.to_thread(lambda: [inner for stack in deployed for inner in deployer.nested(stack)])
        apis = [api for stack in [*deployed, *nested] for api in read_rest_apis(stack)]
        if not apis:
            raise LocalGatewayError(
                f"no gateway in the template of {', '.join(stack.name for stack in stacks)}: "
                "none of them has a REST API in front of an AiGateway's function"
            )
        metrics = FunctionMetrics()
        regions = {stack.region for stack in stacks}
        alarms = AlarmWatch(
            client=lambda service, region: emulator.client(service, region=region),
            regions=regions,
            store=metrics.store,
            output=self.output,
        )
        self._chores.append(alarms.run)
        pool = WorkerPool(python=python, limit=self.workers, output=self.output, metrics=metrics)
        self._resources.push_async_callback(pool.stop)
        code = CodeStore(directories=deployer.code_directories, scratch=self.scratch, prepare=plan.prepare)
        if stand_in:
            await stand_in.ready()
        server = GatewayServer(emulator=emulator, code=code, plan=plan, pool=pool, output=self.output)
        self._resources.push_async_callback(server.stop)
        if self.watch:
            again = Redeployment(
                read=lambda: self._selected(read_assembly(self.assembly)),
                watch=assembly,
                deployer=deployer,
                server=server,
                output=self.output,
            )
            self._chores.append(again.run)
        served = [await server.serve(api, self.port + index if self.port else 0) for index, api in enumerate(apis)]
        if self.ready_file:
            write_ready_file(self.ready_file, served, emulator.endpoint_url, emulator.region)
            self._resources.callback(self.ready_file.unlink, missing_ok=True)
        try:
            labels, urls = [found.label for found in served], [found.anthropic_base_url for found in served]
            self._resources.enter_context(noted(emulator.endpoint_url, emulator.region, labels, urls))
        except OSError as error:
            self.output.notice(f"operators' commands will not find this gateway by --local: {error}")
        print_ready(served, emulator.endpoint_url, emulator.region, self.output)

    async def serve(self) -> None:
        """Go on for as long as everything that was started does.

        Raises:
            LocalGatewayError: if one of the tools has ended, without which every request would fail.
        """
        watches = [asyncio.create_task(tool.ended()) for tool in self._tools]
        chores = [asyncio.ensure_future(chore()) for chore in self._chores]
        try:
            done, _ = await asyncio.wait([*watches, *chores], return_when=asyncio.FIRST_COMPLETED)
            # A chore never returns: that it is over means that it has failed.
            raise LocalGatewayError(str(next(iter(done)).result()))
        finally:
            for task in (*watches, *chores):
                task.cancel()
            await asyncio.wait(chores)

    async def stop(self) -> None:
        """End everything that was started, last first."""
        await self._resources.aclose()

    def _selected(self, stacks: list[Stack]) -> list[Stack]:
        names = [stack.name for stack in stacks]
        if not stacks:
            raise LocalGatewayError(f"the cloud assembly at {str(self.assembly)!r} has no stack")
        for wanted in self.stacks:
            if wanted not in names:
                raise LocalGatewayError(f"there is no stack {wanted!r}; the assembly has: {', '.join(names)}")
        return [stack for stack in stacks if not self.stacks or stack.name in self.stacks]

    async def _function_python(self) -> str:
        found = await asyncio.to_thread(find_function_python)
        if found:
            return found
        wanted, own = (".".join(map(str, version[:2])) for version in (FUNCTION_PYTHON, sys.version_info))
        self.output.notice(f"no Python {wanted} on this machine, which Lambda would run; the function runs on {own}")
        return sys.executable

    async def _start_stand_in(self, plan: UpstreamPlan, stacks: list[Stack]) -> StandIn | None:
        directories = {asset.path for stack in stacks for asset in stack.assets if (asset.path / CONFIG_FILE).is_file()}
        if not plan.needs_stand_in(directories):
            return None
        stand_in = await StandIn.start(directory=self.scratch, output=self.output)
        self._resources.push_async_callback(stand_in.stop)
        self._tools.append(stand_in.process)
        plan.stand_in_url = stand_in.url
        names = sorted({u.name for directory in directories for u in read_upstreams(directory) if plan.is_stood_in(u)})
        variables = ", ".join(f"{name.upper().replace('-', '_')}_API_KEY" for name in names)
        self.output.notice(f"a stand-in answers for {', '.join(names)}; for the real ones set {variables}")
        return stand_in

    async def _start_emulator(self, first: Stack) -> Emulator:
        emulator = await Emulator.start(account=first.account, region=first.region, directory=self.scratch, output=self.output)
        self._resources.push_async_callback(emulator.stop)
        self._tools.append(emulator.process)
        return emulator

    async def _deploy(self, deployer: Deployer, stack: Stack) -> DeployedStack:
        with self.output.step(f"Deploying {stack.display_name} into the embedded AWS"):
            deployed = await asyncio.to_thread(deployer.deploy, stack)
        for sentence in deployed.left_out:
            self.output.notice(sentence)
        return deployed
