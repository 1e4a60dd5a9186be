"""The workers, seen from outside: their lines, their memory, and their deaths."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.soak import counted

_SAMPLED = 50
"""Requests of a worker between two looks at its memory."""

_COUNTED = 500
"""The same of its blocks."""

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Line(NamedTuple):
    """The line of a request.

    Args:
        pid: of the worker.
        moment: when it was written, seconds since the epoch.
        consumer: who asked.
        usage: by `table_service.FIGURES`; None if nothing was used.
        error: what went wrong, or None.
        upstream: who answered.
        attempts: how many there were.
        asked: the upstreams that were asked.
    """

    pid: int
    moment: float
    consumer: str
    usage: tuple[int, ...] | None
    error: str | None
    upstream: str
    attempts: int
    asked: frozenset[str]


class Workers:
    """All workers that ever were.

    Args:
        directory: has a file of lines for each, named by its process id.
        front: process id of their parent.
        spared: how many are never killed: the first.
    """

    def __init__(self, directory: Path, front: int, spared: int) -> None:
        self._directory = directory
        self._front = front
        self._spared = spared
        self._read: dict[int, int] = {}
        """How many bytes of the lines of each that may still write are known."""
        self.began: dict[int, float] = {}
        """When each was first seen, in this order."""
        self.killed: dict[int, float] = {}
        """When."""
        self.lines: dict[str, Line] = {}
        """By request id."""
        self.served: Counter[int] = Counter()
        self.memory: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
        """Of each worker: after how many requests how many MB are resident."""
        self.blocks: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        """Of those that are never killed: after how many requests how many blocks there are."""
        self.opened: dict[str, float] = {}
        """When a circuit was first said to be open, by `upstream/model`."""
        self.table_troubles: defaultdict[int, list[float]] = defaultdict(list)
        """When each found that the table cannot be asked."""
        self.messages: Counter[str] = Counter()
        """Lines that are no request's, by level and beginning."""
        self.held_back: defaultdict[int, Counter[str]] = defaultdict(Counter)
        """What the lines "usage held back" add up to, by worker."""
        self.defects: list[str] = []
        """Lines that tell of a defect of ours."""

    @property
    def spared(self) -> list[int]:
        """Those that are never killed."""
        return list(self.began)[: self._spared]

    @property
    def alive(self) -> list[int]:
        """Those that run."""
        return [pid for pid in self.began if pid not in self.killed and self._runs(pid)]

    def kill_one(self, random: Random) -> None:
        """Kill one of those that may be, if there is one."""
        mortal = [pid for pid in self.alive if pid not in self.spared]
        if mortal:
            victim = random.choice(mortal)
            self.killed[victim] = time.time()
            with suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)

    def follow(self) -> None:
        """Read what they have written since the last time."""
        for name in os.listdir(self._directory):  # noqa: PTH208  a thousand times
            if int(name) not in self.began:
                self.began[int(name)], self._read[int(name)] = time.time(), 0
        for pid, known in list(self._read.items()):
            gone = pid in self.killed and not self._runs(pid)
            with (self._directory / str(pid)).open("rb") as file:
                file.seek(known)
                *whole, rest = file.read().split(b"\n")
                self._read[pid] = file.tell() - len(rest)
            for raw in whole:
                self._take(pid, raw)
            if gone:
                del self._read[pid]
        for pid in self.spared:
            known_blocks = self.blocks[pid]
            if self.served[pid] - (known_blocks[-1][0] if known_blocks else 0) >= _COUNTED:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGUSR1)

    def raw(self, request_id: str) -> str:
        """The line of a request as it was written."""
        for path in self._directory.iterdir():
            for line in path.read_text("utf-8", "replace").splitlines():
                if request_id in line and '"message":"request"' in line:
                    return line[line.index('"level"') :]
        return "no line"

    def _runs(self, pid: int) -> bool:
        try:
            _, _, rest = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")
        except OSError:
            return False
        state, parent = rest.split()[:2]
        return state != "Z" and int(parent) == self._front

    def _take(self, pid: int, raw: bytes) -> None:
        try:
            line = json.loads(raw)
        except ValueError:
            self.defects.append(f"[{pid}] {raw.decode(errors='replace')[:500]}")
            return
        message = str(line.get("message"))
        if message == "request":
            self._request(pid, line)
        elif message.startswith("usage held back"):
            self.held_back[pid].update({name: line[name] for name in ("caught_up", "in_doubt", "lost")})
        elif message == counted.MESSAGE:
            self.blocks[pid].append((self.served[pid], line["blocks"]))
        elif message.startswith("unexpected") or "traceback" in line or "handler raised" in message:
            self.defects.append(f"[{pid}] {raw.decode()[:500]}")
        else:
            self.messages[f"{line.get('level')} {message[:60]}"] += 1
            if message.startswith("circuit breaker opened"):
                self.opened.setdefault(line["target"], time.time())
            elif message.startswith("the table cannot be"):
                self.table_troubles[pid].append(time.time())

    def _request(self, pid: int, line: dict[str, Any]) -> None:
        usage: tuple[int, ...] | None = None
        if "InputTokens" in line:
            names = ("InputTokens", "OutputTokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens")
            usage = (1, *(line[name] for name in names), int(line["usage_estimated"]))
        attempts = line.get("attempts") or [line["upstream"]]
        self.lines[line["request_id"]] = Line(
            pid,
            line["_aws"]["Timestamp"] / 1000,
            line["consumer"],
            usage,
            line["error"],
            line["upstream"],
            len(attempts),
            frozenset(attempt.partition("/")[0] for attempt in attempts),
        )
        self.served[pid] += 1
        if self.served[pid] % _SAMPLED == 0:
            with suppress(OSError):
                pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
                self.memory[pid].append((self.served[pid], pages * _PAGE / 1e6))
