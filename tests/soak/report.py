"""What a run has come to, as a table for the terminal and the document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median, quantiles

from benchmarks.document import machine, with_block
from tests.soak import memory, usage_sums
from tests.soak.asks import ROUTES
from tests.soak.checks import deaths
from tests.soak.result import End
from tests.soak.run import Record
from tests.soak.table_service import DOUBT_UNWRITTEN
from tests.soak.upstreams import KEY_REFUSED

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "hardening.md"
_BLOCK = "soak"

Row = tuple[str, str]


def rows(record: Record) -> list[Row]:
    """What there is to say, line by line."""
    return [*_requests(record), *_troubles(record), *_services(record), *_memory(record)]


def usage_rows(record: Record) -> list[tuple[str, int, int, int]]:
    """The sums of usage: what, requests, tokens in, tokens out."""
    workers, lines = record.workers, usage_sums.logged(record.workers)
    asked = {result.request_id: result for result in record.results}
    whole = [result for result in record.results if result.end is End.WHOLE and result.figures]
    reported, unlogged = Counter[str](), Counter[str]()
    for result in whole:
        assert result.figures
        # What an embedding writes is nothing.
        written = 0 if result.format == "embeddings" else result.figures.output
        figures = {"n": 1, "i": result.figures.input, "o": written}
        reported.update(figures)
        if result.request_id not in workers.lines:
            unlogged.update(figures)
    others = Counter[str]()
    for request_id, line in workers.lines.items():
        if line.usage is not None and (request_id not in asked or asked[request_id].end is not End.WHOLE):
            others.update(dict(zip("nio", line.usage[:3], strict=True)))
    doubt = usage_sums.by_figure(usage_sums.told(record.sums, pid, DOUBT_UNWRITTEN) for pid in workers.began)
    died = usage_sums.by_figure(usage_sums.missing(record.sums, pid, lines) for pid in workers.began if pid not in record.alive)
    logged = usage_sums.by_figure(lines.values())
    held = {name: sum(sums.get(name, 0) for sums in record.sums["held"].values()) for name in "nio"}

    def row(words: str, figures: Counter[str] | dict[str, int]) -> tuple[str, int, int, int]:
        return words, figures.get("n", 0), figures.get("i", 0), figures.get("o", 0)

    return [
        row("reported by upstreams for whole answers", reported),
        row("- of workers killed before they had logged them", unlogged),
        row("+ of answers that broke or whose clients left", others),
        row("= logged by the function", logged),
        row("- in doubt to the function, and not written", doubt),
        row("- held by workers when they were killed", died),
        row("= in the table", held),
    ]


def unbalanced(record: Record) -> list[str]:
    """What of the sums is not what the lines before it come to."""
    table = usage_rows(record)
    wrong = []
    for column, name in enumerate(("requests", "tokens in", "tokens out"), start=1):
        figure = [int(row[column]) for row in table]
        if figure[0] - figure[1] + figure[2] != figure[3] or figure[3] - figure[4] - figure[5] != figure[6]:
            wrong.append(f"the sums of {name} do not add up: {figure}")
    return wrong


def render(record: Record) -> str:
    """Both tables, in Markdown."""
    options = record.options
    head = (
        f'{machine()}. `make soak ARGS="--requests {options.requests} --random-state {options.state} '
        f'--workers {options.workers} --clients {options.clients}"`'
    )
    sums = [(words, *(f"{figure:,}" for figure in figures)) for words, *figures in usage_rows(record)]
    return "\n\n".join(
        [
            head,
            _table(("", ""), rows(record)),
            _table(("usage", "requests", "tokens in", "tokens out"), sums),
            _table(("faults of upstreams", "attempts"), _kinds(record)),
        ]
    )


def write(record: Record) -> None:
    """Put the tables into the document."""
    DOCUMENT.write_text(with_block(DOCUMENT.read_text("utf-8"), _BLOCK, render(record)), "utf-8")


def _table(header: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rule = "|---|" + "---:|" * (len(header) - 1)
    return "\n".join(["| " + " | ".join(header) + " |", rule, *("| " + " | ".join(line) + " |" for line in lines)])


def _requests(record: Record) -> list[Row]:
    results, lines = record.results, record.workers.lines
    ends = Counter(result.end for result in results)
    made_good = sum(
        result.end is End.WHOLE and result.request_id in lines and lines[result.request_id].attempts > 1 for result in results
    )
    statuses = Counter(result.status for result in results if result.end is End.ERROR)
    times = [result.milliseconds for result in results if result.end is End.WHOLE and not result.slow]
    fates = record.report["fates"]
    well = [
        result.milliseconds
        for result in results
        if result.end is End.WHOLE and not result.slow and str(result.serial) not in fates
    ]
    slow = [result for result in results if result.slow]
    return [
        ("requests", f"{len(results):,}"),
        ("time; requests a second", f"{record.seconds:.0f} s; {len(results) / record.seconds:.0f}"),
        *((str(end), f"{ends[end]:,}") for end in End),
        ("errors by status", ", ".join(f"{status}: {number:,}" for status, number in sorted(statuses.items()))),
        ("whole answers after more than one attempt", f"{made_good:,}"),
        ("errors of upstreams with another one left unasked, its circuit open", f"{_unasked(record):,}"),
        ("requests of slow clients; those of them that left", f"{len(slow):,}; {sum(r.end is End.LEFT for r in slow):,}"),
        ("whole answers to others, p50 / p99", _times(times)),
        ("the same without a fault", _times(well)),
    ]


def _unasked(record: Record) -> int:
    """How many requests ended with an error although their routes have further upstreams."""
    found = 0
    for result in record.results:
        line = record.workers.lines.get(result.request_id)
        if line is not None and result.end is End.ERROR and (result.status >= 500 or result.status in {408, 429}):
            found += bool(set(ROUTES[result.model.partition("-")[0]]) - line.asked)
    return found


def _troubles(record: Record) -> list[Row]:
    workers, report = record.workers, record.report
    died = deaths(record)
    ends = Counter(result.end for result in record.results if result.serial in died)
    opened = sum(number for words, number in workers.messages.items() if "circuit breaker opened" in words)
    faults = sum(sum(kinds.values()) for kinds in report["kinds"].values())
    return [
        ("attempts at upstreams; with a fault", f"{report['asked']:,}; {faults:,}"),
        ("circuit breakers opened", f"{opened:,}"),
        ("workers; killed", f"{len(workers.began):,}; {len(workers.killed):,}"),
        ("requests that died with their workers", ", ".join(f"{end}: {number}" for end, number in ends.items()) or "0"),
    ]


def _services(record: Record) -> list[Row]:
    workers, table, secrets = record.workers, record.report["table"], record.report["secrets"]
    held = Counter[str]()
    for counts in workers.held_back.values():
        held.update(counts)
    no_key = sum(line.error == "upstream_credentials" for line in workers.lines.values())
    refused = sum(fate == KEY_REFUSED for found in record.report["fates"].values() for fate in found)
    return [
        ("calls of the table", f"{table['calls']:,}"),
        ("its outages; seconds of them", _outages(table["outages"])),
        ("calls that came during one, by kind", ", ".join(f"{kind}: {number:,}" for kind, number in table["met"].items())),
        ("requests whose usage was held back and counted later", f"{held['caught_up']:,}"),
        ("requests that the log says may not be counted; are not", f"{held['in_doubt']:,}; {held['lost']:,}"),
        ("outages of Secrets Manager; seconds of them", _outages(secrets["outages"])),
        ("its calls; those that met one", f"{secrets['calls']:,}; {sum(secrets['met'].values()):,}"),
        ("requests for which no key was to be had meanwhile", f"{no_key:,}"),
        ("rotations of keys; requests that met one and were served", f"{record.report['rotations']:,}; {refused:,}"),
    ]


def _memory(record: Record) -> list[Row]:
    found = memory.growths(record.workers)
    if not found:
        return [("memory", "too few requests to tell")]
    parts = "; ".join(f"{g.first:.1f} to {g.last:.1f} MB in {g.served:,}" for g in found)
    return [
        ("memory of workers that were not killed: begin, end, requests", parts),
        ("growth in 10,000 requests: middle, most", f"{_middle(found):+.2f} MB, {max(g.rate for g in found):+.2f} MB"),
        ("blocks of memory that stay of a request, most", f"{max(g.blocks for g in found):+.4f}"),
    ]


def _middle(found: list[memory.Growth]) -> float:
    return median(growth.rate for growth in found)


def _outages(outages: Sequence[tuple[str, float, float]]) -> str:
    return f"{len(outages)}; {sum(ended - began for _, began, ended in outages):.0f}"


def _times(times: Sequence[float]) -> str:
    return f"{median(times):.0f} / {quantiles(times, n=100)[98]:.0f} ms" if len(times) > 1 else "none"


def _kinds(record: Record) -> list[Row]:
    kinds = [(name, number) for found in record.report["kinds"].values() for name, number in found.items()]
    return [(name, f"{number:,}") for name, number in sorted(kinds, key=lambda kind: (-kind[1], kind[0]))]
