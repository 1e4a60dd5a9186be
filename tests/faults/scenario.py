"""A fault and what must come of it."""

from __future__ import annotations

from typing import NamedTuple

from tests.faults.outcome import FIRST, SECOND, Expected, broken
from tests.faults.upstream_faults import Fault
from tests.faults.wire import WIRES, Wire


class Result(NamedTuple):
    """What must come of a fault in one mode.

    Args:
        alone: what the client sees if there is only the upstream with the fault.
        tries: how often that is asked then.
        second: what the client sees if a healthy upstream follows.
        second_tries: how often each of the two is asked then.
        whole: what the client sees of a stream that is delivered as a whole, with the second upstream.
        whole_tries: how often each of the two is asked then.
        all_tries: how often all are asked together if four upstreams have the fault.
        larger: what the client sees if the second upstream is marked as taking more input. None: as otherwise.
    """

    alone: Expected
    tries: int
    second: Expected
    second_tries: tuple[int, int]
    whole: Expected
    whole_tries: tuple[int, int]
    all_tries: int
    larger: Expected | None = None


def fails(alone: Expected, tries: int = 1, *, all_tries: int = 3) -> Result:
    """Another upstream makes it good."""
    return Result(alone, tries, SECOND, (tries, 1), SECOND, (tries, 1), all_tries)


def is_passed_on(alone: Expected, larger: Expected | None = None) -> Result:
    """The client's own fault: nobody else is asked."""
    return Result(alone, 1, alone, (1, 0), alone, (1, 0), 1, larger)


def works(seen: Expected = FIRST) -> Result:
    """It is an answer, strange as it may be."""
    return is_passed_on(seen)


def breaks(alone: Expected = broken(), *, all_tries: int = 1) -> Result:  # noqa: B008  immutable
    """It comes too late to be made good, unless the stream is delivered as a whole."""
    return Result(alone, 1, alone, (1, 0), SECOND, (1, 1), all_tries)


class Scenario(NamedTuple):
    """A fault.

    Args:
        name: as the document has it.
        fault: what the upstream does.
        json: what must come of it where no stream was asked for. None: it makes no sense there.
        stream: the same where one was.
        upstream: which of the upstreams has it.
        wires: the formats in which it makes sense.
    """

    name: str
    fault: Fault
    json: Result | None
    stream: Result | None
    upstream: str = "faulty"
    wires: tuple[Wire, ...] = WIRES


def both(name: str, fault: Fault, result: Result, upstream: str = "faulty") -> Scenario:
    return Scenario(name, fault, result, result, upstream)


def json(name: str, fault: Fault, result: Result) -> Scenario:
    return Scenario(name, fault, result, None)


def stream(name: str, fault: Fault, result: Result, wires: tuple[Wire, ...] = WIRES) -> Scenario:
    return Scenario(name, fault, None, result, wires=wires)
