"""Answers what models there are: what the upstreams list, and the names of the model map."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import httpx

from lambda_runtime import log, models_shape
from lambda_runtime.config import GatewayConfig, UpstreamConfig, WireFormat
from lambda_runtime.credentials import Credentials
from lambda_runtime.errors import DeadlineError, GatewayError, ModelNotFoundError, UpstreamError
from lambda_runtime.exchange import Exchange
from lambda_runtime.invocation import Invocation
from lambda_runtime.models_shape import Model
from lambda_runtime.models_source import ModelsSource
from lambda_runtime.routes import Listing, Route

_FAILURE_PAUSE = 10.0
"""Seconds for which an upstream that could not list its models is not asked again."""


class ModelsList:
    """The gateway's models.

    Args:
        config: the gateway's.
        transport: sends requests to upstreams.
        credentials: the upstreams' keys.
    """

    def __init__(self, config: GatewayConfig, transport: httpx.BaseTransport, credentials: Credentials) -> None:
        self._config = config
        self._source = ModelsSource(transport, credentials, config.timeouts)
        self._cache: dict[str, tuple[float, float, list[Model] | None]] = {}  # upstream's name: (asked at, kept for, models)

    def cached_names(self) -> list[str]:
        """The listed models' names as far as they are known. Asks nobody."""
        return [model["id"] for *_, models in self._cache.values() for model in models or ()]

    def answer(self, exchange: Exchange, route: Route, allows: Callable[[str], bool] | None = None) -> None:
        """Answer `GET /v1/models` and `GET /v1/models/{id}` in the shape of the asking SDK.

        Args:
            exchange: the request.
            route: what is asked.
            allows: which models the consumer may know of. Default: all.

        Raises:
            ModelNotFoundError: if the model does not exist.
            UpstreamError: if no upstream can be asked and no model is mapped.
            DeadlineError: if our own time is up.
        """
        models = self._models(exchange.invocation)
        if allows is not None:
            models = {name: model for name, model in models.items() if allows(name)}
        anthropic = route.wire_format is WireFormat.ANTHROPIC
        if route.target is Listing.ONE:
            model = _find(models, exchange.event)
            exchange.record.model = model["id"]
            document = models_shape.anthropic_model(model) if anthropic else models_shape.openai_model(model)
        elif anthropic:
            document = models_shape.anthropic_page(models, exchange.event.get("queryStringParameters") or {})
        else:
            document = {"object": "list", "data": [models_shape.openai_model(model) for model in models.values()]}
        exchange.record.saw_first_byte()
        exchange.own_answer(200, json.dumps(document, separators=(",", ":")).encode(), [])

    def _models(self, invocation: Invocation) -> dict[str, Model]:
        """All models by id: the map's first, as the configuration orders them, then the upstreams', in their order."""
        if not self._config.serve_unmapped_models:  # what is not in the map is not served, so that it is not listed either
            return {name: {"id": name, "owned_by": route.ordered[0].upstream} for name, route in self._config.models.items()}
        listed = {upstream.name: self._listed(upstream, invocation) for upstream in self._config.upstreams}
        models: dict[str, Model] = {}
        for name, route in self._config.models.items():
            known = (m for t in route.ordered for m in listed[t.upstream] or () if m["id"] == t.model)
            models[name] = {"owned_by": route.ordered[0].upstream, **next(known, {}), "id": name}
            models[name].pop("display_name", None)  # it is the other model's
        for found in listed.values():
            for model in found or ():
                models.setdefault(model["id"], model)
        if not models and all(found is None for found in listed.values()):
            raise UpstreamError("no upstream could list its models", code="upstream_models_unavailable")
        return models

    def _listed(self, upstream: UpstreamConfig, invocation: Invocation) -> list[Model] | None:
        """What an upstream lists, from the cache or fresh; the last known list if it fails; None if there is none."""
        # Not the monotonic clock, which stands still while Lambda has the instance frozen.
        asked_at, kept_for, known = self._cache.get(upstream.name, (0.0, 0.0, None))
        if 0 <= time.time() - asked_at < kept_for:
            return known
        try:
            models = [{"owned_by": upstream.name, **model} for model in self._source.fetch(upstream, invocation)]
        except DeadlineError:
            raise
        except GatewayError as error:
            log.warning(f"{error.message}; its models are missing from the list or out of date", upstream=upstream.name)
            self._cache[upstream.name] = (time.time(), min(_FAILURE_PAUSE, self._config.model_list_ttl), known)
            return known
        self._cache[upstream.name] = (time.time(), self._config.model_list_ttl, models)
        return models


def _find(models: Mapping[str, Model], event: Mapping[str, Any]) -> Model:
    asked = str((event.get("pathParameters") or {}).get("id") or "")
    for name in (asked, unquote(asked)):  # a slash in a name arrives as it is or encoded, depending on the SDK
        if name in models:
            return models[name]
    raise ModelNotFoundError(f"the model {log.bounded(unquote(asked))!r} does not exist; GET /v1/models lists those that do")
