"""The consumers of a gateway and their keys; one is made where the stack has none."""

from __future__ import annotations

from typing import Any

from gateway_cli.local.keys import read_keys
from gateway_cli.local.rest_api_model import RestApi

DEFAULT_CONSUMER = "local"

_DESCRIPTION = "AI gateway consumer "


def consumer_keys(apigateway: Any, api: RestApi) -> tuple[dict[str, str], bool]:
    """Key values by consumer name.

    Args:
        apigateway: boto3 client of the emulator.
        api: the gateway.

    Returns:
        The keys, and whether one had to be made because no key opened the gateway.
    """
    found = _read(apigateway, api)
    if found:
        return found, False
    plan = apigateway.create_usage_plan(
        name=f"{DEFAULT_CONSUMER}-{api.api_id}", apiStages=[{"apiId": api.api_id, "stage": api.stage}]
    )
    key = apigateway.create_api_key(name=DEFAULT_CONSUMER, description=_DESCRIPTION + DEFAULT_CONSUMER, enabled=True)
    apigateway.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    return _read(apigateway, api), True


def _read(apigateway: Any, api: RestApi) -> dict[str, str]:
    descriptions = {
        item["id"]: item.get("description") or ""
        for page in apigateway.get_paginator("get_api_keys").paginate()
        for item in page.get("items", [])
    }
    keys = [key for key in read_keys(apigateway).values() if key.plan_for(api.api_id, api.stage)]
    # The construct writes the consumer's name into the key's description: the key's own name is CloudFormation's.
    return {
        descriptions[key.id].removeprefix(_DESCRIPTION)
        if descriptions[key.id].startswith(_DESCRIPTION)
        else key.name: key.value
        for key in keys
    }
