"""cdk-nag over the app, and what is acknowledged of its findings: each with its reason, all of them here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from aws_cdk import Acknowledgment, App, CfnElement, Stack, Validations
from aws_cdk.aws_iam import Policy
from aws_cdk.aws_lambda import Function
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct

from gateway_construct import AiGateway

if TYPE_CHECKING:
    from aws_cdk.aws_stepfunctions import StateMachine

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
ON_FEDERATED_ROLE = {
    "AwsSolutions-IAM5[Resource::*]": (
        "identity tokens have no resource; conditions limit whom they are for, how long they hold and how they are signed"
    ),
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

ON_STATE_MACHINE = {
    "AwsSolutions-SF1": (
        "the history of each execution is kept for 90 days and has all that a log would; writing one takes permissions on "
        "every log group of the account"
    ),
    "AwsSolutions-SF2": "it calls AWS alone, a few times an hour, and its history has each call with its time",
}


def on_executions(state_machine: StateMachine) -> dict[str, str]:
    """What is acknowledged on policies that name the executions of a state machine."""
    name = Stack.of(state_machine).get_logical_id(cast("CfnElement", state_machine.node.default_child))
    arn = f"arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:<{name}.Name>:*"
    return {f"AwsSolutions-IAM5[Resource::{arn}]": "an execution has no ARN before it runs"}


def add_checks(app: App, gateway: AiGateway, *, tracing: bool, federated: bool = False) -> None:
    """Check the app against the AWS Solutions rules when it is synthesized; a finding that is not acknowledged fails it.

    Args:
        app: the app.
        gateway: the gateway in it.
        tracing: whether the gateway is traced.
        federated: whether an upstream of it takes tokens in place of a stored key.
    """
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    _acknowledge(gateway.api, ON_API)
    for method in gateway.api.methods:
        if method.http_method == "ANY":
            _acknowledge(method, ON_UNKNOWN_ROUTE)
    for construct in gateway.node.find_all():
        if isinstance(construct, Function):
            _acknowledge(construct, ON_FUNCTION)
    if tracing and gateway.function.role is not None:
        _acknowledge(gateway.function.role, ON_TRACED_ROLE)
    if federated and gateway.function.role is not None:
        _acknowledge(gateway.function.role, ON_FEDERATED_ROLE)
    if gateway.release_state_machine is not None:
        _acknowledge_release(gateway.release_state_machine)
    for secret in gateway.secrets.values():
        _acknowledge(secret, ON_SECRET)
    if gateway.table is not None:
        _acknowledge(gateway.table, ON_TABLE)


def _acknowledge_release(state_machine: StateMachine) -> None:
    release = state_machine.node.scope
    assert release is not None  # noqa: S101  for the type checker
    for construct in release.node.find_all():
        # By the type's name: the module costs start-up time where there is no release to check.
        if type(construct).__name__ == "StateMachine":
            _acknowledge(construct, ON_STATE_MACHINE)
        elif isinstance(construct, Policy) and ":execution:" in str(Stack.of(construct).resolve(construct.document)):
            _acknowledge(construct, on_executions(state_machine))


def _acknowledge(construct: IConstruct, reasons: Mapping[str, str]) -> None:
    rules = [Acknowledgment(id=rule, reason=reason) for rule, reason in reasons.items()]
    Validations.of(construct).acknowledge(*rules)
