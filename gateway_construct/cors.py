"""What browsers are told about calls from other origins."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway

# Listed one by one: browsers do not take `*` for Authorization.
ALLOWED_HEADERS = (
    "accept",
    "authorization",
    "content-type",
    "idempotency-key",
    "x-api-key",
    "anthropic-beta",
    "anthropic-dangerous-direct-browser-access",
    "anthropic-version",
    "openai-beta",
    "openai-organization",
    "openai-project",
    "x-ai-gateway-delivery",
    "x-stainless-arch",
    "x-stainless-async",
    "x-stainless-custom-poll-interval",
    "x-stainless-helper",
    "x-stainless-helper-method",
    "x-stainless-lang",
    "x-stainless-os",
    "x-stainless-package-version",
    "x-stainless-poll-helper",
    "x-stainless-raw-response",
    "x-stainless-read-timeout",
    "x-stainless-retry-count",
    "x-stainless-runtime",
    "x-stainless-runtime-version",
    "x-stainless-timeout",
)
"""Request headers that the OpenAI and Anthropic SDKs send from a browser, and the gateway's own."""

EXPOSED_HEADERS = ("retry-after", "x-should-retry", "x-amzn-requestid")
"""Headers of API Gateway's own answers that a page may read."""


def add_preflight(resource: apigateway.IResource, *, method: str, origins: tuple[str, ...]) -> None:
    """Have API Gateway answer a resource's preflight requests by itself: browsers send no key with them."""
    resource.add_cors_preflight(
        allow_origins=list(origins),
        allow_methods=[method, "OPTIONS"],
        allow_headers=list(ALLOWED_HEADERS),
        max_age=Duration.hours(2),
    )


def error_headers(origins: tuple[str, ...]) -> dict[str, str]:
    """Headers of API Gateway's own errors, as mapping expressions.

    They cannot choose between several origins, so there every one is allowed. What an origin that is not among them can read
    thereby is an error that says nothing about anyone; requests with a key do not pass its preflight.
    """
    if not origins:
        return {}
    return {
        "Access-Control-Allow-Origin": f"'{origins[0]}'" if len(origins) == 1 else "'*'",
        "Access-Control-Expose-Headers": f"'{','.join(EXPOSED_HEADERS)}'",
    }
