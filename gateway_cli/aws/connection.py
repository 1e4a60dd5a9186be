"""The account and Region that a command works on: the options that name them, and the clients that follow from those."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Annotated, Any

import boto3
import typer
from botocore.config import Config

from gateway_cli.aws.embedded import embedded_session
from gateway_cli.errors import MISTAKEN, CommandError
from gateway_cli.running import RunningGateways, running_gateways

_PATIENCE = 10.0
_CONFIG = Config(connect_timeout=5)

RegionOption = Annotated[
    str | None, typer.Option(help="AWS Region. Default: AWS_REGION, or the profile's.", show_default=False)
]
ProfileOption = Annotated[
    str | None, typer.Option(help="Profile of the AWS configuration. Default: AWS_PROFILE.", show_default=False)
]
LocalOption = Annotated[bool, typer.Option("--local", help="Work on the local gateway that runs on this machine.")]
GatewayOption = Annotated[
    str | None,
    typer.Option(help="Path of the gateway's construct, or the end of it, where there are several.", show_default=False),
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Connection:
    """An account and Region, and how they are reached.

    Args:
        session: boto3's.
        local: the local gateway's run, or None for AWS.
    """

    session: boto3.session.Session
    local: RunningGateways | None = None

    @property
    def place(self) -> str:
        """Where this is, for messages."""
        return "the embedded AWS" if self.local else f"Region {self.session.region_name}"

    def client(self, service: str, *, attempts: int = 3, patience: float = _PATIENCE) -> Any:
        """A boto3 client.

        Args:
            service: boto3's name of the service.
            attempts: how often a call is tried that fails or is throttled. Default: 3.
            patience: seconds to wait for an answer. Default: 10.

        Raises:
            BotoCoreError: if there is no Region.
        """
        config = _CONFIG.merge(Config(read_timeout=patience, retries={"total_max_attempts": attempts, "mode": "standard"}))
        if self.local is None:
            return self.session.client(service, config=config)  # type: ignore[call-overload]
        return self.session.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.local.endpoint_url,
            # The user's proxy must not stand between this process and the loopback address.
            config=config.merge(Config(proxies={})),
        )


def connect(*, region: str | None, profile: str | None, local: bool, gateway: str | None) -> Connection:
    """The connection that the options ask for.

    Raises:
        CommandError: if the options contradict each other, or `--local` finds no gateway or several.
        BotoCoreError: if there is no such profile.
    """
    if not local:
        # The variable of every other SDK and of the CDK; boto3 alone reads AWS_DEFAULT_REGION.
        region = region or os.environ.get("AWS_REGION")
        return Connection(session=boto3.session.Session(profile_name=profile, region_name=region))
    if region or profile:
        raise CommandError("--local has its own Region and credentials; leave out --region and --profile", status=MISTAKEN)
    run = _chosen(running_gateways(), gateway)
    return Connection(session=embedded_session(run.region), local=run)


def is_named(path: str, gateway: str | None) -> bool:
    """Whether the option `--gateway` means a construct path; without the option, any."""
    return gateway is None or path == gateway or path.endswith(f"/{gateway}")


def _chosen(runs: list[RunningGateways], gateway: str | None) -> RunningGateways:
    if len(runs) == 1:
        return runs[0]
    named = [run for run in runs if any(is_named(path, gateway) for path in run.gateways)]
    if len(named) == 1:
        return named[0]
    if not runs:
        raise CommandError("no local gateway runs on this machine; start one with 'ai-gateway local', or leave out --local")
    listed = "".join(f"\n  {', '.join(run.gateways)}: {run.variables}" for run in named or runs)
    if not named:
        raise CommandError(f"no local gateway is called {gateway!r}; these run:{listed}", status=MISTAKEN)
    raise CommandError(f"several local gateways run; name one with --gateway, or set its variables instead of --local:{listed}")
