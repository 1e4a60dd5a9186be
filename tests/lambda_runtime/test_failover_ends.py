"""What is not passed on to the next upstream, and what the client gets when nobody is left."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest

from lambda_runtime.config import Target
from lambda_runtime.state.outcome import Outcome
from tests.lambda_runtime.failing_upstreams import (
    DONE,
    EITHER,
    EMPTY_JSON,
    FINISH,
    ROLE,
    cut_before_headers,
    status,
)
from tests.lambda_runtime.failover_kit import Several, several, well, whole
from tests.lambda_runtime.faults_kit import QUICK, limits_for
from tests.lambda_runtime.samples import CHAT_JSON, MESSAGES, RESPONSES
from tests.lambda_runtime.upstream_server import (
    JSON,
    Answer,
    Connection,
    Received,
    answer_json,
    answer_stream,
    answer_with_silence,
)


@pytest.fixture
def gateway(request: pytest.FixtureRequest) -> Iterator[Several]:
    with several(timeouts=limits_for(request)) as gateway:
        yield gateway


@pytest.mark.parametrize("code", [400, 404, 409, 413, 422])
@pytest.mark.parametrize("stream", [True, False])
def test_another_4xx_is_the_clients(gateway: Several, code: int, stream: bool) -> None:
    gateway.answers(a=status(code))
    response = gateway.ask(stream=stream)
    assert (response.status, response.json()["error"]["message"]) == (code, f"status {code}")
    assert response.header("x-should-retry") is None
    assert gateway.asked == ["a"]
    assert gateway.states.outcomes == [("a", Outcome.IGNORED)]


@pytest.mark.parametrize(
    "refusal",
    [
        status(400, code="content_filter"),
        status(400, code="content_policy_violation"),
        answer_json({"choices": [{"message": {"role": "assistant", "content": ""}, "finish_reason": "content_filter"}]}),
        answer_stream([b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"content_filter"}]}\n\n', DONE]),
        answer_stream([b'data: {"error":{"message":"m","code":"content_filter"}}\n\n']),
    ],
)
def test_a_content_filters_refusal_goes_to_nobody_else(gateway: Several, refusal: Answer) -> None:
    gateway.answers(a=refusal)
    response = gateway.ask()
    assert gateway.asked == ["a"]
    assert b"content_filter" in response.body or response.status == 400
    assert Outcome.FAILURE not in dict(gateway.states.outcomes).values()


def test_a_refusal_of_the_other_formats_goes_to_nobody_else(gateway: Several) -> None:
    gateway.answers(a=answer_json({"content": [], "stop_reason": "refusal"}))
    assert gateway.ask(MESSAGES, stream=False).json()["stop_reason"] == "refusal"
    filtered = b'data: {"type":"response.incomplete","response":{"incomplete_details":{"reason":"content_filter"}}}\n\n'
    gateway.states.recorded.clear()
    gateway.answers(a=answer_stream([filtered]))
    assert gateway.ask(RESPONSES).body == filtered
    assert gateway.asked == ["a", "a"]


TOO_LONG = [
    status(400, code="context_length_exceeded"),
    answer_json({"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 1 > 0"}}, 400),
    status(413, code="context_length_exceeded"),
    answer_stream([b'data: {"error":{"message":"m","code":"context_length_exceeded"}}\n\n']),
]


@pytest.mark.parametrize("refusal", TOO_LONG)
def test_what_is_too_long_goes_on_to_a_larger_target_only(refusal: Answer) -> None:
    with several("a/m", "b/m", Target("c/m", larger_context=True)) as gateway:
        gateway.answers(a=refusal)
        assert gateway.ask().body == whole()
    assert gateway.asked == ["a", "c"]
    assert gateway.states.outcomes == [("a", Outcome.IGNORED), ("c", Outcome.SUCCESS)]


@pytest.mark.parametrize("refusal", TOO_LONG)
def test_what_is_too_long_for_all_is_the_clients(gateway: Several, refusal: Answer) -> None:
    gateway.answers(a=refusal)
    response = gateway.ask()
    assert gateway.asked == ["a"]
    assert response.status in {400, 413}
    assert response.header("x-should-retry") is None


# Exhausted


def test_the_last_upstreams_words_are_the_clients(gateway: Several) -> None:
    told = [("retry-after", "7"), ("x-request-id", "up-1"), ("x-should-retry", "true")]
    gateway.answers(a=status(500), b=EITHER["closed before headers"], c=answer_json({"error": {"message": "mine"}}, 503, told))
    response = gateway.ask(stream=False)
    assert (response.status, response.json()) == (503, {"error": {"message": "mine"}})
    assert [response.header(name) for name, _ in told] == ["7", "up-1", "false"]


def test_the_log_says_who_was_tried(gateway: Several, capsys: pytest.CaptureFixture[str]) -> None:
    gateway.answers(a=status(500), b=status(429))
    gateway.ask()
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert line["attempts"] == ["a/m failure", "b/m rate_limited", "c/m success"]
    assert (line["upstream"], line["served_model"], line["Errors"], line["error"]) == ("c", "m", 0, None)


@pytest.mark.parametrize("stream", [True, False])
def test_an_empty_answer_is_better_than_none(stream: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """It may be meant so: a model may have nothing to say."""
    nothing = answer_stream([ROLE, FINISH, DONE]) if stream else answer_json({**EMPTY_JSON, "usage": {"prompt_tokens": 5}})
    for others in ({"b": nothing}, {"b": status(503)}, {"b": cut_before_headers()}, {"b": answer_with_silence}):
        with several(names="ab", timeouts=QUICK) as gateway:
            gateway.answers(a=nothing, **others)
            response = gateway.ask(stream=stream)
        assert gateway.asked in (["a", "b"], ["a", "b", "b"])
        assert (response.status, response.ended) == (200, True)
        if stream:
            assert response.body == ROLE + FINISH + DONE
        else:
            assert response.json()["choices"] == EMPTY_JSON["choices"]
        line = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert (line["status"], line["Errors"]) == (200, 0)
        assert line["InputTokens"] >= 5
        assert line["upstream"] == ("b" if others["b"] is nothing else "a")


@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_of_thoughts_alone_is_not_empty(gateway: Several, stream: bool) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 9}}
    chunk = b"data: " + json.dumps({"choices": [], "usage": usage}).encode() + b"\n\n"
    gateway.answers(a=answer_stream([ROLE, FINISH, chunk, DONE]) if stream else answer_json({**EMPTY_JSON, "usage": usage}))
    assert gateway.ask(stream=stream).status == 200
    assert gateway.asked == ["a"]


@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_of_an_end_token_alone_is_empty_but_speaks_not_against_its_upstream(gateway: Several, stream: bool) -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 3}
    chunk = b"data: " + json.dumps({"choices": [], "usage": usage}).encode() + b"\n\n"
    gateway.answers(a=answer_stream([ROLE, FINISH, chunk, DONE]) if stream else answer_json({**EMPTY_JSON, "usage": usage}))
    assert gateway.ask(stream=stream).body == whole(stream=stream)
    assert gateway.states.outcomes == [("a", Outcome.IGNORED), ("b", Outcome.SUCCESS)]


# Keys


@pytest.mark.parametrize("code", [401, 403])
def test_a_refused_key_goes_on_to_the_next(gateway: Several, code: int) -> None:
    gateway.answers(a=answer_json({"error": {"message": "Incorrect API key provided"}}, code))
    assert gateway.ask().body == whole()
    assert gateway.asked == ["a", "b"]
    assert gateway.states.outcomes == [("a", Outcome.KEY_REFUSED), ("b", Outcome.SUCCESS)]
    assert gateway.kit.secrets.asked.count("arn:a") == 2


def test_a_missing_key_goes_on_to_the_next(gateway: Several) -> None:
    del gateway.kit.secrets.values["arn:a"]
    assert gateway.ask().body == whole()
    assert gateway.asked == ["b"]
    assert gateway.states.outcomes == [("a", Outcome.KEY_REFUSED), ("b", Outcome.SUCCESS)]


def test_refused_keys_everywhere_are_a_502_without_a_key(gateway: Several) -> None:
    refusal = answer_json({"error": {"message": "Incorrect API key provided"}}, 401)
    gateway.answers(a=refusal, b=refusal, c=refusal)
    response = gateway.ask()
    assert (response.status, response.json()["error"]["code"]) == (502, "upstream_credentials")
    assert response.header("x-should-retry") == "false"


# Connections


def test_connections_survive_what_was_read_to_its_end(gateway: Several) -> None:
    for fault in ("500", "429", "html", "nothing", "error in json"):
        gateway.answers(a=EITHER[fault])
        for stream in (True, False):
            gateway.states.recorded.clear()
            assert gateway.ask(stream=stream).status == 200
    assert gateway.servers["a"].connections == 1
    assert gateway.servers["b"].connections == 1


@pytest.mark.parametrize("second", [well, status(500), answer_json(CHAT_JSON)])
def test_a_long_error_that_nobody_reads_is_given_up(gateway: Several, second: Answer) -> None:
    closed = threading.Event()

    def endless(_received: Received, connection: Connection) -> None:
        connection.start(500, [JSON])
        connection.chunk(b"x" * 100_000)
        if connection.wait_until_peer_closes():
            closed.set()

    gateway.answers(a=endless, b=second)
    gateway.ask()
    assert closed.wait(10)
    assert gateway.asked[:2] == ["a", "b"]
