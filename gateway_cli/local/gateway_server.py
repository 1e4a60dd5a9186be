"""Puts deployed REST APIs on ports of this machine."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Mapping
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
from gateway_cli.local.rotation import prepare_rotation
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
    _served: dict[str, RestApi] = field(default_factory=dict)
    """By id."""
    _keys: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """Key values by consumer, by the API's id."""
    _filled: dict[str, set[str]] = field(default_factory=dict)
    """Names of the upstreams whose secrets have been looked after, by the function's name."""

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
        self._served[api.api_id], self._keys[api.api_id] = api, keys
        versions = {target: await asyncio.to_thread(self._versions, api, *target) for target in _targets(api)}
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

    async def follow(self, api: RestApi) -> None:
        """Take over what a deployment has changed. New versions need nothing: the alias tells of them.

        Args:
            api: the API as it is now.
        """
        before = self._served.get(api.api_id)
        if before is None:
            self.output.notice(f"the gateway {api.label} is new; start again to have it served")
            return
        if api != before:
            self.output.notice(f"{api.label}: routes, authorizer or their limits have changed; start again to have them served")
            self._served[api.api_id] = api
        for name, _ in _targets(api):
            await asyncio.to_thread(self._fill_secrets, api, name)
        keys, _ = await asyncio.to_thread(consumer_keys, self.emulator.client("apigateway", region=api.region), api)
        for consumer in keys.keys() - self._keys[api.api_id].keys():
            self.output.notice(f"{api.label} has the consumer {consumer} now, with the key {keys[consumer]}")
        self._keys[api.api_id] = keys

    async def stop(self) -> None:
        """Close the ports. An answer under way is cut off."""
        for runner in self._runners:
            await runner.cleanup()

    def _fill_secrets(self, api: RestApi, name: str) -> dict[str, str]:
        """Put keys into the secrets of the newest code's upstreams, once: what the operator has staged since stays."""
        function = self.emulator.client("lambda", region=api.region).get_function(FunctionName=name)
        configuration = function["Configuration"]
        directory = self.code.directory(configuration["CodeSha256"], function["Code"]["Location"])
        filled = self._filled.setdefault(name, set())
        new = [upstream for upstream in read_upstreams(directory) if upstream.name not in filled]
        filled |= {upstream.name for upstream in new}
        replaced = fill_secrets(
            self.emulator.client("secretsmanager", region=api.region),
            self.plan,
            new,
            (configuration.get("Environment") or {}).get("Variables", {}),
            self.output,
        )
        config = read_config(directory)
        if config:
            prepare_rotation(self.emulator, api, self.plan, config, self.output)
        return replaced

    def _versions(self, api: RestApi, name: str, qualifier: str | None) -> Versions:
        overrides = self._fill_secrets(api, name)
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


def _targets(api: RestApi) -> set[tuple[str, str | None]]:
    """Name and qualifier of each function behind an API."""
    integrations = [method.integration for method in api.methods if isinstance(method.integration, LambdaIntegration)]
    return {(integration.function_name, integration.qualifier) for integration in integrations}


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
