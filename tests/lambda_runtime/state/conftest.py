from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.lambda_runtime.state.table_kit import ClientOf, Clock, Instance, Table, running_table
from tests.lambda_runtime.upstream_server import UpstreamServer, serve


@pytest.fixture
def table() -> Iterator[Table]:
    with running_table() as table:
        yield table


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Iterator[UpstreamServer]:
    """Something in the table's place that answers what a test says."""
    with serve() as server:
        yield server


@pytest.fixture
def client_of() -> Iterator[ClientOf]:
    made = ClientOf()
    yield made
    made.close()


@pytest.fixture
def instance_of(clock: Clock, client_of: ClientOf) -> Iterator[Callable[[str], Instance]]:
    """Makes function instances over a table's URL."""
    made: list[Instance] = []

    def make(url: str) -> Instance:
        made.append(Instance(client_of(url), clock))
        return made[-1]

    yield make
    for instance in made:
        instance.forget()


@pytest.fixture
def instance(table: Table, instance_of: Callable[[str], Instance]) -> Instance:
    """One over moto's table."""
    return instance_of(table.url)
