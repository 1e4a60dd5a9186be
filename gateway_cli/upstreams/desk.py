"""What every command on upstreams begins with: the gateway's table, and as far as it can be read its configuration."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from botocore.exceptions import ClientError

from gateway_cli.aws.configurations import UnknownConfigurationError, read_configurations
from gateway_cli.aws.tables import GatewayTable, find_table
from gateway_cli.aws.where import Where
from gateway_cli.console import Output
from gateway_cli.errors import is_denied
from gateway_cli.upstreams.clock import ServerClock
from gateway_cli.upstreams.store import Figures, StateStore
from lambda_runtime.config import GatewayConfig


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """An operator's place at one gateway.

    Args:
        where: how it was found.
        table: the gateway's table.
        store: reads and writes it.
        configurations: of the versions that take requests, the main one first; empty if they cannot be read.
        notes: takes what the operator should know besides the result.
    """

    where: Where
    table: GatewayTable
    store: StateStore
    configurations: Sequence[GatewayConfig]
    notes: Output

    @property
    def serves_unmapped(self) -> bool:
        """Whether targets may get requests without being in a model map."""
        return not self.configurations or any(config.serve_unmapped_models for config in self.configurations)

    def closing(self, name: str) -> str:
        """The command that closes an upstream or model of this gateway."""
        return f"ai-gateway upstreams close {shlex.quote(name)}{self.where.options}"

    def active(self) -> dict[str, Figures]:
        """The last minute of targets that may not be in a model map, if the operator is allowed to look through the table."""
        if not self.serves_unmapped:
            return {}
        try:
            return self.store.active()
        except ClientError as error:
            if not is_denied(error):
                raise
            self.notes.notice("without the permission dynamodb:Scan, models that are not in the model map are not seen")
            return {}


def open_desk(where: Where, notes: Output) -> Desk:
    """Find the gateway.

    Raises:
        CommandError: if it cannot be told which one is meant.
        BotoCoreError: if AWS cannot be asked.
        ClientError: if AWS refuses to tell.
    """
    connection = where.connect()
    table = find_table(connection, table=where.table, stack=where.stack, gateway=where.gateway)
    notes.line(f"Gateway {table.gateway}, table {table.name} ({table.found})")
    try:
        configurations: Sequence[GatewayConfig] = read_configurations(connection, table)
    except UnknownConfigurationError as error:
        notes.notice(f"what the gateway is made of is not known, so names cannot be checked: {error}")
        configurations = ()
    dynamodb = connection.client("dynamodb")
    return Desk(
        where=where,
        table=table,
        store=StateStore(dynamodb, table.name, ServerClock(dynamodb)),
        configurations=configurations,
        notes=notes,
    )
