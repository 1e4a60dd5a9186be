"""Allow-lists in both directions, and CORS."""

from __future__ import annotations

from typing import Any

import pytest

from lambda_runtime import headers
from lambda_runtime.config import Operation
from tests.lambda_runtime.gateway_kit import CLIENT_KEY, Kit, both_formats, event, gateway_over
from tests.lambda_runtime.upstream_server import JSON, UpstreamServer, answer_bytes, serve

CHAT = Operation.CHAT_COMPLETIONS


def test_an_upstream_gets_exactly_what_is_allowed(kit: Kit, upstream: UpstreamServer) -> None:
    sent = {
        "Content-Type": "application/json",
        "ACCEPT": "text/event-stream",
        "User-Agent": "claude-cli/9.9",
        "anthropic-version": "2026-10-21",
        "Anthropic-Beta": ["one-2026,two-2026", "three-2026"],
        "OpenAI-Beta": "responses=v1",
        "Idempotency-Key": "i-1",
        "X-Client-Request-Id": "c-1",
        "Accept-Encoding": "gzip, br",
        "Connection": "keep-alive, x-hop",
        "Cookie": "a=b",
        "Forwarded": "for=1.2.3.4",
        "Host": "gateway.example",
        "OpenAI-Organization": "org-client",
        "OpenAI-Project": "proj-client",
        "Proxy-Authorization": "Basic x",
        "TE": "trailers",
        "Transfer-Encoding": "chunked",
        "Via": "1.1 x",
        "X-Amzn-Trace-Id": "Root=1",
        "X-Forwarded-For": "1.2.3.4",
        "X-Stainless-OS": "Linux",
    }
    kit.call(event(Operation.MESSAGES, {"model": "m"}, headers=sent))
    received = [(name, value) for name, value in upstream.last.headers if name not in {"host", "content-length", "x-api-key"}]
    assert sorted(received) == [
        ("accept", "text/event-stream"),
        ("accept-encoding", "identity"),
        ("anthropic-beta", "one-2026,two-2026"),
        ("anthropic-beta", "three-2026"),
        ("anthropic-version", "2026-10-21"),
        ("content-type", "application/json"),
        ("idempotency-key", "i-1"),
        ("openai-beta", "responses=v1"),
        ("user-agent", "claude-cli/9.9"),
        ("x-client-request-id", "c-1"),
    ]
    assert upstream.last.header("host") == f"127.0.0.1:{upstream.port}"
    assert CLIENT_KEY.encode() not in upstream.last.head


@pytest.mark.parametrize("value", ["a\r\nx-injected: 1", "a\nb", "\x00", "☃", "\x7f"])
def test_a_value_that_no_header_can_carry_is_dropped(kit: Kit, upstream: UpstreamServer, value: str) -> None:
    response = kit.call(event(CHAT, {"model": "m"}, headers={"User-Agent": value, "Accept": "application/json"}))
    assert response.status == 200
    assert upstream.last.header("user-agent") is None
    assert upstream.last.header("accept") == "application/json"
    assert upstream.last.header("x-injected") is None


def test_a_latin_1_value_passes(kit: Kit, upstream: UpstreamServer) -> None:
    kit.call(event(CHAT, {"model": "m"}, headers={"User-Agent": "Café/1.0"}))
    assert upstream.last.header("user-agent") == "Café/1.0"


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"content-type": ["text/plain", "application/json; charset=x"]},
    ],
)
def test_what_was_read_as_json_is_sent_as_json(kit: Kit, upstream: UpstreamServer, given: Any) -> None:
    """`curl -d` without a header says that it sends a form."""
    kit.call(event(CHAT, {"model": "m"}, headers=given))
    assert [value for name, value in upstream.last.headers if name == "content-type"] == ["application/json"]


@pytest.mark.parametrize("name", ["anthropic-a b", "anthropic-a\r\nx-injected", "anthropic-a:b", "anthropic-é"])
def test_a_name_that_no_header_can_have_is_dropped(kit: Kit, upstream: UpstreamServer, name: str) -> None:
    assert kit.call(event(CHAT, {"model": "m"}, headers={name: "1"})).status == 200
    assert b"anthropic-a" not in upstream.last.head
    assert b"x-injected" not in upstream.last.head


@pytest.mark.parametrize(
    "change",
    [
        {"headers": None, "multiValueHeaders": None},
        {"headers": {"Accept": None, "Origin": None}, "multiValueHeaders": None},
        {"multiValueHeaders": {"Accept": None, "User-Agent": [None], "Origin": [None]}},
    ],
)
def test_headers_without_values_are_none(upstream: UpstreamServer, change: dict[str, Any]) -> None:
    with gateway_over(both_formats("main", upstream.url), cors_allow_origins=("https://a.example",)) as kit:
        assert kit.call(event(CHAT, {"model": "m"}) | change).status == 200
    assert not {"accept", "user-agent"} & {name for name, _ in upstream.last.headers}


