"""What must hold of a run, and what does not: each complaint names its request and its line."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from tests.soak import memory, usage_sums
from tests.soak.asks import ROUTES
from tests.soak.result import FRONT, End, Result
from tests.soak.run import Record
from tests.soak.said import Figures, figures
from tests.soak.upstreams import HARMLESS, KEY_REFUSED, WELL
from tests.soak.workers import Line

ATTEMPTS = 3
_CREDENTIALS = frozenset({"upstream_credentials"})
_REFRESH_PAUSE = 11.0
"""Seconds, and one more, after which a key is fetched again that could not be."""

_LOST = frozenset({End.ERROR, End.TOLD, End.CUT})

_NOTICED = 1.0
_NOTICED_BUSY = 10.0
"""Seconds after a worker's death in which the front may still give it a request; the same on a busy machine."""

_LOGGED = 10.0
"""Seconds in which a worker logs an answer of which the client has all: a busy machine takes a while."""

_PASSED_OVER = 5.0
"""Seconds in which an upstream may be passed over before the line that says why is read."""


def complaints(record: Record) -> Iterator[str]:
    """All that is wrong with a run."""
    fates = {int(serial): found for serial, found in record.report["fates"].items()}
    died, rested = deaths(record), _rested(record, fates)
    for result in record.results:
        line = record.workers.lines.get(result.request_id)
        found = fates.get(result.serial, [])
        for words in [*_of_result(record, result, line, found, died), *_of_failover(result, line, rested)]:
            raw = record.workers.raw(result.request_id) if result.request_id else "no request id"
            yield f"request {result.serial} ({result.format}, {result.model}, {result.end}): {words}\n    {raw[:1500]}"
    for serial, found in fates.items():
        attempts = [fate for fate in found if fate != KEY_REFUSED]
        if len(attempts) > ATTEMPTS:
            yield f"request {serial} had {len(attempts)} attempts: {', '.join(attempts)}"
    yield from usage_sums.complaints(record)
    yield from memory.complaints(record.workers, record.options.requests)
    yield from (f"a defect: {line}" for line in record.workers.defects)
    yield from (f"the table was asked what it does not understand: {words}" for words in record.report["misunderstood"])
    if "Traceback" in record.errors:
        yield f"something else failed:\n{record.errors[-3000:]}"


def _of_result(record: Record, result: Result, line: Line | None, fates: list[str], died: Mapping[int, int]) -> Iterator[str]:
    if result.wrong:
        yield result.wrong
    elif result.serial in died or result.end is End.REFUSED:
        pass
    elif line is None:
        yield f"no worker knows of it, and none was killed for it (status {result.status} {result.code})"
    elif result.end in _LOST:
        yield from _of_lost(record, result, line, fates)
    elif result.end is End.WHOLE and fates and not (WELL in fates or any(fate.startswith(HARMLESS) for fate in fates)):
        yield f"a whole answer, and no upstream gave one: {', '.join(fates)}"
    if line is not None and line.usage is not None and not line.usage[-1]:
        wanted = _figures(record.options.state, result, line)
        if line.usage[1:-1] != tuple(wanted):
            yield f"the line says {line.usage[1:-1]}, and the upstream has said {tuple(wanted)}"
    if line is not None and result.end is End.WHOLE and (line.usage is None or line.usage[-1]):
        yield "a whole answer whose usage is not counted, or estimated"


def _of_lost(record: Record, result: Result, line: Line, fates: list[str]) -> Iterator[str]:
    """A request that was answered with an error, or not to its end."""
    if result.code == FRONT:
        yield "the front failed, and the function knows nothing of it"
        return
    harmful = [fate for fate in fates if not fate.startswith(HARMLESS) and fate not in {WELL, KEY_REFUSED}]
    gone = result.model.startswith("gone")
    if not harmful and not gone and not _without_key(record, line):
        killed = record.workers.killed.get(line.pid)
        yield f"lost without a fault: {line.error}; worker {line.pid}" + (
            f" was killed {killed - line.moment:.1f} s after its line" if killed else ""
        )
    if WELL in fates or any(fate.startswith(HARMLESS) for fate in fates):
        yield f"lost although an upstream answered: {', '.join(fates)}"
    if result.end is End.CUT and result.streamed:
        yield "a stream was cut, and its client was not told"


def _without_key(record: Record, line: Line) -> bool:
    """Whether no key was to be had at that time."""
    return line.error in _CREDENTIALS and any(
        began <= line.moment <= ended + _REFRESH_PAUSE for _, began, ended in record.report["secrets"]["outages"]
    )


def _figures(state: int, result: Result, line: Line) -> Figures:
    """What the upstream that answered says that a request costs."""
    messages = line.upstream == "delta" or (line.upstream in {"alpha", "beta"} and result.format == "messages")
    told = figures(state, result.serial, messages=messages)
    return Figures(told.input, 0, 0, 0, 0) if result.format == "embeddings" else told


def deaths(record: Record) -> dict[int, int]:
    """The requests that died with their workers, by their serial numbers, and with which.

    A worker that is killed takes one request with it at most: one that was under way then, and whose client may know, or not
    have missed anything.
    """
    killed, found = dict(record.workers.killed), dict[int, int]()
    unlogged: list[tuple[float, float, int]] = []
    noticed = _NOTICED_BUSY if record.options.busy else _NOTICED
    for result in record.results:
        line = record.workers.lines.get(result.request_id)
        broken = result.end is End.CUT or result.code == FRONT
        if line is None and result.end is not End.REFUSED:
            last = result.ended if broken else result.ended + _LOGGED
            unlogged.append((last, result.begun - (noticed if broken else 0), result.serial))
        elif line is not None and broken and result.begun <= killed.get(line.pid, 0.0) <= result.ended:
            # It was logged, and the front had not read all of it: it reads no faster than the client.
            found[result.serial] = line.pid
            del killed[line.pid]
    for pid, moment in sorted(killed.items(), key=lambda kill: kill[1]):
        # The one that can wait the least: so as many as can be have one of their own.
        fitting = min((one for one in unlogged if one[1] <= moment <= one[0]), default=None)
        if fitting is not None:
            found[fitting[2]] = pid
            unlogged.remove(fitting)
    return found


def _of_failover(result: Result, line: Line | None, rested: Mapping[str, float]) -> Iterator[str]:
    """An error although another upstream was left, and had no reason to rest."""
    retried = result.end is End.ERROR and (result.status >= 500 or result.status in {408, 429})
    if line is None or not retried or result.code == FRONT or line.attempts >= ATTEMPTS:
        return
    route, _, number = result.model.partition("-")
    for upstream in ROUTES[route]:
        since = min(rested.get(f"{upstream}/{name}", math.inf) for name in (f"m{number}", "*"))
        if upstream not in line.asked and line.moment + _PASSED_OVER < since:
            yield f"answered with an error, and {upstream}, which was well, was not asked"


def _rested(record: Record, fates: Mapping[int, list[str]]) -> dict[str, float]:
    """From when on each target may have been left alone: its circuit opened, or it wanted to be by a 429."""
    rested = dict(record.workers.opened)
    for result in record.results:
        if any(fate.startswith("status 429") for fate in fates.get(result.serial, [])):
            route, _, number = result.model.partition("-")
            for target in (f"{upstream}/m{number}" for upstream in ROUTES[route]):
                rested[target] = min(rested.get(target, math.inf), result.begun)
    return rested
