"""What the models cost: a mix of them, by the list or by prices of the user's own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gateway_prices.traffic import Traffic
from lambda_runtime.config.prices import NANO, Price


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelShare:
    """A model, and how much of the requests it gets.

    Args:
        name: `upstream/model`.
        share: of the requests, from 0 to 1.
        price: what its tokens cost.
        source: where the price is from.
    """

    name: str
    share: float
    price: Price
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Inference:
    """What a model costs in a month.

    Args:
        model: which.
        input_tokens: of a month, what a prompt cache held included.
        output_tokens: of a month.
        usd: in a month.
    """

    model: ModelShare
    input_tokens: float
    output_tokens: float
    usd: float


def monthly_inference(traffic: Traffic, models: Sequence[ModelShare], cached_share: float) -> list[Inference]:
    """What models cost in a month.

    Requests are priced by their mean: where a price rises with the length, all requests get the price of the mean length.

    Args:
        traffic: what is asked.
        models: which models answer.
        cached_share: share of the input tokens that are read from a prompt cache.
    """
    return [
        Inference(
            model=model,
            input_tokens=traffic.requests * model.share * traffic.input_tokens,
            output_tokens=traffic.requests * model.share * traffic.output_tokens,
            usd=traffic.requests * model.share * request_usd(traffic, model.price, cached_share),
        )
        for model in models
    ]


def request_usd(traffic: Traffic, price: Price, cached_share: float) -> float:
    """What the tokens of one request cost, in USD.

    Args:
        traffic: of which the mean request is taken.
        price: of the model.
        cached_share: share of the input tokens that are read from a prompt cache.
    """
    # Of a million such requests, so that fractions of a token and of a billionth of a USD do not get lost.
    tier = price.above[max(reached)] if (reached := [start for start in price.above if traffic.input_tokens > start]) else price
    flat = Price(input=tier.input, output=tier.output, cached_input=tier.cached_input)
    many = 1_000_000
    cost = flat.cost(
        input_tokens=round(traffic.input_tokens * many),
        output_tokens=round(traffic.output_tokens * many),
        cached_tokens=round(traffic.input_tokens * cached_share * many),
    )
    return cost / NANO / many


def inference_usd(parts: Sequence[Inference]) -> float:
    """What all of them cost together, in USD a month."""
    return math.fsum(part.usd for part in parts)
