"""The writers where a handler does not keep to the usual order, or the Runtime API does not play along."""

from collections.abc import Iterator
from typing import Any

import pytest

from lambda_runtime.invocation import ClientGoneError, Invocation, ResponseWriter
from lambda_runtime.loop import serve_one
from lambda_runtime.runtime_client import RuntimeClient
from lambda_runtime.writers import StreamingWriter
from tests.lambda_runtime.runtime_api_server import RuntimeApiServer
from tests.lambda_runtime.test_loop import BOTH, Mode, answering


@pytest.fixture
def client(api: RuntimeApiServer) -> Iterator[RuntimeClient]:
    client = RuntimeClient(api.address)
    yield client
    client.close()


def test_a_runtime_api_that_breaks_is_a_client_that_is_gone(api: RuntimeApiServer, client: RuntimeClient) -> None:
    raised: list[BaseException] = []

    def handler(_event: Any, _invocation: Invocation, response: ResponseWriter) -> None:
        response.start(200, [])
        client._socket.shutdown(2)  # type: ignore[union-attr]
        try:
            response.write(b"lost")
        except ClientGoneError as error:
            raised.append(error)
        with pytest.raises(ClientGoneError):
            response.write(b"lost again")
        response.end()

    api.push()
    api.push()
    assert serve_one(client, handler, StreamingWriter)
    assert raised
    assert serve_one(client, answering(b"ok"), StreamingWriter)


def test_misuse_of_the_writer_is_refused(api: RuntimeApiServer, client: RuntimeClient) -> None:
    def handler(_event: Any, _invocation: Invocation, response: ResponseWriter) -> None:
        with pytest.raises(RuntimeError, match="started"):
            response.write(b"early")
        response.start(200, [])
        with pytest.raises(RuntimeError, match="twice"):
            response.start(200, [])
        response.end()
        response.end()
        with pytest.raises(RuntimeError, match="ended"):
            response.write(b"late")

    api.push()
    assert serve_one(client, handler, StreamingWriter)
    assert api.answer().body == b""


@BOTH
def test_a_break_before_the_start_is_an_error(api: RuntimeApiServer, client: RuntimeClient, mode: Mode) -> None:
    def handler(_event: Any, _invocation: Invocation, response: ResponseWriter) -> None:
        response.fail("UpstreamGone", "it is gone")
        response.end()

    api.push()
    assert serve_one(client, handler, mode)
    answer = api.answer()
    assert answer.path.endswith("/error")
    assert (answer.json["errorType"], answer.json["errorMessage"]) == ("Function.UpstreamGone", "it is gone")


def test_status_and_headers_of_an_empty_answer_are_sent_at_its_end(api: RuntimeApiServer, client: RuntimeClient) -> None:
    def handler(_event: Any, _invocation: Invocation, response: ResponseWriter) -> None:
        response.start(204, [("x-a", "1")])
        response.end()

    api.push()
    assert serve_one(client, handler, StreamingWriter)
    answer = api.answer()
    assert (answer.prelude["statusCode"], answer.prelude["headers"], answer.body) == (204, {"x-a": "1"}, b"")
