"""A budget that is almost used up, and function instances that ask at once: by how much it is overrun, and by whom.

At most what those requests used that were under way together; whoever begins after their usage was written is refused,
whichever instance it comes to.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from lambda_runtime.state.usage_counts import usage_update
from lambda_runtime.usage import Usage
from tests.lambda_runtime.budget_kit import ANSWER, COST, TOKENS, Consumer, limited_gateway
from tests.lambda_runtime.gateway_kit import Kit, both_formats
from tests.lambda_runtime.state.table_kit import Clock, Table, running_table
from tests.lambda_runtime.test_budgets import utc
from tests.lambda_runtime.upstream_server import Connection, Received, UpstreamServer

EIGHT = 8


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    with running_table() as table:
        yield table


@pytest.fixture
def clock() -> Clock:
    return Clock(utc("2026-11-23T12:00:00"))


@pytest.fixture
def consumer(table: Table, clock: Clock) -> Consumer:
    return Consumer(table, clock)


@pytest.fixture
def instances(table: Table, clock: Clock, upstream: UpstreamServer) -> Iterator[list[Kit]]:
    with ExitStack() as stack:
        gateways = (limited_gateway(table.url, clock, both_formats("main", upstream.url)) for _ in range(EIGHT))
        yield [stack.enter_context(gateway) for gateway in gateways]


def used(consumer: Consumer) -> tuple[int, int]:
    """Tokens and billionths of a USD, as the table has them."""
    item = consumer.table.items(f"usage#{consumer.key}").get("2026-11", {})
    tokens, cost = (sum(int(item.get(name, {"N": "0"})["N"]) for name in names) for names in ("io", "u"))
    return tokens, cost


def at_once(do: Callable[[Kit], int], instances: list[Kit]) -> list[int]:
    """What comes of it on each instance."""
    with ThreadPoolExecutor(len(instances)) as pool:
        return list(pool.map(do, instances))


def together(number: int) -> Callable[[Received, Connection], None]:
    """An answer that nobody gets before so many have asked."""
    barrier = threading.Barrier(number)

    def answer(received: Received, connection: Connection) -> None:
        barrier.wait(20)
        ANSWER(received, connection)

    return answer


@pytest.mark.parametrize("limits", [{"tokens_per_day": 1000}, {"usd_per_month": (10 * COST) / 1e9}], ids=str)
def test_those_under_way_overrun_it_by_what_they_use_and_nobody_else(
    instances: list[Kit], consumer: Consumer, upstream: UpstreamServer, limits: dict[str, Any]
) -> None:
    consumer.limit(**limits)
    consumer.use(999, 10 * COST - 1)
    upstream.answer = together(EIGHT)
    assert at_once(lambda kit: consumer.ask(kit).status, instances) == [200] * EIGHT
    assert used(consumer) == (999 + EIGHT * TOKENS, 10 * COST - 1 + EIGHT * COST)
    # All of them have been written: now everybody is refused, the instances that did not see it, too.
    asked = len(upstream.received)
    assert at_once(lambda kit: consumer.ask(kit).status, instances) == [429] * EIGHT
    assert len(upstream.received) == asked == EIGHT


def test_whoever_begins_after_the_addition_is_refused_while_others_are_under_way(
    instances: list[Kit], consumer: Consumer, upstream: UpstreamServer
) -> None:
    consumer.limit(tokens_per_day=1000)
    consumer.use(999)
    asked, go_on = threading.Event(), threading.Event()

    def slow(received: Received, connection: Connection) -> None:
        asked.set()
        assert go_on.wait(20)
        ANSWER(received, connection)

    upstream.answers = [slow, ANSWER]
    statuses: list[int] = []
    under_way = threading.Thread(target=lambda: statuses.append(consumer.ask(instances[0]).status))
    under_way.start()
    assert asked.wait(20)
    assert consumer.ask(instances[1]).status == 200
    assert [consumer.ask(kit).status for kit in instances[1:]] == [429] * (EIGHT - 1)
    go_on.set()
    under_way.join(20)
    assert statuses == [200]
    assert used(consumer)[0] == 999 + 2 * TOKENS


def test_in_a_rush_no_more_is_overrun_than_one_answer_an_instance(
    instances: list[Kit], consumer: Consumer, upstream: UpstreamServer
) -> None:
    limit = 30 * TOKENS
    consumer.limit(tokens_per_month=limit)
    upstream.answer = ANSWER

    def until_refused(kit: Kit) -> int:
        admitted = 0
        while consumer.ask(kit).status == 200:
            admitted += 1
        return admitted

    admitted = at_once(until_refused, instances)
    assert sum(admitted) == len(upstream.received)
    tokens, _cost = used(consumer)
    assert tokens == sum(admitted) * TOKENS
    # One that is under way on each instance, the first of which reached the limit.
    assert limit <= tokens <= limit + (EIGHT - 1) * TOKENS


def test_usage_that_is_held_back_is_not_spent_twice_by_its_instance(
    instances: list[Kit], consumer: Consumer, upstream: UpstreamServer
) -> None:
    """The table is read but not written: other instances cannot know, the one that owes it does."""
    upstream.answer = ANSWER
    consumer.limit(tokens_per_day=2 * TOKENS)
    first = instances[0].gateway._usage_counts
    assert first is not None
    first._held.hold(usage_update(consumer.key, Usage(TOKENS), consumer.clock.now))
    assert consumer.ask(instances[1]).status == 200
    assert consumer.ask(instances[0]).status == 429
