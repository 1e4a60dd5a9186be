"""Which upstreams may serve a requested model, under which names, and in which order they are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from lambda_runtime.config import Delivery, Endpoint, GatewayConfig, ModelRoute, Operation, Target, UpstreamConfig
from lambda_runtime.errors import ModelNotFoundError
from lambda_runtime.log import bounded

MAX_NAMES = 20
"""Models that an error message names."""

MAX_PREFIXES = 5
"""Beginnings of models' names that an error message gives for one upstream."""

OTHER_FORMAT = {Operation.CHAT_COMPLETIONS: Operation.MESSAGES, Operation.MESSAGES: Operation.CHAT_COMPLETIONS}
"""What an operation can be translated to."""

_ALL = 100.0


class Candidate(NamedTuple):
    """A target that may be asked.

    Args:
        target: `upstream/model`.
        upstream: the upstream.
        endpoint: the one of its endpoints that is asked.
        operation: what it is asked for: the client's operation, or the one it is translated to.
        model: the name the upstream knows the model by.
        weight: configured percentage of requests that ask it first, or None.
        larger_context: whether it takes more input than the candidates before it.
    """

    target: str
    upstream: UpstreamConfig
    endpoint: Endpoint
    operation: Operation
    model: str
    weight: float | None = None
    larger_context: bool = False


class Routed(NamedTuple):
    """What may serve a request.

    Args:
        name: the model as the map names it; empty if it does not.
        candidates: in order of preference, at least one.
        whole: whether a stream is delivered when it is complete.
        first_content: seconds that the route gives its targets to the first content. None: the gateway's time-outs count.
    """

    name: str
    candidates: tuple[Candidate, ...]
    whole: bool
    first_content: float | None


class Router:
    """Resolves model names.

    Args:
        config: the gateway's.
        listed: names that the upstreams are known to list, as far as they are cached; never asks an upstream.
    """

    def __init__(self, config: GatewayConfig, listed: Callable[[], Iterable[str]] = tuple) -> None:
        self._config = config
        self._listed = listed
        self._known: dict[tuple[str, Operation], Routed] = {}

    def route(self, model: str, operation: Operation, allows: Callable[[str], bool] | None = None) -> Routed:
        """The targets of a mapped model that serve the operation, if need be translated; for another model one upstream.

        Args:
            model: the name that is asked for.
            operation: what is asked for.
            allows: which models an error may name. Default: all.

        Raises:
            ModelNotFoundError: if there is none; it names models that exist.
        """
        known = self._known.get((model, operation))
        if known is not None:
            return known
        route = self._config.models.get(model)
        candidates = tuple(self._mapped(route, operation) if route else self._unmapped(model, operation))
        if not candidates:
            raise ModelNotFoundError(self._not_found(model, operation, allows), param="model")
        if route is None:
            return Routed("", candidates, whole=False, first_content=None)
        routed = Routed(model, candidates, route.delivery is Delivery.WHOLE, route.first_content)
        self._known[model, operation] = routed
        return routed

    def _mapped(self, route: ModelRoute, operation: Operation) -> Iterator[Candidate]:
        for target in route.ordered:
            candidate = _candidate(target, self._config.upstream(target.upstream), operation)
            if candidate is not None:
                yield candidate

    def _unmapped(self, model: str, operation: Operation) -> Iterator[Candidate]:
        """The first that may have the model: in the client's format, else translated; else whoever serves the format."""
        if not self._config.serve_unmapped_models:
            return
        upstreams = self._config.upstreams
        likely = [upstream for upstream in upstreams if upstream.may_have(model)]
        for native, choice in ((True, likely), (False, likely), (True, upstreams)):
            for upstream in choice:
                candidate = _candidate(Target(f"{upstream.name}/{model}"), upstream, operation)
                if candidate is not None and (candidate.operation is operation) is native:
                    yield candidate
                    return

    def _not_found(self, model: str, operation: Operation, allows: Callable[[str], bool] | None) -> str:
        upstreams = self._config.upstreams
        if not any(_serves(upstream, operation) for upstream in upstreams):
            served = sorted({o.route for u in upstreams for e in u.endpoints for o in e.operations})
            return f"no upstream of this gateway serves {operation.route}; they serve {', '.join(served)}"
        route = self._config.models.get(model)
        if route is not None:
            names = ", ".join(dict.fromkeys(target.upstream for target in route.ordered))
            reason = (
                f"the model {bounded(model)!r} is not served by {operation.route}: its upstreams ({names}) do not offer that"
            )
        else:
            reason = f"the model {bounded(model)!r} does not exist"
        return f"{reason}; {self._existing(operation, allows)}"

    def _existing(self, operation: Operation, allows: Callable[[str], bool] | None) -> str:
        names = [
            name
            for name, route in self._config.models.items()
            if any(_serves(self._config.upstream(target.upstream), operation) for target in route.ordered)
        ]
        if self._config.serve_unmapped_models:
            serving = [upstream for upstream in self._config.upstreams if _serves(upstream, operation)]
            names += (name for name in self._listed() if any(upstream.may_have(name) for upstream in serving))
            if not names:
                return "models that are not mapped go by their own names to " + ", ".join(map(_with_prefixes, serving))
        if not names:
            return "no model is mapped to an upstream that does"
        names = [name for name in dict.fromkeys(names) if allows is None or allows(name)]
        if not names:
            return "this key may ask for none of those that do"
        more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
        return "models: " + ", ".join(names[:MAX_NAMES]) + more


