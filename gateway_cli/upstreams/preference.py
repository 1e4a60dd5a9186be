"""Sends everything to one upstream, as far as it serves the models; or lets the configured weights count again."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway_cli.errors import MISTAKEN, CommandError
from gateway_cli.upstreams.desk import Desk
from gateway_cli.upstreams.done import Done
from gateway_cli.upstreams.names import enumeration, shares
from gateway_cli.upstreams.rendering import divided
from lambda_runtime.config import GatewayConfig, ModelRoute, Target
from lambda_runtime.state import items, operator_actions
from lambda_runtime.state.breaker import OPERATOR

_ALL = 100.0
_SOON = "Every function instance follows within two seconds."


@dataclass(kw_only=True, slots=True)
class _Preference:
    """What preferring an upstream comes to.

    Args:
        weights: of targets, by model: where the requests go first, then those that lose them.
        alone: models whose only target is at the upstream.
        elsewhere: models without a target there.
    """

    weights: dict[str, dict[str, float]] = field(default_factory=dict)
    alone: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)


def prefer(desk: Desk, upstream: str) -> Done:
    """Send every request to an upstream whose model has a target there.

    Args:
        desk: the gateway.
        upstream: its name.

    Raises:
        CommandError: if the gateway has no such upstream, or its model map cannot be read.
    """
    _require_upstream(desk, upstream)
    found = _preference(desk.configurations, upstream)
    if not (found.weights or found.alone):
        raise CommandError(
            f"no model of the model map has a target at {upstream!r}, so none can go there; add targets to it and deploy",
            status=MISTAKEN,
        )
    now = desk.store.clock()
    for model, weights in found.weights.items():
        # The shares come first: without them a target that loses its own would leave requests to the next one in the route.
        for target, weight in weights.items():
            desk.store.write(operator_actions.set_weight(model, target, weight, now=now))
    told = [divided(model, weights) for model, weights in found.weights.items()]
    if found.weights:
        told.append(f"Requests for these models ask {upstream} first, and the others only if it fails. {_SOON}")
    if found.alone:
        told.append(f"Requests for {enumeration(found.alone)} ask {upstream} anyway, which is the only target.")
    again = f"ai-gateway upstreams prefer --reset{desk.where.options}"
    told.append(f"This holds over deployments, too. To let the configured weights count again: {again}")
    _warn(desk, upstream, found)
    return Done(told=told, changed=bool(found.weights), weights=found.weights, shares=found.weights, unmoved=found.elsewhere)


def reset(desk: Desk, upstream: str | None) -> Done:
    """Let the configured weights count again, whoever has set others.

    Args:
        desk: the gateway.
        upstream: only for models with a target at this one. None: for all.

    Raises:
        CommandError: if the gateway has no such upstream, or its model map cannot be read though it is needed.
    """
    chosen = None
    if upstream is not None:
        _require_upstream(desk, upstream)
        preferred = _preference(desk.configurations, upstream)
        chosen = {*preferred.weights, *preferred.alone}
    now, models = desk.store.clock(), dict[str, dict[str, float | None]]()
    for weight in desk.store.states().weights:
        if chosen is None or weight.route in chosen:
            desk.store.write(operator_actions.reset_weight(weight.route, weight.target, now=now))
            models.setdefault(weight.route, {})[weight.target] = None
    if not models:
        where = f" of a model with a target at {upstream}" if upstream else ""
        return Done(told=[f"No weight{where} was set: the configured ones count already."], changed=False)
    routes = _routes(desk.configurations)
    found = {model: shares(routes[model][0].ordered, {}) for model in models if model in routes}
    told = [divided(model, targets) for model, targets in found.items() if len(targets) > 1]
    told.append(f"The configured weights of {enumeration(list(models))} count again. {_SOON}")
    return Done(told=told, changed=True, weights=models, shares=found)


def _preference(configurations: Sequence[GatewayConfig], upstream: str) -> _Preference:
    found = _Preference()
    for model, routes in _routes(configurations).items():
        targets = {str(target) for route in routes for target in route.ordered}
        wanted: dict[str, float] = {}
        for route in routes:
            for target, share in _share_out(route.ordered, upstream).items():
                # Where two versions disagree, the one counts that takes most of the requests. But what is nothing to it may be
                # all that the other one has at the upstream.
                wanted[target] = wanted.get(target) or share
        if not wanted:
            found.elsewhere.append(model)
        elif len(targets) == 1:
            found.alone.append(model)
        else:
            others = [str(target) for route in routes for target in route.ordered if str(target) not in wanted]
            found.weights[model] = wanted | dict.fromkeys(others, 0.0)
    return found


def _routes(configurations: Sequence[GatewayConfig]) -> dict[str, list[ModelRoute]]:
    """The routes of each model: during a release there may be two that differ."""
    found: dict[str, list[ModelRoute]] = {}
    for config in configurations:
        for model, route in config.models.items():
            found.setdefault(model, []).append(route)
    return found


def _share_out(targets: Sequence[Target], upstream: str) -> dict[str, float]:
    """How an upstream's targets of a route share all its requests: as they share what they have, or else the first has it."""
    configured = shares(targets, {})
    own = [str(target) for target in targets if target.upstream == upstream]
    total = sum(configured[name] for name in own)
    if total:
        return {name: configured[name] / total * _ALL for name in own}
    return {name: 0.0 if index else _ALL for index, name in enumerate(own)}


def _require_upstream(desk: Desk, upstream: str) -> None:
    if "/" in upstream:
        raise CommandError(
            f"name an upstream, as in 'holysheep', got {upstream!r}; a single target has a weight: ai-gateway upstreams weight",
            status=MISTAKEN,
        )
    if not desk.configurations:
        raise CommandError(
            "without the model map it is not known which models have a target there (see above); "
            "'ai-gateway upstreams weight' moves one model at a time"
        )
    known = list(dict.fromkeys(found.name for config in desk.configurations for found in config.upstreams))
    if upstream not in known:
        close = difflib.get_close_matches(upstream, known, n=1, cutoff=0.7)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise CommandError(
            f"the gateway has no upstream {upstream!r}{hint} (its upstreams: {enumeration(known)})", status=MISTAKEN
        )


def _warn(desk: Desk, upstream: str, found: _Preference) -> None:
    if found.elsewhere:
        desk.notes.notice(f"without a target at {upstream}, and therefore not moved: {enumeration(found.elsewhere)}")
    if any(config.serve_unmapped_models for config in desk.configurations):
        desk.notes.notice("models that are not in the model map have no weights, and go where they went")
    targets = {target for weights in found.weights.values() for target, weight in weights.items() if weight}
    whole = items.whole_upstream(upstream)
    for state in desk.store.states().states:
        if state.state == "open" and state.name in {whole, *targets}:
            name = state.name.removesuffix(f"/{items.WHOLE_UPSTREAM}")
            by = "by an operator" if state.by == OPERATOR else f"({state.by})"
            desk.notes.notice(f"{name} is open {by}, and gets no requests as long as it is: {desk.closing(name)}")
