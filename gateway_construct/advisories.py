"""Warnings at synth: what is legal, but risky. Each can be acknowledged by its id."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from aws_cdk import Annotations
from constructs import IConstruct

from gateway_construct.upstream import Upstream

NO_CONSUMER = "cdk-ai-gateway:no-consumer"
UNLIMITED_PLAN = "cdk-ai-gateway:unlimited-plan"
UNENCRYPTED_UPSTREAM = "cdk-ai-gateway:unencrypted-upstream"
UNPRICED_MODELS = "cdk-ai-gateway:unpriced-models"


def warn_no_consumer(scope: IConstruct) -> None:
    """Until a consumer is added: without one nobody can call."""
    Annotations.of(scope).add_warning_v2(
        NO_CONSUMER,
        "the gateway has no consumer, so nobody can call it; use add_consumer, or acknowledge this if keys and usage plans are "
        "made elsewhere",
    )


def consumer_added(scope: IConstruct) -> None:
    """The gateway has a consumer: takes back that it has none."""
    Annotations.of(scope).acknowledge_warning(NO_CONSUMER)


def warn_unlimited(scope: IConstruct, name: str) -> None:
    """A consumer without limits may spend what it likes."""
    Annotations.of(scope).add_warning_v2(
        UNLIMITED_PLAN,
        f"consumer {name!r} has no limit but the account's own, so a mistake of it costs without end; give a rate, a quota "
        "or a budget, for example Plan(rate=20, burst=40, quota=Quota.per_day(50_000), tokens_per_month=200_000_000)",
    )


def warn_unpriced(scope: IConstruct, name: str, upstreams: Sequence[str], *, shadow: bool) -> None:
    """A budget in USD, and models that any name may ask for: what costs nobody knows how much counts nothing."""
    Annotations.of(scope).add_warning_v2(
        UNPRICED_MODELS,
        f"consumer {name!r} has a budget in USD and may ask for models that the model map does not name; those without a price "
        f"{'count nothing' if shadow else 'are refused to it'}. Map the models that it uses, set serve_unmapped_models=False, "
        f"name them in Plan(models=[...]), or say what all others cost: prices={{{f'{upstreams[0]}/*'!r}: Price(input=..., "
        "output=...)}",
    )


def warn_unencrypted(scope: IConstruct, upstreams: Sequence[Upstream]) -> None:
    """Keys and prompts to another machine must not go over plain HTTP."""
    for upstream in upstreams:
        for endpoint in upstream.config.endpoints:
            parts = urlsplit(endpoint.base_url)
            if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
                Annotations.of(scope).add_warning_v2(
                    f"{UNENCRYPTED_UPSTREAM}-{upstream.name}",
                    f"upstream {upstream.name!r} is reached without TLS at {endpoint.base_url!r}, so prompts and its key "
                    "can be read on the way; use https",
                )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
