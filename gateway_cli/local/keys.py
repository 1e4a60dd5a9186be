"""API keys and the usage plans that they belong to, as they stand in the emulator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway_cli.local.refreshed import Refreshed
from gateway_cli.local.throttling import Quota, Throttle


@dataclass(frozen=True, kw_only=True, slots=True)
class UsagePlan:
    """A usage plan.

    Args:
        id: its id.
        stages: the API ids and stage names that it opens.
        throttle: its rate limit, for each key on its own, or None.
        quota: its quota, for each key on its own, or None.
    """

    id: str
    stages: frozenset[tuple[str, str]]
    throttle: Throttle | None
    quota: Quota | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiKey:
    """An API key.

    Args:
        id: its id.
        name: its name.
        value: what clients send.
        enabled: whether it works.
        plans: the plans that it is in.
    """

    id: str
    name: str
    value: str
    enabled: bool
    plans: tuple[UsagePlan, ...]

    def plan_for(self, api_id: str, stage: str) -> UsagePlan | None:
        """The plan that lets the key use a stage, or None if it may not."""
        if not self.enabled:
            return None
        return next((plan for plan in self.plans if (api_id, stage) in plan.stages), None)


class KeyDirectory:
    """Looks API keys up by their value. What changes in the emulator is seen within about a second.

    Args:
        apigateway: boto3 client of the emulator.
    """

    def __init__(self, apigateway: Any) -> None:
        self._keys = Refreshed(lambda: read_keys(apigateway))

    async def find(self, value: str) -> ApiKey | None:
        """The key with that value, or None."""
        keys = await self._keys.get()
        # A key that is not known may just have been made.
        return keys.get(value) or (await self._keys.get(newer_than=0)).get(value)


def read_keys(apigateway: Any) -> dict[str, ApiKey]:
    """Every API key of the emulator by its value."""
    plans: dict[str, list[UsagePlan]] = {}
    for item in _items(apigateway, "get_usage_plans"):
        plan = _plan(item)
        for key in _items(apigateway, "get_usage_plan_keys", usagePlanId=plan.id):
            plans.setdefault(key["id"], []).append(plan)
    return {
        item["value"]: ApiKey(
            id=item["id"],
            name=item.get("name", ""),
            value=item["value"],
            enabled=item.get("enabled", False),
            plans=tuple(plans.get(item["id"], ())),
        )
        for item in _items(apigateway, "get_api_keys", includeValues=True)
    }


def _items(apigateway: Any, operation: str, **arguments: Any) -> Iterable[Mapping[str, Any]]:
    for page in apigateway.get_paginator(operation).paginate(**arguments):
        yield from page.get("items", [])


def _plan(item: Mapping[str, Any]) -> UsagePlan:
    throttle, quota = item.get("throttle") or {}, item.get("quota") or {}
    return UsagePlan(
        id=item["id"],
        stages=frozenset((stage["apiId"], stage["stage"]) for stage in item.get("apiStages", [])),
        throttle=Throttle(float(throttle["rateLimit"]), int(throttle.get("burstLimit", 0)))
        if "rateLimit" in throttle
        else None,
        quota=Quota(int(quota["limit"]), quota.get("period", "DAY"), int(quota.get("offset", 0))) if "limit" in quota else None,
    )
