"""What the tokens of the configured models cost: what the user states, and for all else the providers' list prices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from aws_cdk import Token

from gateway_prices.models import list_price
from lambda_runtime.config import ModelRoute, Target, UpstreamConfig
from lambda_runtime.config.prices import ANY_MODEL, Price


def model_prices(
    stated: Mapping[str, Price] | None,
    *,
    upstreams: Sequence[UpstreamConfig],
    models: Mapping[str, ModelRoute],
    serve_unmapped_models: bool,
) -> dict[str, Price]:
    """The prices that travel with the function: of what the model map names, and no more.

    Args:
        stated: the user's, by `upstream/model` or `upstream/*`.
        upstreams: the gateway's.
        models: its model map.
        serve_unmapped_models: whether it serves other models, too.

    Returns:
        By `upstream/model` or `upstream/*`. What neither the user nor a list says is left out.

    Raises:
        ValueError: if a price is none, is for nothing that can be asked, or is known at deployment only.
    """
    prices = dict(stated or {})
    targets = {target.name: target for target in _targets(models)}
    for name, price in prices.items():
        if not isinstance(name, str):
            raise ValueError(f"prices: a price is for 'upstream/model' or 'upstream/*', got {name!r}")  # noqa: TRY004
        if Token.is_unresolved(name):
            raise ValueError(
                "prices must be known at synth, got a token; they are part of the function's code, so write it out"
            )
        if not isinstance(price, Price):
            raise ValueError(  # noqa: TRY004  as every other mistake in a prop
                f"prices: {name!r} must have a Price, got {price!r}; write Price(input=2, output=8), in USD per million tokens"
            )
        if not serve_unmapped_models and not name.endswith(f"/{ANY_MODEL}") and name not in targets:
            raise ValueError(
                f"prices: {name!r} is a target of no model, and serve_unmapped_models=False, so that it is never asked; "
                f"targets: {', '.join(targets)}"
            )
    by_name = {upstream.name: upstream for upstream in upstreams}
    for name, target in targets.items():
        # What the user says of all models of an upstream is said of this one, too.
        if name in prices or f"{target.upstream}/{ANY_MODEL}" in prices or target.upstream not in by_name:
            continue
        listed = _listed(by_name[target.upstream], target.model)
        if listed is not None:
            prices[name] = listed
    return prices


def _targets(models: Mapping[str, ModelRoute]) -> Iterator[Target]:
    for route in models.values():
        yield from route.ordered


def _listed(upstream: UpstreamConfig, model: str) -> Price | None:
    prices = (list_price(endpoint.base_url, model) for endpoint in upstream.endpoints)
    return next((price for price in prices if price is not None), None)
