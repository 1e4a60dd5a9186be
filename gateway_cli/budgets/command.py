"""The commands of `ai-gateway budgets` and their options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from gateway_cli.aws.connection import GatewayOption, LocalOption, ProfileOption, RegionOption
from gateway_cli.aws.tables import TableOption
from gateway_cli.aws.where import StackOption, Where
from gateway_cli.budgets import actions
from gateway_cli.budgets.actions import Done
from gateway_cli.budgets.desk import open_budgets
from gateway_cli.budgets.rendering import done_json, print_standings, standings_json
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
from gateway_cli.errors import command_notes

app = typer.Typer(
    help="See what consumers may use and have used, in tokens and money, and change it. Money is an estimate.",
    no_args_is_help=True,
)

ConsumerArgument = Annotated[
    str, typer.Argument(metavar="CONSUMER", help="The name of a consumer, for each of its keys; or the id of one key.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def show(
    consumer: Annotated[
        str | None, typer.Argument(metavar="[CONSUMER]", help="Only this consumer's, or this key's.", show_default=False)
    ] = None,
    *,
    table: TableOption = None,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    as_json: JsonOption = False,
) -> None:
    """Show the limits that hold, what of each budget is used, and when it begins anew. Days and months are in UTC."""
    where = Where(table=table, stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        desk = open_budgets(where, notes)
        keys = desk.keys.keys_of(consumer)[1] if consumer else desk.keys.store.keys(desk.keys.plans)
        standings = desk.standings(keys)
        desk.warn_if_not_heeded()
        console = Console(highlight=False)
        if as_json:
            console.print_json(data=standings_json(desk.keys.gateway, standings, heeded=desk.heeded))
        else:
            print_standings(console, standings)


@app.command("set")
def set_(
    consumer: ConsumerArgument,
    *,
    tokens_per_day: TokensPerDayOption = None,
    tokens_per_month: TokensPerMonthOption = None,
    usd_per_day: UsdPerDayOption = None,
    usd_per_month: UsdPerMonthOption = None,
    models: ModelOption = None,
    shadow: ShadowOption = None,
    table: TableOption = None,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    as_json: JsonOption = False,
) -> None:
    """Change limits. What is not named stays as it is; each key of a consumer has them for itself."""
    where = Where(table=table, stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    change = Change(
        tokens_per_day=tokens_per_day,
        tokens_per_month=tokens_per_month,
        usd_per_day=usd_per_day,
        usd_per_month=usd_per_month,
        models=models,
        shadow=shadow,
    )
    with command_notes() as notes:
        desk = open_budgets(where, notes)
        done = actions.set_limits(desk, consumer, change)
        desk.warn_if_not_heeded()
        _tell(done, as_json=as_json)


@app.command()
def clear(
    consumer: ConsumerArgument,
    *,
    table: TableOption = None,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    as_json: JsonOption = False,
) -> None:
    """Take all limits of budgets and models away. Those of the usage plan stay, and so does what was counted."""
    where = Where(table=table, stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        _tell(actions.clear(open_budgets(where, notes), consumer), as_json=as_json)


def _tell(done: Sequence[Done], *, as_json: bool) -> None:
    if as_json:
        Console(highlight=False).print_json(data=done_json(done))
        return
    output = Output()
    for one in done:
        output.line(one.told)
