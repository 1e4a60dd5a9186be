import asyncio
from typing import Any

import pytest

from gateway_cli.local.consumers import consumer_keys
from gateway_cli.local.keys import KeyDirectory, read_keys
from gateway_cli.local.refreshed import Refreshed
from gateway_cli.local.throttling import Quota, Throttle
from tests.gateway_cli.front_kit import api


class Page:
    def __init__(self, items: list[dict[str, Any]]) -> None:
        self._items = items

    def paginate(self, **arguments: Any) -> list[dict[str, Any]]:
        matching = [item for item in self._items if arguments.get("usagePlanId") in {None, item.get("plan")}]
        # One item a page, so that a caller that reads the first page only is found out.
        return [{"items": [item]} for item in matching] or [{}]


class ApiGateway:
    """The few operations that are used, as boto3 has them."""

    def __init__(self) -> None:
        self._lists: dict[str, list[dict[str, Any]]] = {"get_usage_plans": [], "get_api_keys": [], "get_usage_plan_keys": []}

    def get_paginator(self, operation: str) -> Page:
        return Page(self._lists[operation])

    def create_usage_plan(self, **plan: Any) -> dict[str, Any]:
        return self._add("get_usage_plans", plan)

    def create_api_key(self, **key: Any) -> dict[str, Any]:
        return self._add("get_api_keys", {"value": f"value-of-{key['name']}", **key})

    def create_usage_plan_key(self, *, usagePlanId: str, keyId: str, keyType: str) -> None:  # noqa: N803
        self._lists["get_usage_plan_keys"].append({"plan": usagePlanId, "id": keyId, "type": keyType})

    def _add(self, kind: str, item: dict[str, Any]) -> dict[str, Any]:
        self._lists[kind].append({"id": f"{kind}-{len(self._lists[kind])}", **item})
        return self._lists[kind][-1]


@pytest.fixture
def apigateway() -> ApiGateway:
    return ApiGateway()


def make(apigateway: ApiGateway, name: str, **plan: Any) -> str:
    created = apigateway.create_usage_plan(name=name, apiStages=[{"apiId": "api", "stage": "prod"}], **plan)
    key = apigateway.create_api_key(name=f"Stack-{name}", enabled=True, description=f"AI gateway consumer {name}")
    apigateway.create_usage_plan_key(usagePlanId=created["id"], keyId=key["id"], keyType="API_KEY")
    return str(key["value"])


def test_keys_with_their_plans(apigateway: ApiGateway) -> None:
    make(apigateway, "other")
    limits = {"throttle": {"rateLimit": 2.0, "burstLimit": 4}, "quota": {"limit": 10, "period": "WEEK"}}
    value = make(apigateway, "search", **limits)
    key = read_keys(apigateway)[value]
    plan = key.plan_for("api", "prod")
    assert plan is not None
    assert (plan.throttle, plan.quota) == (Throttle(2.0, 4), Quota(10, "WEEK"))
    assert key.plan_for("api", "other") is None


def test_a_new_key_is_found_at_once(apigateway: ApiGateway) -> None:
    async def run() -> None:
        directory = KeyDirectory(apigateway)
        assert await directory.find("x" * 20) is None
        value = make(apigateway, "late")
        assert (await directory.find(value)) is not None

    asyncio.run(run())


def test_consumers_by_name(apigateway: ApiGateway, tmp_path: Any) -> None:
    value = make(apigateway, "search")
    assert consumer_keys(apigateway, api(tmp_path)) == ({"search": value}, False)


def test_a_consumer_is_made_where_there_is_none(apigateway: ApiGateway, tmp_path: Any) -> None:
    keys, made = consumer_keys(apigateway, api(tmp_path))
    assert (list(keys), made) == (["local"], True)


def test_an_old_copy_answers_while_a_new_one_is_fetched() -> None:
    async def run() -> list[int]:
        now, fetched = [0.0], [0]

        def fetch() -> int:
            fetched[0] += 1
            return fetched[0]

        copy = Refreshed(fetch, clock=lambda: now[0])
        seen = [await copy.get(), await copy.get()]
        now[0] = 1.2
        seen.append(await copy.get())
        seen.append(await copy.get(newer_than=0))
        now[0] = 60
        seen.append(await copy.get())
        return seen

    assert asyncio.run(run()) == [1, 1, 1, 2, 3]
