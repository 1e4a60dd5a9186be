"""The one line of a request: valid EMF, bounded, and silent about what was said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambda_runtime.config import Operation
from lambda_runtime.invocation import ClientGoneError, Invocation
from tests.lambda_runtime.gateway_kit import CLIENT_KEY, UPSTREAM_KEY, Kit, RecordingWriter, event
from tests.lambda_runtime.samples import CHAT_STREAM
from tests.lambda_runtime.upstream_server import UpstreamServer, answer_bytes, answer_stream

INVOCATION = Invocation(request_id="lambda-1", deadline=4e9)
CHAT = Operation.CHAT_COMPLETIONS


def only_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    (line,) = capsys.readouterr().out.splitlines()
    document: dict[str, Any] = json.loads(line)
    return document


def check_emf(line: dict[str, Any]) -> None:
    """The rules of the embedded metric format: every named dimension and metric is a member, with the right type."""
    directives = line["_aws"]["CloudWatchMetrics"]
    assert set(line["_aws"]) == {"Timestamp", "CloudWatchMetrics"}
    assert isinstance(line["_aws"]["Timestamp"], int)
    assert [directive["Dimensions"] for directive in directives] == [
        [["Gateway"], ["Gateway", "Upstream"]],
        [["Gateway", "Version"]],
        [["Gateway"], ["Gateway", "Upstream", "Model"]],
    ][: len(directives)]
    units: list[dict[str, str]] = []
    for directive in directives:
        assert directive["Namespace"] == "AiGateway"
        for dimension in {name for names in directive["Dimensions"] for name in names}:
            assert isinstance(line[dimension], str)
            assert 0 < len(line[dimension]) <= 250
        # A second's resolution for versions, whose alarms look at ten seconds; the others have a minute's.
        of_version = directive["Dimensions"] == [["Gateway", "Version"]]
        assert {metric.get("StorageResolution", 60) for metric in directive["Metrics"]} == {1 if of_version else 60}
        units.append({metric["Name"]: metric["Unit"] for metric in directive["Metrics"]})
    requests, of_version, *tokens = units
    assert requests == of_version
    first_byte = {"FirstByteLatency": "Milliseconds"} if "FirstByteLatency" in line else {}
    assert requests == {"Requests": "Count", "Errors": "Count", "Duration": "Milliseconds", **first_byte}
    assert tokens == ([{"InputTokens": "Count", "OutputTokens": "Count"}] if "InputTokens" in line else [])
    for name in {name for each in units for name in each}:
        assert isinstance(line[name], (int, float))


def test_what_is_written_of_one_request_does_not_change_the_next(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    kit.call(event(CHAT, {"model": "m"}))
    first = only_line(capsys)
    kit.call(event(CHAT, "{"))
    assert "FirstByteLatency" not in json.dumps(only_line(capsys))
    kit.call(event(CHAT, {"model": "m"}))
    assert only_line(capsys)["_aws"]["CloudWatchMetrics"] == first["_aws"]["CloudWatchMetrics"]


def test_a_stream_leaves_one_line(kit: Kit, upstream: UpstreamServer, capsys: pytest.CaptureFixture[str]) -> None:
    upstream.answer = answer_stream(CHAT_STREAM)
    body = json.dumps({"model": "gpt-4", "stream": True, "messages": [{"role": "user", "content": "my secret prompt"}]})
    response = kit.call(event(CHAT, body))
    line = only_line(capsys)
    check_emf(line)
    assert line["FirstByteLatency"] <= line["Duration"]
    expected = {
        "Gateway": "gateway-function",
        "Version": "7",
        "Upstream": "main",
        "Requests": 1,
        "Errors": 0,
        "level": "INFO",
        "request_id": "request-1",
        "lambda_request_id": "lambda-1",
        "consumer": "consumer-1",
        "operation": "chat_completions",
        "model": "gpt-4",
        "served_model": "gpt-4.1",
        "upstream": "main",
        "status": 200,
        "streamed": True,
        "bytes_in": len(body) + len(".1") + len(',"stream_options":{"include_usage":true}'),
        "bytes_out": len(response.body),
        "error": None,
    }
    assert {name: line[name] for name in expected} == expected
    assert not {"prompt", CLIENT_KEY, UPSTREAM_KEY} & set(json.dumps(line).split('"'))
    assert "my secret prompt" not in json.dumps(line)


def test_it_is_written_after_the_end(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    class Writer(RecordingWriter):
        out = "not ended"

        def end(self) -> None:
            super().end()
            self.out = capsys.readouterr().out

    writer = Writer()
    kit.call(event(CHAT, {"model": "m"}), writer)
    assert writer.out == ""
    only_line(capsys)


@pytest.mark.parametrize(("status", "errors"), [(400, 0), (404, 0), (429, 0), (500, 1), (529, 1)])
def test_errors_count_from_500_on(
    kit: Kit, upstream: UpstreamServer, capsys: pytest.CaptureFixture[str], status: int, errors: int
) -> None:
    upstream.answer = answer_bytes(b"{}", status)
    kit.call(event(CHAT, {"model": "m"}))
    *warnings, line = map(json.loads, capsys.readouterr().out.splitlines())
    check_emf(line)
    assert (line["status"], line["Errors"], line["error"]) == (status, errors, f"upstream_status_{status}")
    assert {warning["code"] for warning in warnings} <= {line["error"]}
    # Of a 4xx the client's own log is enough; what was tried again is worth a line each.
    assert len(warnings) == {400: 0, 404: 0, 429: 1, 500: 2, 529: 2}[status]
    assert ("attempts" in line) == (len(warnings) > 1)


def test_a_broken_stream_counts_as_an_error(kit: Kit, upstream: UpstreamServer, capsys: pytest.CaptureFixture[str]) -> None:
    upstream.answer = answer_stream(CHAT_STREAM[:2], cut=True)
    kit.call(event(CHAT, {"model": "m", "stream": True}))
    warning, line = map(json.loads, capsys.readouterr().out.splitlines())
    check_emf(line)
    assert (line["status"], line["Errors"], line["error"]) == (200, 1, "upstream_stream_interrupted")
    assert (warning["level"], warning["upstream"], warning["request_id"]) == ("WARNING", "main", "request-1")


def test_a_refused_request_has_no_upstream_and_no_first_byte(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    kit.call(event(CHAT, "{"))
    line = only_line(capsys)
    check_emf(line)
    assert (line["Upstream"], line["status"], line["error"]) == ("none", 400, "invalid_json")
    assert "FirstByteLatency" not in line
    assert "FirstByteLatency" not in json.dumps(line["_aws"])


def test_a_client_cannot_forge_or_flood_the_log(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    name = '\n{"level":"ERROR"}\r\u2028"' + "x" * 10_000
    kit.call(event(CHAT, {"model": name}))
    output = capsys.readouterr().out
    assert output.count("\n") == 1
    assert "\u2028" not in output
    line = json.loads(output)
    assert len(line["model"]) == len(line["served_model"]) == 200
    assert line["model"][:150] == name[:150]


def test_an_event_without_a_context_still_leaves_a_line(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    response = kit.call({"resource": "/v1/chat/completions", "httpMethod": "POST", "body": "{}"})
    assert response.status == 400
    line = only_line(capsys)
    assert (line["request_id"], line["consumer"]) == ("lambda-1", None)


def test_a_defect_of_ours_is_a_500_without_its_text_in_the_log(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prompt = "the prompt"

    def defect(*_arguments: Any) -> None:
        raise ZeroDivisionError(prompt)

    monkeypatch.setattr(kit.gateway._relay, "answer", defect)
    chat = kit.call(event(CHAT, {"model": "m"}))
    messages = kit.call(event(Operation.MESSAGES, {"model": "m"}))
    assert chat.status == messages.status == 500
    assert set(chat.json()) == {"error"}
    assert messages.json()["type"] == "error"
    output = capsys.readouterr().out
    assert prompt not in output
    trace, line, *_ = map(json.loads, output.splitlines())
    assert trace["message"] == "unexpected ZeroDivisionError"
    assert any("in defect" in frame for frame in trace["traceback"])
    assert (line["status"], line["Errors"], line["error"]) == (500, 1, "internal_error")


def test_a_client_that_is_gone_is_no_error_of_ours(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ClientGoneError):  # which the loop must know of
        kit.gateway.handle(event(CHAT, {"model": "m"}), INVOCATION, RecordingWriter(gone_after=0))
    line = only_line(capsys)
    assert (line["error"], line["Errors"]) == ("client_gone", 0)


def test_out_of_memory_is_answered_and_given_up(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def exhausted(*_arguments: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(kit.gateway._relay, "answer", exhausted)
    writer = RecordingWriter()
    with pytest.raises(MemoryError):
        kit.gateway.handle(event(CHAT, {"model": "m"}), INVOCATION, writer)
    assert (writer.status, writer.ended) == (500, True)
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["status"] == 500
