"""Begins a release by hand: with the state machine, or with a share that stays until it is changed."""

from __future__ import annotations

from gateway_cli.errors import FAILED, MISTAKEN, CommandError
from gateway_cli.release.actions import Done, changed, owned
from gateway_cli.release.desk import ReleaseDesk, published
from gateway_cli.release.model import REPLACED, Alias, Plan, Run, percent
from gateway_cli.release.status import unwatched
from gateway_cli.times import duration_of

_ALL = 100.0


def share_of(text: str) -> float:
    """A share of the requests as operators write it: `5%`, `5`, `0.5%`.

    Returns:
        The share from 0 to 1.

    Raises:
        CommandError: if it is none.
    """
    number, sign = text.removesuffix("%").strip(), text.endswith("%")
    try:
        value = float(number)
    except ValueError:
        value = -1.0
    if not 0 < value < _ALL:
        raise CommandError(
            f"a weight is a percentage above 0 and below 100, as in 5%, got {text!r}; for every request there is 'release "
            "promote', for none 'release rollback'",
            status=MISTAKEN,
        )
    if value < 1 and not sign:
        raise CommandError(f"write {value:g}% or {value * _ALL:g}%: {text!r} could be either", status=MISTAKEN)
    return value / _ALL


def start(desk: ReleaseDesk, version: str | None, *, force: bool, ignore_alarms: bool) -> Done:
    """Let the state machine release a version.

    Args:
        desk: the gateway.
        version: its number. None: the newest one.
        force: whether to begin again where its release is under way.
        ignore_alarms: whether to do it though no alarm would notice that it fails.

    Raises:
        CommandError: if it cannot be released.
    """
    version, alias = _chosen(desk, version)
    if not desk.store.machine:
        raise CommandError(
            f"the gateway has no state machine that could release version {version}: it is not deployed with "
            f"release=Canary(...). To give it a share that stays: {desk.command('start', version, '--weight', '5%')}; to give "
            f"it every request: {desk.command('promote', version)}"
        )
    running = desk.store.running()
    if not force:
        _require_not_running(desk, running, alias, version)
    plan = desk.store.plan()
    if not ignore_alarms:
        _require_watched(desk, plan, alias, version)
    ended = _replace(desk, running, f"version {version} was started by hand")
    replaced = next((run.version for run in ended if run.version != version), None)
    name = desk.store.start(version, stable=alias.stable, replaced=replaced, now=desk.clock())
    told = [f"The release of version {version} has begun ({name}): {_plan(plan)}."]
    if replaced:
        told.append(f"It replaces that of version {replaced}; version {alias.stable} stays the stable one.")
    told.append(f"To watch it: {desk.command('status')}; to take its requests back: {desk.command('rollback')}")
    return Done(before=alias, alias=alias, ended=ended, told=told, started=name)


def set_weight(desk: ReleaseDesk, version: str | None, weight: float, *, force: bool) -> Done:
    """Give a version a share of the requests, by hand.

    Args:
        desk: the gateway.
        version: its number. None: the newest one.
        weight: the share, above 0 and below 1.
        force: whether to do it though its release is under way, which ends with it.

    Raises:
        CommandError: if it cannot be given one.
    """
    version, alias = _chosen(desk, version)
    running = desk.store.running()
    if not force:
        _require_not_running(desk, running, alias, version)
    # First, since it would set the share again that its plan says.
    ended = _replace(desk, running, f"version {version} was given {percent(weight)} by hand")

    def change(now: Alias) -> Alias:
        return desk.store.set_alias(weights={version: weight}, revision=now.revision)

    before, alias, seconds = changed(desk, alias, change)
    told = [f"Version {version} has {percent(weight)} of the requests now, and {alias.stable} has the others."]
    if before.canary and before.canary != version:
        told.append(f"Version {before.canary}, which had {before.share}, has none any more.")
    if desk.store.machine:
        told.append("It keeps this share until you change it; an alarm that rings takes it back, and nothing promotes it.")
    else:
        told.append("It keeps this share until you change it: nothing watches it, and nothing promotes it.")
    told.append(f"To give it every request: {desk.command('promote')}; to take its requests back: {desk.command('rollback')}")
    return Done(before=before, alias=alias, ended=ended, told=[*told, *owned(desk)], seconds=seconds)


def _chosen(desk: ReleaseDesk, version: str | None) -> tuple[str, Alias]:
    """The version that is meant, and what the alias is."""
    versions = desk.store.versions()
    if not versions or (version and version not in {one.number for one in versions}):
        what = f"the function {desk.store.function} has no version {version!r}" if version else "no version can be released"
        raise CommandError(f"{what}; {published(versions)}", status=MISTAKEN if version else FAILED)
    chosen, alias = version or versions[0].number, desk.store.alias()
    if chosen == alias.stable:
        newest = "" if version else ", and the newest one"
        ending = f"; to end the release of {alias.canary}: {desk.command('rollback')}" if alias.canary else ""
        raise CommandError(
            f"version {chosen} is the stable one{newest}: there is nothing to release. Deploy a change, or name another "
            f"version; {published(versions)}{ending}"
        )
    return chosen, alias


def _require_not_running(desk: ReleaseDesk, running: list[Run], alias: Alias, version: str) -> None:
    """Refuse to disturb a version's own release."""
    run = next((run for run in running if run.version == version), None)
    if run:
        has = f"has {alias.share} of the requests" if alias.canary == version else "is about to get its first share"
        raise CommandError(
            f"the release of version {version} is under way, since {duration_of(desk.clock() - run.started)}, and the version "
            f"{has}; {desk.command('status')} shows what comes next, and --force ends it and begins anew"
        )


def _require_watched(desk: ReleaseDesk, plan: Plan, alias: Alias, version: str) -> None:
    """Refuse to release a version whose failing nobody would notice."""
    why = unwatched(plan, desk.store.alarms(plan.own_alarms), version=version, stable=alias.stable)
    if why:
        raise CommandError(
            f"{why}. A deployment makes them fit. To release it all the same: {desk.command('start', version, '--unwatched')}; "
            f"to give it a share that stays, and look at it yourself: {desk.command('start', version, '--weight', '5%')}"
        )


def _replace(desk: ReleaseDesk, running: list[Run], why: str) -> list[Run]:
    for run in running:
        desk.store.stop(run, error=REPLACED, cause=why)
    return running


def _plan(plan: Plan) -> str:
    steps = [f"{percent(step.weight)} for {duration_of(step.seconds)}" for step in plan.steps]
    return ", then ".join([*steps, "every request"])
