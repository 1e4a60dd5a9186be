"""How many custom metrics a gateway writes: each value of a metric's dimensions is one, and paid."""

from __future__ import annotations

from lambda_runtime.config import GatewayConfig

# Requests, Errors, Duration, FirstByteLatency
_OF_REQUESTS = 4
_CRASHES = 1
# InputTokens, OutputTokens
_OF_TOKENS = 2
_CIRCUIT = 1
# RotationUnprepared, RotationFailed
_OF_ROTATIONS = 2


def metric_count(config: GatewayConfig, *, circuits: bool, versions: int, rotated: int = 0) -> int:
    """How many custom metrics a gateway writes at most.

    Args:
        config: the gateway's.
        circuits: whether circuits may open, which takes the table.
        versions: how many versions take requests at the same time.
        rotated: upstreams whose keys are rotated. Default: none.
    """
    upstreams = len(config.upstreams)
    served = {(target.upstream, model) for model, route in config.models.items() for target in route.ordered}
    # What the map does not name counts as one model of each upstream.
    models = len(served) + (upstreams if config.serve_unmapped_models else 0)
    return (
        (_OF_REQUESTS + _OF_TOKENS + _CRASHES)
        + (_OF_REQUESTS + _CRASHES) * versions
        # The one more stands for requests that reach no upstream.
        + _OF_REQUESTS * (upstreams + 1)
        + (_CIRCUIT * upstreams if circuits else 0)
        + _OF_ROTATIONS * rotated
        + _OF_TOKENS * models
    )
