from __future__ import annotations

import pytest
from aws_cdk import Stack

from gateway_construct import AiGateway, Upstream
from tests.gateway_construct.resources import gateway_function, synthesized


@pytest.mark.template
def test_the_users_variables_stand_beside_the_gateways_own(stack: Stack) -> None:
    gateway = AiGateway(stack, "Gateway", upstreams=[Upstream.openai(name="open-ai")], environment={"LOG_LEVEL": "debug"})
    variables = gateway_function(synthesized(stack))["Environment"]["Variables"]
    assert variables == {
        "AWS_LAMBDA_EXEC_WRAPPER": "/var/task/exec-wrapper",
        "LOG_LEVEL": "debug",
        "UPSTREAM_SECRET_OPEN_AI": stack.resolve(gateway.secrets["open-ai"].secret_arn),
    }


@pytest.mark.parametrize(
    "name", ["AWS_LAMBDA_EXEC_WRAPPER", "UPSTREAM_SECRET_OPENAI", "UPSTREAM_SECRET_X", "AI_GATEWAY_RESPONSE_MODE"]
)
def test_the_gateways_own_cannot_be_replaced(stack: Stack, name: str) -> None:
    with pytest.raises(ValueError, match=f"environment: '{name}' is one of the gateway's own variables and cannot be set"):
        AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], environment={name: "x"})
