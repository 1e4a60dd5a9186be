"""What the function's `_HANDLER` names. Importing it is the function's init: everything is built, the keys are fetched."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from lambda_runtime import snapstart, state
from lambda_runtime.aws_credentials import AwsCredentialsSource
from lambda_runtime.config import CONFIG_FILE, GatewayConfig
from lambda_runtime.credentials import Credentials
from lambda_runtime.gateway import Gateway
from lambda_runtime.invocation import Invocation, ResponseWriter
from lambda_runtime.secrets_manager import SecretsManager
from lambda_runtime.transport import HttpClientTransport

if TYPE_CHECKING:
    from lambda_runtime.credentials import TokenSource


def _build() -> tuple[Gateway, Credentials]:
    """Build the parts and say what happens to them around a SnapStart snapshot."""
    config = GatewayConfig.from_json(Path(os.environ["LAMBDA_TASK_ROOT"], CONFIG_FILE).read_text(encoding="utf-8"))
    transport = HttpClientTransport()
    # For AWS's own services only; upstreams are asked through the transport, see `UpstreamCall`.
    client = httpx.Client(transport=transport, trust_env=False)
    aws_credentials = AwsCredentialsSource(client, os.environ)

    def make_tokens() -> TokenSource:
        from lambda_runtime.federation.tokens import FederatedTokens  # noqa: PLC0415  only federated upstreams pay for it

        return FederatedTokens(client, os.environ, aws_credentials)

    credentials = Credentials(config, os.environ, SecretsManager(client, os.environ, aws_credentials), make_tokens)
    # A snapshot is kept as long as its version: it must hold no key. Called in reverse order.
    snapstart.before_snapshot(credentials.forget)
    snapstart.before_snapshot(aws_credentials.forget)
    snapstart.before_snapshot(transport.close)
    snapstart.after_restore(credentials.fetch_all)
    states, usage_counts = state.connect(os.environ, transport, aws_credentials)
    snapstart.before_snapshot(states.forget)
    if usage_counts is not None:
        snapstart.before_snapshot(usage_counts.forget)
    admission = None
    allowances = state.connect_allowances(os.environ, usage_counts)
    if allowances is not None:
        from lambda_runtime.admission import Admission  # noqa: PLC0415  only gateways with limits pay for it

        snapstart.before_snapshot(allowances.forget)
        admission = Admission(config, allowances)
    snapstart.after_restore(states.refresh)
    # The first request follows at once: its states are read while the keys are fetched.
    states.refresh()
    hooks = None
    if config.hooks:
        from lambda_runtime.hooks import Hooks  # noqa: PLC0415  only gateways with hooks pay for it

        hooks = Hooks.load(config.hooks)
    gateway = Gateway(
        config,
        transport=transport,
        credentials=credentials,
        environ=os.environ,
        states=states,
        usage_counts=usage_counts,
        hooks=hooks,
        admission=admission,
    )
    return gateway, credentials


_gateway, _credentials = _build()
_credentials.fetch_all()


def handler(event: dict[str, Any], invocation: Invocation, response: ResponseWriter) -> None:
    """Answer one event of API Gateway. A `lambda_runtime.invocation.Handler`.

    Args:
        event: the REST proxy event.
        invocation: knows the deadline.
        response: takes the answer.
    """
    _gateway.handle(event, invocation, response)
