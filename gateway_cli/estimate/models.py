"""The options `--model` and `--price`: which models answer, and what their tokens cost."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from gateway_cli.errors import MISTAKEN, CommandError
from gateway_cli.estimate.inference import ModelShare
from gateway_cli.smoke.presets import PRESETS
from gateway_prices.models import list_price
from lambda_runtime.config import GatewayConfig, UpstreamConfig
from lambda_runtime.config.prices import Price

DEFAULT_MODEL = "openai/gpt-4.1"
UNNAMED = "your model"

_PRICED = re.compile(r"(?:(?P<model>.+):)?(?P<price>(?:in|out|cached)=[^:]*)")
_FIELDS = {"in", "out", "cached"}
_TOLERANCE = 1e-6


def price_list() -> str:
    """The list that prices of models are from, with its version."""
    return f"genai-prices {version('genai-prices')}"


def parse_price(option: str, text: str) -> Price:
    """A price as it is typed: `in=2,out=8`, USD per million tokens; `cached=0.5` for input that a prompt cache held.

    Args:
        option: that it was given to, for the message.
        text: what was typed.

    Raises:
        CommandError: if it is none.
    """
    try:
        parts = {name: float(value) for name, value in (part.split("=") for part in text.replace(" ", "").split(","))}
        if parts.keys() <= _FIELDS:
            return Price(input=parts["in"], output=parts["out"], cached_input=parts.get("cached"))
    except (KeyError, ValueError):
        pass
    raise CommandError(
        f"{option}: a price is USD per million tokens of input and output, as in in=2,out=8 or in=2,out=8,cached=0.5; "
        f"got {text!r}",
        status=MISTAKEN,
    )


def parse_models(models: Sequence[str], prices: Sequence[str], config: GatewayConfig | None = None) -> list[ModelShare]:
    """The models that the options name, with their shares and prices.

    Args:
        models: values of `--model`.
        prices: values of `--price`.
        config: of the gateway whose upstreams and prices are meant. Default: well-known providers are.

    Raises:
        CommandError: if one is malformed, shares do not make up the whole, or a price is not known.
    """
    given = _prices(prices)
    if not models:
        models = [UNNAMED] if None in given else [DEFAULT_MODEL]
    shares = _shares(models)
    strangers = [name for name in given if name is not None and name not in shares]
    if strangers:
        raise CommandError(
            f"--price: {strangers[0]!r} is none of the models; name it with --model {strangers[0]}", status=MISTAKEN
        )
    return [_model(name, share, given, config) for name, share in shares.items()]


def _prices(texts: Sequence[str]) -> dict[str | None, Price]:
    """By the model; None stands for all that have none of their own."""
    found: dict[str | None, Price] = {}
    for text in texts:
        match = _PRICED.fullmatch(text)
        found[match["model"] if match else None] = parse_price("--price", match["price"] if match else text)
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
    upstreams: Mapping[str, UpstreamConfig] = {one.name: one for one in config.upstreams} if config else PRESETS
    if config is not None and (configured := config.price(upstream_name, model)) is not None:
        return ModelShare(name=name, share=share, price=configured, source="the gateway's configuration")
    state = f"say what it costs, with --price {name}:in=2,out=8 (USD per million tokens)"
    upstream = upstreams.get(upstream_name)
    if upstream is None:
        raise CommandError(
            f"--model: the upstream {upstream_name!r} is not known; known are {', '.join(upstreams)}; or {state}",
            status=MISTAKEN,
        )
    found = list_price(upstream.endpoints[0].base_url, model)
    if found is None:
        raise CommandError(f"--model: {price_list()} has no price for {name!r}; {state}", status=MISTAKEN)
    return ModelShare(name=name, share=share, price=found, source=price_list())
