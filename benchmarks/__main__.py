"""Runs every measurement and prints one table: `python -m benchmarks`."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.calls import HttpClientCall, HttpxCall, Kind, RawCall
from benchmarks.function import PublishedFunction, memory
from benchmarks.gateway_call import GatewayCall, RuntimeApi
from benchmarks.latency import Call, Latencies, compare
from benchmarks.synthesis import synthesis
from benchmarks.table import Row, render
from benchmarks.translation import translated_streams
from benchmarks.upstream_process import running_upstream
from lambda_runtime.config import LIMITS_VARIABLE

_REQUESTS = 10_000


def _start(function: PublishedFunction, api: RuntimeApi, rounds: int) -> list[Row]:
    bare, started = [], []
    for _ in range(rounds):
        bare.append(function.bare_start())
        with function.running(api) as (_, milliseconds):
            started.append(milliseconds)
    name = "start to first /next"
    return [
        Row(f"{name}, median", f"{median(bare):.1f}", f"{median(started):.1f}", median(started), 110, "ms"),
        Row(f"{name}, least", f"{min(bare):.1f}", f"{min(started):.1f}", min(started), None, "ms"),
    ]


def _latencies(calls: dict[str, Call], rounds: int) -> list[Row]:
    json = compare(calls, kind=Kind.JSON, rounds=rounds)
    paced = compare(calls, kind=Kind.PACED, rounds=rounds // 3)
    burst = compare(calls, kind=Kind.BURST, rounds=rounds // 3)

    def added(  # noqa: PLR0917
        name: str, seen: dict[str, Latencies], part: str, figure: str, target: float | None, beside: str
    ) -> Row:
        direct, gateway = (float(getattr(getattr(seen[call], part), figure)) for call in (beside, "gateway"))
        return Row(f"{name}, added to {beside}", f"{direct:.2f}", f"{gateway:.2f}", gateway - direct, target, "ms")

    rows = []
    for beside in ("http.client", "httpx", "raw sockets"):
        # The target is against the standard library's client; the others put it into proportion.
        targets = (0.30, 1.0, 0.75, 1.0) if beside == "http.client" else (None,) * 4
        rows += [
            added("JSON p50", json, "total", "p50", targets[0], beside),
            added("JSON p99", json, "total", "p99", targets[1], beside),
            added("first token p50", paced, "first", "p50", targets[2], beside),
            added("200 chunks p50", burst, "total", "p50", targets[3], beside),
        ]
    return rows


def _reliability(gateway: Call, with_table: Call, with_budget: Call, failing: dict[str, Call], rounds: int) -> list[Row]:
    """What the breaker, the usage counts and a consumer's budgets cost, and how soon another upstream answers."""

    # In a comparison of their own: whoever else took a turn would leave one of the processes with warmer caches.
    def over(name: str, call: Call, target: float | None, beside: Call = gateway) -> Row:
        seen = compare({"plain": beside, "other": call}, kind=Kind.JSON, rounds=rounds)
        plain, other = seen["plain"].total.p50, seen["other"].total.p50
        return Row(f"{name}, added to JSON p50", f"{plain:.2f}", f"{other:.2f}", other - plain, target, "ms")

    rows = [
        over("breaker and usage on", with_table, 0.1),
        # Of a consumer with limits, beside the same without: one Query of the table, here without DynamoDB's own time.
        over("budget on", with_budget, None, with_table),
    ]
    return rows + [over(name.replace("-", " "), call, 5) for name, call in failing.items()]


def _memory(call: GatewayCall, pid: int, which: str, most: float | None = 26) -> list[Row]:
    before = memory(pid, "VmRSS")
    for _ in range(_REQUESTS):
        call(Kind.JSON)
    after = memory(pid, "VmRSS")
    return [
        Row(f"peak RSS{which}", "", f"{memory(pid, 'VmHWM'):.1f}", memory(pid, "VmHWM"), most, "MB"),
        Row(f"RSS growth over {_REQUESTS} requests{which}", f"{before:.1f}", f"{after:.1f}", after - before, 0.5, "MB"),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3000, help="JSON calls of each kind; streams are a third of it")
    parser.add_argument("--starts", type=int, default=25, help="starts of the function")
    parser.add_argument("--synths", type=int, default=3, help="runs of app.py; 0 leaves them out")
    options = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as directory, running_upstream() as (port,):
        function = PublishedFunction(Path(directory, "asset"), port)
        apis = api, api_with_table, api_with_budget = RuntimeApi(), RuntimeApi(), RuntimeApi()
        table = {"AI_GATEWAY_TABLE": "state", "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{port}"}
        try:
            rows += _start(function, api, options.starts)
            with (
                function.running(api) as (pid, _),
                function.running(api_with_table, table) as (pid_with_table, _),
                function.running(api_with_budget, {**table, LIMITS_VARIABLE: "1"}) as (pid_with_budget, _),
            ):
                gateway, with_table, with_budget = GatewayCall(api), GatewayCall(api_with_table), GatewayCall(api_with_budget)
                calls: dict[str, Call] = {
                    "raw sockets": RawCall(port),
                    "http.client": HttpClientCall(port),
                    "httpx": HttpxCall(port),
                    "gateway": gateway,
                }
                failing: dict[str, Call] = {
                    f"failover-{model}": GatewayCall(api, model) for model in ("after-a-refused-connection", "after-a-500")
                }
                rows = [
                    *_latencies(calls, options.rounds),
                    *rows,
                    *_memory(gateway, pid, ""),
                    *_reliability(gateway, with_table, with_budget, failing, options.rounds // 3),
                    *_memory(with_table, pid_with_table, " with table"),
                    *_memory(with_budget, pid_with_budget, " with budgets", None),
                    *translated_streams(),
                ]
            size = function.zipped_size()
        finally:
            for each in apis:
                each.close()
            function.remove()
    rows.append(Row("zipped asset", "", f"{size:.2f}", size, 0.95, "MB"))
    if options.synths:
        empty, ours = synthesis(options.synths)
        rows.append(Row("python app.py over an empty app", f"{empty:.2f}", f"{ours:.2f}", ours - empty, 1.5, "s"))
    print(f"function: {function.version}, {'with' if function.has_bytecode else 'WITHOUT'} bytecode; loopback, no TLS\n")
    print(render(rows))


if __name__ == "__main__":
    main()
