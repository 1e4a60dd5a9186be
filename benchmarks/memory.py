"""Measures the function under the share of a processor that each size of memory brings: `python -m benchmarks.memory`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median

from benchmarks.authority import make_authority
from benchmarks.calls import HttpClientCall, Kind, Times, request_body
from benchmarks.cpu_share import FULL, PERIOD, REST, CannotShareError, CpuShare, cpu_shares
from benchmarks.document import machine, write_block
from benchmarks.function import PublishedFunction, memory
from benchmarks.gateway_call import GatewayCall, RuntimeApi, invocation
from benchmarks.latency import Call, Latencies, Rested, compare
from benchmarks.memory_table import Size, Starts, costs, times
from benchmarks.upstream import LARGE
from benchmarks.upstream_process import running_upstream

SIZES = (128, 256, 512, 1024, 1769)
_DIRECT = "direct"
_OVER_TLS = "over-tls"
_LARGE_PROMPT = 5_500_000
"""Bytes: about what Lambda's 6 MB of an event leave."""


class _Secured:
    """Calls of which those that make a new connection do so over TLS."""

    def __init__(self, call: Call, secure: Call) -> None:
        self._call = call
        self._secure = secure

    def __call__(self, kind: Kind) -> Times:
        """Call, and read the answer to its end."""
        return (self._secure if kind is Kind.CLOSING else self._call)(kind)


def starts(function: PublishedFunction, share: CpuShare, size: int, rounds: int) -> Starts:
    """Start the function again and again.

    Args:
        function: the one to start.
        share: it runs in.
        size: its memory, in MB.
        rounds: starts of each kind.
    """
    slow, fast, first = [], [], []
    with closing(RuntimeApi()) as api:
        for _ in range(rounds):
            share.set(size)
            with function.running(api, within=share.within) as (_, milliseconds):
                slow.append(milliseconds)
            share.set(FULL)
            with function.running(api, within=share.within) as (_, milliseconds):
                fast.append(milliseconds)
                share.set(size)
                first.append(GatewayCall(api, _OVER_TLS)(Kind.JSON).total)
    return Starts(median(slow), median(fast), median(first))


def _largest(api: RuntimeApi, model: str = "gpt-4.1") -> float:
    event = invocation(request_body("x" * _LARGE_PROMPT + "[large]", model, max_tokens=9))
    return median(api.call(event).total for _ in range(3))


def peaks(function: PublishedFunction) -> tuple[float, float, float]:
    """Peak memory in MB.

    Args:
        function: the one to look at.

    Returns:
        After small requests; after the largest requests with the largest answers that are held back; after such
        translated ones.
    """
    with closing(RuntimeApi()) as api, function.running(api) as (pid, _):
        for call in (GatewayCall(api), GatewayCall(api, _OVER_TLS)):
            for kind in Kind:
                for _ in range(5):
                    call(kind)
        small = memory(pid, "VmHWM")
        _largest(api)
        large = memory(pid, "VmHWM")
        _largest(api, "translated")
        return small, large, memory(pid, "VmHWM")


def _measure(
    function: PublishedFunction, port: int, shares: dict[int, CpuShare], options: argparse.Namespace
) -> tuple[dict[Kind, Latencies], list[Size]]:
    """The direct calls, and the sizes."""
    begun = {size: starts(function, share, size, options.starts) for size, share in shares.items()}
    calls: dict[str, Call] = {_DIRECT: Rested(HttpClientCall(port), REST)}
    rounds = {
        Kind.JSON: options.rounds,
        Kind.LONG: options.rounds // 4,
        Kind.CLOSING: options.rounds // 4,
        Kind.PACED: options.rounds // 4,
        Kind.STEADY: max(options.rounds // 40, 2),
        Kind.BURST: options.rounds // 4,
    }
    with ExitStack() as stack:
        apis = {size: stack.enter_context(closing(RuntimeApi())) for size in shares}
        for size, share in shares.items():
            share.set(FULL)
            stack.enter_context(function.running(apis[size], within=share.within))
            share.set(size)
            calls[str(size)] = Rested(_Secured(GatewayCall(apis[size]), GatewayCall(apis[size], _OVER_TLS)), REST)
        seen = {kind: compare(calls, kind=kind, rounds=count) for kind, count in rounds.items()}
        largest = {size: _largest(api) for size, api in apis.items()}
    by_name = {name: {kind: seen[kind][name] for kind in rounds} for name in calls}
    return by_name[_DIRECT], [Size(size, begun[size], by_name[str(size)], largest[size]) for size in shares]


def _report(
    function: PublishedFunction,
    measured: tuple[dict[Kind, Latencies], list[Size]],
    peak: tuple[float, float, float],
    options: argparse.Namespace,
) -> str:
    small, large, translated = peak
    setting = (
        f"{machine()}; function: {function.version}, {'with' if function.has_bytecode else 'WITHOUT'} bytecode. Quota of each "
        f"{PERIOD // 1000} ms; {options.rounds} JSON calls of each size, {options.starts} starts of each kind. Milliseconds; "
        "with a sign: added to a direct call without TLS; medians unless said."
    )
    price = (
        "Estimates of what Lambda charges for a million requests: arm64, us-east-1, without API Gateway; for "
        f"{options.cold:.0%} of them a start by its share besides."
    )
    room = (
        f"Peak memory of the process: {small:.1f} MB after small requests, which leaves {128 - small:.0f} of 128 MB; "
        f"{large:.1f} MB after requests of {_LARGE_PROMPT / 1e6:.1f} MB with answers of {LARGE / 1e6:.1f} MB, which leaves "
        f"{128 - large:.0f}; {translated:.1f} MB where those are translated, which leaves {128 - translated:.0f}."
    )
    return "\n\n".join([setting, times(*measured), price, costs(*measured, cold=options.cold), room])


def main() -> int:
    """Measure and print.

    Returns:
        The exit code: 1 where this machine lets no share be set.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--rounds", type=int, default=400, help="JSON calls of each size; streams are a part of it")
    parser.add_argument("--starts", type=int, default=7, help="starts of each size, by its share and with a whole vCPU")
    parser.add_argument("--cold", type=float, default=0.01, help="share of the requests that start an instance, for the costs")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    options = parser.parse_args()
    try:
        with cpu_shares(len(SIZES)) as shares, tempfile.TemporaryDirectory() as directory:
            shares[0].check()
            shown, trusted = make_authority(Path(directory))
            with running_upstream(shown) as ports:
                function = PublishedFunction(Path(directory, "asset"), *ports, environ={"SSL_CERT_FILE": str(trusted)})
                try:
                    measured = _measure(function, ports[0], dict(zip(SIZES, shares, strict=True)), options)
                    text = _report(function, measured, peaks(function), options)
                finally:
                    function.remove()
    except CannotShareError as error:
        print(error, file=sys.stderr)
        return 1
    print(text)
    if options.write:
        write_block("memory", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
