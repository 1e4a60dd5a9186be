"""The function as Lambda runs it, with a federated upstream: what is loaded when, and that a request is answered."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import idna

from lambda_runtime.config import CONFIG_FILE, GatewayConfig, Operation
from tests.lambda_runtime.federation.federation_kit import Provider, Sts, environ, federated_anthropic, federated_openai
from tests.lambda_runtime.function_process import ROOT, function, make_task_root
from tests.lambda_runtime.gateway_kit import event, openai_upstream
from tests.lambda_runtime.runtime_api_server import RuntimeApiServer
from tests.lambda_runtime.upstream_server import SAID

LOADED = """
import json, os, sys
from pathlib import Path
from lambda_runtime import handler
print(json.dumps([name for name in sys.modules if "federation" in name]))
"""


def test_requests_are_answered(tmp_path: Path, sts: Sts, provider: Provider) -> None:
    root = make_task_root(tmp_path, "")
    for package in (httpx, idna):
        source = Path(str(package.__file__)).parent
        shutil.copytree(source, root / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    config = GatewayConfig(upstreams=(federated_openai(provider), federated_anthropic(provider)))
    (root / CONFIG_FILE).write_text(config.to_json())
    variables = environ(sts.server, _HANDLER="lambda_runtime.handler.handler")
    with RuntimeApiServer() as api, function(root, api.address, **variables):
        for operation in (Operation.CHAT_COMPLETIONS, Operation.MESSAGES, Operation.CHAT_COMPLETIONS):
            api.push(event(operation, {"model": "m"}))
            answer = api.answer()
            assert (answer.prelude["statusCode"], answer.body) == (200, json.dumps(SAID).encode())
    assert len(sts.issued) == len(provider.exchanges) == 2
    assert [received.header("authorization") for received in provider.asked] == [
        f"Bearer short-lived-token-{number}" for number in (1, 2, 1)
    ]


def test_a_gateway_without_federation_loads_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / CONFIG_FILE).write_text(GatewayConfig(upstreams=(openai_upstream("a", "https://a.example"),)).to_json())
    command = [sys.executable, "-c", LOADED]
    done = subprocess.run(
        command, cwd=ROOT, env={"LAMBDA_TASK_ROOT": str(tmp_path)}, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == []


def test_one_with_it_loads_the_exchange_with_the_first_request_only(tmp_path: Path, sts: Sts, provider: Provider) -> None:
    (tmp_path / CONFIG_FILE).write_text(GatewayConfig(upstreams=(federated_openai(provider),)).to_json())
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        cwd=ROOT,
        env={"LAMBDA_TASK_ROOT": str(tmp_path), **environ(sts.server)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == ["lambda_runtime.config.federation"]
    assert sts.issued == []
