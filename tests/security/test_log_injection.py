"""Whatever anybody puts into a request or an answer, a line of the log stays one line, one object, short, and our own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lambda_runtime import log
from lambda_runtime.config import Operation, Timeouts
from lambda_runtime.error_report import ErrorReport
from lambda_runtime.hooks import HookRequest, Hooks, Refusal
from lambda_runtime.request_log import OTHER_MODEL
from tests.lambda_runtime.function_process import ROOT
from tests.lambda_runtime.gateway_kit import Kit, anthropic_upstream, event, gateway_over, openai_upstream
from tests.lambda_runtime.upstream_server import (
    JSON,
    SAID,
    SSE,
    Connection,
    Received,
    UpstreamServer,
    answer_bytes,
    answer_json,
    answer_stream,
)

CHAT = Operation.CHAT_COMPLETIONS
FORGED = (
    '{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"X","Dimensions":[["Evil"]],"Metrics":[{"Name":"M"}]}]},'
    '"Evil":"1","M":1}'
)
POISON = [
    "\n" + FORGED + "\n",
    "\r" + FORGED,
    "\u2028" + FORGED + "\u2029",
    "\x85" + FORGED + "\x0b\x0c\x1c\x1d\x1e",
    '","level":"ERROR","Gateway":"other","Model":"invented","Errors":1,"x":"',
    '"}' + "\n" + FORGED,
    "\x1b[2J\x1b]0;owned\x07\x9b31m\x08\x7f",
    "\u202egnp.exe\u202c",
    "\x00\x01\x02",
    "\\n\\u000a\\",
    "\ud800",
    "x" * 50_000,
    "\u00e9\U0001f600" * 20_000,
]
LONGEST = 16_000
"""Characters of a line. 200 of a client's are up to 2,400 where each is an escaped pair of surrogates, and it has several."""
DIMENSIONS = {"Gateway", "Version", "Upstream", "Model"}
OWN = {"main", "none", "gateway-function", "7", OTHER_MODEL, "mapped"}


def checked(output: str) -> list[dict[str, Any]]:
    """The lines of the log, each of which keeps to the rules."""
    assert output.isascii()
    assert output.endswith("\n")
    lines = []
    for text in output[:-1].split("\n"):
        assert not any(ord(character) < 0x20 or character == "\x7f" for character in text)
        assert len(text) < LONGEST
        pairs = json.loads(text, object_pairs_hook=_once)
        assert isinstance(pairs, dict)
        assert pairs["level"] in {"INFO", "WARNING", "ERROR"}
        for directive in pairs.get("_aws", {}).get("CloudWatchMetrics", ()):
            assert directive["Namespace"] == "AiGateway"
            for names in directive["Dimensions"]:
                assert set(names) <= DIMENSIONS
                assert {pairs[name] for name in names} <= OWN
        lines.append(pairs)
    return lines


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs), "a name stands twice in one object"
    return dict(pairs)


@pytest.fixture
def mapped(upstream: UpstreamServer) -> Iterator[Kit]:
    with gateway_over(openai_upstream("main", upstream.url), models={"mapped": ["main/m"]}) as kit:
        yield kit


@pytest.mark.parametrize("poison", POISON)
def test_what_clients_send(mapped: Kit, upstream: UpstreamServer, capsys: pytest.CaptureFixture[str], poison: str) -> None:
    for status in (200, 400, 401, 403, 429, 503):
        upstream.answer = answer_json(
            SAID | {"usage": {"prompt_tokens": 1, "completion_tokens": 1}} if status == 200 else {}, status
        )
        body = {"model": poison, "stream": poison if status == 400 else False, poison: poison, "messages": [{"role": poison}]}
        headers = {"User-Agent": poison, "X-Client-Request-Id": poison, "Origin": poison, "X-Amzn-Trace-Id": poison}
        asked = event(CHAT, body, headers=headers, query={poison[:50]: [poison[:50]]} if poison != "\ud800" else None)
        mapped.call(asked | {"path": "/v1/" + poison})
        mapped.call(asked | {"path": poison, "resource": "/" + poison})
        mapped.call(asked | {"httpMethod": poison})
        mapped.call(event("/v1/models/{id+}", path_id=poison))
        mapped.call(event("/v1/models", headers={"anthropic-version": "x"}, query={"limit": [poison], "after_id": [poison]}))
    for line in checked(capsys.readouterr().out):
        assert line.get("Model", OTHER_MODEL) == OTHER_MODEL


