"""Everything that the runtime needs to know and that is known at synth, and the JSON in which it travels.

It travels as `gateway.json` inside the function asset, so that a change of it is a new function version. What is known only
after deployment (the secrets' ARNs, the table's name) travels in environment variables.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from lambda_runtime.config.formats import AuthStyle, Operation
from lambda_runtime.config.models import ModelRoute, Target
from lambda_runtime.config.timeouts import Timeouts
from lambda_runtime.config.upstreams import Endpoint, UpstreamConfig

if TYPE_CHECKING:
    from lambda_runtime.config.federation import Federation
    from lambda_runtime.config.prices import Price

CONFIG_FILE = "gateway.json"
"""Name of the configuration file at the root of the function asset."""

METRICS_NAMESPACE = "AiGateway"
"""CloudWatch namespace of what the runtime writes and the construct's metrics read."""

PLACEHOLDER_FIELD = "placeholder"
"""Field of a secret's JSON object that, when true, says that there is no key yet. Written by the construct."""

TABLE_VARIABLE = "AI_GATEWAY_TABLE"
"""Environment variable with the name of the table that holds breaker states and usage. Not set: the gateway has none."""

LIMITS_VARIABLE = "AI_GATEWAY_CONSUMER_LIMITS"
"""Environment variable: `1` if consumers may have limits, which the function then reads from its table."""

HOOKS_DIRECTORY = "hooks"
"""Directory of the function asset that holds the user's hook module, and is put on the module search path."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GatewayConfig:
    """Everything the runtime needs to know that is known at synth.

    Args:
        upstreams: in order of preference: a model that no entry of `models` names goes to the first that serves the operation.
        models: requested model name to what serves it.
        serve_unmapped_models: whether a model that `models` does not name is passed on under its own name. If not, it is a 404.
        cors_allow_origins: origins that browsers may call from; `*` for any, empty for none.
        model_list_ttl: seconds for which an instance keeps what upstreams list as their models.
        timeouts: how long the gateway waits.
        client_delivery: whether a client may ask for delivery as a whole by the header `x-ai-gateway-delivery: whole`.
        hooks: name of the module in `HOOKS_DIRECTORY` whose `before_request` and `after_response` are called. None: none.
        prices: what tokens cost, by `upstream/model`, or `upstream/*` for its models that have no price of their own.

    Raises:
        ValueError: if there is no upstream, two have one name, or the model map or a price names an unknown upstream.
    """

    upstreams: tuple[UpstreamConfig, ...]
    models: Mapping[str, ModelRoute] = field(default_factory=dict)
    serve_unmapped_models: bool = True
    cors_allow_origins: tuple[str, ...] = ("*",)
    model_list_ttl: float = 300.0
    timeouts: Timeouts = field(default_factory=Timeouts)
    client_delivery: bool = False
    hooks: str | None = None
    prices: Mapping[str, Price] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.upstreams:
            raise ValueError("upstreams must not be empty; give at least one, for example Upstream.openai()")
        names = [upstream.name for upstream in self.upstreams]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"upstream {name!r} is given twice; give each its own name, for example name={name + '-2'!r}")
        for model, route in self.models.items():
            if not model:
                raise ValueError("models: a model name must not be empty")
            for target in route.ordered:
                if target.upstream not in names:
                    raise ValueError(
                        f"models: {model!r} names the upstream {target.upstream!r}, which does not exist; "
                        f"upstreams: {', '.join(names)}"
                    )
        for priced in self.prices:
            upstream, _, named = priced.partition("/")
            if upstream not in names or not named:
                raise ValueError(
                    f"prices: a price is for 'upstream/model' or 'upstream/*', got {priced!r}; upstreams: {', '.join(names)}"
                )

    def price(self, upstream: str, model: str) -> Price | None:
        """What a model's tokens cost; None if nobody has said so.

        Args:
            upstream: the upstream's name.
            model: its own name of the model.
        """
        return self.prices.get(f"{upstream}/{model}") or self.prices.get(f"{upstream}/*")

    def upstream(self, name: str) -> UpstreamConfig:
        """The upstream of that name.

        Raises:
            KeyError: if there is none.
        """
        for upstream in self.upstreams:
            if upstream.name == name:
                return upstream
        raise KeyError(name)

    def to_json(self) -> str:
        """The canonical text of the configuration: the same for equal configurations. The model map's order is kept sorted."""
        document = {
            "upstreams": [
                {
                    "name": upstream.name,
                    "secret_field": upstream.secret_field,
                    "endpoints": [
                        {"base_url": e.base_url, "auth": e.auth.value, "operations": [o.value for o in e.operations]}
                        for e in upstream.endpoints
                    ],
                    "model_prefixes": list(upstream.model_prefixes),
                    "stream_usage": upstream.stream_usage,
                    "federation": upstream.federation and _federation_document(upstream.federation),
                }
                for upstream in self.upstreams
            ],
            "models": {
                model: {
                    "targets": [asdict(target) for target in route.ordered],
                    "delivery": str(route.delivery),
                    "first_content": route.first_content,
                }
                for model, route in sorted(self.models.items())
            },
            "serve_unmapped_models": self.serve_unmapped_models,
            "cors_allow_origins": list(self.cors_allow_origins),
            "model_list_ttl": self.model_list_ttl,
            "timeouts": asdict(self.timeouts),
            "client_delivery": self.client_delivery,
            "hooks": self.hooks,
            "prices": _price_documents(self.prices),
        }
        return json.dumps(document, indent=1, ensure_ascii=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> GatewayConfig:
        """Read what `to_json` wrote."""
        data: dict[str, Any] = json.loads(text)
        return cls(
            **data
            | {
                "upstreams": tuple(
                    UpstreamConfig(
                        **upstream
                        | {
                            "endpoints": tuple(
                                Endpoint(
                                    base_url=endpoint["base_url"],
                                    auth=AuthStyle(endpoint["auth"]),
                                    operations=tuple(map(Operation, endpoint["operations"])),
                                )
                                for endpoint in upstream["endpoints"]
                            ),
                            "model_prefixes": tuple(upstream["model_prefixes"]),
                            "federation": _read_federation(upstream.get("federation")),
                        }
                    )
                    for upstream in data["upstreams"]
                ),
                "models": {
                    model: ModelRoute(**route | {"targets": tuple(Target(**target) for target in route["targets"])})
                    for model, route in data["models"].items()
                },
                "cors_allow_origins": tuple(data["cors_allow_origins"]),
                "timeouts": Timeouts(**data["timeouts"]),
                "prices": _read_prices(data.get("prices")),
            }
        )


def _federation_document(federation: Federation) -> dict[str, Any]:
    from lambda_runtime.config.federation import federation_document  # noqa: PLC0415  only who uses it pays for it

    return federation_document(federation)


def _read_federation(document: Mapping[str, Any] | None) -> Federation | None:
    if document is None:
        return None
    from lambda_runtime.config.federation import read_federation  # noqa: PLC0415  a start without it does not pay for it

    return read_federation(document)


def _price_documents(prices: Mapping[str, Price]) -> dict[str, Any]:
    if not prices:
        return {}
    from lambda_runtime.config.prices import price_document  # noqa: PLC0415  only who uses it pays for it

    return {target: price_document(prices[target]) for target in sorted(prices)}


def _read_prices(documents: Mapping[str, Any] | None) -> dict[str, Price]:
    if not documents:
        return {}
    from lambda_runtime.config.prices import read_price  # noqa: PLC0415  a start without it does not pay for it

    return {target: read_price(document) for target, document in documents.items()}
