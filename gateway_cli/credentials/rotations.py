"""What the gateway's rotation function is told, and who carries its rotations out."""

from __future__ import annotations

import ipaddress
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from gateway_cli.aws.connection import Connection
from gateway_cli.aws.gateways import Gateway
from gateway_cli.aws.where import Where
from gateway_cli.credentials.rotating import EmbeddedRotating, Rotating, SecretsManagerRotating
from gateway_cli.credentials.store import SecretStore
from gateway_cli.errors import CommandError
from lambda_runtime.config.secrets import ROTATION_VARIABLE, RotatedSecret, read_rotation_json

_FUNCTION_TIME = 960.0
"""Seconds that a step of the rotation function may take, and some more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rotations:
    """A gateway's rotations.

    Args:
        by_upstream: how each upstream's key is rotated that is.
        rotating: carries them out.
        embedded: whether they are those of a local gateway, which none rotates by schedule.
    """

    by_upstream: Mapping[str, RotatedSecret]
    rotating: Rotating
    embedded: bool

    def of(self, upstream: str, secret_id: str) -> RotatedSecret | None:
        """How an upstream's key is rotated; None if it is not.

        Args:
            upstream: its name.
            secret_id: of its secret, which another upstream may share that has the rotation.
        """
        shared = (rotation for rotation in self.by_upstream.values() if rotation.holds(secret_id))
        return self.by_upstream.get(upstream) or next(shared, None)


def read_rotations(connection: Connection, gateway: Gateway, store: SecretStore, where: Where) -> Rotations:
    """Ask the rotation function what it was told.

    Args:
        connection: where the gateway is.
        gateway: the gateway.
        store: its secrets.
        where: how it was found.

    Raises:
        CommandError: if that cannot be read.
        ClientError: if AWS refuses to tell.
    """
    function: Mapping[str, Any] = {}
    rotations: tuple[RotatedSecret, ...] = ()
    if gateway.rotation:
        function = connection.client("lambda").get_function_configuration(FunctionName=gateway.rotation)
        text = (function.get("Environment") or {}).get("Variables", {}).get(ROTATION_VARIABLE, "[]")
        try:
            rotations = read_rotation_json(text)
        except (ValueError, KeyError, TypeError) as error:
            # A newer or older version of the library may have written it.
            raise CommandError(
                f"what {gateway.rotation} rotates cannot be read ({type(error).__name__}: {error}); use this command in the "
                "version with which the gateway was deployed"
            ) from None
    embedded = _is_embedded(connection, store)
    rotating: Rotating = (
        EmbeddedRotating(
            store=store,
            functions=connection.client("lambda", attempts=1, patience=_FUNCTION_TIME),
            function=gateway.rotation,
        )
        if embedded
        else SecretsManagerRotating(store=store, logs=_logs_command(connection, gateway, function, where))
    )
    return Rotations(by_upstream={rotation.upstream: rotation for rotation in rotations}, rotating=rotating, embedded=embedded)


def _is_embedded(connection: Connection, store: SecretStore) -> bool:
    """Whether this is a local gateway's AWS, be it that only the environment's variables say so."""
    host = urlsplit(store.client.meta.endpoint_url).hostname or ""
    try:
        return connection.local is not None or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _logs_command(connection: Connection, gateway: Gateway, function: Mapping[str, Any], where: Where) -> str:
    group = (function.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{gateway.rotation}"
    options = Where(region=connection.session.region_name, profile=where.profile).options
    return f"aws logs tail {shlex.quote(group)} --since 30m{options}"
