from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.lambda_runtime.federation.federation_kit import Provider, Sts, federation


@pytest.fixture
def both() -> Iterator[tuple[Sts, Provider]]:
    with federation() as both:
        yield both


@pytest.fixture
def sts(both: tuple[Sts, Provider]) -> Sts:
    return both[0]


@pytest.fixture
def provider(both: tuple[Sts, Provider]) -> Provider:
    return both[1]
