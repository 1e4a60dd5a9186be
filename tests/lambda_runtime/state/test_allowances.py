"""What is read of a consumer, what is remembered, and what holds while the table cannot be asked."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from lambda_runtime.budgets import Spent
from lambda_runtime.errors import LimitsError
from lambda_runtime.state.allowances import MOST_LIMITED, MOST_UNLIMITED, Allowances
from lambda_runtime.state.table_health import TableError, TableHealth, Use
from lambda_runtime.state.usage_counts import UsageCounts
from lambda_runtime.usage import Usage
from tests.lambda_runtime.budget_kit import Consumer
from tests.lambda_runtime.state.faults import FAULTS, answer_error, said
from tests.lambda_runtime.state.table_kit import ClientOf, Clock, Table, running_table
from tests.lambda_runtime.test_budgets import utc
from tests.lambda_runtime.upstream_server import UpstreamServer, answer_json

THROTTLED = TableError("ThrottlingException", "throttled")


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    """One for all tests of this file, which have consumers of their own."""
    with running_table() as table:
        yield table


@pytest.fixture
def clock() -> Clock:
    return Clock(utc("2026-11-23T12:00:00"))


@pytest.fixture
def consumer(table: Table, clock: Clock) -> Consumer:
    return Consumer(table, clock)


class Instance:
    """A function instance's view of the consumers."""

    def __init__(self, client_of: ClientOf, url: str, clock: Clock) -> None:
        client = client_of(url)
        self.health = TableHealth(clock)
        self.counts = UsageCounts(client, self.health, clock=clock)
        self.allowances = Allowances(client, self.health, self.counts, clock=clock)

    def spent(self, consumer: Consumer) -> Spent | None:
        allowance = self.allowances.of(consumer.key)
        return None if allowance is None else allowance.spent

    def point_at(self, url: str, client_of: ClientOf) -> None:
        """From now on the table is there."""
        self.allowances._table = self.counts.table = client_of(url)


@pytest.fixture
def here(client_of: ClientOf, table: Table, clock: Clock) -> Instance:
    return Instance(client_of, table.url, clock)


def test_one_query_reads_limits_and_usage(here: Instance, consumer: Consumer, table: Table) -> None:
    consumer.limit(tokens_per_day=100, usd_per_month=5, models=["m"])
    consumer.use(30, 7_000)
    consumer.clock.pass_(86_400)
    consumer.use(12, 500)
    allowance = here.allowances.of(consumer.key)
    assert allowance is not None
    assert allowance.limits.budgets == {"tokens_per_day": 100, "usd_per_month": 5}
    assert allowance.limits.models == ("m",)
    assert allowance.spent == Spent(day_tokens=12, month_tokens=42, day_cost=500, month_cost=7_500)
    assert allowance.at == consumer.clock.now
    request = table.asked("Query")[-1]
    assert (consumer.queries(), request["ConsistentRead"]) == (1, True)
    assert request["ExpressionAttributeValues"] == {":pk": {"S": f"usage#{consumer.key}"}, ":first": {"S": "2026-11"}}


def test_a_consumer_with_limits_is_read_each_time(here: Instance, consumer: Consumer) -> None:
    consumer.limit(tokens_per_day=100)
    for tokens in (0, 5, 10):
        assert here.spent(consumer) == Spent(tokens, tokens)
        consumer.use(5)
    consumer.limit(tokens_per_day=7)
    allowance = here.allowances.of(consumer.key)
    assert allowance is not None
    assert allowance.limits.tokens_per_day == 7
    assert consumer.queries() == 4


@pytest.mark.parametrize("limits", [None, "{}"])
def test_one_without_limits_is_remembered_for_a_minute(here: Instance, consumer: Consumer, limits: str | None) -> None:
    if limits is not None:
        consumer.limit(limits)
    for _ in range(3):
        assert here.allowances.of(consumer.key) is None
        consumer.clock.pass_(19.9)
    assert consumer.queries() == 1
    consumer.limit(tokens_per_day=1)
    consumer.clock.pass_(0.4)
    assert here.spent(consumer) == Spent()
    consumer.unlimit()
    assert here.allowances.of(consumer.key) is None
    assert here.allowances.of(consumer.key) is None
    assert consumer.queries() == 3


