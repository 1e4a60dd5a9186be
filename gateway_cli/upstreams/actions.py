"""The operator's word on upstreams: stop sending to one, send to it again, move a share of the traffic."""

from __future__ import annotations

from collections.abc import Sequence

from gateway_cli.errors import CommandError
from gateway_cli.times import clock_time, duration_of
from gateway_cli.upstreams.desk import Desk
from gateway_cli.upstreams.done import Done, called
from gateway_cli.upstreams.names import enumeration, mapped_targets, require_known, route_of, shares
from gateway_cli.upstreams.rendering import divided, percent
from gateway_cli.upstreams.status import stopped_models
from lambda_runtime.state import items, operator_actions
from lambda_runtime.state.breaker import OPERATOR
from lambda_runtime.state.operator_actions import StateItem

_ALL = 100.0
_SOON = "Every function instance follows within two seconds."


def open_upstream(desk: Desk, name: str, *, seconds: int | None, force: bool) -> Done:
    """Stop sending requests to an upstream or to one of its models.

    Args:
        desk: the gateway.
        name: `upstream` or `upstream/model`.
        seconds: for how long. None: until it is closed.
        force: whether to do it even if the gateway has nothing of that name.

    Raises:
        CommandError: if the gateway has nothing of that name.
    """
    known = desk.store.states().states
    if not force:
        _check(desk, name, known)
    now = desk.store.clock()
    desk.store.write(operator_actions.open_breaker(name, seconds=seconds, now=now))
    stopped = stopped_models(desk.configurations, desk.store.states().states)
    if stopped:
        desk.notes.notice(f"requests for {enumeration(stopped)} are refused: every target is stopped now")
    if _has_unmapped_models(desk, name):
        desk.notes.notice(f"models that are not in the model map have no second target: those that {name} serves are refused")
    until = f"until {_end(now, seconds)}" if seconds else "until you close it"
    told = [f"{name} is open {until}: it gets no requests. {_SOON}", f"To send to it again: {desk.closing(name)}"]
    return Done(told=told, changed=True, state=_said(name, "open", now, seconds), before=_kept_away(known, name))


def close_upstream(desk: Desk, name: str, *, seconds: int | None, force: bool) -> Done:
    """Send requests to an upstream or to one of its models again, whatever kept them away.

    Args:
        desk: the gateway.
        name: `upstream` or `upstream/model`.
        seconds: for how long it stays closed whatever happens. None: new failures may open it.
        force: whether to do it even if the gateway has nothing of that name.

    Raises:
        CommandError: if the gateway has nothing of that name.
    """
    known = desk.store.states().states
    if not force:
        _check(desk, name, known)
    now = desk.store.clock()
    desk.store.write(operator_actions.close_breaker(name, seconds=seconds, now=now, known=known))
    whole = items.whole_upstream(name)
    if whole != items.breaker_name(name) and any(state.name == whole and state.state == "open" for state in known):
        upstream = name.partition("/")[0]
        desk.notes.notice(f"{upstream} as a whole is open, so {name} gets no requests: {desk.closing(upstream)}")
    before = _kept_away(known, name)
    told = [f"{called(state)} was {_was(state)}." for state in before]
    if seconds:
        told.append(f"{name} is closed, and stays so until {_end(now, seconds)} whatever happens. {_SOON}")
    elif told:
        told.append(f"{name} is closed: it gets its requests again, and new failures may open it. {_SOON}")
    else:
        told.append(f"{name} was closed already, and is.")
    return Done(told=told, changed=bool(before or seconds), state=_said(name, "closed", now, seconds), before=before)


def set_weight(desk: Desk, model: str, target: str, weight: float, *, force: bool) -> Done:
    """Give a target a share of a model's requests.

    Args:
        desk: the gateway.
        model: a name of the model map.
        target: `upstream/model`.
        weight: percentage.
        force: whether to do it even if the model map has no such model or target.

    Raises:
        CommandError: if the model map has no such model or target.
    """
    _check_route(desk, model, target, force=force)
    desk.store.write(operator_actions.set_weight(model, target, weight, now=desk.store.clock()))
    told = f"{target} has a weight of {percent(weight)} in {model}. {_SOON}"
    return _weighted(desk, model, target, told, weight=weight, changed=True)


