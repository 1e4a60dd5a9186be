"""What must hold of a run, and what does not: each complaint names its request and its line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.soak import memory, usage_sums
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

_LAST = 2.0
_LAST_OF_SLOW = 30.0
"""Seconds before a worker's death in which it may have logged an answer of which the front had not read all: the front reads no
faster than the client."""


def complaints(record: Record) -> Iterator[str]:
    """All that is wrong with a run."""
    fates = {int(serial): found for serial, found in record.report["fates"].items()}
    for result in record.results:
        line = record.workers.lines.get(result.request_id)
        for words in _of_result(record, result, line, fates.get(result.serial, [])):
            raw = record.workers.raw(result.request_id) if result.request_id else "no request id"
            yield f"request {result.serial} ({result.format}, {result.model}, {result.end}): {words}\n    {raw[:1500]}"
    for serial, found in fates.items():
        attempts = [fate for fate in found if fate != KEY_REFUSED]
        if len(attempts) > ATTEMPTS:
            yield f"request {serial} had {len(attempts)} attempts: {', '.join(attempts)}"
    yield from _of_kills(record)
    yield from usage_sums.complaints(record)
    yield from memory.complaints(record.workers, record.options.requests)
    yield from (f"a defect: {line}" for line in record.workers.defects)
    yield from (f"the table was asked what it does not understand: {words}" for words in record.report["misunderstood"])
    if "Traceback" in record.errors:
        yield f"something else failed:\n{record.errors[-3000:]}"


def _of_result(record: Record, result: Result, line: Line | None, fates: list[str]) -> Iterator[str]:
    if result.wrong:
        yield result.wrong
    elif line is None or died(record, result):
        pass  # there is one at most for each worker that was killed, see `_of_kills`
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


def died(record: Record, result: Result) -> bool:
    """Whether a request died with its worker, and the client may know, or not have missed anything."""
    line = record.workers.lines.get(result.request_id)
    if line is None:
        return result.end is not End.REFUSED
    if result.end is End.CUT or result.code == FRONT:
        seconds = record.workers.killed.get(line.pid, 0.0) - line.moment
        return 0 <= seconds + 0.1 < (_LAST_OF_SLOW if result.slow else _LAST)
    return False


def _of_kills(record: Record) -> Iterator[str]:
    """There is one request under way in each worker at most."""
    unknown = [result for result in record.results if died(record, result)]
    if len(unknown) > len(record.workers.killed):
        yield (
            f"{len(unknown)} requests died with their workers, and {len(record.workers.killed)} workers were killed: "
            + ", ".join(f"{result.serial} ({result.end}, status {result.status} {result.code})" for result in unknown[:20])
        )


def by_end(results: list[Result]) -> Mapping[End, int]:
    """How many requests ended how."""
    return {end: sum(result.end is end for result in results) for end in End}
