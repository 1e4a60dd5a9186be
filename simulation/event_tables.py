"""What happens at each size when something happens: bursts, deployments, canaries, upstreams that fail, hot keys."""

from __future__ import annotations

from collections.abc import Iterable

from gateway_prices.quotas import PARTITION_WRITES
from simulation.cases import Case
from simulation.fault import Kind
from simulation.lambda_pool import Refused
from simulation.levels import percentile
from simulation.markdown import count, number, percent, row, seconds, size_name, table
from simulation.scenario import Result, Scenario, Version
from simulation.scenarios import EVENT, FAULT_SECONDS

Run = tuple[Case, Scenario, Result]

_STEPS = {False: "all at once", True: "5, 25, 50, 100 %, a minute each"}

OPENED, CLOSED = "circuit breaker opened", "circuit breaker closed"


def bursts(runs: Iterable[Run]) -> str:
    """A minute of many requests."""
    header = (
        "requests a day",
        "burst",
        "concurrency quota",
        "requests in the minute",
        "most at once",
        "refused for concurrency",
        "refused for the scaling rate",
        "first token p99",
    )
    rows = [
        row(
            size_name(case.size),
            f"{scenario.burst.times:g} times" if scenario.burst else "",
            count(scenario.concurrency),
            count(result.requests),
            count(result.executions.highest),
            percent(result.refused[Refused.CONCURRENCY] / result.requests),
            percent(result.refused[Refused.SCALING] / result.requests),
            seconds(result.first_token_at(99)),
        )
        for case, scenario, result in runs
    ]
    return table(header, rows)


def deployments(runs: Iterable[Run]) -> str:
    """A new version in the busiest hour."""
    header = (
        "requests a day",
        "release",
        "new instances",
        "more that Lambda could have started, at least",
        "wait for one",
        "refused for the scaling rate",
        "first token p99",
    )
    rows = [
        row(
            size_name(case.size),
            _STEPS[case.stepwise],
            count(result.started),
            count(result.spare),
            percent(result.cold / result.served),
            percent(result.refused[Refused.SCALING] / result.requests),
            seconds(result.first_token_at(99)),
        )
        for case, _scenario, result in runs
    ]
    return table(header, rows)


def canaries(runs: Iterable[Run]) -> str:
    """A canary of 5 % beside the stable version."""
    header = ("requests a day", "version", "requests a day of it", "wait for a new instance", "first token p50 / p99")
    rows = [
        row(
            size_name(case.size),
            name,
            count(version.served / (scenario.end - scenario.start) * 86_400),
            percent(version.cold / version.served),
            _times(version),
        )
        for case, scenario, result in runs
        for name, version in zip(("stable", "canary"), result.versions, strict=True)
    ]
    return table(header, rows)


def incidents(runs: Iterable[Run]) -> str:
    """The main upstream fails."""
    header = (
        "requests a day",
        "the upstream",
        "requests meanwhile, about",
        "failed for the client",
        "slower: met it",
        "their first byte p50 / p99",
        "opened after",
        "attempts at it: before, after, probes",
        "all closed after its end",
        "most at once",
        "refused by Lambda",
        "table: busiest second, reads / writes",
    )
    return table(header, [_incident(*run) for run in runs])


def _incident(case: Case, scenario: Scenario, result: Result) -> str:
    opened, closed = (result.lines.get(message, []) for message in (OPENED, CLOSED))
    first = opened[0] if opened else scenario.end
    before = sum(when <= first for when in result.failed_attempts)
    how = case.kind.value
    if case.kind is Kind.SILENT:
        how += f", {scenario.timeouts.first_content:g} s and {scenario.timeouts.unstreamed:g} s"
    if scenario.told_at_once:
        how += ", counted at once"
    return row(
        size_name(case.size),
        how,
        count(result.requests * FAULT_SECONDS / (scenario.end - scenario.count_from)),
        count(result.failed),
        count(len(result.late)),
        f"{seconds(percentile(result.late, 50))} / {seconds(percentile(result.late, 99))}" if result.late else "-",
        seconds(first - EVENT) if opened else "never",
        f"{before}, {len(result.failed_attempts) - before}, {result.probes}",
        seconds(closed[-1] - EVENT - FAULT_SECONDS) if closed else "-",
        count(result.executions.highest),
        percent(result.refusals / result.requests),
        f"{result.meter.all_reads.busiest} / {result.meter.all_writes.busiest}",
    )


def hot(runs: Iterable[tuple[float, Result]]) -> str:
    """One consumer's item at its limit.

    Args:
        runs: results by requests a second.
    """
    header = (
        "requests a second of one consumer",
        "write units wanted (of 1,000)",
        "additions refused",
        "counted late",
        "never counted",
        "table reads refused",
    )
    rows = []
    for rate, result in runs:
        usage, units = result.meter.hottest_write("usage#"), -(-result.usage_size // 1024)
        refused = usage.throttled
        lost = max(0, result.told - result.counted)
        rows.append(
            row(
                count(rate),
                f"{number(rate * units)} ({percent(rate * units / PARTITION_WRITES)})",
                percent(refused / max(1, usage.calls + refused)),
                percent(max(0, refused_answers(result) - lost) / result.told),
                percent(lost / result.told),
                percent(result.meter.all_reads.throttled / max(1, result.meter.all_reads.calls)),
            )
        )
    return table(header, rows)


def refused_answers(result: Result) -> int:
    """Answers whose usage was held back for a while: what its own write did not count."""
    return result.told - result.meter.hottest_write("usage#").calls if result.meter.hottest_write("usage#").throttled else 0


def _times(version: Version) -> str:
    return f"{seconds(percentile(version.first_token, 50))} / {seconds(percentile(version.first_token, 99))}"
