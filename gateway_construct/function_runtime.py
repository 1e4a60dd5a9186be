"""What all functions of a gateway have in common: the managed runtime, and a role that may do what is listed and no more."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_lambda as lambda_
from aws_cdk.aws_iam import PolicyStatement, Role, ServicePrincipal
from constructs import Construct

RUNTIME = lambda_.Runtime.PYTHON_3_13


def execution_role(scope: Construct, construct_id: str, *, statements: Sequence[PolicyStatement]) -> Role:
    """A role for a function that may do what is listed and no more: AWS's managed policy would allow every log group."""
    role = Role(scope, construct_id, assumed_by=ServicePrincipal("lambda.amazonaws.com"))
    for statement in statements:
        role.add_to_policy(statement)
    return role
