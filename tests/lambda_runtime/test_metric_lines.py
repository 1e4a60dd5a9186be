"""Lines that are metrics and nothing else: valid, and a crash is counted whatever else is broken."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from lambda_runtime import metric_lines
from lambda_runtime.config import METRICS_NAMESPACE
from tests.lambda_runtime.function_process import ROOT


def only_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (line,) = capsys.readouterr().out.splitlines()
    document: dict[str, Any] = json.loads(line)
    return document


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "gateway-function")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_VERSION", "7")


def test_the_namespace_is_the_configurations() -> None:
    assert metric_lines.NAMESPACE == METRICS_NAMESPACE


def test_a_crash_is_counted_by_version_to_the_second(capsys: pytest.CaptureFixture[str]) -> None:
    metric_lines.count_crash("the function cannot start")
    line = only_line(capsys)
    assert isinstance(line["_aws"]["Timestamp"], int)
    assert [(each["Dimensions"], each["Metrics"]) for each in line["_aws"]["CloudWatchMetrics"]] == [
        ([["Gateway"]], [{"Name": "Crashes", "Unit": "Count"}]),
        ([["Gateway", "Version"]], [{"Name": "Crashes", "Unit": "Count", "StorageResolution": 1}]),
    ]
    fields = ("Gateway", "Version", "Crashes", "what")
    assert [line[name] for name in fields] == ["gateway-function", "7", 1, "the function cannot start"]


def test_a_crash_is_counted_without_an_environment(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_VERSION")
    metric_lines.count_crash("the handler raised")
    line = only_line(capsys)
    assert (line["Gateway"], line["Version"]) == ("local", "$LATEST")


def test_a_crash_that_cannot_be_counted_is_no_further_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    metric_lines.count_crash("the handler raised")


def test_it_needs_nothing_that_the_configuration_needs() -> None:
    # What is imported before the handler is what counts the handler's crash.
    code = "import sys, lambda_runtime.loop; print({'lambda_runtime.config', 'httpx'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("is_open", [True, False])
def test_a_circuit_is_one_or_nought(capsys: pytest.CaptureFixture[str], is_open: bool) -> None:
    metric_lines.write_circuit("openai", is_open=is_open)
    line = only_line(capsys)
    assert (line["Gateway"], line["Upstream"], line["CircuitOpen"]) == ("gateway-function", "openai", int(is_open))
