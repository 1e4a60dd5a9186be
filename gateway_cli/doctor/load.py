"""What the gateway may be asked to carry: the rates of its plans, and how long a request takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gateway_cli.aws.gateways import listed
from gateway_cli.doctor.patient import Patient
from gateway_cli.keys.store import KeyStore
from lambda_runtime.config import METRICS_NAMESPACE

ASSUMED_SECONDS = 20.0
"""A streamed answer's, where nothing has been measured yet."""

_MEASURED = timedelta(days=7)
_FEWEST = 100
"""Requests from which on their mean counts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """The most that plans allow.

    Args:
        rate: requests a second of all keys together.
        unlimited: names of consumers whose plan has no rate.
    """

    rate: float
    unlimited: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stay:
    """How long a request takes.

    Args:
        seconds: on average.
        requests: that were measured; 0 if it is assumed.
    """

    seconds: float
    requests: int

    def __str__(self) -> str:
        if not self.requests:
            return f"{self.seconds:g} s a request (assumed: nothing has been measured yet)"
        return f"{self.seconds:.1f} s a request (the mean of {self.requests:,} in {_MEASURED.days} days)"


def plans_load(patient: Patient) -> Load:
    """What the gateway's plans allow together. A plan's rate holds for each of its keys apart."""
    apigateway = patient.client("apigateway")
    store = KeyStore(apigateway, patient.gateway.api)
    plans = store.plans()
    throttles = {plan["id"]: plan.get("throttle") or {} for plan in listed(apigateway, "get_usage_plans")}
    rate, unlimited = 0.0, set[str]()
    for key in store.keys(plans):
        throttle = throttles.get(key.plan.id, {})
        if not key.enabled:
            continue
        if "rateLimit" in throttle:
            rate += float(throttle["rateLimit"])
        else:
            unlimited.add(key.consumer)
    return Load(rate=rate, unlimited=tuple(sorted(unlimited)))


def stay(patient: Patient) -> Stay:
    """How long requests took in the last days, or what is assumed where there were too few."""
    now = datetime.now(UTC)
    points = patient.client("cloudwatch").get_metric_statistics(
        Namespace=METRICS_NAMESPACE,
        MetricName="Duration",
        Dimensions=[{"Name": "Gateway", "Value": patient.function}],
        StartTime=now - _MEASURED,
        EndTime=now,
        Period=86_400,
        Statistics=["Sum", "SampleCount"],
    )["Datapoints"]
    requests = sum(point["SampleCount"] for point in points)
    if requests < _FEWEST:
        return Stay(seconds=ASSUMED_SECONDS, requests=0)
    return Stay(seconds=sum(point["Sum"] for point in points) / requests / 1000, requests=int(requests))
