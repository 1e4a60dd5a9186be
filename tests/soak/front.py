"""The local gateway's front and its workers: `python -m tests.soak.front DIRECTORY WORKERS LINES URLS`.

Key check, authorizer, worker pool and Runtime API are those of `ai-gateway local`; only what it reads from the embedded AWS is
given here: routes, keys, and the function with its environment. Prints its port, and ends with its input.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from aiohttp import web
from rich.console import Console

from function_build.bytecode import find_function_python
from gateway_cli.console import Output
from gateway_cli.local.front import Front
from gateway_cli.local.http_server import http_runner
from gateway_cli.local.keys import ApiKey, UsagePlan
from gateway_cli.local.rest_api_model import AuthorizerModel, LambdaIntegration, Method, RestApi
from gateway_cli.local.worker import WRAPPER_VARIABLE, FunctionVersion
from gateway_cli.local.worker_pool import WorkerPool
from lambda_runtime.config import TABLE_VARIABLE
from tests.soak import table_service
from tests.soak.asks import CONSUMERS, key_of
from tests.soak.configuration import WRAPPER, config
from tests.soak.secret_service import ARN

ROOT = Path(__file__).resolve().parents[2]
_TARGET = ("gateway", "live")
_SECONDS = 60.0
_ROUTES = ("/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1/embeddings")


class _Keys:
    """The consumers' keys."""

    def __init__(self) -> None:
        plan = UsagePlan(id="plan", stages=frozenset({("api", "prod")}), throttle=None, quota=None)
        self._keys = {
            key_of(name): ApiKey(id=name, name=name, value=key_of(name), enabled=True, plans=(plan,)) for name in CONSUMERS
        }

    async def find(self, value: str) -> ApiKey | None:
        return self._keys.get(value)


class _OneVersion:
    """The only version there is."""

    def __init__(self, function: FunctionVersion) -> None:
        self._function = function

    async def choose(self) -> FunctionVersion:
        return self._function


def _api() -> RestApi:
    authorizer = AuthorizerModel(
        handler="index.handler", directory=ROOT / "lambda_runtime" / "authorizer", identity_sources=(), ttl=0
    )
    integration = LambdaIntegration(function_name=_TARGET[0], qualifier=_TARGET[1], timeout=_SECONDS, streaming=True)
    return RestApi(
        label="Soak/Gateway",
        api_id="api",
        stage="prod",
        account="000000000000",
        region="eu-west-1",
        methods=tuple(
            Method(
                resource_id=route,
                resource=route,
                http_method="POST",
                integration=integration,
                api_key_required=True,
                authorizer=authorizer,
            )
            for route in _ROUTES
        ),
        key_from_authorizer=True,
    )


def _function(directory: Path, lines: str, urls: dict[str, str]) -> FunctionVersion:
    return FunctionVersion(
        name=_TARGET[0],
        version="1",
        arn="arn:aws:lambda:eu-west-1:000000000000:function:gateway:live",
        directory=directory,
        environment={
            "PATH": os.environ["PATH"],
            WRAPPER_VARIABLE: f"/var/task/{WRAPPER}",
            "SOAK_LINES": lines,
            "_HANDLER": "lambda_runtime.handler.handler",
            "AWS_REGION": "eu-west-1",
            "AWS_SECRET_ACCESS_KEY": "s",
            "AWS_ENDPOINT_URL_DYNAMODB": urls["table"],
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": urls["secrets"],
            TABLE_VARIABLE: table_service.NAME,
            **{upstream.secret_variable: ARN + upstream.name for upstream in config(urls["upstreams"]).upstreams},
        },
        timeout=_SECONDS,
    )


async def _serve(function: FunctionVersion, workers: int) -> None:
    output = Output(console=Console(file=sys.stderr, width=500))
    pool = WorkerPool(python=find_function_python() or sys.executable, limit=workers, output=output)
    front = Front(
        _api(),
        versions={_TARGET: _OneVersion(function)},  # type: ignore[dict-item]
        pool=pool,
        keys=_Keys(),  # type: ignore[arg-type]
        output=output,
    )
    runner = http_runner(front.handle, output)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        await pool.warm(function)
        sys.stdout.write(f"{runner.addresses[0][1]}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
    finally:
        await runner.cleanup()
        await pool.stop()


def main() -> None:
    """Serve until the input ends."""
    directory, workers, lines, urls = sys.argv[1:]
    asyncio.run(_serve(_function(Path(directory), lines, json.loads(urls)), int(workers)))


if __name__ == "__main__":
    main()
