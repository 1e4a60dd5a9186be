"""The options `--model` and `--price`: which models answer, and what their tokens cost."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from gateway_cli.errors import MISTAKEN, CommandError
from gateway_cli.estimate.inference import ModelShare
from gateway_cli.smoke.presets import PRESETS
from gateway_prices.models import differs_by_time_of_day, list_price
from gateway_prices.traffic import Traffic
from lambda_runtime.config import GatewayConfig, UpstreamConfig
from lambda_runtime.config.prices import Price

DEFAULT_MODEL = "openai/gpt-4.1"
UNNAMED = "your model"

_PRICED = re.compile(r"(?:(?P<model>.+):)?(?P<price>(?:in|out|cached|write)=[^:]*)")
_FIELDS = {"in": "input", "out": "output", "cached": "cached_input", "write": "cache_write"}
_TOLERANCE = 1e-6


def price_list() -> str:
    """The list that prices of models are from, with its version."""
    return f"genai-prices {version('genai-prices')}"


def parse_price(option: str, text: str, traffic: Traffic) -> Price:
    """A price as it is typed: `in=2,out=8`, USD per million tokens; `cached=0.5` and `write=2.5` for a prompt cache.

    Args:
        option: that it was given to, for the message.
        text: what was typed.
        traffic: that is charged by it.

    Raises:
        CommandError: if it is none, or does not say what the traffic's cached input costs.
    """
    price = _price(text)
    if price is None:
        raise CommandError(
            f"{option}: a price is USD per million tokens of input and output, as in in=2,out=8 or "
            f"in=2,out=8,cached=0.5,write=2.5, each of them once; got {text!r}",
            status=MISTAKEN,
        )
    for share_option, share, field, usd in (
        ("--cached-share", traffic.cached_share, "cached", price.cached_input),
        ("--cache-write-share", traffic.cache_write_share, "write", price.cache_write),
    ):
        if share and usd is None:
            raise CommandError(
                f"{option}: {share_option} is {share:g}, and what that costs is not said; say {field}=USD, or "
                f"{field}={price.input:g} if it costs as much as other input; got {text!r}",
                status=MISTAKEN,
            )
    return price


def _price(text: str) -> Price | None:
    try:
        parts = [(name, float(value)) for name, value in (part.split("=") for part in text.replace(" ", "").split(","))]
        found: dict[str, Any] = {_FIELDS[name]: value for name, value in parts}
        return Price(**found) if len(found) == len(parts) else None
    except (KeyError, TypeError, ValueError):
        return None


def parse_models(
    models: Sequence[str], prices: Sequence[str], traffic: Traffic, config: GatewayConfig | None = None
) -> list[ModelShare]:
    """The models that the options name, with their shares and prices.

    Args:
        models: values of `--model`.
        prices: values of `--price`.
        traffic: that they answer.
        config: of the gateway whose models, upstreams and prices are meant. Default: well-known providers are.

    Raises:
        CommandError: if one is malformed, shares do not make up the whole, or a price is not known.
    """
    given = _prices(prices, traffic)
    shares = _shares(models) if models else _unnamed(given, config)
    strangers = [name for name in given if name is not None and name not in shares]
    if strangers:
        raise CommandError(
            f"--price: {strangers[0]!r} is none of the models; name it with --model {strangers[0]}", status=MISTAKEN
        )
    if None in given and all(name in given for name in shares):
        raise CommandError(
            "--price: each model has a price of its own, so that the one without a name is nobody's; leave it out, or name its "
            "model with --model",
            status=MISTAKEN,
        )
    return [_model(name, share, given, config) for name, share in shares.items()]


def _unnamed(given: Mapping[str | None, Price], config: GatewayConfig | None) -> dict[str, float]:
    """Whichever models are meant where none is named: those with a price, else the gateway's own."""
    named = [name for name in given if name is not None]
    if named:
        return dict.fromkeys(named, 1 / len(named))
    if None in given:
        return {UNNAMED: 1.0}
    if config is None:
        return {DEFAULT_MODEL: 1.0}
    targets = [target for route in config.models.values() for target in route.ordered]
    for target in targets:
        if _known(target.upstream, target.model, config) is not None:
            return {target.name: 1.0}
    example = targets[0].name if targets else DEFAULT_MODEL
    raise CommandError(
        "--model: the gateway's model map names no model with a known price; name one that it serves, as in "
        f"--model {example}, and what it costs, as in --price {example}:in=2,out=8 (USD per million tokens)",
        status=MISTAKEN,
    )


