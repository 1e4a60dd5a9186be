"""The stand-in provider: one private llmock process that answers in both wire formats."""

from __future__ import annotations

import os
from pathlib import Path

from gateway_cli.console import Output
from gateway_cli.local.emulator import START_SECONDS
from gateway_cli.local.errors import LocalGatewayError
from gateway_cli.local.processes import ToolProcess, free_port
from gateway_cli.local.tool_environment import tool_python

CHUNK_DELAY_MS = 20
"""Pause between two pieces of a streamed answer, so that one can see it arrive."""

_RUN = "from llmock.cli import app\napp()\n"


class StandIn:
    """A running stand-in provider.

    Args:
        process: its process.
        port: its port on 127.0.0.1.
    """

    def __init__(self, process: ToolProcess, port: int) -> None:
        self.process = process
        self._port = port
        self.url = f"http://127.0.0.1:{port}"

    @classmethod
    async def start(cls, *, directory: Path, output: Output) -> StandIn:
        """Start a stand-in; it is not ready before `ready` has returned.

        Args:
            directory: an existing directory for its files.
            output: shows the progress of a first installation.

        Raises:
            LocalGatewayError: if it cannot be installed.
        """
        python = await tool_python("llmock", output)
        port = free_port()
        arguments = ["serve", "--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"]
        arguments += ["--stream-chunk-delay-ms", str(CHUNK_DELAY_MS)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LLMOCK_")}
        process = await ToolProcess.start(
            "the stand-in provider",
            python,
            _RUN,
            *arguments,
            environment=environment,
            directory=directory,
            log=directory / "llmock.log",
        )
        return cls(process, port)

    async def ready(self) -> None:
        """Wait until it takes requests.

        Raises:
            LocalGatewayError: if it ends instead, or takes too long.
        """
        if not await self.process.accepts(self._port, START_SECONDS):
            raise LocalGatewayError(
                f"the stand-in provider did not start within {START_SECONDS:.0f} s; it printed:\n{self.process.last_lines()}"
            )

    async def stop(self) -> None:
        """End it."""
        await self.process.stop()
