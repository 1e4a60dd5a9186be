"""The same traffic through containers, for comparison: LiteLLM as AWS's guidance deploys it, and a relay that is nothing else.

Wherever there is a choice, containers get the cheaper side: their number follows the load, as if scaling took no time; a task
holds any number of open streams; nothing is charged for alarms, metrics and images; the guidance's logs are within what it
states.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from gateway_prices import aws
from gateway_prices.aws import HOURS
from gateway_prices.bill import tiered
from gateway_prices.traffic import GB, LINE_BYTES, Traffic

UTILISATION = 0.6
"""Of a task's CPU, when their number follows the load."""

TASK_REQUESTS = 70.0
"""Requests a second of one vCPU. LiteLLM publishes 1,170 on four instances of 4 vCPU, which is 73."""

TASK_EVENTS = 5_000.0
"""Events of streams a second of one vCPU: an assumption, 0.2 ms for each."""

_BALANCER_ADDRESSES = 2
_SMALL_VCPU, _SMALL_GB, _SMALL_TASKS = 0.5, 1.0, 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Capacity:
    """What a vCPU of a task can do.

    Args:
        requests: a second. Default: `TASK_REQUESTS`.
        events: of streams, a second. Default: `TASK_EVENTS`.
    """

    requests: float = TASK_REQUESTS
    events: float = TASK_EVENTS

    def busy(self, traffic: Traffic) -> float:
        """How many vCPU the traffic keeps busy, on average."""
        return traffic.rate * (1 / self.requests + traffic.stream_share * traffic.output_tokens / self.events)


@dataclass(frozen=True, kw_only=True, slots=True)
class Containers:
    """A gateway in containers.

    Args:
        name: for scripts.
        label: for people.
        vcpu: of a task.
        memory_gb: of a task.
        least: tasks that always run.
        fixed_usd: what is paid besides tasks, whatever the traffic.
        gb_out: GB that leave for the internet and are in that.
        balanced_gb: GB through the load balancer that are in it.
        nat: whether tasks reach upstreams through a NAT gateway; otherwise each has an address of its own.
        logs: whether their logs are charged for.
    """

    name: str
    label: str
    vcpu: float
    memory_gb: float
    least: int
    fixed_usd: float
    gb_out: float = 0
    balanced_gb: float = 0
    nat: bool = False
    logs: bool = False

    @property
    def task_usd(self) -> float:
        """What a task costs in a month."""
        return _task_usd(self.vcpu, self.memory_gb, nat=self.nat)

    def tasks(self, traffic: Traffic, capacity: Capacity) -> float:
        """How many tasks run, on average."""
        return max(self.least, self._busy(traffic, capacity))

    def tasks_at_peak(self, traffic: Traffic, capacity: Capacity) -> int:
        """How many tasks the busiest minutes take."""
        return max(self.least, math.ceil(self._busy(traffic, capacity) * traffic.peak_factor))

    def _busy(self, traffic: Traffic, capacity: Capacity) -> float:
        """How many tasks the traffic takes on average, if there may be any number of them."""
        return capacity.busy(traffic) / (self.vcpu * UTILISATION)

    def usd(self, traffic: Traffic, capacity: Capacity) -> float:
        """What all of it costs in a month.

        Args:
            traffic: what is asked of it.
            capacity: what a vCPU can do.
        """
        answers, asked = traffic.requests * traffic.response_bytes / GB, traffic.requests * traffic.request_bytes / GB
        through = max(0.0, answers + asked - self.balanced_gb)
        out = max(0.0, traffic.gb_out - self.gb_out)
        return math.fsum(
            (
                self.fixed_usd,
                self.tasks(traffic, capacity) * self.task_usd,
                through * aws.LOAD_BALANCER_UNIT_HOUR,  # a unit is a GB an hour
                tiered(out, aws.TRANSFER_TIERS),
                max(0.0, answers + asked - self.gb_out) * aws.NAT_GATEWAY_GB if self.nat else 0.0,
                traffic.requests * LINE_BYTES / GB * aws.LOGS_GB if self.logs else 0.0,
            )
        )


def _guidance() -> Containers:
    tasks = aws.GUIDANCE_TASKS * _task_usd(aws.GUIDANCE_TASK_VCPU, aws.GUIDANCE_TASK_GB, nat=True)
    return Containers(
        name="litellm",
        label="LiteLLM as AWS's guidance deploys it",
        vcpu=aws.GUIDANCE_TASK_VCPU,
        memory_gb=aws.GUIDANCE_TASK_GB,
        least=aws.GUIDANCE_TASKS,
        fixed_usd=aws.GUIDANCE_MONTH - tasks,
        gb_out=aws.GUIDANCE_GB_OUT,
        balanced_gb=aws.GUIDANCE_BALANCED_GB,
        nat=True,
    )


def _small() -> Containers:
    balancer = HOURS * (aws.LOAD_BALANCER_HOUR + _BALANCER_ADDRESSES * aws.PUBLIC_ADDRESS_HOUR)
    return Containers(
        name="relay",
        label="a bare relay in two small tasks",
        vcpu=_SMALL_VCPU,
        memory_gb=_SMALL_GB,
        least=_SMALL_TASKS,
        fixed_usd=balancer + aws.SECRET_MONTH,
        logs=True,
    )


def _task_usd(vcpu: float, memory_gb: float, *, nat: bool) -> float:
    address = 0.0 if nat else aws.PUBLIC_ADDRESS_HOUR
    return HOURS * (vcpu * aws.FARGATE_ARM64_VCPU_HOUR + memory_gb * aws.FARGATE_ARM64_GB_HOUR + address)


VARIANTS = (_guidance(), _small())
"""What is compared with."""
