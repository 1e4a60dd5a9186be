"""The options of `ai-gateway estimate` that are figures: what they are called, and what holds where they are left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from gateway_cli.errors import MISTAKEN, CommandError
from gateway_cli.estimate.assembly import SynthesizedGateway
from gateway_cli.estimate.containers import Capacity
from gateway_cli.estimate.models import UNNAMED
from gateway_cli.estimate.rendering import Shown
from gateway_cli.estimate.report import Asked
from gateway_prices.traffic import Deployment, Traffic

TRAFFIC = {
    "requests_per_day": ("--requests-per-day", "requests a day"),
    "input_tokens": ("--input-tokens", "tokens of a request"),
    "output_tokens": ("--output-tokens", "tokens of an answer"),
    "cached_share": ("--cached-share", "share of the input that is cached"),
    "cache_write_share": ("--cache-write-share", "share of it that is written to a cache"),
    "stream_share": ("--stream-share", "streamed share of the answers"),
    "stream_seconds": ("--stream-seconds", "seconds of a stream"),
    "json_seconds": ("--json-seconds", "seconds of other answers"),
    "peak_factor": ("--peak-factor", "peak over the mean"),
    "largest_consumer": ("--largest-consumer", "share of the busiest consumer"),
}
DEPLOYMENT = {
    "memory_mb": ("--memory", "MB of memory"),
    "architecture": ("--architecture", "architecture"),
    "secrets": ("--secrets", "upstreams' secrets"),
    "secrets_read": ("--secrets-read", "secrets read at a start"),
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
    "after_seconds": ("--after-seconds", "seconds of work after an answer"),
    "authorizer_seconds": ("--authorizer-seconds", "seconds of the authorizer"),
}
CAPACITY = {
    "requests": ("--task-requests", "requests a second of a container's vCPU"),
    "events": ("--task-events", "stream events a second of one"),
}

MODELS = "models"
"""What `--model` and `--price` hold among the options."""

_READ = frozenset(
    {
        "memory_mb",
        "architecture",
        "secrets",
        "secrets_read",
        "table",
        "budgets",
        "waf_rules",
        "metrics",
        "alarm_metrics",
        "fast_alarm_metrics",
        "dashboards",
        MODELS,
    }
)
_CONFIGURED = frozenset({"secrets_read", "metrics", MODELS})
"""Those that only the gateway's configuration says, which lies beside its code."""


def traffic_of(given: Mapping[str, Any]) -> Traffic:
    """What is asked of the gateway, defaults filled in.

    Raises:
        CommandError: if more of the input is read from caches and written to them than there is.
    """
    traffic = replace(Traffic(), **_of(given, TRAFFIC))
    if traffic.cached_share + traffic.cache_write_share > 1:
        raise CommandError(
            f"--cached-share {traffic.cached_share:g} and --cache-write-share {traffic.cache_write_share:g} are more than the "
            "whole input together; lower one of them",
            status=MISTAKEN,
        )
    return traffic


def deployment_of(given: Mapping[str, Any], read: SynthesizedGateway | None) -> Deployment:
    """What the gateway is made of: as given, else as read out of an assembly, else as assumed."""
    base = read.deployment if read else Deployment()
    made = replace(base, **_of(given, DEPLOYMENT))
    # Each upstream has a metric of its circuit, which takes the table.
    circuits = (made.table - base.table) * (len(read.config.upstreams) if read and read.config else 1)
    return replace(
        made,
        metrics=made.metrics if given.get("metrics") is not None else made.metrics + circuits,
        secrets_read=made.secrets if made.secrets_read is None else made.secrets_read,
    )


def capacity_of(given: Mapping[str, Any]) -> Capacity:
    """What containers can do, defaults filled in."""
    return replace(Capacity(), **_of(given, CAPACITY))


def shown_options(given: Mapping[str, Any], asked: Asked, read: SynthesizedGateway | None) -> list[Shown]:
    """All figures that the estimate rests on, and where each is from.

    Args:
        given: by name of the field; None where the option was left out.
        asked: that came of it.
        read: what was read out of an assembly. None: nothing was.
    """
    names = [model.name for model in asked.models]
    groups: tuple[tuple[Mapping[str, Any], Mapping[str, tuple[str, str]]], ...] = (
        ({MODELS: ", ".join(names)}, {} if names == [UNNAMED] else {MODELS: ("--model", "model")}),
        (asdict(asked.traffic), TRAFFIC),
        (asdict(asked.deployment), DEPLOYMENT),
        (asdict(asked.capacity), CAPACITY),
    )
    known = _read(read)
    shown = []
    for values, options in groups:
        for name, (option, what) in options.items():
            source = "given" if given.get(name) is not None else "read" if name in known else "assumed"
            shown.append(Shown(option=option, what=what, value=values[name], source=source))
    return shown


def _read(read: SynthesizedGateway | None) -> frozenset[str]:
    """Names of what an assembly says."""
    if read is None:
        return frozenset()
    return _READ if read.config else _READ - _CONFIGURED


def _of(given: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in options if given.get(name) is not None}
