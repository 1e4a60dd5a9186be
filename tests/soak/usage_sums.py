"""The sums of usage: what the lines say, what the table was told, what it holds.

For each worker and consumer, and each figure (requests, input, output, cached, written to a cache, reasoning, estimated):

    logged = written + in doubt and not written + lost with the worker

where the last is 0 for each worker that lives. Over all workers:

    whole answers - whole answers without a line + others that cost something = logged
    logged - in doubt and not written - lost with killed workers = table
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from lambda_runtime.state.table_health import LONGEST_BACK_OFF
from tests.soak.table_service import DOUBT_UNWRITTEN, DOUBT_WRITTEN, FIGURES, WRITTEN
from tests.soak.workers import Workers

if TYPE_CHECKING:
    from tests.soak.run import Record

Sums = Counter[str]
"""By `consumer figure`."""

_CAUGHT_UP = LONGEST_BACK_OFF + 5.0
"""Seconds after an outage behind which a worker asks the table again, with the next of its requests."""

_SLACK = 1.0
"""Seconds between what a worker does and when its lines are read."""


def logged(workers: Workers) -> dict[int, Sums]:
    """What the lines of each worker add up to."""
    found: defaultdict[int, Sums] = defaultdict(Counter)
    for line in workers.lines.values():
        if line.usage is not None:
            found[line.pid].update(
                {f"{line.consumer} {name}": value for name, value in zip(FIGURES, line.usage, strict=True) if value}
            )
    return found


def told(sums: Mapping[str, Any], pid: int, *fates: str) -> Sums:
    """What became of a worker's additions, as far as it is one of some fates."""
    found: Sums = Counter()
    for fate, counts in sums["fates"].get(str(pid), {}).items():
        if fate in fates:
            found.update(counts)
    return found


def missing(sums: Mapping[str, Any], pid: int, lines: Mapping[int, Sums]) -> Sums:
    """What a worker has logged and the table was not told of. Negative where it was told more."""
    found = Counter(lines.get(pid, {}))
    found.subtract(told(sums, pid, WRITTEN, DOUBT_WRITTEN, DOUBT_UNWRITTEN))
    return Counter({name: value for name, value in found.items() if value})


def settled(workers: Workers, sums: Mapping[str, Any]) -> bool:
    """Whether no living worker holds anything back."""
    lines = logged(workers)
    return not any(missing(sums, pid, lines) for pid in workers.alive)


def by_figure(sums: Iterable[Sums]) -> dict[str, int]:
    """Sums of all consumers, by figure."""
    found: Sums = Counter()
    for each in sums:
        for name, value in each.items():
            found[name.rpartition(" ")[2]] += value
    return {name: found[name] for name in FIGURES}


def complaints(record: Record) -> Iterable[str]:
    """What does not add up."""
    workers, sums = record.workers, record.sums
    lines = logged(workers)
    for pid in workers.began:
        lacks = missing(sums, pid, lines)
        if pid in record.alive and lacks:
            yield f"the table was not told of {dict(lacks)} by worker {pid}, which lives (negative: told too much)"
        elif any(value < 0 for value in lacks.values()):
            yield f"the table was told too much by worker {pid}: {dict(lacks)}"
        elif lacks:
            yield from _lost_too_much(record, pid, by_figure([lacks])["n"])
        if pid in record.alive:
            yield from _untold(record, pid)
    yield from _table(record)


def _lost_too_much(record: Record, pid: int, lost: int) -> Iterable[str]:
    """A killed worker takes with it the request under way, and what it held back since the table failed."""
    workers = record.workers
    died = workers.killed.get(pid)
    if died is None:
        yield f"worker {pid} has ended by itself"
        return
    moments = [line.moment for line in workers.lines.values() if line.pid == pid and line.usage is not None]
    since = _holds_since(record, pid, died, moments)
    may = 1 + (sum(moment >= since - _SLACK for moment in moments) if since < died else 0)
    if lost > may:
        yield f"with worker {pid} {lost} requests were lost, and it can have held {may}"


def _holds_since(record: Record, pid: int, died: float, moments: list[float]) -> float:
    """When a worker can have begun to hold back what it still held when it died; then itself if it held nothing."""
    outages = [(began, ended) for _, began, ended in record.report["table"]["outages"]]
    # On a busy machine the table may be too slow for it in between.
    outages += [(moment - _SLACK, moment) for moment in record.workers.table_troubles[pid]]
    since = died
    for began, ended in sorted(outages, key=lambda outage: outage[1], reverse=True):
        if began >= died or ended < record.workers.began[pid] - _SLACK:
            continue
        # One request asks the table again, and the next finds that nothing is held any more.
        if sum(ended + _CAUGHT_UP < moment < since for moment in moments) > 1:
            break
        since = min(since, began)
    return since


def _untold(record: Record, pid: int) -> Iterable[str]:
    """What is in doubt or lost must be told in the log. A late answer is in doubt to the worker only."""
    known = by_figure([told(record.sums, pid, DOUBT_WRITTEN, DOUBT_UNWRITTEN)])["n"]
    said = record.workers.held_back[pid]
    if said["in_doubt"] < known:
        yield f"worker {pid} says that {said['in_doubt']} requests may not be counted, and they are {known}"
    if said["lost"]:
        yield f"worker {pid} says that {said['lost']} requests are lost, and nothing was refused for good"


def _table(record: Record) -> Iterable[str]:
    written: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for pid in record.workers.began:
        for name, value in told(record.sums, pid, WRITTEN, DOUBT_WRITTEN).items():
            consumer, _, figure = name.partition(" ")
            written[consumer][figure] += value
    for consumer in {*written, *record.sums["held"]}:
        held = {name: value for name, value in record.sums["held"].get(consumer, {}).items() if value}
        if dict(written[consumer]) != held:
            yield f"the table holds {held} of {consumer}, and was told {dict(written[consumer])}"
