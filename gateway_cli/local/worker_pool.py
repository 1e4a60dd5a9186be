"""The workers of the local gateway: started on demand, reused, replaced, never more than allowed."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict

from gateway_cli.console import Output
from gateway_cli.local.alarms.function_metrics import FunctionMetrics
from gateway_cli.local.answer import Answer, FunctionError
from gateway_cli.local.worker import FunctionVersion, Worker

SETTLE_SECONDS = 0.1
"""How long a request waits for a worker that has answered already and is about to ask for its next event."""

FULL_SECONDS = 3.0
"""The same where no worker may be started instead: Lambda would start one. While the embedded AWS deploys, it is slow to take
what workers write after their answers."""


class ThrottledError(Exception):
    """Every worker is busy and no more may be started. Lambda answers 429 to the caller in this case."""


class WorkerPool:
    """Runs invocations on workers, one at a time on each.

    Like Lambda it does not queue: where Lambda is out of concurrency the invocation is refused.

    Args:
        python: the interpreter of the workers.
        limit: how many workers there may be, of all versions together.
        output: where their output goes.
        metrics: what they print and do is counted there. Default: nothing is.
    """

    def __init__(self, *, python: str, limit: int, output: Output, metrics: FunctionMetrics | None = None) -> None:
        self._python = python
        self._limit = limit
        self._output = output
        self._metrics = metrics or FunctionMetrics()
        # The one that was busy last is taken first: the others may grow old, which Lambda's do too.
        self._idle: dict[tuple[str, str], list[Worker]] = defaultdict(list)
        self._workers: set[Worker] = set()
        self._freed = asyncio.Event()

    @property
    def pids(self) -> list[int]:
        """Process ids of the workers."""
        return [worker.pid for worker in self._workers if worker.pid]

    async def invoke(self, function: FunctionVersion, event: bytes, trace_id: str) -> Answer:
        """Run an event on a worker of that version.

        Raises:
            ThrottledError: if every worker is busy.
            FunctionError: if a new worker cannot start.
        """
        idle = self._idle[function.name, function.version]
        if not idle:
            await self._settle(function, SETTLE_SECONDS)
        if not idle and not self._has_room:
            await self._settle(function, FULL_SECONDS)
        if idle:
            return idle.pop().invoke(event, trace_id)
        try:
            worker = await self._start(function)
        except FunctionError:
            self._metrics.invoked(function.name, function.version, function.arn, failed=True)
            raise
        return worker.invoke(event, trace_id)

    async def warm(self, function: FunctionVersion) -> None:
        """Start a first worker of a version, so that the first request need not wait for it.

        Raises:
            FunctionError: if it cannot start.
        """
        self._free(await self._start(function))

    async def stop(self) -> None:
        """End every worker."""
        await asyncio.gather(*(worker.stop() for worker in set(self._workers)))

    async def _start(self, function: FunctionVersion) -> Worker:
        # Looked at again after each wait, in which another request may have taken the room that was made.
        while len(self._workers) >= self._limit:
            await self._end_idle()
        worker = Worker(
            function,
            python=self._python,
            output=self._output,
            metrics=self._metrics,
            on_idle=self._free,
            on_exit=self._forget,
        )
        self._workers.add(worker)
        try:
            await worker.start()
        except FunctionError:
            self._workers.discard(worker)
            raise
        except asyncio.CancelledError:
            await worker.stop()
            raise
        return worker

    @property
    def _has_room(self) -> bool:
        """Whether a worker may be started, if need be in place of an idle one."""
        return len(self._workers) < self._limit or any(self._idle.values())

    async def _settle(self, function: FunctionVersion, seconds: float) -> None:
        """Wait for a worker that is only writing its log: a client that asks one thing after the other needs no second one."""
        idle = self._idle[function.name, function.version]

        def settling() -> bool:
            full = not self._has_room
            return not idle and any(worker.answered and (full or worker.function == function) for worker in self._workers)

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while settling():
                    self._freed.clear()
                    await self._freed.wait()

    async def _end_idle(self) -> None:
        """End an idle worker of another version, if there is one.

        Raises:
            ThrottledError: if every worker is busy.
        """
        for idle in self._idle.values():
            if idle:
                await idle.pop(0).stop()
                return
        raise ThrottledError

    def _free(self, worker: Worker) -> None:
        self._idle[worker.function.name, worker.function.version].append(worker)
        self._freed.set()

    def _forget(self, worker: Worker) -> None:
        self._workers.discard(worker)
        self._freed.set()
        idle = self._idle[worker.function.name, worker.function.version]
        if worker in idle:
            idle.remove(worker)
