"""The commands of `ai-gateway keys` and their options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from gateway_cli.aws.connection import GatewayOption, LocalOption, ProfileOption, RegionOption
from gateway_cli.aws.where import StackOption, Where
from gateway_cli.budgets.words import (
    Change,
    ModelOption,
    ShadowOption,
    TokensPerDayOption,
    TokensPerMonthOption,
    UsdPerDayOption,
    UsdPerMonthOption,
)
from gateway_cli.console import Output
from gateway_cli.errors import MISTAKEN, CommandError, command_notes
from gateway_cli.keys import actions, issue
from gateway_cli.keys.actions import Done
from gateway_cli.keys.desk import open_desk
from gateway_cli.keys.model import NewKey
from gateway_cli.keys.names import parse_consumer
from gateway_cli.keys.rendering import done_json, keys_json, new_key_json, print_keys
from gateway_cli.times import seconds_of

_OVERLAP = "24h"

app = typer.Typer(
    help="Give out the keys that clients send, replace them, take them back. Takes effect within seconds.",
    no_args_is_help=True,
)

KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="The id of a key, or the name of its consumer.")]
OptionalConsumer = Annotated[
    str | None, typer.Argument(metavar="[CONSUMER]", help="Only this consumer's, or this key's.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def create(
    consumer: Annotated[str, typer.Argument(metavar="CONSUMER", help="Who will use the key: one that there is, or a new one.")],
    *,
    plan: Annotated[
        str | None,
        typer.Option(
            help="The consumer whose limits the key gets, for itself. Default: the consumer's own, or the only plan there is.",
            show_default=False,
        ),
    ] = None,
    tokens_per_day: TokensPerDayOption = None,
    tokens_per_month: TokensPerMonthOption = None,
    usd_per_day: UsdPerDayOption = None,
    usd_per_month: UsdPerMonthOption = None,
    models: ModelOption = None,
    shadow: ShadowOption = None,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make a key for a consumer. Its value is printed once, and nowhere to be had again."""
    where = Where(stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    change = Change(
        tokens_per_day=tokens_per_day,
        tokens_per_month=tokens_per_month,
        usd_per_day=usd_per_day,
        usd_per_month=usd_per_month,
        models=models,
        shadow=shadow,
    )
    with command_notes() as notes:
        name = parse_consumer(consumer)
        _show(issue.create(open_desk(where, notes), name, plan=plan, change=change), notes, as_json=as_json)


@app.command("list")
def list_(
    consumer: OptionalConsumer = None,
    *,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show the keys: whose they are, whether they work, their limits, and which are being replaced. Values are not shown."""
    where = Where(stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        desk = open_desk(where, notes)
        keys = desk.keys_of(consumer)[1] if consumer else desk.store.keys(desk.plans)
        console = Console(highlight=False)
        if as_json:
            console.print_json(data=keys_json(desk.gateway, keys, desk.store.clock()))
        else:
            print_keys(console, keys, desk.store.clock())


@app.command()
def disable(
    key: KeyArgument,
    *,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    as_json: JsonOption = False,
) -> None:
    """Shut a key out, or all keys of a consumer. It can be enabled again."""
    where = Where(stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        _tell(actions.disable(open_desk(where, notes), key), as_json=as_json)


@app.command()
def enable(
    key: KeyArgument,
    *,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    as_json: JsonOption = False,
) -> None:
    """Let a disabled key work again."""
    where = Where(stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        _tell([actions.enable(open_desk(where, notes), key)], as_json=as_json)


@app.command()
def rotate(
    key: Annotated[
        str | None,
        typer.Argument(metavar="[KEY]", help="The id of a key, or the name of its consumer.", show_default=False),
    ] = None,
    *,
    overlap: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help=f"For how long both keys are meant to work, as in 30m, 24h or 7d. Default: {_OVERLAP}.",
            show_default=False,
        ),
    ] = None,
    finish: Annotated[
        bool,
        typer.Option("--finish", help="Disable the key that has been replaced; without KEY all whose time is over."),
    ] = False,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    as_json: JsonOption = False,
) -> None:
    """Replace a key: make a new one beside it (its value is printed once), and with --finish disable the old one."""
    where = Where(stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        if finish and overlap:
            raise CommandError("--finish ends an overlap, --overlap begins one; give one of them", status=MISTAKEN)
        if finish:
            _tell(issue.finish(open_desk(where, notes), key), as_json=as_json, nothing="There is nothing to finish.")
            return
        if key is None:
            raise CommandError("name the key to replace, or its consumer; or say --finish", status=MISTAKEN)
        seconds = seconds_of(overlap or _OVERLAP)
        _show(issue.rotate(open_desk(where, notes), key, overlap=seconds), notes, as_json=as_json)


@app.command()
def delete(
    key: KeyArgument,
    *,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    force: Annotated[bool, typer.Option("--force", help="Delete it though it works.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Delete a key that this command made. It must be disabled, unless forced."""
    where = Where(stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        _tell([actions.delete(open_desk(where, notes), key, force=force)], as_json=as_json)


def _show(made: NewKey, notes: Output, *, as_json: bool) -> None:
    notes.line("This is its value. It is shown this once:")
    if as_json:
        Console(highlight=False).print_json(data=new_key_json(made))
    else:
        Output().line(made.value)


def _tell(done: Sequence[Done], *, as_json: bool, nothing: str = "") -> None:
    if as_json:
        Console(highlight=False).print_json(data=done_json(done))
        return
    output = Output()
    for one in done:
        output.line(one.told)
    if not done:
        output.line(nothing)
