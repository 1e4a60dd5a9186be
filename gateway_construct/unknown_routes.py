"""Requests that no route is for: a clean 404, whatever headers come with them."""

from __future__ import annotations

import json

from aws_cdk import aws_apigateway as apigateway

from gateway_construct.cors import error_headers
from gateway_construct.gateway_responses import UNKNOWN_ROUTE

# A greedy path stands for everything below the root that has no method of its own: API Gateway looks for resource and method
# together, so that a route asked with another method ends here, too. Every method is meant, HEAD and OPTIONS included.
_PATHS = ("/", "/{proxy+}")
_METHOD = "ANY"

_HEADER = "method.response.header."


def add_unknown_routes(api: apigateway.RestApi, *, cors_allow_origins: tuple[str, ...]) -> None:
    """Have API Gateway answer 404 by itself to every path and method that is not a route.

    Without these methods it takes such a request for one that should have been signed, and an `Authorization: Bearer` header
    for a broken signature: a 403 about a missing equal-sign, which gateway responses do not reliably change. Neither an
    authorizer nor a key is asked for, so that a wrong base URL is told from a wrong key.
    """
    status = str(UNKNOWN_ROUTE.status)
    headers = error_headers(cors_allow_origins)
    integration = apigateway.MockIntegration(
        # Bodies of another type than JSON would be taken for the template's result and fail: they are refused instead, and
        # the gateway response for that says the same as this.
        passthrough_behavior=apigateway.PassthroughBehavior.NEVER,
        request_templates={"application/json": json.dumps({"statusCode": UNKNOWN_ROUTE.status})},
        integration_responses=[
            apigateway.IntegrationResponse(
                status_code=status,
                response_parameters={_HEADER + name: value for name, value in headers.items()},
                response_templates={"application/json": UNKNOWN_ROUTE.body()},
            ),
        ],
    )
    response = apigateway.MethodResponse(
        status_code=status,
        response_parameters={_HEADER + name: True for name in headers},
    )
    for path in _PATHS:
        api.root.resource_for_path(path).add_method(_METHOD, integration, method_responses=[response])
