"""Hooks in the function as Lambda runs it: from their directory in the task root to the client, the upstream and the log."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

import httpx
import idna
import pytest

from lambda_runtime.config import CONFIG_FILE, HOOKS_DIRECTORY, GatewayConfig, ModelRoute, Operation
from tests.lambda_runtime.function_process import function, make_task_root
from tests.lambda_runtime.gateway_kit import UPSTREAM_KEY, both_formats, event
from tests.lambda_runtime.runtime_api_server import Answer, RuntimeApiServer
from tests.lambda_runtime.samples import CHAT_STREAM
from tests.lambda_runtime.upstream_server import UpstreamServer, answer_json, answer_stream, serve

CHAT = Operation.CHAT_COMPLETIONS
PROMPT = "my secret prompt"
HOOKS = """
import json
from lambda_runtime.hooks import HookRequest, HookResponse, Refusal

def before_request(request: HookRequest) -> None:
    case = request.headers.get("x-case", "")
    request.log["status"] = f"case {case}"
    request.upstream_headers["x-cost-centre"] = "4711"
    request.upstream_headers["user-agent"] = "gateway"
    if case == "refuse":
        raise Refusal("not for you", status=429, code="over_budget", param="model")
    if case == "raise":
        raise ValueError(request.body["messages"][0]["content"])
    if case == "other model":
        request.model = "other"

def after_response(request: HookRequest, response: HookResponse) -> None:
    print(json.dumps({"message": "after", "consumer": request.consumer, **response._asdict()}))
    if request.headers.get("x-case") == "raise after":
        raise ValueError(request.body["messages"][0]["content"])
