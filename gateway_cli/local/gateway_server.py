"""Puts deployed REST APIs on ports of this machine."""

from __future__ import annotations

import asyncio
import errno
import socket
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from gateway_cli.console import Output
from gateway_cli.local.answer import FunctionError
from gateway_cli.local.consumers import consumer_keys
from gateway_cli.local.emulator import Emulator
from gateway_cli.local.errors import LocalGatewayError
from gateway_cli.local.front import Front
from gateway_cli.local.http_server import http_runner
from gateway_cli.local.keys import KeyDirectory
from gateway_cli.local.ready import ServedGateway
from gateway_cli.local.rest_api_model import LambdaIntegration, RestApi
from gateway_cli.local.upstreams import UpstreamPlan, fill_secrets, read_config, read_upstreams
from gateway_cli.local.versions import CodeStore, Versions
from gateway_cli.local.worker_pool import WorkerPool
from lambda_runtime.config import TABLE_VARIABLE

_EXAMPLE_MODELS = ("gpt-4.1", "claude-sonnet-4.5")


@dataclass(kw_only=True, slots=True)
class GatewayServer:
    """Serves REST APIs, each on a port of its own.

    Args:
        emulator: where they are deployed.
        code: the functions' code.
        plan: who answers for which upstream.
        pool: runs the functions.
        output: takes progress, requests and failures.
    """

    emulator: Emulator
    code: CodeStore
    plan: UpstreamPlan
    pool: WorkerPool
    output: Output
    _runners: list[web.AppRunner] = field(default_factory=list)

    async def serve(self, api: RestApi, port: int) -> ServedGateway:
        """Serve an API on 127.0.0.1.

        Args:
            api: the API.
            port: its port; 0 takes a free one.

        Raises:
            LocalGatewayError: if the port is taken or the function's code is not to be had.
        """
        apigateway = self.emulator.client("apigateway", region=api.region)
        keys, made = await asyncio.to_thread(consumer_keys, apigateway, api)
        integrations = {method.integration for method in api.methods if isinstance(method.integration, LambdaIntegration)}
        versions = {
            target: await asyncio.to_thread(self._versions, api, *target)
            for target in {(integration.function_name, integration.qualifier) for integration in integrations}
        }
        front = Front(api, versions=versions, pool=self.pool, keys=KeyDirectory(apigateway), output=self.output)
        with self.output.step(f"Starting the gateway {api.label}"):
            functions = [await version.choose() for version in versions.values()]
            for function in functions:
                try:
                    await self.pool.warm(function)
                except FunctionError as error:
                    self.output.error(f"every request will fail until this is mended: {error}")
            origin = await self._listen(front, port)
        return ServedGateway(
            label=api.label,
            origin=origin,
            stage=api.stage,
            keys=keys,
            key_made=made,
            models=_example_models(functions[0].directory),
            has_table=any(TABLE_VARIABLE in function.environment for function in functions),
        )

    async def stop(self) -> None:
        """Close the ports. An answer under way is cut off."""
        for runner in self._runners:
            await runner.cleanup()

    def _versions(self, api: RestApi, name: str, qualifier: str | None) -> Versions:
        function = self.emulator.client("lambda", region=api.region).get_function(FunctionName=name)
        configuration = function["Configuration"]
        directory = self.code.directory(configuration["CodeSha256"], function["Code"]["Location"])
        overrides = fill_secrets(
            self.emulator.client("secretsmanager", region=api.region),
            self.plan,
            read_upstreams(directory),
            (configuration.get("Environment") or {}).get("Variables", {}),
            self.output,
        )
        return Versions(
            self.emulator,
            self.code,
            function_name=name,
            qualifier=qualifier,
            region=api.region,
            overrides=overrides,
            output=self.output,
        )

    async def _listen(self, front: Front, port: int) -> str:
        runner = http_runner(front.handle, self.output)
        await runner.setup()
        self._runners.append(runner)
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
        except OSError as error:
            raise _in_use(port, error) from error
        return f"http://127.0.0.1:{runner.addresses[0][1]}"


def require_free(port: int) -> None:
    """Check a port before everything else is started for nothing.

    Raises:
        LocalGatewayError: if something listens on it.
    """
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise _in_use(port, error) from error


def _in_use(port: int, error: OSError) -> LocalGatewayError:
    reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be taken ({error.strerror})"
    return LocalGatewayError(f"port {port} {reason}; name another one with --port, or --port 0 for any free one")


def _example_models(directory: Path) -> tuple[str, str]:
    """Model names for the printed examples: what the gateway maps, or else names that the providers know."""
    config = read_config(directory)
    models = config.models if config else ()
    chat = next((model for model in models if model.startswith("gpt")), _EXAMPLE_MODELS[0])
    return chat, next((model for model in models if "claude" in model), _EXAMPLE_MODELS[1])
