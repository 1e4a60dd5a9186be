"""What each size of memory costs and brings, as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from benchmarks.calls import Kind
from benchmarks.cpu_share import FULL
from benchmarks.latency import Latencies
from gateway_prices.aws import LAMBDA_ARM64_GB_SECOND, LAMBDA_MILLION_REQUESTS

SCENARIOS = {"JSON of 1 s": (1, Kind.JSON), "stream of 20 s": (20, Kind.STEADY)}
"""Seconds that the upstream takes, and the calls that show what the gateway adds to them."""


class Starts(NamedTuple):
    """Medians in milliseconds.

    Args:
        share: to the first `/next`, by the size's share of a processor.
        full: the same with a whole vCPU, which Lambda lends to a function while it starts.
        request: the first request after that, with its connection over TLS.
    """

    share: float
    full: float
    request: float


class Size(NamedTuple):
    """What was measured of one size.

    Args:
        memory: in MB.
        starts: of the function.
        calls: of each kind.
        largest: milliseconds of the largest request that Lambda takes, with the largest answer that is held back.
    """

    memory: int
    starts: Starts
    calls: Mapping[Kind, Latencies]
    largest: float


def million_requests(memory: int, *, seconds: float, added: float, start: float, cold: float) -> float:
    """Estimated USD that Lambda charges for a million requests.

    Args:
        memory: in MB.
        seconds: that the upstream takes to answer.
        added: milliseconds that the gateway adds.
        start: milliseconds of a start, which are charged too.
        cold: how many of the requests start an instance, 0 to 1.
    """
    billed = seconds + (added + cold * start) / 1000
    return LAMBDA_MILLION_REQUESTS + 1_000_000 * billed * memory / 1024 * LAMBDA_ARM64_GB_SECOND


def times(direct: Mapping[Kind, Latencies], sizes: Sequence[Size]) -> str:
    """What the gateway adds by its size, in Markdown.

    Args:
        direct: the direct calls.
        sizes: of the function.
    """
    rows = [
        (
            "memory MB",
            "vCPU",
            "start, its share",
            "start, whole vCPU",
            "first request",
            "JSON p50",
            "JSON p99",
            "new connection",
            "80 KB prompt",
            "first token",
            "200 chunks, 5 ms apart",
            "200 chunks at once",
            "largest request",
        )
    ]
    for size in sizes:
        added = {
            kind: (seen.first.p50 - direct[kind].first.p50, seen.total.p50 - direct[kind].total.p50)
            for kind, seen in size.calls.items()
        }
        worst = size.calls[Kind.JSON].total.p99 - direct[Kind.JSON].total.p99
        rows.append(
            (
                f"{size.memory}",
                f"{size.memory / FULL:.2f}",
                f"{size.starts.share:.0f}",
                f"{size.starts.full:.0f}",
                f"{size.starts.request:.0f}",
                f"{added[Kind.JSON][1]:+.2f}",
                f"{worst:+.2f}",
                f"{added[Kind.CLOSING][1]:+.1f}",
                f"{added[Kind.LONG][1]:+.1f}",
                f"{added[Kind.PACED][0]:+.2f}",
                f"{added[Kind.STEADY][1]:+.1f}",
                f"{added[Kind.BURST][1]:+.1f}",
                f"{size.largest:.0f}",
            )
        )
    return markdown(rows)


def costs(direct: Mapping[Kind, Latencies], sizes: Sequence[Size], *, cold: float) -> str:
    """What Lambda charges for a million requests by size, in Markdown.

    Args:
        direct: the direct calls.
        sizes: of the function.
        cold: how many of the requests start an instance, 0 to 1.
    """
    rows = [("memory MB", *(f"{name}, USD" for name in SCENARIOS), "of it for what the gateway adds, USD")]
    for size in sizes:
        total, own = [], []
        for seconds, kind in SCENARIOS.values():
            added = max(size.calls[kind].total.mean - direct[kind].total.mean, 0)
            charged = {"start": size.starts.share, "cold": cold}
            total.append(million_requests(size.memory, seconds=seconds, added=added, **charged))
            own.append(total[-1] - million_requests(size.memory, seconds=seconds, added=0, start=0, cold=0))
        rows.append((str(size.memory), *(f"{usd:.2f}" for usd in total), " / ".join(f"{usd:.2f}" for usd in own)))
    return markdown(rows)


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table.

    Args:
        rows: the first one is its head.
    """
    head, *body = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join([head, "|---" * len(rows[0]) + "|", *body])
