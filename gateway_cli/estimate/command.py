"""The command `ai-gateway estimate` and its options."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from gateway_cli.aws.connection import GatewayOption
from gateway_cli.errors import MISTAKEN, CommandError, command_notes
from gateway_cli.estimate.assembly import read_gateway
from gateway_cli.estimate.document import estimate_json
from gateway_cli.estimate.models import parse_models, parse_price
from gateway_cli.estimate.options import MODELS, capacity_of, deployment_of, shown_options, traffic_of
from gateway_cli.estimate.picture import draw
from gateway_cli.estimate.published import check
from gateway_cli.estimate.published_rendering import check_json, print_check
from gateway_cli.estimate.rendering import print_estimate
from gateway_cli.estimate.report import Asked, estimate

TRAFFIC, GATEWAY, MONEY, CONTAINERS = "Traffic", "Gateway", "Money", "Containers"


class Architecture(StrEnum):
    """What Lambda's functions run on."""

    ARM64 = "arm64"
    X86_64 = "x86_64"


class Example(StrEnum):
    """Comparisons that the command knows."""

    PUBLISHED_COMPARISON = "published-comparison"


COUNT, TOKENS, USD, SECONDS = 100_000, 10_000_000, 1_000_000_000, 900
"""The most that options take: far beyond what a gateway has, and near enough that every figure of the estimate is one."""


def _figure(panel: str, text: str, least: float = 0, most: float = 1) -> Any:
    """An option that takes figures of a range."""

    def checked(value: float | None) -> float | None:
        # What is no number to anybody but Python is in no range.
        if value is not None and not least <= value <= most:
            raise typer.BadParameter(f"a number from {least:g} to {most:,} is wanted, got {value}")
        return value

    return typer.Option(callback=checked, metavar=f"{least:g}..{most:,}", help=text, rich_help_panel=panel, show_default=False)


