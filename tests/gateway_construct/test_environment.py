from __future__ import annotations

import pytest
from aws_cdk import CfnParameter, Stack

from gateway_construct import AiGateway, Upstream
from tests.gateway_construct.resources import gateway_function, synthesized


@pytest.mark.template
def test_the_users_variables_stand_beside_the_gateways_own(stack: Stack) -> None:
    gateway = AiGateway(stack, "Gateway", upstreams=[Upstream.openai(name="open-ai")], environment={"LOG_LEVEL": "debug"})
    variables = gateway_function(synthesized(stack))["Environment"]["Variables"]
    assert variables == {
        "AI_GATEWAY_TABLE": stack.resolve(gateway.table.table_name if gateway.table else None),
        "AWS_LAMBDA_EXEC_WRAPPER": "/var/task/exec-wrapper",
        "LOG_LEVEL": "debug",
        "UPSTREAM_SECRET_OPEN_AI": stack.resolve(gateway.secrets["open-ai"].secret_arn),
    }


@pytest.mark.parametrize(
    "name",
    ["AWS_LAMBDA_EXEC_WRAPPER", "UPSTREAM_SECRET_OPENAI", "UPSTREAM_SECRET_X", "AI_GATEWAY_RESPONSE_MODE", "AI_GATEWAY_TABLE"],
)
def test_the_gateways_own_cannot_be_replaced(stack: Stack, name: str) -> None:
    with pytest.raises(ValueError, match=f"environment: '{name}' is one of the gateway's own variables and cannot be set"):
        AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], environment={name: "x"})


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_SESSION_TOKEN", "AWS_LAMBDA_FUNCTION_NAME", "LAMBDA_TASK_ROOT"])
def test_lambdas_own_cannot_be_set(stack: Stack, name: str) -> None:
    with pytest.raises(ValueError, match=f"environment: '{name}' is set by Lambda, which refuses a function that sets it"):
        AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], environment={name: "x"})


@pytest.mark.parametrize("name", ["", "X", "_HANDLER", "LOG-LEVEL", "1ST"])
def test_a_name_that_lambda_does_not_take_is_explained(stack: Stack, name: str) -> None:
    with pytest.raises(ValueError, match=f"environment: a name must be two or more letters, .*, got '{name}'"):
        AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], environment={name: "x"})


def test_too_many_variables_are_refused_before_lambda_does(stack: Stack) -> None:
    with pytest.raises(ValueError, match=r"must not have more than 4096 bytes together, got \d+, most of them in 'LONG'"):
        AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], environment={"LONG": "é" * 2048})


def test_what_is_known_at_deployment_only_does_not_count(stack: Stack) -> None:
    value = CfnParameter(stack, "Value").value_as_string
    AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], environment={"LATER": value, "LONG": "x" * 3900})
