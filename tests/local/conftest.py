from collections.abc import Iterator

import httpx
import pytest

from tests.local_gateway import LocalGateway


@pytest.fixture
def http(local_gateway: LocalGateway) -> Iterator[httpx.Client]:
    """A client of the running gateway, without a key."""
    with httpx.Client(base_url=local_gateway.url, timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture
def bearer(local_gateway: LocalGateway) -> dict[str, str]:
    """The header with a consumer's key."""
    return {"Authorization": f"Bearer {local_gateway.key}"}
