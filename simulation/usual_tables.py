"""What a usual day looks like at each size: instances, waiting, and the table's traffic."""

from __future__ import annotations

from collections.abc import Mapping

from gateway_prices.quotas import PARTITION_READS, PARTITION_WRITES
from simulation.inputs import DAY
from simulation.markdown import count, number, percent, row, seconds, size_name, table
from simulation.scenario import Result, Scenario
from simulation.scenarios import peak_rate

Usual = Mapping[int, tuple[Scenario, Result]]
"""Scenario and result by size."""


def instances_row(size: int, result: Result) -> str:
    """A size's line of `instances`."""
    return row(
        size_name(size),
        f"{number(size / DAY, 2)} / {number(peak_rate(size), 2)} / {result.arrivals.busiest}",
        f"{result.executions.percentile(50)} / {result.executions.percentile(99)} / {result.executions.highest}",
        result.instances.highest,
        percent(result.cold / result.served),
        f"{seconds(result.first_token_at(50))} / {seconds(result.first_token_at(99))}",
        f"{seconds(result.first_token_at(50, warm=True))} / {seconds(result.first_token_at(99, warm=True))}",
    )


def instances(usual: Usual) -> str:
    """Rates, executions, instances and the time to the first token."""
    header = (
        "requests a day",
        "a second: mean / busiest hour / busiest second",
        "executions at once in that hour: p50 / p99 / most",
        "instances",
        "wait for a new one",
        "first token: p50 / p99",
        "the same without those",
    )
    return table(header, [instances_row(size, result) for size, (_scenario, result) in usual.items()])


def traffic_row(size: int, scenario: Scenario, result: Result) -> str:
    """A size's line of `traffic`."""
    meter, length = result.meter, scenario.end - scenario.count_from
    hottest = [
        (meter.hottest_read("state"), PARTITION_READS),
        (meter.hottest_write("window#"), PARTITION_WRITES),
        (meter.hottest_write("usage#"), PARTITION_WRITES),
    ]
    return row(
        size_name(size),
        f"{number(meter.all_reads.units / length, 2)} / {meter.all_reads.busiest}",
        f"{number(meter.all_writes.units / length, 2)} / {meter.all_writes.busiest}",
        *(f"{each.busiest} ({percent(each.busiest / most)})" for each, most in hottest),
        number(result.started * scenario.inputs.upstreams / length, 2),
    )


def traffic(usual: Usual) -> str:
    """Capacity units of the table, and of its hottest keys."""
    header = (
        "requests a day",
        "read units a second: mean / busiest second",
        "write units: mean / busiest",
        "busiest second of `state` (of 3,000 reads)",
        "of a model's window (of 1,000 writes)",
        "of a consumer's month (of 1,000 writes)",
        "secrets read a second",
    )
    return table(header, [traffic_row(size, scenario, result) for size, (scenario, result) in usual.items()])


def keep_alive(results: Mapping[float, Mapping[int, Result]]) -> str:
    """How much rests on the assumption of when Lambda ends an idle instance.

    Args:
        results: by idle time and size.
    """
    sizes = next(iter(results.values()))
    header = ("ended when idle for", *(f"{size_name(size)} a day" for size in sizes))
    rows = [
        row(f"{count(idle / 60)} min", *(percent(result.cold / result.served) for result in by_size.values()))
        for idle, by_size in results.items()
    ]
    return table(header, rows)
