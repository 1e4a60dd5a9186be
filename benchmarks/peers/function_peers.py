"""The functions among those that are compared: this gateway's, and a Node handler. Both are asked through the Runtime API."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from benchmarks.calls import Kind, Times, request_body
from benchmarks.function import PublishedFunction
from benchmarks.gateway_call import GatewayCall, RuntimeApi, invocation
from benchmarks.latency import Call
from benchmarks.peers.http_call import Answer, Exchange, unchunked
from benchmarks.peers.installing import APPS, NodePackages, UnavailableError, installed, node, size
from benchmarks.peers.peer import Running
from benchmarks.peers.processes import running

_MODEL = "gpt-4.1"
_DELIMITER = b"\0" * 8


class ThisGateway:
    """This gateway's function.

    Args:
        function: its asset.
    """

    key = "ours"
    title = "this gateway"

    def __init__(self, function: PublishedFunction) -> None:
        self._function = function
        self.setting = f"one instance: {function.version}, {'with' if function.has_bytecode else 'WITHOUT'} bytecode"

    def prepare(self) -> None:
        """Nothing to do: the asset is there."""

    def size(self) -> float:
        """MB of the asset."""
        return size(self._function.directory)

    @contextmanager
    def start(self, work: Path, upstream: int, within: Sequence[str] = ()) -> Iterator[Running]:  # noqa: ARG002  it was staged for its upstream
        """Start an instance, and wait for its first answer; end it at last."""
        with closing(RuntimeApi()) as api, self._function.running(api, within=within) as (pid, milliseconds):
            call = GatewayCall(api)
            started = milliseconds + call(Kind.JSON).total
            yield Running(pid, started, call, _streamed(api), lambda: [call])

    @contextmanager
    def instances(self, count: int) -> Iterator[list[Call]]:
        """Start several instances.

        Args:
            count: how many.

        Yields:
            A call of each.
        """
        with ExitStack() as stack:
            calls: list[Call] = []
            for _ in range(count):
                api = stack.enter_context(closing(RuntimeApi()))
                stack.enter_context(self._function.running(api))
                calls.append(GatewayCall(api))
            yield calls


class NodeHandler:
    """A Node handler of the kind that articles show. It is handed to the Runtime API whole, so it cannot stream."""

    key = "node-handler"
    title = "Node handler of articles"
    setting = (
        "answers whole, once it has all of the upstream's answer, and fetches its key from Secrets Manager at each call: "
        "what articles show, not what Node can do"
    )
    _installation = NodePackages("node_handler")

    def prepare(self) -> None:
        """Install the AWS SDK, which Lambda would have."""
        home = installed(self.key, self._installation)
        for path in (APPS / "node_handler").iterdir():
            shutil.copyfile(path, home / path.name)

    def size(self) -> float:
        """MB of the SDK."""
        return size(self._installation.content(installed(self.key, self._installation)))

    @contextmanager
    def start(self, work: Path, upstream: int, within: Sequence[str] = ()) -> Iterator[Running]:
        """Start it, and wait for its first answer; end it at last."""
        home = installed(self.key, self._installation)
        own = Path(tempfile.mkdtemp(dir=work))
        with closing(BufferedRuntimeApi()) as api:
            env = {
                "PATH": os.environ["PATH"],
                "NODE_ENV": "production",
                "AWS_LAMBDA_RUNTIME_API": api.address,
                "AWS_REGION": "eu-west-1",
                "AWS_ACCESS_KEY_ID": "key",
                "AWS_SECRET_ACCESS_KEY": "secret",
                "AWS_ENDPOINT_URL_SECRETS_MANAGER": f"http://127.0.0.1:{upstream}",
                "SECRET_NAME": "openai",
                "UPSTREAM_BASE_URL": f"http://127.0.0.1:{upstream}/v1",
            }
            began = time.perf_counter()
            with running([*within, node(), home / "runtime.mjs"], env=env, log=own / "log") as process:
                try:
                    ready = api.wait_for_next()
                    call = GatewayCall(api)
                    started = (ready - began) * 1000 + call(Kind.JSON).total
                except (OSError, RuntimeError) as error:
                    raise UnavailableError(f"does not answer: {error}") from error
                yield Running(process.pid, started, call, _buffered(api), lambda: [call])


class BufferedRuntimeApi(RuntimeApi):
    """A Runtime API for a function that answers in one piece."""

    patience = 10

    def exchange(self, event: bytes) -> tuple[Times, bytes]:
        """Hand out an event; take the answer; wait until the function asks for the next event."""
        began = self._send(event)
        data = bytearray()
        while (at := data.find(b"\r\n\r\n")) < 0:
            data += self._receive()
        head = bytes(data[:at]).lower()
        end = at + 4 + int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
        while len(data) < end:
            data += self._receive()
        milliseconds = (time.perf_counter() - began) * 1000
        self._accept()
        return Times(milliseconds, milliseconds), bytes(data)


def _streamed(api: RuntimeApi) -> Exchange:
    def exchange(marker: str, **fields: object) -> Answer:
        times, data = api.exchange(invocation(request_body(marker, _MODEL, **fields)))
        prelude, _, answer = unchunked(data.partition(b"\r\n\r\n")[2]).partition(_DELIMITER)
        said = json.loads(prelude)
        # An error that the Runtime API is told of is a connection that API Gateway cuts.
        complete = b"lambda-runtime-function-error-type:" not in data[-4096:].lower()
        return Answer(said["statusCode"], said["headers"], answer, complete, times)

    return exchange


def _buffered(api: RuntimeApi) -> Exchange:
    def exchange(marker: str, **fields: object) -> Answer:
        times, data = api.exchange(invocation(request_body(marker, _MODEL, **fields)))
        said = json.loads(data.partition(b"\r\n\r\n")[2])
        headers = {name.lower(): value for name, value in said["headers"].items()}
        return Answer(said["statusCode"], headers, said["body"].encode(), complete=True, times=times)

    return exchange
