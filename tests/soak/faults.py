"""Which fault a request meets: those of `tests.faults`, drawn at random."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from lambda_runtime.config import Operation
from tests.faults.outcome import What
from tests.faults.scenario import Scenario
from tests.faults.scenarios import BROKEN, SECTIONS
from tests.faults.wire import Wire
from tests.soak.draws import draws
from tests.soak.said import Wish

SHARE = 0.1
"""Of all attempts."""

_LEFT_OUT = {
    "an answer without content",  # is one: there is nothing in it by which to tell whose it is
    "an event or a document of 5 MB",  # moves the memory's peak, which is looked at here
    "events of the responses format",  # their text is fixed
    # No new key makes these good, and after such a refusal none is fetched for ten seconds: here keys are rotated for real.
    "status 401, the gateway's key refused",
    "status 403, the gateway's key refused",
    "a slow drip, longer than the time-out in all",  # the time-outs are longer here
}
_SLOW = {"Silence": 0.15}
"""Weights of what takes long, beside 1 of all others."""
_RARE = {"every byte a chunk, letters split": 0.1, "status 429, Retry-After 1": 0.3}
_ANY_FORMAT = ("No connection, or none that lasts", "Statuses")
"""Sections whose faults need nothing of an answer's events."""

LARGE = 1_000_000
"""Characters of a text of which no whole document is made: what the gateway must hold at once is not what is looked at here."""


class Fault(NamedTuple):
    """A fault.

    Args:
        section: of the document.
        scenario: what goes wrong.
        harmless: whether the client gets all of the answer nonetheless.
    """

    section: str
    scenario: Scenario
    harmless: bool


@cache
def faults(
    operation: Operation, wire_name: str, *, streamed: bool, large: bool, silence: bool
) -> tuple[list[Fault], list[float]]:
    """Those that make sense, and their weights.

    Args:
        operation: what the upstream is asked for.
        wire_name: name of its format, as `tests.faults` has it.
        streamed: whether it is asked for a stream.
        large: whether its answer is.
        silence: whether those are among them that last until a time-out is over.
    """
    found: list[Fault] = []
    weights: list[float] = []
    generations = (Operation.CHAT_COMPLETIONS, Operation.MESSAGES)
    for section, scenarios in SECTIONS.items():
        if section not in _ANY_FORMAT and (operation not in generations or (large and section != BROKEN)):
            continue
        for scenario in scenarios:
            result = scenario.stream if streamed else scenario.json
            if result is None or scenario.upstream != "faulty" or scenario.name in _LEFT_OUT:
                continue
            if not silence and (section == "Silence" or scenario.name.startswith("silent")):
                continue
            if wire_name in {wire.name for wire in scenario.wires}:
                found.append(Fault(section, scenario, result.alone.outcome.what is What.ANSWER))
                weights.append(_SLOW.get(section, _RARE.get(scenario.name, 1.0)) * (1.5 if section == BROKEN else 1.0))
    return found, weights


def draw(
    state: int, wish: Wish, attempt: int, operation: Operation, wire: Wire, *, streamed: bool, silence: bool
) -> Fault | None:
    """The fault that an attempt meets, or none.

    Args:
        state: initial state of the run's random numbers.
        wish: what the request says.
        attempt: how many attempts it had before.
        operation: what the upstream is asked for.
        wire: its format.
        streamed: whether it is asked for a stream.
        silence: whether a fault may last until a time-out is over.
    """
    random = draws(state, "fault", wish.serial, attempt)
    if random.random() >= SHARE:
        return None
    found, weights = faults(operation, wire.name, streamed=streamed, large=wish.pieces * wish.size > LARGE, silence=silence)
    return random.choices(found, weights)[0]
