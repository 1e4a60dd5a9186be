"""Eight function instances, one table: they open a breaker once, and one of them gets the probe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lambda_runtime.state.outcome import Attempted, Outcome
from lambda_runtime.state.target_states import Availability
from tests.lambda_runtime.state.table_kit import TARGET, Clock, Instance, Table, environ, fail

ROOT = Path(__file__).parents[3]
EIGHT = 8


def at_once(do: Callable[[Instance], Any], instances: list[Instance]) -> list[Any]:
    """What each instance gets, all starting together."""
    barrier = threading.Barrier(len(instances))
    results: list[Any] = [None] * len(instances)

    def run(index: int) -> None:
        barrier.wait(10)
        results[index] = do(instances[index])

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(instances))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_eight_threads_open_it_once(instance_of: Callable[[str], Instance], table: Table, clock: Clock) -> None:
    instances = [instance_of(table.url) for _ in range(EIGHT)]
    for each in instances:
        each.look()
    at_once(lambda each: each.attempt(Outcome.FAILURE, times=3), instances)
    breaker = table.breaker(TARGET)
    assert breaker["state"] == "open"
    assert breaker["openings"] == 1
    assert breaker["since"] == clock.now
    assert breaker["until"] == clock.now + 30
    clock.pass_(2)
    for each in instances:
        each.look()
        assert each.availability(TARGET) is Availability.OPEN
    total = sum(bucket["calls"] for bucket in table.window(TARGET).values())
    assert total == EIGHT * 3


def test_a_probe_that_fails_is_one_more_opening_for_all(
    instance_of: Callable[[str], Instance], table: Table, clock: Clock
) -> None:
    instances = [instance_of(table.url) for _ in range(EIGHT)]
    fail(instances[0], 5)
    for openings in range(2, 6):
        clock.pass_(301)
        for each in instances:
            each.look()
        got = at_once(lambda each: each.take_probe(TARGET), instances)
        assert sorted(got) == [False] * 7 + [True]
        instances[got.index(True)].attempt(Outcome.FAILURE, probe=True)
        assert table.breaker(TARGET)["openings"] == openings


def test_of_eight_at_once_one_gets_the_probe_until_three_have_closed_it(
    instance_of: Callable[[str], Instance], table: Table, clock: Clock
) -> None:
    instances = [instance_of(table.url) for _ in range(EIGHT)]
    fail(instances[0], 5)
    clock.pass_(31)
    for _probe in range(3):
        for each in instances:
            each.look()
        got = at_once(lambda each: each.take_probe(TARGET), instances)
        assert sorted(got) == [False] * 7 + [True]
        instances[got.index(True)].attempt(Outcome.SUCCESS, probe=True)
        clock.pass_(2)
    assert table.breaker(TARGET)["state"] == "closed"
    for each in instances:
        each.look()
        assert each.availability(TARGET) is Availability.CLOSED


WORKER = """
import sys, time, httpx, os
from lambda_runtime import state
from lambda_runtime.aws_credentials import AwsCredentialsSource
from lambda_runtime.state import dynamodb, state_reader
from lambda_runtime.state.outcome import Attempted, Outcome
from lambda_runtime.transport import HttpClientTransport

transport = HttpClientTransport()
credentials = AwsCredentialsSource(httpx.Client(transport=transport, trust_env=False), os.environ)
states, _usage = state.connect(os.environ, transport, credentials)
states._table._connect_timeout = states._table._read_timeout = 30.0  # the machine may be busy
print("ready", flush=True)
sys.stdin.readline()
asked = 0
for _ in range(200):
    states.refresh()
    states.settle()
    if states.availability("main/m").name == "OPEN":
        break
    asked += 1
    states.record([Attempted("main/m", Outcome.FAILURE)])
print("asked", asked, states.availability("main/m").name, flush=True)
"""


def test_eight_processes_open_it_once(table: Table) -> None:
    variables = {**os.environ, **environ(table.url), "PYTHONPATH": str(ROOT)}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER],
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(EIGHT)
    ]
    said: list[str] = []
    try:
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.write("go\n")
            worker.stdin.flush()
        said = [worker.communicate(timeout=60)[0] for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()
    asked = [line.split() for text in said for line in text.splitlines() if line.startswith("asked")]
    assert [state for _, _, state in asked] == ["OPEN"] * EIGHT
    assert sum(int(count) for _, count, _ in asked) <= 5 + 2 * EIGHT
    opened = [json.loads(line) for text in said for line in text.splitlines() if line.startswith("{")]
    # The metric, too, is written by the one who opened it.
    assert [line["message"] for line in opened] == ["circuit breaker opened", "circuit"]
    assert table.breaker("main/m")["openings"] == 1
    assert table.breaker("main/m")["rev"] == 1


def test_a_batch_of_attempts_of_one_request(instance_of: Callable[[str], Instance], table: Table) -> None:
    instance = instance_of(table.url)
    attempts = [Attempted(TARGET, Outcome.FAILURE), Attempted(TARGET, Outcome.FAILURE), Attempted("spare/x", Outcome.SUCCESS)]
    instance.record(attempts)
    assert table.window(TARGET)["001790000000"]["row"] == 2
    assert table.window("spare/x")["001790000000"]["calls"] == 1
