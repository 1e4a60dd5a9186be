"""The deployed gateway's own answers, through the local front."""

from typing import Any

import httpx
import pytest

from tests.local_gateway import LocalGateway, until

pytestmark = [pytest.mark.local, pytest.mark.xdist_group("gateway")]

CHAT = {"model": "gpt-4", "messages": [{"role": "user", "content": "hello"}]}


def error_of(reply: httpx.Response) -> dict[str, Any]:
    """The error, read as both SDK families read it."""
    body = reply.json()
    assert body["type"] == "error"
    assert {"type", "message", "param", "code"} <= body["error"].keys()
    assert body["request_id"] == reply.headers["x-amzn-requestid"]
    error: dict[str, Any] = body["error"]
    return error


def test_no_key(http: httpx.Client) -> None:
    reply = http.post("/v1/chat/completions", json=CHAT)
    assert (reply.status_code, error_of(reply)["type"]) == (401, "authentication_error")


def test_an_unknown_key(http: httpx.Client) -> None:
    reply = http.post("/v1/messages", json={}, headers={"x-api-key": "x" * 32})
    assert (reply.status_code, error_of(reply)["code"]) == (401, "invalid_api_key")


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/nothing"), ("POST", "/v1/models"), ("GET", "/")])
def test_an_unknown_route(http: httpx.Client, bearer: dict[str, str], method: str, path: str) -> None:
    reply = http.request(method, path, headers=bearer)
    assert (reply.status_code, error_of(reply)["type"]) == (404, "not_found_error")


def test_the_request_with_which_claude_code_begins(http: httpx.Client) -> None:
    reply = http.head("/")
    assert (reply.status_code, reply.content) == (404, b"")


def test_preflight(http: httpx.Client) -> None:
    headers = {"Origin": "https://example.com", "Access-Control-Request-Method": "POST"}
    reply = http.options("/v1/chat/completions", headers=headers)
    assert reply.status_code == 204
    assert reply.headers["access-control-allow-origin"] in {"*", "https://example.com"}
    assert "authorization" in reply.headers["access-control-allow-headers"].lower()


def test_both_header_styles_reach_the_function(http: httpx.Client, local_gateway: LocalGateway) -> None:
    for headers in ({"Authorization": f"Bearer {local_gateway.key}"}, {"x-api-key": local_gateway.key}):
        reply = http.post("/v1/chat/completions", json=CHAT, headers=headers)
        assert reply.status_code == 200, reply.text
        assert reply.json()["choices"]


def test_a_stream_comes_in_pieces(http: httpx.Client, bearer: dict[str, str]) -> None:
    with http.stream("POST", "/v1/chat/completions", json={**CHAT, "stream": True}, headers=bearer) as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        pieces = [piece for piece in reply.iter_raw() if piece]
    assert len(pieces) > 2
    assert pieces[-1].rstrip().endswith(b"data: [DONE]")


def test_a_key_works_as_soon_as_it_is_made_and_until_it_is_disabled(http: httpx.Client, local_gateway: LocalGateway) -> None:
    key_id, headers = local_gateway.add_key("short-lived")
    assert http.get("/v1/models", headers=headers).status_code == 200
    local_gateway.client("apigateway").update_api_key(
        apiKey=key_id, patchOperations=[{"op": "replace", "path": "/enabled", "value": "false"}]
    )
    until(lambda: http.get("/v1/models", headers=headers).status_code == 401)


def test_throttle(http: httpx.Client, local_gateway: LocalGateway) -> None:
    # A rate so low that the bucket gains nothing while the test runs.
    _, headers = local_gateway.add_key("slow", throttle={"rateLimit": 0.001, "burstLimit": 2})
    replies = [http.get("/v1/models", headers=headers) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert error_of(replies[-1])["type"] == "rate_limit_error"
    assert replies[-1].headers["x-should-retry"] == "true"


def test_quota(http: httpx.Client, local_gateway: LocalGateway) -> None:
    _, headers = local_gateway.add_key("small", quota={"limit": 2, "period": "MONTH"})
    replies = [http.get("/v1/models", headers=headers) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert error_of(replies[-1])["code"] == "insufficient_quota"
    assert replies[-1].headers["x-should-retry"] == "false"
