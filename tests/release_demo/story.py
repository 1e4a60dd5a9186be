"""The two stories: a new version that fails and is taken back, and one that is promoted."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.release_demo.load import Load
from tests.release_demo.plan import RAMP
from tests.release_demo.record import SETTLED, Answered, Phase, Record, Shares, seen
from tests.release_demo.versions import Project

DEPLOYED_WITHIN = 60.0
ROLLED_BACK_WITHIN = 60.0
"""Seconds from the first request that fails to the last one that the version gets: what is promised."""

_DEVIATIONS = 5.5
"""Standard deviations that chance exceeds less than once in 10,000,000 runs."""

_LATE = 2
"""Requests that may still follow what the alias said before."""


def percent(weight: float) -> str:
    """A weight in words."""
    return f"{weight * 100:.0f} %"


class Measured(NamedTuple):
    """A phase of a release.

    Args:
        weight: that the alias gave.
        count: requests that the new version has answered.
        total: all of them.
    """

    weight: float
    count: int
    total: int

    def __str__(self) -> str:
        return f"{self.count} of {self.total} ({100 * self.count / max(self.total, 1):.1f} %)"

    @property
    def plausible(self) -> bool:
        """Whether chance explains what the count is beside the weight."""
        spread = _DEVIATIONS * math.sqrt(self.total * self.weight * (1 - self.weight))
        return self.total > 0 and abs(self.count - self.total * self.weight) <= spread + _LATE


@dataclass(kw_only=True, slots=True)
class Release:
    """What a release has come to.

    Args:
        version: that was released.
        facts: words and figures.
        wrong: what is not as it must be.
    """

    version: str
    facts: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def must(self, condition: bool, words: str) -> None:
        """Note what is wrong unless a condition holds."""
        if not condition:
            self.wrong.append(f"version {self.version}: {words}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """Where the stories take place.

    Args:
        project: is changed and synthesized.
        record: what happens.
        load: who asks.
        say: prints a line with the time.
        scale: by how much Step Functions' waiting is shortened.
    """

    project: Project
    record: Record
    load: Load
    say: Callable[[str], None]
    scale: float

    def deploy(self, what: str, bake: int) -> tuple[Release, float, int]:
        """Change the code, synthesize, and wait for the canary.

        Returns:
            The release, when it began, and how many lines had been printed before.
        """
        lines, began = self.record.lines, time.time()
        self.say(f"the code is changed ({what}), and synthesized")
        self.project.synthesize(what, bake)
        self.record.wait_until(lambda: self.record.printed("is deployed.", lines) is not None, DEPLOYED_WITHIN, "deployment")
        self.record.wait_until(lambda: bool(self.record.shares.weights), DEPLOYED_WITHIN, "a canary")
        ((version, weight),) = self.record.shares.weights
        self.say(f"deployed: version {version} gets {percent(weight)} of the requests")
        return Release(version=version), began, lines

    def fails(self, bake: int) -> Release:
        """A version with a bug."""
        stable = self.record.shares.version
        release, began, lines = self.deploy("failing", bake)
        record, version = self.record, release.version

        def failed() -> list[Answered]:
            return [one for one in record.answered(began) if one.failed]

        record.wait_until(lambda: bool(failed()), DEPLOYED_WITHIN, "a request that fails")
        first = failed()[0].moment
        self.say(f"the first request fails, of version {failed()[0].version}")
        rang = record.wait_until(lambda: record.printed(" rings: ", lines) is not None, ROLLED_BACK_WITHIN, "an alarm")
        self.say((record.printed(" rings: ", lines) or "").removeprefix("note: "))
        back = record.wait_until(lambda: record.shares == Shares(stable), ROLLED_BACK_WITHIN, "the rollback")
        self.say(f"the alias gives every request to version {stable} again")
        record.wait_until(lambda: time.time() > back + 2 * SETTLED, DEPLOYED_WITHIN, "the last request")
        of_version = [one for one in record.answered(began) if one.version == version]
        last = of_version[-1].moment
        self.say(f"the last request of version {version} was answered {max(0.0, last - back):.1f} s after that")
        shares = self._measured(version, record.phases(began))
        release.facts = {
            f"weight {percent(shares[0].weight)}": str(shares[0]),
            "first failure to alarm": f"{rang - first:.1f} s",
            "alarm to rollback": f"{back - rang:.1f} s",
            "first failure to last request": f"{last - first:.1f} s",
            "failed requests": f"{len(failed())} of {len(record.answered(began))}",
            "end": f"rolled back to version {stable}",
        }
        release.must(shares[0].plausible, f"{shares[0]} is not {percent(shares[0].weight)}")
        release.must(last - first < ROLLED_BACK_WITHIN, f"it took {last - first:.1f} s until its last request")
        release.must({one.version for one in failed()} == {version}, "requests of other versions failed, too")
        release.must(self.load.statuses.keys() <= {200, 500}, f"clients saw {dict(self.load.statuses)}")
        release.must(record.shares == Shares(stable), "the alias is not what it was")
        return release

    def succeeds(self, bake: int, ramp: float) -> Release:
        """The same without the bug.

        Args:
            bake: seconds of the first share, before they are shortened.
            ramp: seconds of all others together.
        """
        stable = self.record.shares.version
        release, began, lines = self.deploy("good", bake)
        record, version = self.record, release.version
        patience = DEPLOYED_WITHIN + (bake + ramp) * self.scale
        for weight in RAMP:
            expected = Shares(stable, ((version, weight),))
            record.wait_until(lambda expected=expected: record.shares in (expected, Shares(stable)), patience, percent(weight))  # type: ignore[misc]
            if record.shares == Shares(stable):
                release.must(condition=False, words=f"it was taken back before it had {percent(weight)}")
                return release
            self.say(f"version {version} gets {percent(weight)}")
        record.wait_until(lambda: record.shares == Shares(version), patience, "the promotion")
        self.say(f"version {version} is promoted: it gets every request")
        promoted = time.time()
        record.wait_until(lambda: time.time() > promoted + 3 * SETTLED, DEPLOYED_WITHIN, "the last request of the old version")
        shares = self._measured(version, record.phases(began))
        answered = record.answered(began)
        late = [one for one in answered if one.moment > promoted + 2 * SETTLED and one.version != version]
        release.facts = {
            **{f"weight {percent(one.weight)}": str(one) for one in shares},
            "failed requests": f"{sum(one.failed for one in answered)} of {len(answered)}",
            "end": f"promoted after {promoted - began:.0f} s",
        }
        release.must(
            [one.weight for one in shares] == [self.project.weight, *RAMP],
            f"it had the weights {[one.weight for one in shares]}",
        )
        for one in shares:
            release.must(one.plausible, f"{one} is not {percent(one.weight)}")
        release.must(not any(one.failed for one in answered), "requests failed")
        release.must(not late, f"{len(late)} requests went to the old version after the promotion")
        release.must(record.printed(" rings: ", lines) is None, "an alarm rang")
        return release

    def _measured(self, version: str, phases: list[Phase]) -> list[Measured]:
        return [
            Measured(dict(phase.shares.weights)[version], *self.record.share(version, phase)) for phase in seen(phases, version)
        ]
