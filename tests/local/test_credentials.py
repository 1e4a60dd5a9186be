"""The commands on upstreams' keys against a running local gateway and upstreams that take some keys only."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from aws_cdk import App, Stack

from gateway_construct import AiGateway, Rotation, Upstream
from tests.lambda_runtime.upstream_server import Connection, Received, UpstreamServer, answer_json, serve
from tests.local_gateway import ENVIRONMENT, ROOT, LocalGateway, running, runtime_directory

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("credentials")]

FIRST = "key-one-for-this-upstream"
ODD = "key-that-the-upstream-makes-nothing-of"


@dataclass
class Credentials:
    """A local gateway, an upstream that knows some keys, and the command."""

    gateway: LocalGateway
    upstream: UpstreamServer
    environment: dict[str, str]
    valid: set[str] = field(default_factory=lambda: {FIRST})
    used: list[str] = field(default_factory=list)
    """The keys of the requests, in order."""

    def answer(self, received: Received, connection: Connection) -> None:
        key = (received.header("authorization") or "").removeprefix("Bearer ")
        if received.method == "POST":
            self.used.append(key)
        if key == ODD:
            answer_json({"error": {"message": "what?"}}, 418)(received, connection)
        elif key not in self.valid:
            answer_json({"error": {"message": f"wrong key {key}", "code": "invalid_api_key"}}, 401)(received, connection)
        elif received.method == "GET":
            answer_json({"object": "list", "data": [{"id": "m", "object": "model"}]})(received, connection)
        else:
            choice = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
            document = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
            answer_json(document)(received, connection)

    def ask(self, upstream: str = "rotating") -> int:
        """Send a request: its status."""
        reply = httpx.post(
            f"{self.gateway.openai_base_url}/chat/completions",
            json={"model": upstream, "messages": [{"role": "user", "content": "hi"}]},
            headers={"Authorization": f"Bearer {self.gateway.key}"},
            timeout=60,
            trust_env=False,
        )
        return reply.status_code

    def run(self, *arguments: str, key: str = "", variables: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run `ai-gateway credentials` as an operator does, with a key at its standard input."""
        done = subprocess.run(
            [sys.executable, "-m", "gateway_cli", "credentials", *arguments],
            cwd=ROOT,
            env={**ENVIRONMENT, **self.environment, **(variables or {})},
            input=f"{key}\n",
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if key:
            assert key not in done.stdout + done.stderr
        return done

    def done(self, *arguments: str, key: str = "") -> str:
        done = self.run(*arguments, "--local", key=key)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refused(self, *arguments: str, key: str = "") -> str:
        done = self.run(*arguments, "--local", key=key)
        assert (done.returncode, done.stdout) == (1, ""), done.stdout + done.stderr
        return done.stderr

    def status(self) -> dict[str, dict[str, Any]]:
        return {one["upstream"]: one for one in json.loads(self.done("status", "--json"))["upstreams"]}


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Credentials]:
    directory: Path = tmp_path_factory.mktemp("credentials")
    with serve() as upstream:
        app = App(outdir=str(directory / "cdk.out"))
        url = f"{upstream.url}/v1"
        names = ("rotating", "plain", "stood-in", "anthropic")
        AiGateway(
            Stack(app, "Credentials"),
            "Gateway",
            upstreams=[
                Upstream.openai_compatible("rotating", base_url=url, rotation=Rotation.staged()),
                Upstream.openai_compatible("plain", base_url=url),
                Upstream.openai_compatible("stood-in", base_url="https://llm.example.com/v1", rotation=Rotation.staged()),
                Upstream.anthropic(rotation=Rotation.staged()),
            ],
            models={name: [f"{name}/m"] for name in names},
        )
        app.synth()
        keys = {"ROTATING_API_KEY": FIRST, "PLAIN_API_KEY": FIRST}
        with running(directory / "cdk.out", scratch=directory, environment=keys) as gateway:
            found = Credentials(gateway, upstream, {"XDG_RUNTIME_DIR": str(runtime_directory(directory))})
            upstream.answer = found.answer
            yield found