def _prices(texts: Sequence[str], traffic: Traffic) -> dict[str | None, Price]:
    """By the model; None stands for all that have none of their own."""
    found: dict[str | None, Price] = {}
    for text in texts:
        match = _PRICED.fullmatch(text)
        name = match["model"] if match else None
        if name in found:
            priced = "all models have" if name is None else f"{name!r} has"
            raise CommandError(f"--price: {priced} a price already; got {text!r}, leave one of the two out", status=MISTAKEN)
        found[name] = parse_price("--price", match["price"] if match else text, traffic)
    return found


def _shares(models: Sequence[str]) -> dict[str, float]:
    named: dict[str, float | None] = {}
    for text in models:
        name, equals, share = text.rpartition("=") if "=" in text else (text, "", "")
        if name in named:
            raise CommandError(f"--model: {name!r} is given twice; give it once, with its whole share", status=MISTAKEN)
        named[name] = _share(text, share) if equals else None
    if all(share is None for share in named.values()):
        return dict.fromkeys(named, 1 / len(named))
    missing = [name for name, share in named.items() if share is None]
    if missing:
        raise CommandError(f"--model: {missing[0]!r} has no share, as the others have; write {missing[0]}=0.5", status=MISTAKEN)
    shares = {name: share for name, share in named.items() if share is not None}
    whole = math.fsum(shares.values())
    if abs(whole - 1) > _TOLERANCE:
        raise CommandError(f"--model: the shares must add up to 1, got {whole:g}", status=MISTAKEN)
    return shares


def _share(text: str, share: str) -> float:
    try:
        value = float(share)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise CommandError(f"--model: a share is a number from 0 to 1, as in openai/gpt-4.1=0.7; got {text!r}", status=MISTAKEN)
    return value


def _model(name: str, share: float, given: Mapping[str | None, Price], config: GatewayConfig | None) -> ModelShare:
    own = given.get(name) or given.get(None)
    if own is not None:
        return ModelShare(name=name, share=share, price=own, source="--price")
    upstream_name, slash, model = name.partition("/")
    if not (upstream_name and slash and model):
        raise CommandError(f"--model: name upstream and model, as in {DEFAULT_MODEL}; got {name!r}", status=MISTAKEN)
    known = _known(upstream_name, model, config)
    if known is not None:
        price, source = known
        return ModelShare(name=name, share=share, price=price, source=source)
    state = f"say what it costs, with --price {name}:in=2,out=8 (USD per million tokens)"
    upstreams = _upstreams(config)
    if upstream_name not in upstreams:
        raise CommandError(
            f"--model: the upstream {upstream_name!r} is not known; known are {', '.join(upstreams)}; or {state}",
            status=MISTAKEN,
        )
    raise CommandError(f"--model: {price_list()} has no price for {name!r}; {state}", status=MISTAKEN)


def _known(upstream: str, model: str, config: GatewayConfig | None) -> tuple[Price, str] | None:
    """What a model costs by the gateway's configuration, or else by the list, and which of them says so."""
    if config is not None and (configured := config.price(upstream, model)) is not None:
        return configured, "the gateway's configuration"
    upstreams = _upstreams(config)
    for endpoint in upstreams[upstream].endpoints if upstream in upstreams else ():
        listed = list_price(endpoint.base_url, model)
        if listed is not None:
            dearest = ", dearest of the day" if differs_by_time_of_day(endpoint.base_url, model) else ""
            return listed, price_list() + dearest
    return None


def _upstreams(config: GatewayConfig | None) -> Mapping[str, UpstreamConfig]:
    return {one.name: one for one in config.upstreams} if config else PRESETS
