"""Measures the peers in turns. One that cannot go on is left out with the reason, and the others go on."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.calls import Kind, Times
from benchmarks.cpu_share import REST, CpuShare
from benchmarks.latency import Call, Latencies, Rested, compare
from benchmarks.peers.function_peers import ThisGateway
from benchmarks.peers.http_call import HttpCall
from benchmarks.peers.http_peer import CLIENTS
from benchmarks.peers.installing import UnavailableError
from benchmarks.peers.load import requests_per_second
from benchmarks.peers.peer import Peer, Running
from benchmarks.peers.probes import Findings, broken, retry_after, usage
from benchmarks.peers.processes import tree_memory

DIRECT = "direct"
_LOADS = 2


class Rounds(NamedTuple):
    """How often.

    Args:
        calls: JSON calls of each peer; of streams a fifth.
        starts: of each peer.
        seconds: that requests are counted, each time.
    """

    calls: int
    starts: int
    seconds: float


@dataclass
class Results:
    """What was found out, by the peers' keys."""

    missing: dict[str, str] = field(default_factory=dict)
    """Who was left out, and why."""
    sizes: dict[str, float] = field(default_factory=dict)
    starts: dict[str, float] = field(default_factory=dict)
    latencies: dict[Kind, Mapping[str, Latencies]] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)
    findings: dict[str, Findings] = field(default_factory=dict)
    calls: int = 0
    """JSON calls of each."""
    instances: tuple[int, float] = (0, 0)
    """How many instances of this gateway there are when each core has one, and their requests a second."""


class _Named:
    """A call that says whose it is when it fails."""

    def __init__(self, key: str, call: Call) -> None:
        self._key = key
        self._call = call

    def __call__(self, kind: Kind) -> Times:
        """Call."""
        try:
            return self._call(kind)
        except (OSError, RuntimeError) as error:
            raise _FailedError(self._key, str(error)) from error


class _FailedError(Exception):
    """A call failed: whose, and why."""


class Measurement:
    """One run.

    Args:
        peers: who take part.
        work: a directory for their files.
        upstream: the upstream's port.
        rounds: how often.
        shares: of a processor, one for each peer. Default: no limit.
    """

    def __init__(self, peers: list[Peer], work: Path, upstream: int, rounds: Rounds, shares: Sequence[CpuShare] = ()) -> None:
        self._peers = {peer.key: peer for peer in peers}
        self._shares = dict(zip(self._peers, shares, strict=False))
        self._work = work
        self._upstream = upstream
        self._rounds = rounds
        self.results = Results(calls=rounds.calls)

    def run(self) -> Results:
        """Install, start, call, count, probe."""
        self._each("installed", self._prepare)
        samples: dict[str, list[float]] = {}
        for number in range(self._rounds.starts):
            self._each(f"started, {number + 1} of {self._rounds.starts}", lambda peer: self._start(peer, samples))
        self.results.starts = {key: median(values) for key, values in samples.items()}
        with ExitStack() as stack:
            running: dict[str, Running] = {}
            self._each("running", lambda peer: running.update({peer.key: stack.enter_context(self._started(peer))}))
            direct = [stack.enter_context(closing(HttpCall(self._upstream))) for _ in range(CLIENTS)]
            self._compare({DIRECT: direct[0], **{key: one.call for key, one in running.items()}})
            clients: dict[str, list[Call]] = {DIRECT: [*direct]}
            self._each("clients", lambda peer: clients.update({peer.key: running[peer.key].callers()}))
            instances = self._instances(stack)
            for number in range(_LOADS):
                self._say(f"requests a second, {number + 1} of {_LOADS}")
                self._load(clients, running)
                self._load_instances(instances)
            self._each("memory", lambda peer: self._weigh(peer, running[peer.key]))
            self._each("usage and Retry-After", lambda peer: self._probe(peer, running[peer.key]))
        # In processes of their own: some do not answer again after this.
        self._each("broken streams", self._probe_broken)
        return self.results

    def _each(self, what: str, work: Callable[[Peer], object]) -> None:
        self._say(what)
        for key in list(self._peers):
            try:
                work(self._peers[key])
            except (UnavailableError, OSError, RuntimeError) as error:
                self._drop(key, str(error))

    def _drop(self, key: str, why: str) -> None:
        self.results.missing[key] = why
        del self._peers[key]
        self._say(f"{key} is left out: {why}")

    def _prepare(self, peer: Peer) -> None:
        peer.prepare()
        self.results.sizes[peer.key] = peer.size()

    def _started(self, peer: Peer) -> AbstractContextManager[Running]:
        share = self._shares.get(peer.key)
        return peer.start(self._work, self._upstream, share.within if share else ())

    def _start(self, peer: Peer, samples: dict[str, list[float]]) -> None:
        with self._started(peer) as running:
            samples.setdefault(peer.key, []).append(running.started)

    def _compare(self, calls: dict[str, Call]) -> None:
        fewer = max(self._rounds.calls // 5, 10)
        for kind, rounds in ((Kind.JSON, self._rounds.calls), (Kind.PACED, fewer), (Kind.BURST, fewer)):
            self._say(f"{rounds} calls of each: {kind.name}")
            while True:
                named: dict[str, Call] = {key: self._rested(_Named(key, call)) for key, call in calls.items()}
                try:
                    self.results.latencies[kind] = compare(named, kind=kind, rounds=rounds)
                    break
                except _FailedError as error:
                    key, why = error.args
                    if key == DIRECT:
                        raise
                    self._drop(key, why)
                    del calls[key]

    def _rested(self, call: Call) -> Call:
        return Rested(call, REST) if self._shares else call

    def _load(self, clients: dict[str, list[Call]], running: dict[str, Running]) -> None:
        for key, callers in clients.items():
            if key == DIRECT or key in self._peers:
                try:
                    rate = requests_per_second(callers, self._rounds.seconds)
                except (OSError, RuntimeError) as error:
                    self._drop(key, str(error))
                    continue
                self.results.rates[key] = max(rate, self.results.rates.get(key, 0))
                if key in running:
                    self._weigh(self._peers[key], running[key])

    def _weigh(self, peer: Peer, running: Running) -> None:
        self.results.memory[peer.key] = max(tree_memory(running.pid), self.results.memory.get(peer.key, 0))

    def _probe(self, peer: Peer, running: Running) -> None:
        self.results.findings[peer.key] = Findings(
            usage=usage(running.exchange), retry_after=retry_after(running.exchange), broken=""
        )

    def _probe_broken(self, peer: Peer) -> None:
        with self._started(peer) as running:
            found = broken(running.exchange)
        self.results.findings[peer.key] = self.results.findings[peer.key]._replace(broken=found)

    def _instances(self, stack: ExitStack) -> list[Call]:
        """Calls of as many instances of this gateway as there are cores; none under shares, or without it."""
        ours = next((peer for peer in self._peers.values() if isinstance(peer, ThisGateway)), None)
        return [] if ours is None or self._shares else stack.enter_context(ours.instances(os.cpu_count() or 1))

    def _load_instances(self, calls: list[Call]) -> None:
        if calls and ThisGateway.key in self._peers:
            try:
                rate = requests_per_second(calls, self._rounds.seconds)
            except (OSError, RuntimeError) as error:
                self._drop(ThisGateway.key, str(error))
                return
            self.results.instances = len(calls), max(rate, self.results.instances[1])

    @staticmethod
    def _say(what: str) -> None:
        print(what, file=sys.stderr, flush=True)
