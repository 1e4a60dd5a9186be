"""The whole way in: wrapper, entry point, initialisation, snapshot, loop; in a process, against the in-test Runtime API."""

import json
import sys
from pathlib import Path

import pytest

from tests.lambda_runtime.function_process import function, make_task_root
from tests.lambda_runtime.runtime_api_server import RuntimeApiServer

ANSWERING = """
import os, sys

def handler(event, invocation, response):
    response.start(200, [])
    response.write(repr(eval(event["expression"])).encode())
    response.end()
"""

SNAPSHOT = """
from lambda_runtime.snapstart import after_restore, before_snapshot

order = []
before_snapshot(lambda: order.append("first registered"))
before_snapshot(lambda: order.append("second registered"))
after_restore(lambda: order.append("restored"))
after_restore(lambda: order.append("restored again"))

def handler(event, invocation, response):
    response.start(200, [])
    response.write(repr(order).encode())
"""


def evaluated(api: RuntimeApiServer, expression: str) -> str:
    api.push({"expression": expression})
    return api.answer().body.decode()


def test_events_are_answered_until_the_process_is_killed(api: RuntimeApiServer, tmp_path: Path) -> None:
    root = make_task_root(tmp_path, ANSWERING)
    with function(root, api.address):
        assert [evaluated(api, f"{n} + 1") for n in range(3)] == ["1", "2", "3"]
    assert api.connections == 1


def test_the_search_path_is_the_managed_runtimes(api: RuntimeApiServer, tmp_path: Path) -> None:
    root = make_task_root(tmp_path, ANSWERING)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    with function(root, api.address, LAMBDA_RUNTIME_DIR="/var/of/runtime"):
        path = eval(evaluated(api, "sys.path"))  # noqa: S307
    assert path[:3] == [str(root), f"/opt/python/lib/{version}/site-packages", "/opt/python"]
    assert path[-1] == "/var/of/runtime"
    assert str(root / "lambda_runtime") not in path
    assert "" not in path


def test_nothing_is_written_beside_the_functions_files(api: RuntimeApiServer, tmp_path: Path) -> None:
    root = make_task_root(tmp_path, ANSWERING)
    before = sorted(root.rglob("*"))
    with function(root, api.address):
        evaluated(api, "0")
    assert sorted(root.rglob("*")) == before


def test_packages_of_the_machine_are_not_found(api: RuntimeApiServer, tmp_path: Path) -> None:
    root = make_task_root(tmp_path, ANSWERING)
    with function(root, api.address):
        found = evaluated(api, "__import__('importlib.util').util.find_spec('pytest')")
    assert found == "None"


def test_answers_can_be_buffered(api: RuntimeApiServer, tmp_path: Path) -> None:
    root = make_task_root(tmp_path, ANSWERING)
    with function(root, api.address, AI_GATEWAY_RESPONSE_MODE="buffered"):
        api.push({"expression": "6 * 7"})
        assert api.answer().json["body"] == "42"


def test_the_log_is_written_line_by_line_at_once(api: RuntimeApiServer, tmp_path: Path) -> None:
    root = make_task_root(tmp_path, ANSWERING)
    with function(root, api.address) as process:
        evaluated(api, "print('logged')")
        assert process.stdout
        assert process.stdout.readline() == "logged\n"


@pytest.mark.parametrize(
    ("source", "environment", "error_type", "message"),
    [
        ("raise ValueError('no config')", {}, "Function.ValueError", "no config"),
        ("import no_such_module", {}, "Runtime.ImportModuleError", "no_such_module"),
        ("def", {}, "Function.SyntaxError", "invalid syntax"),
        ("", {}, "Runtime.HandlerNotFound", "no callable 'handler'"),
        ("raise SystemExit(0)", {}, "Function.SystemExit", "0"),
        (ANSWERING, {"_HANDLER": "nothing"}, "Runtime.MalformedHandlerName", "'nothing'"),
        (ANSWERING, {"AI_GATEWAY_RESPONSE_MODE": "both"}, "Runtime.InvalidConfiguration", "'both'"),
        (
            SNAPSHOT + "before_snapshot(lambda: 1 / 0)",
            {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"},
            "Function.ZeroDivisionError",
            "division by zero",
        ),
    ],
)
def test_a_failed_initialisation_is_reported_and_ends_the_process(  # noqa: PLR0917
    api: RuntimeApiServer,
    tmp_path: Path,
    source: str,
    environment: dict[str, str],
    error_type: str,
    message: str,
) -> None:
    root = make_task_root(tmp_path, source)
    with function(root, api.address, **environment) as process:
        answer = api.answer()
        assert answer.path == "/init/error"
        assert answer.headers["lambda-runtime-function-error-type"] == error_type
        assert answer.json["errorType"] == error_type
        assert message in answer.json["errorMessage"]
        assert process.wait(20) == 1
        assert process.stdout
        crash, line = map(json.loads, process.stdout.read().splitlines())
        assert (crash["Gateway"], crash["Version"], crash["Crashes"]) == ("gateway", "$LATEST", 1)
        assert crash["what"] == line["message"] == "the function cannot start"
        assert message in line["errorMessage"]


def test_a_snapshot_is_taken_between_the_hooks(api: RuntimeApiServer, tmp_path: Path) -> None:
    root = make_task_root(tmp_path, SNAPSHOT)
    api.restore.clear()
    api.push()
    with function(root, api.address, AWS_LAMBDA_INITIALIZATION_TYPE="snap-start"):
        assert api.restoring.wait(20)
        assert api.connections == 1
        assert api.answers.empty()
        api.restore.set()
        assert api.answer().body == b"['second registered', 'first registered', 'restored', 'restored again']"
    # The connection of before the snapshot is not used after it.
    assert api.connections == 2


def test_hooks_are_not_called_without_a_snapshot(api: RuntimeApiServer, tmp_path: Path) -> None:
    root = make_task_root(tmp_path, SNAPSHOT)
    api.push()
    with function(root, api.address, AWS_LAMBDA_INITIALIZATION_TYPE="on-demand"):
        assert api.answer().body == b"[]"


def test_a_failed_restore_is_reported_and_ends_the_process(api: RuntimeApiServer, tmp_path: Path) -> None:
    root = make_task_root(tmp_path, SNAPSHOT + "after_restore(lambda: 1 / 0)")
    with function(root, api.address, AWS_LAMBDA_INITIALIZATION_TYPE="snap-start") as process:
        answer = api.answer()
        assert answer.path == "/restore/error"
        assert answer.json["errorType"] == "Function.ZeroDivisionError"
        assert process.wait(20) == 1
        assert process.stdout
        assert [line.get("Crashes") for line in map(json.loads, process.stdout.read().splitlines())] == [1, None]


def test_what_no_handler_survives_ends_the_process(api: RuntimeApiServer, tmp_path: Path) -> None:
    root = make_task_root(tmp_path, "def handler(*_): raise MemoryError")
    api.push()
    with function(root, api.address) as process:
        assert api.answer().json["errorType"] == "Function.MemoryError"
        assert process.wait(20) == 1
