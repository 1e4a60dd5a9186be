"""The whole estimate: from what is asked to every figure that is shown. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gateway_cli.estimate.concurrency import Concurrency, concurrency
from gateway_cli.estimate.containers import VARIANTS, Capacity, Containers
from gateway_cli.estimate.crossover import Cost, crossover
from gateway_cli.estimate.inference import Inference, ModelShare, inference_usd, monthly_inference, request_usd
from gateway_cli.estimate.quotas import Quota, quotas
from gateway_prices.aws import METRIC_MONTH
from gateway_prices.bill import Line, total
from gateway_prices.gateway_cost import monthly_lines
from gateway_prices.traffic import DAYS, Deployment, Traffic
from lambda_runtime.config.prices import Price

MONTHS = 12
SMALLEST_MB = 128
_STEP, _MILLION = 0.01, 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What an estimate is made of.

    Args:
        traffic: what is asked of the gateway.
        deployment: what it is made of.
        models: which models answer.
        capacity: of containers. Default: as assumed there.
        today_price: what tokens cost today. Default: as much as with the gateway.
        today_infrastructure: USD a month that are paid today besides. Default: not known; where a `today_price` is, 0.
    """

    traffic: Traffic
    deployment: Deployment
    models: Sequence[ModelShare]
    capacity: Capacity = field(default_factory=Capacity)
    today_price: Price | None = None
    today_infrastructure: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Savings:
    """What is paid today beside what will be, in USD a month.

    Args:
        today_inference: for tokens.
        today_infrastructure: for everything else.
        inference: for tokens through the gateway.
        aws: for the gateway.
    """

    today_inference: float
    today_infrastructure: float
    inference: float
    aws: float

    @property
    def today(self) -> float:
        """All that is paid today."""
        return self.today_inference + self.today_infrastructure

    @property
    def then(self) -> float:
        """All that will be paid."""
        return self.inference + self.aws

    @property
    def month(self) -> float:
        """Saved in a month; negative if it becomes dearer."""
        return self.today - self.then

    @property
    def year(self) -> float:
        """Saved in a year."""
        return self.month * MONTHS

    @property
    def share(self) -> float | None:
        """Of what is paid today; None where nothing is."""
        return self.month / self.today if self.today else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """The same traffic through containers.

    Args:
        containers: which.
        usd: what they cost in a month.
        idle_usd: what they cost without a request.
        tasks: that run on average.
        tasks_at_peak: that the busiest minutes take.
        cheaper_from: requests a day from which they are cheaper than the gateway. None: never.
        cheaper_from_smallest: the same if the gateway's function had the least memory.
    """

    containers: Containers
    usd: float
    idle_usd: float
    tasks: float
    tasks_at_peak: int
    cheaper_from: float | None
    cheaper_from_smallest: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """All figures. Every one is an estimate.

    Args:
        asked: what for.
        bill: of AWS, in a month.
        aws_usd: what that comes to.
        idle_usd: what it comes to without a request.
        fixed_usd: what it comes to before the first request is counted, its metrics included.
        million_usd: what a million more requests cost at this traffic.
        inference: of each model.
        inference_usd: what that comes to.
        savings: against what is paid today; None if that is not known.
        concurrency: requests under way.
        quotas: that they need.
        compared: with containers.
    """

    asked: Asked
    bill: Sequence[Line]
    aws_usd: float
    idle_usd: float
    fixed_usd: float
    million_usd: float
    inference: Sequence[Inference]
    inference_usd: float
    savings: Savings | None
    concurrency: Concurrency
    quotas: Sequence[Quota]
    compared: Sequence[Compared]


def estimate(asked: Asked) -> Estimate:
    """Make an estimate of what is asked."""
    bill = monthly_lines(asked.traffic, asked.deployment)
    inference = monthly_inference(asked.traffic, asked.models)
    aws_usd, tokens_usd = total(bill), inference_usd(inference)
    idle_usd = gateway_cost(asked.traffic, asked.deployment)(0)
    return Estimate(
        asked=asked,
        bill=bill,
        aws_usd=aws_usd,
        idle_usd=idle_usd,
        fixed_usd=idle_usd + asked.deployment.metrics * METRIC_MONTH,
        million_usd=_million_usd(asked),
        inference=inference,
        inference_usd=tokens_usd,
        savings=_savings(asked, tokens_usd, aws_usd),
        concurrency=concurrency(asked.traffic, asked.deployment),
        quotas=quotas(asked.traffic, asked.deployment),
        compared=[_compared(asked, containers) for containers in VARIANTS],
    )


def gateway_cost(traffic: Traffic, deployment: Deployment) -> Cost:
    """What the gateway costs in a month, by the requests a day."""
    return lambda requests: total(monthly_lines(replace(traffic, requests_per_day=requests), deployment))


def containers_cost(traffic: Traffic, containers: Containers, capacity: Capacity) -> Cost:
    """What containers cost in a month, by the requests a day."""
    return lambda requests: containers.usd(replace(traffic, requests_per_day=requests), capacity)


def _million_usd(asked: Asked) -> float:
    """What a million more requests cost, by a small step from here. Metrics are left out, being fixed but for a few."""
    cost = gateway_cost(asked.traffic, replace(asked.deployment, metrics=0))
    here = asked.traffic.requests_per_day
    step = max(1.0, here * _STEP)
    return (cost(here + step) - cost(here)) / (step * DAYS) * _MILLION


def _compared(asked: Asked, containers: Containers) -> Compared:
    there = containers_cost(asked.traffic, containers, asked.capacity)
    smallest = replace(asked.deployment, memory_mb=SMALLEST_MB)
    return Compared(
        containers=containers,
        usd=there(asked.traffic.requests_per_day),
        idle_usd=there(0),
        tasks=containers.tasks(asked.traffic, asked.capacity),
        tasks_at_peak=containers.tasks_at_peak(asked.traffic, asked.capacity),
        cheaper_from=crossover(gateway_cost(asked.traffic, asked.deployment), there),
        cheaper_from_smallest=crossover(gateway_cost(asked.traffic, smallest), there),
    )


def _savings(asked: Asked, tokens_usd: float, aws_usd: float) -> Savings | None:
    if asked.today_price is None and asked.today_infrastructure is None:
        return None
    today = tokens_usd
    if asked.today_price is not None:
        today = asked.traffic.requests * request_usd(asked.traffic, asked.today_price)
    return Savings(
        today_inference=today,
        today_infrastructure=asked.today_infrastructure or 0.0,
        inference=tokens_usd,
        aws=aws_usd,
    )
