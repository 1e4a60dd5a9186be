"""Child processes that never outlive the local gateway."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

# A tool that we start watches its standard input, whose other end only we hold: when we end in any way, even by SIGKILL, it
# sees the end of the file and takes its whole process group with it.
_WATCH = (
    "import os,signal,sys,threading\n"
    "def watch():\n"
    "    sys.stdin.buffer.read()\n"
    "    os.killpg(0, signal.SIGKILL)\n"
    "threading.Thread(target=watch, daemon=True).start()\n"
)


def free_port() -> int:
    """A port on 127.0.0.1 that is free now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def kill_group(pid: int, number: int = signal.SIGKILL) -> None:
    """Signal a process group; one that is gone already is no error."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


class ToolProcess:
    """A Python tool that runs in its own process group until it is stopped.

    Args:
        name: what users call it.
        process: the running process, leader of its group.
        log: the file that takes what it prints.
    """

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self._name = name
        self._process = process
        self.log = log

    @classmethod
    async def start(
        cls,
        name: str,
        python: Path,
        code: str,
        *arguments: str,
        environment: Mapping[str, str],
        directory: Path,
        log: Path,
    ) -> ToolProcess:
        """Run Python code as a tool.

        Args:
            name: what users call it.
            python: the interpreter.
            code: what it runs.
            arguments: its `sys.argv[1:]`.
            environment: the whole environment of the process.
            directory: its working directory.
            log: the file that takes what it prints.
        """
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                str(python),
                "-c",
                _WATCH + code,
                *arguments,
                env=dict(environment),
                cwd=directory,
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return cls(name, process, log)

    @property
    def running(self) -> bool:
        """Whether the process is still there."""
        return self._process.returncode is None

    def last_lines(self, count: int = 15) -> str:
        """The end of what the process printed."""
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-count:])

    async def accepts(self, port: int, within: float) -> bool:
        """Wait until the process takes connections on a port of 127.0.0.1; false if it ends or takes too long first.

        Args:
            port: the port.
            within: seconds to wait.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while self.running:
                    with contextlib.suppress(OSError):
                        _, writer = await asyncio.open_connection("127.0.0.1", port)
                        writer.close()
                        return True
                    await asyncio.sleep(0.02)
        return False

    async def ended(self) -> str:
        """Wait until the process ends by itself.

        Returns:
            A sentence that says so, and the end of what it printed.
        """
        return f"{self._name} ended with status {await self._process.wait()}; it printed:\n{self.last_lines()}"

    async def stop(self) -> None:
        """End the process group and wait until its leader is gone. Its state is thrown away, so it is not asked politely."""
        kill_group(self._process.pid)
        await self._process.wait()


async def run(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Run a command to its end; it does not survive a cancellation.

    Returns:
        Its exit status, and what it printed.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        env=None if environment is None else dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        kill_group(process.pid)
        await process.wait()
        raise
    return process.returncode or 0, output.decode("utf-8", "replace")
