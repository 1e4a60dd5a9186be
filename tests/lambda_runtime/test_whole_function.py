"""The function as Lambda runs it: wrapper, loop, handler, credentials and relay in a process, between real servers."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import idna
import pytest

from lambda_runtime.config import CONFIG_FILE, GatewayConfig, Operation
from tests.lambda_runtime.function_process import function, make_task_root
from tests.lambda_runtime.gateway_kit import UPSTREAM_KEY, both_formats, event
from tests.lambda_runtime.runtime_api_server import RuntimeApiServer
from tests.lambda_runtime.samples import CHAT_STREAM
from tests.lambda_runtime.upstream_server import SAID, Connection, Received, UpstreamServer, answer_json, serve

CHAT = Operation.CHAT_COMPLETIONS


@pytest.fixture
def api(tmp_path: Path, upstream: UpstreamServer) -> Iterator[RuntimeApiServer]:
    """The Runtime API of a function that relays to `upstream`."""
    root = make_task_root(tmp_path, "")
    for package in (httpx, idna):
        source = Path(str(package.__file__)).parent
        shutil.copytree(source, root / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    (root / CONFIG_FILE).write_text(GatewayConfig(upstreams=(both_formats("main", upstream.url),)).to_json())
    with RuntimeApiServer() as api, serve() as secrets:
        secrets.answer = answer_json({"SecretString": UPSTREAM_KEY})
        environ = {
            "_HANDLER": "lambda_runtime.handler.handler",
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "AKID",
            "AWS_SECRET_ACCESS_KEY": "s",
            "AWS_ENDPOINT_URL": secrets.url,
            "UPSTREAM_SECRET_MAIN": "arn:aws:secretsmanager:eu-west-1:1:secret:main-AbCdEf",
        }
        with function(root, api.address, **environ):
            yield api


def test_json_and_streams_are_relayed_and_chunks_are_not_held_back(api: RuntimeApiServer, upstream: UpstreamServer) -> None:
    api.push(event(CHAT, {"model": "m"}))
    answer = api.answer()
    assert (answer.prelude["statusCode"], answer.body) == (200, json.dumps(SAID).encode())
    assert upstream.last.header("authorization") == f"Bearer {UPSTREAM_KEY}"

    arrived = threading.Semaphore(0)

    def stream(_received: Received, connection: Connection) -> None:
        connection.start()
        connection.chunk(CHAT_STREAM[0])
        for chunk in CHAT_STREAM[1:]:
            connection.chunk(chunk)
            assert arrived.acquire(timeout=10)
        connection.end()

    upstream.answer = stream
    api.push(event(CHAT, {"model": "m", "stream": True}))
    answer = api.begun_answer()
    for number in range(1, len(CHAT_STREAM)):
        answer.wait_for_body(b"".join(CHAT_STREAM[: number + 1]))
        arrived.release()
    assert answer.complete.wait(10)
    assert answer.body == b"".join(CHAT_STREAM)
    assert upstream.connections == 1


def test_a_broken_stream_ends_with_an_error_event_and_in_trailers(api: RuntimeApiServer, upstream: UpstreamServer) -> None:
    def cut(_received: Received, connection: Connection) -> None:
        connection.start()
        connection.chunk(CHAT_STREAM[1])
        connection.cut()

    upstream.answer = cut
    api.push(event(CHAT, {"model": "m", "stream": True}))
    answer = api.answer()
    assert json.loads(answer.body.removeprefix(CHAT_STREAM[1]).removeprefix(b"data: "))["error"]["code"] == (
        "upstream_stream_interrupted"
    )
    assert answer.error_body["errorType"] == "Function.StreamInterruptedError"
