"""The gateway's own keys on their way: refused ones are fetched again once, and none is ever shown."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any

import pytest

from lambda_runtime import credentials as credentials_module
from lambda_runtime.config import AuthStyle, Operation
from tests.lambda_runtime.gateway_kit import (
    CLIENT_KEY,
    UPSTREAM_KEY,
    Kit,
    anthropic_upstream,
    both_formats,
    event,
    gateway_over,
    openai_upstream,
)
from tests.lambda_runtime.upstream_server import Connection, Received, UpstreamServer, answer_json

CHAT = Operation.CHAT_COMPLETIONS
REFUSAL = {
    "error": {"message": f"Incorrect API key provided: {UPSTREAM_KEY[:7]}***{UPSTREAM_KEY[-4:]}", "code": "invalid_api_key"}
}


def takes(key: str, status: int = 401) -> Any:
    """An upstream that takes only this key."""

    def answer(received: Received, connection: Connection) -> None:
        given = (received.header("authorization") or "").removeprefix("Bearer ") or received.header("x-api-key")
        answer_json({"ok": True} if given == key else REFUSAL, 200 if given == key else status)(received, connection)

    return answer


def log_lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        (AuthStyle.BEARER, "authorization", f"Bearer {UPSTREAM_KEY}"),
        (AuthStyle.X_API_KEY, "x-api-key", UPSTREAM_KEY),
        (AuthStyle.API_KEY, "api-key", UPSTREAM_KEY),
    ],
)
def test_the_key_goes_where_the_endpoint_wants_it(upstream: UpstreamServer, auth: AuthStyle, header: str, value: str) -> None:
    with gateway_over(openai_upstream("main", upstream.url, auth)) as kit:
        kit.call(event(CHAT, {"model": "m"}))
    assert upstream.last.header(header) == value
    assert [name for name, _ in upstream.last.headers if name in {"authorization", "x-api-key", "api-key"}] == [header]


def test_an_upstream_without_auth_gets_no_key_and_fetches_none(upstream: UpstreamServer) -> None:
    with gateway_over(openai_upstream("main", upstream.url, AuthStyle.NONE)) as kit:
        kit.credentials.fetch_all()
        assert kit.call(event(CHAT, {"model": "m"})).status == 200
    assert kit.secrets.asked == []
    assert not {name for name, _ in upstream.last.headers} & {"authorization", "x-api-key", "api-key"}


def test_keys_are_fetched_at_start_and_kept(kit: Kit) -> None:
    kit.credentials.fetch_all()
    for _ in range(3):
        assert kit.call(event(CHAT, {"model": "m"})).status == 200
    assert kit.secrets.asked == ["arn:main"]


def test_a_fetch_that_fails_at_start_is_logged_and_tried_again(kit: Kit, capsys: pytest.CaptureFixture[str]) -> None:
    value = kit.secrets.values.pop("arn:main")
    kit.credentials.fetch_all()
    (line,) = log_lines(capsys)
    assert (line["level"], line["upstream"]) == ("ERROR", "main")
    assert kit.call(event(CHAT, {"model": "m"})).status == 502
    kit.secrets.values["arn:main"] = value
    assert kit.call(event(CHAT, {"model": "m"})).status == 200


def test_slow_fetches_do_not_use_up_init(
    upstream: UpstreamServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(credentials_module, "START_BUDGET", -1.0)
    with gateway_over(openai_upstream("main", upstream.url)) as kit:
        kit.credentials.fetch_all()
        assert kit.secrets.asked == []
        assert "takes too long" in log_lines(capsys)[0]["message"]
        assert kit.call(event(CHAT, {"model": "m"})).status == 200


@pytest.mark.parametrize("operation", [CHAT, Operation.MESSAGES])
def test_without_a_key_the_client_gets_a_502_that_names_no_secret(
    kit: Kit, capsys: pytest.CaptureFixture[str], upstream: UpstreamServer, operation: Operation
) -> None:
    kit.secrets.values["arn:main"] = '{"placeholder":true,"apiKey":"generated"}'
    response = kit.call(event(operation, {"model": "m"}))
    assert response.status == 502
    assert b"arn:" not in response.body
    assert b"secret" not in response.body.lower()
    assert response.header("x-should-retry") == "false"
    assert "'main'" in response.json()["error"]["message"]
    problem, line = log_lines(capsys)
    assert "placeholder" in problem["message"]
    assert "put-secret-value --secret-id arn:main" in problem["message"]
    assert (line["status"], line["error"], line["Errors"]) == (502, "upstream_credentials", 1)
    assert upstream.received == []


def test_a_missing_variable_has_a_message_of_its_own(upstream: UpstreamServer, capsys: pytest.CaptureFixture[str]) -> None:
    with gateway_over(openai_upstream("main", upstream.url)) as kit:
        kit.credentials._environ = {}
        kit.credentials.fetch_all()
        assert kit.call(event(CHAT, {"model": "m"})).status == 502
    assert "UPSTREAM_SECRET_MAIN is not set" in log_lines(capsys)[0]["message"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_rotated_key_is_fetched_once_and_used(kit: Kit, upstream: UpstreamServer, status: int) -> None:
    kit.credentials.fetch_all()
    kit.secrets.values["arn:main"] = "sk-next"
    upstream.answer = takes("sk-next", status)
    response = kit.call(event(CHAT, {"model": "m"}))
    assert (response.status, response.body) == (200, b'{"ok": true}')
    assert len(upstream.received) == 2
    assert upstream.received[0].body == upstream.received[1].body
    assert kit.call(event(CHAT, {"model": "m"})).status == 200
    assert len(upstream.received) == 3
    assert kit.secrets.asked == ["arn:main"] * 2


def test_two_rotations_in_a_row(kit: Kit, upstream: UpstreamServer) -> None:
    for key in ("sk-2", "sk-3", "sk-4"):
        kit.secrets.values["arn:main"] = key
        upstream.answer = takes(key)
        assert kit.call(event(CHAT, {"model": "m"})).status == 200


@pytest.mark.parametrize(("status", "operation"), [(401, CHAT), (403, CHAT), (401, Operation.MESSAGES)])
def test_a_key_that_stays_refused_is_a_502_with_nothing_of_the_upstreams_words(
    kit: Kit, upstream: UpstreamServer, capsys: pytest.CaptureFixture[str], status: int, operation: Operation
) -> None:
    upstream.answer = takes("another", status)
    for _ in range(3):
        response = kit.call(event(operation, {"model": "m"}))
        assert response.status == 502
        assert b"Incorrect" not in response.body
        assert UPSTREAM_KEY[:7].encode() not in response.body
        assert b"arn:main" not in response.body
    assert kit.secrets.asked == ["arn:main"] * 2  # the first fetch and one forced one, not one a request
    lines = log_lines(capsys)
    assert f"refuses the gateway's key (status {status})" in lines[0]["message"]
    assert "put-secret-value --secret-id arn:main" in lines[0]["message"]
    assert UPSTREAM_KEY[:7] not in json.dumps(lines)


def test_a_refused_key_is_fetched_again_after_a_pause(
    kit: Kit, upstream: UpstreamServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstream.answer = takes("sk-late")
    assert kit.call(event(CHAT, {"model": "m"})).status == 502
    kit.secrets.values["arn:main"] = "sk-late"
    assert kit.call(event(CHAT, {"model": "m"})).status == 502
    monkeypatch.setattr(credentials_module, "REFRESH_PAUSE", 0.0)
    assert kit.call(event(CHAT, {"model": "m"})).status == 200


def test_a_403_about_the_model_is_the_clients(kit: Kit, upstream: UpstreamServer, capsys: pytest.CaptureFixture[str]) -> None:
    words = {"error": {"message": "Project does not have access to model o9", "type": "permission_error", "code": "no_access"}}
    upstream.answer = answer_json(words, 403)
    response = kit.call(event(CHAT, {"model": "o9"}))
    assert (response.status, response.json()) == (403, words)
    assert len(upstream.received) == 1  # the same key: asking again would only cost
    assert log_lines(capsys)[0]["level"] == "WARNING"


def test_a_403_about_the_model_does_not_cost_a_rotation_its_requests(kit: Kit, upstream: UpstreamServer) -> None:
    upstream.answers = [answer_json({"error": {"message": "no access to model o9"}}, 403)]
    assert kit.call(event(CHAT, {"model": "o9"})).status == 403
    kit.secrets.values["arn:main"] = "sk-next"
    upstream.answer = takes("sk-next")
    assert kit.call(event(CHAT, {"model": "m"})).status == 200


def test_geminis_400_for_a_bad_key_is_a_refusal_too(kit: Kit, upstream: UpstreamServer) -> None:
    upstream.answers = [
        answer_json([{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key."}}], 400)
    ]
    kit.credentials.fetch_all()
    kit.secrets.values["arn:main"] = "sk-next"
    assert kit.call(event(CHAT, {"model": "m"})).status == 200


def test_an_upstream_that_wants_a_key_though_configured_without(
    upstream: UpstreamServer, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream.answer = answer_json(REFUSAL, 401)
    with gateway_over(openai_upstream("main", upstream.url, AuthStyle.NONE)) as kit:
        assert kit.call(event(CHAT, {"model": "m"})).status == 502
    assert "auth none" in log_lines(capsys)[0]["message"]


def test_neither_key_is_seen_on_the_wrong_side(upstream: UpstreamServer, capsys: pytest.CaptureFixture[str]) -> None:
    """The client's on the upstream's wire, or the upstream's in an answer or the log: over all kinds of answers."""
    echo = {"error": {"message": f"you sent {UPSTREAM_KEY}"}}
    with gateway_over(both_formats("main", upstream.url), anthropic_upstream("other", upstream.url)) as kit:
        for status in (200, 400, 401, 403, 404, 429, 500, 529):
            for operation in (CHAT, Operation.MESSAGES):
                upstream.answer = answer_json({"ok": 1} if status == 200 else echo, status, [("set-cookie", UPSTREAM_KEY)])
                sent = {"Cookie": CLIENT_KEY, "api-key": CLIENT_KEY, "X-Forwarded-For": CLIENT_KEY}
                response = kit.call(event(operation, {"model": "m"}, headers=sent))
                assert UPSTREAM_KEY.encode() not in response.body
                assert UPSTREAM_KEY not in repr(response.headers)
    for received in upstream.received:
        assert CLIENT_KEY.encode() not in received.head + received.body
        assert UPSTREAM_KEY.encode() in received.head
    output = capsys.readouterr()
    assert UPSTREAM_KEY not in output.out + output.err
    assert CLIENT_KEY not in output.out + output.err


