"""What the models cost: a mix of them, by the list or by prices of the user's own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

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
        price: what its tokens cost in the mean request.
        above: input tokens above which that price holds. 0: it holds for requests of any length.
    """

    model: ModelShare
    input_tokens: float
    output_tokens: float
    usd: float
    price: Price
    above: int


def monthly_inference(traffic: Traffic, models: Sequence[ModelShare]) -> list[Inference]:
    """What models cost in a month.

    Requests are priced by their mean: where a price rises with the length, all requests get the price of the mean length.

    Args:
        traffic: what is asked.
        models: which models answer.
    """
    return [
        Inference(
            model=model,
            input_tokens=traffic.requests * model.share * traffic.input_tokens,
            output_tokens=traffic.requests * model.share * traffic.output_tokens,
            usd=traffic.requests * model.share * request_usd(traffic, model.price),
            price=applied_price(traffic, model.price),
            above=model.price.reached(traffic.input_tokens),
        )
        for model in models
    ]


def applied_price(traffic: Traffic, price: Price) -> Price:
    """The price that the mean request has, without those of other lengths.

    Args:
        traffic: of which the mean request is taken.
        price: of the model.
    """
    return replace(price.at(traffic.input_tokens), above={})


def request_usd(traffic: Traffic, price: Price) -> float:
    """What the tokens of one request cost, in USD.

    Args:
        traffic: of which the mean request is taken.
        price: of the model.
    """
    # Of a million such requests, so that fractions of a token and of a billionth of a USD do not get lost.
    many = 1_000_000
    cost = applied_price(traffic, price).cost(
        input_tokens=round(traffic.input_tokens * many),
        output_tokens=round(traffic.output_tokens * many),
        cached_tokens=round(traffic.input_tokens * traffic.cached_share * many),
        cache_write_tokens=round(traffic.input_tokens * traffic.cache_write_share * many),
    )
    return cost / NANO / many


def inference_usd(parts: Sequence[Inference]) -> float:
    """What all of them cost together, in USD a month."""
    return math.fsum(part.usd for part in parts)
