"""Usage while the table cannot be written: nothing is counted twice, and what is not counted is told."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_runtime.state import held_usage
from lambda_runtime.state.dynamodb import DynamoDb
from lambda_runtime.state.held_usage import HeldUsage
from lambda_runtime.state.table_health import RefusedRequestError, TableError, TableHealth, Use
from lambda_runtime.state.usage_counts import UsageCounts, usage_update
from lambda_runtime.state.usage_months import Counts, parse
from lambda_runtime.usage import Usage
from tests.lambda_runtime.state.faults import FAULTS
from tests.lambda_runtime.state.table_kit import START, TABLE, ClientOf, Clock, Table

KEY = "key#1"
TOLD = ("caught_up", "in_doubt", "lost")
THROTTLED = TableError("throttled", "throttled")
TIMED_OUT = TableError("no answer", "no answer", unreachable=True, unsure=True)


class FakeTable(DynamoDb):
    """Adds up, unless it is told to fail: before or after the addition."""

    def __init__(self) -> None:
        self.table = TABLE
        self.sums: dict[str, dict[str, int]] = {}
        self.failures: list[tuple[Exception, bool] | None] = []
        """Of the next calls: what is raised, and whether it is counted all the same."""
        self.calls = 0
        self.counted_in_doubt = 0

    def update(self, request: dict[str, Any], *, patience: float | None = None) -> None:
        assert patience is None
        self.calls += 1
        failure = self.failures.pop(0) if self.failures else None
        if failure is None or failure[1]:
            sums = self.sums.setdefault(" ".join(part["S"] for part in request["Key"].values()), {})
            adding = request["UpdateExpression"].partition("ADD ")[2]
            for name in (part.split()[0][1:] for part in adding.split(", ")):
                sums[name] = sums.get(name, 0) + int(request["ExpressionAttributeValues"][f":{name}"]["N"])
        if failure is not None:
            self.counted_in_doubt += failure[1] and int(request["ExpressionAttributeValues"][":n"]["N"])
            raise failure[0]

    @property
    def counted(self) -> int:
        return sum(sums["n"] for sums in self.sums.values())


@pytest.fixture
def fake() -> FakeTable:
    return FakeTable()


@pytest.fixture
def counts(fake: FakeTable, clock: Clock) -> UsageCounts:
    return UsageCounts(fake, TableHealth(clock), clock=clock)


def lines(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, int, int, int]]:
    """What the log says of usage that was held back: its level, and requests that are counted now, in doubt, and lost."""
    read = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [(line["level"], line["caught_up"], line["in_doubt"], line["lost"]) for line in read if "caught_up" in line]


def test_it_is_written_after_the_outage_with_two_calls(
    fake: FakeTable, counts: UsageCounts, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.failures = [(THROTTLED, False)]
    for _ in range(20):  # 1.9 s
        counts.add(KEY, Usage(10, 1, reasoning_tokens=1))
        clock.pass_(0.1)
    assert (fake.calls, fake.counted) == (1, 0)
    clock.pass_(0.1)
    counts.add("other", Usage(5))
    assert (fake.calls, fake.counted) == (3, 21)
    mine = fake.sums[f"usage#{KEY} 2026-09"]
    assert {name: mine[name] for name in ("n", "i", "o", "r")} == {"n": 20, "i": 200, "o": 20, "r": 20}
    assert lines(capsys) == [("INFO", 20, 0, 0)]
    counts.add(KEY, Usage(1))
    assert (fake.calls, fake.counted) == (4, 22)
    assert lines(capsys) == []


def test_days_and_months_stay_what_they_were(table: Table, client_of: ClientOf, clock: Clock) -> None:
    health = TableHealth(clock)
    counts = UsageCounts(client_of(table.url), health, clock=clock)
    for days in (0, 1, 10):  # 21, 22 September, 2 October
        clock.now = START + days * 86_400
        health.failed(Use.WRITE_CONSUMERS, THROTTLED)
        counts.add(KEY, Usage(10, 1))
        counts.add(KEY, Usage(10, estimated=True))
    clock.pass_(31)
    for _ in range(2):
        counts.add(KEY, Usage(1))
    items = {name: parse(item) for name, item in table.items(f"usage#{KEY}").items()}
    each = Counts(2, 20, 1, estimated=1, unpriced=2)
    assert items["2026-09"].days == {21: each, 22: each}
    assert items["2026-09"].total == Counts(4, 40, 2, estimated=2, unpriced=4)
    assert items["2026-10"].total == Counts(4, 22, 1, estimated=1, unpriced=4)


@pytest.mark.parametrize("fault", FAULTS)
def test_only_what_may_have_been_written_is_not_held(
    table: Table, client_of: ClientOf, clock: Clock, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    client = client_of(table.url)
    counts = UsageCounts(client, TableHealth(clock), clock=clock)
    table.server.answers.append(FAULTS[fault][0])
    patient = client._read_timeout
    client._read_timeout = 0.1 if fault == "silent" else patient  # a busy machine is slow to answer, too
    for _ in range(4):
        counts.add(KEY, Usage(1))
    client._read_timeout = patient
    clock.pass_(2)
    counts.add(KEY, Usage(1))
    unsure = fault in {"silent", "reset", "failing", "html", "garbage"}
    assert parse(table.items(f"usage#{KEY}")["2026-09"]).total.requests == (4 if unsure else 5)
    assert lines(capsys) == [("WARNING", 3, 1, 0) if unsure else ("INFO", 4, 0, 0)]


def test_what_was_never_sent_is_held(client_of: ClientOf, table: Table, clock: Clock) -> None:
    health = TableHealth(clock)
    counts = UsageCounts(client_of("http://127.0.0.1:1"), health, clock=clock)
    counts.add(KEY, Usage(1))
    assert not health.may(Use.WRITE_CONSUMERS)
    clock.pass_(2)
    counts.table = client_of(table.url)
    counts.add(KEY, Usage(1))
    assert parse(table.items(f"usage#{KEY}")["2026-09"]).total.requests == 2


def test_a_sum_that_cannot_be_written_either_is_held_on(
    fake: FakeTable, counts: UsageCounts, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.failures = [(THROTTLED, False), None, (THROTTLED, False)]
    counts.add(KEY, Usage(1))
    counts.add(KEY, Usage(1))
    clock.pass_(2)
    counts.add(KEY, Usage(1))
    assert (fake.calls, fake.counted) == (3, 1)
    clock.pass_(2)
    counts.add(KEY, Usage(1))
    assert fake.counted == 4
    assert lines(capsys) == [("INFO", 2, 0, 0)]


def test_a_sum_that_is_given_up_is_told(
    fake: FakeTable, counts: UsageCounts, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    told: dict[Exception, list[int]] = {TIMED_OUT: [2, 0], RefusedRequestError("x", "x"): [0, 2], RuntimeError(): [2, 0]}
    for failure, figures in told.items():
        fake.failures, fake.sums = [(THROTTLED, False), None, (failure, False)], {}
        for wait in (0, 0, 2, 2):
            clock.pass_(wait)
            counts.add(KEY, Usage(1))
        assert fake.counted == 2
        assert lines(capsys) == [("WARNING", 0, *figures)]


def test_a_request_that_dynamodb_refuses_is_not_held(
    fake: FakeTable, counts: UsageCounts, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.failures = [(RefusedRequestError("x", "x"), False)]
    counts.add(KEY, Usage(1))
    counts.add(KEY, Usage(1))
    assert (fake.calls, fake.counted) == (2, 1)
    assert lines(capsys) == []


def test_a_few_dozen_sums_are_held(
    fake: FakeTable, counts: UsageCounts, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.failures = [(THROTTLED, False)]
    most = held_usage.MOST_HELD
    for _ in range(3):
        for consumer in range(most + 5):
            counts.add(f"key{consumer}", Usage(1))
    clock.pass_(2)
    for requests in range(most):
        assert lines(capsys) == []
        calls = fake.calls
        counts.add(KEY, Usage(1))
        assert fake.calls == calls + 2
        assert fake.counted == (requests + 1) * (3 + 1)
    assert lines(capsys) == [("WARNING", most * 3, 0, 15)]


# Before a snapshot


def test_forgetting_writes_what_is_held(fake: FakeTable, counts: UsageCounts, capsys: pytest.CaptureFixture[str]) -> None:
    fake.failures = [(THROTTLED, False)]
    for consumer in ("a", "b", "c"):
        counts.add(consumer, Usage(1))
    counts.forget()
    assert (fake.calls, fake.counted) == (4, 3)
    assert lines(capsys) == [("INFO", 3, 0, 0)]
    counts.forget()
    assert fake.calls == 4


def test_forgetting_without_table_loses_it_after_one_call_and_says_so(
    fake: FakeTable, counts: UsageCounts, clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.failures = [(THROTTLED, False)] * 2
    for consumer in ("a", "b", "c"):
        counts.add(consumer, Usage(1))
    counts.forget()
    assert (fake.calls, fake.counted) == (2, 0)
    assert lines(capsys) == [("WARNING", 0, 0, 3)]
    clock.pass_(100)
    counts.add("a", Usage(1))
    assert fake.counted == 1
    assert lines(capsys) == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.sampled_from([0.0, 0.5, 3.0, 40.0, 86_400.0]),
            st.sampled_from([None, None, None, (THROTTLED, False), (TIMED_OUT, False), (TIMED_OUT, True)]),
            st.sampled_from([False] * 9 + [True]),
        ),
        max_size=60,
    )
)
def test_whatever_happens_no_request_is_counted_twice_and_every_one_is_accounted_for(
    steps: list[tuple[str, float, tuple[Exception, bool] | None, bool]],
) -> None:
    fake, clock, told = FakeTable(), Clock(), Counter[str]()
    counts = UsageCounts(fake, TableHealth(clock), clock=clock)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lambda_runtime.log.write_line", lambda line: told.update({name: line.get(name, 0) for name in TOLD}))
        for consumer, wait, failure, snapshot in steps:
            clock.pass_(wait)
            fake.failures, calls = [failure], fake.calls
            counts.add(consumer, Usage(7, 3))
            assert fake.calls <= calls + 2
            if snapshot:
                counts.forget()
                assert not counts._held.owes
        fake.failures = []
        counts.forget()
    assert fake.counted - fake.counted_in_doubt + told["in_doubt"] + told["lost"] == len(steps)
    assert fake.counted_in_doubt <= told["in_doubt"]
    assert told["lost"] == 0 or any(snapshot for *_, snapshot in steps)
    for sums in fake.sums.values():
        assert (sums["i"], sums["o"]) == (7 * sums["n"], 3 * sums["n"])
        assert sum(count for name, count in sums.items() if name[:2].isdecimal() and name[2:] == "n") == sums["n"]


def test_sums_add_up_by_attribute() -> None:
    held = HeldUsage()
    held.hold(usage_update(KEY, Usage(1, 2), START, 100))
    held.hold(usage_update(KEY, Usage(3, cached_tokens=1), START + 86_400))
    sums = {
        "n": 2, "21n": 1, "22n": 1, "i": 4, "21i": 1, "22i": 3, "o": 2, "21o": 2, "c": 1, "22c": 1,
        "u": 100, "21u": 100, "x": 1, "22x": 1,
    }  # fmt: skip
    assert held.sum(f"usage#{KEY}", "2026-09") == sums
    assert held.sum(f"usage#{KEY}", "2026-10") == {}
    taken = held.take()
    assert taken is not None
    assert taken.adds == sums
    assert held.take() is None
