"""A gateway with consumers, as the construct and CloudFormation make them, and the commands on it as they are typed."""

from __future__ import annotations

from typing import Any, NamedTuple

import boto3
from typer.testing import CliRunner

from gateway_cli.app import app
from tests.gateway_cli.api_gateway import ApiGateway
from tests.gateway_cli.tables import REGION

DONE = 0
NOW = 1_800_000_000.0
"""2027-01-15 08:00 in UTC."""


class Done(NamedTuple):
    exit_code: int
    stdout: str
    stderr: str


def call(*arguments: str) -> Done:
    """Run a command of `ai-gateway`."""
    done = CliRunner().invoke(app, arguments)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Done(done.exit_code, done.stdout, done.stderr)


class Account:
    """API Gateway with one gateway, whose consumers came with its stack."""

    def __init__(self, service: ApiGateway) -> None:
        self.service = service
        self.api = self.add_gateway("AiGateway/Gateway", "AiGateway")

    def client(self) -> Any:
        return boto3.client("apigateway", region_name=REGION)

    def add_gateway(self, path: str, stack: str) -> str:
        """A REST API: its id."""
        tags = {"ai-gateway:api": path, "aws:cloudformation:stack-name": stack}
        self.service.apis.append({"id": self.service.new_id(), "name": path, "tags": tags})
        return str(self.service.apis[-1]["id"])

    def add_plan(self, name: str, *, api: str | None = None, **limits: Any) -> str:
        """A usage plan of a consumer: its id."""
        plan = self.service.new_id()
        stages = [{"apiId": api or self.api, "stage": "prod"}]
        made = {"id": plan, "name": f"Stack-{name}-Plan", "description": f"AI gateway consumer {name}", "apiStages": stages}
        self.service.plans[plan] = {**made, **limits}
        return plan

    def add_consumer(self, name: str, *, api: str | None = None, **limits: Any) -> str:
        """A plan with a key: the key's id."""
        plan = self.add_plan(name, api=api, **limits)
        tags = {"aws:cloudformation:stack-name": "AiGateway"}
        key = self.service.add_key(name=f"Stack-{name}-Key", description=f"AI gateway consumer {name}", tags=tags)
        self.service.members[plan] = [key]
        return key

    def plan_of(self, consumer: str) -> str:
        """The id of a consumer's plan."""
        plans = self.service.plans.values()
        return next(str(plan["id"]) for plan in plans if plan["description"].endswith(f" {consumer}"))

    def members(self, consumer: str) -> list[str]:
        """The ids of the keys in a consumer's plan."""
        return self.service.members[self.plan_of(consumer)]

    def enabled(self, key: str) -> bool:
        return bool(self.service.keys[key]["enabled"])
