"""Wherever a client puts an address, the gateway asks its upstreams and nobody else, at their paths, with their keys."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import NoReturn

import pytest

from lambda_runtime.config import Operation, Timeouts
from tests.lambda_runtime.gateway_kit import (
    UPSTREAM_KEY,
    Kit,
    anthropic_upstream,
    both_formats,
    event,
    gateway_over,
    openai_upstream,
)
from tests.lambda_runtime.upstream_server import JSON, UpstreamServer, answer_bytes, answer_json, serve

CHAT, MESSAGES = Operation.CHAT_COMPLETIONS, Operation.MESSAGES
NAMES = [
    "http://169.254.169.254/latest/meta-data/",
    "https://evil.example/v1",
    "//evil.example/v1",
    "@evil.example",
    "x@evil.example:80/",
    "../../admin",
    "..\\..\\admin",
    "openai/../../admin",
    "main/../other",
    "..%2f..%2fadmin",
    "%2e%2e%2fadmin",
    "a?b=c#d",
    "a#@evil.example",
    "a b",
    "a\r\nHost: evil.example\r\n\r\nGET /admin HTTP/1.1",
    "a\x00b",
    "\u2044\u2044evil.example",
    "\uff0e\uff0e\uff0fadmin",
    "g\u0440t-4",  # a Cyrillic letter
    "gpt\u200b-4",
    "GPT-4",
    "*",
    "main/*",
    "file:///etc/passwd",
    "{id+}",
    "$context.requestId",
    "m" * 100_000,
]


@pytest.fixture
def other() -> Iterator[UpstreamServer]:
    """Somebody who must not be asked."""
    with serve() as server:
        yield server


@pytest.mark.parametrize("name", NAMES)
def test_a_models_name_is_a_value_in_the_body_and_nothing_else(
    upstream: UpstreamServer, other: UpstreamServer, name: str
) -> None:
    """An unmapped name goes to the first that may have it: chosen by the gateway, at the operation's own path."""
    cases = [(CHAT, openai_upstream, "/v1/chat/completions"), (CHAT, anthropic_upstream, "/v1/messages")]
    cases += [(MESSAGES, anthropic_upstream, "/v1/messages"), (MESSAGES, openai_upstream, "/v1/chat/completions")]
    body = {"model": name, "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]}
    for operation, kind, path in cases:
        with gateway_over(kind("main", upstream.url), kind("other", other.url)) as kit:
            assert kit.call(event(operation, body)).status == 200
        assert upstream.last.head.startswith(f"POST {path} HTTP/1.1\r\n".encode())
        assert upstream.last.header("host") == upstream.url.removeprefix("http://")
        assert json.loads(upstream.last.body)["model"] == name
    assert other.received == []


@pytest.mark.parametrize("name", ["gpt-5", "main/gpt-4", "GPT-4", "gpt-4 ", "gpt-4\x00", *NAMES])
def test_a_gateway_of_mapped_models_serves_no_other(upstream: UpstreamServer, name: str) -> None:
    with gateway_over(both_formats("main", upstream.url), models={"gpt-4": ["main/x"]}, serve_unmapped_models=False) as kit:
        assert kit.call(event(CHAT, {"model": name})).status == 404
        assert kit.call(event(CHAT, {"model": "gpt-4"})).status == 200
    assert len(upstream.received) == 1


@pytest.mark.parametrize("name", NAMES)
def test_asking_for_one_model_asks_the_upstream_for_its_list(kit: Kit, upstream: UpstreamServer, name: str) -> None:
    upstream.answer = answer_json({"data": []})
    assert kit.call(event("/v1/models/{id+}", path_id=name)).status == 404
    assert [received.target for received in upstream.received] == ["/v1/models"]


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example/v1/chat/completions",
        "http://evil.example/",
        "/v1/../admin",
        "/v1/chat/completions/../../admin",
        "/%2e%2e/admin",
    ],
)
def test_the_path_of_an_event_is_nobodys_path(kit: Kit, upstream: UpstreamServer, path: str) -> None:
    """What counts is the resource that API Gateway has matched; `proxy` and other parameters of a path are not looked at."""
    asked = event(CHAT, {"model": "m"}) | {
        "path": path,
        "pathParameters": {"proxy": path, "id": path},
        "stageVariables": {"url": path},
    }
    assert kit.call(asked).status == 200
    assert upstream.last.target == "/v1/chat/completions"
    unknown = kit.call(asked | {"resource": "/{proxy+}"})
    assert (unknown.status, len(upstream.received)) == (404, 1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("a", " HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
        ("a b\r\nc", "d"),
        ("#", "#"),
        ("@evil.example/", "?"),
        ("/../../admin", "/../.."),
        ("%0d%0a", "%00"),
        ("\ud800", "\udfff"),
        ("url", "http://169.254.169.254/"),
        ("&key", "a&b=c;d"),
    ],
)
def test_a_query_stays_a_query(kit: Kit, upstream: UpstreamServer, name: str, value: str) -> None:
    for operation, path in ((CHAT, "/v1/chat/completions"), (MESSAGES, "/v1/messages")):
        assert kit.call(event(operation, {"model": "m"}, query={name: [value, value]})).status == 200
        target = upstream.last.target
        assert target.startswith(path + "?")
        assert set(target.removeprefix(path + "?")) <= set(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%=&-._~"
        )
        assert upstream.last.header("host") == upstream.url.removeprefix("http://")