@pytest.mark.parametrize("poison", POISON)
def test_what_the_context_of_an_event_says(mapped: Kit, capsys: pytest.CaptureFixture[str], poison: str) -> None:
    """API Gateway makes these ids itself; another front may not."""
    context = {"requestId": poison, "identity": {"apiKeyId": "consumer-1"}}
    response = mapped.call(event(CHAT, {"model": "mapped"}) | {"requestContext": context})
    assert response.status == 200
    assert checked(capsys.readouterr().out)[-1]["request_id"] == log.bounded(poison)


@pytest.mark.parametrize("poison", [poison for poison in POISON if poison != "\ud800"])
def test_what_upstreams_say(mapped: Kit, upstream: UpstreamServer, capsys: pytest.CaptureFixture[str], poison: str) -> None:
    error = {"error": {"message": poison, "type": poison, "code": poison, "param": poison}}
    answers = [answer_json(error, status) for status in (200, 400, 401, 403, 404, 429, 500, 503)]
    answers += [answer_stream([b"data: " + json.dumps(error).encode() + b"\n\n"]), answer_bytes(poison.encode(), 500)]
    answers += [_bytes(poison.encode()), _bytes(b"HTTP/1.1 200 " + poison.encode() + b"\r\n\r\n{}")]
    answers += [_bytes(b"HTTP/1.1 200 OK\r\n" + poison.encode() + b": x\r\n\r\n{}")]
    answers += [
        _bytes(b"HTTP/1.1 200 OK\r\n%s: %s\r\n\r\n{}" % (name, poison.encode()))
        for name in (b"content-length", b"transfer-encoding")
    ]
    answers += [answer_json(SAID | {"model": poison, "id": poison}, headers=[("x-request-id", "r")])]
    for answer in answers:
        for streamed in (False, True):
            upstream.answers = [answer] * 3
            mapped.call(event(CHAT, {"model": "mapped", "stream": streamed}))
    lines = checked(capsys.readouterr().out)
    assert len(lines) >= 2 * len(answers)


def _bytes(data: bytes) -> Any:
    def answer(_received: Received, connection: Connection) -> None:
        connection.send(data)
        connection.cut()

    return answer


@pytest.mark.parametrize("poison", POISON)
def test_what_hooks_pass_on_of_a_request(mapped: Kit, capsys: pytest.CaptureFixture[str], poison: str) -> None:
    def hook(request: HookRequest) -> None:
        request.log["told"] = request.model
        if request.headers.get("x-refuse"):
            raise Refusal(request.model, code=request.model, param=request.model)
        raise ValueError(request.model)

    mapped.gateway._relay._hooks = Hooks("gateway_hooks", before=hook)
    assert mapped.call(event(CHAT, {"model": poison})).status == 500
    assert mapped.call(event(CHAT, {"model": poison}, headers={"X-Refuse": "1"})).status == 403
    failure, failed, refused = checked(capsys.readouterr().out)
    assert poison not in json.dumps(failure, ensure_ascii=False) or len(poison) < 3
    assert set(failed["hooks"]) == set(refused["hooks"]) == {"told"}
    assert refused["error"] == log.bounded(poison)


@pytest.mark.parametrize("name", ["_aws", "Gateway", "level", "a.b", "a\nb", "", "a" * 65, "1a", "\u00e9"])
def test_no_field_of_a_hook_stands_beside_ours(mapped: Kit, capsys: pytest.CaptureFixture[str], name: str) -> None:
    def hook(request: HookRequest) -> None:
        request.log[name] = "forged"

    mapped.gateway._relay._hooks = Hooks("gateway_hooks", before=hook)
    mapped.call(event(CHAT, {"model": "mapped"}))
    assert "forged" not in [value for line in checked(capsys.readouterr().out) for value in line.values()]


