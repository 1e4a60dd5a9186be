"""What the runs say, in sentences whose figures are theirs."""

from __future__ import annotations

from gateway_prices.quotas import CONCURRENCY, PARTITION_WRITES, SCALING_SECONDS, SCALING_UNITS, SECRET_READS, WRITE_UNIT_BYTES
from simulation.cases import LARGEST, Case, Results, What
from simulation.event_tables import OPENED
from simulation.fault import Kind
from simulation.inputs import GIVEN
from simulation.markdown import count, percent, seconds, size_name
from simulation.scenario import Result
from simulation.scenarios import DEFAULT_TIMEOUTS, EVENT, SHORT_TIMEOUTS, advised_concurrency


def findings(results: Results) -> str:
    """A list.

    Args:
        results: of all cases.
    """
    day = results[Case(What.USUAL, LARGEST)][1]
    said = (
        _concurrency(day, results[Case(What.SMALL_QUOTA, LARGEST, CONCURRENCY)][1]),
        _silence(*(results[Case(what, LARGEST, kind=Kind.SILENT)][1] for what in (What.INCIDENT, What.SHORT_TIMEOUTS))),
        _deployment(*(results[Case(What.DEPLOYMENT, LARGEST, stepwise=stepwise)][1] for stepwise in (False, True))),
        _told(*(results[Case(what, LARGEST)][1] for what in (What.INCIDENT, What.TOLD_AT_ONCE))),
        _secrets(),
        _hottest(day),
    )
    return "\n".join(f"{index}. {each}" for index, each in enumerate(said, start=1))


def _concurrency(day: Result, small: Result) -> str:
    return (
        f"**Concurrency is the first limit.** {size_name(LARGEST)} requests a day have {count(day.executions.highest)} "
        f"executions at once in the busiest hour; with the quota of {count(CONCURRENCY)} Lambda refuses "
        f"{percent(small.refusals / small.requests)} of them."
    )


def _silence(silent: Result, short: Result) -> str:
    timeouts = f"Timeouts(first_content={SHORT_TIMEOUTS.first_content:g}, unstreamed={SHORT_TIMEOUTS.unstreamed:g})"
    return (
        f"**A silent provider costs more concurrency than any peak.** Until {seconds(silent.lines[OPENED][0] - EVENT)} after "
        "it fell silent, when the first streams have waited in vain, every request is sent to it, and one without streaming "
        f"waits {seconds(DEFAULT_TIMEOUTS.unstreamed)}: {count(silent.executions.highest)} executions at once at "
        f"{size_name(LARGEST)} a day. {percent(silent.refusals / silent.requests)} of the requests are refused although the "
        f"quota is {count(advised_concurrency(LARGEST))}, since instances cannot start fast enough. With `{timeouts}` it is "
        f"{count(short.executions.highest)} executions, and {percent(short.refusals / short.requests)} are refused."
    )


def _deployment(at_once: Result, stepwise: Result) -> str:
    return (
        f"**A deployment all at once is a cold start of everything.** At {size_name(LARGEST)} a day {count(at_once.started)} "
        f"instances start, nearly all of them within seconds. A function gets {count(SCALING_UNITS)} at once and "
        f"{count(SCALING_UNITS / SCALING_SECONDS)} a second then, of which {count(at_once.spare)} are left when it is closest "
        f"({percent(at_once.refusals / at_once.requests)} of the requests are refused). In the steps of a canary "
        f"{count(stepwise.spare)} are left."
    )


def _told(usual: Result, at_once: Result) -> str:
    opened, sooner = (seconds(result.lines[OPENED][0] - EVENT) for result in (usual, at_once))
    return (
        "**A circuit opens when answers end, not when attempts fail.** What failed is counted after the answer that another "
        f"upstream then gave: at {size_name(LARGEST)} a day a circuit opens {opened} after an upstream began to refuse, and "
        f"{count(len(usual.late))} requests met it. Counted as soon as the next upstream is asked, it would be {sooner} and "
        f"{count(len(at_once.late))}. Requests that failed for that: {count(usual.failed + at_once.failed)}. Each of them was "
        "a few tenths of a second slower."
    )


def _secrets() -> str:
    starting = SCALING_UNITS / SCALING_SECONDS * GIVEN.upstreams
    return (
        "**Secrets Manager does not notice.** A function that starts instances as fast as it may reads "
        f"{count(starting)} secrets a second of {count(SECRET_READS)}, after {count(SCALING_UNITS * GIVEN.upstreams)} at once."
    )


def _hottest(day: Result) -> str:
    units = -(-day.usage_size // WRITE_UNIT_BYTES)
    return (
        f"**A consumer's month is the hottest item.** On a month's last day it has {count(day.usage_size)} bytes, {units} "
        f"write units for each answer: one consumer is at the limit with {count(PARTITION_WRITES / units)} answers a second, "
        f"a model, whose window takes 1 unit, with {count(PARTITION_WRITES)}."
    )
