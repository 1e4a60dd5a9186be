"""The options of `ai-gateway estimate` that are figures: what they are called, and what holds where they are left out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from gateway_cli.errors import MISTAKEN, CommandError
from gateway_cli.estimate.assembly import SynthesizedGateway
from gateway_cli.estimate.containers import Capacity
from gateway_cli.estimate.rendering import Shown
from gateway_prices.traffic import Deployment, Traffic

TRAFFIC = {
    "requests_per_day": ("--requests-per-day", "requests a day"),
    "input_tokens": ("--input-tokens", "tokens of a request"),
    "output_tokens": ("--output-tokens", "tokens of an answer"),
    "stream_share": ("--stream-share", "streamed share of the answers"),
    "stream_seconds": ("--stream-seconds", "seconds of a stream"),
    "json_seconds": ("--json-seconds", "seconds of other answers"),
    "peak_factor": ("--peak-factor", "peak over the mean"),
}
DEPLOYMENT = {
    "memory_mb": ("--memory", "MB of memory"),
    "architecture": ("--architecture", "architecture"),
    "secrets": ("--secrets", "upstreams' secrets"),
    "table": ("--table", "table"),
    "budgets": ("--budgets", "budgets of consumers"),
    "waf_rules": ("--waf-rules", "WAF rules"),
    "metrics": ("--metrics", "custom metrics"),
    "alarm_metrics": ("--alarm-metrics", "metrics that alarms look at"),
    "fast_alarm_metrics": ("--fast-alarm-metrics", "every 10 seconds"),
    "dashboards": ("--dashboards", "dashboards"),
    "log_bytes": ("--log-bytes", "bytes logged for a request"),
    "cold_start_share": ("--cold-start-share", "share of cold starts"),
    "init_seconds": ("--init-seconds", "seconds of a cold start"),
}
CAPACITY = {
    "requests": ("--task-requests", "requests a second of a container's vCPU"),
    "events": ("--task-events", "stream events a second of one"),
}

CACHED = ("--cached-share", "share of the input that is cached")

_OTHERS = {"cached_share": CACHED, "today_infrastructure": ("--today-infrastructure", "")}

_READ = frozenset(
    {
        "memory_mb",
        "architecture",
        "secrets",
        "table",
        "budgets",
        "waf_rules",
        "metrics",
        "alarm_metrics",
        "fast_alarm_metrics",
        "dashboards",
    }
)


def require_figures(given: Mapping[str, Any]) -> None:
    """Refuse what is a number to Python and none to anybody else.

    Args:
        given: by name of the field; None where the option was left out.

    Raises:
        CommandError: if one is infinite or no number.
    """
    options = {**TRAFFIC, **DEPLOYMENT, **CAPACITY, **_OTHERS}
    for name, value in given.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise CommandError(f"{options[name][0]} must be a number, got {value}; write it in digits", status=MISTAKEN)


def traffic_of(given: Mapping[str, Any]) -> Traffic:
    """What is asked of the gateway, defaults filled in."""
    return replace(Traffic(), **_of(given, TRAFFIC))


def deployment_of(given: Mapping[str, Any], read: SynthesizedGateway | None) -> Deployment:
    """What the gateway is made of: as given, else as read out of an assembly, else as assumed."""
    return replace(read.deployment if read else Deployment(), **_of(given, DEPLOYMENT))


def capacity_of(given: Mapping[str, Any]) -> Capacity:
    """What containers can do, defaults filled in."""
    return replace(Capacity(), **_of(given, CAPACITY))


def shown_options(
    given: Mapping[str, Any], traffic: Traffic, deployment: Deployment, capacity: Capacity, cached_share: float, *, read: bool
) -> list[Shown]:
    """All figures that the estimate rests on, and where each is from.

    Args:
        given: by name of the field; None where the option was left out.
        traffic: that came of it.
        deployment: that came of it.
        capacity: that came of it.
        cached_share: share of the input tokens that a prompt cache holds.
        read: whether an assembly was read.
    """
    shown = []
    groups = (
        (asdict(traffic), TRAFFIC),
        ({"cached_share": cached_share}, {"cached_share": CACHED}),
        (asdict(deployment), DEPLOYMENT),
        (asdict(capacity), CAPACITY),
    )
    for values, options in groups:
        for name, (option, what) in options.items():
            source = "given" if given.get(name) is not None else "read" if read and name in _READ else "assumed"
            shown.append(Shown(option=option, what=what, value=values[name], source=source))
    return shown


def _of(given: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in options if given.get(name) is not None}
