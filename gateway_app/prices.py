"""Prices in the context block: what tokens cost where no list says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway_app.json_value import ContextError, JsonValue, blamed_on, nearest
from gateway_construct import Price

_OPTIONAL = ("cached_input", "cache_write")


def read_prices(value: JsonValue) -> dict[str, Price]:
    """Read prices by `upstream/model` or `upstream/*`.

    Raises:
        ContextError: at the first thing that is wrong.
    """
    return {name: _price(price, tiers=True) for name, price in value.members().items()}


def require_priced_upstreams_exist(prices: JsonValue, upstreams: tuple[str, ...]) -> None:
    """Check whose prices they are.

    Args:
        prices: what `read_prices` has read.
        upstreams: names of those that are configured.

    Raises:
        ContextError: if one is of an upstream that is not.
    """
    for name, price in prices.members().items():
        upstream, _, model = name.partition("/")
        if not model:
            raise ContextError(f"{price.path}: a price is for 'upstream/model' or 'upstream/*', got {name!r}")
        if upstream not in upstreams:
            raise ContextError(f"{price.path} is of an upstream that is not configured; {nearest(upstream, upstreams)}")


def _price(value: JsonValue, *, tiers: bool) -> Price:
    given = value.fields("input", "output", *_OPTIONAL, *(("above",) if tiers else ()), required=("input", "output"))
    props: dict[str, Any] = {name: number.amount() for name, number in given.items() if name != "above"}
    if "above" in given:
        props["above"] = _above(given["above"])
    with blamed_on(value.path):
        return Price(**props)


def _above(value: JsonValue) -> Mapping[int, Price]:
    found: dict[int, Price] = {}
    for tokens, price in value.members().items():
        if not tokens.isdecimal():
            raise ContextError(f'{price.path}: above what number of input tokens? got {tokens!r}; for example "200000"')
        if int(tokens) in found:
            raise ContextError(f"{price.path}: {int(tokens):,} input tokens have a price already; leave one of the two out")
        found[int(tokens)] = _price(price, tiers=False)
    return found
