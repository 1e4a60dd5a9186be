"""What one run of the simulation simulates, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway_prices.quotas import CONCURRENCY
from lambda_runtime.config import Timeouts
from simulation.arrivals import Burst
from simulation.fault import Fault
from simulation.inputs import GIVEN, Inputs
from simulation.lambda_pool import Refused
from simulation.levels import Levels, percentile
from simulation.metering import Meter, Traffic


class Shift:
    """Which share of the requests goes to the new version, from when on.

    Args:
        steps: times and shares, in order.
    """

    def __init__(self, *steps: tuple[float, float]) -> None:
        self._steps = steps

    def share(self, now: float) -> float:
        """The new version's share now."""
        return next((share for since, share in reversed(self._steps) if since <= now), 0.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """What is simulated. Times in seconds of the simulation, which begins at midnight.

    Args:
        requests_a_day: how many.
        start: from when.
        count_from: from when it counts; before, the instances that serve are started.
        end: until when requests come.
        concurrency: the account's quota. Default: AWS's.
        inputs: what is taken for given.
        burst: more requests for a while. Default: none.
        fault: an upstream that fails. Default: none does.
        shift: a deployment. Default: there is none.
        timeouts: how long the gateway waits for an upstream. Default: the gateway's own defaults.
        told_at_once: whether an attempt that fails is counted while the next one is made. Default: as the gateway does it,
            after the answer has ended.
    """

    requests_a_day: float
    start: float
    count_from: float
    end: float
    concurrency: int = CONCURRENCY
    inputs: Inputs = GIVEN
    burst: Burst | None = None
    fault: Fault | None = None
    shift: Shift = field(default_factory=Shift)
    timeouts: Timeouts = field(default_factory=Timeouts)
    told_at_once: bool = False


@dataclass(slots=True)
class Version:
    """What one version of the function did.

    Attributes:
        served: requests that it took.
        cold: those that waited for a new instance.
        first_token: seconds to a stream's first token, as the client sees them.
        warm: the same of those that waited for no new instance.
    """

    served: int = 0
    cold: int = 0
    first_token: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Result:
    """What came out.

    Attributes:
        requests: that came.
        refused: those that Lambda did not take, by reason.
        failed: those for which no upstream answered.
        late: seconds to the first byte of requests that met a failing upstream.
        billed: seconds of the function for which Lambda is paid.
        authorizer_billed: the same of the authorizer.
        failed_attempts: at upstreams: when each began.
        probes: of half-open upstreams.
        versions: the stable and the new one.
        executions: of both functions at the same time, in the day's busiest hours.
        instances: of the function, in the same hours.
        started: instances that were started.
        spare: how many more could have been started, when that was least.
        authorizers_started: the same of the authorizer.
        meter: the table's traffic.
        lines: times of log lines beside the requests', by what they say.
        arrivals: requests second by second.
        told: answers whose usage instances were told, those of the time before it counts included.
        counted: those that the table has counted when all is over.
        usage_size: bytes of the largest item of usage.
    """

    requests: int = 0
    refused: dict[Refused, int] = field(default_factory=lambda: dict.fromkeys(Refused, 0))
    failed: int = 0
    late: list[float] = field(default_factory=list)
    billed: float = 0.0
    authorizer_billed: float = 0.0
    failed_attempts: list[float] = field(default_factory=list)
    probes: int = 0
    versions: tuple[Version, Version] = field(default_factory=lambda: (Version(), Version()))
    executions: Levels = field(default_factory=Levels)
    instances: Levels = field(default_factory=Levels)
    started: int = 0
    spare: int = 0
    authorizers_started: int = 0
    meter: Meter = field(default_factory=Meter)
    lines: dict[str, list[float]] = field(default_factory=dict)
    arrivals: Traffic = field(default_factory=Traffic)
    told: int = 0
    counted: int = 0
    usage_size: int = 0

    @property
    def served(self) -> int:
        """Requests that an instance took."""
        return sum(version.served for version in self.versions)

    @property
    def cold(self) -> int:
        """Those that waited for a new instance of the function."""
        return sum(version.cold for version in self.versions)

    @property
    def refusals(self) -> int:
        """Requests that Lambda did not take."""
        return sum(self.refused.values())

    def first_token_at(self, percent: float, *, warm: bool = False) -> float:
        """Seconds to the first token that so many percent of the streams do not exceed.

        Args:
            percent: from 0 to 100.
            warm: whether those that waited for a new instance are left out. Default: all.
        """
        lists = [version.warm if warm else version.first_token for version in self.versions]
        return percentile([seconds for each in lists for seconds in each], percent)