def test_a_query_that_is_too_long_is_the_clients_fault(kit: Kit, upstream: UpstreamServer) -> None:
    assert kit.call(event(CHAT, {"model": "m"}, query={"a": ["b" * 100_000]})).status == 400
    assert upstream.received == []


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
@pytest.mark.parametrize("resource", [CHAT, MESSAGES, "/v1/models"])
def test_no_redirect_is_followed_and_the_key_goes_nowhere(
    upstream: UpstreamServer, other: UpstreamServer, status: int, resource: Operation | str
) -> None:
    headers = [
        JSON,
        ("location", f"{other.url}/latest/meta-data/"),
        ("refresh", f"0;url={other.url}"),
        ("alt-svc", f'h1="{other.url}"'),
    ]
    upstream.answer = answer_bytes(b"{}", status, headers)
    with gateway_over(both_formats("main", upstream.url)) as kit:
        response = kit.call(event(resource, {"model": "m"} if isinstance(resource, Operation) else None))
    assert response.status == 502
    assert other.received == []
    assert not {"location", "refresh", "alt-svc"} & {name for name, _ in response.headers}
    assert other.url.encode() not in response.body


def test_the_environments_proxies_are_not_asked(
    upstream: UpstreamServer, other: UpstreamServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, other.url)
    with gateway_over(both_formats("main", upstream.url)) as kit:
        assert kit.call(event(CHAT, {"model": "m"})).status == 200
        assert kit.call(event("/v1/models")).status == 502
    assert (len(upstream.received), other.received) == (2, [])


def test_each_upstream_gets_its_own_key_and_no_other(upstream: UpstreamServer, other: UpstreamServer) -> None:
    """Also where one takes over from the other."""
    upstream.answer = answer_bytes(b"{}", 503)
    keys = {"main": "sk-of-main-0123456789", "other": "sk-of-other-0123456789"}
    with gateway_over(
        openai_upstream("main", upstream.url),
        anthropic_upstream("other", other.url),
        models={"m": ["main/a", "other/b"]},
        keys=keys,
    ) as kit:
        body = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]}
        assert kit.call(event(CHAT, body)).status == 200
    for server, name, not_its in ((upstream, "main", "other"), (other, "other", "main")):
        assert server.received
        for received in server.received:
            assert keys[name].encode() in received.head
            assert keys[not_its].encode() not in received.head + received.body


def test_addresses_in_messages_are_the_providers_to_fetch(upstream: UpstreamServer, other: UpstreamServer) -> None:
    """Images and files by URL: the gateway hands the text on and asks for nothing, translated or not."""
    part = {"type": "image_url", "image_url": {"url": f"{other.url}/internal.png"}}
    chat = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": [part]}]}
    block = {"type": "image", "source": {"type": "url", "url": f"{other.url}/internal.png"}}
    messages = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": [block]}]}
    for kind in (openai_upstream, anthropic_upstream):
        with gateway_over(kind("main", upstream.url)) as kit:
            assert kit.call(event(CHAT, chat)).status == 200
            assert kit.call(event(MESSAGES, messages)).status == 200
    assert len(upstream.received) == 4
    assert all(f"{other.url}/internal.png".encode() in received.body for received in upstream.received)
    assert other.received == []


def test_a_port_that_nobody_listens_at_is_the_upstreams_fault(capsys: pytest.CaptureFixture[str]) -> None:
    """And what is said of it names neither the port nor a key."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with gateway_over(openai_upstream("main", f"http://127.0.0.1:{port}"), timeouts=Timeouts(connect=1)) as kit:
            response = kit.call(event(CHAT, {"model": "m"}))
    assert response.status == 502
    assert str(port).encode() not in response.body
    assert UPSTREAM_KEY not in capsys.readouterr().out


def test_a_host_that_resolves_to_nothing_is_the_upstreams_fault(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The resolver is a stand-in: what a real one does with such a name is not ours, and may take long."""
    asked: list[object] = []

    def resolve(host: object, *_rest: object, **_more: object) -> NoReturn:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, f"no such host: {host}")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with gateway_over(openai_upstream("main", "http://internal.invalid:8080")) as kit:
        response = kit.call(event(CHAT, {"model": "m"}))
    assert "internal.invalid" in asked
    assert response.status == 502
    assert b"internal.invalid" not in response.body
    assert b"8080" not in response.body
    assert UPSTREAM_KEY not in capsys.readouterr().out
