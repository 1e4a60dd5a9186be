"""What CloudFormation says of a gateway's stack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from gateway_cli.aws.connection import Connection
from gateway_cli.errors import CommandError

STACK_TAG = "aws:cloudformation:stack-name"
"""The tag that CloudFormation gives to what it makes; the value is the stack's name."""


def resources_of(connection: Connection, stack: str, kind: str) -> Iterator[str]:
    """Physical ids of the resources of a type in a stack and in those nested in it.

    Args:
        connection: where the stack is.
        stack: its name.
        kind: CloudFormation's name of the type.

    Raises:
        CommandError: if there is no such stack.
        ClientError: if AWS refuses to tell.
    """
    return _resources(connection.client("cloudformation"), stack, kind, connection.place)


def _resources(cloudformation: Any, stack: str, kind: str, place: str) -> Iterator[str]:
    try:
        for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack):
            for resource in page["StackResourceSummaries"]:
                identity = resource.get("PhysicalResourceId")
                if identity and resource["ResourceType"] == kind:
                    yield identity
                elif identity and resource["ResourceType"] == "AWS::CloudFormation::Stack":
                    yield from _resources(cloudformation, identity, kind, place)
    except ClientError as error:
        if "does not exist" in str(error):
            raise CommandError(f"there is no stack {stack!r} in {place}; is the Region right (--region)?") from None
        raise
