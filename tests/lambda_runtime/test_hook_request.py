"""What a hook sees of a request, and what it may change."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambda_runtime.hooks import HookRequest, HookResponse, Hooks, HookUsageError, Operation
from lambda_runtime.hooks.fields import LogFields, UpstreamHeaders
from lambda_runtime.log import MAX_TEXT
from tests.lambda_runtime.gateway_kit import CLIENT_KEY, event

CHAT = Operation.CHAT_COMPLETIONS


def test_the_request_of_an_event() -> None:
    sent = event(
        CHAT,
        {"model": "gpt-4", "user": "u"},
        headers={"X-Team": "Search", "Accept": ["a", "b"], "Cookie": "c", "Api-Key": "k", "Proxy-Authorization": "p"},
    )
    request = HookRequest(sent, CHAT, "gpt-4", sent["body"])
    assert (request.consumer, request.operation, request.model, request.request_id) == (
        "consumer-1",
        CHAT,
        "gpt-4",
        "request-1",
    )
    assert request.headers == {"x-team": "Search", "accept": "a, b"}
    assert request.body == {"model": "gpt-4", "user": "u"}
    assert CLIENT_KEY not in repr([*request.headers.items(), *request.body.items()])


def test_headers_of_an_event_that_has_each_once() -> None:
    request = HookRequest({"headers": {"X-Team": "Search", "X-None": None, "Authorization": "Bearer k"}}, CHAT, "m", "{}")
    assert request.headers == {"x-team": "Search", "x-none": ""}
    assert (request.consumer, request.request_id) == (None, "")


def test_the_request_of_a_test_is_like_one_of_an_event() -> None:
    request = HookRequest.of(
        "m", operation=Operation.MESSAGES, consumer="c", headers={"X-Team": "t"}, body={"max_tokens": 1}, request_id="r"
    )
    assert (request.consumer, request.operation, request.model, request.request_id) == ("c", Operation.MESSAGES, "m", "r")
    assert request.headers == {"x-team": "t"}
    assert request.body == {"model": "m", "max_tokens": 1}


def test_the_body_is_read_at_first_use_and_once() -> None:
    request = HookRequest({}, CHAT, "m", "not JSON")
    Hooks("gateway_hooks", before=lambda _: None).before(request)
    with pytest.raises(json.JSONDecodeError):
        request.body  # noqa: B018
    request = HookRequest.of("m")
    assert request.body is request.body


@pytest.mark.parametrize("name", ["consumer", "operation", "request_id", "headers", "body", "log", "upstream_headers", "modle"])
def test_what_a_hook_cannot_replace(name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(HookRequest.of("m"), name, "x")


@pytest.mark.parametrize("name", ["headers", "body"])
def test_what_a_hook_cannot_change(name: str) -> None:
    with pytest.raises(TypeError):
        getattr(HookRequest.of("m"), name)["model"] = "x"


def test_what_a_hook_may_change() -> None:
    def hook(request: HookRequest) -> None:
        request.model = "gpt-4.1"
        request.upstream_headers["X-Cost-Centre"] = "4711"
        request.upstream_headers.update({"x-more": "Zürich"})
        del request.upstream_headers["x-more"]
        request.log["cost_centre"] = "4711"

    request = HookRequest.of("gpt-4")
    Hooks("gateway_hooks", before=hook).before(request)
    assert request.model == "gpt-4.1"
    assert dict(request.upstream_headers) == {"x-cost-centre": "4711"}
    assert dict(request.log) == {"cost_centre": "4711"}


def test_after_before_request_nothing_changes_any_more() -> None:
    def late(request: HookRequest, _: HookResponse) -> None:
        assert (dict(request.log), dict(request.upstream_headers)) == ({"a": 1}, {})
        with pytest.raises(HookUsageError, match="in before_request only"):
            request.model = "x"
        for mapping in (request.log, request.upstream_headers):
            with pytest.raises(TypeError):
                mapping["b"] = "2"

    hooks = Hooks("gateway_hooks", before=lambda request: request.log.update(a=1), after=late)
    request = HookRequest.of("m")
    hooks.before(request)
    hooks.after(request, HookResponse(status=200))


def test_nor_where_there_is_no_before_request() -> None:
    request = HookRequest.of("m")
    Hooks("gateway_hooks", after=lambda *_: None).before(request)
    with pytest.raises(TypeError):
        request.log["b"] = "2"


@pytest.mark.parametrize("name", ["", None, 4])
def test_a_model_is_a_name(name: Any) -> None:
    request = HookRequest.of("m")
    with pytest.raises(HookUsageError, match=r"request\.model must be a text"):
        request.model = name


@pytest.mark.parametrize(
    "name",
    ["Host", "content-length", "Transfer-Encoding", "connection", "Authorization", "x-api-key", "api-key", "content-type",
     "accept-encoding", "expect", "upgrade"],
)  # fmt: skip
def test_headers_that_are_the_gateways_own(name: str) -> None:
    with pytest.raises(HookUsageError, match=f"the header {name.lower()} is the gateway's own"):
        UpstreamHeaders()[name] = "x"


@pytest.mark.parametrize("value", ["a\r\nx-evil: 1", "a\nb", "\0", "€", 4, None, b"x"])
def test_headers_that_http_cannot_carry(value: Any) -> None:
    headers = UpstreamHeaders()
    with pytest.raises(HookUsageError, match="must be a text of Latin-1 without line breaks"):
        headers["x-a"] = value
    with pytest.raises(HookUsageError, match="a header's name must be"):
        headers[value] = "x"
    assert not headers


@given(st.text(max_size=8), st.text(max_size=12))
def test_whatever_is_set_is_one_header_line(name: str, value: str) -> None:
    headers = UpstreamHeaders()
    try:
        headers[name] = value
    except HookUsageError:
        return
    [(name, value)] = headers.items()
    text = f"{name}: {value}\r\n".encode("latin-1").decode("latin-1")
    assert name
    assert not set(name) & set(' \t:\r\n"(),/;<=>?@[\\]{}')
    assert text.splitlines() == [text[:-2]] or "\x85" in value  # which is no line break to HTTP
    assert not set(text[:-2]) & {"\r", "\n", "\0"}


@pytest.mark.parametrize(
    "value", [None, [], {}, b"x", object(), math.nan, math.inf, 2**64, 10**5000, 1j], ids=lambda value: type(value).__name__
)
def test_log_fields_are_scalars(value: Any) -> None:
    with pytest.raises(HookUsageError, match="the log field a must be a text, a truth value or a number below"):
        LogFields()["a"] = value


@pytest.mark.parametrize("name", ["", "a b", "1a", "a" * 65, "_aws\n", 3])
def test_log_fields_have_plain_names(name: Any) -> None:
    with pytest.raises(HookUsageError, match="the name of a log field"):
        LogFields()[name] = 1


def test_log_fields_are_few_and_short() -> None:
    fields = LogFields()
    for number in range(20):
        fields[f"f{number}"] = "x" * 1000
    fields["f0"] = True
    with pytest.raises(HookUsageError, match="20 log fields"):
        fields["more"] = 1
    assert fields["f0"] is True
    assert {len(value) for value in fields.values() if isinstance(value, str)} == {MAX_TEXT}


@given(st.text(max_size=70), st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none()))
def test_whatever_is_logged_is_json(name: str, value: Any) -> None:
    fields = LogFields()
    try:
        fields[name] = value
    except HookUsageError:
        return
    assert len(json.loads(json.dumps(dict(fields), allow_nan=False))) == 1