def test_a_clock_that_was_set_back_makes_nothing_last(here: Instance, consumer: Consumer) -> None:
    assert here.allowances.of(consumer.key) is None
    consumer.clock.pass_(-3600)
    consumer.limit(tokens_per_day=1)
    assert here.spent(consumer) == Spent()


# Days and months


def test_they_begin_at_midnight_utc(here: Instance, consumer: Consumer) -> None:
    consumer.limit(tokens_per_day=100)
    consumer.clock.now = utc("2028-02-28T23:59:59.9")
    consumer.use(1, 10)
    assert here.spent(consumer) == Spent(1, 1, 10, 10)
    consumer.clock.pass_(0.2)  # the 29th of a leap year
    assert here.spent(consumer) == Spent(0, 1, 0, 10)
    consumer.use(2, 20)
    assert here.spent(consumer) == Spent(2, 3, 20, 30)
    consumer.clock.pass_(86_400)
    assert here.spent(consumer) == Spent()
    consumer.clock.pass_(-86_400)  # back in February
    assert here.spent(consumer) == Spent(2, 3, 20, 30)


@pytest.mark.parametrize("reads", [True, False])
def test_a_day_later_without_the_table(here: Instance, consumer: Consumer, *, reads: bool) -> None:
    consumer.limit(tokens_per_day=100)
    consumer.clock.now = utc("2026-10-30T23:59:00")
    consumer.use(5, 50)
    assert here.spent(consumer) == Spent(5, 5, 50, 50)
    for day, spent in ((31, Spent(1, 6, 2, 52)), (32, Spent(1, 1, 2, 2)), (33, Spent(1, 2, 2, 4))):
        consumer.clock.now = utc("2026-10-01T00:00:01") + (day - 1) * 86_400
        if not reads:
            here.health.failed(Use.READ_CONSUMERS, THROTTLED)
        here.counts.add(consumer.key, Usage(1), 2)
        assert here.spent(consumer) == spent


# What is held back, and what is known while the table is away


def test_what_is_held_back_counts_though_the_table_can_be_read(here: Instance, consumer: Consumer, client_of: ClientOf) -> None:
    consumer.limit(tokens_per_day=100)
    consumer.use(10)
    other = Instance(client_of, here.counts.table._url, consumer.clock)
    for added in (1, 2):
        here.health.failed(Use.WRITE_CONSUMERS, THROTTLED)
        here.counts.add(consumer.key, Usage(7, 1), 3)
        assert here.spent(consumer) == Spent(10 + 8 * added, 10 + 8 * added, 3 * added, 3 * added)
        assert other.spent(consumer) == Spent(10, 10)
    consumer.clock.pass_(31)
    here.counts.add(consumer.key, Usage(1))
    # Written by now, and counted once.
    assert here.spent(consumer) == other.spent(consumer) == Spent(27, 27, 6, 6)


