"""The commands of `ai-gateway smoke` and their options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.console import Console

from gateway_cli.aws.connection import GatewayOption, LocalOption, ProfileOption, RegionOption
from gateway_cli.aws.where import StackOption, Where
from gateway_cli.errors import FAILED, MISTAKEN, CommandError, command_notes
from gateway_cli.key_input import read_key
from gateway_cli.smoke.desk import asked_model, asked_upstream, described_upstream, found_gateway, given_url
from gateway_cli.smoke.rendering import print_steps, steps_json
from gateway_cli.smoke.steps import Step, passed
from gateway_cli.smoke.upstream import try_upstream
from gateway_cli.times import seconds_of
from lambda_runtime.config import AuthStyle, GatewayConfig, WireFormat

_TIMEOUT = "30s"
_AUTH_STYLES = {
    "bearer": AuthStyle.BEARER,
    "x-api-key": AuthStyle.X_API_KEY,
    "api-key": AuthStyle.API_KEY,
    "none": AuthStyle.NONE,
}
_COST = "It asks for small answers, which are billed: a few tokens each."

app = typer.Typer(
    help="Send a few small requests to an upstream or a gateway before traffic moves there.", no_args_is_help=True
)

TimeoutOption = Annotated[
    str,
    typer.Option(metavar="TIME", help="How long to wait each time for something to come, as in 5s or 2m."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def upstream(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="An upstream of the gateway, a well-known provider, or any with --base-url.")
    ],
    *,
    model: Annotated[
        str | None,
        typer.Option(
            help="The model to ask, by the upstream's own name. Default: the first that the model map sends there.",
            show_default=False,
        ),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(help="Address of the upstream, as the construct takes it. Needs --format.", show_default=False),
    ] = None,
    wire_format: Annotated[
        WireFormat | None, typer.Option("--format", help="What it speaks, with --base-url.", show_default=False)
    ] = None,
    auth: Annotated[
        str | None,
        typer.Option(
            metavar="STYLE",
            help="How it takes the key, with --base-url: bearer, x-api-key, api-key or none. Default: the format's.",
            show_default=False,
        ),
    ] = None,
    timeout: TimeoutOption = _TIMEOUT,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    as_json: JsonOption = False,
) -> None:
    """Test an upstream at its real address with a key of yours, which need not be the gateway's. It costs a few tokens.

    The key is read from the environment variable <NAME>_API_KEY, from a pipe, or from a hidden prompt.
    """
    where = Where(stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        seconds = seconds_of(timeout)
        configurations: Sequence[GatewayConfig] = ()
        if base_url:
            found = described_upstream(name, base_url, wire_format, _auth_style(auth), where)
        elif wire_format or auth:
            raise CommandError("--format and --auth describe the upstream at --base-url; give that, too", status=MISTAKEN)
        else:
            found, configurations = asked_upstream(name, where, notes)
        for endpoint in found.endpoints:
            notes.line(f"Upstream {found.name}: {endpoint.base_url}")
        notes.line(_COST)
        variable = name.upper().replace("-", "_") + "_API_KEY"
        key = read_key(name, notes, variable=variable) if found.needs_key else ""
        asked = model or asked_model(found, configurations)
        with notes.busy() as about_to:
            steps = list(try_upstream(found, key, asked, timeout=seconds, about_to=about_to))
        _show({"upstream": found.name}, steps, as_json=as_json)


@app.command("gateway")
def gateway_(
    *,
    url: Annotated[
        str | None,
        typer.Option(
            help="Where the gateway takes requests, as in https://abc.execute-api.eu-central-1.amazonaws.com/prod. "
            "Default: found through AWS.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="Ask this model. May be repeated. Default: each of the model map.", show_default=False),
    ] = None,
    consumer: Annotated[
        str | None,
        typer.Option(help="Take this consumer's key out of API Gateway. Default: asked for.", show_default=False),
    ] = None,
    timeout: TimeoutOption = _TIMEOUT,
    stack: StackOption = None,
    gateway: GatewayOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    local: LocalOption = False,
    as_json: JsonOption = False,
) -> None:
    """Test a gateway from outside, as its clients see it. It costs a few tokens for each model.

    The key is read from the environment variable AI_GATEWAY_KEY, from a pipe, or from a hidden prompt; with --consumer from
    API Gateway.
    """
    where = Where(stack=stack, gateway=gateway, region=region, profile=profile, local=local)
    with command_notes() as notes:
        seconds, models = seconds_of(timeout), tuple(model or ())
        notes.line(_COST)
        if url:
            if consumer or where.options:
                raise CommandError(
                    "--url names the gateway, and nothing is looked up in AWS; leave out the other options", status=MISTAKEN
                )
            prepared = given_url(url, models, timeout=seconds, notes=notes)
        else:
            prepared = found_gateway(where, models, consumer=consumer, timeout=seconds, notes=notes)
        with notes.busy() as about_to:
            steps = list(prepared.try_all(about_to))
        _show({"url": prepared.url}, steps, as_json=as_json)


def _auth_style(name: str | None) -> AuthStyle | None:
    if name is None:
        return None
    if name not in _AUTH_STYLES:
        raise CommandError(f"--auth must be one of {', '.join(_AUTH_STYLES)}, got {name!r}", status=MISTAKEN)
    return _AUTH_STYLES[name]


def _show(about: Mapping[str, Any], steps: Sequence[Step], *, as_json: bool) -> None:
    """Print how the steps went, and end with a status that says so."""
    console = Console(highlight=False)
    if as_json:
        console.print_json(data=steps_json(about, steps))
    else:
        print_steps(console, steps)
    if not passed(steps):
        raise typer.Exit(FAILED)
