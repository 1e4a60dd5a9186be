"""Fixtures that several files share: an upstream, a gateway over it, a Runtime API. A file may replace them by its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lambda_runtime.transport import HttpClientTransport
from tests.lambda_runtime.gateway_kit import Kit, both_formats, gateway_over
from tests.lambda_runtime.runtime_api_server import RuntimeApiServer
from tests.lambda_runtime.upstream_server import UpstreamServer, serve


@pytest.fixture
def upstream() -> Iterator[UpstreamServer]:
    with serve() as server:
        yield server


@pytest.fixture
def kit(upstream: UpstreamServer) -> Iterator[Kit]:
    """A gateway whose upstream `main` serves both formats; it maps `gpt-4` to `gpt-4.1`."""
    with gateway_over(both_formats("main", upstream.url), models={"gpt-4": ["main/gpt-4.1"]}) as kit:
        yield kit


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """A client over the gateway's own transport."""
    with httpx.Client(transport=HttpClientTransport(), trust_env=False) as client:
        yield client


@pytest.fixture
def api() -> Iterator[RuntimeApiServer]:
    with RuntimeApiServer() as server:
        yield server


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A file with a server's certificate and key, and a hashed directory that trusts it."""
    from tests.lambda_runtime.tls_kit import make_authority  # noqa: PLC0415  few tests pay for cryptography

    return make_authority(tmp_path_factory.mktemp("tls"))
