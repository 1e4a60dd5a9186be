"""The loop under the real Lambda runtime interface emulator: its state machine kills, initialises again, reports errors."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.lambda_runtime.function_process import ROOT, command, environment, make_task_root
from tests.local_gateway import until

RIE = ROOT / ".tools" / "rie" / "aws-lambda-rie"

pytestmark = pytest.mark.skipif(
    not RIE.exists() or sys.platform != "linux", reason=f"{RIE} is not there; make setup fetches it"
)

SOURCE = """
import os, time

state = {"count": 0}

def handler(event, invocation, response):
    state["count"] += 1
    match event.get("do"):
        case "raise":
            raise ValueError("boo")
        case "break":
            response.start(200, [])
            response.write(b"half")
            raise ValueError("midway")
        case "hang":
            time.sleep(60)
        case "exit":
            os._exit(3)
    response.start(201, [("content-type", "text/plain")])
    response.write(f"call {state['count']}".encode())
    response.write(b" of process")
    response.end()
    print("worked after the end", flush=True)
"""


def free_ports() -> tuple[int, int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        return one.getsockname()[1], two.getsockname()[1]


class Emulator:
    """A running emulator. It initialises the function at the first call."""

    def __init__(self, url: str, log: Path) -> None:
        self._url = url
        self._log = log

    def invoke(self, event: Any) -> bytes:
        return httpx.post(self._url, json=event, timeout=30, trust_env=False).content

    @property
    def log(self) -> str:
        return self._log.read_text()


@contextmanager
def emulator(directory: Path, source: str, **more: str) -> Iterator[Emulator]:
    (directory / "task").mkdir()
    root = make_task_root(directory / "task", source)
    front, runtime_api = free_ports()
    options = [
        "--runtime-interface-emulator-address",
        f"127.0.0.1:{front}",
        "--runtime-api-address",
        f"127.0.0.1:{runtime_api}",
    ]
    log = directory / "log"
    env = environment(root, **{"AWS_LAMBDA_FUNCTION_TIMEOUT": "30", **more})
    with log.open("wb") as out:
        # Its own session, so that the function it started ends with it.
        process = subprocess.Popen(
            [RIE, *options, *command(root)], env=env, cwd=root, stdout=out, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _wait_for(front, process)
        yield Emulator(f"http://127.0.0.1:{front}/2015-03-31/functions/function/invocations", log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    def listens() -> bool:
        assert process.poll() is None, f"the emulator ended with status {process.returncode}"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    until(listens)


def streamed(payload: bytes) -> tuple[Any, bytes]:
    """Prelude and body. The emulator takes a streamed answer but delivers it whole, as it came."""
    prelude, nulls, body = payload.partition(b"\0" * 8)
    assert nulls
    return json.loads(prelude), body


def test_calls_errors_and_broken_streams(tmp_path: Path) -> None:
    with emulator(tmp_path, SOURCE) as rie:
        prelude, body = streamed(rie.invoke({}))
        assert prelude == {"statusCode": 201, "headers": {"content-type": "text/plain"}, "multiValueHeaders": {}, "cookies": []}
        assert body == b"call 1 of process"
        error = json.loads(rie.invoke({"do": "raise"}))
        assert error["errorType"] == "Function.ValueError"
        assert error["errorMessage"] == "boo"
        assert streamed(rie.invoke({"do": "break"}))[1] == b"half"
        # The same process goes on after all of that.
        assert streamed(rie.invoke({}))[1] == b"call 4 of process"
    assert "worked after the end" in rie.log


def test_buffered_answers(tmp_path: Path) -> None:
    with emulator(tmp_path, SOURCE, AI_GATEWAY_RESPONSE_MODE="buffered") as rie:
        answer = json.loads(rie.invoke({}))
        assert answer["statusCode"] == 201
        assert answer["body"] == "call 1 of process"


def test_an_init_error_reaches_the_caller(tmp_path: Path) -> None:
    with emulator(tmp_path, "raise ValueError('no config')") as rie:
        error = json.loads(rie.invoke({}))
        assert error["errorType"] == "Function.ValueError"
        assert error["errorMessage"] == "no config"


def test_after_a_time_out_the_function_starts_anew(tmp_path: Path) -> None:
    with emulator(tmp_path, SOURCE, AWS_LAMBDA_FUNCTION_TIMEOUT="2") as rie:
        assert streamed(rie.invoke({}))[1] == b"call 1 of process"
        assert b"Task timed out after 2.00 seconds" in rie.invoke({"do": "hang"})
        assert streamed(rie.invoke({}))[1] == b"call 1 of process"


def test_after_a_crash_the_function_starts_anew(tmp_path: Path) -> None:
    with emulator(tmp_path, SOURCE) as rie:
        assert streamed(rie.invoke({}))[1] == b"call 1 of process"
        assert b"Runtime.ExitError" in rie.invoke({"do": "exit"})
        assert streamed(rie.invoke({}))[1] == b"call 1 of process"
