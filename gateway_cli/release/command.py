"""The commands of `ai-gateway release` and their options."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from gateway_cli.aws.connection import GatewayOption, LocalOption, ProfileOption, RegionOption
from gateway_cli.aws.where import StackOption, Where
from gateway_cli.console import Output
from gateway_cli.errors import MISTAKEN, CommandError, command_notes
from gateway_cli.release import actions, beginning
from gateway_cli.release.actions import Done
from gateway_cli.release.desk import open_desk
from gateway_cli.release.rendering import done_json, print_status, status_json
from gateway_cli.release.status import read_status

app = typer.Typer(
    help="See which version serves and what is being released, begin a release, promote it, take the requests back.",
    no_args_is_help=True,
)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def status(
    *,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show the stable version, the canary with its share, what comes when, alarms, the last releases, the newest versions."""
    where = Where(stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        desk = open_desk(where, notes)
        found = read_status(desk)
        console = Console(highlight=False)
        if as_json:
            console.print_json(data=status_json(found, desk))
            return
        print_status(console, found, desk)
        for finding in found.findings:
            notes.notice(finding)


@app.command()
def start(
    version: Annotated[
        str | None, typer.Argument(metavar="[VERSION]", help="Its number. Default: the newest one.", show_default=False)
    ] = None,
    *,
    weight: Annotated[
        str | None,
        typer.Option(
            metavar="PERCENT",
            help="Give it this share, as in 5%, which stays until it is changed. Default: let the state machine release it.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Begin anew though its release is under way.")] = False,
    unwatched: Annotated[bool, typer.Option("--unwatched", help="Release it though the alarms watch another version.")] = False,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    as_json: JsonOption = False,
) -> None:
    """Begin the release of a version that is published. A release that is under way ends for it."""
    where = Where(stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        if weight is not None and unwatched:
            raise CommandError("--weight gives a share that nothing watches; leave out --unwatched", status=MISTAKEN)
        share = None if weight is None else beginning.share_of(weight)
        desk = open_desk(where, notes)
        if share is None:
            done = beginning.start(desk, version, force=force, ignore_alarms=unwatched)
        else:
            done = beginning.set_weight(desk, version, share, force=force)
        _tell(done, as_json=as_json)


@app.command()
def promote(
    version: Annotated[
        str | None,
        typer.Argument(metavar="[VERSION]", help="Any published version. Default: the canary.", show_default=False),
    ] = None,
    *,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    as_json: JsonOption = False,
) -> None:
    """Give the canary every request now, or any other version. A release that is under way ends with it."""
    where = Where(stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        _tell(actions.promote(open_desk(where, notes), version), as_json=as_json)


@app.command()
def rollback(
    *,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="VERSION", help="Give this version every request. Default: the stable one.", show_default=False
        ),
    ] = None,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take the requests back from the canary at once, and end its release; or give an earlier version all of them."""
    where = Where(stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        _tell(actions.rollback(open_desk(where, notes), to), as_json=as_json)


def _tell(done: Done, *, as_json: bool) -> None:
    if as_json:
        Console(highlight=False).print_json(data=done_json(done))
        return
    output = Output()
    for sentence in done.told:
        output.line(sentence)
