"""New keys: for a consumer, or in the place of another key for a while beside it."""

from __future__ import annotations

from gateway_cli.budgets.words import Change
from gateway_cli.errors import MISTAKEN, CommandError
from gateway_cli.keys.actions import Done, called, shut_out
from gateway_cli.keys.desk import KeyDesk
from gateway_cli.keys.limits import new_limits
from gateway_cli.keys.model import ClientKey, NewKey, Plan, overlaps
from gateway_cli.keys.plans import plan_for
from gateway_cli.keys.values import new_value
from gateway_cli.times import clock_time, duration_of


def create(desk: KeyDesk, consumer: str, *, plan: str | None, change: Change | None = None) -> NewKey:
    """Make a key for a consumer.

    Args:
        desk: the gateway's keys.
        consumer: its name; one that is not known yet is a new consumer.
        plan: name or id of the usage plan. None: the one that the consumer has, or the only one.
        change: budgets and models that it has in place of those of the consumer's other keys or of the plan's consumer.
            Default: none.

    Raises:
        CommandError: if it cannot be told which plan is meant, or the account can have no more keys.
    """
    keys = [key for key in desk.store.keys(desk.plans, consumer) if key.consumer == consumer]
    chosen = plan_for(consumer, plan, desk.plans, keys)
    limits = new_limits(desk, _sources(desk, keys, consumer, chosen), change)
    made = desk.store.create(consumer, chosen, new_value(), before_use=limits.write)
    others = f"has {len(keys) + 1} keys now" if keys else "is a new consumer"
    desk.notes.line(
        f"{consumer} {others}. The key {made.key.id} has the limits of {chosen.name} for itself: {chosen.limits}{limits.told}."
    )
    return made


def rotate(desk: KeyDesk, name: str, *, overlap: int) -> NewKey:
    """Make a key that is to replace another one, which goes on working.

    Args:
        desk: the gateway's keys.
        name: the other key's id, or the name of a consumer that has one key in use.
        overlap: seconds for which both are meant to work.

    Raises:
        CommandError: if the gateway has nothing of that name, it is being replaced already, or does not work.
    """
    chosen, keys = desk.keys_of(name)
    old = _in_use(desk, name, chosen, keys)
    now = desk.store.clock()
    limits = new_limits(desk, [old])
    made = desk.store.create(
        old.consumer, old.plan, new_value(), replaces=old.id, overlap_ends=now + overlap, before_use=limits.write
    )
    until = f"{clock_time(made.key.overlap_ends, now)} ({duration_of(overlap)})"
    desk.notes.line(
        f"The key {made.key.id} replaces {called(old)}. Both work: let clients change over until {until}, "
        f"then end the old one: {desk.command('rotate', old.id, '--finish')}"
    )
    return made


def finish(desk: KeyDesk, name: str | None) -> list[Done]:
    """Disable keys that have been replaced.

    Args:
        desk: the gateway's keys.
        name: of a consumer, or the id of the old or of the new key: at once. None: all whose time is over.

    Raises:
        CommandError: if the gateway has nothing of that name.
    """
    if name is None:
        now = desk.store.clock()
        ended = [pair.old for pair in overlaps(desk.store.keys(desk.plans)).values() if pair.is_due(now)]
    else:
        chosen, keys = desk.keys_of(name)
        ids = {key.id for key in chosen}
        ended = [pair.old for pair in overlaps(keys).values() if not ids.isdisjoint({pair.old.id, pair.new.id})]
    return [shut_out(desk, key) for key in ended]


def _sources(desk: KeyDesk, keys: list[ClientKey], consumer: str, plan: Plan) -> list[ClientKey]:
    """The keys whose limits a new one gets: the consumer's own, or those of the consumer that the plan was made for."""
    if keys or plan.name == consumer or not desk.gateway.limits:
        return keys
    return [key for key in desk.store.keys(desk.plans, plan.name) if key.consumer == plan.name]


def _in_use(desk: KeyDesk, name: str, chosen: list[ClientKey], keys: list[ClientKey]) -> ClientKey:
    under_way = overlaps(keys)
    current = [key for key in chosen if key.enabled and key.id not in under_way]
    replaced = [under_way[key.id] for key in chosen if key.id in under_way]
    if replaced:
        pair = replaced[0]
        raise CommandError(
            f"{called(pair.old)} is being replaced by {pair.new.id} already; to end that: "
            f"{desk.command('rotate', pair.old.id, '--finish')}; to make another key: {desk.command('rotate', pair.new.id)}"
        )
    if not current:
        raise CommandError(
            f"{name!r} has no key that works, so there is none to replace; to make one: "
            f"{desk.command('create', chosen[0].consumer)}"
        )
    if len(current) > 1:
        raise CommandError(
            f"{name!r} has {len(current)} keys in use; name the one to replace by its id: "
            f"{', '.join(key.id for key in current)}",
            status=MISTAKEN,
        )
    return current[0]
