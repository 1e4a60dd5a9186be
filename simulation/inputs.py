"""What the simulation takes for given. Every figure is stated in docs/scale.md with where it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from lambda_runtime.usage import Usage

DAY = 86_400.0
HOUR = 3_600.0

RANDOM_STATE = 20_261_130
"""Where all random numbers begin: the same figures come out of each run."""

MIDNIGHT = 1_793_404_800.0
"""Of the first simulated day, in seconds since the epoch: 31 October 2026 UTC, when a month's items are at their largest."""

OFFICE_HOURS = (4, 3, 2, 2, 3, 5, 9, 16, 27, 36, 41, 40, 33, 36, 43, 41, 36, 27, 18, 14, 12, 9, 7, 6)
"""Share of each hour in a day's requests: a company of one time zone, with a lunch."""

_USAGE = Usage(input_tokens=1_500, output_tokens=400, cached_tokens=700, cache_write_tokens=300, reasoning_tokens=120)


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """Traffic, and what AWS does not say of Lambda. Times in seconds.

    Args:
        hours: relative share of each of the 24 hours.
        batch_share: share of arrivals that are a batch: an agent, or a job.
        batch_size: requests of a batch, within a second.
        stream_share: share of requests that stream; the others are short JSON calls.
        stream: median and 95th percentile of a stream's time, log-normal.
        call: the same of a JSON call.
        first: the same of a provider's time to the first token.
        usage: tokens of a request; what a prompt cache held and what was thought is counted apart.
        cost: of a request, in billionths of a USD. It decides how many digits the table adds up.
        consumers: how many there are.
        largest_consumer: share of the requests that the largest consumer makes; the others share the rest.
        budget: whether the largest consumer has a budget, which is read before each of its requests. It is never used up.
        models: targets that serve the requests.
        largest_model: share of the most popular one.
        upstreams: whose keys an instance fetches when it starts.
        own_time: what the gateway adds to a request.
        authorizer: time of an authorizer's invocation.
        table_call: time of one call of the table.
        lambda_start: what Lambda needs to have an instance, before any of our code runs.
        init: from the start of our process to its readiness.
        key_fetch: time to fetch one upstream's key, at start.
        authorizer_init: from the start of the authorizer's process to its readiness.
        keep_alive: idle time after which Lambda ends an instance.
        lifetime: after which Lambda replaces an instance that is in use.
        memory_mb: of the function.
        authorizer_memory_mb: of the authorizer.
    """

    hours: tuple[float, ...] = OFFICE_HOURS
    batch_share: float = 0.02
    batch_size: int = 10
    stream_share: float = 0.7
    stream: tuple[float, float] = (6.0, 30.0)
    call: tuple[float, float] = (1.0, 4.0)
    first: tuple[float, float] = (0.6, 2.0)
    usage: Usage = _USAGE
    cost: int = 5_250_000
    consumers: int = 10
    largest_consumer: float = 0.5
    budget: bool = True
    models: int = 3
    largest_model: float = 0.7
    upstreams: int = 2
    own_time: float = 0.001
    authorizer: float = 0.003
    table_call: float = 0.005
    lambda_start: float = 0.2
    init: float = 0.09
    key_fetch: float = 0.03
    authorizer_init: float = 0.12
    keep_alive: float = 600.0
    lifetime: float = 7_200.0
    memory_mb: int = 256
    authorizer_memory_mb: int = 128

    @property
    def start(self) -> float:
        """From the request that needs a new instance of the function to its readiness."""
        return self.lambda_start + self.billed_start

    @property
    def billed_start(self) -> float:
        """The part of it in which our code runs."""
        return self.init + self.upstreams * self.key_fetch

    @property
    def authorizer_start(self) -> float:
        """The same of the authorizer."""
        return self.lambda_start + self.authorizer_init

    @property
    def peak(self) -> float:
        """The busiest hour's rate, in multiples of the day's mean."""
        return max(self.hours) * len(self.hours) / sum(self.hours)

    @property
    def busiest_hour(self) -> int:
        """Which hour it is."""
        return self.hours.index(max(self.hours))


GIVEN = Inputs()
