"""The table of peers, in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.calls import Kind
from benchmarks.memory_table import markdown
from benchmarks.peers.measuring import DIRECT, Results
from benchmarks.peers.peer import Peer

_KINDS = (Kind.JSON, Kind.PACED, Kind.BURST)
_ENOUGH = 100
"""Calls from which one of a hundred can be told. Of fewer the slowest says nothing."""


def render(peers: Sequence[Peer], results: Results) -> str:
    """The table, and below it who was left out and how each was run.

    Args:
        peers: all of them, in the table's order.
        results: of the run.
    """
    rows = [_head(results), _direct(results), *(_row(peer, results) for peer in peers if peer.key not in results.missing)]
    notes = [f"- **{peer.title}** {peer.setting}." for peer in peers]
    missing = [f"- **{peer.title}** was left out: {results.missing[peer.key]}" for peer in peers if peer.key in results.missing]
    return "\n\n".join([markdown(rows), *(["\n".join(missing)] if missing else []), "\n".join(notes)])


def _head(results: Results) -> tuple[str, ...]:
    return (
        "",
        "start s",
        "RSS MB",
        "size MB",
        "JSON p50 / p99 ms" if results.calls >= _ENOUGH else "JSON p50 ms",
        "first token ms",
        "200 chunks ms",
        "requests/s",
        "Retry-After of a 429",
        "a broken stream ends as",
        "usage of a stream",
    )


def _direct(results: Results) -> tuple[str, ...]:
    json, paced, burst = (results.latencies[kind][DIRECT] for kind in _KINDS)
    return (
        "a direct call",
        *("", "", ""),
        f"{json.total.p50:.2f}" + (f" / {json.total.p99:.2f}" if results.calls >= _ENOUGH else ""),
        f"{paced.first.p50:.2f}",
        f"{burst.total.p50:.2f}",
        f"{results.rates[DIRECT]:.0f}",
        *("", "", ""),
    )


def _row(peer: Peer, results: Results) -> tuple[str, ...]:
    key = peer.key
    json, paced, burst = ((results.latencies[kind][key], results.latencies[kind][DIRECT]) for kind in _KINDS)
    found = results.findings[key]
    rate = f"{results.rates[key]:.0f}"
    count, together = results.instances
    if key == "ours" and count:
        rate += f"; {count} instances {together:.0f}"
    return (
        peer.title,
        f"{results.starts[key] / 1000:.2f}",
        f"{results.memory[key]:.0f}",
        f"{results.sizes[key]:.1f}",
        f"{json[0].total.p50 - json[1].total.p50:+.2f}"
        + (f" / {json[0].total.p99 - json[1].total.p99:+.2f}" if results.calls >= _ENOUGH else ""),
        f"{paced[0].first.p50 - paced[1].first.p50:+.2f}",
        f"{burst[0].total.p50 - burst[1].total.p50:+.2f}",
        rate,
        found.retry_after,
        found.broken,
        found.usage,
    )
