"""Builds a gateway over loopback upstreams, calls it with API Gateway's events and records what it answers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from lambda_runtime.admission import Admission
from lambda_runtime.aws_credentials import AwsCredentialsSource
from lambda_runtime.config import (
    ANTHROPIC_OPERATIONS,
    OPENAI_OPERATIONS,
    AuthStyle,
    Endpoint,
    GatewayConfig,
    ModelRoute,
    Operation,
    Target,
    Timeouts,
    UpstreamConfig,
)
from lambda_runtime.credentials import Credentials
from lambda_runtime.federation.tokens import FederatedTokens
from lambda_runtime.gateway import Gateway
from lambda_runtime.hooks import Hooks
from lambda_runtime.invocation import ClientGoneError, Invocation
from lambda_runtime.secret_value import SecretProblem
from lambda_runtime.state.target_states import TargetStates
from lambda_runtime.transport import HttpClientTransport

CLIENT_KEY = "gatewayClientKey0123456789"
UPSTREAM_KEY = "sk-upstream-5e4d3c2b1a-VERYSECRET"


class RecordingWriter:
    """A `ResponseWriter` that remembers. `on_write` is called with each piece as it is written."""

    def __init__(self, on_write: Callable[[bytes], None] | None = None, *, gone_after: int | None = None) -> None:
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.pieces: list[bytes] = []
        self.ended = False
        self.failure: tuple[str, str] | None = None
        self._on_write = on_write
        self._gone_after = gone_after
        self.wrote = threading.Condition()

    @property
    def started(self) -> bool:
        return self.status != 0

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    def start(self, status: int, headers: Sequence[tuple[str, str]]) -> None:
        assert not self.started
        self.status = status
        self.headers = list(headers)

    def write(self, data: bytes) -> None:
        assert self.started
        assert not self.ended
        assert self.failure is None
        if not data:
            return
        if self._gone_after is not None and len(self.pieces) >= self._gone_after:
            raise ClientGoneError
        with self.wrote:
            self.pieces.append(data)
            self.wrote.notify_all()
        if self._on_write:
            self._on_write(data)

    def end(self) -> None:
        assert self.started
        assert not self.ended
        self.ended = True

    def fail(self, error_type: str, message: str) -> None:
        assert self.started
        assert not self.ended
        self.failure = (error_type, message)

    def wait_for(self, data: bytes, timeout: float = 10.0) -> bool:
        return self.wait_until(lambda body: data in body, timeout)

    def wait_until(self, holds: Callable[[bytes], bool], timeout: float = 10.0) -> bool:
        """Wait until something is true of the body."""
        with self.wrote:
            return self.wrote.wait_for(lambda: holds(self.body), timeout)

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key == name]
        assert len(values) <= 1, values
        return values[0] if values else None

    def json(self) -> Any:
        return json.loads(self.body)


class FixedSecrets:
    """A `SecretSource` out of a dictionary. A missing secret is a problem."""

    def __init__(self, values: dict[str, str]) -> None:
        self.values = values
        self.asked: list[str] = []

    def get(self, secret_id: str) -> str:
        self.asked.append(secret_id)
        if secret_id not in self.values:
            raise SecretProblem(f"the secret {secret_id} is not there")
        return self.values[secret_id]


def openai_upstream(name: str, url: str, auth: AuthStyle = AuthStyle.BEARER) -> UpstreamConfig:
    return UpstreamConfig(name=name, endpoints=(Endpoint(base_url=url + "/v1", auth=auth, operations=OPENAI_OPERATIONS),))


def anthropic_upstream(name: str, url: str, auth: AuthStyle = AuthStyle.X_API_KEY) -> UpstreamConfig:
    return UpstreamConfig(name=name, endpoints=(Endpoint(base_url=url, auth=auth, operations=ANTHROPIC_OPERATIONS),))


def both_formats(name: str, url: str) -> UpstreamConfig:
    return UpstreamConfig(
        name=name,
        endpoints=(
            Endpoint(base_url=url + "/v1", auth=AuthStyle.BEARER, operations=OPENAI_OPERATIONS),
            Endpoint(base_url=url, auth=AuthStyle.X_API_KEY, operations=ANTHROPIC_OPERATIONS),
        ),
    )


@dataclass
class Kit:
    """A gateway and what is behind it."""

    gateway: Gateway
    secrets: FixedSecrets
    credentials: Credentials
    transport: HttpClientTransport
    deadline_in: float = 900.0
    context: dict[str, Any] = field(default_factory=dict)

    def call(self, event: dict[str, Any], writer: RecordingWriter | None = None) -> RecordingWriter:
        writer = writer or RecordingWriter()
        with suppress(ClientGoneError):
            self.gateway.handle(event, Invocation(request_id="lambda-1", deadline=time.time() + self.deadline_in), writer)
        return writer


@contextmanager
def gateway_over(
    *upstreams: UpstreamConfig,
    models: Mapping[str, Sequence[str | Target] | ModelRoute] | None = None,
    keys: Mapping[str, str] | None = None,
    timeouts: Timeouts | None = None,
    deadline_in: float = 900.0,
    states: TargetStates | None = None,
    usage_counts: Any = None,
    admission_of: Callable[[GatewayConfig], Admission] | None = None,
    hooks: Hooks | None = None,
    variables: Mapping[str, str] | None = None,
    **config: Any,
) -> Iterator[Kit]:
    """A gateway over upstreams, whose keys are `UPSTREAM_KEY` unless given by upstream name.

    `variables` are further ones of the function's environment, `config` further fields of the configuration.
    """
    configuration = GatewayConfig(
        upstreams=upstreams,
        models={name: route if isinstance(route, ModelRoute) else ModelRoute(route) for name, route in (models or {}).items()},
        timeouts=timeouts or Timeouts(),
        **config,
    )
    environ = {upstream.secret_variable: f"arn:{upstream.name}" for upstream in upstreams}
    environ |= {"AWS_LAMBDA_FUNCTION_NAME": "gateway-function", "AWS_LAMBDA_FUNCTION_VERSION": "7"} | dict(variables or {})
    secrets = FixedSecrets({f"arn:{upstream.name}": (keys or {}).get(upstream.name, UPSTREAM_KEY) for upstream in upstreams})
    with HttpClientTransport() as transport:
        client = httpx.Client(transport=transport, trust_env=False)
        tokens = FederatedTokens(client, environ, AwsCredentialsSource(client, environ))
        credentials = Credentials(configuration, environ, secrets, lambda: tokens)
        gateway = Gateway(
            configuration,
            transport=transport,
            credentials=credentials,
            environ=environ,
            states=states,
            usage_counts=usage_counts,
            hooks=hooks,
            admission=admission_of(configuration) if admission_of else None,
        )
        yield Kit(gateway, secrets, credentials, transport, deadline_in)


_RESOURCES = {
    Operation.CHAT_COMPLETIONS: "/v1/chat/completions",
    Operation.RESPONSES: "/v1/responses",
    Operation.EMBEDDINGS: "/v1/embeddings",
    Operation.MESSAGES: "/v1/messages",
    Operation.COUNT_TOKENS: "/v1/messages/count_tokens",
}


def event(
    resource: str | Operation,
    body: Any = None,
    *,
    method: str | None = None,
    headers: Mapping[str, Any] | None = None,
    query: Mapping[str, Sequence[str]] | None = None,
    path_id: str | None = None,
) -> dict[str, Any]:
    """An event as API Gateway makes it. A body that is not text is sent as JSON; header values may be lists."""
    path = _RESOURCES[resource] if isinstance(resource, Operation) else resource
    if body is not None and not isinstance(body, str):
        body = json.dumps(body)
    several = {name: [value] if isinstance(value, str) else list(value) for name, value in (headers or {}).items()}
    several.setdefault("X-Api-Key", [CLIENT_KEY])
    several.setdefault("Authorization", [f"Bearer {CLIENT_KEY}"])
    return {
        "resource": path,
        "path": path.replace("{id+}", path_id or ""),
        "httpMethod": method or ("GET" if body is None else "POST"),
        "headers": {name: values[-1] for name, values in several.items()},
        "multiValueHeaders": several,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} if query else None,
        "multiValueQueryStringParameters": {name: list(values) for name, values in query.items()} if query else None,
        "pathParameters": {"id": path_id} if path_id is not None else None,
        "requestContext": {"requestId": "request-1", "identity": {"apiKeyId": "consumer-1"}, "stage": "prod"},
        "body": body,
        "isBase64Encoded": False,
    }
