"""What is compared: anything that can be started, asked, and asked by several at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

from benchmarks.latency import Call
from benchmarks.peers.http_call import Exchange


class Running(NamedTuple):
    """A peer that has answered.

    Args:
        pid: of its first process.
        started: milliseconds from its start to the end of its first answer.
        call: makes a call.
        exchange: makes a call with a request of one's own.
        callers: calls that can be made at the same time, by as many clients.
    """

    pid: int
    started: float
    call: Call
    exchange: Exchange
    callers: Callable[[], list[Call]]


class Peer(Protocol):
    """One of those that are compared."""

    @property
    def key(self) -> str:
        """What the command line calls it."""

    @property
    def title(self) -> str:
        """What the table calls it."""

    @property
    def setting(self) -> str:
        """Version, and how it is run."""

    def prepare(self) -> None:
        """Install it.

        Raises:
            UnavailableError: if that cannot be done.
        """

    def size(self) -> float:
        """MB on the disk, without an interpreter."""

    def start(self, work: Path, upstream: int, within: Sequence[str] = ()) -> AbstractContextManager[Running]:
        """Start it, and wait for its first answer; end it at last.

        Args:
            work: a directory for its files.
            upstream: the upstream's port.
            within: a command that ends in executing the one behind it. Default: none.

        Raises:
            UnavailableError: if it does not answer.
        """
