"""What is known of a gateway's upstreams, put together from its configuration and its table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway_cli.upstreams.names import mapped_targets, shares
from gateway_cli.upstreams.store import Figures
from lambda_runtime.config import GatewayConfig
from lambda_runtime.state import items
from lambda_runtime.state.breaker import OPERATOR
from lambda_runtime.state.operator_actions import StateItem, WeightItem

_WORST_FIRST = ("open", "half-open", "cooling", "closed")


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """An upstream or one of its models.

    Args:
        name: `upstream`, or `upstream/model`.
        state: what holds for it, be it for its whole upstream.
        inherited: whether that is the whole upstream's state.
        figures: of its last minute; of an upstream those of all its models.
    """

    name: str
    state: StateItem
    inherited: bool
    figures: Figures


@dataclass(frozen=True, kw_only=True, slots=True)
class WeightLine:
    """A target of a route whose requests are divided by weights.

    Args:
        model: the route.
        target: `upstream/model`.
        configured: the configured weight, or None.
        operators: the operator's, or None.
        share: percentage of the requests that ask it first. None: the route is not known.
    """

    model: str
    target: str
    configured: float | None
    operators: WeightItem | None
    share: float | None


def targets_of(configurations: Sequence[GatewayConfig], states: Iterable[StateItem]) -> list[str]:
    """The targets that are known without looking through the table: mapped ones and those with a state."""
    mapped = [target for config in configurations for target in mapped_targets(config)]
    known = [state.name for state in states if items.whole_upstream(state.name) != state.name]
    return list(dict.fromkeys([*mapped, *known]))


def lines(configurations: Sequence[GatewayConfig], states: Sequence[StateItem], figures: Mapping[str, Figures]) -> list[Line]:
    """Each upstream, followed by its models.

    Args:
        configurations: of the versions that take requests; empty if unknown.
        states: from the table.
        figures: the last minute of each target; targets that are missing had no request.
    """
    worst = _worst(states)
    targets = list(dict.fromkeys([*targets_of(configurations, states), *figures]))
    configured = [upstream.name for config in configurations for upstream in config.upstreams]
    others = sorted(name.partition("/")[0] for name in [*worst, *targets])
    found = []
    for upstream in dict.fromkeys([*configured, *others]):
        whole = items.whole_upstream(upstream)
        own = [target for target in targets if items.whole_upstream(target) == whole]
        total = sum((figures.get(target, Figures()) for target in own), start=Figures())
        above = worst.get(whole, StateItem(whole, "closed"))
        found.append(Line(name=upstream, state=above, inherited=False, figures=total))
        for target in own:
            state = worst.get(target, StateItem(target, "closed"))
            inherited = _rank(above) < _rank(state)
            found.append(
                Line(
                    name=target,
                    state=above if inherited else state,
                    inherited=inherited,
                    figures=figures.get(target, Figures()),
                )
            )
    return found


def weight_lines(configurations: Sequence[GatewayConfig], weights: Sequence[WeightItem]) -> list[WeightLine]:
    """The routes on which weights matter: those with a configured one, or one of an operator."""
    found = []
    set_for: dict[str, dict[str, WeightItem]] = {}
    for weight in weights:
        set_for.setdefault(weight.route, {})[weight.target] = weight
    routes = {model: route for config in reversed(configurations) for model, route in config.models.items()}
    for model, route in sorted(routes.items()):
        operators = set_for.pop(model, {})
        if not operators and all(target.weight is None for target in route.ordered):
            continue
        share = shares(route.ordered, {name: weight.weight for name, weight in operators.items()})
        for target in route.ordered:
            name = str(target)
            item = operators.pop(name, None)
            found.append(WeightLine(model=model, target=name, configured=target.weight, operators=item, share=share[name]))
        found += _unknown(operators)
    # What is left is of routes that no configuration has, or that cannot be known.
    for operators in set_for.values():
        found += _unknown(operators)
    return found


def _unknown(weights: Mapping[str, WeightItem]) -> list[WeightLine]:
    return [
        WeightLine(model=weight.route, target=weight.target, configured=None, operators=weight, share=None)
        for weight in weights.values()
    ]


def stopped_models(configurations: Sequence[GatewayConfig], states: Sequence[StateItem]) -> list[str]:
    """Models whose every target an operator has opened. Of those that have failed one is tried all the same."""
    stopped = {state.name for state in states if state.state == "open" and state.by == OPERATOR}
    return [
        model
        for model, route in (configurations[0].models if configurations else {}).items()
        if all(not stopped.isdisjoint({str(target), items.whole_upstream(str(target))}) for target in route.ordered)
    ]


def _worst(states: Iterable[StateItem]) -> dict[str, StateItem]:
    """One state by name: an open breaker goes before a cooling, which may stand beside it."""
    return {state.name: state for state in sorted(states, key=_rank, reverse=True)}


def _rank(state: StateItem) -> int:
    return _WORST_FIRST.index(state.state) if state.state in _WORST_FIRST else 0
