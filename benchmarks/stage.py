"""Stages the function's asset, with one upstream on loopback: `python -m benchmarks.stage DIRECTORY PORT`."""

import sys
from pathlib import Path

from gateway_construct.function_asset import stage
from lambda_runtime.config import OPENAI_OPERATIONS, AuthStyle, Endpoint, GatewayConfig, UpstreamConfig

if __name__ == "__main__":
    target, port = sys.argv[1:]
    endpoint = Endpoint(base_url=f"http://127.0.0.1:{port}/v1", auth=AuthStyle.NONE, operations=OPENAI_OPERATIONS)
    stage(Path(target), GatewayConfig(upstreams=(UpstreamConfig(name="openai", endpoints=(endpoint,)),)))
