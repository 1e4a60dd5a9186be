from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk.aws_certificatemanager import Certificate
from aws_cdk.aws_ec2 import InterfaceVpcEndpoint

from gateway_construct import AiGateway, CustomDomain, Upstream
from tests.gateway_construct.resources import only

pytestmark = pytest.mark.template

ENDPOINT = "vpce-0123456789abcdef0"


def test_only_the_endpoint_leads_to_the_api(template_of: Callable[[str], Any]) -> None:
    api = only(template_of("private-endpoint"), "ApiGateway::RestApi")
    assert api["EndpointConfiguration"] == {"Types": ["PRIVATE"], "VpcEndpointIds": [ENDPOINT]}
    (statement,) = api["Policy"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": "execute-api:Invoke",
        "Resource": "execute-api:/prod/*",
        "Condition": {"StringEquals": {"aws:SourceVpce": ENDPOINT}},
    }


def test_a_public_gateway_has_no_policy(template_of: Callable[[str], Any]) -> None:
    assert "Policy" not in only(template_of("smallest"), "ApiGateway::RestApi")


def test_the_address_resolves_without_private_dns(stack: Stack) -> None:
    endpoint = InterfaceVpcEndpoint.from_interface_vpc_endpoint_attributes(
        stack, "Endpoint", vpc_endpoint_id=ENDPOINT, port=443
    )
    gateway = AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], private_endpoint=endpoint)
    assert f"-{ENDPOINT}.execute-api." in stack.resolve(gateway.url)["Fn::Join"][1]


def test_a_private_gateway_has_no_domain(stack: Stack) -> None:
    arn = "arn:aws:acm:eu-central-1:111122223333:certificate/11112222-3333-4444-5555-666677778888"
    domain = CustomDomain(name="llm.example.com", certificate=Certificate.from_certificate_arn(stack, "Certificate", arn))
    endpoint = InterfaceVpcEndpoint.from_interface_vpc_endpoint_attributes(
        stack, "Endpoint", vpc_endpoint_id=ENDPOINT, port=443
    )
    with pytest.raises(ValueError, match=r"a private gateway cannot have the domain 'llm\.example\.com'"):
        AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], domain=domain, private_endpoint=endpoint)
