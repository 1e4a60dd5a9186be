"""What a command on upstreams has done: in sentences for people, as one object for scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway_cli.aws.tables import GatewayTable
from gateway_cli.times import timestamp
from lambda_runtime.state import items
from lambda_runtime.state.operator_actions import StateItem


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """What a command has done.

    Args:
        told: that in sentences.
        changed: whether it has written anything that was otherwise, or nothing yet, before.
        state: what holds for the upstream or model now. Default: the command is not about one.
        before: what kept requests from it or its models before. Default: nothing.
        weights: that an operator has set now, in percent, by model and target; None where the configured one counts again.
            Default: the command is not about weights.
        shares: percentage of a model's requests that ask each of its targets first now, by model. Default: not known.
        unmoved: models that have no target at the upstream. Default: none.
    """

    told: Sequence[str]
    changed: bool
    state: StateItem | None = None
    before: Sequence[StateItem] = ()
    weights: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    unmoved: Sequence[str] = ()


def done_json(table: GatewayTable, done: Done) -> dict[str, Any]:
    """What scripts read. Times are in UTC, weights and shares are percentages."""
    return {
        "table": table.name,
        "gateway": table.gateway,
        "changed": done.changed,
        "upstream": None if done.state is None else _state_json(done.state),
        "before": [_state_json(state) for state in done.before],
        "weights": [
            {"model": model, "target": target, "operator": weight}
            for model, weights in done.weights.items()
            for target, weight in weights.items()
        ],
        "shares": [
            {"model": model, "target": target, "share": share}
            for model, shares in done.shares.items()
            for target, share in shares.items()
        ],
        "unmoved": list(done.unmoved),
    }


def called(state: StateItem) -> str:
    """What operators call that of which a state holds: `holysheep` for all of it."""
    return state.name.removesuffix(f"/{items.WHOLE_UPSTREAM}")


def _state_json(state: StateItem) -> dict[str, Any]:
    return {
        "name": called(state),
        "state": state.state,
        "by": state.by or None,
        "until": None if state.until is None else timestamp(state.until),
    }
