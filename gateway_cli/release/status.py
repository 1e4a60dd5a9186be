"""What stands where in a gateway's releases, and what does not fit together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway_cli.release.desk import ReleaseDesk
from gateway_cli.release.model import RINGS, Alarm, Alias, Plan, Run, Version
from gateway_cli.times import duration_of

RUNS = 5
"""Releases that are shown."""

VERSIONS = 5
"""Versions that are shown."""

_PATIENCE = 60.0
"""Seconds within which a release has given its first share."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Coming:
    """What a release is going to do.

    Args:
        weight: the share that the version is going to have; 1 when it is promoted.
        at: about when, in seconds since the epoch.
    """

    weight: float
    at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """What stands where.

    Args:
        alias: which versions get the requests.
        plan: of the release that is under way, or of the next one.
        runs: the last releases, the newest first.
        alarms: that take requests back.
        versions: the newest ones.
        findings: what does not fit together, each with its way out.
    """

    alias: Alias
    plan: Plan
    runs: Sequence[Run]
    alarms: Sequence[Alarm]
    versions: Sequence[Version]
    findings: Sequence[str]

    @property
    def run(self) -> Run | None:
        """The release that is under way."""
        return next((run for run in self.runs if run.outcome == "under way"), None)

    @property
    def stable_since(self) -> float | None:
        """When the stable version was promoted; None if it is not known, as where a command has moved all requests since."""
        promoted = next((run for run in self.runs if run.outcome == "promoted"), None)
        return promoted.ended if promoted and promoted.version == self.alias.stable else None

    @property
    def step(self) -> int | None:
        """Which step of its plan the release is at, beginning at 0."""
        fits = self.run and self.run.version == self.alias.canary
        return self.plan.step_of(self.alias.weight) if fits else None

    @property
    def coming(self) -> list[Coming]:
        """What the release that is under way is going to do if no alarm rings."""
        run, step = self.run, self.step
        if run is None or step is None:
            return []
        found, at = [], run.started
        for index, done in enumerate(self.plan.steps):
            at += done.seconds
            if index >= step:
                following = self.plan.steps[index + 1].weight if index + 1 < len(self.plan.steps) else 1.0
                found.append(Coming(weight=following, at=at))
        return found


def read_status(desk: ReleaseDesk) -> Status:
    """Look at everything.

    Raises:
        CommandError: if the function has no alias.
        ClientError: if AWS refuses to tell.
    """
    store = desk.store
    alias, runs = store.alias(), store.runs(RUNS)
    run = next((run for run in runs if run.outcome == "under way"), None)
    plan = store.plan(run)
    alarms = store.alarms(plan.alarms)
    return Status(
        alias=alias,
        plan=plan,
        runs=runs,
        alarms=alarms,
        versions=store.versions()[:VERSIONS],
        findings=list(_findings(desk, alias, plan, runs, alarms)),
    )


def unwatched(plan: Plan, alarms: Sequence[Alarm], *, version: str, stable: str) -> str:
    """Why a gateway's alarms would not take a version back; empty if they would.

    Args:
        plan: of the release.
        alarms: those of the plan that exist.
        version: the new one.
        stable: the one that it is compared with.
    """
    own = [alarm for alarm in alarms if alarm.name in plan.own_alarms]
    if len(own) < len(plan.own_alarms):
        gone = sorted(set(plan.own_alarms) - {alarm.name for alarm in own})
        return f"alarms of the gateway are missing: {', '.join(gone)}"
    watched = frozenset[str]().union(*(alarm.watches for alarm in own))
    compared = frozenset[str]().union(*(alarm.compares for alarm in own))
    if watched and version not in watched:
        return f"the alarms watch version {_or(watched)}, not {version}: nothing would notice that {version} fails"
    if compared and stable not in compared:
        return (
            f"the alarms compare with version {_or(compared)}, but {stable} is the stable one: only crashes of {version} would "
            "be noticed"
        )
    return ""


def _findings(desk: ReleaseDesk, alias: Alias, plan: Plan, runs: Sequence[Run], alarms: Sequence[Alarm]) -> Iterator[str]:
    running = [run for run in runs if run.outcome == "under way"]
    ending = desk.command("rollback")
    if len(running) > 1:
        named = ", ".join(f"version {run.version} ({run.name})" for run in running)
        yield f"several releases are under way: {named}; end them: {ending}"
    if alias.canary and desk.store.machine and not running:
        yield (
            f"version {alias.canary} has {alias.share} of the requests, and no release is under way that would promote it or "
            f"take them back: {desk.command('promote')}, or {ending}"
        )
    for run in running:
        took = desk.clock() - run.started
        if alias.canary is None and took > _PATIENCE:
            yield (
                f"the release of version {run.version} has been under way for {duration_of(took, units=1)}, and the version "
                f"has no requests: somebody has taken them; end it: {ending}"
            )
        elif alias.canary and run.version != alias.canary:
            yield f"version {run.version} is being released, but {alias.canary} has {alias.share} of the requests: {ending}"
    if alias.canary and desk.store.machine:
        why = unwatched(plan, alarms, version=alias.canary, stable=alias.stable)
        if why:
            yield f"{why}; {desk.command('promote')}, or {ending}"
        for alarm in alarms:
            if alarm.state == RINGS:
                has = f"version {alias.canary} still has {alias.share} of the requests"
                yield f"the alarm {alarm.name} rings, and {has}: {ending}"


def _or(versions: frozenset[str]) -> str:
    return " and ".join(sorted(versions, key=int))
