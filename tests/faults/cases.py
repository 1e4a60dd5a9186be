"""Every scenario in every setup in which it says something."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from tests.faults.outcome import SECOND, Expected
from tests.faults.rig import Setup
from tests.faults.scenario import Result, Scenario
from tests.faults.scenarios import BEHIND_HEARTBEATS, SECTIONS
from tests.faults.wire import Wire


class Case(NamedTuple):
    """One request.

    Args:
        scenario: what goes wrong.
        wire: the client's format.
        streamed: whether it asks for a stream.
        setup: who may be asked.
    """

    scenario: Scenario
    wire: Wire
    streamed: bool
    setup: Setup

    def __str__(self) -> str:
        return f"{self.scenario.name}, {self.wire.name}, {'stream' if self.streamed else 'JSON'}, {self.setup}"

    @property
    def result(self) -> Result:
        """What must come of it."""
        result = self.scenario.stream if self.streamed else self.scenario.json
        assert result
        return result

    def expected(self) -> tuple[Expected | None, tuple[int, int]]:
        """What the client must see, and how often the upstreams with the fault and the healthy one must be asked."""
        result = self.result
        match self.setup:
            case Setup.ALONE:
                return result.alone, (result.tries, 0)
            case Setup.MODELS:
                return SECOND, (1, 1)
            case Setup.ALL:
                return None, (result.all_tries, 0)
            case Setup.LARGER:
                return result.larger, (1, 1)
            case Setup.WHOLE:
                return result.whole, result.whole_tries
        return result.second, result.second_tries


_OF_THE_UPSTREAM = frozenset({"upstream_timeout", "upstream_connect_timeout", "upstream_credentials"})
"""Codes of faults after which another model of the same upstream is not asked either."""


def _makes_sense(setup: Setup, result: Result, *, streamed: bool) -> bool:
    match setup:
        case Setup.WHOLE:
            return streamed
        case Setup.LARGER:
            return result.larger is not None
        case Setup.MODELS:
            return result.alone.outcome.code in _OF_THE_UPSTREAM
    return True


def _of(scenario: Scenario, setups: tuple[Setup, ...]) -> Iterator[Case]:
    for wire in scenario.wires:
        for streamed, result in ((False, scenario.json), (True, scenario.stream)):
            if result is None:
                continue
            for setup in setups:
                if _makes_sense(setup, result, streamed=streamed):
                    yield Case(scenario, wire, streamed, setup)


CASES = tuple(case for section in SECTIONS.values() for scenario in section for case in _of(scenario, tuple(Setup)))
BEHIND_HEARTBEATS_CASES = tuple(
    case for scenario in BEHIND_HEARTBEATS for case in _of(scenario, (Setup.ALONE, Setup.SECOND, Setup.WHOLE))
)
