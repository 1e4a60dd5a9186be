"""Budgets in functions as Lambda runs them: two processes, one table."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from subprocess import Popen

import httpx
import idna
import pytest

from lambda_runtime.config import CONFIG_FILE, LIMITS_VARIABLE, AuthStyle, GatewayConfig, Operation
from lambda_runtime.state.usage_months import parse
from tests.lambda_runtime.budget_kit import ANSWER, COST, PRICES, TOKENS, Consumer
from tests.lambda_runtime.function_process import function, make_task_root
from tests.lambda_runtime.gateway_kit import openai_upstream
from tests.lambda_runtime.runtime_api_server import Answer, RuntimeApiServer
from tests.lambda_runtime.state.table_kit import Clock, Table, environ, running_table
from tests.lambda_runtime.upstream_server import Connection, Received, UpstreamServer

CHAT = Operation.CHAT_COMPLETIONS
# A busy machine must not make an outage of the table.
PATIENT = """
from lambda_runtime.state.dynamodb import DynamoDb
DynamoDb.__init__.__kwdefaults__.update(connect_timeout=30.0, read_timeout=30.0)
from lambda_runtime.handler import handler
"""


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    with running_table() as table:
        yield table


@pytest.fixture
def functions(tmp_path: Path, table: Table, upstream: UpstreamServer) -> Iterator[list[tuple[RuntimeApiServer, Popen[str]]]]:
    root = make_task_root(tmp_path, PATIENT)
    for package in (httpx, idna):
        source = Path(str(package.__file__)).parent
        shutil.copytree(source, root / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    config = GatewayConfig(upstreams=(openai_upstream("main", upstream.url, AuthStyle.NONE),), prices=PRICES)
    (root / CONFIG_FILE).write_text(config.to_json())
    variables = environ(table.url, **{LIMITS_VARIABLE: "1"})
    with ExitStack() as stack:
        apis = [stack.enter_context(RuntimeApiServer()) for _ in range(2)]
        yield [(api, stack.enter_context(function(root, api.address, **variables))) for api in apis]


def status_of(answer: Answer) -> int:
    assert answer.complete.wait(20)
    status: int = answer.prelude["statusCode"]
    return status


def line_of(process: Popen[str]) -> dict[str, object]:
    assert process.stdout
    while True:
        line: dict[str, object] = json.loads(process.stdout.readline())
        if line["message"] == "request":
            return line


def test_two_functions_overrun_a_budget_by_what_was_under_way(
    functions: list[tuple[RuntimeApiServer, Popen[str]]], table: Table, upstream: UpstreamServer
) -> None:
    consumer = Consumer(table, Clock())
    consumer.limit(tokens_per_month=1, usd_per_month=1)
    barrier = threading.Barrier(2)

    def answer(received: Received, connection: Connection) -> None:
        barrier.wait(20)
        ANSWER(received, connection)

    upstream.answer = answer
    event = consumer.event(CHAT, {"model": "m"})
    for api, _ in functions:
        api.wait_until_asked()
    for expected in (200, 429):
        for api, _ in functions:
            api.push(event)
        assert [status_of(api.answer()) for api, _ in functions] == [expected] * 2
        for api, process in functions:
            line = line_of(process)
            api.wait_until_asked()  # for the next event, when the usage of this one has been written
            assert line["status"] == expected
            assert line.get("cost_usd") == (COST / 1e9 if expected == 200 else None)
            assert line.get("budget_percent") == (None if expected == 200 else 2 * TOKENS * 100)
    (month,) = (parse(item) for sk, item in table.items(f"usage#{consumer.key}").items() if sk != "limits")
    assert (month.total.input + month.total.output, month.total.cost, month.total.requests) == (2 * TOKENS, 2 * COST, 2)
