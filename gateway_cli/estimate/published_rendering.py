"""The check of the published comparison, as tables and as JSON."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.text import Text

from gateway_cli.estimate import published
from gateway_cli.estimate.document import header, line_json, usd
from gateway_cli.estimate.figures import dollars, percent, price, quantity
from gateway_cli.estimate.models import price_list
from gateway_cli.estimate.published import Check, Offer
from gateway_cli.estimate.rendering import make_room, print_prices, say, titled
from gateway_prices.bill import total
from lambda_runtime.config.prices import price_document

_NONE = "-"


def print_check(console: Console, check: Check) -> None:
    """Print all of it."""
    make_room(console)
    print_prices(console)
    say(
        console,
        f"Assumed where it says nothing: {published.TOKENS_EACH_WAY:,} tokens each way in a request, "
        f"{published.TOKENS_A_SECOND} of output a second.",
        dim=True,
    )
    _print_offers(console, check)
    _print_small(console, check)
    _print_figures(console, check)
    _print_bills(console, check)
    _print_like_for_like(console, check)


def check_json(check: Check) -> dict[str, Any]:
    """The same for scripts."""
    return {
        **header(),
        "prices_per_million_tokens": [
            {
                "name": offer.name,
                "published": {"input": offer.input, "output": offer.output},
                "model": offer.listed or None,
                "list": offer.list_price and price_document(offer.list_price),
                "estimated_usd": usd(offer.usd),
                "estimated_list_usd": None if offer.listed_usd is None else usd(offer.listed_usd),
            }
            for offer in check.offers
        ],
        "ten_million_tokens": {
            "claim_usd": published.SMALL_CLAIM,
            "estimated_published_architecture_usd_month": usd(check.small_published_usd),
            "estimated_gateway_usd_month": usd(check.small_usd),
            "estimated_tokens_usd_month": {offer.listed: usd(offer.small_usd) for offer in check.relay},
        },
        "calculation": [
            {
                "name": figure.name,
                "published_usd": figure.published,
                "estimated_usd": usd(figure.recomputed),
                "remark": figure.remark,
            }
            for figure in check.figures
        ],
        "tokens_after": {
            "estimated_mean_price": usd(check.mean_price),
            "estimated_usd": {offer.listed: usd(offer.usd) for offer in check.relay},
        },
        "published_architecture": [line_json(line) for line in check.published_bill if line.usd],
        "gateway": [line_json(line) for line in check.gateway_bill if line.usd],
        "same_model_saved_a_year": [
            {"model": model, "estimated_usd_through_relay": usd(relay), "estimated_usd_at_list_price": usd(listed)}
            for model, relay, listed in check.like_for_like
        ],
    }


def _print_offers(console: Console, check: Check) -> None:
    columns = (
        "published, a million tokens",
        "in",
        "out",
        "50 + 50 million",
        "list price of",
        "in",
        "out",
        "50 + 50 million",
        "published is",
    )
    table = titled(console, "Its table of prices", *columns)
    for offer in check.offers:
        table.add_row(offer.name, price(offer.input), price(offer.output), dollars(offer.usd), *_listed(offer))
    console.print(table)


def _listed(offer: Offer) -> tuple[str | Text, ...]:
    if offer.list_price is None or offer.listed_usd is None:
        return (_NONE,) * 5
    there = offer.list_price
    more = offer.usd / offer.listed_usd - 1
    return offer.listed, price(there.input), price(there.output), dollars(offer.listed_usd), f"{more:+.0%}"


def _print_small(console: Console, check: Check) -> None:
    title = f"{published.SMALL_MILLIONS} million tokens a month for less than {dollars(published.SMALL_CLAIM)}"
    table = titled(console, title, "", "its gateway", "this gateway", "tokens", "with tokens")
    for offer in check.relay:
        tokens = offer.small_usd
        gateways = (dollars(check.small_published_usd), dollars(check.small_usd))
        table.add_row(offer.name, *gateways, dollars(tokens), dollars(check.small_published_usd + tokens))
    console.print(table)
    most = (published.SMALL_CLAIM - check.small_published_usd) / published.SMALL_MILLIONS
    say(console, f"True without tokens. With them it takes a model of {price(round(most, 2))} a million or less.")


def _print_figures(console: Console, check: Check) -> None:
    table = titled(console, "Its calculation", "", "published", "recomputed", "off by", "")
    for figure in check.figures:
        off = figure.recomputed / figure.published - 1
        remark = Text(figure.remark, justify="left")
        table.add_row(figure.what, dollars(figure.published), dollars(figure.recomputed), f"{off:+.1%}", remark)
    console.print(table)
    there = ", ".join(f"{offer.name.removeprefix('relay, ')} {dollars(offer.usd)}" for offer in check.relay)
    say(
        console,
        f"Tokens after: {dollars(published.AFTER_TOKENS)} for 100 million are {price(check.mean_price)} a million. By its own "
        f"price list they are: {there}.",
    )
    tokens = published.BEFORE_TOKENS - published.AFTER_TOKENS
    share = tokens / (published.BEFORE - published.AFTER)
    say(
        console,
        f"Of what is saved a month, {dollars(tokens)} ({percent(share)}) come from another price of tokens, not from Lambda.",
    )


def _print_bills(console: Console, check: Check) -> None:
    table = titled(console, "The same tokens, AWS a month", "", "amount", "", "its gateway", "this gateway")
    theirs = {line.name: line for line in check.published_bill}
    for line in check.gateway_bill:
        other = theirs[line.name]
        if line.usd or other.usd:
            unit = Text(line.unit, justify="left")
            table.add_row(line.label, quantity(line.amount or other.amount), unit, dollars(other.usd), dollars(line.usd))
    table.add_row("together", "", "", dollars(total(check.published_bill)), dollars(total(check.gateway_bill)), style="bold")
    console.print(table)


def _print_like_for_like(console: Console, check: Check) -> None:
    table = titled(console, "With the same model before and after, saved a year", "", "through the relay", "at list price")
    for model, relay, listed in check.like_for_like:
        table.add_row(model, dollars(relay), dollars(listed))
    console.print(table)
    say(
        console,
        "Before: list price and three c5.large. After: this gateway, and the relay's price or the list price. List prices are "
        f"those of {price_list()}, which may be older than the makers'.",
    )
