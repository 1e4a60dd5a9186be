"""A published cost comparison of a serverless AI gateway, recomputed from its own inputs and beside list prices. Pure.

Its figures stand here as they were published. What it does not say is assumed here and shown: how many tokens a request has,
and how long an answer takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway_cli.smoke.presets import PRESETS
from gateway_prices import aws
from gateway_prices.bill import Line, Quantities, lines, total
from gateway_prices.gateway_cost import monthly_lines
from gateway_prices.models import list_price
from gateway_prices.traffic import DAYS, Deployment, Traffic
from lambda_runtime.config.prices import Price

INPUT_MILLIONS, OUTPUT_MILLIONS = 50, 50
"""Tokens of its calculation, though its text says 50 million together."""

SMALL_MILLIONS, SMALL_CLAIM = 10, 15.0
"""Tokens a month, and USD a month below which "infrastructure" is said to stay."""

BEFORE_TOKENS, AFTER_TOKENS = 1_500.0, 425.0
BEFORE_SERVERS, AFTER_LAMBDA = 180.0, 8.0
BEFORE, AFTER, SAVED = 1_680.0, 433.0, 14_964.0
SERVERS = 3
YUAN_PER_1_000, YUAN_PER_USD = 7.3, 7.3

TOKENS_EACH_WAY = 1_000
TOKENS_A_SECOND = 50
"""Assumed: tokens of a request and of its answer, and how fast an answer comes."""

MEMORY_MB = 256
MONTHS = 12

_STEPS = (INPUT_MILLIONS, OUTPUT_MILLIONS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """A row of its table of prices, in USD per million tokens.

    Args:
        name: as published, shortened.
        input: of input tokens.
        output: of output tokens.
        listed: the model that is meant, or comes nearest, as `upstream/model`. Empty: there is none.
        list_price: what it costs by the list.
    """

    name: str
    input: float
    output: float
    listed: str
    list_price: Price | None

    @property
    def usd(self) -> float:
        """What the calculation's tokens cost."""
        return INPUT_MILLIONS * self.input + OUTPUT_MILLIONS * self.output

    @property
    def listed_usd(self) -> float | None:
        """What they cost by the list."""
        if self.list_price is None:
            return None
        return INPUT_MILLIONS * self.list_price.input + OUTPUT_MILLIONS * self.list_price.output

    @property
    def small_usd(self) -> float:
        """What the small gateway's tokens cost, half of them output."""
        return SMALL_MILLIONS * (self.input + self.output) / 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A figure of its calculation.

    Args:
        name: for scripts.
        what: for people.
        published: USD.
        recomputed: USD, from its own inputs and AWS's list prices.
        remark: how, and what is to be said of it.
    """

    name: str
    what: str
    published: float
    recomputed: float
    remark: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """All of it.

    Args:
        offers: its table of prices.
        relay: those of them that are the relay's.
        figures: its calculation.
        published_bill: what the architecture that it publishes costs for its tokens.
        gateway_bill: what this gateway costs for them.
        small_usd: what this gateway costs for the small amount of tokens.
        small_published_usd: what the published architecture costs for it.
        mean_price: USD per million tokens that its figure after the change comes to.
        like_for_like: USD a year saved with the same model before and after: the model, at the relay's price, at the list's.
    """

    offers: Sequence[Offer]
    relay: Sequence[Offer]
    figures: Sequence[Figure]
    published_bill: Sequence[Line]
    gateway_bill: Sequence[Line]
    small_usd: float
    small_published_usd: float
    mean_price: float
    like_for_like: Sequence[tuple[str, float, float]]


def check() -> Check:
    """Recompute it."""
    relay = [
        _offer("relay, GPT-4.1", 8.00, 8.00, "openai/gpt-4.1"),
        _offer("relay, Claude Sonnet 4.5", 15.00, 15.00, "anthropic/claude-sonnet-4-5"),
        _offer("relay, Gemini 2.5 Flash", 2.50, 2.50, "gemini/gemini-2.5-flash"),
        _offer("relay, DeepSeek V3.2", 0.42, 0.42, "deepseek/deepseek-v3.2"),
    ]
    direct = [
        _offer("OpenAI direct", 15.00, 15.00, "openai/gpt-4.1"),
        _offer("Anthropic direct", 15.00, 75.00, "anthropic/claude-opus-4-1"),
    ]
    yuan = YUAN_PER_1_000 * 1_000 / YUAN_PER_USD
    published_bill, gateway_bill = published_lines(OUTPUT_MILLIONS), monthly_lines(traffic(OUTPUT_MILLIONS), Deployment())
    servers, lambda_usd = SERVERS * aws.EC2_C5_LARGE_HOUR * aws.HOURS, total(published_bill)
    before_tokens = direct[0].usd
    return Check(
        offers=[
            *direct,
            Offer(name="other relays, ¥7.3 a thousand", input=yuan, output=yuan, listed="", list_price=None),
            *relay,
        ],
        relay=relay,
        figures=_figures(before_tokens, servers, lambda_usd),
        published_bill=published_bill,
        gateway_bill=gateway_bill,
        small_usd=total(monthly_lines(traffic(SMALL_MILLIONS / 2), Deployment())),
        small_published_usd=total(published_lines(SMALL_MILLIONS / 2)),
        mean_price=AFTER_TOKENS / sum(_STEPS),
        like_for_like=[_like_for_like(offer, servers, total(gateway_bill)) for offer in relay],
    )


def traffic(output_millions: float) -> Traffic:
    """The traffic of so many million output tokens a month, and as many of input."""
    requests = output_millions * 1e6 / TOKENS_EACH_WAY
    return Traffic(
        requests_per_day=requests / DAYS,
        input_tokens=TOKENS_EACH_WAY,
        output_tokens=TOKENS_EACH_WAY,
        stream_share=1.0,
        stream_seconds=TOKENS_EACH_WAY / TOKENS_A_SECOND,
    )


def published_lines(output_millions: float) -> tuple[Line, ...]:
    """What its own architecture costs: API Gateway, a function on x86-64, a secret that each request reads."""
    load = traffic(output_millions)
    return lines(
        Quantities(
            api_requests=load.requests,
            function_requests=load.requests,
            function_gb_seconds=load.requests * load.seconds * MEMORY_MB / 1024,
            secrets=1,
            secret_calls=load.requests,
            gb_out=load.gb_out,
        ),
        "x86_64",
    )


def _offer(name: str, input_price: float, output_price: float, listed: str) -> Offer:
    upstream, _, model = listed.partition("/")
    found = list_price(PRESETS[upstream].endpoints[0].base_url, model)
    return Offer(name=name, input=input_price, output=output_price, listed=listed, list_price=found)


def _figures(before_tokens: float, servers: float, lambda_usd: float) -> list[Figure]:
    before, after = before_tokens + servers, AFTER_TOKENS + lambda_usd
    return [
        Figure(
            name="before_tokens",
            what="tokens before",
            published=BEFORE_TOKENS,
            recomputed=before_tokens,
            remark="100 million tokens, not 50, at $15 each way, which no model of OpenAI's costs",
        ),
        Figure(
            name="before_servers",
            what="three c5.large",
            published=BEFORE_SERVERS,
            recomputed=servers,
            remark="730 hours; no load balancer, no disks",
        ),
        Figure(
            name="before",
            what="together before",
            published=BEFORE,
            recomputed=before,
            remark="the published parts do add up",
        ),
        Figure(
            name="after_tokens",
            what="tokens after",
            published=AFTER_TOKENS,
            recomputed=AFTER_TOKENS,
            remark="no model of its price list comes to it; taken as it stands",
        ),
        Figure(
            name="after_lambda",
            what="its gateway",
            published=AFTER_LAMBDA,
            recomputed=lambda_usd,
            remark="with API Gateway, the secret and data, which are not priced there",
        ),
        Figure(
            name="after",
            what="together after",
            published=AFTER,
            recomputed=after,
            remark="the published parts do add up",
        ),
        Figure(
            name="saved",
            what="saved in a year",
            published=SAVED,
            recomputed=MONTHS * (before - after),
            remark=f"12 x ({BEFORE:,.0f} - {AFTER:,.0f}) is {MONTHS * (BEFORE - AFTER):,.0f}, as published",
        ),
    ]


def _like_for_like(offer: Offer, servers: float, gateway: float) -> tuple[str, float, float]:
    """What is saved in a year where the model stays the same: through the relay, and at list price."""
    listed = offer.listed_usd or 0.0
    before = listed + servers
    return offer.listed, MONTHS * (before - offer.usd - gateway), MONTHS * (before - listed - gateway)
