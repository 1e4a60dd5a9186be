"""A gateway that is reachable through one VPC endpoint only."""

from __future__ import annotations

from aws_cdk import aws_apigateway as apigateway
from aws_cdk.aws_ec2 import IInterfaceVpcEndpoint
from aws_cdk.aws_iam import AnyPrincipal, PolicyDocument, PolicyStatement

from gateway_construct.domain import CustomDomain


def endpoint_configuration(private_endpoint: IInterfaceVpcEndpoint | None) -> apigateway.EndpointConfiguration:
    """REGIONAL, whose streams may be idle for five minutes, or PRIVATE, tied to the endpoint."""
    if private_endpoint is None:
        return apigateway.EndpointConfiguration(types=[apigateway.EndpointType.REGIONAL])
    return apigateway.EndpointConfiguration(types=[apigateway.EndpointType.PRIVATE], vpc_endpoints=[private_endpoint])


def endpoint_policy(private_endpoint: IInterfaceVpcEndpoint | None, *, stage: str) -> PolicyDocument | None:
    """Who may call: whoever comes through the endpoint. Keys are asked for all the same. None if the API is not private."""
    if private_endpoint is None:
        return None
    return PolicyDocument(
        statements=[
            PolicyStatement(
                principals=[AnyPrincipal()],
                actions=["execute-api:Invoke"],
                resources=[f"execute-api:/{stage}/*"],
                conditions={"StringEquals": {"aws:SourceVpce": private_endpoint.vpc_endpoint_id}},
            ),
        ],
    )


def require_reachable(private_endpoint: IInterfaceVpcEndpoint | None, domain: CustomDomain | None) -> None:
    """Refuse what cannot work together.

    Raises:
        ValueError: if a private gateway has a custom domain.
    """
    if private_endpoint is not None and domain is not None:
        raise ValueError(
            f"a private gateway cannot have the domain {domain.name!r}: API Gateway maps regional domains to regional APIs "
            "only; leave out domain or private_endpoint",
        )