"""


@dataclass
class Function:
    """A running function with hooks, and what it writes to its log."""

    api: RuntimeApiServer
    process: Popen[str]

    def ask(self, case: str, operation: Operation = CHAT, **body: Any) -> Answer:
        document = {"model": "mapped", "messages": [{"role": "user", "content": PROMPT}], **body}
        self.api.push(event(operation, document, headers={"X-Case": case, "User-Agent": "the client"}))
        return self.api.answer()

    def lines(self, last: str) -> list[dict[str, Any]]:
        """The lines of the log up to one with that message."""
        assert self.process.stdout
        lines: list[dict[str, Any]] = []
        while not lines or lines[-1]["message"] != last:
            lines.append(json.loads(self.process.stdout.readline()))
        assert PROMPT not in json.dumps(lines)
        return lines


def task_root(directory: Path, hooks: str, upstream: UpstreamServer) -> Path:
    root = make_task_root(directory, "")
    for package in (httpx, idna):
        source = Path(str(package.__file__)).parent
        shutil.copytree(source, root / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    models = {"mapped": ModelRoute(["main/served"]), "other": ModelRoute(["main/served-instead"])}
    config = GatewayConfig(upstreams=(both_formats("main", upstream.url),), models=models, hooks="gateway_hooks")
    (root / CONFIG_FILE).write_text(config.to_json())
    (root / HOOKS_DIRECTORY).mkdir()
    (root / HOOKS_DIRECTORY / "gateway_hooks.py").write_text(hooks)
    return root


ENVIRONMENT = {
    "_HANDLER": "lambda_runtime.handler.handler",
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "AKID",
    "AWS_SECRET_ACCESS_KEY": "s",
    "UPSTREAM_SECRET_MAIN": "arn:aws:secretsmanager:eu-west-1:1:secret:main-AbCdEf",
}


@pytest.fixture
def hooked(tmp_path: Path, api: RuntimeApiServer, upstream: UpstreamServer) -> Iterator[Function]:
    root = task_root(tmp_path, HOOKS, upstream)
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}
    upstream.answer = answer_json({"choices": [choice], "usage": {"prompt_tokens": 3, "completion_tokens": 5}})
    with serve() as secrets:
        secrets.answer = answer_json({"SecretString": UPSTREAM_KEY})
        with function(root, api.address, AWS_ENDPOINT_URL=secrets.url, **ENVIRONMENT) as process:
            yield Function(api, process)


def test_headers_reach_the_upstream_and_fields_the_log(hooked: Function, upstream: UpstreamServer) -> None:
    assert hooked.ask("plain").prelude["statusCode"] == 200
    assert upstream.last.header("x-cost-centre") == "4711"
    assert [value for name, value in upstream.last.headers if name.lower() == "user-agent"] == ["gateway"]
    assert upstream.last.header("authorization") == f"Bearer {UPSTREAM_KEY}"
    request, after = hooked.lines("after")
    assert request["hooks"] == {"status": "case plain"}
    assert request["status"] == 200
    assert (after["consumer"], after["status"], after["model"], after["upstream"]) == ("consumer-1", 200, "served", "main")
    assert after["usage"][:2] == [3, 5]
    assert (after["error"], after["streamed"]) == (None, False)
    assert 0 < after["first_byte_ms"] <= after["duration_ms"] == request["Duration"]


def test_streams_too(hooked: Function, upstream: UpstreamServer) -> None:
    upstream.answer = answer_stream(CHAT_STREAM)
    assert hooked.ask("plain", stream=True).body == b"".join(CHAT_STREAM)
    assert upstream.last.header("x-cost-centre") == "4711"
    assert hooked.lines("after")[-1]["streamed"] is True


def test_another_model_is_routed_as_if_it_had_been_asked_for(hooked: Function, upstream: UpstreamServer) -> None:
    assert hooked.ask("other model").prelude["statusCode"] == 200
    assert json.loads(upstream.last.body)["model"] == "served-instead"
    request, after = hooked.lines("after")
    assert request["served_model"] == after["model"] == "served-instead"


@pytest.mark.parametrize("operation", [CHAT, Operation.MESSAGES])
def test_a_refusal_asks_nobody_and_is_in_the_clients_format(
    hooked: Function, upstream: UpstreamServer, operation: Operation
) -> None:
    answer = hooked.ask("refuse", operation, max_tokens=1, stream=True)
    assert answer.prelude["statusCode"] == 429
    assert answer.prelude["headers"]["x-should-retry"] == "false"
    body = json.loads(answer.body)
    error = {"message": "not for you", "type": "rate_limit_error", "param": "model", "code": "over_budget"}
    if operation is CHAT:
        assert body == {"error": error}
    else:
        assert body == {"type": "error", "error": {k: error[k] for k in ("type", "message")}, "request_id": "request-1"}
    assert upstream.received == []
    request, after = hooked.lines("after")
    assert (request["status"], request["error"], request["level"]) == (429, "over_budget", "INFO")
    assert (after["status"], after["error"], after["model"], after["upstream"]) == (429, "over_budget", None, None)


def test_a_hook_that_raises_is_a_500_that_names_it_in_the_log_only(hooked: Function, upstream: UpstreamServer) -> None:
    answer = hooked.ask("raise")
    assert answer.prelude["statusCode"] == 500
    assert answer.prelude["headers"]["x-should-retry"] == "false"
    expected = {"message": "the gateway failed on this request", "type": "api_error", "param": None, "code": "internal_error"}
    assert json.loads(answer.body) == {"error": expected}
    assert "hook" not in answer.payload.decode()
    assert upstream.received == []
    failure, request, after = hooked.lines("after")
    assert (failure["hook"], failure["message"]) == ("gateway_hooks.before_request", "unexpected ValueError")
    assert failure["traceback"][-1].endswith("hooks/gateway_hooks.py:13 in before_request")
    assert (request["status"], request["error"], request["Errors"]) == (500, "internal_error", 1)
    assert after["status"] == 500
    assert hooked.ask("plain").prelude["statusCode"] == 200


def test_a_hook_that_raises_after_the_response_spoils_nothing(hooked: Function) -> None:
    assert hooked.ask("raise after").prelude["statusCode"] == 200
    request, after, failure = hooked.lines("unexpected ValueError")
    assert (request["status"], request["Errors"], after["status"]) == (200, 0, 200)
    assert failure["hook"] == "gateway_hooks.after_response"
    assert hooked.ask("plain").prelude["statusCode"] == 200


def test_a_request_without_a_body_reaches_no_hook(hooked: Function) -> None:
    hooked.api.push(event(CHAT, "not JSON", headers={"X-Case": "raise"}))
    assert hooked.api.answer().prelude["statusCode"] == 400
    assert len(hooked.lines("request")) == 1


def test_a_module_that_cannot_be_imported_is_an_error_of_the_start(
    tmp_path: Path, api: RuntimeApiServer, upstream: UpstreamServer
) -> None:
    root = task_root(tmp_path, "import requests", upstream)
    with serve() as secrets, function(root, api.address, AWS_ENDPOINT_URL=secrets.url, **ENVIRONMENT) as process:
        answer = api.answer()
        assert answer.path == "/init/error"
        assert answer.json["errorType"] == "Function.HookModuleError"
        assert answer.json["errorMessage"] == (
            "the hook module 'gateway_hooks' cannot be imported: ModuleNotFoundError: No module named 'requests'"
        )
        assert any("gateway_hooks.py" in frame for frame in answer.json["stackTrace"])
        assert process.wait(20) == 1
