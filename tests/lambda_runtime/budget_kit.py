"""Consumers with limits in a table on loopback, and gateways that heed them.

A file of tests takes the fixtures by name: `table, consumer, kit = budget_kit.table, budget_kit.consumer, budget_kit.kit`.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from lambda_runtime.admission import Admission
from lambda_runtime.config import Operation, UpstreamConfig
from lambda_runtime.config.limits import ConsumerLimits
from lambda_runtime.config.prices import Price
from lambda_runtime.state import items
from lambda_runtime.state.allowances import Allowances
from lambda_runtime.state.items import Update
from lambda_runtime.state.shared_states import SharedStates
from lambda_runtime.state.table_health import TableHealth
from lambda_runtime.state.usage_counts import UsageCounts, usage_update
from lambda_runtime.usage import Usage
from tests.lambda_runtime.gateway_kit import Kit, RecordingWriter, both_formats, event, gateway_over
from tests.lambda_runtime.samples import ANSWERS, CHAT
from tests.lambda_runtime.state.table_kit import TABLE, ClientOf, Clock, Table, running_table
from tests.lambda_runtime.test_budgets import utc
from tests.lambda_runtime.upstream_server import UpstreamServer, answer_json

PRICES = {"main/*": Price(input=2, output=8)}
"""Of all models of the upstream `main`."""

# 11 tokens of input and 7 of output.
ANSWER = answer_json(ANSWERS[CHAT])
TOKENS = 18
COST = (11 * 2 + 7 * 8) * 1000

_numbers = itertools.count(1)


@dataclass
class Consumer:
    """A consumer of one test, and the time."""

    table: Table
    clock: Clock
    key: str = field(default_factory=lambda: f"key-{next(_numbers)}")

    def limit(self, text: str | None = None, **limits: Any) -> None:
        """Set its limits, as the command and the deployment do."""
        text = ConsumerLimits(**limits).to_json() if text is None else text
        self.table.do(Update(items.USAGE + self.key, items.LIMITS, sets={items.LIMITS: text}))

    def unlimit(self) -> None:
        self.table.boto.delete_item(TableName=TABLE, Key={"pk": {"S": items.USAGE + self.key}, "sk": {"S": items.LIMITS}})

    def use(self, tokens: int, cost: int | None = None) -> None:
        """Have it use something, on another instance."""
        self.table.do(usage_update(self.key, Usage(tokens), self.clock.now, cost))

    def event(self, operation: str | Operation = CHAT, body: Any = None, **more: Any) -> dict[str, Any]:
        made = event(operation, body, **more)
        made["requestContext"]["identity"]["apiKeyId"] = self.key
        return made

    def ask(self, kit: Kit, operation: Operation = CHAT, model: str = "gpt-4.1", **body: Any) -> RecordingWriter:
        return kit.call(self.event(operation, {"model": model, **body}))

    def queries(self) -> int:
        """How often its partition was read."""
        pk = items.USAGE + self.key
        return sum(request["ExpressionAttributeValues"][":pk"]["S"] == pk for request in self.table.asked("Query"))


@contextmanager
def limited_gateway(
    url: str,
    clock: Clock,
    *upstreams: UpstreamConfig,
    timeouts_of_table: dict[str, float] | None = None,
    prices: dict[str, Price] | None = None,
    breaker: bool = False,
    **config: Any,
) -> Iterator[Kit]:
    """A function instance over the table at a URL, which the models' prices are known to: `PRICES` unless given.

    With `breaker` it shares the upstreams' states, too.
    """
    client_of = ClientOf()
    table = client_of(url, **(timeouts_of_table or {}))
    health = TableHealth(clock)
    counts = UsageCounts(table, health, clock=clock)
    allowances = Allowances(table, health, counts, clock=clock)
    if breaker:
        config["states"] = SharedStates(table, health, clock=clock)
    try:
        with gateway_over(
            *upstreams,
            usage_counts=counts,
            admission_of=lambda configuration: Admission(configuration, allowances),
            prices=PRICES if prices is None else prices,
            **config,
        ) as kit:
            yield kit
    finally:
        client_of.close()


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    """One for all tests of a file, which have consumers of their own."""
    with running_table() as table:
        yield table


@pytest.fixture
def consumer(table: Table) -> Consumer:
    return Consumer(table, Clock(utc("2026-11-23T12:00:00")))


@pytest.fixture
def kit(table: Table, upstream: UpstreamServer, consumer: Consumer) -> Iterator[Kit]:
    """A gateway that heeds limits, whose upstream `main` serves both formats; it maps `gpt-4` to `gpt-4.1`."""
    upstream.answer = ANSWER
    with limited_gateway(
        table.url, consumer.clock, both_formats("main", upstream.url), models={"gpt-4": ["main/gpt-4.1"]}
    ) as kit:
        yield kit


def line_of(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The last request's line in the log."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    found: dict[str, Any] = next(line for line in reversed(lines) if line["message"] == "request")
    return found


def error_of(response: RecordingWriter) -> dict[str, Any]:
    """The error that an answer is, in either format."""
    error: dict[str, Any] = response.json()["error"]
    return error
