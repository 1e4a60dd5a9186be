"""What a model's tokens cost, and what an answer therefore cost. An estimate: the provider's invoice says what is owed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lambda_runtime.config.timeouts import is_number

NANO = 1_000_000_000
"""Costs are counted in billionths of a USD, in whole numbers: a table adds those without rounding."""

MOST = 1_000_000
"""USD per million tokens at most: a USD a token. What is higher was meant in another unit."""

_PER_MILLION = 1_000
"""Billionths of a USD a token for each USD a million tokens."""

ANY_MODEL = "*"
"""Stands for all models of an upstream that have no price of their own: `upstream/*`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """What a model's tokens cost, in USD per million tokens.

    Args:
        input: for tokens of the input that no prompt cache held.
        output: for tokens of the output, what was thought included.
        cached_input: for tokens that were read from a prompt cache. Default: as `input`.
        cache_write: for tokens that were written to one. Default: as `input`.
        above: other prices for the whole of a request whose input, what a cache held included, is longer than so many tokens,
            for example `{200_000: Price(input=6, output=22.5)}`. Default: none.

    Raises:
        ValueError: if a price is no number, negative or higher than `MOST`, or `above` is no number of tokens, or a price in it
            has further ones.
    """

    input: float
    output: float
    cached_input: float | None = None
    cache_write: float | None = None
    above: Mapping[int, Price] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("input", "output", "cached_input", "cache_write"):
            value = getattr(self, name)
            optional = value is None and name.startswith("cache")
            if not optional and not (is_number(value) and 0 <= value <= MOST):
                raise ValueError(
                    f"price: {name} must be USD per million tokens, from 0 to {MOST:,}, for example 2.5, got {value!r}"
                )
        for tokens, price in self.above.items():
            if isinstance(tokens, bool) or not isinstance(tokens, int) or tokens < 1:
                raise ValueError(f"price: above must name a number of input tokens, for example 200_000, got {tokens!r}")
            if not isinstance(price, Price):
                raise ValueError(f"price: above must give a Price for {tokens}, got {price!r}")  # noqa: TRY004
            if price.above:
                raise ValueError(f"price: the price above {tokens} tokens has an `above` of its own; name all in one")

    def reached(self, input_tokens: float) -> int:
        """The longest of the lengths in `above` that a request with so much input exceeds; 0 if it exceeds none."""
        return max((tokens for tokens in self.above if input_tokens > tokens), default=0)

    def at(self, input_tokens: float) -> Price:
        """What the tokens of a request with so much input cost."""
        return self.above.get(self.reached(input_tokens), self)

    def cost(self, *, input_tokens: int, output_tokens: int, cached_tokens: int = 0, cache_write_tokens: int = 0) -> int:
        """What an answer cost.

        Args:
            input_tokens: all of the input, what a prompt cache held included.
            output_tokens: all of the output.
            cached_tokens: the part of the input that was read from a prompt cache. Default: 0.
            cache_write_tokens: the part of the input that was written to one. Default: 0.

        Returns:
            Billionths of a USD, rounded to the nearest.
        """
        price = self.at(input_tokens)
        cached = price.input if price.cached_input is None else price.cached_input
        stored = price.input if price.cache_write is None else price.cache_write
        fresh = max(0, input_tokens - cached_tokens - cache_write_tokens)
        usd_millionths = (
            fresh * price.input + cached_tokens * cached + cache_write_tokens * stored + output_tokens * price.output
        )
        return round(usd_millionths * _PER_MILLION)


def price_document(price: Price) -> dict[str, Any]:
    """A price as JSON holds it; what is not given is left out."""
    document: dict[str, Any] = {"input": price.input, "output": price.output}
    if price.cached_input is not None:
        document["cached_input"] = price.cached_input
    if price.cache_write is not None:
        document["cache_write"] = price.cache_write
    if price.above:
        document["above"] = {str(tokens): price_document(price.above[tokens]) for tokens in sorted(price.above)}
    return document


def read_price(document: Mapping[str, Any]) -> Price:
    """Read what `price_document` made."""
    above = {int(tokens): read_price(price) for tokens, price in document.get("above", {}).items()}
    return Price(**{**document, "above": above})
