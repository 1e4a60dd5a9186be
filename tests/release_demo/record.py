"""What happens meanwhile: who has answered each request, and what the alias said at the time."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from tests.local_gateway import LocalGateway

SETTLED = 2.0
"""Seconds after which every request follows a change of the alias. The local gateway reads it once a second."""

_LOOK = 0.1
_LINE = re.compile(r'\[\d+\] (\{"_aws".*"message":"request".*\})')


class Answered(NamedTuple):
    """A request that the function has answered.

    Args:
        moment: when, seconds since the epoch.
        version: of the function.
        failed: whether the answer was an error of the gateway's.
    """

    moment: float
    version: str
    failed: bool


class Shares(NamedTuple):
    """What the alias says.

    Args:
        version: that has what the weights leave.
        weights: of others.
    """

    version: str
    weights: tuple[tuple[str, float], ...] = ()


class Phase(NamedTuple):
    """A time in which the alias said the same.

    Args:
        shares: what it said.
        began: since when, seconds since the epoch.
        ended: until when.
    """

    shares: Shares
    began: float
    ended: float


class Record:
    """Keeps it.

    Args:
        gateway: that is watched; it must print all its lines.
    """

    def __init__(self, gateway: LocalGateway) -> None:
        self._gateway = gateway
        self._lambda = gateway.client("lambda")
        self._name = next(
            function["FunctionName"]
            for function in self._lambda.list_functions()["Functions"]
            if self._lambda.list_aliases(FunctionName=function["FunctionName"])["Aliases"]
        )
        self._over = threading.Event()
        self._changes: list[tuple[float, Shares]] = [(time.time(), self.shares)]
        self._read = 0
        self._answered: list[Answered] = []

    @property
    def shares(self) -> Shares:
        """What the alias says now."""
        alias = self._lambda.get_alias(FunctionName=self._name, Name="live")
        weights = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        return Shares(alias["FunctionVersion"], tuple(weights.items()))

    def watch(self) -> None:
        """Look at the alias until it is over."""
        while not self._over.wait(_LOOK):
            if (shares := self.shares) != self._changes[-1][1]:
                self._changes.append((time.time(), shares))

    def end(self) -> None:
        """Watch no more."""
        self._over.set()

    def phases(self, since: float) -> list[Phase]:
        """What the alias said from a moment on."""
        changes = list(self._changes)
        ends = [*(moment for moment, _ in changes[1:]), time.time()]
        return [Phase(shares, began, end) for (began, shares), end in zip(changes, ends, strict=True) if end > since]

    def answered(self, since: float) -> list[Answered]:
        """The requests from a moment on."""
        with self._gateway.changed:
            new = self._gateway.lines[self._read :]
            self._read = len(self._gateway.lines)
        for line in new:
            if match := _LINE.fullmatch(line):
                told: dict[str, Any] = json.loads(match[1])
                self._answered.append(Answered(told["_aws"]["Timestamp"] / 1000, told["Version"], bool(told["Errors"])))
        return sorted(answered for answered in self._answered if answered.moment >= since)

    def share(self, version: str, phase: Phase) -> tuple[int, int]:
        """How many requests a version has answered of all of a phase, once every request follows it."""
        within = [one for one in self.answered(phase.began + SETTLED) if one.moment < phase.ended]
        return sum(one.version == version for one in within), len(within)

    def printed(self, text: str, begin: int) -> str | None:
        """The first line with a text among those that the gateway has printed after so many."""
        with self._gateway.changed:
            return next((line for line in self._gateway.lines[begin:] if text in line), None)

    @property
    def lines(self) -> int:
        """How many lines the gateway has printed."""
        with self._gateway.changed:
            return len(self._gateway.lines)

    def wait_until(self, happened: Callable[[], bool], seconds: float, what: str) -> float:
        """Wait for something.

        Returns:
            When it was seen, seconds since the epoch.

        Raises:
            AssertionError: if it has not happened in time.
        """
        deadline = time.monotonic() + seconds
        while not happened():
            if self._over.wait(0.02) or time.monotonic() > deadline:
                raise AssertionError(f"not within {seconds:.0f} s: {what}")
        return time.time()


@contextmanager
def recording(gateway: LocalGateway) -> Iterator[Record]:
    """Watch the alias until the block ends."""
    record = Record(gateway)
    watcher = threading.Thread(target=record.watch)
    watcher.start()
    try:
        yield record
    finally:
        record.end()
        watcher.join()


def seen(shares: Sequence[Phase], version: str) -> list[Phase]:
    """The phases in which a version has a weight."""
    return [phase for phase in shares if version in dict(phase.shares.weights)]
