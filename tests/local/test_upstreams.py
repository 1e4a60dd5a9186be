"""The shared circuit breaker and the operator's commands, with eight function instances and two scripted upstreams."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from aws_cdk import App, Stack

from gateway_construct import AiGateway, AuthStyle, Target, Upstream
from tests.lambda_runtime.upstream_server import Connection, Received, UpstreamServer, answer_json, serve
from tests.local_gateway import ENVIRONMENT, ROOT, LocalGateway, running, runtime_directory, until, workers_of

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("operated")]

INSTANCES = 8
PROMISED = 2.0
"""Seconds within which every instance follows the table."""

FOLLOWS = PROMISED + 10.0
"""The same on a machine that does other things, too: what does not follow the table never would."""


@dataclass
class Operated:
    """A local gateway with two upstreams. Requests that are sent together meet there: each has an instance of its own."""

    gateway: LocalGateway
    first: UpstreamServer
    second: UpstreamServer
    environment: dict[str, str]
    meeting: threading.Barrier = field(default_factory=lambda: threading.Barrier(INSTANCES))
    failing: set[str] = field(default_factory=set)
    """Models that the first upstream fails with."""
    asked: dict[str, list[str]] = field(default_factory=dict)
    """Which upstreams each question reached, in order."""
    numbers: Iterator[int] = field(default_factory=count)

    def answer(self, upstream: str, received: Received, connection: Connection) -> None:
        body = json.loads(received.body)
        question = body["messages"][0]["content"]
        seen = self.asked.setdefault(question, [])
        seen.append(upstream)
        if question.startswith("together") and len(seen) == 1:
            with suppress(threading.BrokenBarrierError):
                self.meeting.wait(20)
        if upstream == "first" and body["model"] in self.failing:
            answer_json({"error": {"message": "out of order"}}, 500)(received, connection)
            return
        message = {"role": "assistant", "content": upstream}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        document = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
        answer_json(document)(received, connection)

    def ask(self, model: str, question: str = "alone") -> tuple[str, list[str]]:
        """Ask the gateway: who answered, and which upstreams were asked."""
        question = f"{question} {next(self.numbers)}"
        reply = httpx.post(
            f"{self.gateway.openai_base_url}/chat/completions",
            json={"model": model, "messages": [{"role": "user", "content": question}]},
            headers={"Authorization": f"Bearer {self.gateway.key}"},
            timeout=60,
            trust_env=False,
        )
        assert reply.status_code == 200, reply.text
        return reply.json()["choices"][0]["message"]["content"], self.asked[question]

    def ask_together(self, model: str) -> list[tuple[str, list[str]]]:
        """One request by each instance, all at the same time."""
        self.meeting.reset()
        with ThreadPoolExecutor(INSTANCES) as clients:
            return list(clients.map(lambda _: self.ask(model, "together"), range(INSTANCES)))

    def command(self, *arguments: str, status: int = 0) -> str:
        """Run `ai-gateway upstreams` as an operator does."""
        done = subprocess.run(
            [sys.executable, "-m", "gateway_cli", "upstreams", *arguments],
            cwd=ROOT,
            env={**ENVIRONMENT, **self.environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stderr if status else done.stdout

    def states(self) -> dict[str, dict[str, Any]]:
        """What `status` tells, by name."""
        lines = json.loads(self.command("status", "--json", "--local"))["upstreams"]
        return {line["name"]: line for line in lines}

    def follows(self, model: str, upstream: str) -> float:
        """Seconds after which no instance asks another upstream any more."""
        began = time.monotonic()
        last = [began]

        def settled() -> bool:
            started = time.monotonic()
            if any(asked != [upstream] for _, asked in self.ask_together(model)):
                last.append(time.monotonic())
            return started > began + PROMISED and last[-1] < started

        until(settled, 60)
        return last[-1] - began


@pytest.fixture(scope="module")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    directory: Path = tmp_path_factory.mktemp("operated")
    with serve() as first, serve() as second:
        app = App(outdir=str(directory / "cdk.out"))
        upstreams = [
            Upstream.openai_compatible(name, base_url=f"{server.url}/v1", auth=AuthStyle.NONE)
            for name, server in (("first", first), ("second", second))
        ]
        models: dict[str, list[str | Target]] = {
            **{name: [f"first/{name}", f"second/{name}"] for name in ("failing", "stopped", "other")},
            "divided": [Target("first/divided", weight=100), Target("second/divided", weight=0)],
        }
        AiGateway(Stack(app, "Operated"), "Gateway", upstreams=upstreams, models=models)
        app.synth()
        options = ["--no-stand-in", f"--workers={INSTANCES}"]
        with running(directory / "cdk.out", *options, scratch=directory) as gateway:
            found = Operated(gateway, first, second, {"XDG_RUNTIME_DIR": str(runtime_directory(directory))})
            first.answer = lambda received, connection: found.answer("first", received, connection)
            second.answer = lambda received, connection: found.answer("second", received, connection)
            yield found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds the instances through /proc")
def test_eight_instances_open_the_breaker_together(operated: Operated) -> None:
    known: dict[str, dict[str, Any]] = {}
    operated.failing.add("failing")
    answers = operated.ask_together("failing")
    assert len(workers_of(operated.gateway.pid)) == INSTANCES
    # Each instance has seen two failures at most, by which none opens a breaker on its own.
    assert {tuple(asked) for _, asked in answers} <= {("first", "second"), ("first", "first", "second")}
    assert {answered for answered, _ in answers} == {"second"}

    def opened() -> bool:
        known.update(operated.states())
        return bool(known["first/failing"]["state"] == "open")

    until(opened)
    assert (known["first/failing"]["by"], known["first/failing"]["openings"]) == ("5 failures in a row", 1)
    assert known["first/failing"]["failures"] == known["first/failing"]["calls"] >= 5
    assert known["first/other"]["state"] == "closed"
    assert operated.follows("failing", "second") < FOLLOWS
    # From here on the upstream has its peace, whoever is asked, while its other models are asked as before.
    for _ in range(3):
        assert operated.ask_together("failing") == [("second", ["second"])] * INSTANCES
    assert operated.ask("other") == ("first", ["first"])


@pytest.mark.parametrize("name", ["first", "first/stopped"])
def test_the_operator_stops_an_upstream_and_starts_it_again(operated: Operated, name: str) -> None:
    assert operated.ask_together("stopped") == [("first", ["first"])] * INSTANCES
    assert f"{name} is open until you close it" in operated.command("open", name, "--local")
    assert operated.follows("stopped", "second") < FOLLOWS
    assert operated.states()["first/stopped"]["by"] == "operator"
    assert f"{name} is closed" in operated.command("close", name, "--local")
    assert operated.follows("stopped", "first") < FOLLOWS
    assert operated.states()["first/stopped"]["state"] == "closed"


def test_an_upstream_is_stopped_for_a_while(operated: Operated) -> None:
    operated.command("open", "first/stopped", "--for", "10s", "--local")
    until(lambda: operated.ask("stopped") == ("second", ["second"]))
    until(lambda: operated.ask("stopped") == ("first", ["first"]), 60)


def test_the_operator_moves_traffic(operated: Operated) -> None:
    assert operated.ask_together("divided") == [("first", ["first"])] * INSTANCES
    told = operated.command("weight", "divided", "second/divided", "100", "--local")
    assert "Requests for divided: first/divided 100 %, second/divided 0 %" in told
    told = operated.command("weight", "divided", "first/divided", "0", "--local")
    assert "Requests for divided: first/divided 0 %, second/divided 100 %" in told
    assert operated.follows("divided", "second") < FOLLOWS
    operated.command("weight", "divided", "first/divided", "--reset", "--local")
    assert operated.follows("divided", "first") < FOLLOWS
    operated.command("weight", "divided", "second/divided", "--reset", "--local")
    assert operated.ask("divided") == ("first", ["first"])


def test_everything_goes_to_one_upstream_and_back(operated: Operated) -> None:
    assert operated.ask_together("other") == [("first", ["first"])] * INSTANCES
    told = operated.command("prefer", "second", "--local")
    assert "Requests for other: second/other 100 %, first/other 0 %" in told
    assert operated.follows("other", "second") < FOLLOWS
    assert operated.ask("divided") == operated.ask("stopped") == ("second", ["second"])
    told = operated.command("prefer", "--reset", "--local")
    assert "Requests for divided: first/divided 100 %, second/divided 0 %" in told
    assert operated.follows("other", "first") < FOLLOWS
    assert operated.ask("divided") == operated.ask("stopped") == ("first", ["first"])
    assert "did you mean 'second'" in operated.command("prefer", "secnd", "--local", status=2)


def test_mistyped_names_are_refused(operated: Operated) -> None:
    assert "did you mean 'first'" in operated.command("open", "frist", "--local", status=2)
    assert "did you mean 'first/stopped'" in operated.command("close", "first/stoped", "--local", status=2)
    assert "did you mean 'divided'" in operated.command("weight", "dividde", "first/divided", "1", "--local", status=2)


def test_every_way_to_the_table(operated: Operated) -> None:
    def gateway_by(*options: str) -> tuple[str, str]:
        document = json.loads(operated.command("status", "--json", *options))
        return document["table"], document["gateway"]

    expected = gateway_by("--local")
    assert expected[1] == "Operated/Gateway"
    operated.environment |= operated.gateway.aws_environment
    for options in ([], ["--stack", "Operated"], ["--table", expected[0]], ["--gateway", "Operated/Gateway"]):
        assert gateway_by(*options) == expected
    assert "there is no stack 'Nothing' in Region us-east-1" in operated.command("status", "--stack", "Nothing", status=1)
