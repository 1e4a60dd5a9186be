"""Which upstream serves a requested model, and under which name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from lambda_runtime.config import Endpoint, GatewayConfig, Operation, UpstreamConfig
from lambda_runtime.errors import ModelNotFoundError
from lambda_runtime.log import bounded

MAX_NAMES = 20
"""Models that an error message names."""


class Served(NamedTuple):
    """Where a request goes.

    Args:
        upstream: the upstream.
        endpoint: the one of its endpoints that serves the operation.
        model: the name the upstream knows the model by.
    """

    upstream: UpstreamConfig
    endpoint: Endpoint
    model: str


class ModelMap:
    """Resolves model names.

    Args:
        config: the gateway's.
        listed: names that the upstreams are known to list, as far as they are cached; never asks an upstream.
    """

    def __init__(self, config: GatewayConfig, listed: Callable[[], Iterable[str]] = tuple) -> None:
        self._config = config
        self._listed = listed

    def resolve(self, model: str, operation: Operation) -> Served:
        """The first target that serves the operation; for an unmapped model the first upstream that does, under the same name.

        Raises:
            ModelNotFoundError: if there is none; it names models that exist.
        """
        for upstream, name in self._candidates(model):
            endpoint = upstream.endpoint_for(operation)
            if endpoint is not None:
                return Served(upstream, endpoint, name)
        raise ModelNotFoundError(self._not_found(model, operation), param="model")

    def _candidates(self, model: str) -> Iterable[tuple[UpstreamConfig, str]]:
        """Upstreams that may have the model, in order, each with its own name for it."""
        targets = self._config.models.get(model)
        if targets is not None:
            return ((self._config.upstream(target.upstream), target.model) for target in targets)
        return ((upstream, model) for upstream in self._config.upstreams) if self._config.serve_unmapped_models else ()

    def _not_found(self, model: str, operation: Operation) -> str:
        if not any(upstream.endpoint_for(operation) for upstream in self._config.upstreams):
            served = sorted({o.route for u in self._config.upstreams for e in u.endpoints for o in e.operations})
            return f"no upstream of this gateway serves {operation.route}; they serve {', '.join(served)}"
        targets = self._config.models.get(model)
        if targets is not None:
            names = ", ".join(dict.fromkeys(target.upstream for target in targets))
            reason = (
                f"the model {bounded(model)!r} is not served by {operation.route}: its upstreams ({names}) do not offer that"
            )
        else:
            reason = f"the model {bounded(model)!r} does not exist"
        return f"{reason}; {self._existing(operation)}"

    def _existing(self, operation: Operation) -> str:
        names = [
            name
            for name, targets in self._config.models.items()
            if any(self._config.upstream(target.upstream).endpoint_for(operation) for target in targets)
        ]
        if self._config.serve_unmapped_models:
            names += self._listed()
        names = list(dict.fromkeys(names))
        if not names:
            return "no model is mapped to an upstream that does"
        more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
        return "models: " + ", ".join(names[:MAX_NAMES]) + more
