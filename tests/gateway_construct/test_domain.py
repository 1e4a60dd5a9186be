from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk.aws_certificatemanager import Certificate, ICertificate

from gateway_construct import AiGateway, CustomDomain, Upstream
from tests.gateway_construct.resources import of_type, only, synthesized


@pytest.fixture
def certificate(stack: Stack) -> ICertificate:
    arn = "arn:aws:acm:eu-central-1:111122223333:certificate/11112222-3333-4444-5555-666677778888"
    return Certificate.from_certificate_arn(stack, "Certificate", arn)


@pytest.mark.template
def test_the_stage_is_at_the_domains_root(template_of: Callable[[str], Any]) -> None:
    template = template_of("custom-domain")
    domain = only(template, "ApiGateway::DomainName")
    assert domain["DomainName"] == "llm.example.com"
    assert domain["SecurityPolicy"] == "TLS_1_2"
    assert domain["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert "RegionalCertificateArn" in domain
    mapping = only(template, "ApiGateway::BasePathMapping")
    assert mapping["Stage"]["Ref"] in of_type(template, "ApiGateway::Stage")
    assert "BasePath" not in mapping


@pytest.mark.template
def test_the_zone_gets_an_alias(template_of: Callable[[str], Any]) -> None:
    record = only(template_of("custom-domain"), "Route53::RecordSet")
    assert (record["Name"], record["Type"]) == ("llm.example.com.", "A")
    assert set(record["AliasTarget"]) == {"DNSName", "HostedZoneId"}


@pytest.mark.template
def test_the_default_endpoint_can_be_switched_off(template_of: Callable[[str], Any]) -> None:
    assert only(template_of("custom-domain"), "ApiGateway::RestApi")["DisableExecuteApiEndpoint"] is True
    assert only(template_of("everything"), "ApiGateway::RestApi")["DisableExecuteApiEndpoint"] is False


@pytest.mark.template
def test_addresses(stack: Stack, certificate: ICertificate) -> None:
    domain = CustomDomain(name="llm.example.com", certificate=certificate)
    gateway = AiGateway(stack, "Gateway", upstreams=[Upstream.openai()], domain=domain)
    assert gateway.url == gateway.anthropic_base_url == "https://llm.example.com"
    assert gateway.openai_base_url == "https://llm.example.com/v1"
    assert gateway.domain_name is not None
    assert not of_type(synthesized(stack), "Route53::RecordSet")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "localhost",
        "https://llm.example.com",
        "llm.example.com/v1",
        "llm example.com",
        "LLM.example.com",
        "llm.example.com.",
        "*.example.com",
        "llm..example.com",
    ],
)
def test_mistakes_are_explained(certificate: ICertificate, name: str) -> None:
    with pytest.raises(ValueError, match=r"domain: name must be a domain name such as 'llm\.example\.com', got"):
        CustomDomain(name=name, certificate=certificate)
