"""The operator's word on a release: begin it, promote its version, take the requests back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from gateway_cli.errors import MISTAKEN, CommandError, explain
from gateway_cli.release.desk import ReleaseDesk, published
from gateway_cli.release.model import PROMOTED, REPLACED, ROLLED_BACK, Alias, Run
from gateway_cli.release.store import ChangedMeanwhileError

BY_HAND = "by hand"
"""Cause of an execution that an operator has ended."""

_OWNED = (
    "This holds until the next deployment that changes the function, the stable version or the weight in the app: that one "
    "sets the alias again. Put it into the app, too."
)

_LAST = 5
"""Releases among which the one is looked for that made the stable version."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """What a command has done.

    Args:
        before: what the alias was.
        alias: what it is.
        ended: releases that have ended for it.
        told: all that in sentences.
        seconds: how long the alias took to change, or None.
        started: name of the release that was started, or None.
    """

    before: Alias
    alias: Alias
    ended: Sequence[Run]
    told: Sequence[str]
    seconds: float | None = None
    started: str | None = None


def promote(desk: ReleaseDesk, version: str | None) -> Done:
    """Give a version every request.

    Args:
        desk: the gateway.
        version: any published one. None: the canary.

    Raises:
        CommandError: if there is no such version, or no canary.
    """
    if version:
        desk.require_version(version)
    before = desk.store.alias()
    if version and version == before.stable:
        if before.canary:
            raise CommandError(
                f"version {version} is the stable one, and {before.canary} has {before.share} of the requests; to give it "
                f"those, too: {desk.command('rollback')}",
                status=MISTAKEN,
            )
        return Done(before=before, alias=before, ended=(), told=[f"Version {version} has every request already."])

    def change(alias: Alias) -> Alias:
        target = version or alias.canary
        if target is None:
            raise CommandError(_nothing_under_way(desk, alias, "promote"))
        return desk.store.set_alias(version=target, weights={}, revision=alias.revision)

    before, alias, seconds = changed(desk, before, change)
    ended = _stop(
        desk,
        alias,
        error=lambda run: PROMOTED if run.version == alias.stable else REPLACED,
        cause=BY_HAND if version is None else f"version {alias.stable} was promoted by hand",
    )
    told = [
        f"Version {alias.stable} has every request now{_had(before, alias.stable)}.",
        f"Before, {before.stable} was the stable one; to go back to it: {desk.command('rollback', '--to', before.stable)}",
    ]
    return Done(before=before, alias=alias, ended=ended, told=[*told, *owned(desk)], seconds=seconds)


def rollback(desk: ReleaseDesk, to: str | None) -> Done:
    """Take the requests back from the canary, or give an earlier version all of them.

    Args:
        desk: the gateway.
        to: the earlier version. None: the stable one, which has the others already.

    Raises:
        CommandError: if there is no such version, or nothing to take back.
    """
    if to:
        desk.require_version(to)
    before, began = desk.store.alias(), time.monotonic()
    underway = () if before.canary else desk.store.running()
    if not (before.canary or underway):
        if to is None:
            raise CommandError(_nothing_under_way(desk, before, "rollback"))
        if to == before.stable:
            return Done(before=before, alias=before, ended=(), told=[f"Version {to} has every request already."])
    # No revision: whatever anybody else does at this moment, the canary's requests are to end.
    alias = desk.store.set_alias(version=to, weights={})
    seconds = time.monotonic() - began
    # Only now it is known who was first: what has every request was promoted, and is to be called so.
    ended = _stop(desk, alias, error=lambda run: PROMOTED if run.version == alias.stable else ROLLED_BACK, cause=BY_HAND)
    earlier = _stable_before(before, alias, ended)
    if to is None and earlier:
        raise CommandError(
            f"version {alias.stable} was promoted at this very moment, and has every request; to go back: "
            f"{desk.command('rollback', '--to', earlier)}"
        )
    now = desk.store.alias()
    if now.canary:
        # The release was about to give the first share, and did before it was ended.
        alias = desk.store.set_alias(weights={})
    told = [f"Version {alias.stable} has every request now; that took {seconds:.2f} s."]
    if before.canary and before.canary != alias.stable:
        told[0] = f"Version {before.canary} has no requests any more (it had {before.share}). {told[0]}"
    elif underway:
        told[0] = f"The release of version {underway[0].version} had not given it any requests yet, and has ended. {told[0]}"
    if alias.stable != before.stable:
        again = desk.command("promote", before.stable)
        told.append(f"Before, {before.stable} was the stable one; to go back to it: {again}")
    return Done(before=before, alias=alias, ended=ended, told=[*told, *owned(desk)], seconds=seconds)


def owned(desk: ReleaseDesk) -> list[str]:
    """What becomes of an alias that CloudFormation owns."""
    if desk.store.machine:
        return []
    return [_OWNED]


def changed(desk: ReleaseDesk, before: Alias, change: Callable[[Alias], Alias]) -> tuple[Alias, Alias, float]:
    """Change the alias, and once more if somebody else has written it meanwhile without changing who gets what.

    Args:
        desk: the gateway.
        before: what has been read.
        change: the change, given what has been read.

    Returns:
        What it was, what it is, and how many seconds that took.

    Raises:
        CommandError: if the versions are others than those that were read.
    """
    began = time.monotonic()
    try:
        after = change(before)
    except ChangedMeanwhileError:
        now = desk.store.alias()
        if (now.stable, now.canary) != (before.stable, before.canary):
            raise CommandError(_moved(desk, now)) from None
        before = now
        try:
            after = change(before)
        except ChangedMeanwhileError:
            raise CommandError(_moved(desk, desk.store.alias())) from None
    return before, after, time.monotonic() - began


def _moved(desk: ReleaseDesk, now: Alias) -> str:
    has = f", and {now.canary} has {now.share}" if now.canary else ""
    return (
        f"somebody else is changing the alias at this moment: version {now.stable} is the stable one now{has}; nothing was "
        f"done. Look again: {desk.command('status')}"
    )


def _stop(desk: ReleaseDesk, alias: Alias, *, error: Callable[[Run], str], cause: str) -> list[Run]:
    """End what is under way.

    Raises:
        CommandError: if it cannot be ended, though the alias has been changed.
    """
    try:
        running = desk.store.running()
        for run in running:
            desk.store.stop(run, error=error(run), cause=cause)
    except (BotoCoreError, ClientError) as refused:
        raise CommandError(
            f"version {alias.stable} has every request now, but the release could not be ended; it ends by itself when it "
            f"looks at the alias next. {explain(refused)}"
        ) from None
    return running


def _stable_before(before: Alias, alias: Alias, ended: Sequence[Run]) -> str:
    """The stable version before somebody else promoted another one; empty if nobody has.

    Args:
        before: the alias as it was first seen.
        alias: as it is.
        ended: releases that were still under way then: a promoted one's, where it was promoted before the alias was seen.
    """
    if alias.stable != before.stable:
        return before.stable
    return next((run.stable for run in ended if run.version == alias.stable and run.stable != alias.stable), "")


def _had(before: Alias, version: str) -> str:
    return f" (it had {before.share})" if before.canary == version else ""


def _nothing_under_way(desk: ReleaseDesk, alias: Alias, what: str) -> str:
    if what == "promote":
        return (
            f"no release is under way: version {alias.stable} has every request. To begin one: {desk.command('start')}; to "
            f"give any version all of them: {desk.command('promote', 'VERSION')}"
        )
    versions = desk.store.versions()
    promoted = next((run for run in desk.store.runs(_LAST) if run.outcome == "promoted"), None)
    if promoted and promoted.version == alias.stable and promoted.stable in {version.number for version in versions}:
        back = desk.command("rollback", "--to", promoted.stable)
    else:
        back = f"{desk.command('rollback', '--to', 'VERSION')}; {published(versions)}"
    return (
        f"no release is under way: version {alias.stable} has every request, so there is nothing to take back. To give an "
        f"earlier version all of them: {back}"
    )
