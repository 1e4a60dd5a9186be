"""The gateway's REST API with everything that belongs to it: routes, what is no route, error bodies, web ACL."""

from __future__ import annotations

from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_ec2 import IInterfaceVpcEndpoint
from aws_cdk.aws_logs import LogGroup
from constructs import Construct

from gateway_construct.authorizer import Authorizers
from gateway_construct.domain import CustomDomain
from gateway_construct.gateway_responses import add_gateway_responses
from gateway_construct.rest_api import add_routes, rest_api
from gateway_construct.unknown_routes import add_unknown_routes
from gateway_construct.web_acl import WebAcl


def gateway_api(
    scope: Construct,
    *,
    alias: lambda_.Alias,
    authorizers: Authorizers,
    cors_allow_origins: tuple[str, ...],
    access_log_group: LogGroup | None,
    tracing: bool,
    private_endpoint: IInterfaceVpcEndpoint | None,
    domain: CustomDomain | None,
    web_acl: WebAcl | None,
) -> apigateway.RestApi:
    """Make it.

    Args:
        scope: the gateway.
        alias: answers the requests.
        authorizers: say whose they are.
        cors_allow_origins: origins that browsers may call from.
        access_log_group: takes a line for each request. None: no access log.
        tracing: whether X-Ray traces the stage.
        private_endpoint: the only way to a private API. None: it is public.
        domain: the user's own, which may be the only way. None: API Gateway's address.
        web_acl: stands before the stage. None: nothing does.
    """
    api = rest_api(
        scope,
        "Api",
        access_log_group=access_log_group,
        tracing=tracing,
        private_endpoint=private_endpoint,
        default_endpoint_disabled=domain is not None and domain.disable_default_endpoint,
    )
    add_routes(api, alias=alias, authorizers=authorizers, cors_allow_origins=cors_allow_origins)
    add_unknown_routes(api, cors_allow_origins=cors_allow_origins)
    add_gateway_responses(api, cors_allow_origins=cors_allow_origins)
    if web_acl is not None:
        # Imported where it is needed: AWS WAF's module costs every synth start-up time.
        from gateway_construct.web_acl_rules import attach_web_acl  # noqa: PLC0415

        attach_web_acl(scope, "WebAcl", web_acl=web_acl, stage_arn=api.deployment_stage.stage_arn)
    return api
