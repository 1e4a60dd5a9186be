"""The local front in this process, with a real worker pool behind it that runs the dummy function."""

from __future__ import annotations

import asyncio
import http.client
import io
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from aiohttp import web
from rich.console import Console

from gateway_cli.console import Output
from gateway_cli.local.alarms.function_metrics import FunctionMetrics
from gateway_cli.local.front import Front
from gateway_cli.local.http_server import http_runner
from gateway_cli.local.keys import ApiKey, UsagePlan
from gateway_cli.local.rest_api_model import (
    AuthorizerModel,
    GatewayResponse,
    LambdaIntegration,
    Method,
    MockIntegration,
    RestApi,
)
from gateway_cli.local.throttling import Limiter, Quota, Throttle
from gateway_cli.local.worker import FunctionVersion
from gateway_cli.local.worker_pool import WorkerPool

DUMMY = Path(__file__).parent / "dummy_function"
INTEGRATION = LambdaIntegration(function_name="dummy", qualifier="live", timeout=30.0, streaming=True)
KEY = "k" * 32


def key(value: str = KEY, *, enabled: bool = True, throttle: Throttle | None = None, quota: Quota | None = None) -> ApiKey:
    plan = UsagePlan(id="plan", stages=frozenset({("api", "prod")}), throttle=throttle, quota=quota)
    return ApiKey(id=f"id-of-{value[:4]}", name="name", value=value, enabled=enabled, plans=(plan,))


def api(authorizer: Path, *, integration: LambdaIntegration = INTEGRATION, **changes: object) -> RestApi:
    model = AuthorizerModel(handler="index.handler", directory=authorizer, identity_sources=(), ttl=0)
    common = {"integration": integration, "api_key_required": True, "authorizer": model}
    return replace(
        RestApi(
            label="Stack/Gateway",
            api_id="api",
            stage="prod",
            account="000000000000",
            region="us-east-1",
            methods=(
                Method(resource_id="1", resource="/v1/chat/completions", http_method="POST", **common),
                Method(resource_id="2", resource="/v1/models", http_method="GET", **common),
                Method(resource_id="3", resource="/v1/models/{id+}", http_method="GET", **common),
                Method(
                    resource_id="2",
                    resource="/v1/models",
                    http_method="OPTIONS",
                    integration=MockIntegration(
                        status=204,
                        headers={"Access-Control-Allow-Origin": "https://a.example"},
                        origins=("https://b.example",),
                    ),
                ),
            ),
            responses={
                "UNAUTHORIZED": GatewayResponse(templates={"application/json": '{"mine":$context.error.messageString}'})
            },
            key_from_authorizer=True,
        ),
        **changes,
    )


def function(version: str = "1", *, timeout: float = 30.0, directory: Path = DUMMY, **environment: str) -> FunctionVersion:
    return FunctionVersion(
        name="dummy",
        version=version,
        arn="arn:aws:lambda:us-east-1:000000000000:function:dummy:live",
        directory=directory,
        environment={"PATH": "/usr/bin:/bin", "AWS_LAMBDA_FUNCTION_VERSION": version, **environment},
        timeout=timeout,
    )


class Keys:
    def __init__(self, *keys: ApiKey) -> None:
        self._keys = {key.value: key for key in keys}

    async def find(self, value: str) -> ApiKey | None:
        return self._keys.get(value)


class Versions:
    """Hands out the versions in turn, the last one for ever."""

    def __init__(self, *functions: FunctionVersion) -> None:
        self._functions = list(functions)

    async def choose(self) -> FunctionVersion:
        return self._functions.pop(0) if len(self._functions) > 1 else self._functions[0]


class Reply:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.response = response
        self.status = response.status
        self.headers = response.headers

    def read(self) -> bytes:
        return self.response.read()


class Running:
    """A running front."""

    def __init__(self, port: int, printed: io.StringIO, pool: WorkerPool) -> None:
        self.port = port
        self.pool = pool
        self._printed = printed
        self._connections: list[http.client.HTTPConnection] = []

    @property
    def printed(self) -> str:
        return self._printed.getvalue()

    def ask(
        self,
        method: str = "GET",
        path: str = "/prod/v1/models",
        *,
        do: str | None = None,
        key: str | None = KEY,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Send a request; the body of its answer is still on the way."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        self._connections.append(connection)
        sent = dict(headers or {})
        if key:
            sent["Authorization"] = f"Bearer {key}"
        if do:
            sent["x-do"] = do
        connection.request(method, path, body, sent)
        return Reply(connection.getresponse())

    def close(self) -> None:
        for connection in self._connections:
            connection.close()


@contextmanager
def serving(
    rest_api: RestApi,
    *functions: FunctionVersion,
    keys: tuple[ApiKey, ...] = (key(),),
    workers: int = 4,
    limiter: Limiter | None = None,
    python: str | None = None,
    verbose: bool = False,
    metrics: FunctionMetrics | None = None,
) -> Iterator[Running]:
    """Serve an API in a thread of its own."""
    printed = io.StringIO()
    output = Output(verbose=verbose, console=Console(file=printed, width=500))
    started: list[object] = []
    up = threading.Event()

    async def main() -> None:
        import sys  # noqa: PLC0415

        pool = WorkerPool(python=python or sys.executable, limit=workers, output=output, metrics=metrics)
        front = Front(
            rest_api,
            versions={("dummy", "live"): Versions(*(functions or (function(),)))},
            pool=pool,
            keys=Keys(*keys),
            output=output,
            limiter=limiter,
        )
        runner = http_runner(front.handle, output)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        stop = asyncio.Event()
        started.extend([asyncio.get_running_loop(), stop, runner.addresses[0][1], pool])
        up.set()
        await stop.wait()
        await runner.cleanup()
        await pool.stop()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert up.wait(10)
    loop, stop, port, pool = started
    running = Running(port, printed, pool)
    try:
        yield running
    finally:
        running.close()
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
