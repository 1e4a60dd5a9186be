"""Reads the configurations that a gateway runs with: out of the code of the versions behind its alias `live`."""

from __future__ import annotations

import io
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from gateway_cli.aws.connection import Connection
from gateway_cli.aws.tables import GatewayTable
from lambda_runtime.config import CONFIG_FILE, TABLE_VARIABLE, GatewayConfig

_ALIAS = ":live"
_SECONDS = 20


class UnknownConfigurationError(Exception):
    """The configuration cannot be read; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveVersion:
    """A version that takes requests.

    Args:
        config: what it was configured with.
        variables: its environment variables.
    """

    config: GatewayConfig
    variables: Mapping[str, str]


def read_configurations(connection: Connection, table: GatewayTable) -> list[GatewayConfig]:
    """The configurations of the versions that take requests, the main one first: during a release there are two.

    Raises:
        UnknownConfigurationError: if they cannot be read.
    """
    if not table.stack:
        raise UnknownConfigurationError("the table belongs to no stack")
    with _told():
        found = [_configuration(connection, version) for version in _versions(connection, table)]
    if not found:
        raise UnknownConfigurationError(f"no function of the stack {table.stack} uses the table {table.name}")
    return found


def read_function_configurations(connection: Connection, function: str) -> list[GatewayConfig]:
    """The same for a gateway whose function is known.

    Args:
        connection: where the gateway is.
        function: name of its function.

    Raises:
        UnknownConfigurationError: if they cannot be read.
    """
    return [version.config for version in read_live_versions(connection, function)]


def read_live_versions(connection: Connection, function: str) -> list[LiveVersion]:
    """The configurations together with what was known at deployment only.

    Args:
        connection: where the gateway is.
        function: name of its function.

    Raises:
        UnknownConfigurationError: if they cannot be read.
    """
    with _told():
        return [
            LiveVersion(config=_configuration(connection, version), variables=_variables(version))
            for version in _versions_behind(connection.client("lambda"), function)
        ]


@contextmanager
def _told() -> Iterator[None]:
    """Say what keeps a configuration from being read."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise UnknownConfigurationError(str(error)) from None
    except (OSError, zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        # A newer or older version of the library may have written another format.
        raise UnknownConfigurationError(f"its configuration cannot be read ({type(error).__name__}: {error})") from None


def _versions(connection: Connection, table: GatewayTable) -> Iterator[Mapping[str, Any]]:
    """The versions of the stack's functions that use a table."""
    cloudformation, functions = connection.client("cloudformation"), connection.client("lambda")
    for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=table.stack):
        for resource in page["StackResourceSummaries"]:
            arn = resource.get("PhysicalResourceId", "")
            if resource["ResourceType"] == "AWS::Lambda::Alias" and arn.endswith(_ALIAS):
                for version in _versions_behind(functions, arn.removesuffix(_ALIAS)):
                    if _variables(version).get(TABLE_VARIABLE) == table.name:
                        yield version


def _versions_behind(functions: Any, function: str) -> Iterator[Mapping[str, Any]]:
    """The versions behind a function's alias, as Lambda describes them."""
    alias = functions.get_alias(FunctionName=function, Name=_ALIAS[1:])
    weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    for version in (alias["FunctionVersion"], *weights):
        yield functions.get_function(FunctionName=function, Qualifier=version)


def _variables(version: Mapping[str, Any]) -> Mapping[str, str]:
    found: Mapping[str, str] = (version["Configuration"].get("Environment") or {}).get("Variables") or {}
    return found


def _configuration(connection: Connection, version: Mapping[str, Any]) -> GatewayConfig:
    handlers = [urllib.request.ProxyHandler({})] if connection.local else []
    with urllib.request.build_opener(*handlers).open(version["Code"]["Location"], timeout=_SECONDS) as reply:
        content: bytes = reply.read()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return GatewayConfig.from_json(archive.read(CONFIG_FILE).decode())
