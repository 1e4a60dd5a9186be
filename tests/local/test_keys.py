"""The commands on keys and usage against a running local gateway: what they say is what clients meet."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.local_gateway import ENVIRONMENT, ROOT, LocalGateway, running, runtime_directory, until

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("keys")]


@dataclass
class Keys:
    """A local gateway, serving what `app.py` synthesizes, and the command on it."""

    gateway: LocalGateway
    environment: dict[str, str]

    def command(self, *arguments: str, status: int = 0) -> str:
        """Run `ai-gateway` as an operator does, and give what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "gateway_cli", *arguments],
            cwd=ROOT,
            env={**ENVIRONMENT, **self.environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stderr if status else done.stdout

    def document(self, *arguments: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.command(*arguments, "--local", "--json"))
        return found

    def ask(self, value: str) -> httpx.Response:
        """Send a request with a key."""
        return httpx.post(
            f"{self.gateway.openai_base_url}/chat/completions",
            json={"model": "gpt-4.1", "messages": [{"role": "user", "content": "What is an API key?"}]},
            headers={"Authorization": f"Bearer {value}"},
            timeout=60,
            trust_env=False,
        )

    def becomes(self, value: str, status: int) -> None:
        """Wait until requests with a key are answered so: the front looks at the keys once a second."""
        until(lambda: self.ask(value).status_code == status)


@pytest.fixture(scope="module")
def keys(app_assembly: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keys]:
    directory = tmp_path_factory.mktemp("keys")
    with running(app_assembly, scratch=directory) as gateway:
        yield Keys(gateway, {"XDG_RUNTIME_DIR": str(runtime_directory(directory))})


def test_a_key_works_at_once_until_it_is_disabled(keys: Keys) -> None:
    value = keys.command("keys", "create", "mobile app", "--plan", "search", "--local").strip()
    reply = keys.ask(value)
    assert reply.status_code == 200, reply.text
    (key,) = keys.document("keys", "list", "mobile app")["keys"]
    assert (key["plan"], key["enabled"], key["made_by"]) == ("search", True, "command")
    keys.command("keys", "disable", "mobile app", "--local")
    keys.becomes(value, 401)
    keys.command("keys", "enable", key["id"], "--local")
    keys.becomes(value, 200)
    assert "works, and a key that is deleted cannot be had back" in keys.command(
        "keys", "delete", key["id"], "--local", status=1
    )
    keys.command("keys", "delete", key["id"], "--force", "--local")
    keys.becomes(value, 401)
    assert "no consumer and no key 'mobile app'" in keys.command("keys", "list", "mobile app", "--local", status=2)


def test_a_rotation_loses_no_request(keys: Keys) -> None:
    old = keys.gateway.keys["assistant"]
    made = keys.document("keys", "rotate", "assistant", "--overlap", "1h")
    assert keys.ask(made["value"]).status_code == 200, "the new key works from its first request on"
    assert keys.ask(old).status_code == 200
    by = {key["id"]: key for key in keys.document("keys", "list", "assistant")["keys"]}
    assert by[made["replaces"]]["replaced_by"] == made["id"]
    assert not by[made["replaces"]]["overdue"]
    assert keys.document("keys", "rotate", "--finish")["keys"] == [], "its hour is not over"
    assert keys.ask(old).status_code == 200
    (ended,) = keys.document("keys", "rotate", "assistant", "--finish")["keys"]
    assert (ended["id"], ended["enabled"], ended["made_by"]) == (made["replaces"], False, "stack")
    keys.becomes(old, 401)
    assert keys.ask(made["value"]).status_code == 200


def test_usage_is_what_the_upstream_said(keys: Keys) -> None:
    first, second = (keys.document("keys", "create", "counted", "--plan", "search") for _ in range(2))
    answers = [keys.ask(key["value"]).json()["usage"] for key in (first, second, first)]

    def used() -> dict[str, Any]:
        (found,) = keys.document("usage", "counted")["consumers"]
        return dict(found)

    # The function counts after its answer has ended.
    until(lambda: used()["tokens"]["requests"] == len(answers))
    found = used()
    assert found["tokens"]["output"] == sum(answer["completion_tokens"] for answer in answers) > 0
    assert found["tokens"]["input"] == sum(answer["prompt_tokens"] for answer in answers)
    assert {key["id"]: key["tokens"]["requests"] for key in found["keys"]} == {first["id"]: 2, second["id"]: 1}
    assert found["requests"] is None, "the embedded AWS does not count requests of usage plans"


def test_a_key_with_a_budget_of_its_own(keys: Keys) -> None:
    made = keys.document("keys", "create", "trial", "--plan", "search", "--tokens-per-month", "1", "--model", "gpt-4.1")
    assert keys.ask(made["value"]).status_code == 200

    def standing() -> dict[str, Any]:
        shown = keys.document("budgets", "show", "trial")
        assert shown["limits_hold"] is True
        return dict(shown["keys"][0])

    until(lambda: standing()["budgets"][0]["used_up"])
    refused = keys.ask(made["value"])
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "budget_exceeded")
    assert standing()["month"]["cost_usd"] > 0, "the model map's target has a list price"
    keys.document("budgets", "clear", "trial")
    assert keys.ask(made["value"]).status_code == 200


def test_every_way_to_the_gateway(keys: Keys) -> None:
    def api_by(*options: str) -> str:
        return str(json.loads(keys.command("keys", "list", "--json", *options))["api"])

    expected = api_by("--local")
    variables = Keys(keys.gateway, keys.environment | keys.gateway.aws_environment)
    for options in ([], ["--stack", "AiGateway"], ["--gateway", "AiGateway/Gateway"], ["--gateway", "Gateway"]):
        assert json.loads(variables.command("keys", "list", "--json", *options))["api"] == expected
    assert "there is no stack 'Nothing' in Region us-east-1" in variables.command(
        "keys", "list", "--stack", "Nothing", status=1
    )
    assert "has no gateway 'Nothing'" in variables.command("usage", "--gateway", "Nothing", status=2)
