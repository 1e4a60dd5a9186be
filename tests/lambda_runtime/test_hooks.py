"""Hooks by themselves: what they see, what they may change, what becomes of what they raise, and how they are loaded."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from lambda_runtime.config import HOOKS_DIRECTORY, WireFormat
from lambda_runtime.errors import GatewayError, HookError, RefusedError, error_body
from lambda_runtime.hooks import (
    HookModuleError,
    HookRequest,
    HookResponse,
    Hooks,
    Operation,
    Refusal,
)
from tests.templates import ROOT

PROMPT = "my secret prompt"
CHAT = Operation.CHAT_COMPLETIONS
RESPONSE = HookResponse(status=200)


def before(hook: Callable[[HookRequest], Any], request: HookRequest | None = None) -> HookRequest:
    """Have a hook called with a request."""
    request = request or HookRequest.of("gpt-4", body={"messages": [{"content": PROMPT}]})
    Hooks("gateway_hooks", before=hook).before(request)
    return request


def line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (text,) = capsys.readouterr().out.splitlines()
    document: dict[str, Any] = json.loads(text)
    return document


# What becomes of what a hook raises


@pytest.mark.parametrize(
    ("status", "error_type"),
    [
        (403, "permission_error"),
        (HTTPStatus.UNAUTHORIZED, "authentication_error"),
        (400, "invalid_request_error"),
        (429, "rate_limit_error"),
        (499, "invalid_request_error"),
    ],
)
def test_a_refusal_is_the_clients_error(status: int, error_type: str, capsys: pytest.CaptureFixture[str]) -> None:
    def hook(request: HookRequest) -> None:
        raise Refusal(f"{request.model} is not for you", status=status, code="not_for_you", param="model")

    with pytest.raises(RefusedError) as caught:
        before(hook)
    error = caught.value
    assert (repr(error.status), error.retry_helps) == (str(int(status)), False)
    assert json.loads(error_body(error, WireFormat.OPENAI, "r")) == {
        "error": {"message": "gpt-4 is not for you", "type": error_type, "param": "model", "code": "not_for_you"}
    }
    assert json.loads(error_body(error, WireFormat.ANTHROPIC, "r"))["error"]["type"] == error_type
    assert capsys.readouterr().out == ""


def test_a_refusal_of_ones_own_kind() -> None:
    class OverBudgetError(Refusal):
        code = "over_budget"

        def __init__(self) -> None:
            pass

    def hook(_: HookRequest) -> None:
        raise OverBudgetError

    with pytest.raises(RefusedError) as caught:
        before(hook)
    assert (caught.value.status, caught.value.code, caught.value.message) == (403, "over_budget", "the request was refused")


@pytest.mark.parametrize(
    "arguments",
    [{"status": 200}, {"status": 399}, {"status": 500}, {"status": "403"}, {"message": ""}, {"message": None}, {"code": 7},
     {"param": 7}],
)  # fmt: skip
def test_a_refusal_that_is_none_is_a_failure(arguments: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    def hook(_: HookRequest) -> None:
        raise Refusal(**{"message": "no", **arguments})

    with pytest.raises(HookError):
        before(hook)
    assert line(capsys)["reason"].startswith("a refusal's ")


@pytest.mark.parametrize("error", [ValueError(PROMPT), GatewayError(PROMPT), RecursionError(PROMPT), SystemExit(PROMPT)])
def test_a_hook_that_raises_is_named_in_the_log_only(error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    def failing_hook(request: HookRequest) -> None:
        local = request.body["messages"]  # noqa: F841  locals are not logged
        raise error

    with pytest.raises(HookError) as caught:
        before(failing_hook)
    assert (caught.value.status, caught.value.code) == (500, "internal_error")
    assert caught.value.message == "the gateway failed on this request"
    assert caught.value.__cause__ is None
    logged = line(capsys)
    assert logged["level"] == "ERROR"
    assert logged["hook"] == "gateway_hooks.before_request"
    assert logged["request_id"] == "request"
    assert type(error).__name__ in logged["message"]
    assert "test_hooks.py" in logged["traceback"][-1]
    assert logged["traceback"][-1].endswith("in failing_hook")
    assert PROMPT not in json.dumps(logged)


@pytest.mark.parametrize("result", [Refusal("no"), True, {}])
def test_a_hook_that_returns_something_lets_nothing_pass(result: object, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(HookError):
        before(lambda _: result)
    assert line(capsys)["reason"].startswith(f"a hook returns nothing, got {type(result).__name__}; a Refusal is raised")


def test_what_is_not_allowed_is_explained_in_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    def hook(request: HookRequest) -> None:
        request.upstream_headers["authorization"] = "Bearer mine"

    with pytest.raises(HookError):
        before(hook)
    logged = line(capsys)
    assert logged["reason"] == "the header authorization is the gateway's own and cannot be set by a hook"
    assert any(frame.endswith("in hook") for frame in logged["traceback"])


def test_out_of_memory_is_for_the_loop_to_know() -> None:
    def hook(*_: object) -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        before(hook)
    with pytest.raises(MemoryError):
        Hooks("gateway_hooks", after=hook).after(HookRequest.of("m"), RESPONSE)


@pytest.mark.parametrize("error", [ValueError(PROMPT), Refusal(PROMPT), SystemExit(PROMPT)])
def test_after_the_response_a_failure_is_logged_and_no_more(error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    def hook(*_: object) -> None:
        raise error

    Hooks("gateway_hooks", after=hook).after(HookRequest.of("m"), RESPONSE)
    logged = line(capsys)
    assert logged["hook"] == "gateway_hooks.after_response"
    assert PROMPT not in json.dumps(logged)


def test_hooks_that_are_not_there_are_not_called() -> None:
    request = HookRequest.of("m")
    Hooks("gateway_hooks").before(request)
    Hooks("gateway_hooks").after(request, RESPONSE)


# How they are loaded


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The hooks directory of a task root, and a search path as in Lambda."""
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path))
    monkeypatch.setenv("LAMBDA_RUNTIME_DIR", "/var/of/runtime")
    monkeypatch.setattr(sys, "path", [*sys.path, "/var/of/runtime"])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / HOOKS_DIRECTORY).mkdir()
    known = set(sys.modules)
    yield tmp_path / HOOKS_DIRECTORY
    for name in set(sys.modules) - known:
        del sys.modules[name]


