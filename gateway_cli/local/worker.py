"""One worker: a process that runs the function's asset, as one instance of the function does on Lambda."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway_cli.console import Output
from gateway_cli.local.alarms.function_metrics import FunctionMetrics
from gateway_cli.local.answer import Answer, FunctionError
from gateway_cli.local.processes import kill_group
from gateway_cli.local.runtime_api import Invocation, RuntimeApi

INIT_SECONDS = 30.0
WRAPPER_VARIABLE = "AWS_LAMBDA_EXEC_WRAPPER"
_TASK_ROOT = "/var/task/"

_LINE_LIMIT = 1024 * 1024
_QUIET_LEVELS = {"", "DEBUG", "INFO", "TRACE"}


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionVersion:
    """A version of a function, ready to run.

    Args:
        name: the function's name.
        version: its number, or `$LATEST`.
        arn: ARN with which it is invoked.
        directory: its unpacked code.
        environment: the environment variables of the worker process, all of them.
        timeout: seconds after which an invocation is killed.
    """

    name: str
    version: str
    arn: str
    directory: Path
    environment: Mapping[str, str]
    timeout: float


class Worker:
    """A worker process and its Runtime API. It serves one invocation at a time and is never repaired, only replaced.

    Args:
        function: what it runs.
        python: the interpreter.
        output: where its output goes.
        metrics: what it prints and does is counted there.
        on_idle: called each time the worker has become free.
        on_exit: called once when the process has ended.
    """

    def __init__(
        self,
        function: FunctionVersion,
        *,
        python: str,
        output: Output,
        metrics: FunctionMetrics,
        on_idle: Callable[[Worker], None],
        on_exit: Callable[[Worker], None],
    ) -> None:
        self.function = function
        self._python = python
        self._output = output
        self._metrics = metrics
        self._on_idle = on_idle
        self._on_exit = on_exit
        self._api = RuntimeApi(on_idle=self._idle, on_report=lambda text: output.error(f"{self}: {text}"))
        self._process: asyncio.subprocess.Process | None = None
        self._ready = asyncio.Event()
        self._invocation: Invocation | None = None
        self._timeout: asyncio.TimerHandle | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._stopping = False
        self.gone = False
        """Whether the process has ended."""

    def __str__(self) -> str:
        pid = self._process.pid if self._process else "-"
        return f"{self.function.name} version {self.function.version} [{pid}]"

    @property
    def pid(self) -> int | None:
        """The process id, once started."""
        return self._process.pid if self._process else None

    @property
    def answered(self) -> bool:
        """Whether the invocation under way has its whole answer, and only what the function does afterwards is left."""
        return self._invocation is not None and self._invocation.answer.finished

    async def start(self) -> None:
        """Start the process and wait until it asks for its first event.

        Raises:
            FunctionError: if it ends or reports an error instead, or takes too long.
        """
        endpoint = await self._api.start()
        directory = self.function.directory
        wrapper = directory / self.function.environment.get(WRAPPER_VARIABLE, "exec-wrapper").removeprefix(_TASK_ROOT)
        try:
            self._process = await asyncio.create_subprocess_exec(
                str(wrapper),
                self._python,
                "/dev/null",  # Lambda gives the managed bootstrap here, which the wrapper replaces
                env={**self.function.environment, "AWS_LAMBDA_RUNTIME_API": endpoint, "LAMBDA_TASK_ROOT": str(directory)},
                cwd=directory,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
                limit=_LINE_LIMIT,
            )
        except OSError as error:
            await self._api.stop()
            self.gone = True
            raise FunctionError("Runtime.InvalidEntrypoint", f"{wrapper} cannot be run: {error}") from error
        self._watcher = asyncio.create_task(self._watch(self._process))
        ready = asyncio.create_task(self._ready.wait())
        done, _ = await asyncio.wait({ready, self._watcher}, timeout=INIT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self.gone or not done:
            await self.stop()
            reason = self._api.init_error or FunctionError(
                "Runtime.ExitError" if done else "Sandbox.Timedout",
                f"the process ended with status {self._process.returncode} before it asked for an event"
                if done
                else f"the function did not ask for an event within {INIT_SECONDS:.0f} s",
            )
            self._output.error(f"{self} cannot start: {reason}")
            raise reason

    def invoke(self, event: bytes, trace_id: str) -> Answer:
        """Give an idle worker an event; its answer comes while the worker runs."""
        timeout = self.function.timeout
        invocation = Invocation(event, self.function.arn, int((time.time() + timeout) * 1000), trace_id)
        self._invocation = invocation
        self._timeout = asyncio.get_running_loop().call_later(timeout, self._timed_out, invocation)
        self._api.hand_out(invocation)
        return invocation.answer

    async def stop(self) -> None:
        """End the process group, and wait until it has ended."""
        self._stopping = True
        if self._process and self._process.returncode is None:
            kill_group(self._process.pid)
        if self._watcher:
            await self._watcher

    def _idle(self) -> None:
        if self._timeout:
            self._timeout.cancel()
        self._ended()
        first = not self._ready.is_set()
        self._ready.set()
        if not first:
            self._on_idle(self)

    def _timed_out(self, invocation: Invocation) -> None:
        message = f"Task timed out after {self.function.timeout:.2f} seconds"
        self._output.error(f"{self}: {message}")
        invocation.answer.fail(FunctionError("Sandbox.Timedout", message))
        self._ended()
        self._stopping = True
        if self._process:
            kill_group(self._process.pid)

    def _ended(self) -> None:
        invocation, self._invocation = self._invocation, None
        if invocation:
            function = self.function
            self._metrics.invoked(function.name, function.version, function.arn, failed=invocation.answer.failed)

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        readers = [
            asyncio.create_task(self._print(stream, complain=complain))
            for stream, complain in ((process.stdout, False), (process.stderr, True))
            if stream
        ]
        await process.wait()
        # Whatever it has started must not outlive it, and must not keep its output open either.
        kill_group(process.pid)
        await asyncio.gather(*readers)
        await self._api.stop()
        self.gone = True
        if self._timeout:
            self._timeout.cancel()
        if self._ready.is_set() and not self._stopping:
            self._output.error(f"{self} ended with status {process.returncode}; another one takes its place")
        if self._invocation:
            status = process.returncode
            self._invocation.answer.fail(FunctionError("Runtime.ExitError", f"the process ended with status {status}"))
            self._ended()
        self._on_exit(self)

    async def _print(self, stream: asyncio.StreamReader, *, complain: bool) -> None:
        while True:
            try:
                line = await stream.readline()
            except ValueError:  # a line beyond the limit; the stream has dropped it
                continue
            if not line:
                return
            text = line.decode("utf-8", "replace").rstrip()
            record = _record(text)
            if record is not None:
                self._metrics.printed(record)
            if self._output.verbose or complain or _needs_attention(text, record):
                self._output.line(f"[{self.function.version}] {text}")


def _record(text: str) -> dict[str, Any] | None:
    """A line of the log, or None if it is anything else."""
    with contextlib.suppress(ValueError):
        record = json.loads(text)
        if isinstance(record, dict):
            return record
    return None


def _needs_attention(text: str, record: Mapping[str, Any] | None) -> bool:
    """Whether a line is to be shown without being asked for: a warning, an error, or what is no line of the log at all."""
    return bool(text) if record is None else str(record.get("level", "")).upper() not in _QUIET_LEVELS
