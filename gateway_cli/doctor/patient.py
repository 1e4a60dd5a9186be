"""The gateway that is examined: what several checks ask about it, asked once."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from gateway_cli.aws.configurations import UnknownConfigurationError, read_function_configurations
from gateway_cli.aws.connection import Connection
from gateway_cli.aws.gateways import Gateway, api_gateway
from gateway_cli.aws.where import Where
from gateway_cli.doctor.findings import UnknownFactError
from lambda_runtime.config import TABLE_VARIABLE, GatewayConfig, UpstreamConfig

ALIAS = "live"
"""The alias that the REST API calls."""

_SECRET_PREFIX = "UPSTREAM_SECRET_"  # noqa: S105
_NOT_FOUND = frozenset({"ResourceNotFoundException"})


@dataclass(frozen=True, slots=True)
class UpstreamSecret:
    """An upstream's secret.

    Args:
        upstream: the upstream's name.
        id: its ARN, as the function knows it.
        field: of its JSON object that holds the key. None: it is not known.
    """

    upstream: str
    id: str
    field: str | None


class MissingAliasError(UnknownFactError):
    """The function has no alias for requests to come through."""


class Patient:
    """A gateway. What cannot be had raises where it is asked for, and the check that asked is skipped.

    Args:
        where: how it was found.
        connection: to its account.
        gateway: the gateway.
    """

    def __init__(self, where: Where, connection: Connection, gateway: Gateway) -> None:
        self.where = where
        self.connection = connection
        self.gateway = gateway
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """A boto3 client."""
        if service not in self._clients:
            make = self.connection.client
            self._clients[service] = api_gateway(self.connection) if service == "apigateway" else make(service)
        return self._clients[service]

    @property
    def is_local(self) -> bool:
        """Whether it is a local gateway."""
        return self.connection.local is not None

    def own(self, *words: str) -> str:
        """A command of `ai-gateway` on this gateway."""
        return f"ai-gateway {shlex.join(words)}{replace(self.where, table=None).options}"

    def aws(self, *words: str) -> str:
        """A command of the AWS CLI in this account and Region."""
        if self.connection.local:
            return f"{self.connection.local.variables} aws {shlex.join(words)}"
        options = Where(region=self.connection.session.region_name, profile=self.where.profile).options
        return f"aws {shlex.join(words)}{options}"

    @property
    def deploy(self) -> str:
        """The command that deploys it."""
        return f"npx cdk deploy {self.gateway.stack or '<stack>'}"

    @property
    def function(self) -> str:
        """Name of its function."""
        if not self.gateway.function:
            raise UnknownFactError(
                f"the REST API {self.gateway.api} does not name its function; deploy it once more: {self.deploy}"
            )
        return self.gateway.function

    @cached_property
    def alias(self) -> Mapping[str, Any]:
        """Its alias, as Lambda describes it."""
        try:
            found: Mapping[str, Any] = self.client("lambda").get_alias(FunctionName=self.function, Name=ALIAS)
        except ClientError as problem:
            if problem.response["Error"]["Code"] not in _NOT_FOUND:
                raise
            raise MissingAliasError(f"the function {self.function} has no alias {ALIAS!r}") from None
        return found

    @property
    def weights(self) -> Mapping[str, float]:
        """Shares of the requests that other versions than the alias's own get, from 0 to 1."""
        return (self.alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}

    @property
    def live(self) -> Sequence[str]:
        """The versions that get requests, the main one first."""
        return [self.alias["FunctionVersion"], *self.weights]

    @cached_property
    def _versions(self) -> dict[str, Mapping[str, Any]]:
        return {}

    def version(self, number: str) -> Mapping[str, Any] | None:
        """A version's configuration, as Lambda describes it; None if there is no such version."""
        if number not in self._versions:
            try:
                found = self.client("lambda").get_function_configuration(FunctionName=self.function, Qualifier=number)
            except ClientError as problem:
                if problem.response["Error"]["Code"] not in _NOT_FOUND:
                    raise
                return None
            self._versions[number] = found
        return self._versions[number]

    @property
    def main(self) -> Mapping[str, Any]:
        """The configuration of the version that gets most requests, or all."""
        number = self.live[0]
        found = self.version(number)
        if found is None:
            raise UnknownFactError(f"the alias {ALIAS!r} names version {number}, which does not exist")
        return found

    @property
    def environment(self) -> Mapping[str, str]:
        """That version's environment variables."""
        return (self.main.get("Environment") or {}).get("Variables") or {}

    @property
    def table(self) -> str:
        """Name of its table; empty if it has none."""
        return self.environment.get(TABLE_VARIABLE, "")

    @cached_property
    def configurations(self) -> list[GatewayConfig]:
        """Of the versions that get requests, the main one first."""
        try:
            return read_function_configurations(self.connection, self.function)
        except UnknownConfigurationError as problem:
            raise UnknownFactError(f"the configuration is not known: {problem}") from None

    @property
    def upstreams(self) -> Sequence[UpstreamConfig]:
        """The upstreams of those versions, those of the main one first."""
        found = {upstream.name: upstream for config in reversed(self.configurations) for upstream in config.upstreams}
        names = [upstream.name for config in self.configurations for upstream in config.upstreams]
        return [found[name] for name in dict.fromkeys(names)]

    @property
    def secrets(self) -> Sequence[UpstreamSecret]:
        """The secrets of the upstreams. Where the configuration cannot be read, those of the function's variables."""
        environment = self.environment
        try:
            upstreams = [upstream for upstream in self.upstreams if upstream.needs_key]
        except UnknownFactError:
            return [
                UpstreamSecret(name.removeprefix(_SECRET_PREFIX).lower().replace("_", "-"), value, None)
                for name, value in environment.items()
                if name.startswith(_SECRET_PREFIX)
            ]
        return [
            UpstreamSecret(upstream.name, environment.get(upstream.secret_variable, ""), upstream.secret_field)
            for upstream in upstreams
        ]
