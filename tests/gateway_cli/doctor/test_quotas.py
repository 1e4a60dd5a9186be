"""Quotas of the account against what plans allow."""

from __future__ import annotations

from typing import Any

import pytest

from gateway_cli.doctor.findings import Level
from gateway_cli.doctor.quotas import check_concurrency, check_throttle
from tests.gateway_cli.doctor.conftest import Ward

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("doctor")]

REQUEST = (
    "aws service-quotas request-service-quota-increase --service-code {} --quota-code {} --desired-value {} --region us-east-1"
)


def consumer(ward: Ward, *, keys: int = 1, rate: float | None = 20.0) -> None:
    """A plan with keys."""
    api = ward.patient().gateway.api
    if not ward.apigateway.get_stages(restApiId=api)["item"]:
        deployment = ward.apigateway.create_deployment(restApiId=api, stageName="prod")
        assert deployment["id"]
    throttle = {} if rate is None else {"throttle": {"rateLimit": rate, "burstLimit": 40}}
    plan = ward.apigateway.create_usage_plan(
        name="plan", description="AI gateway consumer search", apiStages=[{"apiId": api, "stage": "prod"}], **throttle
    )
    for _ in range(keys):
        key = ward.apigateway.create_api_key(name="key", description="AI gateway consumer search", enabled=True)
        ward.apigateway.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")


def account(ward: Ward, limit: int, unreserved: int | None = None) -> None:
    found = {"ConcurrentExecutions": limit, "UnreservedConcurrentExecutions": limit if unreserved is None else unreserved}
    ward.answer("GetAccountSettings", AccountLimit=found)


def measured(ward: Ward, *points: tuple[float, float]) -> None:
    """Have CloudWatch tell the sum of milliseconds and the number of requests of some days."""
    found: list[dict[str, Any]] = [{"Sum": total, "SampleCount": number} for total, number in points]
    ward.answer("GetMetricStatistics", Datapoints=found)


def test_no_plan(ward: Ward) -> None:
    account(ward, 1000)
    found = ward.only(check_concurrency)
    assert (found.level, found.text) == (
        Level.OK,
        "1000 of the account's 1000 concurrent executions are left",
    )
    assert ward.only(check_throttle).level is Level.OK


def test_enough(ward: Ward) -> None:
    consumer(ward, keys=2)
    account(ward, 1000)
    found = ward.only(check_concurrency)
    assert found.level is Level.OK
    assert found.text == (
        "the plans allow 40 requests a second, which at 20 s a request (assumed: nothing has been measured yet) makes 800 "
        "instances busy; 1000 of the account's 1000 concurrent executions are left"
    )


def test_too_few(ward: Ward) -> None:
    consumer(ward, keys=3)
    account(ward, 1000, 900)
    found = ward.only(check_concurrency)
    assert (found.level, "makes 1200 instances busy, and 900 of" in found.text) == (Level.WARNING, True)
    assert found.mend == (REQUEST.format("lambda", "L-B99A9384", 1300),)


def test_what_was_measured_counts(ward: Ward) -> None:
    consumer(ward)
    account(ward, 1000)
    measured(ward, (500_000.0, 200.0), (250_000.0, 100.0))
    found = ward.only(check_concurrency)
    assert "at 2.5 s a request (the mean of 300 in 7 days) makes 50 instances busy" in found.text
    measured(ward, (500_000.0, 20.0))
    assert "assumed" in ward.only(check_concurrency).text


def test_a_new_account(ward: Ward) -> None:
    account(ward, 10)
    found = ward.only(check_concurrency)
    assert (found.level, found.mend) == (Level.WARNING, (REQUEST.format("lambda", "L-B99A9384", 1000),))
    assert found.text == "10 of the account's 10 concurrent executions are left: so many requests at a time, and no more"


def test_reserved(ward: Ward) -> None:
    consumer(ward)
    account(ward, 1000, 800)
    ward.lambda_.put_function_concurrency(FunctionName=ward.name, ReservedConcurrentExecutions=200)
    found = ward.only(check_concurrency)
    assert (found.level, "and 200 are reserved" in found.text) == (Level.WARNING, True)
    assert found.mend == ("set reserved_concurrency=400 in the app, then: npx cdk deploy Stack",)
    account(ward, 300, 100)
    raised, deployed = ward.only(check_concurrency).mend
    assert (raised, deployed) == (REQUEST.format("lambda", "L-B99A9384", 500), found.mend[0])


def test_switched_off(ward: Ward) -> None:
    ward.lambda_.put_function_concurrency(FunctionName=ward.name, ReservedConcurrentExecutions=0)
    found = ward.only(check_concurrency)
    assert found.level is Level.ERROR
    assert found.mend == (f"aws lambda delete-function-concurrency --function-name {ward.name} --region us-east-1",)


def test_a_plan_without_a_rate(ward: Ward) -> None:
    consumer(ward, rate=None)
    account(ward, 1000)
    enough, unlimited = ward.find(check_concurrency)
    assert (enough.level, unlimited.level) == (Level.OK, Level.NOTE)
    assert unlimited.text == "plans without a rate, which may use up whatever there is: search"


def test_a_disabled_key_does_not_count(ward: Ward) -> None:
    consumer(ward)
    for key in ward.apigateway.get_api_keys()["items"]:
        change = {"op": "replace", "path": "/enabled", "value": "false"}
        ward.apigateway.update_api_key(apiKey=key["id"], patchOperations=[change])
    account(ward, 1000)
    assert "the plans allow" not in ward.only(check_concurrency).text


def test_throttle(ward: Ward) -> None:
    consumer(ward, rate=12_000.0)
    found = ward.only(check_throttle)
    assert (found.level, found.mend) == (Level.WARNING, (REQUEST.format("apigateway", "L-8A5B8E43", 12_000),))
    assert "the plans allow 12000 requests a second, and API Gateway takes 10000 a second from the whole account" in found.text
    ward.answer("GetAccount", throttleSettings={"rateLimit": 20_000.0, "burstLimit": 5000})
    assert ward.only(check_throttle).level is Level.OK
    ward.answer("GetAccount")
    assert ward.only(check_throttle).level is Level.NOTE


@pytest.mark.parametrize(
    ("operation", "permission"),
    [
        ("GetAccountSettings", "lambda:GetAccountSettings on *"),
        ("GetFunctionConcurrency", "lambda:GetFunctionConcurrency on the gateway's function"),
        ("GetMetricStatistics", "cloudwatch:GetMetricStatistics on *"),
        ("GetUsagePlans", "apigateway:GET on /usageplans"),
    ],
)
def test_what_the_operator_may_not_see(ward: Ward, operation: str, permission: str) -> None:
    ward.refuse(operation)
    found = ward.only(check_concurrency)
    assert (found.level, found.text) == (Level.SKIPPED, f"you lack the permission {permission}")
    ward.refuse("GetAccount")
    assert ward.only(check_throttle).text == "you lack the permission apigateway:GET on /account"
