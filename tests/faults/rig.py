"""The function as Lambda runs it, in a process of its own, between upstreams with faults and a Runtime API."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import idna

import lambda_runtime
from lambda_runtime.config import CONFIG_FILE, GatewayConfig, ModelRoute, Target, Timeouts, UpstreamConfig
from tests.faults.client import ClientAnswer, read
from tests.faults.outcome import Outcome
from tests.faults.scenario import Scenario
from tests.faults.upstream_faults import LIMIT
from tests.faults.wire import CHAT, MESSAGES, SECOND, Wire
from tests.lambda_runtime.function_process import WRAPPER, function
from tests.lambda_runtime.gateway_kit import UPSTREAM_KEY, anthropic_upstream, both_formats, event, openai_upstream
from tests.lambda_runtime.runtime_api_server import Answer, RuntimeApiServer
from tests.lambda_runtime.upstream_server import UpstreamServer, answer_json, serve

SHORT = Timeouts(connect=LIMIT, first_content=LIMIT, first_content_reasoning=LIMIT, idle=LIMIT, unstreamed=LIMIT)
"""Heartbeats stay at 20 s: no run sees one."""

FAULTY = ("faulty", "refusing", "unreachable")
_WAIT = 20.0
_ARN = "arn:aws:secretsmanager:eu-west-1:1:secret"


class Setup(StrEnum):
    """Who may be asked."""

    ALONE = "alone"
    """The upstream with the fault."""

    SECOND = "second"
    """That, then a healthy one."""

    LARGER = "larger"
    """The same, and the healthy one is marked as taking more input."""

    CROSSED = "crossed"
    """That, then a healthy one which speaks only the format that the client does not."""

    WHOLE = "whole"
    """As `SECOND`, and streams are delivered as a whole."""

    MODELS = "models"
    """Two models of the upstream with the fault, then a healthy one."""

    ALL = "all"
    """Four of them, all with the fault."""


class Run(NamedTuple):
    """What came of a request.

    Args:
        seen: what the client sees.
        tries: how often the upstreams with the fault were asked, and the healthy one.
        milliseconds: from the event to the end of the answer.
    """

    seen: Outcome
    tries: tuple[int, int]
    milliseconds: float


class Rig:
    """A running function and what is around it. Use `rig`."""

    def __init__(self, api: RuntimeApiServer, faulty: UpstreamServer, healthy: UpstreamServer, lines: _Lines) -> None:
        self._api = api
        self._faulty = faulty
        self._healthy = healthy
        self._lines = lines
        self._numbers = count(1)

    def run(self, scenario: Scenario, wire: Wire, setup: Setup, *, streamed: bool) -> Run:
        """Send one request through it.

        Raises:
            AssertionError: if the answer is not what a client can read, or the log does not say who was asked.
        """
        self._faulty.answer = scenario.fault(wire, streamed)
        other = MESSAGES if wire is CHAT else CHAT
        self._healthy.answer = (other if setup is Setup.CROSSED else wire).well(SECOND)
        model = f"{setup}-{scenario.upstream}" + (f"-{wire.operation.name}" if setup is Setup.CROSSED else "")
        body = wire.request(model, streamed=streamed)
        began = time.perf_counter()
        name = f"request-{next(self._numbers)}"
        request_id = self._api.push(event(wire.operation, body, headers={"x-client-request-id": name}))
        answer = self._api.answer()
        milliseconds = (time.perf_counter() - began) * 1000
        line = self._lines.of(request_id)
        assert UPSTREAM_KEY.encode() not in answer.payload
        seen = read(_as_client(answer), wire, streamed=streamed)
        return Run(seen, self._tries(line, scenario, name), milliseconds)

    def _tries(self, line: dict[str, Any], scenario: Scenario, name: str) -> tuple[int, int]:
        # The line lists attempts where there were several.
        logged = line.get("attempts") or [f"{line['upstream']}/m"]
        faulty = sum(attempt.startswith(scenario.upstream) for attempt in logged)
        healthy = len(logged) - faulty
        assert healthy == self._healthy.asked(name, at_least=healthy)
        if scenario.upstream == "faulty":
            assert faulty == self._faulty.asked(name, at_least=faulty)
        assert len(logged) <= 3
        return faulty, healthy


class _Lines:
    """What the function prints."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._requests: dict[str, dict[str, Any]] = {}
        self._arrived = threading.Condition()
        self._process = process
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def of(self, request_id: str) -> dict[str, Any]:
        """The line of a request."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: request_id in self._requests, _WAIT)
            return self._requests.pop(request_id)

    def join(self) -> None:
        self._reader.join(_WAIT)

    def _read(self) -> None:
        assert self._process.stdout
        for text in self._process.stdout:
            line = json.loads(text) if text.startswith("{") else {}
            if line.get("message") == "request":
                with self._arrived:
                    self._requests[line["lambda_request_id"]] = line
                    self._arrived.notify_all()


def _as_client(answer: Answer) -> ClientAnswer:
    prelude = answer.prelude
    assert not prelude["multiValueHeaders"]
    return ClientAnswer(prelude["statusCode"], prelude["headers"], answer.body, answer.trailers)


def _routes() -> dict[str, ModelRoute]:
    routes: dict[str, ModelRoute] = {}
    for name in FAULTY:
        first, healthy = f"{name}/m", "healthy/m"
        four = [first, *(f"{name}{number}/m" for number in range(2, 5))]
        routes |= {
            f"{Setup.ALONE}-{name}": ModelRoute([first]),
            f"{Setup.SECOND}-{name}": ModelRoute([first, healthy]),
            f"{Setup.LARGER}-{name}": ModelRoute([first, Target(healthy, larger_context=True)]),
            # By the format of the client.
            f"{Setup.CROSSED}-{name}-{CHAT.operation.name}": ModelRoute([first, "healthy-messages/m"]),
            f"{Setup.CROSSED}-{name}-{MESSAGES.operation.name}": ModelRoute([first, "healthy-chat/m"]),
            f"{Setup.WHOLE}-{name}": ModelRoute([first, healthy], delivery="whole"),
            f"{Setup.MODELS}-{name}": ModelRoute([first, f"{name}/other", healthy]),
            f"{Setup.ALL}-{name}": ModelRoute(four),
        }
    return routes


def _upstreams(urls: dict[str, str], healthy: str) -> list[UpstreamConfig]:
    upstreams = [both_formats(name + number, url) for name, url in urls.items() for number in ("", "2", "3", "4")]
    return [
        *upstreams,
        both_formats("healthy", healthy),
        openai_upstream("healthy-chat", healthy),
        anthropic_upstream("healthy-messages", healthy),
    ]


@contextmanager
def _refusing() -> Iterator[str]:
    """A port that nobody listens on, and nobody else will."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"