@pytest.mark.parametrize("fault", FAULTS)
def test_without_the_table_what_was_read_and_added_since_counts(  # noqa: PLR0917
    here: Instance,
    consumer: Consumer,
    server: UpstreamServer,
    client_of: ClientOf,
    fault: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    consumer.limit(tokens_per_month=100)
    consumer.use(90)
    assert here.spent(consumer) == Spent(90, 90)
    url = here.counts.table._url
    server.answer = FAULTS[fault][0]
    here.point_at(server.url, client_of)
    here.counts.table._read_timeout = 0.05
    for added in range(4):
        assert here.spent(consumer) == Spent(90 + 10 * added, 90 + 10 * added)
        here.counts.add(consumer.key, Usage(4, 6))
    # Who was never read has no limits that anybody knew of.
    assert here.allowances.of("never-read") is None
    # One request waits for it, and not each.
    assert 1 <= len(server.received) <= 2
    assert any("the table cannot be" in line for line in said(capsys))
    here.point_at(url, client_of)
    consumer.clock.pass_(31)
    here.counts.add(consumer.key, Usage())
    spent = here.spent(consumer)
    assert spent is not None
    # What may have been written is believed to be what the table says. Of a table that cannot be reached nothing was asked.
    assert spent.day_tokens == (120 if fault in {"failing", "html", "garbage"} else 130)


def test_an_instance_that_starts_without_the_table_lets_all_pass(
    client_of: ClientOf, consumer: Consumer, table: Table, server: UpstreamServer
) -> None:
    consumer.limit(tokens_per_day=1)
    consumer.use(5)
    server.answer = answer_error("ThrottlingException")
    here = Instance(client_of, server.url, consumer.clock)
    assert here.allowances.of(consumer.key) is None
    here.point_at(table.url, client_of)
    assert here.allowances.of(consumer.key) is None
    consumer.clock.pass_(2.1)
    assert here.spent(consumer) == Spent(5, 5)


def test_what_has_no_limits_any_more_is_not_held_against_it(here: Instance, consumer: Consumer) -> None:
    consumer.limit(tokens_per_day=1)
    assert here.spent(consumer) == Spent()
    consumer.unlimit()
    assert here.allowances.of(consumer.key) is None
    here.health.failed(Use.READ_CONSUMERS, THROTTLED)
    consumer.clock.pass_(1)
    assert here.allowances.of(consumer.key) is None


# Limits that make no sense


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "5",
        '{"tokens_per_day": "many"}',
        '{"tokens_per_day": -1}',
        '{"models": 5}',
        '{"models": []}',
        '{"usd_per_day": NaN}',
        '{"usd_per_day": 1e400}',
        '{"shadow": "yes", "tokens_per_day": 1}',
        "[" * 100_000,
    ],
)
def test_they_refuse_all_and_are_logged_once(
    here: Instance, consumer: Consumer, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    consumer.limit(text)
    for _ in range(3):
        with pytest.raises(LimitsError):
            here.allowances.of(consumer.key)
    here.health.failed(Use.READ_CONSUMERS, THROTTLED)
    with pytest.raises(LimitsError):
        here.allowances.of(consumer.key)
    consumer.clock.pass_(31)
    logged = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["consumer"] for line in logged if line["level"] == "ERROR"] == [consumer.key]
    assert all(len(line["message"]) < 800 for line in logged)
    consumer.limit(tokens_per_day=1)
    assert here.spent(consumer) == Spent()


def test_an_item_without_the_attribute_refuses_too(here: Instance, consumer: Consumer) -> None:
    consumer.table.boto.put_item(
        TableName="gateway-state", Item={"pk": {"S": f"usage#{consumer.key}"}, "sk": {"S": "limits"}, "limits": {"N": "1"}}
    )
    with pytest.raises(LimitsError):
        here.allowances.of(consumer.key)


def test_limits_of_a_later_version_are_read_as_far_as_they_are_known(here: Instance, consumer: Consumer) -> None:
    consumer.limit('{"tokens_per_day": 5, "tokens_per_hour": 1}')
    allowance = here.allowances.of(consumer.key)
    assert allowance is not None
    assert allowance.limits.budgets == {"tokens_per_day": 5}


# Memory


def test_it_remembers_only_so_many(client_of: ClientOf, server: UpstreamServer, clock: Clock) -> None:
    here = Instance(client_of, server.url, clock)
    server.answer = answer_json({"Items": []})
    for number in range(MOST_UNLIMITED + 5):
        here.allowances._learn(f"free-{number}", [], "2026-11", "23", clock.now)
    limits = [{"sk": {"S": "limits"}, "limits": {"S": '{"tokens_per_day": 1}'}}]
    for number in range(MOST_LIMITED + 5):
        here.allowances._learn(f"limited-{number}", limits, "2026-11", "23", clock.now)
    assert (len(here.allowances._unlimited), len(here.allowances._known)) == (MOST_UNLIMITED, MOST_LIMITED)
    assert "free-4" not in here.allowances._unlimited
    assert "limited-5" in here.allowances._known
    here.allowances.forget()
    assert (here.allowances._unlimited, here.allowances._known) == ({}, {})
