"""The commands of `ai-gateway credentials` and their options."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from gateway_cli.aws.connection import GatewayOption, LocalOption, ProfileOption, RegionOption
from gateway_cli.aws.where import StackOption, Where
from gateway_cli.console import Output
from gateway_cli.credentials import rotation, setting, staging
from gateway_cli.credentials.desk import CredentialDesk, open_desk
from gateway_cli.credentials.done import Done, stored
from gateway_cli.credentials.rendering import done_json, print_status, status_json
from gateway_cli.credentials.values import require_no_key
from gateway_cli.errors import command_notes
from gateway_cli.key_input import read_key

_MORE_ARGUMENTS = {"allow_extra_args": True}
"""For commands that take a key: what is too much is answered here, and not by typer, which would repeat it."""

app = typer.Typer(
    help="Look after the keys with which the gateway calls its upstreams. Keys are typed or piped in, and never shown.",
    no_args_is_help=True,
)

NameArgument = Annotated[str, typer.Argument(metavar="UPSTREAM", help="An upstream of the gateway, as in openai.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TestOption = Annotated[bool, typer.Option(help="Try the key at the upstream, from here, before anything is changed.")]


@app.command()
def status(
    name: Annotated[str | None, typer.Argument(metavar="[UPSTREAM]", help="Only this upstream's.", show_default=False)] = None,
    *,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show what each upstream's secret holds, what is staged, and when it is rotated. Never a value."""
    where = Where(stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        desk = open_desk(where, notes)
        shown = [desk.credential(one) for one in ([name] if name else desk.upstreams)]
        console = Console(highlight=False)
        if as_json:
            console.print_json(data=status_json(desk.gateway, shown))
        else:
            print_status(console, shown, desk.store.clock(), embedded=desk.rotations.embedded)


@app.command(context_settings=_MORE_ARGUMENTS)
def stage(
    context: typer.Context,
    name: NameArgument,
    *,
    rotate_now: Annotated[bool, typer.Option("--rotate", help="Rotate to it at once.")] = False,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put the next key beside the current one. The next rotation tests it, and makes it the current one."""
    where = Where(stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        require_no_key("stage", [name, *context.args])
        desk = open_desk(where, notes)
        credential, secret = staging.stageable(desk, name)
        done = staging.stage(desk, credential, secret, read_key(name, notes))
        if rotate_now:
            for sentence in done.told:
                notes.line(sentence)
            done = rotation.rotate(desk, name, wait=True, again=False)
        else:
            done = Done(name, changed=done.changed, told=(*done.told, staging.when(desk, credential, secret)))
        _tell(desk, done, as_json=as_json)


@app.command()
def unstage(
    name: NameArgument,
    *,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take away what is staged. The current key is not touched."""
    where = Where(stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        desk = open_desk(where, notes)
        _tell(desk, staging.unstage(desk, name), as_json=as_json)


@app.command()
def rotate(
    name: NameArgument,
    *,
    wait: Annotated[bool, typer.Option(help="Wait until it is done, and tell what has become of it.")] = True,
    again: Annotated[
        bool, typer.Option("--again", help="Put aside a rotation that seems to be under way, and begin anew.")
    ] = False,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    as_json: JsonOption = False,
) -> None:
    """Rotate a key now: to what is staged, or to what the provider mints."""
    where = Where(stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        desk = open_desk(where, notes)
        _tell(desk, rotation.rotate(desk, name, wait=wait, again=again), as_json=as_json)


@app.command("set", context_settings=_MORE_ARGUMENTS)
def set_(
    context: typer.Context,
    name: NameArgument,
    *,
    test: TestOption = True,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make a key the current one at once: the first one, or one of an upstream that is not rotated."""
    where = Where(stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        require_no_key("set", [name, *context.args])
        desk = open_desk(where, notes)
        credential, secret = stored(desk, name)
        _tell(desk, setting.set_key(desk, credential, secret, read_key(name, notes), test=test), as_json=as_json)


@app.command()
def revert(
    name: NameArgument,
    *,
    test: TestOption = True,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make the previous key the current one again."""
    where = Where(stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        desk = open_desk(where, notes)
        _tell(desk, setting.revert(desk, name, test=test), as_json=as_json)


def _tell(desk: CredentialDesk, done: Done, *, as_json: bool) -> None:
    if as_json:
        Console(highlight=False).print_json(data=done_json(done, desk.credential(done.upstream)))
        return
    output = Output()
    for sentence in done.told:
        output.line(sentence)
