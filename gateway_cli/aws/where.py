"""The options that say which gateway a command is for."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Annotated

import typer

from gateway_cli.aws.connection import Connection, connect

StackOption = Annotated[str | None, typer.Option(help="The CloudFormation stack that the gateway is in.", show_default=False)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Where:
    """Which gateway is meant.

    Args:
        table: name of its table, or None.
        stack: name of its stack, or None.
        gateway: path of its construct or the end of it, or None.
        region: AWS Region, or None.
        profile: of the AWS configuration, or None.
        local: whether it is a local gateway.
    """

    table: str | None = None
    stack: str | None = None
    gateway: str | None = None
    region: str | None = None
    profile: str | None = None
    local: bool = False

    @property
    def options(self) -> str:
        """The options as they were typed, for a further command."""
        named = {
            "--table": self.table,
            "--stack": self.stack,
            "--gateway": self.gateway,
            "--region": self.region,
            "--profile": self.profile,
        }
        given = [f" {option} {shlex.quote(value)}" for option, value in named.items() if value]
        return "".join([*given, " --local" if self.local else ""])

    def connect(self) -> Connection:
        """The connection that they ask for.

        Raises:
            CommandError: if they contradict each other, or `--local` finds no gateway or several.
            BotoCoreError: if there is no such profile.
        """
        return connect(region=self.region, profile=self.profile, local=self.local, gateway=self.gateway)