def test_neither_prompts_nor_answers_are_logged(upstream: UpstreamServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever becomes of the request, and though upstreams quote it in their errors."""
    prompt = "the patient is called Erika"
    quoted = {"error": {"message": f"cannot read {prompt!r}", "type": prompt, "code": prompt}}
    stream = [
        b'data: {"choices":[{"index":0,"delta":{"content":"' + prompt.encode() + b'"}}]}\n\n',
        b"data: " + json.dumps(quoted).encode() + b"\n\n",
    ]
    answers = [answer_json(quoted, status) for status in (200, 400, 403, 404, 422, 429, 500, 503)]
    answers += [
        answer_bytes(prompt.encode(), 500),
        answer_bytes(prompt.encode()),
        answer_stream(stream),
        answer_stream(stream, cut=True),
    ]
    answers += [
        answer_stream([prompt.encode()]),
        _bytes(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%s\r\n" % prompt.encode()),
        _late(quoted),
    ]
    body = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": prompt}], "tools": prompt}
    for kind in (openai_upstream, anthropic_upstream):
        with gateway_over(kind("main", upstream.url), timeouts=Timeouts(heartbeat=0.02)) as kit:
            for answer in answers:
                for streamed in (False, True):
                    upstream.answer = answer
                    for sent in (body, body | {"tools": []}):
                        kit.call(event(CHAT, sent | {"stream": streamed}))
    output = capsys.readouterr().out
    assert len(checked(output)) > 50
    assert "heartbeats" in output
    assert "Erika" not in output


def _late(error: object) -> Any:
    """An error that comes when the stream has begun with a heartbeat, and cannot be passed on as it is."""

    def answer(_received: Received, connection: Connection) -> None:
        connection.wait_until_peer_closes(0.06)
        connection.start(400, [JSON])
        connection.chunk(json.dumps(error).encode())
        connection.end()

    return answer


def test_a_stream_that_breaks_is_told_by_its_own_words_to_the_client_alone(
    upstream: UpstreamServer, capsys: pytest.CaptureFixture[str]
) -> None:
    def cut(_received: Received, connection: Connection) -> None:
        connection.start(200, [SSE])
        connection.chunk(b'data: {"choices":[{"index":0,"delta":{"content":"said"}}]}\n\n')
        connection.cut(reset=True)

    upstream.answer = cut
    with gateway_over(openai_upstream("main", upstream.url)) as kit:
        assert b"upstream_stream_interrupted" in kit.call(event(CHAT, {"model": "m", "stream": True})).body
    assert "said" not in capsys.readouterr().out


@pytest.mark.parametrize("poison", POISON)
def test_reports_of_crashes(capsys: pytest.CaptureFixture[str], poison: str) -> None:
    """Of our own defects; what a request holds is not quoted by any of them, but if it were, it could forge nothing."""
    report = ErrorReport.of(type("Evil", (Exception,), {})(poison[:200]))
    report.log("the handler raised", "request-1")
    checked(capsys.readouterr().out)
    odd = ErrorReport(poison, "x")
    assert b"\n" not in odd.header[:-2]
    assert b"\r" not in odd.header[:-2]


MADE_BY_API_GATEWAY = {
    "requestId",
    "requestTime",
    "identity.sourceIp",
    "httpMethod",
    "resourcePath",
    "status",
    "error.responseType",
    "identity.apiKeyId",
    "authorizer.status",
    "wafResponseCode",
    "integration.status",
    "integration.latency",
    "integration.timeToFirstContent",
    "responseLatency",
    "responseLength",
}


def test_the_access_log_has_nothing_that_clients_word() -> None:
    """API Gateway puts values into the line as they are: a user agent with a quotation mark would add fields of its own."""
    template = json.loads((ROOT / "tests" / "snapshot" / "templates" / "access-logs-and-tracing.json").read_text("utf-8"))
    (stage,) = (found for found in template["Resources"].values() if found["Type"] == "AWS::ApiGateway::Stage")
    line = json.loads(stage["Properties"]["AccessLogSetting"]["Format"])
    assert {value.removeprefix("$context.") for value in line.values()} <= MADE_BY_API_GATEWAY
