"""The REST API: resources, streamed integrations, stage and access log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aws_cdk import Duration, Names, Stack, Tags
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_ec2 import IInterfaceVpcEndpoint
from aws_cdk.aws_logs import LogGroup
from constructs import Construct

from gateway_construct.authorizer import Authorizers
from gateway_construct.cors import add_preflight
from gateway_construct.domain import CustomDomain
from gateway_construct.gateway_tag import gateway_path
from gateway_construct.private_endpoint import endpoint_configuration, endpoint_policy
from gateway_construct.routes import ROUTES

if TYPE_CHECKING:
    from aws_cdk.aws_stepfunctions import StateMachine

STAGE = "prod"

API_TAG = "ai-gateway:api"
"""Tag by which the command line tells the API from others. Its value is the path of the gateway's construct."""

FUNCTION_TAG = "ai-gateway:function"
"""Tag with the name of the gateway's function."""

RELEASE_TAG = "ai-gateway:release"
"""Tag with the ARN of the state machine that releases versions."""

ROTATION_TAG = "ai-gateway:rotation"
"""Tag with the name of the function that rotates credentials."""

LIMITS_TAG = "ai-gateway:limits"
"""Tag with the name of the gateway's table, if the function reads consumers' limits from it."""

_STREAM_TIMEOUT = Duration.minutes(15)

_ACCESS_LOG_FIELDS = {
    "requestId": "$context.requestId",
    "requestTime": "$context.requestTime",
    "sourceIp": "$context.identity.sourceIp",
    "httpMethod": "$context.httpMethod",
    "resourcePath": "$context.resourcePath",
    "status": "$context.status",
    "responseType": "$context.error.responseType",
    # The key's id. `identity.apiKey` would be its value.
    "apiKeyId": "$context.identity.apiKeyId",
    "authorizerStatus": "$context.authorizer.status",
    "wafResponse": "$context.wafResponseCode",
    "integrationStatus": "$context.integration.status",
    "integrationLatency": "$context.integration.latency",
    "timeToFirstContent": "$context.integration.timeToFirstContent",
    "responseLatency": "$context.responseLatency",
    "responseLength": "$context.responseLength",
    # Nothing that a client words, as its user agent: API Gateway escapes no quotes, so that it could add fields of its own.
}


def rest_api(
    scope: Construct,
    construct_id: str,
    *,
    access_log_group: LogGroup | None,
    tracing: bool,
    private_endpoint: IInterfaceVpcEndpoint | None,
    default_endpoint_disabled: bool,
) -> apigateway.RestApi:
    """The API without routes: nothing account-wide, the key taken from the authorizer's answer."""
    api = apigateway.RestApi(
        scope,
        construct_id,
        # Not a physical name: two APIs may share it. CloudWatch's metrics of an API carry it.
        rest_api_name=Names.unique_resource_name(scope, separator="-", max_length=128),
        description="AI gateway",
        api_key_source_type=apigateway.ApiKeySourceType.AUTHORIZER,
        cloud_watch_role=False,
        disable_execute_api_endpoint=default_endpoint_disabled,
        endpoint_configuration=endpoint_configuration(private_endpoint),
        policy=endpoint_policy(private_endpoint, stage=STAGE),
        deploy_options=apigateway.StageOptions(
            stage_name=STAGE,
            tracing_enabled=tracing,
            access_log_destination=apigateway.LogGroupLogDestination(access_log_group) if access_log_group else None,
            access_log_format=apigateway.AccessLogFormat.custom(json.dumps(_ACCESS_LOG_FIELDS)) if access_log_group else None,
        ),
    )
    # The API alone, for the tag would go on to its stage.
    Tags.of(api).add(API_TAG, gateway_path(scope), include_resource_types=[apigateway.CfnRestApi.CFN_RESOURCE_TYPE_NAME])
    # The L2 exports its address. What a stack puts out is the app's to decide.
    api.node.try_remove_child("Endpoint")
    return api


def tag_api(
    api: apigateway.RestApi,
    *,
    function: str,
    state_machine: StateMachine | None = None,
    rotation: str | None = None,
) -> None:
    """Tell the command line what belongs to the gateway, whose API it finds first.

    Args:
        api: the gateway's.
        function: name of its function.
        state_machine: releases its versions. Default: it has none.
        rotation: name of the function that rotates its credentials. Default: it has none.
    """
    tags = {FUNCTION_TAG: function, RELEASE_TAG: state_machine and state_machine.state_machine_arn, ROTATION_TAG: rotation}
    for tag, value in tags.items():
        if value:
            Tags.of(api).add(tag, value, include_resource_types=[apigateway.CfnRestApi.CFN_RESOURCE_TYPE_NAME])


def tag_limits(api: apigateway.RestApi, table: str) -> None:
    """Tell the command line that the gateway's consumers may have limits.

    Args:
        api: the gateway's.
        table: name of the table that has them.
    """
    Tags.of(api).add(LIMITS_TAG, table, include_resource_types=[apigateway.CfnRestApi.CFN_RESOURCE_TYPE_NAME])


def add_routes(
    api: apigateway.RestApi,
    *,
    alias: lambda_.Alias,
    authorizers: Authorizers,
    cors_allow_origins: tuple[str, ...],
) -> None:
    """Give the API its routes. Each asks the authorizer and wants a key, and streams what the function answers."""
    integration = apigateway.LambdaIntegration(
        alias,
        proxy=True,
        response_transfer_mode=apigateway.ResponseTransferMode.STREAM,
        timeout=_STREAM_TIMEOUT,
        # The permission for the console's test stage would let the function be called past keys and plans.
        allow_test_invoke=False,
    )
    for route in ROUTES:
        resource = api.root.resource_for_path(route.path)
        resource.add_method(
            route.method,
            integration,
            authorization_type=apigateway.AuthorizationType.CUSTOM,
            authorizer=authorizers.authorizer_for(route.wire_format),
            api_key_required=True,
        )
        if cors_allow_origins:
            add_preflight(resource, method=route.method, origins=cors_allow_origins)
    if api.latest_deployment is not None:
        # Only a feature flag would make the CDK deploy the API anew when an authorizer's cache changes.
        api.latest_deployment.add_to_logical_id({"authorizerCacheSeconds": authorizers.cache_seconds})


def base_url(
    scope: Construct,
    *,
    api: apigateway.RestApi,
    domain: CustomDomain | None,
    private_endpoint: IInterfaceVpcEndpoint | None,
) -> str:
    """Where the API is reached, without a trailing slash."""
    if domain is not None:
        return f"https://{domain.name}"
    stack = Stack.of(scope)
    # This name resolves in a VPC whether or not its endpoint has private DNS.
    host = f"{api.rest_api_id}-{private_endpoint.vpc_endpoint_id}" if private_endpoint else api.rest_api_id
    return f"https://{host}.execute-api.{stack.region}.{stack.url_suffix}/{STAGE}"
