"""The procedures of docs/migration.md, carried out with the commands on a running gateway: to a new provider, and back."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from aws_cdk import App, Duration, Stack

from gateway_construct import AiGateway, Canary, Target, Upstream
from lambda_runtime.state import items
from tests.gateway_cli.smoke.conftest import Provider
from tests.lambda_runtime.upstream_server import Connection, Received, UpstreamServer, answer_json, serve
from tests.local_gateway import ENVIRONMENT, ROOT, LocalGateway, running, runtime_directory, until

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("migration")]

SECONDS = 12.0
"""Within which a command is followed: two are promised, and a machine that does other things, too, takes longer."""

RELAY = "new"


@dataclass
class Moved:
    """A gateway between the provider that a team has used so far and a new one."""

    gateway: LocalGateway
    new: UpstreamServer
    environment: dict[str, str]
    status: int = 200
    """What the new provider answers with."""
    asked: Counter[str] = field(default_factory=Counter)
    """How many requests reached which provider."""

    def answer(self, name: str, received: Received, connection: Connection) -> None:
        self.asked[name] += 1
        if name == RELAY and self.status != 200:
            answer_json({"error": {"message": "no", "type": "any", "code": None}}, self.status)(received, connection)
            return
        message = {"role": "assistant", "content": name}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        model = json.loads(received.body)["model"]
        document = {"id": "c", "object": "chat.completion", "created": 1, "model": model, "choices": [choice], "usage": usage}
        answer_json(document)(received, connection)

    def ask(self, count: int = 1, model: str = "chat") -> Counter[str]:
        """Ask the gateway: who answered how often. The client sees nothing of what is wrong with a provider."""
        answered: Counter[str] = Counter()
        for _ in range(count):
            reply = httpx.post(
                f"{self.gateway.openai_base_url}/chat/completions",
                json={"model": model, "messages": [{"role": "user", "content": "hello"}]},
                headers={"Authorization": f"Bearer {self.gateway.key}"},
                timeout=60,
                trust_env=False,
            )
            assert reply.status_code == 200, reply.text
            answered[reply.json()["choices"][0]["message"]["content"]] += 1
        return answered

    def command(self, *words: str, **environment: str) -> str:
        """Run `ai-gateway` as an operator does."""
        done = subprocess.run(
            [sys.executable, "-m", "gateway_cli", *words],
            cwd=ROOT,
            env={**ENVIRONMENT, **self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def settles(self, followed: Callable[[], bool], times: int = 40) -> float:
        """Seconds until something has been so, many times in a row."""
        began = last = time.monotonic()
        row = 0
        while row < times:
            started = time.monotonic()
            assert started < began + 60, "it is not followed"
            row = row + 1 if followed() else 0
            last = last if row else time.monotonic()
        return last - began

    def asks_only(self, name: str, *, times: int = 40) -> float:
        """Seconds until no request reaches another provider any more."""

        def only() -> bool:
            self.asked.clear()
            self.ask()
            return self.asked.keys() == {name}

        return self.settles(only, times)


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moved]:
    directory: Path = tmp_path_factory.mktemp("moved")
    with serve() as old, serve() as new:
        app = App(outdir=str(directory / "cdk.out"), analytics_reporting=False)
        AiGateway(
            Stack(app, "Moved"),
            "Gateway",
            upstreams=[_upstream("original", old), _upstream("new", new)],
            models={"chat": [Target("new/chat", weight=5), "original/chat"], "small": ["original/small", "new/small"]},
            release=Canary(weight=0.05, bake=Duration.hours(48)),
        )
        app.synth()
        keys = {"ORIGINAL_API_KEY": "key-of-the-original", "NEW_API_KEY": "key-of-the-new"}
        with running(directory / "cdk.out", "--no-stand-in", "--workers=4", scratch=directory, environment=keys) as gateway:
            found = Moved(gateway, new, {"XDG_RUNTIME_DIR": str(runtime_directory(directory))})
            old.answer = lambda received, connection: found.answer("original", received, connection)
            new.answer = lambda received, connection: found.answer("new", received, connection)
            yield found


@pytest.fixture(autouse=True)
def as_before(moved: Moved) -> Iterator[None]:
    """Nothing of a test is left to the next one."""
    yield
    moved.status = 200
    table = moved.gateway.client("dynamodb")
    (name,) = table.list_tables()["TableNames"]
    for item in table.query(**items.query(name, items.STATE_PARTITION))["Items"]:
        table.delete_item(TableName=name, Key={key: item[key] for key in (items.PARTITION_KEY, items.SORT_KEY)})


def _upstream(name: str, server: UpstreamServer) -> Upstream:
    return Upstream.openai_compatible(name, base_url=f"{server.url}/v1")


def test_credentials_are_tried_before_any_request_moves(moved: Moved) -> None:
    usual, provider = moved.new.answer, Provider(moved.new, "key-of-no-production")
    provider.models = ["chat"]
    moved.new.answer = provider.answer
    try:
        told = moved.command("smoke", "upstream", "new", "--local", NEW_API_KEY="key-of-no-production")
    finally:
        moved.new.answer = usual
    assert "passed" in told
    assert "failed" not in told


def test_the_share_grows_and_everything_moves(moved: Moved) -> None:
    moved.command("upstreams", "weight", "chat", "new/chat", "50", "--local")
    until(lambda: set(moved.ask(20)) == {"original", "new"})
    moved.command("upstreams", "prefer", "new", "--local")
    assert moved.asks_only("new") < SECONDS
    assert set(moved.ask(4, "small")) == {"new"}


def test_the_new_provider_is_disrupted(moved: Moved) -> None:
    moved.command("upstreams", "prefer", "new", "--local")
    assert moved.asks_only("new") < SECONDS
    moved.status = 503
    # Without anybody's doing: each request goes on to the original, and soon none asks the new one any more.
    assert moved.ask(3) == {"original": 3}
    assert moved.asks_only("original") < SECONDS
    # Everything back, whatever the breaker tries.
    moved.command("upstreams", "prefer", "original", "--local")
    moved.command("upstreams", "open", "new", "--local")
    assert moved.asks_only("original") < SECONDS
    # It is well again.
    moved.status = 200
    moved.command("upstreams", "close", "new", "--local")
    moved.command("upstreams", "prefer", "--reset", "--local")
    moved.command("upstreams", "weight", "chat", "new/chat", "100", "--local")
    assert moved.asks_only("new") < SECONDS


def test_the_new_provider_is_slow(moved: Moved) -> None:
    moved.command("upstreams", "weight", "chat", "new/chat", "100", "--local")
    assert moved.asks_only("new") < SECONDS
    moved.command("upstreams", "weight", "chat", "new/chat", "0", "--local")
    assert moved.asks_only("original") < SECONDS


def test_the_new_provider_refuses_the_key(moved: Moved) -> None:
    moved.command("upstreams", "prefer", "new", "--local")
    assert moved.asks_only("new") < SECONDS
    moved.status = 401
    assert moved.ask(3) == {"original": 3}
    assert moved.asks_only("original") < SECONDS
    moved.command("upstreams", "open", "new", "--local")
    assert moved.asks_only("original") < SECONDS
    moved.status = 200
    moved.command("upstreams", "close", "new", "--local")
    assert moved.asks_only("new") < SECONDS


def test_a_release_of_the_configuration_is_taken_back(moved: Moved) -> None:
    functions = moved.gateway.client("lambda")
    function = json.loads(moved.command("release", "status", "--local", "--json"))["function"]
    location = functions.get_function(FunctionName=function)["Code"]["Location"]
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(location) as reply:
        functions.update_function_code(FunctionName=function, ZipFile=_only_new(reply.read()))
    version = functions.publish_version(FunctionName=function)["Version"]
    moved.command("release", "start", version, "--weight", "60%", "--local")

    def answered_by_new() -> bool:
        return bool(moved.ask(10)["new"])

    until(answered_by_new)
    told = moved.command("release", "rollback", "--local")
    assert f"Version {version} has no requests any more (it had 60 %). Version 1 has every request now" in told
    moved.command("upstreams", "weight", "chat", "new/chat", "0", "--local")
    assert moved.asks_only("original") < SECONDS
    moved.command("release", "promote", version, "--local")
    assert moved.asks_only("new") < SECONDS
    moved.command("release", "rollback", "--to", "1", "--local")
    assert moved.asks_only("original") < SECONDS
    status: dict[str, Any] = json.loads(moved.command("release", "status", "--local", "--json"))
    assert (status["stable"], status["canary"], status["findings"]) == ("1", None, [])


def _only_new(code: bytes) -> bytes:
    """The function's code with a model map that knows the new provider alone."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(code)) as old, zipfile.ZipFile(changed, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == "gateway.json":
                config = json.loads(content)
                config["models"]["chat"] = {"targets": [{"name": "new/chat"}]}
                content = json.dumps(config).encode()
            new.writestr(entry, content)
    return changed.getvalue()
