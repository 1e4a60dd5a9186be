"""What models cost by the price list of `genai-prices`, an open data set that is kept by hand against the providers' own pages.

The list knows prices by date and by time of day. What is taken here does not depend on when it is asked for, so that a template
does not either: the latest price of each model, and of prices that differ by time of day the dearest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from lambda_runtime.config.prices import Price

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider

# Relays and servers of one's own are in no list, and reading it to find that out takes its time.
_UNLISTED = re.compile(r"http://|https://api\.holysheep\.ai")

_RESOURCE = "models/"
"""Google's endpoint takes a model's name with and without it."""

# The list has more: audio, searches, cache writes that last an hour. Answers do not say enough to charge for those.
_FIELDS = {"input": "input_mtok", "output": "output_mtok", "cached_input": "cache_read_mtok", "cache_write": "cache_write_mtok"}


def list_price(base_url: str, model: str) -> Price | None:
    """What a model costs at its provider, by the list.

    Args:
        base_url: where the provider is reached, for example "https://api.openai.com/v1".
        model: the provider's name of the model.

    Returns:
        The price; None if the list does not know the provider or the model, or only prices of something other than tokens.
    """
    found = _found(base_url, model)
    return None if found is None else _price(found)


def differs_by_time_of_day(base_url: str, model: str) -> bool:
    """Whether the list has prices of a model by the time of day, so that `list_price` is the dearest of them.

    Args:
        base_url: where the provider is reached.
        model: the provider's name of the model.
    """
    found = _found(base_url, model)
    return found is not None and _by_time_of_day(found)


@cache
def _found(base_url: str, model: str) -> ModelInfo | None:
    if _UNLISTED.match(base_url):
        return None
    for provider in _providers():
        if re.match(provider.api_pattern, base_url):
            found = provider.find_model(model.removeprefix(_RESOURCE), all_providers=_providers())
            if found is not None and _price(found) is not None:
                return found
    return None


@cache
def _providers() -> list[Provider]:
    from genai_prices.data import providers  # noqa: PLC0415  takes 0.2 s, and many synths need no price

    return providers


def _price(model: ModelInfo) -> Price | None:
    prices = [price for price in map(_of, _candidates(model)) if price is not None]
    return max(prices, key=lambda price: (price.output, price.input), default=None)


def _by_time_of_day(model: ModelInfo) -> bool:
    from genai_prices.types import TimeOfDateConstraint  # noqa: PLC0415

    conditional = model.prices if isinstance(model.prices, list) else []
    return any(isinstance(one.constraint, TimeOfDateConstraint) for one in conditional)


def _candidates(model: ModelInfo) -> Iterator[ModelPrice]:
    """The latest price, and all that hold at some time of the day."""
    from genai_prices.types import StartDateConstraint, TimeOfDateConstraint  # noqa: PLC0415

    if not isinstance(model.prices, list):
        yield model.prices
        return
    latest: ModelPrice | None = None
    for conditional in model.prices:
        if isinstance(conditional.constraint, TimeOfDateConstraint):
            yield conditional.prices
        elif conditional.constraint is None or isinstance(conditional.constraint, StartDateConstraint):
            latest = conditional.prices  # the list is in the order of time
    if latest is not None:
        yield latest


def _of(prices: ModelPrice) -> Price | None:
    base: dict[str, float] = {}
    starts: set[int] = set()
    for name, field in _FIELDS.items():
        value = getattr(prices, field, None)
        if value is None:
            continue
        base[name] = float(getattr(value, "base", value))
        starts.update(tier.start for tier in getattr(value, "tiers", ()))
    if "input" not in base and "output" not in base:
        return None
    base = {"input": 0.0, "output": 0.0} | base
    above = {
        start: _price_of({name: _at(getattr(prices, _FIELDS[name], None) or value, start) for name, value in base.items()})
        for start in sorted(starts)
    }
    return replace(_price_of(base), above=above)


def _price_of(values: Mapping[str, float]) -> Price:
    return Price(
        input=values["input"],
        output=values["output"],
        cached_input=values.get("cached_input"),
        cache_write=values.get("cache_write"),
    )


def _at(value: Any, start: int) -> float:
    """A price for requests that are longer than `start`."""
    price = getattr(value, "base", value)
    for tier in getattr(value, "tiers", ()):
        if tier.start <= start:
            price = tier.price
    return float(price)
