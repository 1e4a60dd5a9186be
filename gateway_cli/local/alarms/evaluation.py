"""Evaluates an alarm as CloudWatch does: windows, missing data, and what follows for its state."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from gateway_cli.local.alarms.definitions import Definition, Statistic
from gateway_cli.local.alarms.metric_math import Values, evaluate
from gateway_cli.local.alarms.metric_store import MetricStore

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"

RESERVE = 2
"""Windows that CloudWatch looks at before those that an alarm names, in case data is missing in these. How many is not
documented; the examples of its guide have two."""

_LONGEST_STEP = 60
_LONGEST_REASON = 1023

_COMPARISONS: Mapping[str, tuple[str, Callable[[float, float], bool]]] = {
    "GreaterThanThreshold": ("greater than", operator.gt),
    "GreaterThanOrEqualToThreshold": ("greater than or equal to", operator.ge),
    "LessThanThreshold": ("less than", operator.lt),
    "LessThanOrEqualToThreshold": ("less than or equal to", operator.le),
}


class Verdict(NamedTuple):
    """What an evaluation has found.

    Args:
        state: that the alarm is to have.
        reason: for people, with the figures.
        data: the same for programs, JSON.
    """

    state: str
    reason: str
    data: str


def last_window(period: int, now: float) -> int:
    """The end of the last window of a period that is over, seconds since the epoch.

    Windows slide: those that are longer than a minute end with every minute, the others with their own length.
    """
    step = min(period, _LONGEST_STEP)
    return int(now // step) * step


def judge(definition: Definition, store: MetricStore, end: int, state: str) -> Verdict:
    """Evaluate an alarm.

    Args:
        definition: of the alarm.
        store: has the metrics.
        end: of the last window.
        state: that the alarm has.

    Raises:
        MetricMathError: if its expression cannot be computed here.
        KeyError: if its comparison is not one with a threshold, or its expressions need each other.
    """
    words, breaches = _COMPARISONS[definition.comparison]
    count = definition.periods + RESERVE
    starts = [end - definition.period * number for number in range(count, 0, -1)]
    series = _series(definition, store, starts)
    values = series[definition.watched]
    points = [None if value is None else breaches(value, definition.threshold) for value in values]
    found = state_of(points, definition.periods, definition.datapoints, definition.missing, state)
    recent = [(start, value) for start, value in zip(starts, values, strict=True) if value is not None][-definition.periods :]
    breaching = sum(breaches(value, definition.threshold) for _, value in recent)
    if recent:
        told = ", ".join(f"{value:.6g} ({_clock(start)})" for start, value in recent)
        reason = (
            f"Threshold Crossed: {breaching} out of the last {len(recent)} datapoints [{told}] "
            f"{'was' if breaching == 1 else 'were'} {words} the threshold ({definition.threshold:g})"
        )
        # Not CloudWatch's: what went into it, for whoever wonders.
        inputs = [f"{name} {_shown(series[name][-1])}" for name in definition.queries if name != definition.watched]
        reason += f"; in the last window: {', '.join(inputs)}" if inputs else ""
    else:
        reason = f"no datapoints were received for {definition.periods} periods and were treated as [{definition.missing}]"
    data = {
        "version": "1.0",
        "period": definition.period,
        "recentDatapoints": [value for _, value in recent],
        "threshold": definition.threshold,
    }
    return Verdict(found, reason[:_LONGEST_REASON], json.dumps(data))


def state_of(points: Sequence[bool | None], periods: int, datapoints: int, missing: str, state: str) -> str:
    """The state that follows from windows.

    As the guide "Configuring how CloudWatch alarms treat missing data" has it: real data of earlier windows counts before
    missing data is filled in, and an alarm does not ring as long as more windows may still show that all is well.

    Args:
        points: of each window, oldest first, whether it breaches; None where data is missing. More than `periods`.
        periods: how many are looked at.
        datapoints: how many must breach.
        missing: what missing data is taken for.
        state: that the alarm has.
    """
    real = [point for point in points if point is not None][-periods:]
    filled = periods - len(real)
    if not real:
        return {"breaching": ALARM, "notBreaching": OK, "ignore": state}.get(missing, INSUFFICIENT)
    breaching = sum(real)
    if breaching >= datapoints:
        return ALARM
    if not filled or missing == "notBreaching" or (not all(real) and missing != "breaching"):
        return OK
    if missing == "breaching":
        return ALARM if breaching + filled >= datapoints else OK
    if missing == "ignore":
        return state
    # Nothing but breaches and gaps: it rings once the oldest breach is old enough.
    oldest = max((age for age, point in enumerate(reversed(points[-periods:]), start=1) if point), default=0)
    return ALARM if oldest >= datapoints else state


def _series(definition: Definition, store: MetricStore, starts: Sequence[int]) -> dict[str, Values]:
    series: dict[str, Values] = {}
    waiting = dict(definition.queries)
    while waiting:
        for name, query in list(waiting.items()):
            if isinstance(query, Statistic):
                series[name] = [store.statistic(query.series, query.name, start, definition.period) for start in starts]
            elif waiting.keys().isdisjoint(_others(query, name, waiting)):
                series[name] = evaluate(query, series, len(starts))
            else:
                continue
            del waiting[name]
            break
        else:
            raise KeyError(f"expressions that need each other: {', '.join(waiting)}")
    return series


def _others(expression: str, own: str, names: Mapping[str, object]) -> set[str]:
    return {name for name in names if name != own and re.search(rf"\b{name}\b", expression)}


def _clock(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%H:%M:%S")


def _shown(value: float | None) -> str:
    return "no data" if value is None else f"{value:.6g}"
