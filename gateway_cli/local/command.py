"""The command `ai-gateway local`: from the options to the exit status."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path

from gateway_cli.local.console import Output
from gateway_cli.local.errors import LocalGatewayError
from gateway_cli.local.session import LocalSession


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalOptions:
    """The options of `ai-gateway local`.

    Args:
        assembly: directory of the cloud assembly.
        port: port of the first gateway; 0 takes a free one.
        stacks: names of the stacks to deploy; empty for all.
        stand_in: whether a stand-in answers for upstreams without a key in the environment.
        workers: how many worker processes there may be at once.
        ready_file: file to write when requests are taken, or None.
        verbose: print each request and everything that the function prints.
    """

    assembly: Path
    port: int = 8080
    stacks: tuple[str, ...] = ()
    stand_in: bool = True
    workers: int = 8
    ready_file: Path | None = None
    verbose: bool = False


def run_local(options: LocalOptions) -> int:
    """Serve until SIGINT or SIGTERM.

    Returns:
        The exit status: 0 after a signal, 1 if it could not start.
    """
    output = Output(verbose=options.verbose)
    try:
        asyncio.run(_serve(options, output))
    except LocalGatewayError as error:
        output.error(str(error))
        return 1
    return 0


async def _serve(options: LocalOptions, output: Output) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    with tempfile.TemporaryDirectory(prefix="ai-gateway-", ignore_cleanup_errors=True) as scratch:
        session = LocalSession(
            assembly=options.assembly,
            port=options.port,
            stacks=options.stacks,
            stand_in=options.stand_in,
            workers=options.workers,
            ready_file=options.ready_file,
            scratch=Path(scratch),
            output=output,
        )
        starting = asyncio.create_task(session.start())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                await stopping
            output.line("Stopping.")
        finally:
            starting.cancel()
            stopping.cancel()
            with contextlib.suppress(asyncio.CancelledError, LocalGatewayError):
                await starting
            await session.stop()
            if options.ready_file:
                options.ready_file.unlink(missing_ok=True)
