"""One run: what is started, who asks, who is killed, and that everything is written at the end."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tests.soak.asks import CONSUMERS, ask, held
from tests.soak.client import Client
from tests.soak.configuration import BUSY_LIMIT, LIMIT
from tests.soak.draws import draws
from tests.soak.processes import Told, make_function, started
from tests.soak.result import Result
from tests.soak.usage_sums import settled
from tests.soak.workers import Workers

SLOW_CLIENTS = 2
_LOOK = 0.05
_SAY = 10.0
_HOLD = 150
"""Milliseconds for which the last requests are held back, so that every worker gets one."""

_BACK_OFF = 45.0
"""Seconds that workers get to write what they hold: the table is left alone for 30 s at most after a failure."""


@dataclass(kw_only=True)
class Options:
    """What is run.

    Args:
        requests: how many.
        state: initial state of all random numbers.
        workers: how many there may be.
        clients: how many ask as fast as they can; two slow ones come on top.
        spared: how many workers are never killed.
        kills: requests between two kills, about.
        pace: requests between two outages of the table, about.
        outage: seconds of the longest outage.
        long: pieces of 14,000 letters that a slow client's stream has, about.
        busy: whether others use the machine. Time-outs are long then, and nothing lasts until one is over.
    """

    requests: int
    state: int
    workers: int = 12
    clients: int = 4
    spared: int = 4
    kills: int = 300
    pace: int = 3000
    outage: float = 4.0
    long: int = 350
    busy: bool = False


@dataclass(kw_only=True)
class Record:
    """What came of it.

    Args:
        options: what was run.
        results: of all requests, the last ones included.
        workers: as they were.
        report: the services' own.
        sums: what the table holds, and what became of each addition.
        alive: the workers at the end.
        seconds: from the first request to the last.
        errors: what the front has printed.
    """

    options: Options
    results: list[Result]
    workers: Workers
    report: dict[str, Any]
    sums: dict[str, Any]
    alive: list[int]
    seconds: float
    errors: str = ""


@dataclass
class _Load:
    """The clients and their results."""

    options: Options
    port: int
    results: list[Result] = field(default_factory=list)
    _serials: Iterator[int] = field(default_factory=lambda: count(1))
    _failed: list[BaseException] = field(default_factory=list)

    def ask(self, number: int, *, slow: bool) -> None:
        """Ask until there have been enough requests."""
        state = self.options.state
        client = Client(self.port, draws(state, "client", number), slow=slow)
        try:
            while (serial := next(self._serials)) <= self.options.requests:
                self.results.append(client.ask(ask(state, serial, slow=self.options.long if slow else 0)))
        except BaseException as error:
            self._failed.append(error)
            raise
        finally:
            client.close()

    @contextmanager
    def asking(self) -> Iterator[Callable[[], bool]]:
        """Ask in the background: says whether somebody still does."""
        slow = [False] * self.options.clients + [True] * SLOW_CLIENTS
        threads = [threading.Thread(target=self.ask, args=(number,), kwargs={"slow": slow}) for number, slow in enumerate(slow)]
        for thread in threads:
            thread.start()
        try:
            yield lambda: any(thread.is_alive() for thread in threads)
        finally:
            self.options.requests = min(self.options.requests, next(self._serials))
            for thread in threads:
                thread.join()
            assert not self._failed, self._failed

    def ask_all(self, workers: int, first: int) -> None:
        """Ask all workers at once."""
        clients = [Client(self.port, draws(0)) for _ in range(workers)]

        def one(number: int) -> None:
            consumer = CONSUMERS[(first + number) % len(CONSUMERS)]
            serial = self.options.requests + first + number + 1
            self.results.append(clients[number].ask(held(self.options.state, serial, consumer, _HOLD)))
            clients[number].close()

        threads = [threading.Thread(target=one, args=(number,)) for number in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def run(options: Options, directory: Path, say: Callable[[str], None]) -> Record:
    """Run.

    Args:
        options: what.
        directory: an empty one.
        say: takes progress.
    """
    lines = directory / "lines"
    lines.mkdir()
    errors = directory / "errors"
    chosen = (str(options.state), str(options.pace), str(options.outage), "none" if options.busy else "silence")
    with started("services", *chosen, errors=directory / "services") as services:
        urls = services.answer()
        make_function(directory / "function", urls["upstreams"], BUSY_LIMIT if options.busy else LIMIT)
        arguments = (str(directory / "function"), str(options.workers), str(lines), json.dumps(urls))
        with started("front", *arguments, errors=errors) as front:
            load = _Load(options, front.answer())
            workers = Workers(lines, front.pid, options.spared)
            seconds = _watch(options, load, workers, say)
            services("calm")
            _settle(load, workers, services, say)
            alive = workers.alive
            report, sums = services("report"), services("sums")
    printed = (directory / "services").read_text("utf-8", "replace") + errors.read_text("utf-8", "replace")
    return Record(
        options=options,
        results=load.results,
        workers=workers,
        report=report,
        sums=sums,
        alive=alive,
        seconds=seconds,
        errors=printed,
    )


def _watch(options: Options, load: _Load, workers: Workers, say: Callable[[str], None]) -> float:
    """Kill workers while there are requests: how many seconds that was."""
    random = draws(options.state, "kills")
    began = told = time.monotonic()
    pause = threading.Event()
    kill_at = options.kills * random.uniform(0.5, 1.5)
    with load.asking() as is_asking:
        while is_asking():
            pause.wait(_LOOK)
            workers.follow()
            if len(load.results) >= kill_at:
                workers.kill_one(random)
                kill_at += options.kills * random.uniform(0.5, 1.5)
            if time.monotonic() - told >= _SAY:
                told = time.monotonic()
                done = len(load.results)
                say(f"{done} requests, {done / (told - began):.0f} a second, {len(workers.killed)} workers killed")
    return time.monotonic() - began


def _settle(load: _Load, workers: Workers, services: Told, say: Callable[[str], None]) -> None:
    """Ask on until each worker has written what it holds back."""
    until = time.monotonic() + _BACK_OFF
    asked = 0
    pause = threading.Event()
    while True:
        load.ask_all(len(workers.alive), asked)
        asked += len(workers.alive)
        pause.wait(_LOOK)
        workers.follow()
        if settled(workers, services("sums")):
            return
        if time.monotonic() > until:
            say("workers still hold usage back")
            return
        # One that holds back has left the table alone for a while, and looks at it again with its next request.
        pause.wait(10 * _LOOK)
