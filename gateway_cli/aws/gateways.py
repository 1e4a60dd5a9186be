"""Finds a gateway's REST API: in its stack, or as the only one of the Region."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway_cli.aws.connection import Connection, is_named
from gateway_cli.aws.stacks import STACK_TAG, resources_of
from gateway_cli.errors import MISTAKEN, CommandError

API_TAG = "ai-gateway:api"
"""The tag that the construct gives to its REST API; the value is the path of the gateway's construct."""

FUNCTION_TAG = "ai-gateway:function"
"""A tag of the REST API with the name of the gateway's function."""

RELEASE_TAG = "ai-gateway:release"
"""A tag of the REST API with the ARN of the state machine that releases versions, if the gateway has one."""

ROTATION_TAG = "ai-gateway:rotation"
"""A tag of the REST API with the name of the function that rotates credentials, if the gateway has one."""

LIMITS_TAG = "ai-gateway:limits"
"""A tag of the REST API with the name of the gateway's table, if consumers may have limits, which are in it."""

_PAGE = 500
_ATTEMPTS = 8
_UNTAGGED = "one that an older version of the construct deployed is found after its next deployment"


@dataclass(frozen=True, kw_only=True, slots=True)
class Gateway:
    """A gateway.

    Args:
        api: id of its REST API.
        path: path of its construct.
        stack: name of its stack; empty if CloudFormation did not make it.
        found: how it was found, for the user to see that it is the right one.
        function: name of its function; empty if a version of the construct deployed it that did not tell.
        release: ARN of the state machine that releases its versions; empty if it has none.
        rotation: name of the function that rotates its credentials; empty if it has none.
        limits: name of its table, if it reads consumers' limits from it; empty if it does not.
    """

    api: str
    path: str
    stack: str
    found: str
    function: str = ""
    release: str = ""
    rotation: str = ""
    limits: str = ""


def api_gateway(connection: Connection) -> Any:
    """A boto3 client of API Gateway, which takes ten management calls a second from an account and throttles the rest."""
    return connection.client("apigateway", attempts=_ATTEMPTS)


def listed(apigateway: Any, operation: str, **arguments: Any) -> Iterator[Mapping[str, Any]]:
    """Everything that an operation lists.

    Args:
        apigateway: boto3 client.
        operation: its name, as in `get_api_keys`.
        arguments: of the operation.
    """
    pages = apigateway.get_paginator(operation).paginate(**arguments, PaginationConfig={"PageSize": _PAGE})
    for page in pages:
        yield from page.get("items", [])


def find_gateway(connection: Connection, apigateway: Any, *, stack: str | None, gateway: str | None) -> Gateway:
    """The gateway that the options mean.

    Args:
        connection: where it is.
        apigateway: boto3 client.
        stack: the option `--stack`.
        gateway: the option `--gateway`.

    Raises:
        CommandError: if there is none or there are several; the message lists them.
        ClientError: if AWS refuses to tell.
    """
    where, found = connection.place, f"the only one of {connection.place}"
    candidates = [_gateway(api) for api in listed(apigateway, "get_rest_apis") if API_TAG in (api.get("tags") or {})]
    if stack:
        where, found = f"the stack {stack!r}", f"in the stack {stack}"
        within = set(resources_of(connection, stack, "AWS::ApiGateway::RestApi"))
        candidates = [candidate for candidate in candidates if candidate.api in within]
    chosen = [candidate for candidate in candidates if is_named(candidate.path, gateway)]
    if gateway and len(chosen) < len(candidates):
        found = f"of the gateway {gateway}"
    if len(chosen) != 1:
        raise _no_choice(where, chosen or candidates, gateway if candidates and not chosen else None)
    return replace(chosen[0], found=found)


def _gateway(api: Mapping[str, Any]) -> Gateway:
    tags = api["tags"]
    return Gateway(
        api=api["id"],
        path=tags[API_TAG],
        stack=tags.get(STACK_TAG, ""),
        found="",
        function=tags.get(FUNCTION_TAG, ""),
        release=tags.get(RELEASE_TAG, ""),
        rotation=tags.get(ROTATION_TAG, ""),
        limits=tags.get(LIMITS_TAG, ""),
    )


def _no_choice(where: str, candidates: list[Gateway], gateway: str | None) -> CommandError:
    if not candidates:
        return CommandError(
            f"there is no gateway in {where}: no REST API carries the tag {API_TAG!r}; {_UNTAGGED}. "
            "Is the Region right (--region)?"
        )
    those = "".join(f"\n  --gateway {one.path}  (stack {one.stack or 'unknown'}, REST API {one.api})" for one in candidates)
    if gateway:
        return CommandError(f"{where} has no gateway {gateway!r}; these are there:{those}", status=MISTAKEN)
    return CommandError(f"there are several gateways in {where}; name one of them with --gateway or --stack:{those}")
