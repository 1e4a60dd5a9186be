"""A peer that is an HTTP server."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.calls import PATH, Kind
from benchmarks.latency import Call
from benchmarks.peers.http_call import HttpCall
from benchmarks.peers.installing import Installation, UnavailableError, installed, size
from benchmarks.peers.peer import Running
from benchmarks.peers.processes import free_port, running

CLIENTS = 8
"""How many ask at the same time where requests a second are counted."""
_PATIENCE = 90
_AGAIN = 0.005


class Place(NamedTuple):
    """Where a peer is and whom it serves.

    Args:
        home: where it was installed.
        work: where its files are.
        port: that it is to listen on.
        upstream: the upstream's port.
    """

    home: Path
    work: Path
    port: int
    upstream: int


def _nothing(_: Place) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, kw_only=True)
class HttpPeer:
    """An HTTP server.

    Args:
        key: what the command line calls it.
        package: the one whose version is told.
        title: what the table calls it.
        how: it is run.
        installation: what it needs.
        command: that starts it.
        files: to write beforehand, by name. Default: none.
        env: besides PATH. Default: nothing.
        headers: of its requests. Default: none.
        path: of its requests. Default: chat completions.
        model: what is asked for. Default: gpt-4.1.
        says_its_port: whether it chooses a port and says so, rather than being told. Default: it is told.
    """

    key: str
    package: str
    title: str
    how: str
    installation: Installation
    command: Callable[[Place], list[str | Path]]
    files: Callable[[Place], Mapping[str, str]] = _nothing
    env: Callable[[Place], Mapping[str, str]] = _nothing
    headers: Callable[[Place], Mapping[str, str]] = _nothing
    path: str = PATH
    model: str = "gpt-4.1"
    says_its_port: bool = False

    @property
    def setting(self) -> str:
        """Version, and how it is run."""
        return f"{self.installation.version(self.package)}; {self.how}"

    def prepare(self) -> None:
        """Install it."""
        installed(self.key, self.installation)

    def size(self) -> float:
        """MB on the disk."""
        return size(self.installation.content(installed(self.key, self.installation)))

    @contextmanager
    def start(self, work: Path, upstream: int, within: Sequence[str] = ()) -> Iterator[Running]:
        """Start it, and wait for its first answer; end it at last."""
        home = installed(self.key, self.installation)
        place = Place(home, Path(tempfile.mkdtemp(dir=work)), 0 if self.says_its_port else free_port(), upstream)
        for name, text in self.files(place).items():
            (place.work / name).write_text(text)
        env = {"PATH": os.environ["PATH"], "HOME": str(place.work), **self.env(place)}
        log = place.work / "log"
        calls: list[HttpCall] = []

        def connect(port: int) -> HttpCall:
            calls.append(HttpCall(port, path=self.path, headers=self.headers(place), model=self.model))
            return calls[-1]

        def callers() -> list[Call]:
            return [connect(port) for _ in range(CLIENTS)]

        began = time.perf_counter()
        with running([*within, *self.command(place)], env=env, log=log) as process:
            port = place.port or _said_port(process, log, began)
            call = connect(port)
            _first_answer(process, call, log, began)
            started = (time.perf_counter() - began) * 1000
            try:
                yield Running(process.pid, started, call, call.exchange, callers)
            finally:
                for one in calls:
                    one.close()


def _said_port(process: subprocess.Popen[bytes], log: Path, began: float) -> int:
    while not (found := re.search(r"http://127\.0\.0\.1:(\d+)", log.read_text(errors="replace"))):
        _wait(process, log, began, "said no port")
    return int(found[1])


def _first_answer(process: subprocess.Popen[bytes], call: HttpCall, log: Path, began: float) -> None:
    while True:
        try:
            call(Kind.JSON)
        except OSError as error:
            # Closed, so that the next attempt begins with a connection of its own.
            call.close()
            _wait(process, log, began, str(error))
        else:
            return


def _wait(process: subprocess.Popen[bytes], log: Path, began: float, why: str) -> None:
    if process.poll() is not None or time.perf_counter() - began > _PATIENCE:
        said = log.read_text(errors="replace").strip().splitlines()[-1:] or [why]
        raise UnavailableError(f"does not answer: {said[0][:200]}")
    time.sleep(_AGAIN)
