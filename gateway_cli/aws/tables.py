"""Finds the table of a gateway: by its name, in its stack, or as the only one of the Region."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from botocore.exceptions import ClientError

from gateway_cli.aws.connection import Connection, is_named
from gateway_cli.aws.stacks import STACK_TAG, resources_of
from gateway_cli.errors import MISTAKEN, CommandError, is_denied

TABLE_TAG = "ai-gateway:table"
"""The tag that the construct gives to its table; the value is the path of the gateway's construct."""

TableOption = Annotated[
    str | None,
    typer.Option(help="The gateway's table. Default: the one of --stack, or the only one of the Region.", show_default=False),
]

_NO_TABLE = "a gateway with resilience=False has none, and one that an older version of the construct deployed has none yet"


class NoTableError(CommandError):
    """No table is the one that the options mean."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GatewayTable:
    """A gateway's table.

    Args:
        name: its name.
        gateway: path of the gateway's construct.
        stack: name of its stack; empty if CloudFormation did not make it.
        found: how it was found, for the user to see that it is the right one.
    """

    name: str
    gateway: str
    stack: str
    found: str


def find_table(connection: Connection, *, table: str | None, stack: str | None, gateway: str | None) -> GatewayTable:
    """The table that the options mean.

    Raises:
        NoTableError: if there is none; the message lists those that are there.
        CommandError: if there are several; the message lists them.
        ClientError: if AWS refuses to tell.
    """
    if table and stack:
        raise CommandError("--table names the table already; leave out --stack", status=MISTAKEN)
    if table:
        candidates, found = [_named(connection, table)], "as named"
    elif stack:
        candidates, found = list(_in_stack(connection, stack)), f"in the stack {stack}"
    else:
        candidates, found = list(_tagged(connection)), f"the only one of {connection.place}"
    chosen = [(name, tags) for name, tags in candidates if is_named(tags[TABLE_TAG], gateway)]
    if gateway and len(chosen) < len(candidates):
        found = f"of the gateway {gateway}"
    if len(chosen) != 1:
        where = f"the stack {stack!r}" if stack else connection.place
        raise _no_choice(where, chosen or candidates, gateway if candidates and not chosen else None)
    name, tags = chosen[0]
    return GatewayTable(name=name, gateway=tags[TABLE_TAG], stack=tags.get(STACK_TAG, ""), found=found)


_Tagged = tuple[str, Mapping[str, str]]


def _no_choice(where: str, candidates: list[_Tagged], gateway: str | None) -> CommandError:
    if not candidates:
        return NoTableError(f"there is no gateway's table in {where}; {_NO_TABLE}. Is the Region right (--region)?")
    listed = "".join(
        f"\n  --table {name}  (gateway {tags[TABLE_TAG]}, stack {tags.get(STACK_TAG, 'unknown')})" for name, tags in candidates
    )
    if gateway:
        return NoTableError(f"{where} has no gateway {gateway!r} with a table; these are there:{listed}", status=MISTAKEN)
    return CommandError(f"there are several gateways' tables in {where}; name one of them with --gateway or --table:{listed}")


def _named(connection: Connection, name: str) -> _Tagged:
    dynamodb = connection.client("dynamodb")
    try:
        tags = _tags(dynamodb, name)
    except dynamodb.exceptions.ResourceNotFoundException:
        raise CommandError(f"there is no table {name!r} in {connection.place}; is the Region right (--region)?") from None
    if TABLE_TAG not in tags:
        # Another application's table may well have the same keys, and would take what is written here.
        raise CommandError(f"the table {name!r} is not a gateway's: it does not carry the tag {TABLE_TAG!r}")
    return name, tags


def _in_stack(connection: Connection, stack: str) -> Iterator[_Tagged]:
    dynamodb = connection.client("dynamodb")
    for name in resources_of(connection, stack, "AWS::DynamoDB::Table"):
        tags = _tags(dynamodb, name)
        if TABLE_TAG in tags:
            yield name, tags


def _tags(dynamodb: Any, name: str) -> dict[str, str]:
    arn = dynamodb.describe_table(TableName=name)["Table"]["TableArn"]
    pages = dynamodb.get_paginator("list_tags_of_resource").paginate(ResourceArn=arn)
    return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}


def _tagged(connection: Connection) -> Iterator[_Tagged]:
    tagging = connection.client("resourcegroupstaggingapi")
    request = {"TagFilters": [{"Key": TABLE_TAG}], "ResourceTypeFilters": ["dynamodb:table"]}
    try:
        for page in tagging.get_paginator("get_resources").paginate(**request):
            for resource in page["ResourceTagMappingList"]:
                tags = {tag["Key"]: tag["Value"] for tag in resource["Tags"]}
                yield resource["ResourceARN"].rpartition("/")[2], tags
    except ClientError as error:
        if is_denied(error):
            raise CommandError(f"{error}; name the gateway's stack with --stack, or its table with --table") from None
        raise
