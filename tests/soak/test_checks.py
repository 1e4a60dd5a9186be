"""The checks see what is wrong: a small record in which all is well, and one complaint for each thing that is changed in it."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lambda_runtime import runtime_client
from tests.soak import counted, memory
from tests.soak.asks import Ask
from tests.soak.checks import complaints
from tests.soak.configuration import BUSY_LIMIT, config
from tests.soak.faults import faults
from tests.soak.result import FRONT, End, Received, Result, judge
from tests.soak.run import Options, Record
from tests.soak.said import Wish, figures
from tests.soak.table_service import FIGURES, WRITTEN
from tests.soak.wires import SaidChat, SaidMessage
from tests.soak.workers import Line, Workers

STATE = 7
LIVING, KILLED = 11, 12
WISH = Wish(1, 6, 5)
ASK = Ask(1, "chat", "second-3", streamed=True, usage=True, consumer="search", body=b"")


def chat_stream() -> list[bytes]:
    return SaidChat(STATE, WISH, "alpha").apart()


def judged(*events: bytes, ask: Ask = ASK) -> Result:
    received = Received(
        200, {"x-amzn-requestid": "r1", "content-type": "text/event-stream"}, b"".join(events), whole=True, left=False
    )
    return judge(ask, received, slow=False)._replace(begun=100.0, ended=100.1)


def usage(serial: int) -> tuple[int, ...]:
    return (1, *figures(STATE, serial, messages=False), 0)


def line(pid: int, moment: float, **fields: Any) -> Line:
    whole = Line(pid, moment, "search", None, None, "alpha", 1, frozenset({"alpha"}))
    return whole._replace(**fields)


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """One whole answer; one that died with its worker; one for which its only upstream failed."""
    workers = Workers(tmp_path, 1, spared=1)
    workers.began = {LIVING: 90.0, KILLED: 90.0}
    workers.killed = {KILLED: 101.05}
    workers.lines = {
        "r1": line(LIVING, 100.1, usage=usage(1)),
        "r3": line(LIVING, 102.1, error="server_error"),
    }
    workers.served = Counter({LIVING: 13_000})
    workers.memory[LIVING] = [(served, 30.0) for served in range(50, 13_001, 50)]
    workers.blocks[LIVING] = [(served, 90_000 + served % 7) for served in range(500, 13_001, 500)]
    counted_usage = {f"search {name}": value for name, value in zip(FIGURES, usage(1), strict=True) if value}
    return Record(
        options=Options(requests=3, state=STATE),
        results=[
            judged(*chat_stream()),
            Result(2, "chat", "alone-3", True, False, End.ERROR, "r2", 502, FRONT, begun=101.0, ended=101.1),
            Result(3, "chat", "alone-4", False, False, End.ERROR, "r3", 502, "server_error", begun=102.0, ended=102.1),
        ],
        workers=workers,
        report={
            "fates": {"3": ["status 500", "status 500"]},
            "secrets": {"outages": []},
            "table": {"outages": []},
            "misunderstood": [],
        },
        sums={
            "held": {"search": {name.partition(" ")[2]: value for name, value in counted_usage.items()}},
            "fates": {str(LIVING): {WRITTEN: counted_usage}},
        },
        alive=[LIVING],
        seconds=3.0,
    )


def _changed(number: int, **fields: Any) -> Callable[[Record], None]:
    def change(record: Record) -> None:
        record.results[number] = record.results[number]._replace(**fields)

    return change


def _another_of_the_same_kill(record: Record) -> None:
    record.results.append(record.results[1]._replace(serial=4, end=End.CUT, code="", request_id="", status=0))


def _counted_twice(record: Record) -> None:
    for sums in (record.sums["held"]["search"], record.sums["fates"][str(LIVING)][WRITTEN]):
        sums.update({name: 2 * value for name, value in sums.items()})


def _one_token_more(record: Record) -> None:
    found = record.workers.lines["r1"]
    assert found.usage
    record.workers.lines["r1"] = found._replace(usage=(*found.usage[:2], found.usage[2] + 1, *found.usage[3:]))
    record.sums["held"]["search"]["o"] += 1
    record.sums["fates"][str(LIVING)][WRITTEN]["search o"] += 1


def _event_left_out(record: Record) -> None:
    events = chat_stream()
    record.results[0] = judged(*events[:3], *events[4:])


def _no_reason_to_end(record: Record) -> None:
    record.results[0] = judged(*(event for event in chat_stream() if b'"stop"' not in event))


def _held_by_the_killed(record: Record, first: float, outage: tuple[float, float] | None = None) -> None:
    """It had logged four requests of which the table does not know."""
    if outage:
        record.report["table"]["outages"] = [("failing", *outage)]
    record.workers.began[KILLED] = first
    for number in range(4):
        serial = 10 + number
        record.workers.lines[f"r{serial}"] = line(KILLED, 101.0 - number / 10, usage=usage(serial))


WRONG: dict[str, tuple[Callable[[Record], object], str]] = {
    "a line is missing": (lambda record: record.workers.lines.pop("r3"), "request 3 .*no worker knows of it"),
    "the front fails, and no worker was killed meanwhile": (
        _changed(1, begun=95.0, ended=95.1),
        "request 2 .*no worker knows of it",
    ),
    "two requests, and one kill": (_another_of_the_same_kill, "request 4 .*no worker knows of it"),
    "its own worker lives": (
        lambda record: record.workers.lines.update({"r2": line(LIVING, 101.05)}),
        "request 2 .*the front failed",
    ),
    "usage is counted twice": (_counted_twice, "worker 11, which lives"),
    "a token more than the upstream says": (_one_token_more, "the upstream has said"),
    "a piece of a text is missing": (_event_left_out, "it looks complete and is not"),
    "a stream ends for no reason": (_no_reason_to_end, "has not said why"),
    "a request is lost, and nothing failed": (lambda record: record.report["fates"].clear(), "lost without a fault"),
    "another upstream is left": (_changed(2, model="second-4"), "beta, which was well, was not asked"),
    "another upstream was well until later": (
        lambda record: (_changed(2, model="second-4")(record), record.workers.opened.update({"beta/m4": 200.0})),
        "beta, which was well, was not asked",
    ),
    "too many attempts": (
        lambda record: record.report["fates"].update({"3": ["status 500"] * 4}),
        "had 4 attempts",
    ),
    "a whole answer that nobody gave": (
        lambda record: record.report["fates"].update({"1": ["status 500"]}),
        "no upstream gave one",
    ),
    "resident memory grows": (
        lambda record: record.workers.memory.update({LIVING: [(n, 30 + n / 10_000) for n in range(50, 13_001, 50)]}),
        "memory grows by 1.00 MB",
    ),
    "blocks stay": (
        lambda record: record.workers.blocks.update({LIVING: [(n, 90_000 + n // 10) for n in range(500, 13_001, 500)]}),
        "keeps 0.100 blocks",
    ),
    "blocks are not counted": (lambda record: record.workers.blocks.clear(), "has not said how many blocks"),
    "a killed worker held usage without an outage": (
        lambda record: _held_by_the_killed(record, 90.0),
        "4 requests were lost, and it can have held 1",
    ),
    "the outage was over for long": (
        lambda record: _held_by_the_killed(record, 10.0, (20.0, 24.0)),
        "4 requests were lost, and it can have held 1",
    ),
}


def test_a_record_in_which_all_is_well(record: Record) -> None:
    assert list(complaints(record)) == []


@pytest.mark.parametrize("what", list(WRONG))
def test_it_is_one_complaint(what: str, record: Record) -> None:
    change, words = WRONG[what]
    change(record)
    (complaint,) = complaints(record)
    assert re.search(words, complaint), complaint


@pytest.mark.parametrize(
    "change",
    [
        # Its circuit is open, or it asked to be left alone.
        lambda record: record.workers.opened.update({"beta/m4": 101.0}),
        lambda record: record.workers.opened.update({"beta/*": 101.0}),
        lambda record: record.report["fates"].update({"3": ["status 429", "status 500"]}),
    ],
)
def test_an_upstream_that_rests_need_not_be_asked(change: Callable[[Record], object], record: Record) -> None:
    _changed(2, model="second-4")(record)
    change(record)
    assert list(complaints(record)) == []


@pytest.mark.parametrize("outage", [(100.0, 100.5), (60.0, 80.0)], ids=["under way", "within the back-off"])
def test_what_is_held_back_may_die_with_its_worker(outage: tuple[float, float], record: Record) -> None:
    _held_by_the_killed(record, 50.0, outage)
    assert list(complaints(record)) == []


@pytest.mark.parametrize(("end", "moment"), [(End.CUT, 101.05), (End.WHOLE, 103.0)])
def test_a_worker_may_die_before_its_line_is_written(end: End, moment: float, record: Record) -> None:
    """Of a whole answer the line may come later than the client's last byte."""
    record.workers.killed[KILLED] = moment
    _changed(1, end=end, code="")(record)
    assert list(complaints(record)) == []