def test_an_event_without_multi_value_headers_works(kit: Kit, upstream: UpstreamServer) -> None:
    kit.call(event(CHAT, {"model": "m"}, headers={"User-Agent": "u"}) | {"multiValueHeaders": None})
    assert upstream.last.header("user-agent") == "u"


def test_the_client_gets_exactly_what_is_allowed(upstream: UpstreamServer) -> None:
    allowed = [
        ("Content-Type", "application/json"),
        ("X-Request-Id", "r-1"),
        ("request-id", "r-2"),
        ("openai-processing-ms", "12"),
        ("anthropic-ratelimit-tokens-remaining", "5"),
        ("Anthropic-Ratelimit-Requests-Reset", "2026-11-22T00:00:00Z"),
        ("anthropic-organization-id", "o-1"),
        ("openai-version", "2020-10-01"),
        ("X-RateLimit-Reset-Tokens", "6m0s"),
        ("x-ratelimit-remaining-requests", "6"),
        ("Retry-After", "3"),
        ("retry-after-ms", "3000"),
        ("x-should-retry", "true"),
        ("cache-control", "no-cache"),
    ]
    refused = [
        ("set-cookie", "__cf_bm=1"),
        ("Connection", "keep-alive"),
        ("keep-alive", "timeout=5"),
        ("www-authenticate", "Bearer"),
        ("authorization", "Bearer sk"),
        ("server", "cloudflare"),
        ("cf-ray", "1"),
        ("alt-svc", "h3"),
        ("access-control-allow-origin", "https://provider.example"),
        ("strict-transport-security", "max-age=1"),
        ("x-api-key", "sk"),
        ("location", "/elsewhere"),
    ]
    upstream.answer = answer_bytes(b"{}", headers=[*refused[:6], *allowed, *refused[6:]])
    with gateway_over(both_formats("main", upstream.url), cors_allow_origins=()) as kit:
        response = kit.call(event(CHAT, {"model": "m"}))
    assert response.headers == [(name.lower(), value) for name, value in allowed]


def test_too_many_headers_leave_the_important_ones(kit: Kit, upstream: UpstreamServer) -> None:
    many = [(f"x-ratelimit-{n}", "v" * 200) for n in range(100)]
    upstream.answer = answer_bytes(b"{}", headers=[*many, JSON, ("x-request-id", "r-1"), ("retry-after", "1")])
    response = kit.call(event(CHAT, {"model": "m"}))
    assert (response.header("content-type"), response.header("x-request-id")) == ("application/json", "r-1")
    assert response.header("retry-after") == "1"
    assert sum(len(name) + len(value) for name, value in response.headers) < 10_240 - 1024


def test_a_client_does_not_keep_an_upstreams_cookies() -> None:
    """One consumer's answer must not change what is sent for the next one: cookies are neither relayed nor replayed."""
    with serve() as upstream, gateway_over(both_formats("main", upstream.url)) as kit:
        upstream.answer = answer_bytes(b"{}", headers=[JSON, ("set-cookie", "a=b; path=/")])
        for _ in range(2):
            kit.call(event(CHAT, {"model": "m"}))
        assert upstream.last.header("cookie") is None


@pytest.mark.parametrize(
    ("allowed", "origin", "expected"),
    [
        (("*",), "https://a.example", ("*", None)),
        (("*",), None, ("*", None)),
        (("https://a.example", "https://b.example"), "https://b.example", ("https://b.example", "origin")),
        (("https://a.example",), "https://evil.example", (None, "origin")),
        (("https://a.example",), None, (None, "origin")),
        ((), "https://a.example", (None, None)),
    ],
)
def test_cors_is_on_every_answer(
    upstream: UpstreamServer, allowed: tuple[str, ...], origin: str | None, expected: tuple[str | None, str | None]
) -> None:
    given = {"Origin": origin} if origin else {}
    with gateway_over(both_formats("main", upstream.url), cors_allow_origins=allowed) as kit:
        for asked in (
            event(CHAT, {"model": "m"}, headers=given),
            event(CHAT, {}, headers=given),
            event("/nowhere", headers=given),
            event("/v1/models", headers=given),
        ):
            response = kit.call(asked)
            assert (response.header("access-control-allow-origin"), response.header("vary")) == expected
            exposed = response.header("access-control-expose-headers")
            assert (exposed is not None) == (expected[0] is not None)
            assert exposed in {None, headers.EXPOSED}


@pytest.mark.parametrize("operation", [CHAT, Operation.MESSAGES])
def test_headers_about_retries_and_limits_pass_with_errors_too(
    kit: Kit, upstream: UpstreamServer, operation: Operation
) -> None:
    told = [
        ("x-should-retry", "false"),
        ("retry-after", "7"),
        ("retry-after-ms", "7000"),
        ("anthropic-ratelimit-requests-remaining", "0"),
        ("x-ratelimit-remaining-tokens", "0"),
        ("request-id", "req_1"),
        ("x-request-id", "req_2"),
    ]
    upstream.answer = answer_bytes(b"{}", 429, [JSON, *told])
    response = kit.call(event(operation, {"model": "m"}))
    assert response.status == 429
    assert sorted(header for header in response.headers if header in told) == sorted(told)