def estimate_(
    context: typer.Context,
    *,
    requests_per_day: Annotated[float | None, _figure(TRAFFIC, "Requests a day. Default: 10,000.", most=1_000_000_000)] = None,
    input_tokens: Annotated[float | None, _figure(TRAFFIC, "Tokens of a request. Default: 2,000.", most=TOKENS)] = None,
    output_tokens: Annotated[float | None, _figure(TRAFFIC, "Tokens of an answer. Default: 500.", most=TOKENS)] = None,
    cached_share: Annotated[
        float | None, _figure(TRAFFIC, "Share of the input that is read from a prompt cache. Default: 0.")
    ] = None,
    cache_write_share: Annotated[
        float | None, _figure(TRAFFIC, "Share of the input that is written to one. Default: 0.")
    ] = None,
    stream_share: Annotated[float | None, _figure(TRAFFIC, "Share of the answers that are streamed. Default: 0.8.")] = None,
    stream_seconds: Annotated[
        float | None, _figure(TRAFFIC, "Seconds of a streamed answer, from request to last byte. Default: 10.", most=SECONDS)
    ] = None,
    json_seconds: Annotated[float | None, _figure(TRAFFIC, "Seconds of any other answer. Default: 5.", most=SECONDS)] = None,
    peak_factor: Annotated[
        float | None, _figure(TRAFFIC, "By how much the busiest minutes exceed the mean. Default: 3.", least=1, most=100)
    ] = None,
    largest_consumer: Annotated[
        float | None, _figure(TRAFFIC, "Share of the requests that the busiest consumer makes. Default: 1.")
    ] = None,
    assembly: Annotated[
        Path | None,
        typer.Option(
            help="Read memory, architecture, secrets, metrics, alarms and so on out of what `cdk synth` wrote, as in cdk.out.",
            rich_help_panel=GATEWAY,
            show_default=False,
        ),
    ] = None,
    gateway: GatewayOption = None,
    memory: Annotated[int | None, _figure(GATEWAY, "MB of the function. Default: 256.", least=128, most=10_240)] = None,
    architecture: Annotated[
        Architecture | None,
        typer.Option(help="Of the functions. Default: arm64.", rich_help_panel=GATEWAY, show_default=False),
    ] = None,
    secrets: Annotated[int | None, _figure(GATEWAY, "Upstreams' keys that it stores. Default: 1.", most=COUNT)] = None,
    secrets_read: Annotated[
        int | None, _figure(GATEWAY, "Keys that an instance reads at its start. Default: 1, as many as are stored.", most=COUNT)
    ] = None,
    table: Annotated[
        bool | None,
        typer.Option(
            "--table/--no-table", help="Whether it has a table. Default: it has.", rich_help_panel=GATEWAY, show_default=False
        ),
    ] = None,
    budgets: Annotated[
        bool | None,
        typer.Option(
            "--budgets/--no-budgets",
            help="Whether consumers have budgets, which are read before each request. Default: they have none.",
            rich_help_panel=GATEWAY,
            show_default=False,
        ),
    ] = None,
    waf_rules: Annotated[
        int | None, _figure(GATEWAY, "Rules of its web ACL; the construct's has 3. Default: 0, none.", most=COUNT)
    ] = None,
    metrics: Annotated[
        int | None, _figure(GATEWAY, "Custom metrics. Default: 23, of one upstream and no model map.", most=COUNT)
    ] = None,
    alarm_metrics: Annotated[
        int | None, _figure(GATEWAY, "Metrics that alarms look at by the minute. Default: 0.", most=COUNT)
    ] = None,
    fast_alarm_metrics: Annotated[int | None, _figure(GATEWAY, "The same, every 10 seconds. Default: 0.", most=COUNT)] = None,
    dashboards: Annotated[int | None, _figure(GATEWAY, "Dashboards. Default: 1.", most=COUNT)] = None,
    log_bytes: Annotated[
        float | None, _figure(GATEWAY, "Bytes that are logged for a request. Default: 2,100.", most=1_000_000)
    ] = None,
    cold_start_share: Annotated[
        float | None, _figure(GATEWAY, "Share of the requests that start an instance. Default: 0.01.")
    ] = None,
    init_seconds: Annotated[float | None, _figure(GATEWAY, "Seconds that this takes. Default: 0.5.", most=60)] = None,
    after_seconds: Annotated[
        float | None, _figure(GATEWAY, "Seconds that a request's instance works on after the answer. Default: 0.02.", most=60)
    ] = None,
    authorizer_seconds: Annotated[
        float | None, _figure(GATEWAY, "Seconds of the authorizer's function. Default: 0.005.", most=60)
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="UPSTREAM/MODEL[=SHARE]",
            help="A model that answers, and its share of the requests. May be repeated. Default: those with a "
            "--price, else the first of the assembly's model map with a price, else openai/gpt-4.1.",
            rich_help_panel=MONEY,
            show_default=False,
        ),
    ] = None,
    price: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[MODEL:]in=USD,out=USD",
            help="What a million tokens cost, of a model or of all; also cached=USD and write=USD, of a prompt cache. "
            "Prices of long inputs come from the list or the assembly. Default: the price list's.",
            rich_help_panel=MONEY,
            show_default=False,
        ),
    ] = None,
    today_model_price: Annotated[
        str | None,
        typer.Option(
            metavar="in=USD,out=USD",
            help="What a million tokens cost today; also cached=USD and write=USD. Default: as much as through the gateway.",
            rich_help_panel=MONEY,
            show_default=False,
        ),
    ] = None,
    today_infrastructure: Annotated[
        float | None, _figure(MONEY, "USD a month that are paid today besides tokens. Default: nothing is compared.", most=USD)
    ] = None,
    task_requests: Annotated[
        float | None, _figure(CONTAINERS, "Requests a second that a vCPU does. Default: 70.", least=0.001, most=1_000_000)
    ] = None,
    task_events: Annotated[
        float | None, _figure(CONTAINERS, "Events of streams a second that a vCPU does. Default: 5,000.", least=0.001, most=USD)
    ] = None,
    example: Annotated[
        Example | None,
        typer.Option(
            help="Check a published cost comparison against its own figures, in place of an estimate.", show_default=False
        ),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Draw cost against traffic into this file.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Estimate what a gateway costs in a month, which quotas it needs, and from which traffic containers are cheaper.

    Nothing is looked up: list prices come with the package, and what you do not say is assumed and shown.
    """
    console = Console(highlight=False)
    with command_notes():
        if example:
            _require_alone(context)
            checked = check()
            if as_json:
                console.print_json(data=check_json(checked))
            else:
                print_check(console, checked)
            return
        given: dict[str, Any] = {
            "requests_per_day": requests_per_day,
            "input_tokens": input_tokens,
            "output_tokens": output_tokens,
            "cached_share": cached_share,
            "cache_write_share": cache_write_share,
            "stream_share": stream_share,
            "stream_seconds": stream_seconds,
            "json_seconds": json_seconds,
            "peak_factor": peak_factor,
            "largest_consumer": largest_consumer,
            "memory_mb": memory,
            "architecture": architecture and architecture.value,
            "secrets": secrets,
            "secrets_read": secrets_read,
            "table": table,
            "budgets": budgets,
            "waf_rules": waf_rules,
            "metrics": metrics,
            "alarm_metrics": alarm_metrics,
            "fast_alarm_metrics": fast_alarm_metrics,
            "dashboards": dashboards,
            "log_bytes": log_bytes,
            "cold_start_share": cold_start_share,
            "init_seconds": init_seconds,
            "after_seconds": after_seconds,
            "authorizer_seconds": authorizer_seconds,
            "requests": task_requests,
            "events": task_events,
            MODELS: model or price,
        }
        if gateway and assembly is None:
            raise CommandError("--gateway names a gateway of an assembly; give that, too: --assembly cdk.out", status=MISTAKEN)
        read = read_gateway(assembly, gateway) if assembly else None
        traffic = traffic_of(given)
        asked = Asked(
            traffic=traffic,
            deployment=deployment_of(given, read),
            models=parse_models(model or (), price or (), traffic, read.config if read else None),
            capacity=capacity_of(given),
            today_price=None if today_model_price is None else parse_price("--today-model-price", today_model_price, traffic),
            today_infrastructure=today_infrastructure,
        )
        made = estimate(asked)
        shown = shown_options(given, asked, read)
        if picture:
            draw(made, picture)
        if as_json:
            assumed = [one.option for one in shown if one.source == "assumed"]
            console.print_json(data=estimate_json(made, assumed, read.path if read else None))
        else:
            print_estimate(console, made, shown)


def _require_alone(context: typer.Context) -> None:
    """Refuse options that the example would not heed."""
    given = [
        name
        for name in context.params
        if name not in {"example", "as_json"}
        and (source := context.get_parameter_source(name)) is not None
        and source.name == "COMMANDLINE"
    ]
    if given:
        option = f"--{given[0].replace('_', '-')}"
        raise CommandError(f"{option}: --example has figures of its own; leave one of them out", status=MISTAKEN)
