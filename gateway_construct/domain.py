"""A gateway under the user's own domain name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import Token
from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

if TYPE_CHECKING:
    from aws_cdk.aws_certificatemanager import ICertificate
    from aws_cdk.aws_route53 import IHostedZone

_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}")


@dataclass(frozen=True, kw_only=True, slots=True)
class CustomDomain:
    """The user's own domain name for a gateway. It takes TLS 1.2 and newer.

    Args:
        name: the domain name in lower case, for example "llm.example.com".
        certificate: covers the name; of the gateway's Region.
        hosted_zone: gets an alias record for the name. Default: no record is written, point the name to
            `AiGateway.domain_name` yourself.
        disable_default_endpoint: whether the `execute-api` address is switched off, so that the domain is the only way in.
            Default: False.

    Raises:
        ValueError: if the name is no domain name.
    """

    name: str
    certificate: ICertificate
    hosted_zone: IHostedZone | None = None
    disable_default_endpoint: bool = False

    def __post_init__(self) -> None:
        if not Token.is_unresolved(self.name) and not _NAME.fullmatch(self.name):
            raise ValueError(f"domain: name must be a domain name such as 'llm.example.com', got {self.name!r}")


def attach_domain(
    scope: Construct, construct_id: str, *, api: apigateway.RestApi, domain: CustomDomain
) -> apigateway.DomainName:
    """Put the API's stage at the root of the domain."""
    name = apigateway.DomainName(
        scope,
        construct_id,
        domain_name=domain.name,
        certificate=domain.certificate,
        endpoint_type=apigateway.EndpointType.REGIONAL,
        security_policy=apigateway.SecurityPolicy.TLS_1_2,
    )
    name.add_base_path_mapping(api, stage=api.deployment_stage)
    if domain.hosted_zone is not None:
        # Imported where it is needed: each of the CDK's modules costs every synth start-up time.
        from aws_cdk.aws_route53 import ARecord, RecordTarget  # noqa: PLC0415
        from aws_cdk.aws_route53_targets import ApiGatewayDomain  # noqa: PLC0415

        ARecord(
            name,
            "Alias",
            zone=domain.hosted_zone,
            record_name=f"{domain.name}.",
            target=RecordTarget.from_alias(ApiGatewayDomain(name)),
        )
    return name
