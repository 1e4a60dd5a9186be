"""The gateway's configuration: one definition, validated where it is written (synth), trusted where it is read (run time).

It travels as `gateway.json` inside the function asset, so that a change of it is a new function version. What is known only
after deployment (the secrets' ARNs) travels in environment variables, see `secret_variable`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import SplitResult, urlsplit

CONFIG_FILE = "gateway.json"
"""Name of the configuration file at the root of the function asset."""

METRICS_NAMESPACE = "AiGateway"
"""CloudWatch namespace of what the runtime writes and the construct's metrics read."""

PLACEHOLDER_FIELD = "placeholder"
"""Field of a secret's JSON object that, when true, says that there is no key yet. Written by the construct."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_URL = re.compile(r"[\x21-\x7e]+").fullmatch


class WireFormat(StrEnum):
    """The two families of wire formats: they differ in bodies, events, errors and headers."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"


class Operation(StrEnum):
    """What a client may ask for. The value is the path below an upstream's base URL."""

    CHAT_COMPLETIONS = "/chat/completions"
    RESPONSES = "/responses"
    EMBEDDINGS = "/embeddings"
    MESSAGES = "/v1/messages"
    COUNT_TOKENS = "/v1/messages/count_tokens"

    @property
    def wire_format(self) -> WireFormat:
        """The wire format family the operation belongs to."""
        return WireFormat.ANTHROPIC if self.value.startswith("/v1/messages") else WireFormat.OPENAI

    @property
    def route(self) -> str:
        """The operation's path on the gateway. Upstreams' base URLs hold the version for the OpenAI format only."""
        return self.value if self.wire_format is WireFormat.ANTHROPIC else f"/v1{self.value}"


OPENAI_OPERATIONS = (Operation.CHAT_COMPLETIONS, Operation.RESPONSES, Operation.EMBEDDINGS)
ANTHROPIC_OPERATIONS = (Operation.MESSAGES, Operation.COUNT_TOKENS)


class AuthStyle(StrEnum):
    """How an endpoint takes the upstream's key. The value is the header's name, in lower case; empty for none."""

    BEARER = "authorization"
    X_API_KEY = "x-api-key"
    API_KEY = "api-key"
    NONE = ""


def _has_valid_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """One base URL of an upstream and the operations that it serves, all of one wire format.

    Args:
        base_url: absolute URL, without a trailing slash; an operation's value is appended to it. For the OpenAI format it
            ends in the version (`https://api.openai.com/v1`), for the Anthropic format it does not
            (`https://api.anthropic.com`).
        auth: how the key is sent.
        operations: what the endpoint serves.

    Raises:
        ValueError: if the URL is not absolute http(s), carries a query, a fragment or user information, or if the operations
            are empty or of both formats.
    """

    base_url: str
    auth: AuthStyle
    operations: tuple[Operation, ...]

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in {"https", "http"} or not parts.hostname or not _URL(self.base_url) or not _has_valid_port(parts):
            raise ValueError(f"base_url must be an absolute https URL, got {self.base_url!r}")
        if parts.query or parts.fragment or parts.username or parts.password:
            raise ValueError(
                f"base_url must have no query, fragment or user information, got {self.base_url!r}; "
                "keys belong in the upstream's secret",
            )
        if self.base_url.endswith("/"):
            raise ValueError(f"base_url must not end with a slash, got {self.base_url!r}; write {self.base_url.rstrip('/')!r}")
        if not self.operations:
            raise ValueError(f"operations must not be empty for {self.base_url!r}")
        if len({operation.wire_format for operation in self.operations}) > 1:
            raise ValueError(
                f"operations must be of one wire format for {self.base_url!r}, got {[str(o) for o in self.operations]}"
            )

    @property
    def wire_format(self) -> WireFormat:
        """The wire format the endpoint speaks."""
        return self.operations[0].wire_format

    @property
    def models_url(self) -> str:
        """Where the endpoint lists its models."""
        return self.base_url + ("/v1/models" if self.wire_format is WireFormat.ANTHROPIC else "/models")


