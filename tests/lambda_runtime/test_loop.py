"""The loop, in this process, against the in-test Runtime API."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from lambda_runtime.invocation import STOP_BEFORE_DEADLINE, ClientGoneError, Handler, Invocation, ResponseWriter
from lambda_runtime.loop import InitError, load_handler, serve_one
from lambda_runtime.runtime_client import RuntimeClient
from lambda_runtime.writers import BufferedWriter, StreamingWriter
from tests.lambda_runtime.runtime_api_server import RuntimeApiServer


@pytest.fixture
def client(api: RuntimeApiServer) -> Iterator[RuntimeClient]:
    client = RuntimeClient(api.address)
    yield client
    client.close()


Mode = type[StreamingWriter | BufferedWriter]
BOTH = pytest.mark.parametrize("mode", [StreamingWriter, BufferedWriter])


def answering(body: bytes) -> Handler:
    def handler(_event: Any, _invocation: Invocation, response: ResponseWriter) -> None:
        response.start(200, [("content-type", "text/plain")])
        response.write(body)
        response.end()

    return handler


def test_the_handler_learns_the_events_circumstances(api: RuntimeApiServer, client: RuntimeClient) -> None:
    seen: list[tuple[Any, Invocation, float]] = []

    def handler(event: Any, invocation: Invocation, response: ResponseWriter) -> None:
        seen.append((event, invocation, invocation.remaining()))
        answering(b"ok")(event, invocation, response)

    request_id = api.push({"path": "/ü"}, seconds=60)
    assert serve_one(client, handler, StreamingWriter)
    event, invocation, remaining = seen[0]
    assert event == {"path": "/ü"}
    assert invocation.request_id == request_id
    assert invocation.function_arn.endswith(":function:gateway:live")
    assert invocation.trace_id == "Root=1-2-3;Sampled=0"
    assert invocation.deadline == pytest.approx(time.time() + 60, abs=5)
    assert remaining == pytest.approx(60 - STOP_BEFORE_DEADLINE, abs=5)


def test_a_streamed_answer_is_prelude_nulls_and_chunks_each_its_own(api: RuntimeApiServer, client: RuntimeClient) -> None:
    def handler(_event: Any, _invocation: Invocation, response: ResponseWriter) -> None:
        assert not response.started
        response.start(201, [("content-type", "text/event-stream"), ("x-two", "a"), ("x-two", "b")])
        assert response.started
        response.write(b"one")
        response.write(b"")
        response.write(b"two")
        response.end()

    request_id = api.push()
    assert serve_one(client, handler, StreamingWriter)
    answer = api.answer()
    assert answer.path == f"/invocation/{request_id}/response"
    assert answer.headers["lambda-runtime-function-response-mode"] == "streaming"
    assert answer.headers["content-type"] == "application/vnd.awslambda.http-integration-response"
    assert answer.prelude == {
        "statusCode": 201,
        "headers": {"content-type": "text/event-stream"},
        "multiValueHeaders": {"x-two": ["a", "b"]},
        "cookies": [],
    }
    assert [data for _, data in answer.chunks[1:]] == [b"\0" * 8, b"one", b"two"]
    assert not answer.trailers


def test_a_piece_arrives_before_the_next_one_is_written(api: RuntimeApiServer, client: RuntimeClient) -> None:
    def handler(_event: Any, _invocation: Invocation, response: ResponseWriter) -> None:
        response.start(200, [])
        response.write(b"one")
        answer = api.begun_answer()
        answer.wait_for_body(b"one")
        response.write(b"two")
        answer.wait_for_body(b"onetwo")
        response.end()
        assert answer.complete.wait(20)

    api.push()
    assert serve_one(client, handler, StreamingWriter)


def test_work_after_the_end_comes_before_the_next_event(api: RuntimeApiServer, client: RuntimeClient) -> None:
    order: list[str] = []

    def handler(event: Any, invocation: Invocation, response: ResponseWriter) -> None:
        order.append(f"event {event['n']}")
        answering(b"ok")(event, invocation, response)
        assert api.answer().body == b"ok"
        order.append(f"work {event['n']}")

    api.push({"n": 1})
    api.push({"n": 2})
    assert serve_one(client, handler, StreamingWriter)
    assert serve_one(client, handler, StreamingWriter)
    assert order == ["event 1", "work 1", "event 2", "work 2"]
    assert api.connections == 1


@BOTH
def test_an_error_after_the_end_is_only_logged(
    api: RuntimeApiServer,
    client: RuntimeClient,
    mode: Mode,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def handler(event: Any, invocation: Invocation, response: ResponseWriter) -> None:
        answering(b"ok")(event, invocation, response)
        raise ValueError("metrics broke")

    api.push()
    assert serve_one(client, handler, mode)
    answer = api.answer()
    assert answer.path.endswith("/response")
    assert not answer.trailers
    crash, line = map(json.loads, capsys.readouterr().out.splitlines())
    assert (crash["Crashes"], crash["what"]) == (1, "the handler raised")
    assert line["errorMessage"] == "metrics broke"
    assert line["requestId"] == "request-1"


@BOTH
def test_an_error_before_the_first_byte_goes_to_error(api: RuntimeApiServer, client: RuntimeClient, mode: Mode) -> None:
    def handler(_event: Any, _invocation: Invocation, _response: ResponseWriter) -> None:
        raise ValueError("boo")

    request_id = api.push(invocation_id="first")
    assert serve_one(client, handler, mode)
    answer = api.answer()
    assert answer.path == f"/invocation/{request_id}/error"
    assert answer.headers["lambda-runtime-function-error-type"] == "Function.ValueError"
    assert answer.headers["lambda-runtime-invocation-id"] == "first"
    assert answer.json["errorMessage"] == "boo"
    assert answer.json["errorType"] == "Function.ValueError"
    assert "test_loop.py" in answer.json["stackTrace"][-1]


@BOTH
def test_a_handler_without_an_answer_is_an_error(api: RuntimeApiServer, client: RuntimeClient, mode: Mode) -> None:
    api.push()
    assert serve_one(client, lambda *_: None, mode)
    assert api.answer().json["errorType"] == "Function.NoAnswer"


def test_an_error_in_the_stream_goes_into_trailers(api: RuntimeApiServer, client: RuntimeClient) -> None:
    def handler(_event: Any, _invocation: Invocation, response: ResponseWriter) -> None:
        response.start(200, [])
        response.write(b"half")
        raise ValueError("boo\r\nevil: 1")

    api.push()
    assert serve_one(client, handler, StreamingWriter)
    answer = api.answer()
    assert answer.body == b"half"
    assert answer.trailers["lambda-runtime-function-error-type"] == "Function.ValueError"
    assert answer.error_body["errorMessage"] == "boo\r\nevil: 1"
    assert set(answer.trailers) == {"lambda-runtime-function-error-type", "lambda-runtime-function-error-body"}


def test_a_handler_can_report_a_broken_stream_itself(api: RuntimeApiServer, client: RuntimeClient) -> None:
    def handler(_event: Any, _invocation: Invocation, response: ResponseWriter) -> None:
        response.start(200, [])
        response.write(b"half")
        response.fail("UpstreamInterrupted", "the upstream broke")

    api.push()
    assert serve_one(client, handler, StreamingWriter)
    answer = api.answer()
    assert answer.trailers["lambda-runtime-function-error-type"] == "Function.UpstreamInterrupted"
    assert answer.error_body == {
        "errorMessage": "the upstream broke",
        "errorType": "Function.UpstreamInterrupted",
        "stackTrace": [],
    }


def test_a_broken_buffered_answer_is_an_error(api: RuntimeApiServer, client: RuntimeClient) -> None:
    def handler(_event: Any, _invocation: Invocation, response: ResponseWriter) -> None:
        response.start(200, [])
        response.write(b"half")
        response.fail("UpstreamInterrupted", "the upstream broke")

    api.push()
    assert serve_one(client, handler, BufferedWriter)
    assert api.answer().path.endswith("/error")


@pytest.mark.parametrize(
    ("body", "expected", "encoded"),
    [("grüß".encode(), "grüß", False), (b"\xff\x00", "/wA=", True), (b"", "", False)],
)
def test_a_buffered_answer_is_a_proxy_response(
    api: RuntimeApiServer,
    client: RuntimeClient,
    body: bytes,
    expected: str,
    encoded: bool,
) -> None:
    api.push(invocation_id="first")
    assert serve_one(client, answering(body), BufferedWriter)
    answer = api.answer()
    assert answer.json == {
        "statusCode": 200,
        "headers": {"content-type": "text/plain"},
        "multiValueHeaders": {},
        "body": expected,
        "isBase64Encoded": encoded,
    }
    assert answer.headers["lambda-runtime-invocation-id"] == "first"
    assert "lambda-runtime-function-response-mode" not in answer.headers


def test_a_buffered_answer_that_is_too_large_becomes_an_error(api: RuntimeApiServer, client: RuntimeClient) -> None:
    api.push(status=413)
    assert serve_one(client, answering(b"ok"), BufferedWriter)
    assert api.answer().path.endswith("/response")
    assert api.answer().json["errorType"] == "Function.ResponseSizeTooLarge"


@BOTH
def test_an_answer_that_came_too_late_does_not_end_the_loop(api: RuntimeApiServer, client: RuntimeClient, mode: Mode) -> None:
    api.push(status=410, invocation_id="stale")
    api.push(invocation_id="fresh")
    assert serve_one(client, answering(b"late"), mode)
    assert serve_one(client, answering(b"ok"), mode)
    assert [api.answer().headers["lambda-runtime-invocation-id"] for _ in range(2)] == ["stale", "fresh"]


@BOTH
def test_a_client_that_is_gone_does_not_end_the_loop(
    api: RuntimeApiServer, client: RuntimeClient, mode: Mode, capsys: pytest.CaptureFixture[str]
) -> None:
    def handler(_event: Any, _invocation: Invocation, response: ResponseWriter) -> None:
        response.start(200, [])
        response.write(b"half")
        raise ClientGoneError("gone")

    api.push()
    api.push()
    assert serve_one(client, handler, mode)
    assert serve_one(client, answering(b"ok"), mode)
    assert "Crashes" not in capsys.readouterr().out


@pytest.mark.parametrize("error", [MemoryError(), SystemExit(3), KeyboardInterrupt()])
@BOTH
def test_what_no_handler_survives_is_reported_and_ends_the_process(
    api: RuntimeApiServer,
    client: RuntimeClient,
    mode: Mode,
    error: BaseException,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def handler(_event: Any, _invocation: Invocation, _response: ResponseWriter) -> None:
        raise error

    api.push()
    assert not serve_one(client, handler, mode)
    assert api.answer().json["errorType"] == f"Function.{type(error).__name__}"
    assert [line.get("Crashes") for line in map(json.loads, capsys.readouterr().out.splitlines())] == [1, None]


def test_an_event_that_is_not_json_is_an_error(api: RuntimeApiServer, client: RuntimeClient) -> None:
    api.push(b"{")
    assert serve_one(client, answering(b"ok"), StreamingWriter)
    assert api.answer().json["errorType"] == "Function.JSONDecodeError"


def test_large_events_and_answers_pass_whole(api: RuntimeApiServer, client: RuntimeClient) -> None:
    text = "x" * 6_000_000

    def handler(event: Any, invocation: Invocation, response: ResponseWriter) -> None:
        answering(event["text"].encode())(event, invocation, response)

    api.push({"text": text})
    assert serve_one(client, handler, StreamingWriter)
    assert api.answer().body == text.encode()


def test_a_handler_is_found_by_module_and_attribute() -> None:
    assert load_handler("json.loads") is json.loads
    assert load_handler("lambda_runtime/loop.serve_one") is serve_one


@pytest.mark.parametrize(
    ("name", "error_type", "message"),
    [
        ("", "Runtime.MalformedHandlerName", "got ''"),
        ("handler", "Runtime.MalformedHandlerName", "got 'handler'"),
        ("no_such_module.handler", "Runtime.ImportModuleError", "'no_such_module'"),
        ("json.no_such_function", "Runtime.HandlerNotFound", "'no_such_function'"),
        ("string.digits", "Runtime.HandlerNotFound", "'digits'"),
    ],
)
def test_a_handler_that_is_not_there_is_named(name: str, error_type: str, message: str) -> None:
    with pytest.raises(InitError, match=message) as caught:
        load_handler(name)
    assert caught.value.error_type == error_type


def test_a_runtime_api_without_events_ends_the_process_and_says_why(
    client: RuntimeClient, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "get", lambda _path: (500, {}, b""))
    assert not serve_one(client, answering(b"ok"), StreamingWriter)
    assert "answered with status 500" in capsys.readouterr().out
    monkeypatch.setattr(client, "get", lambda _path: (204, {}, b""))
    assert serve_one(client, answering(b"ok"), StreamingWriter)
    assert capsys.readouterr().out == ""