def test_a_module_is_loaded_with_what_lies_beside_it(directory: Path) -> None:
    (directory / "gateway_hooks.py").write_text(
        "from rules import before_request\ndef after_response(request, response): ...\n"
    )
    (directory / "rules.py").write_text("def before_request(request): request.model = 'changed'\n")
    hooks = Hooks.load("gateway_hooks")
    request = HookRequest.of("m")
    hooks.before(request)
    hooks.after(request, RESPONSE)
    assert request.model == "changed"


def test_the_directory_comes_after_python_and_before_the_managed_runtime(directory: Path) -> None:
    (directory / "gateway_hooks.py").write_text("import json, colorsys\ndef before_request(request): ...\n")
    for name in ("json.py", "colorsys.py", "lambda_runtime.py"):
        (directory / name).write_text("raise RuntimeError('a module of the gateway or of Python was replaced')\n")
    Hooks.load("gateway_hooks")
    Hooks.load("gateway_hooks")
    assert sys.path[-2:] == [str(directory), "/var/of/runtime"]
    assert sys.path.count(str(directory)) == 1


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import no_such_module", "cannot be imported: ModuleNotFoundError: No module named 'no_such_module'"),
        ("1 / 0", "cannot be imported: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)", "cannot be imported: SystemExit: 3"),
        ("def", "cannot be imported: SyntaxError: invalid syntax"),
        ("def after_respond(r): ...", "'gateway_hooks' defines neither before_request nor after_response"),
        ("before_request = 3", "before_request of the hook module must be a function, got int"),
        ("async def before_request(request): ...", "before_request of the hook module must be a plain function"),
        ("def before_request(request): yield", "must be a plain function, neither async nor with a yield"),
        ("def before_request(): ...", r"before_request of the hook module must take \(request\), got \(\)"),
        (
            "def after_response(request): ...",
            r"after_response of the hook module must take \(request, response\), got \(request",
        ),
        ("def before_request(request, *, more): ...", r"must take \(request\), got \(request, \*, more\)"),
    ],
)
def test_a_module_that_cannot_be_used_is_named(directory: Path, source: str, message: str) -> None:
    (directory / "gateway_hooks.py").write_text(source)
    with pytest.raises(HookModuleError, match=message) as caught:
        Hooks.load("gateway_hooks")
    if "imported: Zero" in message:
        assert Path(caught.traceback[-1].path).name == "gateway_hooks.py"


def test_a_module_that_is_not_there_is_named(directory: Path) -> None:
    assert directory.exists()
    with pytest.raises(HookModuleError, match="the hook module 'gateway_hooks' cannot be imported: ModuleNotFoundError"):
        Hooks.load("gateway_hooks")


@pytest.mark.parametrize(
    "source", ["import functools\nbefore_request = functools.partial(print, 1)", "before_request = str.lower"]
)
def test_whatever_can_be_called_may_be_a_hook(directory: Path, source: str) -> None:
    (directory / "gateway_hooks.py").write_text(source)
    Hooks.load("gateway_hooks")


def run(program: str) -> str:
    completed = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stderr
    return completed.stdout


def test_hooks_can_be_tested_where_only_the_package_is_installed() -> None:
    run("import sys; sys.modules.update(httpx=None, aws_cdk=None); import lambda_runtime.hooks")


def test_a_gateway_without_hooks_does_not_pay_for_them() -> None:
    assert run("import sys, lambda_runtime.gateway; print([name for name in sys.modules if 'hooks' in name])") == "[]\n"
