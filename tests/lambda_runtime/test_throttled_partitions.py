"""Budgets while DynamoDB throttles partitions that are none of theirs: the breaker's states and counts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import cast

import pytest

from lambda_runtime.state.shared_states import SharedStates
from tests.lambda_runtime import budget_kit
from tests.lambda_runtime.budget_kit import TOKENS, Consumer, limited_gateway
from tests.lambda_runtime.gateway_kit import Kit, both_formats
from tests.lambda_runtime.state.faults import answer_error
from tests.lambda_runtime.state.table_kit import Table
from tests.lambda_runtime.upstream_server import Connection, Received, UpstreamServer

table, consumer = budget_kit.table, budget_kit.consumer
THROTTLED = answer_error("ThrottlingException")


@pytest.fixture
def throttle(table: Table) -> Iterator[Callable[[str], None]]:
    """Have requests about partitions that begin so throttled."""
    well = table.server.answer

    def begin(prefix: str) -> None:
        def answer(received: Received, connection: Connection) -> None:
            request = json.loads(received.body)
            pk = request["Key"]["pk"] if "Key" in request else request["ExpressionAttributeValues"][":pk"]
            (THROTTLED if pk["S"].startswith(prefix) else well)(received, connection)

        table.server.answer = answer

    yield begin
    table.server.answer = well


@pytest.fixture
def kit(table: Table, upstream: UpstreamServer, consumer: Consumer) -> Iterator[Kit]:
    upstream.answer = budget_kit.ANSWER
    with limited_gateway(table.url, consumer.clock, both_formats("main", upstream.url), breaker=True) as kit:
        yield kit


def counted(table: Table, consumer: Consumer) -> float:
    """Tokens in the table."""
    item = table.items(f"usage#{consumer.key}").get("2026-11", {})
    return sum(int(item[name]["N"]) for name in ("i", "o") if name in item)


def test_usage_is_written_though_the_breakers_counts_are_throttled(
    kit: Kit, consumer: Consumer, table: Table, throttle: Callable[[str], None]
) -> None:
    consumer.limit(tokens_per_day=10 * TOKENS)
    throttle("window#")
    for number in range(1, 4):
        assert consumer.ask(kit).status == 200
        assert counted(table, consumer) == number * TOKENS


def test_usage_is_written_before_the_breakers_counts(kit: Kit, consumer: Consumer, table: Table) -> None:
    consumer.limit(tokens_per_day=1000)
    before = len(table.asked("UpdateItem"))
    assert consumer.ask(kit).status == 200
    written = [request["Key"]["pk"]["S"].partition("#")[0] for request in table.asked("UpdateItem")[before:]]
    assert written == ["usage", "window"]


def test_limits_are_read_though_the_breakers_states_are_throttled(
    kit: Kit, consumer: Consumer, table: Table, throttle: Callable[[str], None]
) -> None:
    throttle("state")
    other = Consumer(table, consumer.clock)
    assert other.ask(kit).status == 200
    reading = cast("SharedStates", kit.gateway._states)._reader._reading
    if reading is not None:  # the failure is known once this has ended
        assert reading.acquire(timeout=10)
        reading.release()
    # This instance has never read the consumer, and its partition is well.
    consumer.limit(tokens_per_day=1)
    consumer.use(1)
    assert consumer.ask(kit).status == 429
