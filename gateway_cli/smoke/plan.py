"""What of a gateway is asked: which models, and each in which formats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lambda_runtime.config import GatewayConfig, Operation, Target

_BOTH = (Operation.CHAT_COMPLETIONS, Operation.MESSAGES)
_EMBEDDING = "embed"


@dataclass(frozen=True, slots=True)
class Planned:
    """A model and what it is asked for.

    Args:
        model: by the name that clients use.
        operation: what is asked for.
    """

    model: str
    operation: Operation

    @property
    def streams(self) -> tuple[bool, ...]:
        """Whether it is asked for the answer as a whole, as a stream, or both."""
        return (False,) if self.operation is Operation.EMBEDDINGS else (False, True)


def planned(models: Sequence[str], configurations: Sequence[GatewayConfig]) -> list[Planned]:
    """What the models are asked for: each in every format that it is served in, translation included.

    Args:
        models: by the names that clients use.
        configurations: of the versions that take requests; empty if they are not known.
    """
    return [Planned(model, operation) for model in models for operation in _operations(model, configurations)]


def mapped_models(configurations: Sequence[GatewayConfig]) -> list[str]:
    """The names of the model maps."""
    return list(dict.fromkeys(model for config in configurations for model in config.models))


def _operations(model: str, configurations: Sequence[GatewayConfig]) -> tuple[Operation, ...]:
    # Endpoints say what a provider serves, not what a model can: only names tell one that embeds.
    names = [model, *(target.model for config in configurations for target in _targets(model, config))]
    if any(_EMBEDDING in name.lower() for name in names):
        return (Operation.EMBEDDINGS,)
    served = {operation for config in configurations for operation in _served(model, config)}
    if not configurations or served & set(_BOTH):
        return _BOTH
    return tuple(operation for operation in (Operation.RESPONSES, Operation.EMBEDDINGS) if operation in served) or _BOTH


def _targets(model: str, config: GatewayConfig) -> Sequence[Target]:
    """What a model is mapped to; nothing if it is not."""
    route = config.models.get(model)
    return route.ordered if route else ()


def _served(model: str, config: GatewayConfig) -> set[Operation]:
    """What the upstreams serve that a model may reach."""
    upstreams = [config.upstream(target.upstream) for target in _targets(model, config)] or config.upstreams
    return {operation for upstream in upstreams for endpoint in upstream.endpoints for operation in endpoint.operations}
