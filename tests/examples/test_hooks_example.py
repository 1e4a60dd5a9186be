"""The example of hooks does what it says, tested as its owner would: with the package alone, without AWS."""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Callable
from typing import Any

import pytest

from lambda_runtime.hooks import HookRequest, HookResponse, Refusal, Usage
from tests.templates import ROOT

MODULE = ROOT / "examples" / "hooks" / "policy" / "gateway_hooks.py"
KEYS = {"web shop": "key-1", "reports": "key-2"}


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[..., Any]]:
    """The module's functions, as the function of the example's stack has them."""
    monkeypatch.setenv("CONSUMERS", json.dumps(KEYS))
    return runpy.run_path(str(MODULE))


@pytest.mark.parametrize(
    ("consumer", "cost_centre"), [("key-1", "4711"), ("key-2", "4712"), ("unknown", "none"), (None, "none")]
)
def test_a_request_is_tagged_with_its_cost_centre(
    hooks: dict[str, Callable[..., Any]], consumer: str | None, cost_centre: str
) -> None:
    request = HookRequest.of("fast", consumer=consumer)
    hooks["before_request"](request)
    assert dict(request.upstream_headers) == {"x-cost-centre": cost_centre}
    assert dict(request.log) == {"cost_centre": cost_centre}


def test_a_model_is_refused_for_a_consumer(hooks: dict[str, Callable[..., Any]]) -> None:
    hooks["before_request"](HookRequest.of("careful", consumer="key-1"))
    with pytest.raises(Refusal, match="the model 'careful' is not for reports; use 'fast'") as caught:
        hooks["before_request"](HookRequest.of("careful", consumer="key-2"))
    assert (caught.value.status, caught.value.code, caught.value.param) == (403, "model_not_allowed", "model")


@pytest.mark.parametrize(("usage", "lines"), [(None, 0), (Usage(10, 20_000), 0), (Usage(10, 20_001), 1)])
def test_a_large_answer_leaves_a_line(
    hooks: dict[str, Callable[..., Any]], usage: Usage | None, lines: int, capsys: pytest.CaptureFixture[str]
) -> None:
    hooks["after_response"](HookRequest.of("fast"), HookResponse(status=200, model="gpt-4.1-mini", usage=usage))
    assert capsys.readouterr().out.count("large answer") == lines


def test_the_documents_hooks_pass_the_documents_test(capsys: pytest.CaptureFixture[str]) -> None:
    document = (ROOT / "docs" / "hooks.md").read_text("utf-8")
    _, module, test = re.findall(r"^```python\n(.+?)^```$", document, re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {"pytest": pytest}
    exec(module + test, names)  # noqa: S102
    names["test_interns_are_refused"]()
    request = HookRequest.of("careful")
    names["before_request"](request)
    assert dict(request.upstream_headers) == {"x-cost-centre": "4711"}
    names["after_response"](request, HookResponse(status=200, usage=Usage(1, 2)))
    assert capsys.readouterr().out == "request 2\n"
