"""The estimate as tables for people."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway_cli.console import plain_table
from gateway_cli.estimate.figures import dollars, percent, plain, price, quantity
from gateway_cli.estimate.models import price_list
from gateway_cli.estimate.report import SMALLEST_MB, Compared, Estimate, Savings
from gateway_prices.aws import CHECKED

_SOURCES = {"given": "Given", "read": "Read", "assumed": "Assumed"}
_WIDTH, _TABLE_WIDTH, _INDENT = 140, 240, 9


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """An option, and where its value is from.

    Args:
        option: as it is typed.
        what: what it says.
        value: that was taken.
        source: "given", "assumed" or "read".
    """

    option: str
    what: str
    value: float | str | None
    source: str


def print_estimate(console: Console, estimate: Estimate, shown: Sequence[Shown]) -> None:
    """Print all of it.

    Args:
        console: where.
        estimate: what.
        shown: the options that it rests on.
    """
    width = make_room(console)
    print_prices(console)
    _print_options(console, shown, width)
    _print_bill(console, estimate)
    _print_inference(console, estimate)
    if estimate.savings is not None:
        _print_savings(console, estimate.savings)
    _print_concurrency(console, estimate)
    _print_containers(console, estimate)


def make_room(console: Console) -> int:
    """Let tables be as wide as they are: on a narrow terminal their lines are broken, but no figure is cut.

    Returns:
        Characters that running text may have in a line.
    """
    width = min(console.width, _WIDTH) if console.is_terminal else _WIDTH
    console.width = max(console.width, _TABLE_WIDTH)
    return width


def print_prices(console: Console) -> None:
    """Say what all figures are."""
    say(
        console,
        f"Every figure is an estimate: list prices of us-east-1 ({CHECKED}) without free tiers and discounts; models by "
        f"{price_list()}.",
        dim=True,
    )


def say(console: Console, text: str, *, dim: bool = False) -> None:
    """Print a sentence as it is, in one line however long.

    Args:
        console: where.
        text: the sentence.
        dim: whether it matters less. Default: it does not.
    """
    console.print(Text(text, style="dim" if dim else ""), soft_wrap=True)


def titled(console: Console, title: str, *columns: str) -> Table:
    """A table under a heading: text in the first column, figures in the others.

    Args:
        console: where the heading goes.
        title: the heading.
        columns: their headings.
    """
    console.print()
    console.print(Text(title, style="bold"))
    table = plain_table()
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", no_wrap=True)
    return table


def _print_options(console: Console, shown: Sequence[Shown], width: int) -> None:
    console.print()
    for source, title in _SOURCES.items():
        said = [f"{one.what} {plain(one.value)} ({one.option})" for one in shown if one.source == source]
        for number, line in enumerate(
            textwrap.wrap("; ".join(said), max(width, 2 * _INDENT) - _INDENT, break_on_hyphens=False)
        ):
            say(console, ("" if number else title).ljust(_INDENT) + line, dim=source == "assumed")


def _print_bill(console: Console, estimate: Estimate) -> None:
    table = titled(console, "AWS, a month", "", "amount", "", "USD")
    for line in estimate.bill:
        if line.usd:
            table.add_row(line.label, quantity(line.amount), Text(line.unit, justify="left"), dollars(line.usd))
    table.add_row("together", "", "", dollars(estimate.aws_usd), style="bold")
    console.print(table)
    say(
        console,
        f"Without a request it costs {dollars(estimate.idle_usd)}, with one in each hour {dollars(estimate.fixed_usd)}. "
        f"A million requests more cost {dollars(estimate.million_usd)}.",
    )


def _print_inference(console: Console, estimate: Estimate) -> None:
    traffic = estimate.asked.traffic
    caches = [name for name, share in (("cached", traffic.cached_share), ("written", traffic.cache_write_share)) if share]
    columns = ("model", "share", "in", *caches, "out", "input", "output", "USD")
    table = titled(console, "Tokens, a month", *columns)
    for part in estimate.inference:
        of_cache = {"cached": part.price.cached_input, "written": part.price.cache_write}
        above = f", above {part.above:,}" if part.above else ""
        table.add_row(
            Text(f"{part.model.name} ({part.model.source}{above})"),
            percent(part.model.share),
            price(part.price.input),
            *(price(part.price.input if (usd := of_cache[name]) is None else usd) for name in caches),
            price(part.price.output),
            quantity(part.input_tokens),
            quantity(part.output_tokens),
            dollars(part.usd),
        )
    table.add_row("together", *[""] * (len(columns) - 2), dollars(estimate.inference_usd), style="bold")
    console.print(table)
    whole = estimate.aws_usd + estimate.inference_usd
    of_aws = percent(estimate.aws_usd / whole) if whole else percent(0)
    say(console, f"AWS and tokens: {dollars(whole)} a month, of which the gateway is {of_aws}.")


def _print_savings(console: Console, savings: Savings) -> None:
    table = titled(console, "Against today, USD a month", "", "today", "then", "saved")
    rows = (
        ("tokens", savings.today_inference, savings.inference),
        ("infrastructure", savings.today_infrastructure, savings.aws),
        ("together", savings.today, savings.then),
    )
    for what, today, then in rows:
        table.add_row(what, dollars(today), dollars(then), dollars(today - then), style="bold" if what == "together" else None)
    console.print(table)
    verb = "Saved" if savings.month >= 0 else "Dearer by"
    share = "" if savings.share is None else f"{percent(abs(savings.share))}, "
    say(console, f"{verb}: {share}{dollars(abs(savings.year))} a year.")


def _print_concurrency(console: Console, estimate: Estimate) -> None:
    load = estimate.concurrency
    table = titled(console, "What the busiest minutes need", "", "needed", "default", "")
    for quota in estimate.quotas:
        verdict = quota.way_out if quota.exceeded else "enough"
        row = (quota.label, quantity(quota.needed), quantity(quota.default), Text(verdict, justify="left"))
        table.add_row(*row, style="yellow" if quota.exceeded else None)
    console.print(table)
    say(
        console,
        f"Requests under way: {quantity(load.mean)} on average, {quantity(load.at_peak)} in the busiest minutes "
        f"({load.peak_rate:,.2f} a second), then over {load.p99:,} for 1 % of the time, over {load.p999:,} for 0.1 %.",
    )


def _print_containers(console: Console, estimate: Estimate) -> None:
    columns = ("", "USD a month", "idle", "tasks", "at peak", "cheaper from, a day", f"from, at {SMALLEST_MB} MB")
    table = titled(console, "The same through containers", *columns)
    table.add_row("this gateway", dollars(estimate.aws_usd), dollars(estimate.idle_usd), "", "", "", "", style="bold")
    for one in estimate.compared:
        table.add_row(
            one.containers.label,
            dollars(one.usd),
            dollars(one.idle_usd),
            quantity(round(one.tasks, 1)),
            f"{one.tasks_at_peak:,}",
            _requests(one.cheaper_from),
            _requests(one.cheaper_from_smallest),
        )
    console.print(table)
    for one in estimate.compared:
        say(console, _verdict(estimate, one))


def _requests(requests: float | None) -> str:
    return "never" if requests is None else f"{requests:,.0f}"


def _verdict(estimate: Estimate, one: Compared) -> str:
    """What the comparison comes to, and what to do where it is lost."""
    traffic, label = estimate.asked.traffic, one.containers.label
    if estimate.aws_usd <= one.usd:
        return f"- {label}: dearer by {dollars(one.usd - estimate.aws_usd)} a month at this traffic."
    waiting = next(line.usd for line in estimate.bill if line.name == "lambda_duration")
    said = (
        f"- {label}: cheaper by {dollars(estimate.aws_usd - one.usd)} a month at this traffic. Lambda bills waiting: "
        f"{traffic.seconds:g} s a request are {dollars(waiting)}."
    )
    memory = estimate.asked.deployment.memory_mb
    if memory > SMALLEST_MB:
        said += f" With memory_size={SMALLEST_MB} they would be {dollars(waiting * SMALLEST_MB / memory)}."
    return said
