"""The configuration of the gateway that is run."""

from __future__ import annotations

from lambda_runtime.config import (
    ANTHROPIC_OPERATIONS,
    OPENAI_OPERATIONS,
    AuthStyle,
    Endpoint,
    GatewayConfig,
    ModelRoute,
    Timeouts,
    UpstreamConfig,
)
from tests.soak.asks import MODELS, ROUTES

LIMIT = 2.0
"""Seconds of every time-out: longer than a machine with nothing else to do lets a well upstream wait."""

BUSY_LIMIT = 20.0
"""The same on a machine that others use: no fault is played that lasts until it is over."""

HEARTBEAT = 0.5

WRAPPER = "soak-wrapper"
"""File of the function that is called in place of its own wrapper."""


def _upstream(name: str, url: str, *, chat: bool = True, messages: bool = True) -> UpstreamConfig:
    endpoints = []
    if chat:
        endpoints.append(Endpoint(base_url=url + "/v1", auth=AuthStyle.BEARER, operations=OPENAI_OPERATIONS))
    if messages:
        endpoints.append(Endpoint(base_url=url, auth=AuthStyle.X_API_KEY, operations=ANTHROPIC_OPERATIONS))
    return UpstreamConfig(name=name, endpoints=tuple(endpoints))


def config(url: str, limit: float = LIMIT) -> GatewayConfig:
    """The gateway's configuration.

    Args:
        url: of the upstreams.
        limit: seconds of every time-out. Default: 2.
    """
    return GatewayConfig(
        upstreams=(
            _upstream("alpha", f"{url}/alpha"),
            _upstream("beta", f"{url}/beta"),
            _upstream("gamma", f"{url}/gamma", messages=False),
            _upstream("delta", f"{url}/delta", chat=False),
            _upstream("gone", "http://127.0.0.1:1"),
        ),
        models={
            f"{route}-{number}": ModelRoute(
                [f"{upstream}/m{number}" for upstream in upstreams], delivery="whole" if route == "whole" else "streamed"
            )
            for route, upstreams in ROUTES.items()
            for number in range(MODELS)
        },
        timeouts=Timeouts(
            connect=limit,
            first_content=limit,
            first_content_reasoning=limit,
            idle=limit,
            unstreamed=limit,
            heartbeat=HEARTBEAT,
        ),
    )