@pytest.mark.parametrize("kind", [SaidChat, SaidMessage])
@pytest.mark.parametrize("streamed", [False, True])
def test_on_a_busy_machine_no_fault_lasts_until_a_time_out(kind: type[SaidChat | SaidMessage], *, streamed: bool) -> None:
    """So that a machine that stands still for seconds is not taken for one, and need not be waited for."""
    assert (
        config("http://127.0.0.1:1", BUSY_LIMIT).timeouts.idle == BUSY_LIMIT >= 10 * config("http://127.0.0.1:1").timeouts.idle
    )

    def names(*, silence: bool) -> set[str]:
        found, _ = faults(kind.operation, kind.name, streamed=streamed, large=False, silence=silence)
        return {fault.scenario.name for fault in found}

    left_out = names(silence=True) - names(silence=False)
    assert {"silent", "silent after the headers", "pings, comments or empty lines only"} <= left_out
    assert not [name for name in names(silence=False) if "silent" in name or "until" in name]


def test_messages_need_a_reason_to_end_too() -> None:
    ask = ASK._replace(format="messages")
    events = SaidMessage(STATE, WISH, "alpha").apart()
    assert judged(*events, ask=ask).end is End.WHOLE
    spoiled = [event.replace(b'"end_turn"', b"null") for event in events]
    assert "has not said why" in judged(*spoiled, ask=ask).wrong


@pytest.mark.parametrize(("leak", "seen"), [(0, False), (200, True)])
def test_a_leak_of_200_bytes_a_request_is_seen(leak: int, seen: bool) -> None:
    """As the workers count: the parser's work of each request, and what it leaves behind."""
    kept: list[bytes] = []
    samples: list[tuple[int, float]] = []
    for served in range(1, 6_001):
        judged(*chat_stream()[:4])
        if leak:
            kept.append(bytes(leak))
        if served % 500 == 0:
            samples.append((served, counted.blocks()))
    assert (memory.slope(samples) > memory.BLOCKS) == seen


def test_blocks_are_counted_between_requests_only() -> None:
    """The name by which that is told is the function's own."""
    assert counted.waits(sys._getframe()) is False
    assert counted.waits(None) is False
    seen: list[bool] = []

    class Client(runtime_client.RuntimeClient):
        def send(self, data: bytes) -> None:
            del data
            seen.append(counted.waits(sys._getframe()))
            raise ConnectionError

    with pytest.raises(ConnectionError):
        Client("127.0.0.1:1").get(b"/invocation/next")
    assert seen == [True]
