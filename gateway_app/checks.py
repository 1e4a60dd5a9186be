"""cdk-nag over the app, and what is acknowledged of its findings: each with its reason, all of them here."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Acknowledgment, App, Validations
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct

from gateway_construct import AiGateway

ON_API = {
    "AwsSolutions-COG4": (
        "callers are programs with an API key, which an authorizer takes from either header that the clients of OpenAI and "
        "Anthropic send; there is no person to sign in to a user pool"
    ),
    "AwsSolutions-APIG1": (
        'access logs need an account-wide role, which this stack does not touch; whoever has it sets "access_logs": true'
    ),
    "AwsSolutions-APIG2": (
        "bodies are relayed as they are, fields that the gateway does not know included; the function checks what it needs and "
        "answers in the client's own format"
    ),
    "AwsSolutions-APIG3": (
        "nobody gets past the authorizer without a key, and a plan limits each key; a web ACL, which has a monthly price, is "
        'there for whoever sets "web_acl": true'
    ),
    "AwsSolutions-APIG6": (
        "execution logs need an account-wide role and can hold prompts; the function logs each request without them"
    ),
}
ON_UNKNOWN_ROUTE = {
    "AwsSolutions-APIG4": (
        "answers 404 to paths and methods that are no route, out of API Gateway itself: there is nothing to be authorized for, "
        "and a caller with a wrong address is not told that the key is wrong"
    ),
}
ON_FUNCTION = {
    "AwsSolutions-L1": "the runtime loop is tested with Python 3.13, and the asset's bytecode is compiled for it",
}
ON_TRACED_ROLE = {
    "AwsSolutions-IAM5[Resource::*]": "X-Ray has no resource that its two actions could be limited to",
}
ON_SECRET = {
    "AwsSolutions-SMG4": "the key is the provider's: Secrets Manager cannot make a new one, the operator puts it in place",
}
ON_TABLE = {
    "AwsSolutions-DDB3": (
        "what a restored table would bring back are usage counts, since everything else in it is worth minutes; whoever bills "
        'by them sets "point_in_time_recovery": true'
    ),
}


def add_checks(app: App, gateway: AiGateway, *, tracing: bool) -> None:
    """Check the app against the AWS Solutions rules when it is synthesized; a finding that is not acknowledged fails it.

    Args:
        app: the app.
        gateway: the gateway in it.
        tracing: whether the gateway is traced.
    """
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    _acknowledge(gateway.api, ON_API)
    for method in gateway.api.methods:
        if method.http_method == "ANY":
            _acknowledge(method, ON_UNKNOWN_ROUTE)
    _acknowledge(gateway.function, ON_FUNCTION)
    _acknowledge(gateway.authorizer_function, ON_FUNCTION)
    if tracing and gateway.function.role is not None:
        _acknowledge(gateway.function.role, ON_TRACED_ROLE)
    for secret in gateway.secrets.values():
        _acknowledge(secret, ON_SECRET)
    if gateway.table is not None:
        _acknowledge(gateway.table, ON_TABLE)


def _acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    rules = [Acknowledgment(id=rule, reason=reason) for rule, reason in reasons.items()]
    Validations.of(construct).acknowledge(*rules)
