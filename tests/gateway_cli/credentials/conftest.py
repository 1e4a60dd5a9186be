from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.handlers
import pytest
from botocore.awsrequest import AWSRequest, AWSResponse

from gateway_cli.credentials.rotating import SecretsManagerRotating
from gateway_cli.credentials.store import SecretStore
from lambda_runtime.config import AuthStyle, Endpoint, Operation, UpstreamConfig
from tests.gateway_cli.credentials.bench import PLACEHOLDER, ROTATION, Bench
from tests.gateway_cli.gateways import Account
from tests.lambda_runtime.upstream_server import UpstreamServer, serve

CURRENT = "key-that-is-current-0001"


@pytest.fixture
def server() -> Iterator[UpstreamServer]:
    """The provider of all upstreams. Tests say which keys it takes."""
    with serve() as running:
        yield running


def upstream(name: str, url: str, **more: Any) -> UpstreamConfig:
    endpoint = Endpoint(base_url=f"{url}/v1", auth=AuthStyle.BEARER, operations=(Operation.CHAT_COMPLETIONS,))
    return UpstreamConfig(name=name, **{"endpoints": (endpoint,), **more})


@pytest.fixture
def bench(account: Account, server: UpstreamServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bench:
    """A gateway with an upstream that is rotated, one that is not, and a new one."""
    found = Bench(tmp_path, server.url)
    account.service.apis[0]["tags"] |= {"ai-gateway:function": "gateway-function", "ai-gateway:rotation": ROTATION}

    *handlers, (event, others) = botocore.handlers.BUILTIN_HANDLERS

    def answer(event_name: str, request: AWSRequest, **more: Any) -> AWSResponse | None:
        # botocore calls all of them and takes the first answer: moto must not hear of what is answered here.
        found_here = found.answer(event_name, request)
        answered: AWSResponse | None = found_here or others(event_name, request, **more)
        return answered

    monkeypatch.setattr(botocore.handlers, "BUILTIN_HANDLERS", [*handlers, (event, answer)])
    monkeypatch.setattr(SecretStore.__init__, "__defaults__", (lambda: found.now,))
    monkeypatch.setattr(SecretsManagerRotating.__init__, "__kwdefaults__", {"pause": found.pause})
    rotating = upstream("rotating", server.url)
    found.rotate_by(rotating, found.add(rotating, CURRENT))
    found.add(upstream("plain", server.url, secret_field="token"), f'{{"team": "search", "token": "{CURRENT}"}}')
    found.add(upstream("new", server.url), PLACEHOLDER)
    return found