@dataclass(frozen=True, kw_only=True, slots=True)
class UpstreamConfig:
    """A provider that the gateway relays to.

    Args:
        name: lower-case letters, digits and hyphens, at most 32, starting with a letter. It names the upstream in the model
            map, the logs and the environment variable of its secret.
        endpoints: where it is reached. An operation is served by the first endpoint that lists it.
        secret_field: key of the JSON object in the secret that holds the API key. A secret that is not JSON is the key itself.

    Raises:
        ValueError: if the name is malformed or an operation is listed by two endpoints.
    """

    name: str
    endpoints: tuple[Endpoint, ...]
    secret_field: str = "apiKey"  # noqa: S105

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"upstream name must be 1 to 32 lower-case letters, digits or hyphens, the first a letter, got {self.name!r}"
            )
        if not self.endpoints:
            raise ValueError(f"upstream {self.name!r} has no endpoint")
        operations = [operation for endpoint in self.endpoints for operation in endpoint.operations]
        if len(operations) != len(set(operations)):
            raise ValueError(f"upstream {self.name!r} lists an operation in two endpoints")

    def endpoint_for(self, operation: Operation) -> Endpoint | None:
        """The endpoint that serves an operation, or None."""
        for endpoint in self.endpoints:
            if operation in endpoint.operations:
                return endpoint
        return None

    @property
    def needs_key(self) -> bool:
        """Whether any endpoint takes a key."""
        return any(endpoint.auth is not AuthStyle.NONE for endpoint in self.endpoints)

    @property
    def secret_variable(self) -> str:
        """Name of the environment variable that holds the ARN of the upstream's secret."""
        return "UPSTREAM_SECRET_" + self.name.upper().replace("-", "_")


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A model of an upstream, as the model map names it: `upstream/model`."""

    upstream: str
    model: str

    @classmethod
    def parse(cls, text: str) -> Target:
        """Read `upstream/model`. The model may contain slashes.

        Raises:
            ValueError: if either part is missing.
        """
        upstream, slash, model = text.partition("/")
        if not (upstream and slash and model):
            raise ValueError(f"a target is written 'upstream/model', got {text!r}")
        return cls(upstream=upstream, model=model)

    def __str__(self) -> str:
        return f"{self.upstream}/{self.model}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeouts:
    """How long the gateway waits for an upstream, in seconds.

    Args:
        connect: for the connection, TLS included.
        first_byte: for the first byte of a streamed answer after the request was sent.
        idle: between two reads of a streamed answer.
        unstreamed: for the first byte of an answer that is not streamed, which the provider sends when it is complete. API
            Gateway itself gives up after 300 s of silence.

    Raises:
        ValueError: if one is not positive.
    """

    connect: float = 3.0
    first_byte: float = 120.0
    idle: float = 60.0
    unstreamed: float = 290.0

    def __post_init__(self) -> None:
        for name in ("connect", "first_byte", "idle", "unstreamed"):
            value = getattr(self, name)
            if not value > 0:
                raise ValueError(f"timeouts: {name} must be more than 0 seconds, got {value!r}")


@dataclass(frozen=True, kw_only=True, slots=True)
class GatewayConfig:
    """Everything the runtime needs to know that is known at synth.

    Args:
        upstreams: in order of preference: a model that no entry of `models` names goes to the first that serves the operation.
        models: requested model name to its targets, in order.
        serve_unmapped_models: whether a model that `models` does not name is passed on under its own name. If not, it is a 404.
        cors_allow_origins: origins that browsers may call from; `*` for any, empty for none.
        model_list_ttl: seconds for which an instance keeps what upstreams list as their models.
        timeouts: how long the gateway waits for upstreams.

    Raises:
        ValueError: if there is no upstream, two have one name, or the model map is empty-handed or names an unknown upstream.
    """

    upstreams: tuple[UpstreamConfig, ...]
    models: Mapping[str, tuple[Target, ...]] = field(default_factory=dict)
    serve_unmapped_models: bool = True
    cors_allow_origins: tuple[str, ...] = ("*",)
    model_list_ttl: float = 300.0
    timeouts: Timeouts = field(default_factory=Timeouts)

    def __post_init__(self) -> None:
        if not self.upstreams:
            raise ValueError("upstreams must not be empty; give at least one, for example Upstream.openai()")
        names = [upstream.name for upstream in self.upstreams]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"upstream {name!r} is given twice; give each its own name, for example name={name + '-2'!r}")
        for model, targets in self.models.items():
            if not model:
                raise ValueError("models: a model name must not be empty")
            if not targets:
                raise ValueError(f"models: {model!r} has no target; write at least one 'upstream/model'")
            for target in targets:
                if target.upstream not in names:
                    raise ValueError(
                        f"models: {model!r} names the upstream {target.upstream!r}, which does not exist; "
                        f"upstreams: {', '.join(names)}"
                    )

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
        return (
            json.dumps(
                {
                    "upstreams": [
                        {
                            "name": upstream.name,
                            "secret_field": upstream.secret_field,
                            "endpoints": [
                                {
                                    "base_url": e.base_url,
                                    "auth": e.auth.value,
                                    "operations": [o.value for o in e.operations],
                                }
                                for e in upstream.endpoints
                            ],
                        }
                        for upstream in self.upstreams
                    ],
                    "models": {model: [str(target) for target in targets] for model, targets in sorted(self.models.items())},
                    "serve_unmapped_models": self.serve_unmapped_models,
                    "cors_allow_origins": list(self.cors_allow_origins),
                    "model_list_ttl": self.model_list_ttl,
                    "timeouts": {
                        "connect": self.timeouts.connect,
                        "first_byte": self.timeouts.first_byte,
                        "idle": self.timeouts.idle,
                        "unstreamed": self.timeouts.unstreamed,
                    },
                },
                indent=1,
                ensure_ascii=True,
            )
            + "\n"
        )

    @classmethod
    def from_json(cls, text: str) -> GatewayConfig:
        """Read what `to_json` wrote."""
        data: dict[str, Any] = json.loads(text)
        return cls(
            upstreams=tuple(
                UpstreamConfig(
                    name=upstream["name"],
                    secret_field=upstream["secret_field"],
                    endpoints=tuple(
                        Endpoint(
                            base_url=endpoint["base_url"],
                            auth=AuthStyle(endpoint["auth"]),
                            operations=tuple(map(Operation, endpoint["operations"])),
                        )
                        for endpoint in upstream["endpoints"]
                    ),
                )
                for upstream in data["upstreams"]
            ),
            models={model: tuple(map(Target.parse, targets)) for model, targets in data["models"].items()},
            serve_unmapped_models=data["serve_unmapped_models"],
            cors_allow_origins=tuple(data["cors_allow_origins"]),
            model_list_ttl=data["model_list_ttl"],
            timeouts=Timeouts(**data["timeouts"]),
        )
