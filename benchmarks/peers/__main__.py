"""Installs the peers, measures them beside this gateway, and prints one table: `python -m benchmarks.peers`."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.cpu_share import CannotShareError, CpuShare, cpu_shares
from benchmarks.document import machine, write_block
from benchmarks.function import PublishedFunction
from benchmarks.peers.catalogue import SERVERS
from benchmarks.peers.function_peers import NodeHandler, ThisGateway
from benchmarks.peers.http_peer import CLIENTS
from benchmarks.peers.installing import node
from benchmarks.peers.measuring import Measurement, Rounds
from benchmarks.peers.peer import Peer
from benchmarks.peers.report import render
from benchmarks.upstream_process import running_upstream

IN_LAMBDA = (ThisGateway.key, NodeHandler.key, "fastapi", "portkey")
"""Those that could run there."""
KEYS = (ThisGateway.key, NodeHandler.key, *(server.key for server in SERVERS))


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument(
        "--only", help=f"some of {','.join(KEYS)}. Default: all, and with --memory those that could run in Lambda"
    )
    parser.add_argument("--memory", type=int, help="give each the share of a processor that a function of so many MB has")
    parser.add_argument("--rounds", type=int, default=500, help="JSON calls of each; streams are a fifth of it")
    parser.add_argument("--starts", type=int, default=5, help="starts of each")
    parser.add_argument("--seconds", type=float, default=3, help="for how long requests are counted, each time")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    options = parser.parse_args(arguments)
    everybody = IN_LAMBDA if options.memory else KEYS
    options.only = options.only.split(",") if options.only else list(everybody)
    if unknown := set(options.only) - set(KEYS):
        parser.error(f"--only knows {', '.join(KEYS)}; not {', '.join(sorted(unknown))}")
    if options.write and set(options.only) != set(everybody):
        parser.error("--write is for a run of all: leave out --only")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Measure and print.

    Args:
        arguments: of the command line. Default: the process's.

    Returns:
        The exit code.
    """
    options = _options(arguments)
    try:
        with cpu_shares(len(options.only) if options.memory else 0) as shares:
            for share in shares:
                share.check()
                share.set(options.memory)
            text = _measured(options, shares)
    except CannotShareError as error:
        print(error, file=sys.stderr)
        return 1
    print(text)
    if options.write:
        write_block("peers-by-share" if options.memory else "peers", text)
    return 0


def _measured(options: argparse.Namespace, shares: list[CpuShare]) -> str:
    with tempfile.TemporaryDirectory() as directory, running_upstream() as (port,):
        work = Path(directory)
        function = PublishedFunction(work / "asset", port)
        try:
            everybody: tuple[Peer, ...] = (ThisGateway(function), NodeHandler(), *SERVERS)
            peers = [peer for peer in everybody if peer.key in options.only]
            rounds = Rounds(options.rounds, options.starts, options.seconds)
            results = Measurement(peers, work, port, rounds, shares).run()
        finally:
            function.remove()
    return f"{_setting(rounds, options.memory)}\n\n{render(peers, results)}"


def _setting(rounds: Rounds, memory: int | None) -> str:
    share = f" each by the share of a processor that {memory} MB bring, with a rest before each call;" if memory else ""
    return (
        f"{machine()}; {_node()}; loopback without TLS, all against the same upstream, in turns;{share} {rounds.calls} JSON "
        f"calls and {max(rounds.calls // 5, 10)} streams of each; starts: median of {rounds.starts}, to the end of the first "
        f"answer; requests a second: the better of two times {rounds.seconds:g} s, {CLIENTS} clients that ask again at once, "
        "one for each instance of a function. With a sign: added to a direct call, medians unless said."
    )


def _node() -> str:
    try:
        said = subprocess.run([node(), "--version"], check=True, capture_output=True, text=True).stdout.strip()
    except OSError:
        return "no Node"
    return f"Node {said.removeprefix('v')}"


if __name__ == "__main__":
    sys.exit(main())
