"""What operators do with keys that are there: let them work or not, and delete them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway_cli.errors import MISTAKEN, CommandError
from gateway_cli.keys.desk import KeyDesk
from gateway_cli.keys.limits import forget_limits
from gateway_cli.keys.model import ClientKey, overlaps


@dataclass(frozen=True, slots=True)
class Done:
    """What has become of a key.

    Args:
        key: as it is now.
        changed: whether it was otherwise before.
        told: that in a sentence.
    """

    key: ClientKey
    changed: bool
    told: str


def disable(desk: KeyDesk, name: str) -> list[Done]:
    """Shut a key out, or all keys of a consumer.

    Raises:
        CommandError: if the gateway has nothing of that name.
    """
    chosen, _ = desk.keys_of(name)
    return [shut_out(desk, key) for key in chosen]


def shut_out(desk: KeyDesk, key: ClientKey) -> Done:
    """Let a key work no more."""
    if not key.enabled:
        return Done(key, changed=False, told=f"{called(key)} was disabled already.")
    desk.store.set_enabled(key, enabled=False)
    if not key.own:
        desk.notes.notice(
            f"{key.id} {_owner(key)}: it stays disabled as long as no deployment changes the key itself; to be rid of it, "
            "remove the consumer from the app and deploy"
        )
    told = (
        f"{called(key)} is disabled: its requests are refused with 401 within seconds. "
        f"To let it work again: {desk.command('enable', key.id)}"
    )
    return Done(replace(key, enabled=False), changed=True, told=told)


def enable(desk: KeyDesk, name: str) -> Done:
    """Let a key work again.

    Args:
        desk: the gateway's keys.
        name: a key's id, or the name of a consumer that has one disabled key at most.

    Raises:
        CommandError: if the gateway has nothing of that name, or several keys could be meant.
    """
    chosen, keys = desk.keys_of(name)
    key = _one(desk, [key for key in chosen if not key.enabled] or chosen[:1], "disabled keys", name)
    if key.enabled:
        return Done(key, changed=False, told=f"{called(key)} was enabled already.")
    desk.store.set_enabled(key, enabled=True)
    now = replace(key, enabled=True)
    replaced = overlaps([now, *(other for other in keys if other.id != key.id)]).get(key.id)
    if replaced:
        desk.notes.notice(f"{replaced.new.id} was made to replace {key.id}, which 'keys rotate --finish' disables again")
    return Done(now, changed=True, told=f"{called(key)} is enabled: it works within seconds.")


def delete(desk: KeyDesk, name: str, *, force: bool) -> Done:
    """Delete a key that this command made.

    Args:
        desk: the gateway's keys.
        name: its id, or the name of a consumer that has no other.
        force: whether to do it though the key works.

    Raises:
        CommandError: if the gateway has nothing of that name, several keys could be meant, the key belongs to a stack, or
            works.
    """
    chosen, _ = desk.keys_of(name)
    key = _one(desk, chosen, "keys", name)
    if not key.own:
        raise CommandError(
            f"{called(key)} {_owner(key)}, which would miss it; remove the consumer from the app and deploy, or shut the key "
            f"out: {desk.command('disable', key.id)}"
        )
    if key.enabled and not force:
        raise CommandError(
            f"{called(key)} works, and a key that is deleted cannot be had back; disable it first, and delete it when nobody "
            f"misses it: {desk.command('disable', key.id)}; or say --force"
        )
    desk.store.delete(key.id)
    forget_limits(desk, key)
    told = f"{called(key)} is deleted. 'ai-gateway usage' does not show any more what it has used."
    return Done(replace(key, enabled=False), changed=True, told=told)


def called(key: ClientKey) -> str:
    """A key as sentences name it."""
    return f"{key.consumer}'s key {key.id}"


def _owner(key: ClientKey) -> str:
    return f"belongs to the stack {key.stack}" if key.stack else "was not made by this command, but by a stack or by hand"


def _one(desk: KeyDesk, keys: Sequence[ClientKey], what: str, name: str) -> ClientKey:
    if len(keys) == 1:
        return keys[0]
    raise CommandError(
        f"{name!r} has {len(keys)} {what}; name one by its id: {', '.join(key.id for key in keys)} "
        f"({desk.command('list', name)} shows them)",
        status=MISTAKEN,
    )
