"""The models that a request names beside `model`: an advisor's, an image tool's, those to fall back to.

They go to the upstream as they are, by its own names, and it runs and charges them. So they are judged as `model` is, where
that is judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from lambda_runtime.config import GatewayConfig
from lambda_runtime.errors import ModelNotAllowedError, ModelNotFoundError
from lambda_runtime.log import bounded
from lambda_runtime.request_body import Body

_MODEL = "model"


class Named(NamedTuple):
    """A model that a request names.

    Args:
        field: where, for example `tools[0].model`.
        model: the upstream's name of it.
    """

    field: str
    model: str


def other_models(body: Body) -> Iterator[Named]:
    """What a body names beside `model`, in tools and in lists of models to fall back to.

    Args:
        body: the request's.

    Raises:
        ModelNotAllowedError: if it leaves the choice to the upstream.
    """
    for place, value in body.naming:
        if isinstance(value, str):  # Anthropic's `"fallbacks": "default"`
            message = f"{place}: {bounded(value)!r} has the upstream choose the model; name the models"
            raise ModelNotAllowedError(message, param=place)
        for number, entry in enumerate(value if isinstance(value, list) else ()):
            field = f"{place}[{number}]"
            if isinstance(entry, str):
                yield Named(field, entry)
            elif isinstance(entry, dict):
                yield from _of(entry, field)
                # As OpenAI's image tool has it for SVG. Deeper there are schemas, which say what the model may answer.
                for name, inner in entry.items():
                    if isinstance(inner, dict):
                        yield from _of(inner, f"{field}.{bounded(name)}")


def served_as(config: GatewayConfig, model: str) -> list[str]:
    """The names by which clients ask for what an upstream knows by a name.

    Args:
        config: the gateway's.
        model: the upstream's name of it.
    """
    names = [name for name, route in config.models.items() if any(target.model == model for target in route.ordered)]
    return [*names, model] if config.serve_unmapped_models and model not in config.models else names


def require_mapped(config: GatewayConfig, body: Body) -> None:
    """See to it that a body names no other models than the map's.

    Args:
        config: the gateway's.
        body: the request's.

    Raises:
        ModelNotFoundError: if it does.
        ModelNotAllowedError: if it leaves the choice to the upstream.
    """
    for field, model in other_models(body):
        if not served_as(config, model):
            message = f"{field}: the model {bounded(model)!r} does not exist; it must be what a mapped model is to its upstream"
            raise ModelNotFoundError(message, param=field)


def _of(entry: dict[str, Any], field: str) -> Iterator[Named]:
    # In any case, as upstreams may read it.
    for name, value in entry.items():
        if isinstance(value, str) and name.casefold() == _MODEL:
            yield Named(f"{field}.{bounded(name)}", value)
