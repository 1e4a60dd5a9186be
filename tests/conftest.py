"""Fixtures for every layer: what costs seconds is made once a session."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local_gateway import LocalGateway, running, synthesize


@pytest.fixture(scope="session")
def app_assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cloud assembly of `app.py` as it is in the repository."""
    return synthesize(tmp_path_factory.mktemp("assembly") / "cdk.out")


@pytest.fixture(scope="session")
def local_gateway(app_assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalGateway]:
    """The local gateway, serving `app.py` with the stand-in provider for every upstream."""
    with running(app_assembly, "--verbose", scratch=tmp_path_factory.mktemp("gateway")) as gateway:
        yield gateway
