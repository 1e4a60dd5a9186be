"""A gateway over federated upstreams: no key anywhere, tokens that end, and failures of each kind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lambda_runtime import credentials as credentials_module
from lambda_runtime.config import Operation, UpstreamConfig
from lambda_runtime.state.outcome import Outcome
from tests.lambda_runtime.failover_kit import FakeStates
from tests.lambda_runtime.federation.federation_kit import (
    Provider,
    Sts,
    environ,
    federated_anthropic,
    federated_openai,
    sts_error,
)
from tests.lambda_runtime.gateway_kit import CLIENT_KEY, Kit, event, gateway_over, openai_upstream
from tests.lambda_runtime.samples import CHAT_STREAM
from tests.lambda_runtime.upstream_server import Answer, UpstreamServer, answer_bytes, answer_json, answer_stream

CHAT, MESSAGES = Operation.CHAT_COMPLETIONS, Operation.MESSAGES
OAUTH = "oauth-2025-04-20"


@contextmanager
def over(sts: Sts, *upstreams: UpstreamConfig, **more: Any) -> Iterator[Kit]:
    with gateway_over(*upstreams, variables=environ(sts.server), **more) as kit:
        yield kit


@pytest.fixture
def openai(sts: Sts, provider: Provider) -> Iterator[Kit]:
    with over(sts, federated_openai(provider)) as kit:
        yield kit


@pytest.fixture
def anthropic(sts: Sts, provider: Provider) -> Iterator[Kit]:
    with over(sts, federated_anthropic(provider)) as kit:
        yield kit


def log_lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_requests_carry_a_token_and_no_secret_is_read(openai: Kit, sts: Sts, provider: Provider) -> None:
    openai.credentials.fetch_all()
    assert sts.issued == [], "a start asks for nothing"
    for _ in range(3):
        assert openai.call(event(CHAT, {"model": "m"})).status == 200
    assert openai.secrets.asked == []
    assert len(sts.issued) == len(provider.exchanges) == 1
    assert {received.header("authorization") for received in provider.asked} == {"Bearer short-lived-token-1"}
    assert provider.asked[0].header("anthropic-beta") is None


def test_a_stream_is_as_any_other(openai: Kit, provider: Provider) -> None:
    provider.answers = [answer_stream(CHAT_STREAM)]
    response = openai.call(event(CHAT, {"model": "m", "stream": True}))
    assert (response.status, response.body.rpartition(b"data: ")[2]) == (200, b"[DONE]\n\n")


@pytest.mark.parametrize(
    ("sent", "received"),
    [
        ({}, OAUTH),
        ({"anthropic-beta": "context-1m-2025-08-07"}, f"context-1m-2025-08-07,{OAUTH}"),
        ({"anthropic-beta": ["a, b", "c"]}, f"a,b,c,{OAUTH}"),
        ({"Anthropic-Beta": f"a,{OAUTH},a"}, f"a,{OAUTH}"),
        ({"anthropic-beta": f"{OAUTH}b"}, f"{OAUTH}b,{OAUTH}"),
        ({"anthropic-beta": " , "}, OAUTH),
    ],
)
def test_anthropics_flag_joins_the_clients(anthropic: Kit, provider: Provider, sent: dict[str, Any], received: str) -> None:
    assert anthropic.call(event(MESSAGES, {"model": "m"}, headers=sent)).status == 200
    (asked,) = provider.asked
    assert [value for name, value in asked.headers if name == "anthropic-beta"] == [received]
    assert asked.header("authorization") == "Bearer short-lived-token-1"
    assert asked.header("x-api-key") is None
    assert CLIENT_KEY.encode() not in asked.head


def test_a_translated_request_has_the_flag_too(anthropic: Kit, provider: Provider) -> None:
    chat = {"model": "claude-x", "messages": [{"role": "user", "content": "hi"}]}
    assert anthropic.call(event(CHAT, chat, headers={"anthropic-beta": "other"})).status == 200
    assert provider.asked[0].target == "/v1/messages"
    assert provider.asked[0].header("anthropic-beta") == OAUTH


def test_models_are_listed_with_a_token(anthropic: Kit, provider: Provider) -> None:
    provider.answers = [answer_json({"data": [{"id": "claude-x", "type": "model"}], "has_more": False})]
    response = anthropic.call(event("/v1/models"))
    assert (response.status, [model["id"] for model in response.json()["data"]]) == (200, ["claude-x"])
    assert provider.asked[0].header("anthropic-beta") == OAUTH
    provider.revoke()
    assert anthropic.call(event(MESSAGES, {"model": "claude-x"})).status == 200
    assert len(provider.exchanges) == 2


def test_a_refused_token_is_exchanged_anew_once_and_the_request_sent_again(openai: Kit, provider: Provider) -> None:
    assert openai.call(event(CHAT, {"model": "m"})).status == 200
    provider.revoke()
    assert openai.call(event(CHAT, {"model": "m"})).status == 200
    assert [received.header("authorization") for received in provider.asked] == [
        "Bearer short-lived-token-1",
        "Bearer short-lived-token-1",
        "Bearer short-lived-token-2",
    ]
    assert provider.asked[1].body == provider.asked[2].body
    assert openai.call(event(CHAT, {"model": "m"})).status == 200
    assert len(provider.exchanges) == 2


@pytest.mark.parametrize(("operation", "kind"), [(CHAT, "openai"), (MESSAGES, "anthropic")])
def test_tokens_that_stay_refused_are_a_502_and_not_exchanged_with_each_request(
    sts: Sts, provider: Provider, capsys: pytest.CaptureFixture[str], operation: Operation, kind: str
) -> None:
    upstream = federated_openai(provider) if kind == "openai" else federated_anthropic(provider)
    provider.valid = _NeverValid()
    with over(sts, upstream) as kit:
        for _ in range(3):
            response = kit.call(event(operation, {"model": "m"}))
            assert response.status == 502
            assert b"short-lived" not in response.body
            assert response.header("x-should-retry") == "false"
    assert len(provider.exchanges) == 2
    lines = log_lines(capsys)
    assert "short-lived" not in json.dumps(lines)
    message = lines[0]["message"]
    assert "refuses the gateway's key (status 401), also when fetched again" in message
    assert ("service account sa-1" in message) if kind == "openai" else ("oauth_scope of the rule fdrl_1" in message)


class _NeverValid(dict[str, float]):
    def get(self, key: str, default: Any = None) -> Any:
        del key, default
        return 0.0


def test_a_403_about_the_model_does_not_exchange_a_token_each_time(openai: Kit, provider: Provider) -> None:
    """A new token is another, whatever is wrong: the pause alone keeps such a client from doubling every request."""
    words = {"error": {"message": "Project does not have access to model o9", "code": "no_access"}}
    provider.answers = [answer_json(words, 403)] * 9
    for _ in range(4):
        response = openai.call(event(CHAT, {"model": "o9"}))
        assert (response.status, response.json()) == (403, words)
    assert len(provider.exchanges) == 2
    assert len(provider.asked) == 5


def test_after_the_pause_one_more(openai: Kit, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    provider.valid = _NeverValid()
    assert openai.call(event(CHAT, {"model": "m"})).status == 502
    monkeypatch.setattr(credentials_module, "REFRESH_PAUSE", 0.0)
    provider.valid = {}
    assert openai.call(event(CHAT, {"model": "m"})).status == 200
    assert len(provider.exchanges) == 3


Fault = Callable[[Sts, Provider], None]


def at_aws(answer: Answer) -> Fault:
    return lambda sts, _: setattr(sts.server, "answer", answer)


def at_provider(answer: Answer) -> Fault:
    return lambda _, provider: setattr(provider, "refusal", answer)


REFUSED: dict[str, Fault] = {
    "switch": at_aws(sts_error("OutboundWebIdentityFederationDisabledException")),
    "denied": at_aws(sts_error("AccessDenied", "no", 403)),
    "clock": at_aws(sts_error("RequestExpired", "late")),
    "trust": at_provider(answer_json({"error": "invalid_grant"}, 400)),
}
PASSING: dict[str, Fault] = {
    "sts": at_aws(answer_bytes(b"", 503)),
    "provider": at_provider(answer_bytes(b"", 503)),
}


@pytest.mark.parametrize(
    ("fault", "outcome", "code"),
    [
        *((fault, Outcome.KEY_REFUSED, "upstream_credentials") for fault in REFUSED),
        *((fault, Outcome.FAILURE, "upstream_token_unavailable") for fault in PASSING),
    ],
)
def test_failures_go_on_to_the_next_target_and_say_what_mends_them(  # noqa: PLR0917
    sts: Sts,
    provider: Provider,
    upstream: UpstreamServer,
    capsys: pytest.CaptureFixture[str],
    fault: str,
    outcome: Outcome,
    code: str,
) -> None:
    (REFUSED | PASSING)[fault](sts, provider)
    states = FakeStates()
    upstreams = (federated_openai(provider), openai_upstream("second", upstream.url))
    with over(sts, *upstreams, models={"m": ["openai/m", "second/m"]}, states=states) as kit:
        assert kit.call(event(CHAT, {"model": "m"})).status == 200
    assert states.outcomes == [("openai", outcome), ("second", Outcome.SUCCESS)]
    assert provider.asked == []
    first = log_lines(capsys)[0]
    assert (first["level"], first["upstream"]) == ("ERROR" if outcome is Outcome.KEY_REFUSED else "WARNING", "openai")
    with over(sts, federated_openai(provider)) as kit:
        response = kit.call(event(CHAT, {"model": "m"}))
    assert (response.status, response.json()["error"]["code"]) == (502, code)
    assert first["message"] not in response.body.decode()


def test_a_token_in_an_error_of_the_upstream_is_hidden(openai: Kit, provider: Provider) -> None:
    provider.answers = [answer_json({"error": {"message": "you sent short-lived-token-1"}}, 400)]
    response = openai.call(event(CHAT, {"model": "m"}))
    assert response.json() == {"error": {"message": "you sent [redacted]"}}


def test_a_snapshot_holds_no_token(openai: Kit, provider: Provider) -> None:
    assert openai.call(event(CHAT, {"model": "m"})).status == 200
    openai.credentials.forget()
    openai.credentials.fetch_all()
    assert len(provider.exchanges) == 1
    assert openai.call(event(CHAT, {"model": "m"})).status == 200
    assert len(provider.exchanges) == 2


def test_without_a_source_of_tokens_it_is_a_defect(provider: Provider) -> None:
    from lambda_runtime.config import GatewayConfig  # noqa: PLC0415
    from lambda_runtime.credentials import Credentials  # noqa: PLC0415

    upstream = federated_openai(provider)
    with pytest.raises(LookupError, match="no source of tokens"):
        Credentials(GatewayConfig(upstreams=(upstream,)), {}, None).key(upstream)  # type: ignore[arg-type]
