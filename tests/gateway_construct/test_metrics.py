from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Aws, Duration, Stack
from aws_cdk.aws_cloudwatch import Metric
from aws_cdk.aws_iam import Role, ServicePrincipal

from gateway_construct import AiGateway, Upstream
from gateway_construct.metrics import NO_UPSTREAM, OTHER_MODEL, require_known
from lambda_runtime import request_log
from tests.gateway_construct.resources import of_type, synthesized

pytestmark = pytest.mark.template

MakeMetric = Callable[..., Metric]


@pytest.fixture
def gateway(stack: Stack) -> AiGateway:
    """A gateway with an upstream and a mapped model."""
    return AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], models={"gpt-4.1": ["openai/gpt-4.1"]})


@pytest.mark.parametrize(
    ("method", "name", "statistic"),
    [
        ("metric_requests", "Requests", "Sum"),
        ("metric_errors", "Errors", "Sum"),
        ("metric_first_byte_latency", "FirstByteLatency", "p99"),
        ("metric_duration", "Duration", "p99"),
    ],
)
def test_metrics(stack: Stack, gateway: AiGateway, method: str, name: str, statistic: str) -> None:
    make: MakeMetric = getattr(gateway, method)
    metric = make()
    assert (metric.namespace, metric.metric_name, metric.statistic) == ("AiGateway", name, statistic)
    assert metric.period.to_minutes() == 5
    function = stack.resolve(gateway.function.function_name)
    assert dimensions(stack, metric) == {"Gateway": function}
    assert dimensions(stack, make(version="7")) == {"Gateway": function, "Version": "7"}
    assert dimensions(stack, make(upstream="openai")) == {"Gateway": function, "Upstream": "openai"}


@pytest.mark.parametrize(("method", "name"), [("metric_input_tokens", "InputTokens"), ("metric_output_tokens", "OutputTokens")])
def test_tokens(stack: Stack, gateway: AiGateway, method: str, name: str) -> None:
    make: MakeMetric = getattr(gateway, method)
    metric = make()
    assert (metric.namespace, metric.metric_name, metric.statistic) == ("AiGateway", name, "Sum")
    function = stack.resolve(gateway.function.function_name)
    assert dimensions(stack, metric) == {"Gateway": function}
    one = make(upstream="openai", model="gpt-4.1", period=Duration.days(1))
    assert one.period.to_days() == 1
    assert dimensions(stack, one) == {"Gateway": function, "Upstream": "openai", "Model": "gpt-4.1"}


def test_crashes(stack: Stack, gateway: AiGateway) -> None:
    metric = gateway.metric_crashes()
    assert (metric.namespace, metric.metric_name, metric.statistic) == ("AiGateway", "Crashes", "Sum")
    function = stack.resolve(gateway.function.function_name)
    assert dimensions(stack, metric) == {"Gateway": function}
    assert dimensions(stack, gateway.metric_crashes(version="7")) == {"Gateway": function, "Version": "7"}


def test_open_circuits(stack: Stack, gateway: AiGateway) -> None:
    metric = gateway.metric_circuit_open(upstream="openai", period=Duration.minutes(1))
    assert (metric.metric_name, metric.statistic, metric.period.to_minutes()) == ("CircuitOpen", "Minimum", 1)
    assert dimensions(stack, metric) == {"Gateway": stack.resolve(gateway.function.function_name), "Upstream": "openai"}
    for upstream in ("opnai", NO_UPSTREAM):
        with pytest.raises(ValueError, match=f"CircuitOpen: there is no upstream '{upstream}'; known: openai$"):
            gateway.metric_circuit_open(upstream=upstream)


def test_without_a_table_no_circuit_opens(stack: Stack) -> None:
    gateway = AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], resilience=False)
    with pytest.raises(ValueError, match="without a table no circuit opens, got upstream 'openai'; set resilience=True"):
        gateway.metric_circuit_open(upstream="openai")


@pytest.mark.parametrize("method", ["requests", "errors", "first_byte_latency", "duration"])
def test_an_upstream_is_one_of_the_gateways(stack: Stack, gateway: AiGateway, method: str) -> None:
    make: MakeMetric = getattr(gateway, f"metric_{method}")
    assert dimensions(stack, make(upstream=NO_UPSTREAM))["Upstream"] == "none"
    with pytest.raises(ValueError, match=r"^metric \w+: there is no upstream 'opnai'; known: openai, none$"):
        make(upstream="opnai")


@pytest.mark.parametrize("method", ["input", "output"])
def test_tokens_are_those_of_an_upstream_and_a_mapped_model(stack: Stack, gateway: AiGateway, method: str) -> None:
    make: MakeMetric = getattr(gateway, f"metric_{method}_tokens")
    assert dimensions(stack, make(upstream="openai", model=OTHER_MODEL))["Model"] == "other"
    # What is known at deployment only cannot be checked.
    make(upstream=Aws.REGION, model=Aws.REGION)
    for upstream in ("opnai", NO_UPSTREAM):
        with pytest.raises(ValueError, match=f"Tokens: there is no upstream '{upstream}'; known: openai$"):
            make(upstream=upstream, model="gpt-4.1")
    with pytest.raises(ValueError, match=r"Tokens: there is no model 'g'; known: gpt-4\.1, other$"):
        make(upstream="openai", model="g")


def test_a_message_lists_so_many_names() -> None:
    with pytest.raises(ValueError, match=r"known: m0, .*, m19 and 5 more$"):
        require_known("Tokens", "model", "m", [f"m{number}" for number in range(25)])


def test_the_stand_in_names_are_the_functions() -> None:
    assert (NO_UPSTREAM, OTHER_MODEL) == (request_log.NO_UPSTREAM, request_log.OTHER_MODEL)


@pytest.mark.parametrize("given", [{"upstream": "openai"}, {"model": "gpt-4.1"}])
def test_a_model_is_one_of_an_upstream(gateway: AiGateway, given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"metric InputTokens: give upstream and model, or neither, got .*'(openai|gpt-4\.1)'"):
        gateway.metric_input_tokens(**given)  # type: ignore[arg-type]


def test_options(gateway: AiGateway) -> None:
    metric = gateway.metric_errors(period=Duration.seconds(10), statistic="Average", label="errors")
    assert (metric.period.to_seconds(), metric.statistic, metric.label) == (10, "Average", "errors")


def test_dimensions_that_are_not_written_together(gateway: AiGateway) -> None:
    with pytest.raises(ValueError, match="metric Errors: give version or upstream, not both, got version '7' and upstream 'a'"):
        gateway.metric_errors(version="7", upstream="a")


def test_grant_invoke_is_for_the_alias(stack: Stack, gateway: AiGateway) -> None:
    role = Role(stack, "Role", assumed_by=ServicePrincipal("ec2.amazonaws.com"))
    gateway.grant_invoke(role)
    template = synthesized(stack)
    (alias,) = of_type(template, "Lambda::Alias")
    (policy,) = (p for p in of_type(template, "IAM::Policy").values() if p["PolicyName"].startswith("RoleDefault"))
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "lambda:InvokeFunction"
    assert statement["Resource"] == {"Ref": alias}


def dimensions(stack: Stack, metric: Metric) -> Any:
    return stack.resolve(metric.dimensions)