def test_requests_go_on_while_a_key_is_staged_and_rotated(credentials: Credentials) -> None:
    second = "key-two-for-this-upstream"
    assert credentials.ask() == 200
    told = credentials.done("stage", "rotating", key=second)
    assert "The next key of rotating is staged" in told
    assert "ai-gateway credentials rotate rotating --local" in told
    credentials.valid.add(second)
    assert credentials.status()["rotating"]["staged"]
    assert credentials.ask() == 200
    assert credentials.used[-1] == FIRST, "what is staged is not used"
    assert "is rotated" in credentials.done("rotate", "rotating")
    found = credentials.status()["rotating"]
    assert (found["state"], found["staged"], found["under_way"]) == ("set", None, None)
    assert found["previous"]
    # The provider takes the old key back at once; the function finds out by itself, and its client does not notice.
    credentials.valid.discard(FIRST)
    assert credentials.ask() == 200
    assert credentials.used[-1] == second
    # The old one again: it is refused, and the current one stays.
    assert "refuses the key, and nothing was changed" in credentials.refused("revert", "rotating")
    credentials.valid.add(FIRST)
    assert "is the previous one again" in credentials.done("revert", "rotating")
    credentials.valid.discard(second)
    assert credentials.ask() == 200
    assert credentials.used[-1] == FIRST


def test_a_rotation_that_fails_leaves_the_current_key_and_is_no_hindrance(credentials: Credentials) -> None:
    third = "key-three-for-this-upstream"
    credentials.done("stage", "rotating", key=ODD)
    before = credentials.status()["rotating"]
    error = credentials.refused("rotate", "rotating")
    assert "the rotation of rotating failed at testSecret, the current key stays" in error
    assert "it answered with status 418" in error
    assert ODD not in error
    found = credentials.status()["rotating"]
    assert (found["made"], found["previous"]) == (before["made"], before["previous"])
    assert found["under_way"], "Secrets Manager would try again"
    assert credentials.ask() == 200
    credentials.valid.add(third)
    credentials.done("stage", "rotating", "--rotate", key=third)
    found = credentials.status()["rotating"]
    assert (found["staged"], found["under_way"]) == (None, None)
    credentials.valid.intersection_update({third})
    assert credentials.ask() == 200
    assert credentials.used[-1] == third
    credentials.valid.add(FIRST)
    assert "no next key is staged for rotating" in credentials.refused("rotate", "rotating")


def test_staging_twice_and_taking_it_away(credentials: Credentials) -> None:
    for key in ("key-four-for-this-upstream", "key-five-for-this-upstream"):
        credentials.done("stage", "rotating", key=key)
    assert "is staged for rotating already" in credentials.done("stage", "rotating", key="key-five-for-this-upstream")
    assert "Nothing is staged for rotating any more" in credentials.done("unstage", "rotating")
    assert credentials.status()["rotating"]["staged"] is None, "not the first one either"
    assert "Nothing is staged for rotating." in credentials.done("unstage", "rotating")


def test_a_key_without_rotation_is_set(credentials: Credentials) -> None:
    new = "key-six-for-this-upstream"
    assert credentials.ask("plain") == 200
    assert "the key of plain is not rotated" in credentials.refused("stage", "plain", key=new)
    assert "refuses the key" in credentials.refused("set", "plain", "--test", key=new)
    assert credentials.ask("plain") == 200
    credentials.valid.add(new)
    assert "The key of plain is set." in credentials.done("set", "plain", key=new)
    credentials.valid.discard(FIRST)
    assert credentials.ask("plain") == 200
    assert credentials.used[-1] == new
    credentials.valid.add(FIRST)


@pytest.mark.parametrize("upstream", ["stood-in", "anthropic"])
def test_the_stand_in_is_asked_where_it_answers(credentials: Credentials, upstream: str) -> None:
    assert credentials.ask(upstream) == 200
    assert "is rotated" in credentials.done("stage", upstream, "--rotate", key=f"key-of-{upstream}")
    assert credentials.ask(upstream) == 200
    assert "The key of" in credentials.done("set", upstream, key=f"other-key-of-{upstream}")


def test_without_the_option_the_embedded_aws_is_recognized(credentials: Credentials) -> None:
    key = "key-seven-for-this-upstream"
    credentials.valid.add(key)
    done = credentials.run("stage", "rotating", "--rotate", key=key, variables=credentials.gateway.aws_environment)
    assert done.returncode == 0, done.stderr
    credentials.valid.intersection_update({key})
    assert credentials.ask() == 200
    assert credentials.used[-1] == key
