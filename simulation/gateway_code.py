"""The gateway's own code, as an instance of the simulated function runs it: states, breaker, counts and routes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from random import Random
from typing import Any
from unittest.mock import patch

from lambda_runtime.config import AuthStyle, Endpoint, GatewayConfig, ModelRoute, Operation, Target, UpstreamConfig
from lambda_runtime.router import Routed, Router
from lambda_runtime.state import state_reader
from lambda_runtime.state.allowances import Allowances
from lambda_runtime.state.shared_states import SharedStates
from lambda_runtime.state.table_health import TableHealth
from lambda_runtime.state.usage_counts import UsageCounts
from simulation.memory_table import MemoryTable

MAIN, SPARE = "main", "spare"
"""The upstreams, in the order in which they are asked."""


class FunctionInstance:
    """What an instance of the function knows and writes.

    Args:
        table: shared by all of them.
        clock: the time, in seconds since the epoch.
        random: jitter of the breaker's openings.
    """

    __slots__ = ("allowances", "states", "usage")

    def __init__(self, table: MemoryTable, clock: Callable[[], float], random: Random) -> None:
        health = TableHealth(clock)
        self.states = SharedStates(table, health, clock=clock, jitter=lambda: random.uniform(-1, 1))
        self.usage = UsageCounts(table, health, clock=clock)
        self.allowances = Allowances(table, health, self.usage, clock=clock)


class Lines(io.TextIOBase):
    """What instances write into their logs beside the requests' lines.

    Args:
        clock: the time.

    Attributes:
        times: when each was written, by what it says.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.times: dict[str, list[float]] = {}

    def write(self, text: str) -> int:
        """Note a line."""
        if text.startswith("{"):
            message = str(json.loads(text).get("message", "")).partition(":")[0]
            self.times.setdefault(message, []).append(self._clock())
        return len(text)


class _AtOnce:
    """Stands in for `_thread`: what the gateway reads in a thread, while it connects to an upstream, it has read at once."""

    LockType = object

    @staticmethod
    def start_new_thread(function: Callable[..., object], args: tuple[Any, ...]) -> int:
        function(*args)
        return 0


@contextmanager
def simulated(clock: Callable[[], float]) -> Iterator[Lines]:
    """The gateway's code reads without threads, and its log lines are counted.

    Args:
        clock: the time.
    """
    lines = Lines(clock)
    with patch.object(state_reader, "_thread", _AtOnce), redirect_stdout(lines):
        yield lines


def config(models: int) -> GatewayConfig:
    """A gateway of two upstreams, each of whose models is served by both.

    Args:
        models: how many there are.
    """
    operations = (Operation.CHAT_COMPLETIONS,)
    upstreams = tuple(
        UpstreamConfig(
            name=name,
            endpoints=(Endpoint(base_url=f"https://{name}.example/v1", auth=AuthStyle.BEARER, operations=operations),),
        )
        for name in (MAIN, SPARE)
    )
    names = [f"model-{index}" for index in range(models)]
    return GatewayConfig(
        upstreams=upstreams,
        models={name: ModelRoute(tuple(Target(f"{upstream}/{name}") for upstream in (MAIN, SPARE))) for name in names},
    )


def routes(models: int) -> list[Routed]:
    """The routes of all models."""
    own = config(models)
    router = Router(own)
    return [router.route(name, Operation.CHAT_COMPLETIONS) for name in own.models]
