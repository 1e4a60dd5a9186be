"""Which usage plan a new key joins."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from gateway_cli.errors import MISTAKEN, CommandError
from gateway_cli.keys.model import ClientKey, Plan

_NONE = (
    "the gateway has no usage plan, without which no key opens it; plans come with consumers: add one in the app "
    "(gateway.add_consumer, or consumers in cdk.json) and deploy"
)


def plan_for(consumer: str, named: str | None, plans: Sequence[Plan], keys: Sequence[ClientKey]) -> Plan:
    """The plan for a new key.

    Args:
        consumer: whose key it will be.
        named: the option `--plan`: a plan's name or id, or None.
        plans: the gateway's.
        keys: that the consumer has.

    Raises:
        CommandError: if it cannot be told; the message lists the plans.
    """
    if not plans:
        raise CommandError(_NONE)
    if named is not None:
        return _only([plan for plan in plans if named in {plan.name, plan.id}], f"there is no plan {named!r}", named, plans)
    of_keys = list({key.plan.id: key.plan for key in keys}.values())
    own = [plan for plan in plans if plan.name == consumer] or of_keys or (list(plans) if len(plans) == 1 else [])
    return _only(own, f"{consumer!r} has no plan and no key yet; say with --plan whose limits its key gets", consumer, plans)


def _only(found: list[Plan], otherwise: str, name: str, plans: Sequence[Plan]) -> Plan:
    if len(found) == 1:
        return found[0]
    listed = "".join(f"\n  --plan {_option(plan, plans)}  ({plan.limits})" for plan in found or plans)
    if found:
        raise CommandError(f"several plans could be meant for {name!r}; name one by its id:{listed}", status=MISTAKEN)
    close = difflib.get_close_matches(name, [plan.name for plan in plans], n=1, cutoff=0.7)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise CommandError(f"{otherwise}{hint}\nThe gateway's plans:{listed}", status=MISTAKEN)


def _option(plan: Plan, plans: Sequence[Plan]) -> str:
    """A plan's name, quoted where it has spaces; its id where another one has the same name."""
    if sum(plan.name == other.name for other in plans) > 1:
        return plan.id
    return f"'{plan.name}'" if " " in plan.name else plan.name
