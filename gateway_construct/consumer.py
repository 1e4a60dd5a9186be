"""Consumers: who may call the gateway, each with a key and a usage plan of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aws_cdk import Token
from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from gateway_construct.plan import Plan

MEMBERSHIP = "Membership"
"""Id of what makes a consumer's key open the gateway."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}")


class Consumer(Construct):
    """Somebody who may call the gateway. Made by `AiGateway.add_consumer`.

    The key's value is made by API Gateway and is in no template; read it with
    `aws apigateway get-api-key --include-value --api-key <key_id>`.

    Each consumer has a usage plan of its own. A plan's limits hold for each of its keys apart, so that sharing one would gain
    nothing; but a key that moves to another plan must leave the first one first, and CloudFormation does it the other way
    round. So a change of limits stays an update in place. API Gateway allows 300 usage plans per Region until that is raised.

    Attributes:
        consumer_name: the name it was added under.
        api_key: the key.
        usage_plan: its limits in requests.
        key_id: the key's id, which is the `consumer` in the gateway's logs.
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, plan: Plan, stage: apigateway.Stage) -> None:
        super().__init__(scope, construct_id)
        self.consumer_name = name
        self.api_key = apigateway.ApiKey(self, "Key", description=f"AI gateway consumer {name}")
        self.usage_plan = apigateway.UsagePlan(
            self,
            "Plan",
            description=f"AI gateway consumer {name}",
            api_stages=[apigateway.UsagePlanPerApiStage(api=stage.rest_api, stage=stage)],
            throttle=_throttle(plan),
            quota=apigateway.QuotaSettings(limit=plan.quota.limit, period=plan.quota.period) if plan.quota else None,
        )
        # Not `usage_plan.add_api_key`: the id that it gives depends on a feature flag, and a new id means a key that cannot be
        # added because it still is there.
        apigateway.CfnUsagePlanKey(
            self,
            MEMBERSHIP,
            key_id=self.api_key.key_id,
            key_type="API_KEY",
            usage_plan_id=self.usage_plan.usage_plan_id,
        )

    @property
    def key_id(self) -> str:
        """The key's id."""
        return self.api_key.key_id


def require_new(name: str, consumers: Mapping[str, Consumer]) -> None:
    """Check a consumer's name.

    Raises:
        ValueError: if it is malformed or taken.
    """
    if Token.is_unresolved(name) or not _NAME.fullmatch(name):
        raise ValueError(
            "add_consumer: name must be 1 to 64 letters, digits, spaces, dots, hyphens or underscores and start with a "
            f"letter or digit, got {name!r}",
        )
    if name in consumers:
        raise ValueError(
            f"add_consumer: {name!r} was added already; each consumer needs its own name, got so far: {', '.join(consumers)}"
        )


def _throttle(plan: Plan) -> apigateway.ThrottleSettings | None:
    if plan.rate is None:
        return None
    return apigateway.ThrottleSettings(rate_limit=plan.rate, burst_limit=plan.effective_burst)
