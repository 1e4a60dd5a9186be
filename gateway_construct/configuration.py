"""From props to the configuration that travels with the function."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from aws_cdk import Duration, Token

from gateway_construct.hooks import MODULE
from gateway_construct.model_prices import model_prices
from gateway_construct.upstream import Upstream
from lambda_runtime.config import GatewayConfig, ModelRoute, Target, Timeouts
from lambda_runtime.config.prices import Price

# Of these characters only: origins are written into quoted mapping expressions and templates of API Gateway.
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[A-Za-z0-9.\[\]:_-]+")
_MODEL_LIST_TTL = Duration.minutes(5)


def require_flags(**flags: bool) -> None:
    """Refuse what is neither True nor False: any text counts as true to Python, "no" too.

    Raises:
        ValueError: if one is not.
    """
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise ValueError(f"{name} must be True or False, got {value!r}")  # noqa: TRY004  as every other mistake in a prop


def gateway_config(
    *,
    upstreams: Sequence[Upstream],
    models: Mapping[str, Sequence[str | Target] | ModelRoute] | None,
    serve_unmapped_models: bool,
    timeouts: Timeouts | None,
    client_delivery: bool,
    model_list_ttl: Duration | None,
    cors_allow_origins: Sequence[str],
    prices: Mapping[str, Price] | None = None,
    hooks: bool = False,
) -> GatewayConfig:
    """Validate the props and put the configuration together.

    Raises:
        ValueError: if the props do not fit together, or one is a token: the configuration is part of the function's code.
    """
    if isinstance(cors_allow_origins, str):
        raise ValueError(  # noqa: TRY004  as every other mistake in a prop
            f"cors_allow_origins must be a list of origins, got the string {cors_allow_origins!r}; "
            f"write [{cors_allow_origins!r}]",
        )
    for origin in cors_allow_origins:
        _require_known("cors_allow_origins", origin)
        _require_origin(origin, alone=len(cors_allow_origins) == 1)
    model_map = _model_map(models or {}, upstreams)
    if not model_map and not serve_unmapped_models:
        raise ValueError(
            "serve_unmapped_models=False needs a model map, since every model would be answered with 404; "
            "add entries to models",
        )
    ttl = model_list_ttl or _MODEL_LIST_TTL
    if ttl.is_unresolved():
        raise ValueError("model_list_ttl must be known at synth, got a token; write it out, for example Duration.minutes(5)")
    configs = tuple(upstream.config for upstream in upstreams)
    return GatewayConfig(
        upstreams=configs,
        models=model_map,
        serve_unmapped_models=serve_unmapped_models,
        cors_allow_origins=tuple(cors_allow_origins),
        model_list_ttl=ttl.to_seconds(integral=False),
        timeouts=timeouts or Timeouts(),
        client_delivery=client_delivery,
        hooks=MODULE if hooks else None,
        prices=model_prices(prices, upstreams=configs, models=model_map, serve_unmapped_models=serve_unmapped_models),
    )


def _model_map(
    models: Mapping[str, Sequence[str | Target] | ModelRoute], upstreams: Sequence[Upstream]
) -> dict[str, ModelRoute]:
    routes: dict[str, ModelRoute] = {}
    for model, given in models.items():
        _require_known("models", model)
        route = _route(model, given)
        for target in route.ordered:
            _require_known(f"models: {model!r}", target.name)
        routes[model] = route
    for upstream in upstreams:
        for model, served in upstream.example_models.items():
            routes.setdefault(model, ModelRoute([f"{upstream.name}/{served}"]))
    return routes


def _route(model: str, given: Sequence[str | Target] | ModelRoute) -> ModelRoute:
    if isinstance(given, ModelRoute):
        return given
    if isinstance(given, Target):
        raise ValueError(f"models: {model!r}: targets must be a list, got one target; write [{given!r}]")  # noqa: TRY004
    try:
        return ModelRoute(given)
    except ValueError as error:
        raise ValueError(f"models: {model!r}: {error}") from error


def _require_known(what: str, value: str) -> None:
    if Token.is_unresolved(value):
        raise ValueError(f"{what} must be known at synth, got a token; it is part of the function's code, so write it out")


def _require_origin(origin: str, *, alone: bool) -> None:
    if origin == "*":
        if not alone:
            raise ValueError("cors_allow_origins: '*' stands for every origin, so it must be the only one")
    elif not _ORIGIN.fullmatch(origin):
        raise ValueError(
            f"cors_allow_origins: an origin is scheme and host, for example 'https://app.example.com', got {origin!r}",
        )
