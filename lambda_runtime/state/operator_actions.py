"""What an operator says about targets, and what stands in the table about them: for the operator's commands.

Pure, without boto3. With its low-level client:

    for update in open_breaker("openai", seconds=600, now=time.time()):
        client.update_item(**update.request(table))
    pages = client.get_paginator("query").paginate(**read_states(table))
    states = state_items([item for page in pages for item in page["Items"]], now=time.time())

Each function takes the time, and gives all the requests that its action needs. They need no prior reading, and what they say
holds against everything automatic. Instances see it within `STATE_MAX_AGE` seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from lambda_runtime.state import items
from lambda_runtime.state.breaker import FOREVER, OPERATOR, Breaker
from lambda_runtime.state.items import Item, Update, Value
from lambda_runtime.state.target_states import Availability

_ALL = 100
_LINGER = 600.0
"""Seconds for which a word that no longer holds stays readable."""

_STATES = {Availability.CLOSED: "closed", Availability.HALF_OPEN: "half-open", Availability.OPEN: "open"}


class StateItem(NamedTuple):
    """What holds for a target or a whole upstream.

    Args:
        name: `upstream/model` or `upstream/*`.
        state: `open`, `half-open`, `cooling` or `closed`.
        since: when that began, in seconds since the epoch. None: unknown.
        until: when that ends by itself. None: it does not, or it is over when probes have succeeded.
        openings: how often in a row the breaker has been opened.
        by: `operator`, or why a breaker was opened: `5 failures in a row`, `failure rate`, `key refused`; `429` if cooling.
        successes: of probes, while half-open.
    """

    name: str
    state: str
    since: float | None = None
    until: float | None = None
    openings: int = 0
    by: str = ""
    successes: int = 0


class WeightItem(NamedTuple):
    """A weight that an operator has set.

    Args:
        route: name of the model that clients ask for.
        target: `upstream/model`.
        weight: percentage of the route's requests.
        since: when it was set, in seconds since the epoch.
    """

    route: str
    target: str
    weight: float
    since: float


def open_breaker(name: str, *, seconds: float | None = None, now: float) -> tuple[Update, ...]:
    """Take a target or a whole upstream out. It gets no requests, whatever becomes of the others.

    Args:
        name: `upstream/model`, or `upstream` for all its models.
        seconds: for how long. Default: until it is closed.
        now: the time.

    Raises:
        ValueError: if the name or the time is none.
    """
    return (_word(name, "open", seconds, now),)


def close_breaker(
    name: str, *, seconds: float | None = None, now: float, known: Iterable[StateItem] = ()
) -> tuple[Update, ...]:
    """Close a breaker, whoever opened it, and end its cooling. Failures from before do not open it again.

    Args:
        name: `upstream/model`, or `upstream`.
        seconds: for how long it stays closed whatever happens. Default: new failures may open it at once.
        now: the time.
        known: what `state_items` read. Given an upstream, the breakers of its models that are in here are closed, too.
            Default: none.

    Raises:
        ValueError: if the name or the time is none.
    """
    breaker = items.breaker_name(name)
    closed = {breaker}
    if breaker == items.whole_upstream(breaker):
        closed |= {state.name for state in known if items.whole_upstream(state.name) == breaker}
    updates = [_word(each, "closed", seconds, now) for each in sorted(closed)]
    updates += [
        Update(items.STATE_PARTITION, items.COOLING + each, sets={"until": 0.0, items.EXPIRES: int(now)})
        for each in sorted(closed)
    ]
    return tuple(updates)


def set_weight(route: str, target: str, weight: float, *, now: float) -> tuple[Update, ...]:
    """Have a target take a share of a route's requests, until `reset_weight`.

    Args:
        route: name of the model that clients ask for.
        target: `upstream/model`.
        weight: percentage of the route's requests that ask it first; 0 takes it out of the shares.
        now: the time.

    Raises:
        ValueError: if the target is not written `upstream/model`, or the weight is no percentage.
    """
    if not all(target.partition("/")):
        raise ValueError(f"a target is written 'upstream/model', got {target!r}")
    if not 0 <= weight <= _ALL:
        raise ValueError(f"weight is a percentage from 0 to 100, got {weight!r}")
    sort_key = items.weight_key(route, target)
    sets: dict[str, Value] = {"weight": float(weight), "since": now, "by": OPERATOR}
    return (Update(items.STATE_PARTITION, sort_key, sets, removes=(items.EXPIRES,)),)


def reset_weight(route: str, target: str, *, now: float) -> tuple[Update, ...]:
    """Have the configured weight of a target count again. The item is left to DynamoDB's TTL."""
    sort_key = items.weight_key(route, target)
    return (Update(items.STATE_PARTITION, sort_key, {items.EXPIRES: int(now)}, removes=("weight",)),)


