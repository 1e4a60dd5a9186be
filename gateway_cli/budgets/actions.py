"""What operators do with limits: set some of them, or clear them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway_cli.budgets.desk import BudgetDesk
from gateway_cli.budgets.standing import Standing
from gateway_cli.budgets.words import Change, told
from gateway_cli.errors import MISTAKEN, CommandError
from gateway_cli.keys.actions import called
from lambda_runtime.config.limits import ConsumerLimits

if TYPE_CHECKING:
    from lambda_runtime.config import GatewayConfig


@dataclass(frozen=True, slots=True)
class Done:
    """What has become of a key's limits.

    Args:
        standing: as it was before.
        limits: that hold now.
        told: that in a sentence.
    """

    standing: Standing
    limits: ConsumerLimits
    told: str

    @property
    def changed(self) -> bool:
        """Whether it was otherwise before."""
        return self.standing.limits != self.limits


def set_limits(desk: BudgetDesk, name: str, change: Change) -> list[Done]:
    """Change limits of a key, or of all keys of a consumer, each for itself.

    Args:
        desk: the gateway's limits.
        name: the key's id, or the consumer's name.
        change: what to change.

    Raises:
        CommandError: if the gateway has nothing of that name, or the limits make no sense.
    """
    if change.nothing:
        raise CommandError(
            "say what the consumer may use: --tokens-per-day, --tokens-per-month, --usd-per-day, --usd-per-month, --model, "
            "--shadow; 'ai-gateway budgets clear' is for no limits at all",
            status=MISTAKEN,
        )
    chosen, _ = desk.keys.keys_of(name)
    wanted = [(one, change.applied(one.limits or ConsumerLimits())) for one in desk.standings(chosen)]
    for limits in dict.fromkeys(limits for _, limits in wanted):
        require_served(desk, limits)
    done = []
    for one, limits in wanted:
        if one.limits != limits:
            desk.store.write(one.key.id, limits.to_json())
        done.append(Done(one, limits, _told(one, limits)))
    _tell_of_template(desk, [one for one, limits in wanted if one.template is not None and one.template != limits])
    return done


def clear(desk: BudgetDesk, name: str) -> list[Done]:
    """Take away the limits of a key, or of all keys of a consumer.

    Args:
        desk: the gateway's limits.
        name: the key's id, or the consumer's name.

    Raises:
        CommandError: if the gateway has nothing of that name.
    """
    chosen, _ = desk.keys.keys_of(name)
    stored = desk.store.read([key.id for key in chosen])
    done = []
    standings = desk.standings(chosen)
    for one in standings:
        if one.limits == ConsumerLimits():
            sentence = f"{called(one.key)} had no limits."
        else:
            desk.store.clear(one.key.id, stored[one.key.id])
            sentence = _told(one, ConsumerLimits())
        done.append(Done(one, ConsumerLimits(), sentence))
    _tell_of_template(desk, [one for one in standings if one.template is not None])
    return done


def require_served(desk: BudgetDesk, limits: ConsumerLimits) -> None:
    """Refuse models that the gateway does not serve, and say what a budget in USD refuses.

    Args:
        desk: the gateway's limits.
        limits: those that are to hold.

    Raises:
        CommandError: if a name is none of a model, or no model could be asked for.
    """
    unserved = _unserved(desk, limits)
    if unserved:
        served = dict.fromkeys(model for version in desk.versions for model in version.config.models)
        raise CommandError(
            f"the gateway serves none of these models: {', '.join(unserved)}; it serves {', '.join(served)}", status=MISTAKEN
        )
    unpriced = list(dict.fromkeys(name for version in desk.versions for name in _unpriced(version.config, limits)))
    if limits.money and unpriced:
        consequence = "are answered and count nothing" if limits.shadow else "are refused to a consumer with a budget in USD"
        desk.keys.notes.notice(
            f"nobody has said what these cost, so that they {consequence}: {', '.join(unpriced)}; state it with "
            f"prices={{{unpriced[0]!r}: Price(input=..., output=...)}}"
        )


def _told(before: Standing, limits: ConsumerLimits) -> str:
    if limits.unlimited:
        return f"{called(before.key)} has no limits any more, from the next request on. What it has used stays counted."
    if before.limits == limits:
        when = "It was so before"
    else:
        # A function instance remembers for a minute that a key has none.
        when = f"It holds {'within a minute' if before.limits == ConsumerLimits() else 'from the next request on'}"
    return f"{called(before.key)} may use: {told(limits)}. {when}."


def _unserved(desk: BudgetDesk, limits: ConsumerLimits) -> list[str]:
    """The names that no version serves; all of them where one serves none."""
    configs = [version.config for version in desk.versions]
    unknown = [[] if config.serve_unmapped_models else limits.unmatched(config.models) for config in configs]
    names = list(limits.models or ())
    if names and names in unknown:
        return names
    return [name for name in names if unknown and all(name in each for each in unknown)]


def _unpriced(config: GatewayConfig, limits: ConsumerLimits) -> list[str]:
    targets = [target for model, route in config.models.items() if limits.allows(model) for target in route.ordered]
    mapped = [target.name for target in targets if config.price(target.upstream, target.model) is None]
    named = limits.models is not None and all(model in config.models for model in limits.models)
    if not config.serve_unmapped_models or named:
        return mapped
    others = [f"{upstream.name}/*" for upstream in config.upstreams]
    return mapped + [name for name in others if name not in config.prices]


def _tell_of_template(desk: BudgetDesk, standings: list[Standing]) -> None:
    for one in standings:
        said = told(one.template) if one.template is not None else ""
        desk.keys.notes.notice(
            f"the template says of {called(one.key)}: {said}. That is set again by the deployment that changes it, and by no "
            "other; to keep what you have set, change the plan in the app, too"
        )
