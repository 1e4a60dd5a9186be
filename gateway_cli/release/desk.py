"""What every command on releases begins with: the gateway, its function and its state machine."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from gateway_cli.aws.gateways import Gateway, api_gateway, find_gateway
from gateway_cli.aws.where import Where
from gateway_cli.console import Output
from gateway_cli.errors import MISTAKEN, CommandError
from gateway_cli.release.model import Version
from gateway_cli.release.store import ReleaseStore

_MOST = 5
"""Versions that a message lists."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseDesk:
    """An operator's place at the releases of one gateway.

    Args:
        where: how it was found.
        gateway: the gateway.
        store: reads and changes its alias and releases.
        notes: takes what the operator should know besides the result.
        clock: the time, in seconds since the epoch. Default: this machine's.
    """

    where: Where
    gateway: Gateway
    store: ReleaseStore
    notes: Output
    clock: Callable[[], float] = time.time

    def command(self, *words: str) -> str:
        """A further command on this gateway's releases."""
        return f"ai-gateway release {shlex.join(words)}{replace(self.where, table=None).options}"

    def require_version(self, number: str) -> None:
        """Check that a version is published.

        Raises:
            CommandError: if it is not.
        """
        versions = self.store.versions()
        if number not in {version.number for version in versions}:
            raise CommandError(
                f"the function {self.store.function} has no version {number!r}; {published(versions)}", status=MISTAKEN
            )


def published(versions: list[Version]) -> str:
    """Which versions there are, for messages."""
    more = " and older ones" if len(versions) > _MOST else ""
    listed = ", ".join(version.number for version in versions[:_MOST])
    return f"published: {listed}{more}" if versions else "none is published yet: deploy the gateway"


def open_desk(where: Where, notes: Output) -> ReleaseDesk:
    """Find the gateway.

    Raises:
        CommandError: if it cannot be told which one is meant, or which function is its own.
        BotoCoreError: if AWS cannot be asked.
        ClientError: if AWS refuses to tell.
    """
    connection = where.connect()
    gateway = find_gateway(connection, api_gateway(connection), stack=where.stack, gateway=where.gateway)
    if not gateway.function:
        raise CommandError(
            f"the gateway {gateway.path} does not say which function is its own: an older version of the construct deployed "
            "it; it does after its next deployment"
        )
    notes.line(f"Gateway {gateway.path}, function {gateway.function} ({gateway.found})")
    store = ReleaseStore(
        functions=connection.client("lambda"),
        sfn=connection.client("stepfunctions"),
        cloudwatch=connection.client("cloudwatch"),
        function=gateway.function,
        machine=gateway.release,
    )
    return ReleaseDesk(where=where, gateway=gateway, store=store, notes=notes)
