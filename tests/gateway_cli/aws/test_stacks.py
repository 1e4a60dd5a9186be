"""Resources of stacks. CloudFormation's answers are written here: moto's needs more than is installed."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from gateway_cli.aws.connection import Connection
from gateway_cli.aws.stacks import resources_of
from gateway_cli.errors import CommandError

TABLE, API, NESTED = "AWS::DynamoDB::Table", "AWS::ApiGateway::RestApi", "AWS::CloudFormation::Stack"


class CloudFormation:
    """CloudFormation and the connection to it. A page holds one resource."""

    place = "Region eu-central-1"

    def __init__(self, **stacks: list[tuple[str, str | None]]) -> None:
        self._stacks = stacks

    def client(self, _service: str) -> Any:
        return self

    def get_paginator(self, _operation: str) -> Any:
        return self

    def paginate(self, *, StackName: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        if StackName not in self._stacks:
            message = f"Stack with id {StackName} does not exist" if StackName == "missing" else "no"
            raise ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "ListStackResources")
        for kind, identity in self._stacks[StackName]:
            known = {"PhysicalResourceId": identity} if identity else {}
            yield {"StackResourceSummaries": [{"ResourceType": kind, **known}]}


def found(stack: str, kind: str, **stacks: list[tuple[str, str | None]]) -> list[str]:
    return list(resources_of(cast("Connection", CloudFormation(**stacks)), stack, kind))


def test_of_a_stack_and_of_those_nested_in_it() -> None:
    stacks: dict[str, list[tuple[str, str | None]]] = {
        "outer": [(TABLE, "one"), (API, "api"), (NESTED, "inner"), (TABLE, None), (NESTED, None)],
        "inner": [(TABLE, "two"), (NESTED, "innermost")],
        "innermost": [(TABLE, "three"), (API, "another")],
    }
    assert found("outer", TABLE, **stacks) == ["one", "two", "three"]
    assert found("outer", API, **stacks) == ["api", "another"]
    assert found("inner", API, **stacks) == ["another"]


def test_a_stack_that_does_not_exist() -> None:
    with pytest.raises(CommandError, match="there is no stack 'missing' in Region eu-central-1; is the Region right"):
        found("missing", TABLE)


def test_what_aws_refuses() -> None:
    with pytest.raises(ClientError):
        found("other", TABLE)
