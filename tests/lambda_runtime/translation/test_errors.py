"""An upstream's errors in the client's format, and how the SDKs read them."""

from __future__ import annotations

import json
from typing import Any

import anthropic
import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_runtime.config import WireFormat
from lambda_runtime.translation.errors import MESSAGE_LENGTH, translate_error

OPENAI, ANTHROPIC = WireFormat.OPENAI, WireFormat.ANTHROPIC


def translated(status: int, body: Any, to: WireFormat) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return json.loads(translate_error(status, data, to=to, request_id="r1"))


def of_anthropic(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "theirs"}


def of_openai(message: str, code: str | None = None, param: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (400, "invalid_request_error", "invalid_request_error"),
        (404, "not_found_error", "not_found_error"),
        (413, "request_too_large", "invalid_request_error"),
        (429, "rate_limit_error", "rate_limit_error"),
        (500, "api_error", "server_error"),
        (529, "overloaded_error", "server_error"),
    ],
)
def test_anthropics_errors_for_openais_clients(status: int, kind: str, expected: str) -> None:
    error = {"message": "words", "type": expected, "param": None, "code": kind}
    assert translated(status, of_anthropic(kind, "words"), OPENAI) == {"error": error}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "billing_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (422, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (502, "api_error"),
        (503, "overloaded_error"),
        (504, "timeout_error"),
    ],
)
def test_openais_errors_for_anthropics_clients(status: int, expected: str) -> None:
    assert translated(status, of_openai("words"), ANTHROPIC) == {
        "type": "error",
        "error": {"type": expected, "message": "words"},
        "request_id": "r1",
    }


def test_code_and_field_of_an_openai_error_stay() -> None:
    error = translated(400, of_openai("words", "unsupported_value", "temperature"), OPENAI)["error"]
    assert (error["code"], error["param"]) == ("unsupported_value", "temperature")


def test_each_sdk_family_knows_a_request_that_is_too_long_by_its_own_words() -> None:
    told = of_anthropic("invalid_request_error", "prompt is too long: 250000 tokens > 200000 maximum")
    assert translated(400, told, OPENAI)["error"]["code"] == "context_length_exceeded"
    message = translated(400, of_openai("maximum is 1000", "context_length_exceeded"), ANTHROPIC)["error"]["message"]
    assert message == "prompt is too long: maximum is 1000"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"error": "words"}, "words"),
        ({"message": "words"}, "words"),
        ({"detail": "words"}, "words"),
        ({"object": "error", "message": "words", "type": "BadRequestError", "code": 400}, "words"),
        ([{"error": {"code": 400, "message": "words", "status": "INVALID_ARGUMENT"}}], "words"),
        (b"upstream connect error", "upstream connect error"),
        (b"<html><h1>502</h1></html>", "the upstream answered with status 418"),
        (b"", "the upstream answered with status 418"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"x" * 5000, "the upstream answered with status 418"),
        ({"error": {"message": 5}}, "the upstream answered with status 418"),
        ([], "the upstream answered with status 418"),
        (b"[" * 100_000, "the upstream answered with status 418"),
        ({"error": {"message": "x" * 9000}}, "x" * MESSAGE_LENGTH),
    ],
)
@pytest.mark.parametrize("to", [OPENAI, ANTHROPIC])
def test_errors_of_other_shapes(body: Any, message: str, to: WireFormat) -> None:
    assert translated(418, body, to)["error"]["message"] == message


@given(
    status=st.integers(400, 599),
    body=st.binary(max_size=40)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from(["error", "message", "type", "code", "param"]), inner, max_size=3)
        ),
    ).map(lambda value: json.dumps(value).encode()),
    to=st.sampled_from(WireFormat),
)
def test_any_body_becomes_an_error_with_a_message(status: int, body: bytes, to: WireFormat) -> None:
    error = translated(status, body, to)["error"]
    assert isinstance(error["message"], str)
    assert error["message"]
    assert error["type"]


@pytest.mark.parametrize(
    ("status", "ours", "theirs"),
    [
        (400, openai.BadRequestError, anthropic.BadRequestError),
        (404, openai.NotFoundError, anthropic.NotFoundError),
        (429, openai.RateLimitError, anthropic.RateLimitError),
        (529, openai.InternalServerError, anthropic.InternalServerError),
    ],
)
def test_the_sdks_raise_what_the_status_says(status: int, ours: type[Exception], theirs: type[Exception]) -> None:
    def transport(to: WireFormat) -> httpx2.MockTransport:
        body = translate_error(status, b'{"error":{"message":"words"}}', to=to, request_id="r")
        return httpx2.MockTransport(lambda _request: httpx2.Response(status, content=body))

    chat = openai.DefaultHttpxClient(transport=transport(OPENAI))
    with openai.OpenAI(api_key="k", max_retries=0, http_client=chat) as client, pytest.raises(ours, match="words"):
        client.chat.completions.create(model="m", messages=[])
    messages = anthropic.DefaultHttpxClient(transport=transport(ANTHROPIC))
    with anthropic.Anthropic(api_key="k", max_retries=0, http_client=messages) as other, pytest.raises(theirs, match="words"):
        other.messages.create(model="m", max_tokens=1, messages=[])