def in_order(routed: Routed, weight_of: Callable[[str, str], float | None], draw: float) -> list[Candidate]:
    """The candidates in the order in which one request asks them.

    The weights choose who is asked first; the others follow in the order of the route.

    Args:
        routed: the route.
        weight_of: the operator's weight of a route's target, which goes before the configured one. None: there is none.
        draw: a random number from 0 to below 1, one for each request.
    """
    candidates = list(routed.candidates)
    if not routed.name or len(candidates) == 1:
        return candidates
    weights = [weight_of(routed.name, candidate.target) for candidate in candidates]
    weights = [candidate.weight if weight is None else weight for weight, candidate in zip(weights, candidates, strict=True)]
    first = _first(weights, draw * _ALL)
    candidates.insert(0, candidates.pop(first))
    return candidates


def _first(weights: list[float | None], draw: float) -> int:
    """Which is asked first: a weighted one with its percentage, else the first that has no weight."""
    for index, weight in enumerate(weights):
        if weight is not None:
            if draw < weight:
                return index
            draw -= weight
    if None in weights:
        return weights.index(None)
    # An operator has lowered weights that were the whole: the largest takes what is left.
    return max(range(len(weights)), key=lambda index: weights[index] or 0.0)


def _with_prefixes(upstream: UpstreamConfig) -> str:
    names = ", ".join(f"{prefix}*" for prefix in upstream.model_prefixes[:MAX_PREFIXES])
    more = " and others" if len(upstream.model_prefixes) > MAX_PREFIXES else ""
    return f"{upstream.name} ({names}{more})" if names else upstream.name


def _serves(upstream: UpstreamConfig, operation: Operation) -> bool:
    return _endpoint(upstream, operation) is not None


def _endpoint(upstream: UpstreamConfig, operation: Operation) -> tuple[Endpoint, Operation] | None:
    endpoint = upstream.endpoint_for(operation)
    if endpoint is not None:
        return endpoint, operation
    other = OTHER_FORMAT.get(operation)
    endpoint = upstream.endpoint_for(other) if other else None
    return (endpoint, other) if endpoint and other else None


def _candidate(target: Target, upstream: UpstreamConfig, operation: Operation) -> Candidate | None:
    served = _endpoint(upstream, operation)
    if served is None:
        return None
    return Candidate(target.name, upstream, *served, target.model, target.weight, target.larger_context)