def test_forgotten_keys_are_fetched_anew(kit: Kit) -> None:
    kit.credentials.fetch_all()
    kit.credentials.forget()
    assert UPSTREAM_KEY not in repr(vars(kit.credentials)).replace(repr(kit.secrets.values), "")
    kit.credentials.fetch_all()
    assert kit.secrets.asked == ["arn:main"] * 2


@pytest.mark.parametrize("key", ["x", "none", "EMPTY"])
def test_a_filler_instead_of_a_key_does_not_spoil_errors(upstream: UpstreamServer, key: str) -> None:
    """Local servers are given any word for a key. Hidden in errors, it would break words, or even the JSON."""
    words = {"error": {"message": "x: none of the models is EMPTY"}}
    with gateway_over(openai_upstream("main", upstream.url), keys={"main": key}) as kit:
        upstream.answer = answer_json(words, 400)
        assert kit.call(event(CHAT, {"model": "m"})).json() == words


def test_the_pause_passes_while_the_instance_is_frozen(
    kit: Kit, upstream: UpstreamServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The monotonic clock stands still then: a key rotated meanwhile would be refused for ten seconds of work more."""
    upstream.answer = takes("sk-late")
    assert kit.call(event(CHAT, {"model": "m"})).status == 502
    kit.secrets.values["arn:main"] = "sk-late"
    now = time.time()
    monkeypatch.setattr(credentials_module, "time", SimpleNamespace(time=lambda: now + 3600, monotonic=lambda: 0.0))
    assert kit.call(event(CHAT, {"model": "m"})).status == 200
