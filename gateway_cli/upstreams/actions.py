"""The operator's word on upstreams: stop sending to one, send to it again, move a share of the traffic."""

from __future__ import annotations

from collections.abc import Sequence

from gateway_cli.errors import CommandError
from gateway_cli.times import clock_time, duration_of
from gateway_cli.upstreams.desk import Desk
from gateway_cli.upstreams.names import enumeration, mapped_targets, require_known, route_of, shares
from gateway_cli.upstreams.rendering import percent
from gateway_cli.upstreams.status import stopped_models
from lambda_runtime.state import items, operator_actions
from lambda_runtime.state.operator_actions import StateItem

_ALL = 100.0
_SOON = "Every function instance follows within two seconds."


def open_upstream(desk: Desk, name: str, *, seconds: int | None, force: bool) -> list[str]:
    """Stop sending requests to an upstream or to one of its models.

    Args:
        desk: the gateway.
        name: `upstream` or `upstream/model`.
        seconds: for how long. None: until it is closed.
        force: whether to do it even if the gateway has nothing of that name.

    Returns:
        What has been done, in sentences.

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
    return [
        f"{name} is open {until}: it gets no requests. {_SOON}",
        f"To send to it again: {desk.closing(name)}",
    ]


def close_upstream(desk: Desk, name: str, *, seconds: int | None, force: bool) -> list[str]:
    """Send requests to an upstream or to one of its models again, whatever kept them away.

    Args:
        desk: the gateway.
        name: `upstream` or `upstream/model`.
        seconds: for how long it stays closed whatever happens. None: new failures may open it.
        force: whether to do it even if the gateway has nothing of that name.

    Returns:
        What has been done, in sentences.

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
    told = [f"{_called(state)} was {_was(state)}." for state in known if _concerns(state, name) and state.state != "closed"]
    if seconds:
        told.append(f"{name} is closed, and stays so until {_end(now, seconds)} whatever happens. {_SOON}")
    elif told:
        told.append(f"{name} is closed: it gets its requests again, and new failures may open it. {_SOON}")
    else:
        told.append(f"{name} was closed already, and is.")
    return told


def set_weight(desk: Desk, model: str, target: str, weight: float, *, force: bool) -> list[str]:
    """Give a target a share of a model's requests.

    Args:
        desk: the gateway.
        model: a name of the model map.
        target: `upstream/model`.
        weight: percentage.
        force: whether to do it even if the model map has no such model or target.

    Returns:
        What has been done, in sentences.

    Raises:
        CommandError: if the model map has no such model or target.
    """
    _check_route(desk, model, target, force=force)
    desk.store.write(operator_actions.set_weight(model, target, weight, now=desk.store.clock()))
    return [f"{target} has a weight of {percent(weight)} in {model}. {_SOON}", *_divided(desk, model, target)]


def reset_weight(desk: Desk, model: str, target: str, *, force: bool) -> list[str]:
    """Let the configured weight of a target count again.

    Args:
        desk: the gateway.
        model: a name of the model map.
        target: `upstream/model`.
        force: whether to do it even if the model map has no such model or target.

    Returns:
        What has been done, in sentences.

    Raises:
        CommandError: if the model map has no such model or target, and no weight was set for it.
    """
    if not any((weight.route, weight.target) == (model, target) for weight in desk.store.states().weights):
        _check_route(desk, model, target, force=force)
        return [f"No weight was set for {target} in {model}.", *_divided(desk, model, target)]
    desk.store.write(operator_actions.reset_weight(model, target, now=desk.store.clock()))
    return [f"{target} has its configured weight in {model} again. {_SOON}", *_divided(desk, model, target)]


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


def _divided(desk: Desk, model: str, target: str) -> list[str]:
    """How the requests of a route are divided now."""
    try:
        route = route_of(model, target, desk.configurations)
    except CommandError:
        return []
    operators = {weight.target: weight.weight for weight in desk.store.states().weights if weight.route == model}
    weights = [operators.get(str(found), found.weight) for found in route.ordered]
    if sum(weight or 0.0 for weight in weights) > _ALL:
        desk.notes.notice(f"the weights of {model!r} are more than 100 together: the last ones get what is left")
    divided = shares(route.ordered, operators)
    return [f"Requests for {model}: " + ", ".join(f"{name} {percent(share)}" for name, share in divided.items())]


def _concerns(state: StateItem, name: str) -> bool:
    return name in {state.name, state.name.partition("/")[0]}


def _has_unmapped_models(desk: Desk, name: str) -> bool:
    """Whether models may reach an upstream, or a model be reached, without the model map."""
    return any(config.serve_unmapped_models and name not in mapped_targets(config) for config in desk.configurations)


def _called(state: StateItem) -> str:
    return state.name.removesuffix(f"/{items.WHOLE_UPSTREAM}")


def _was(state: StateItem) -> str:
    return f"{state.state} ({state.by})" if state.by else state.state


def _end(now: float, seconds: float) -> str:
    return f"{clock_time(now + seconds, now)} ({duration_of(seconds)})"
