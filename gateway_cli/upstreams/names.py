"""Names of upstreams, targets and models: how they are written, and whether the gateway knows them.

A name that is mistyped would be written into the table and change nothing, while its operator believes otherwise.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from gateway_cli.errors import MISTAKEN, CommandError
from lambda_runtime.config import GatewayConfig, ModelRoute, Target
from lambda_runtime.state import items

_MOST = 20
"""Names that a message lists."""

_FORCE = "--force writes it all the same"


def parse_name(name: str) -> str:
    """An upstream's name or a target's as operators write it: `holysheep`, `holysheep/*`, `holysheep/gpt-4.1`.

    Returns:
        The upstream's name alone, or `upstream/model`.

    Raises:
        CommandError: if it is neither.
    """
    upstream, slash, model = name.partition("/")
    if not _is_name(upstream) or (slash and not _is_name(model)):
        raise CommandError(
            f"name an upstream, as in 'holysheep', or a model of one, as in 'holysheep/gpt-4.1'; got {name!r}", status=MISTAKEN
        )
    if len(name.encode()) > items.MAX_NAME:
        raise CommandError(f"names have {items.MAX_NAME} bytes at most, got {len(name.encode())}", status=MISTAKEN)
    return upstream if model == items.WHOLE_UPSTREAM else name


def parse_target(name: str) -> str:
    """A target's name: `holysheep/gpt-4.1`.

    Raises:
        CommandError: if it is none.
    """
    if "/" not in parse_name(name):
        raise CommandError(f"a weight is that of a target, as in 'holysheep/gpt-4.1'; got {name!r}", status=MISTAKEN)
    return name


def _is_name(text: str) -> bool:
    return bool(text) and text.isprintable() and not text[0].isspace() and not text[-1].isspace()


def require_known(name: str, configurations: Sequence[GatewayConfig], seen: Iterable[str]) -> None:
    """Check a name against the gateway's configuration.

    Args:
        name: what `parse_name` returned.
        configurations: of the versions that take requests.
        seen: targets that the table knows of.

    Raises:
        CommandError: if nothing of that name gets any request.
    """
    upstream, _, model = name.partition("/")
    upstreams = list(dict.fromkeys(found.name for config in configurations for found in config.upstreams))
    if upstream not in upstreams:
        raise _unknown(f"the gateway has no upstream {upstream!r}", upstream, upstreams, "its upstreams")
    if not model or name in seen:
        return
    mapped = list(dict.fromkeys(target for config in configurations for target in mapped_targets(config)))
    if name in mapped:
        return
    known = [target for target in dict.fromkeys([*mapped, *seen]) if target.partition("/")[0] == upstream]
    reason = f"no model is mapped to {name!r}"
    if any(config.serve_unmapped_models for config in configurations):
        reason += f", and no request of the last minute asked {upstream} for {model!r} by that name"
    raise _unknown(reason, name, known, f"known of {upstream}")


def route_of(model: str, target: str, configurations: Sequence[GatewayConfig]) -> ModelRoute:
    """The route that a model's weights belong to, as the version that has most of the requests knows it.

    Raises:
        CommandError: if there is no such route, or it does not have the target.
    """
    routes = [config.models[model] for config in configurations if model in config.models]
    if not routes:
        names = list(dict.fromkeys(name for config in configurations for name in config.models))
        reason = f"the model map has no {model!r}: weights divide the requests of a mapped model among its targets"
        raise _unknown(reason, model, names, "mapped models")
    for route in routes:
        if target in map(str, route.ordered):
            return route
    targets = [str(found) for route in routes for found in route.ordered]
    raise _unknown(f"the model {model!r} has no target {target!r}", target, list(dict.fromkeys(targets)), "its targets")


def mapped_targets(config: GatewayConfig) -> Iterable[str]:
    """Every target of a model map, in order."""
    for route in config.models.values():
        yield from map(str, route.ordered)


def shares(targets: Sequence[Target], operators: dict[str, float]) -> dict[str, float]:
    """Which percentage of a route's requests asks which target first.

    Args:
        targets: of the route, in order.
        operators: weights that an operator has set, by target. They go before the configured ones.
    """
    weights = {str(target): operators.get(str(target), target.weight) for target in targets}
    left, found = 100.0, dict.fromkeys(weights, 0.0)
    for name, weight in weights.items():
        if weight is not None:
            found[name] = min(weight, left)
            left -= found[name]
    unweighted = [name for name, weight in weights.items() if weight is None]
    # As the runtime does it: the first without a weight takes what is left, or else the largest.
    rest = unweighted[0] if unweighted else max(weights, key=lambda name: weights[name] or 0.0)
    found[rest] += left
    return found


def enumeration(names: Sequence[str]) -> str:
    """The names in one line, as many as a message lists."""
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more


def _unknown(reason: str, name: str, known: Sequence[str], what: str) -> CommandError:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    listed = f" ({what}: {enumeration(known)})" if known else ""
    return CommandError(f"{reason}{hint}{listed}; {_FORCE}", status=MISTAKEN)