def read_states(table: str) -> dict[str, Any]:
    """The parameters of the `Query` that reads everything that holds now: states and weights."""
    return items.query(table, items.STATE_PARTITION)


def state_items(read: Iterable[Item], now: float) -> list[StateItem]:
    """The states among items, by name. A breaker that has been closed for long has no item.

    Args:
        read: items of the partition `STATE_PARTITION`, in DynamoDB's own form.
        now: the time.
    """
    states = []
    for item in read:
        sort_key = items.text(item, items.SORT_KEY)
        if items.expired(item, now):
            continue
        if sort_key.startswith(items.BREAKER):
            states.append(_state(Breaker.of(item, now), now))
        elif sort_key.startswith(items.COOLING) and items.number(item, "until") > now:
            name = sort_key.removeprefix(items.COOLING)
            states.append(StateItem(name, "cooling", items.number(item, "since"), items.number(item, "until"), by="429"))
    return sorted(states)


def weight_items(read: Iterable[Item], now: float) -> list[WeightItem]:
    """The operator's weights among items, by route.

    Args:
        read: items of the partition `STATE_PARTITION`, in DynamoDB's own form.
        now: the time.
    """
    found = [
        WeightItem(*items.weight_names(sort_key), items.number(item, "weight"), items.number(item, "since"))
        for item in read
        for sort_key in [items.text(item, items.SORT_KEY)]
        if sort_key.startswith(items.WEIGHT) and "weight" in item and not items.expired(item, now)
    ]
    return sorted(found)


def _state(breaker: Breaker, now: float) -> StateItem:
    availability = breaker.availability(now)
    ended = breaker.by == OPERATOR and breaker.until <= now
    return StateItem(
        breaker.name,
        _STATES[availability],
        (breaker.until if ended and breaker.is_open else breaker.since) or None,
        breaker.until if now < breaker.until < FOREVER else None,
        breaker.openings if availability is not Availability.CLOSED else 0,
        breaker.by if availability is not Availability.CLOSED or breaker.by == OPERATOR else "",
        breaker.successes,
    )


def _word(name: str, state: str, seconds: float | None, now: float) -> Update:
    """An operator's word. It is written over whatever stands there; counting `rev` on fails every change that overlooked it."""
    if seconds is not None and not 0 < seconds < FOREVER - now:
        raise ValueError(f"the time must be more than 0 seconds, got {seconds!r}")
    # A breaker that is closed without an end is simply closed: closed for good it would be no breaker any more.
    ends = now + seconds if seconds is not None else FOREVER if state == "open" else 0.0
    sets: dict[str, Value] = {
        "state": state,
        "by": OPERATOR,
        "since": now,
        "until": ends,
        "openings": 0,
        "successes": 0,
        "probe_until": 0.0,
    }
    removes: tuple[str, ...] = ()
    if ends == FOREVER:
        removes = (items.EXPIRES,)
    else:
        sets[items.EXPIRES] = int(max(now, ends) + _LINGER)
    return Update(items.STATE_PARTITION, items.BREAKER + items.breaker_name(name), sets, adds={"rev": 1}, removes=removes)
