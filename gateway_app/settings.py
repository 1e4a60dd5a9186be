"""The settings of the context block that are plain props of `AiGateway`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from aws_cdk import Duration
from aws_cdk.aws_logs import RetentionDays

from gateway_app.json_value import ContextError, JsonValue, blamed_on
from gateway_app.models import read_models
from gateway_app.prices import read_prices
from gateway_construct import AllAtOnce, Canary, Timeouts, WebAcl, Weighted

_LOG_RETENTION = {
    "1": RetentionDays.ONE_DAY,
    "3": RetentionDays.THREE_DAYS,
    "5": RetentionDays.FIVE_DAYS,
    "7": RetentionDays.ONE_WEEK,
    "14": RetentionDays.TWO_WEEKS,
    "30": RetentionDays.ONE_MONTH,
    "60": RetentionDays.TWO_MONTHS,
    "90": RetentionDays.THREE_MONTHS,
    "120": RetentionDays.FOUR_MONTHS,
    "150": RetentionDays.FIVE_MONTHS,
    "180": RetentionDays.SIX_MONTHS,
    "365": RetentionDays.ONE_YEAR,
    "400": RetentionDays.THIRTEEN_MONTHS,
    "545": RetentionDays.EIGHTEEN_MONTHS,
    "731": RetentionDays.TWO_YEARS,
    "1096": RetentionDays.THREE_YEARS,
    "1827": RetentionDays.FIVE_YEARS,
    "2192": RetentionDays.SIX_YEARS,
    "2557": RetentionDays.SEVEN_YEARS,
    "2922": RetentionDays.EIGHT_YEARS,
    "3288": RetentionDays.NINE_YEARS,
    "3653": RetentionDays.TEN_YEARS,
    "forever": RetentionDays.INFINITE,
}
"""What CloudWatch Logs can keep, in days."""


def _timeouts(value: JsonValue) -> Timeouts:
    given = value.fields(*(field.name for field in fields(Timeouts)))
    times = {name: seconds.positive() for name, seconds in given.items()}
    with blamed_on(value.path):
        return Timeouts(**times)


def _release(value: JsonValue) -> AllAtOnce | Weighted | Canary:
    if value.value == "all_at_once":
        return AllAtOnce()
    if value.value == "canary":
        return Canary()
    if isinstance(value.value, str):
        raise ContextError(
            f'{value.path} must be "all_at_once", "canary", {{"canary": {{"weight": 0.05}}}} or '
            f'{{"stable_version": "7", "weight": 0.05}}, got {value.value!r}'
        )
    if "canary" in value.members():
        return _canary(value.fields("canary", required=("canary",))["canary"])
    given = value.fields("stable_version", "weight", required=("stable_version", "weight"))
    with blamed_on(value.path):
        return Weighted(stable_version=str(given["stable_version"].value), weight=given["weight"].share())


def _canary(value: JsonValue) -> Canary:
    props: dict[str, Any] = {name: _CANARY[name](setting) for name, setting in value.fields(*_CANARY).items()}
    with blamed_on(value.path):
        return Canary(**{name.removesuffix("_minutes"): prop for name, prop in props.items()})


_CANARY: Mapping[str, Callable[[JsonValue], object]] = {
    "weight": JsonValue.share,
    "bake_minutes": lambda value: Duration.minutes(value.whole(1)),
    "ramp": lambda value: [share.share() for share in value.items()],
    "ramp_interval_minutes": lambda value: Duration.minutes(value.whole(1)),
    "error_margin": JsonValue.share,
    "latency_ratio": JsonValue.positive,
    "minimum_requests": lambda value: value.whole(1),
}
"""The settings of a canary release, each named as the prop, with its unit where that has a type of its own."""


def _web_acl(value: JsonValue) -> WebAcl | None:
    if isinstance(value.value, bool):
        return WebAcl() if value.value else None
    given = value.fields("rate_limit_per_5_minutes")
    return WebAcl(**{name: limit.whole(10) for name, limit in given.items()})


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of the block and the prop that it becomes.

    Args:
        prop: the prop's name.
        read: reads and checks the value.
    """

    prop: str
    read: Callable[[JsonValue], object]


SETTINGS: Mapping[str, Setting] = {
    "models": Setting("models", read_models),
    "serve_unmapped_models": Setting("serve_unmapped_models", JsonValue.flag),
    "prices": Setting("prices", read_prices),
    "client_delivery": Setting("client_delivery", JsonValue.flag),
    "resilience": Setting("resilience", JsonValue.flag),
    "point_in_time_recovery": Setting("point_in_time_recovery", JsonValue.flag),
    "consumer_limits": Setting("consumer_limits", JsonValue.flag),
    "cors_allow_origins": Setting("cors_allow_origins", lambda value: [item.text() for item in value.items()]),
    "hooks": Setting("hooks", JsonValue.text),
    "memory_size": Setting("memory_size", lambda value: value.whole(128, 10_240)),
    "timeout_minutes": Setting("timeout", lambda value: Duration.minutes(value.whole(1, 15))),
    "timeouts": Setting("timeouts", _timeouts),
    "model_list_ttl_seconds": Setting("model_list_ttl", lambda value: Duration.seconds(value.whole(1))),
    "reserved_concurrency": Setting("reserved_concurrency", lambda value: value.whole(1)),
    "snap_start": Setting("snap_start", JsonValue.flag),
    "tracing": Setting("tracing", JsonValue.flag),
    "log_retention_days": Setting("log_retention", lambda value: value.choice(_LOG_RETENTION)),
    "access_logs": Setting("access_logs", JsonValue.flag),
    "authorizer_cache_seconds": Setting("authorizer_cache_ttl", lambda value: Duration.seconds(value.whole(1, 3600))),
    "release": Setting("release", _release),
    "web_acl": Setting("web_acl", _web_acl),
    "dashboard": Setting("dashboard", JsonValue.flag),
    "metrics_cost_notice": Setting("metrics_cost_notice", JsonValue.positive),
}
"""By the name in the block; one that carries a unit there has a type that does in the construct."""