def reset_weight(desk: Desk, model: str, target: str, *, force: bool) -> Done:
    """Let the configured weight of a target count again.

    Args:
        desk: the gateway.
        model: a name of the model map.
        target: `upstream/model`.
        force: whether to do it even if the model map has no such model or target.

    Raises:
        CommandError: if the model map has no such model or target, and no weight was set for it.
    """
    if not any((weight.route, weight.target) == (model, target) for weight in desk.store.states().weights):
        _check_route(desk, model, target, force=force)
        return _weighted(desk, model, target, f"No weight was set for {target} in {model}.", weight=None, changed=False)
    desk.store.write(operator_actions.reset_weight(model, target, now=desk.store.clock()))
    told = f"{target} has its configured weight in {model} again. {_SOON}"
    return _weighted(desk, model, target, told, weight=None, changed=True)


def _check(desk: Desk, name: str, states: Sequence[StateItem]) -> None:
    """Refuse a name that means nothing to the gateway; warn if that cannot be known.

    Raises:
        CommandError: if it means nothing.
    """
    if any(_concerns(state, name) for state in states):
        return
    try:
        require_known(name, desk.configurations, ())
    except CommandError:
        seen = desk.active()
        if desk.configurations:
            require_known(name, desk.configurations, seen)
        elif not any(name in {target, target.partition("/")[0]} for target in seen):
            desk.notes.notice(f"nothing in the table is called {name!r}: is it written as in 'ai-gateway upstreams status'?")


def _check_route(desk: Desk, model: str, target: str, *, force: bool) -> None:
    if force or not desk.configurations:
        return
    if len(route_of(model, target, desk.configurations).ordered) == 1:
        desk.notes.notice(f"{model!r} has no other target, which gets every request whatever its weight")


def _weighted(desk: Desk, model: str, target: str, told: str, *, weight: float | None, changed: bool) -> Done:
    """What has been done about a weight, and how the requests of its route are divided now."""
    weights = {model: {target: weight}}
    try:
        route = route_of(model, target, desk.configurations)
    except CommandError:
        return Done(told=[told], changed=changed, weights=weights)
    operators = {weight.target: weight.weight for weight in desk.store.states().weights if weight.route == model}
    if sum(operators.get(str(found), found.weight) or 0.0 for found in route.ordered) > _ALL:
        desk.notes.notice(f"the weights of {model!r} are more than 100 together: the last ones get what is left")
    now = shares(route.ordered, operators)
    return Done(told=[told, divided(model, now)], changed=changed, weights=weights, shares={model: now})


def _concerns(state: StateItem, name: str) -> bool:
    return name in {state.name, state.name.partition("/")[0]}


def _has_unmapped_models(desk: Desk, name: str) -> bool:
    """Whether models may reach an upstream, or a model be reached, without the model map."""
    return any(config.serve_unmapped_models and name not in mapped_targets(config) for config in desk.configurations)


def _kept_away(states: Sequence[StateItem], name: str) -> list[StateItem]:
    """What keeps requests from an upstream or model."""
    return [state for state in states if _concerns(state, name) and state.state != "closed"]


def _said(name: str, state: str, now: float, seconds: float | None) -> StateItem:
    """What holds when the operator has said so."""
    until = now + seconds if seconds else None
    return StateItem(items.breaker_name(name), state, since=now, until=until, by=OPERATOR)


def _was(state: StateItem) -> str:
    return f"{state.state} ({state.by})" if state.by else state.state


def _end(now: float, seconds: float) -> str:
    return f"{clock_time(now + seconds, now)} ({duration_of(seconds)})"
