"""Upstreams: the providers that the gateway relays to, and where each is reached."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from lambda_runtime.config.formats import AuthStyle, Operation, WireFormat

if TYPE_CHECKING:
    from lambda_runtime.config.federation import Federation

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_URL = re.compile(r"[\x21-\x7e]+").fullmatch


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
        model_prefixes: what its models' names begin with, for a provider that serves its own models only. A model that the map
            does not name, and that begins otherwise, is looked for at the other upstreams first. Empty: any model.
        stream_usage: whether it takes `stream_options.include_usage` in chat completions, by which the gateway learns a
            stream's usage.
        federation: how it gets short-lived tokens in place of a stored key. None: its key is stored.

    Raises:
        ValueError: if the name is malformed, an operation is listed by two endpoints, or the federation is not for these
            endpoints.
    """

    name: str
    endpoints: tuple[Endpoint, ...]
    secret_field: str = "apiKey"  # noqa: S105
    model_prefixes: tuple[str, ...] = ()
    stream_usage: bool = True
    federation: Federation | None = None

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
        if self.federation is not None:
            from lambda_runtime.config.federation import require_endpoints  # noqa: PLC0415  only who uses it pays for it

            require_endpoints(self.name, self.federation, tuple((e.base_url, e.auth) for e in self.endpoints))

    def endpoint_for(self, operation: Operation) -> Endpoint | None:
        """The endpoint that serves an operation, or None."""
        for endpoint in self.endpoints:
            if operation in endpoint.operations:
                return endpoint
        return None

    def may_have(self, model: str) -> bool:
        """Whether the upstream may know a model by that name."""
        return not self.model_prefixes or model.startswith(self.model_prefixes)

    @property
    def needs_key(self) -> bool:
        """Whether a key of it is stored: an endpoint takes one, and no token takes its place."""
        return self.federation is None and any(endpoint.auth is not AuthStyle.NONE for endpoint in self.endpoints)

    @property
    def secret_variable(self) -> str:
        """Name of the environment variable that holds the ARN of the upstream's secret."""
        return "UPSTREAM_SECRET_" + self.name.upper().replace("-", "_")
