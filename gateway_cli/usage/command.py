"""The command `ai-gateway usage` and its options."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console

from gateway_cli.aws.connection import GatewayOption, LocalOption, ProfileOption, RegionOption
from gateway_cli.aws.tables import NoTableError, TableOption, find_table
from gateway_cli.aws.where import StackOption, Where
from gateway_cli.budgets.standing import standing
from gateway_cli.budgets.store import BudgetStore
from gateway_cli.errors import command_notes
from gateway_cli.keys.desk import KeyDesk, open_desk
from gateway_cli.keys.model import ClientKey
from gateway_cli.usage.month import Month, parse_month
from gateway_cli.usage.rendering import print_usage, usage_json
from gateway_cli.usage.report import Used, report
from gateway_cli.usage.requests import count_requests
from gateway_cli.usage.tokens import read_tokens
from lambda_runtime.budgets import Verdict
from lambda_runtime.state.usage_months import MonthOfUsage


def usage(
    consumer: Annotated[
        str | None, typer.Argument(metavar="[CONSUMER]", help="Only this consumer, or this key's.", show_default=False)
    ] = None,
    *,
    month: Annotated[
        str | None, typer.Option(metavar="MONTH", help="As in 2026-11, in UTC. Default: this month.", show_default=False)
    ] = None,
    table: TableOption = None,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what consumers have used in a month: requests as plans count them, answers, tokens and costs as the gateway does.

    Costs are estimates by the gateway's prices.
    """
    where = Where(table=table, stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        when = parse_month(month, dt.datetime.now(dt.UTC).date())
        desk = open_desk(where, notes)
        keys = desk.keys_of(consumer)[1] if consumer else desk.store.keys(desk.plans)
        used = _used(desk, keys, when)
        console = Console(highlight=False)
        if as_json:
            console.print_json(data=usage_json(desk.gateway, when, used))
        else:
            print_usage(console, used)


def _used(desk: KeyDesk, keys: Sequence[ClientKey], when: Month) -> list[Used]:
    plans = {key.plan.id: key.plan for key in keys}
    requests = count_requests(desk.store.apigateway, plans.values(), when)
    if requests is None:
        desk.notes.notice("nobody counts the requests of usage plans here; answered are those that the function has counted")
    return report(keys, requests, _tokens(desk, keys, when), _budgets(desk, keys, when))


def _tokens(desk: KeyDesk, keys: Sequence[ClientKey], when: Month) -> dict[str, MonthOfUsage] | None:
    table = desk.where.table
    # A table that is named may be that of a gateway that went, and is kept for what is in it.
    stack, gateway = (None, None) if table else (desk.where.stack, desk.gateway.path)
    try:
        found = find_table(desk.connection, table=table, stack=stack, gateway=gateway)
    except NoTableError as error:
        desk.notes.notice(f"without a table nobody counts tokens: {error}")
        return None
    return read_tokens(desk.connection.client("dynamodb"), found.name, [key.id for key in keys], str(when))


def _budgets(desk: KeyDesk, keys: Sequence[ClientKey], when: Month) -> dict[str, Sequence[Verdict]]:
    """How full budgets are, which is known of this month only."""
    table = desk.where.table or desk.gateway.limits
    if not desk.gateway.limits or when.first != parse_month(None, dt.datetime.now(dt.UTC).date()).first:
        return {}
    store = BudgetStore(desk.connection.client("dynamodb"), table)
    stored = store.read([key.id for key in keys])
    return {key.id: standing(key, stored[key.id], store.clock()).budgets for key in keys}
