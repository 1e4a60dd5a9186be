"""One request asks its upstreams: `lambda_runtime.failover` with time that the simulation moves.

Whose turn it is, what a failure means and what the states say is the gateway's own code. The loop around it is written anew,
since the gateway's own waits by blocking; a test holds both to the same attempts.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import simpy

from lambda_runtime.failures import ATTEMPTS, FailedAttempt, Failures
from lambda_runtime.router import Routed
from lambda_runtime.state.outcome import Attempted
from lambda_runtime.state.target_states import TargetStates
from lambda_runtime.turns import SwitchedOffError, Turn, Turns

Steps = Generator[simpy.Event, Any, Turn | None]

Fails = Callable[[str], tuple[float, FailedAttempt] | None]
"""Whether an upstream fails now: after how many seconds, and how. None: it answers."""


def ask(environment: simpy.Environment, routed: Routed, states: TargetStates, fails: Fails, attempts: list[Attempted]) -> Steps:
    """Ask until there is an answer.

    Args:
        environment: of the simulation.
        routed: who may serve the request.
        states: which of them are well.
        fails: which upstreams fail.
        attempts: is told of each attempt that failed.

    Returns:
        Whose turn it is that answers; None if nobody does.
    """
    turns = Turns(routed, states)
    failures = Failures()
    repeated = False
    while True:
        turn = turns.next(failures.last)
        if turn is None:
            return None
        try:
            turns.admit(turn)
        except SwitchedOffError:
            turns.reorder()
            continue
        candidate = turn.candidate
        failed = fails(candidate.upstream.name)
        if failed is None:
            return turn
        seconds, failure = failed
        if seconds:
            yield environment.timeout(seconds)
        attempts.append(Attempted(candidate.target, failure.outcome, failure.retry_after, turn.probe))
        turns.failed(candidate, failure)
        if failures.add(failure):
            return None
        repeats = failure.repeatable and failures.tried + turns.closed() < ATTEMPTS
        if repeats and not (repeated or turn.probe or turn.forced):
            repeated = True
            turns.again(candidate)
