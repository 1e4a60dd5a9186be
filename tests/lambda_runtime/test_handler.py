"""The module that Lambda names: its init, in a process of its own as on Lambda."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import lambda_runtime
from lambda_runtime.config import CONFIG_FILE, AuthStyle, GatewayConfig
from tests.lambda_runtime.gateway_kit import UPSTREAM_KEY, both_formats, event, openai_upstream
from tests.lambda_runtime.upstream_server import Connection, Received, UpstreamServer, answer_json, serve

SCRIPT = """
import json, sys, time
sys.path.insert(0, sys.argv[1])
from lambda_runtime import snapstart
from lambda_runtime.handler import handler
from lambda_runtime.invocation import Invocation

class Writer:
    started = False
    def start(self, status, headers): self.started = True; print(json.dumps({"answered": status}))
    def write(self, data): pass
    def end(self): pass

print(json.dumps({"imported": sorted(sys.modules)}))
for step in sys.argv[3:]:
    if step == "call":
        handler(json.loads(sys.argv[2]), Invocation(request_id="1", deadline=time.time() + 60), Writer())
    else:
        getattr(snapstart, step)()
"""


@pytest.fixture
def secrets() -> Iterator[UpstreamServer]:
    with serve() as server:
        server.answer = answer_json({"SecretString": UPSTREAM_KEY})
        yield server


def run(
    tmp_path: Path,
    config: GatewayConfig,
    secrets: UpstreamServer,
    *steps: str,
    variables: Mapping[str, str] | None = None,
    prelude: str = "",
) -> list[dict[str, Any]]:
    (tmp_path / CONFIG_FILE).write_text(config.to_json())
    environ = {
        "LAMBDA_TASK_ROOT": str(tmp_path),
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKID",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_ENDPOINT_URL": secrets.url,
        "UPSTREAM_SECRET_MAIN": "arn:aws:secretsmanager:eu-west-1:1:secret:main-AbCdEf",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "HTTPS_PROXY": "http://127.0.0.1:9",
        **(variables or {}),
    }
    root = str(Path(lambda_runtime.__file__).parent.parent)
    asked = json.dumps(event("/v1/chat/completions", {"model": "m"}))
    process = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::ResourceWarning", "-c", prelude + SCRIPT, root, asked, *steps],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.stderr == ""
    assert process.returncode == 0
    assert UPSTREAM_KEY not in process.stdout
    return [json.loads(line) for line in process.stdout.splitlines()]


def test_init_fetches_the_keys_and_the_handler_uses_them(
    tmp_path: Path, upstream: UpstreamServer, secrets: UpstreamServer
) -> None:
    imported, answered, line = run(tmp_path, GatewayConfig(upstreams=(both_formats("main", upstream.url),)), secrets, "call")
    assert answered == {"answered": 200}
    assert line["message"] == "request"
    assert len(secrets.received) == 1
    assert upstream.last.header("authorization") == f"Bearer {UPSTREAM_KEY}"
    for heavy in ("boto3", "botocore", "httpcore", "h11", "anyio", "certifi", "asyncio", "pydantic"):
        assert heavy not in imported["imported"]


def test_a_fetch_that_fails_at_start_does_not_fail_init(
    tmp_path: Path, upstream: UpstreamServer, secrets: UpstreamServer
) -> None:
    refusal = answer_json({"__type": "ResourceNotFoundException", "Message": "no"}, 400)
    secrets.answers = [refusal]
    problem, _, answered, _ = run(tmp_path, GatewayConfig(upstreams=(both_formats("main", upstream.url),)), secrets, "call")
    assert problem["level"] == "ERROR"
    assert "does not exist" in problem["message"]
    assert answered == {"answered": 200}


def test_an_upstream_without_auth_or_without_a_secret_fetches_nothing(
    tmp_path: Path, upstream: UpstreamServer, secrets: UpstreamServer
) -> None:
    upstreams = (openai_upstream("main", upstream.url, AuthStyle.NONE), openai_upstream("other", upstream.url))
    run(tmp_path, GatewayConfig(upstreams=upstreams), secrets)
    assert secrets.received == []


def test_a_snapshot_holds_no_key_and_a_restore_fetches_it(
    tmp_path: Path, upstream: UpstreamServer, secrets: UpstreamServer
) -> None:
    steps = ("run_before_snapshot", "run_after_restore", "call", "call")
    run(tmp_path, GatewayConfig(upstreams=(both_formats("main", upstream.url),)), secrets, *steps)
    assert len(secrets.received) == 2
    assert len(upstream.received) == 2


LIMITS = ("admission", "budgets", "config.limits", "config.prices", "state.allowances")
"""What a gateway without limits and prices must not pay for."""


@pytest.mark.parametrize(
    ("variables", "loaded"),
    [
        ({"AI_GATEWAY_CONSUMER_LIMITS": "1"}, False),  # without a table there are none to be read
        ({"AI_GATEWAY_TABLE": "t", "AI_GATEWAY_CONSUMER_LIMITS": "0"}, False),
        ({"AI_GATEWAY_TABLE": "t", "AI_GATEWAY_CONSUMER_LIMITS": "1"}, True),
    ],
)
def test_limits_are_looked_at_only_where_there_may_be_some(
    tmp_path: Path, upstream: UpstreamServer, secrets: UpstreamServer, variables: dict[str, str], *, loaded: bool
) -> None:
    # The state is read beside: a thread that had something to say would say it while the process ends.
    secrets.answer = answer_json({"SecretString": UPSTREAM_KEY, "Items": []})
    lines = run(tmp_path, GatewayConfig(upstreams=(both_formats("main", upstream.url),)), secrets, variables=variables)
    (imported,) = (line["imported"] for line in lines if "imported" in line)
    assert [f"lambda_runtime.{name}" in imported for name in LIMITS] == [loaded] * len(LIMITS)


def test_a_snapshot_knows_nothing_of_consumers(tmp_path: Path, upstream: UpstreamServer, secrets: UpstreamServer) -> None:
    secret = answer_json({"SecretString": UPSTREAM_KEY})
    queries: list[str] = []

    def answer(received: Received, connection: Connection) -> None:
        if "DynamoDB" not in (received.header("x-amz-target") or ""):
            secret(received, connection)
        elif b"usage#consumer-1" not in received.body:
            answer_json({"Items": []})(received, connection)
        else:
            queries.append(received.body.decode())
            limited = {"sk": {"S": "limits"}, "limits": {"S": '{"models": ["other"]}'}}
            # At first it has limits, then the table is away.
            answer_json({"Items": [limited]}, 200 if len(queries) == 1 else 500)(received, connection)

    secrets.answer = answer
    variables = {"AI_GATEWAY_TABLE": "t", "AI_GATEWAY_CONSUMER_LIMITS": "1"}
    config = GatewayConfig(upstreams=(both_formats("main", upstream.url),))
    # A busy machine must not make an outage of the table.
    patient = "DynamoDb.__init__.__kwdefaults__.update(connect_timeout=30.0, read_timeout=30.0)"
    prelude = f"from lambda_runtime.state.dynamodb import DynamoDb; {patient}"
    steps = ("call", "call", "run_before_snapshot", "call")
    lines = run(tmp_path, config, secrets, *steps, variables=variables, prelude=prelude)
    assert [line["answered"] for line in lines if "answered" in line] == [403, 403, 200]
