"""Requests of keys, as their usage plans have counted them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gateway_cli.keys.model import Plan
from gateway_cli.usage.month import Month

_PAGE = 500


def count_requests(apigateway: Any, plans: Iterable[Plan], month: Month) -> dict[str, int] | None:
    """Requests of a month by the key's id, or None where nobody counts them. A key that is missing had none.

    Args:
        apigateway: boto3 client.
        plans: that the keys are in. Each is a call of its own.
        month: when.

    Raises:
        ClientError: if AWS refuses to tell.
    """
    found: dict[str, int] = {}
    for plan in plans:
        pages = apigateway.get_paginator("get_usage").paginate(
            usagePlanId=plan.id,
            startDate=month.first.isoformat(),
            endDate=month.last.isoformat(),
            PaginationConfig={"PageSize": _PAGE},
        )
        for page in pages:
            # API Gateway repeats what it was asked for. The embedded AWS answers with the plan, and counts nothing.
            if "startDate" not in page:
                return None
            for key, days in (page.get("items") or {}).items():
                # Of each day: what was used, and what was left of the quota.
                found[key] = found.get(key, 0) + sum(int(day[0]) for day in days if day)
    return found