@contextmanager
def _unreachable() -> Iterator[str]:
    """A port whose queue of connections is full: the next one's first packet is dropped."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def faulty_urls(faulty: UpstreamServer) -> Iterator[dict[str, str]]:
    """Where the upstreams with faults are, by the names that scenarios have for them."""
    with _refusing() as refusing, _unreachable() as unreachable:
        yield dict(zip(FAULTY, (faulty.url, refusing, unreachable), strict=True))


@contextmanager
def rig(directory: Path, *, heartbeat: float = Timeouts().heartbeat) -> Iterator[Rig]:
    """Run a function until the block ends.

    Args:
        directory: an empty one.
        heartbeat: seconds of silence after which a stream's client gets one.
    """
    for package in (lambda_runtime, httpx, idna):
        source = Path(str(package.__file__)).parent
        shutil.copytree(source, directory / source.name)  # with its bytecode, which the function does not write
    shutil.copy(WRAPPER, directory)
    with ExitStack() as stack:
        faulty, healthy, secrets = (stack.enter_context(serve()) for _ in range(3))
        upstreams = _upstreams(stack.enter_context(faulty_urls(faulty)), healthy.url)
        config = GatewayConfig(upstreams=tuple(upstreams), models=_routes(), timeouts=replace(SHORT, heartbeat=heartbeat))
        (directory / CONFIG_FILE).write_text(config.to_json())
        secrets.answer = answer_json({"SecretString": UPSTREAM_KEY})
        environ = {
            "_HANDLER": "lambda_runtime.handler.handler",
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "AKID",
            "AWS_SECRET_ACCESS_KEY": "s",
            "AWS_ENDPOINT_URL": secrets.url,
            **{upstream.secret_variable: f"{_ARN}:{upstream.name}" for upstream in upstreams},
        }
        api = stack.enter_context(RuntimeApiServer())
        process = stack.enter_context(function(directory, api.address, **environ))
        lines = _Lines(process)
        try:
            yield Rig(api, faulty, healthy, lines)
        finally:
            process.kill()
            lines.join()
