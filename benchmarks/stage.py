"""Stages the function's asset, with upstreams on loopback: `python -m benchmarks.stage DIRECTORY PORT [TLS_PORT]`."""

import sys
from pathlib import Path

from gateway_construct.function_asset import stage
from lambda_runtime.config import (
    ANTHROPIC_OPERATIONS,
    OPENAI_OPERATIONS,
    AuthStyle,
    Endpoint,
    GatewayConfig,
    ModelRoute,
    Operation,
    UpstreamConfig,
)

_NOBODY = 1
"""A port on which nobody listens."""


def _upstream(name: str, base_url: str, operations: tuple[Operation, ...] = OPENAI_OPERATIONS) -> UpstreamConfig:
    return UpstreamConfig(name=name, endpoints=(Endpoint(base_url=base_url, auth=AuthStyle.NONE, operations=operations),))


if __name__ == "__main__":
    target, port, *tls_port = sys.argv[1:]
    here = f"http://127.0.0.1:{port}"
    config = GatewayConfig(
        upstreams=(
            _upstream("openai", f"{here}/v1"),
            _upstream("failing", f"{here}/failing/v1"),
            _upstream("gone", f"http://127.0.0.1:{_NOBODY}/v1"),
            _upstream("anthropic", here, ANTHROPIC_OPERATIONS),
            _upstream("secure", f"https://localhost:{(*tls_port, _NOBODY)[0]}/v1"),
        ),
        models={
            "after-a-500": ModelRoute(["failing/gpt-4.1", "openai/gpt-4.1"]),
            "after-a-refused-connection": ModelRoute(["gone/gpt-4.1", "openai/gpt-4.1"]),
            "over-tls": ModelRoute(["secure/gpt-4.1"]),
            "translated": ModelRoute(["anthropic/claude"]),
        },
    )
    stage(Path(target), config)
