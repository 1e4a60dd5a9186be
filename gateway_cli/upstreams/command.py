"""The commands of `ai-gateway upstreams` and their options."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from gateway_cli.aws.connection import GatewayOption, LocalOption, ProfileOption, RegionOption
from gateway_cli.aws.tables import TableOption
from gateway_cli.aws.where import StackOption, Where
from gateway_cli.console import Output
from gateway_cli.errors import MISTAKEN, CommandError, command_notes
from gateway_cli.times import seconds_of
from gateway_cli.upstreams import actions, preference
from gateway_cli.upstreams.desk import Desk, open_desk
from gateway_cli.upstreams.done import Done, done_json
from gateway_cli.upstreams.names import parse_name, parse_target
from gateway_cli.upstreams.rendering import print_status, status_json
from gateway_cli.upstreams.status import lines, targets_of, weight_lines

_ALL = 100.0

app = typer.Typer(
    help="See which upstreams are asked, stop sending to one, send to it again, move traffic. Takes effect within two seconds.",
    no_args_is_help=True,
)

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="An upstream, as in holysheep, or a model of one, as in holysheep/gpt-4.1.")
]
ModelArgument = Annotated[str, typer.Argument(metavar="MODEL", help="A name of the model map, as clients ask for it.")]
TargetArgument = Annotated[str, typer.Argument(metavar="TARGET", help="One of its targets, as in holysheep/gpt-4.1.")]
PercentArgument = Annotated[
    str | None,
    typer.Argument(metavar="[PERCENT]", help="Share of the model's requests that ask it first, 0 to 100.", show_default=False),
]
ForceOption = Annotated[bool, typer.Option("--force", help="Write it even if the gateway has nothing of that name.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ResetOption = Annotated[bool, typer.Option("--reset", help="Let the configured weight count again.")]


@app.command()
def status(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Only this upstream or model.", show_default=False)
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
    """Show what is known of upstreams and models: state, since and until when, why, calls and failures of the last minute."""
    where = Where(table=table, stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        wanted = parse_name(name) if name else None
        desk = open_desk(where, notes)
        known = desk.store.states()
        figures = desk.active() | desk.store.figures(targets_of(desk.configurations, known.states))
        shown = [
            line
            for line in lines(desk.configurations, known.states, figures)
            if wanted is None or wanted in {line.name, line.name.partition("/")[0]}
        ]
        if wanted and not shown:
            raise CommandError(f"nothing is known of {wanted!r}; leave the name out to see everything", status=MISTAKEN)
        weights = [
            weight
            for weight in weight_lines(desk.configurations, known.weights)
            if wanted is None or wanted in {weight.target, weight.target.partition("/")[0]}
        ]
        console = Console(highlight=False)
        if as_json:
            console.print_json(data=status_json(desk.table, shown, weights))
        else:
            print_status(console, shown, weights, desk.store.clock())


@app.command("open")
def open_(
    name: NameArgument,
    *,
    duration: Annotated[
        str | None,
        typer.Option(
            "--for", help="For how long, as in 30s, 10m or 2h. Default: until it is closed.", metavar="TIME", show_default=False
        ),
    ] = None,
    table: TableOption = None,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Open the circuit of an upstream or model: stop sending to it, as long as others can take its requests."""
    where = Where(table=table, stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        wanted, seconds = parse_name(name), seconds_of(duration) if duration else None
        desk = open_desk(where, notes)
        _tell(desk, actions.open_upstream(desk, wanted, seconds=seconds, force=force), as_json=as_json)


@app.command()
def close(
    name: NameArgument,
    *,
    duration: Annotated[
        str | None,
        typer.Option(
            "--for",
            help="For how long it stays closed whatever happens, as in 10m. Default: new failures may open it.",
            metavar="TIME",
            show_default=False,
        ),
    ] = None,
    table: TableOption = None,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Close the circuit of an upstream or model, whoever opened it: send to it again."""
    where = Where(table=table, stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        wanted, seconds = parse_name(name), seconds_of(duration) if duration else None
        desk = open_desk(where, notes)
        _tell(desk, actions.close_upstream(desk, wanted, seconds=seconds, force=force), as_json=as_json)


@app.command()
def weight(
    model: ModelArgument,
    target: TargetArgument,
    percent: PercentArgument = None,
    *,
    table: TableOption = None,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    reset: ResetOption = False,
    local: LocalOption = False,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Move traffic: give a target a share of a model's requests, or its configured share again."""
    where = Where(table=table, stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        wanted, share = parse_target(target), _share(percent, reset=reset)
        desk = open_desk(where, notes)
        if share is None:
            done = actions.reset_weight(desk, model, wanted, force=force)
        else:
            done = actions.set_weight(desk, model, wanted, share, force=force)
        _tell(desk, done, as_json=as_json)


@app.command()
def prefer(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="An upstream, as in holysheep.", show_default=False)
    ] = None,
    *,
    reset: Annotated[
        bool,
        typer.Option("--reset", help="Let the configured weights count again; with NAME only of models with a target there."),
    ] = False,
    table: TableOption = None,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    as_json: JsonOption = False,
) -> None:
    """Send everything to one upstream: all requests for each model that has a target there."""
    where = Where(table=table, stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        wanted = parse_name(name) if name else None
        if not (wanted or reset):
            raise CommandError("name the upstream, or say --reset for the configured weights", status=MISTAKEN)
        desk = open_desk(where, notes)
        done = preference.prefer(desk, wanted) if wanted and not reset else preference.reset(desk, wanted)
        _tell(desk, done, as_json=as_json)


def _tell(desk: Desk, done: Done, *, as_json: bool) -> None:
    if as_json:
        Console(highlight=False).print_json(data=done_json(desk.table, done))
        return
    output = Output()
    for sentence in done.told:
        output.line(sentence)


def _share(text: str | None, *, reset: bool) -> float | None:
    """The weight to set, or None to take it back.

    Raises:
        CommandError: unless it is one of the two.
    """
    if (text is None) is not reset:
        raise CommandError("give a weight from 0 to 100, or --reset for the configured one", status=MISTAKEN)
    if text is None:
        return None
    try:
        share = float(text.removesuffix("%"))
    except ValueError:
        share = -1.0
    if not 0 <= share <= _ALL:
        raise CommandError(f"a weight is a percentage from 0 to 100, got {text!r}", status=MISTAKEN)
    return share
