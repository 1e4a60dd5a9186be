"""Reads the configurations that a gateway runs with: out of the code of the versions behind its alias `live`."""

from __future__ import annotations

import io
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from gateway_cli.aws.connection import Connection
from gateway_cli.aws.tables import GatewayTable
from lambda_runtime.config import CONFIG_FILE, TABLE_VARIABLE, GatewayConfig

_ALIAS = ":live"
_SECONDS = 20


class UnknownConfigurationError(Exception):
    """The configuration cannot be read; the message says why."""


def read_configurations(connection: Connection, table: GatewayTable) -> list[GatewayConfig]:
    """The configurations of the versions that take requests, the main one first: during a release there are two.

    Raises:
        UnknownConfigurationError: if they cannot be read.
    """
    if not table.stack:
        raise UnknownConfigurationError("the table belongs to no stack")
    try:
        found = [_configuration(connection, code) for code in _codes(connection, table)]
    except (BotoCoreError, ClientError) as error:
        raise UnknownConfigurationError(str(error)) from None
    except (OSError, zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        # A newer or older version of the library may have written another format.
        raise UnknownConfigurationError(f"its configuration cannot be read ({type(error).__name__}: {error})") from None
    if not found:
        raise UnknownConfigurationError(f"no function of the stack {table.stack} uses the table {table.name}")
    return found


def _codes(connection: Connection, table: GatewayTable) -> Iterator[str]:
    """Where the code of each version behind the alias is to be had."""
    cloudformation, functions = connection.client("cloudformation"), connection.client("lambda")
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=table.stack):
        for resource in page["StackResourceSummaries"]:
            arn = resource.get("PhysicalResourceId", "")
            if resource["ResourceType"] == "AWS::Lambda::Alias" and arn.endswith(_ALIAS):
                yield from _codes_behind(functions, arn.removesuffix(_ALIAS), table.name)


def _codes_behind(functions: Any, function: str, table: str) -> Iterator[str]:
    alias = functions.get_alias(FunctionName=function, Name=_ALIAS[1:])
    weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    for version in (alias["FunctionVersion"], *weights):
        found = functions.get_function(FunctionName=function, Qualifier=version)
        if found["Configuration"].get("Environment", {}).get("Variables", {}).get(TABLE_VARIABLE) == table:
            yield found["Code"]["Location"]


def _configuration(connection: Connection, location: str) -> GatewayConfig:
    handlers = [urllib.request.ProxyHandler({})] if connection.local else []
    with urllib.request.build_opener(*handlers).open(location, timeout=_SECONDS) as reply:
        content: bytes = reply.read()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return GatewayConfig.from_json(archive.read(CONFIG_FILE).decode())
