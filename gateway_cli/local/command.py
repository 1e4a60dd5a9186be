"""The command `ai-gateway local`: from the options to the exit status."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from gateway_cli.console import Output
from gateway_cli.local.errors import LocalGatewayError

if TYPE_CHECKING:
    from gateway_cli.local.session import LocalSession

DEFAULT_WORKERS = 16
"""What an agent with a dozen parallel calls needs. They are started on demand, and each takes about 16 MB."""


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
        watch: whether an assembly that is written anew is deployed again.
        verbose: print each request and everything that the function prints.
    """

    assembly: Path
    port: int = 8080
    stacks: tuple[str, ...] = ()
    stand_in: bool = True
    workers: int = DEFAULT_WORKERS
    ready_file: Path | None = None
    watch: bool = False
    verbose: bool = False


def run_local(options: LocalOptions) -> int:
    """Serve until SIGINT or SIGTERM.

    Returns:
        The exit status: 0 after a signal, 1 if it could not start or go on.
    """
    output = Output(verbose=options.verbose)
    try:
        asyncio.run(_serve(options, output))
    except LocalGatewayError as error:
        output.error(str(error))
        return 1
    except (BotoCoreError, ClientError) as error:
        output.error(f"the embedded AWS does not answer as expected: {error}")
        return 1
    return 0


async def _serve(options: LocalOptions, output: Output) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    from gateway_cli.local.session import LocalSession  # noqa: PLC0415  a quarter of a second, for every other command too

    with tempfile.TemporaryDirectory(prefix="ai-gateway-", ignore_cleanup_errors=True) as scratch:
        session = LocalSession(
            assembly=options.assembly,
            port=options.port,
            stacks=options.stacks,
            stand_in=options.stand_in,
            workers=options.workers,
            ready_file=options.ready_file,
            watch=options.watch,
            scratch=Path(scratch),
            output=output,
        )
        running = asyncio.create_task(_run(session))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
            output.line("Stopping.")
        finally:
            running.cancel()
            stopping.cancel()
            # Waited for, whatever it ends with, because only then is it known what there is to stop.
            await asyncio.wait({running})
            await session.stop()


async def _run(session: LocalSession) -> None:
    await session.start()
    await session.serve()
