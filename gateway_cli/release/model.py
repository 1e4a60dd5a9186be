"""What is known of a gateway's releases."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway_cli.local.alarms.definitions import NAMESPACE as PACKED

RINGS = "ALARM"
"""State of an alarm that rings."""

ROLLED_BACK, PROMOTED, REPLACED = "RolledBack", "Promoted", "Replaced"
"""Errors with which executions are ended: the state machines', the deployment's and the commands'."""

_STABLE = "stable_"
"""How the ids of an alarm's metrics begin that are those of the stable version."""

_VERSION = frozenset({"Version", "ExecutedVersion"})
"""Dimensions whose value is a version."""

_OUTCOMES = {
    ("SUCCEEDED", "promoted"): "promoted",
    ("SUCCEEDED", "replaced"): "replaced",
    ("SUCCEEDED", "stable already"): "stable already",
    ("ABORTED", PROMOTED): "promoted",
    ("ABORTED", REPLACED): "replaced",
    ("ABORTED", ROLLED_BACK): "rolled back",
    ("FAILED", ROLLED_BACK): "rolled back",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Alias:
    """Which versions get the requests.

    Args:
        stable: the version that gets what the canary leaves.
        canary: the version that gets a share, or None.
        weight: that share, 0 to 1.
        revision: AWS's id of this state of things.
    """

    stable: str
    canary: str | None = None
    weight: float = 0.0
    revision: str = ""

    @property
    def share(self) -> str:
        """The canary's share, for people."""
        return percent(self.weight)


@dataclass(frozen=True, kw_only=True, slots=True)
class Version:
    """A published version.

    Args:
        number: of it.
        published: when, in seconds since the epoch.
        code: digest of its code, base64.
        description: what its maker says of it.
    """

    number: str
    published: float
    code: str
    description: str


@dataclass(frozen=True, slots=True)
class Step:
    """A share of the requests, and for how long a canary has it.

    Args:
        weight: above 0 and below 1.
        seconds: how long.
    """

    weight: float
    seconds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What a gateway's state machine does with a version.

    Args:
        steps: in order; after the last one the version gets every request.
        own_alarms: names of the alarms that watch the new version.
        alarms: names of all that take the requests back.
    """

    steps: Sequence[Step] = ()
    own_alarms: Sequence[str] = ()
    alarms: Sequence[str] = ()

    @classmethod
    def of(cls, definition: str) -> Plan:
        """The plan in a state machine's definition; an empty one if another version of the construct wrote it otherwise."""
        try:
            states = json.loads(definition)["States"]
            return cls(
                steps=[Step(step["weight"], step["lasts"]) for step in states["Plan"]["Assign"]["plan"]],
                own_alarms=states["Put the alarms to rest"]["Items"],
                alarms=states["Look at the alarms"]["Arguments"]["AlarmNames"],
            )
        except (KeyError, TypeError, ValueError):
            return cls()

    def step_of(self, weight: float) -> int | None:
        """Which step has a share, beginning at 0; None if none has."""
        return next((index for index, step in enumerate(self.steps) if abs(step.weight - weight) < 1e-6), None)  # noqa: PLR2004


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """An execution of the state machine: the release of a version.

    Args:
        arn: of it.
        name: of it.
        version: that is released; empty if it does not say.
        stable: the stable version when it began; empty if it does not say.
        replaced: the version whose release it has replaced; empty if there was none.
        status: Step Functions' word.
        started: when, in seconds since the epoch.
        ended: when, or None.
        error: with which it ended, or its output's outcome.
        cause: why it ended.
    """

    arn: str
    name: str
    version: str
    stable: str
    replaced: str
    status: str
    started: float
    ended: float | None
    error: str
    cause: str

    @property
    def outcome(self) -> str:
        """What became of it: `under way`, `promoted`, `replaced`, `rolled back`, `stable already`, `failed`, `stopped`."""
        if self.status == "RUNNING":
            return "under way"
        otherwise = "stopped" if self.status == "ABORTED" else "promoted" if self.status == "SUCCEEDED" else "failed"
        return _OUTCOMES.get((self.status, self.error), otherwise)

    @property
    def because(self) -> str:
        """Why, for people; empty where the outcome says all."""
        if self.outcome != "failed":
            return self.cause
        return ": ".join(part for part in (self.error, self.cause) if part and part != "ReleaseFailed")


@dataclass(frozen=True, kw_only=True, slots=True)
class Alarm:
    """An alarm that takes requests back.

    Args:
        name: of it.
        state: `OK`, `ALARM` or `INSUFFICIENT_DATA`.
        since: when it began to be so, in seconds since the epoch, or None.
        watches: versions that it is about.
        compares: versions that it compares these with.
    """

    name: str
    state: str
    since: float | None
    watches: frozenset[str]
    compares: frozenset[str]

    @classmethod
    def of(cls, alarm: Mapping[str, Any]) -> Alarm:
        """An alarm as CloudWatch describes it."""
        versions = list(_versions(alarm))
        since = alarm.get("StateTransitionedTimestamp") or alarm.get("StateUpdatedTimestamp")
        return cls(
            name=alarm["AlarmName"],
            state=alarm["StateValue"],
            since=since.timestamp() if since else None,
            watches=frozenset(version for stable, version in versions if not stable),
            compares=frozenset(version for stable, version in versions if stable),
        )


def percent(weight: float) -> str:
    """A share from 0 to 1 as a percentage."""
    return f"{weight * 100:g} %"


def _versions(alarm: Mapping[str, Any]) -> Iterator[tuple[bool, str]]:
    """Each version that an alarm's metrics are of, and whether it is the stable one."""
    metrics = alarm.get("Metrics") or []
    if alarm.get("Namespace") == PACKED:
        # The embedded AWS does not take metric math.
        metrics = json.loads(alarm["AlarmDescription"])["Metrics"]
    told = [(query["Id"], query["MetricStat"]["Metric"].get("Dimensions") or []) for query in metrics if "MetricStat" in query]
    for id_, dimensions in [*told, ("", alarm.get("Dimensions") or [])]:
        for dimension in dimensions:
            if dimension["Name"] in _VERSION:
                yield id_.startswith(_STABLE), str(dimension["Value"])
