"""Who is asked how often, and who is waited for."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from lambda_runtime.state.outcome import Outcome
from tests.lambda_runtime.failing_upstreams import (
    EITHER,
    status,
)
from tests.lambda_runtime.failover_kit import Several, several, well, whole
from tests.lambda_runtime.faults_kit import QUICK, free_port, limits_for
from tests.lambda_runtime.upstream_server import (
    answer_json,
    answer_with_silence,
)


@pytest.fixture
def gateway(request: pytest.FixtureRequest) -> Iterator[Several]:
    with several(timeouts=limits_for(request)) as gateway:
        yield gateway


@pytest.mark.parametrize("fault", ["500", "502", "503", "529"])
@pytest.mark.parametrize(("names", "asked"), [("a", "aa"), ("ab", "aab"), ("abc", "abc")])
def test_a_server_error_is_repeated_where_it_takes_nobodys_place(fault: str, names: str, asked: str) -> None:
    with several(names=names) as gateway:
        gateway.answers(**dict.fromkeys(names, EITHER[fault]))
        response = gateway.ask()
    assert "".join(gateway.asked) == asked
    assert (response.status, response.header("x-should-retry")) == (int(fault), "false")
    assert gateway.slept == []


def test_the_repeat_is_spent_once() -> None:
    with several(names="ab") as gateway:
        gateway.answers(a=status(500), b=status(503))
        assert gateway.ask().status == 503
    assert gateway.asked == ["a", "a", "b"]


def test_the_repeat_may_succeed() -> None:
    with several(names="ab") as gateway:
        gateway.answers(a=[status(500), well], b=status(500))
        assert gateway.ask().body == whole()
    assert gateway.asked == ["a", "a"]
    assert gateway.states.outcomes == [("a", Outcome.FAILURE), ("a", Outcome.SUCCESS)]


def test_a_refused_connection_is_repeated() -> None:
    with several(names="a", urls={"a": f"http://127.0.0.1:{free_port()}"}) as gateway:
        response = gateway.ask()
    assert (response.status, response.json()["error"]["code"]) == (502, "upstream_unreachable")
    assert gateway.states.outcomes == [("a", Outcome.FAILURE)] * 2


@pytest.mark.parametrize("fault", ["408", "501", "closed before headers", "html", "nothing", "redirect", "error in json"])
def test_what_is_not_repeated(fault: str) -> None:
    with several(names="ab") as gateway:
        gateway.answers(a=EITHER[fault], b=EITHER[fault])
        response = gateway.ask()
    expected = ["a", "a", "b"] if fault == "error in json" else ["a", "b"]
    assert gateway.asked == expected
    assert response.header("x-should-retry") == "false"


def test_three_attempts_in_all() -> None:
    with several(names="abcde") as gateway:
        gateway.answers(**dict.fromkeys("abcde", status(500)))
        assert gateway.ask().status == 500
    assert gateway.asked == ["a", "b", "c"]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("fault", ["silence", "silence after the headers"])
def test_a_silent_upstream_is_never_asked_twice_and_one_more_at_most(fault: str, stream: bool) -> None:
    for names, asked in (("a", "a"), ("abc", "ab")):
        with several(names=names, timeouts=QUICK) as gateway:
            gateway.answers(**dict.fromkeys(names, EITHER[fault]))
            response = gateway.ask(stream=stream)
        assert "".join(gateway.asked) == asked
        assert (response.status, response.json()["error"]["code"]) == (504, "upstream_timeout")
        assert response.header("x-should-retry") == "false"


@pytest.mark.parametrize(("second", "code"), [("500", 500), ("429 soon", 429), ("closed before headers", 502)])
def test_after_silence_there_is_one_more_attempt_whatever_it_brings(
    gateway: Several, second: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first may have to be paid for: the client's request is not to be paid for three times."""
    gateway.answers(a=answer_with_silence, b=EITHER[second])
    assert gateway.ask().status == code
    assert gateway.asked == ["a", "b"]
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["possibly_billed_attempts"] == 1


def test_silence_may_come_late(gateway: Several) -> None:
    gateway.answers(a=status(500), b=answer_with_silence)
    assert gateway.ask().body == whole()
    assert gateway.asked == ["a", "b", "c"]


# 429 and Retry-After


@pytest.mark.parametrize(
    ("headers", "slept"),
    [
        ([("retry-after", "2")], [2.0]),
        ([("retry-after", "0")], [0.0]),
        ([("retry-after", "0.5")], [0.5]),
        ([("retry-after-ms", "1500"), ("retry-after", "60")], [1.5]),
        ([("retry-after", "Thu, 01 Jan 1970 00:00:00 GMT")], [0.0]),
        ([("retry-after", "3")], []),
        ([("retry-after", "Wed, 21 Oct 2099 07:28:00 GMT")], []),
        ([("retry-after", "soon")], []),
        ([], []),
    ],
)
def test_a_short_retry_after_is_waited_for_if_nobody_else_is_there(headers: list[tuple[str, str]], slept: list[float]) -> None:
    with several(names="a") as gateway:
        gateway.answers(a=[status(429, *headers), well])
        response = gateway.ask()
    assert gateway.slept == slept
    assert gateway.asked == ["a"] * (1 + len(slept))
    if slept:
        assert response.body == whole()
    else:
        assert (response.status, response.header("x-should-retry")) == (429, "false")


def test_a_429_twice_is_the_clients() -> None:
    with several(names="a") as gateway:
        gateway.answers(a=status(429, ("retry-after", "1")))
        response = gateway.ask()
    assert gateway.slept == [1.0]
    assert (response.status, response.header("retry-after")) == (429, "1")
    assert [attempt.retry_after for attempt in gateway.states.recorded] == [1.0, 1.0]


def test_nobody_is_waited_for_while_another_can_be_asked() -> None:
    with several(names="ab") as gateway:
        gateway.answers(a=status(429, ("retry-after", "1")), b=status(429, ("retry-after", "2")))
        response = gateway.ask()
    # The one that is left is waited for.
    assert gateway.asked == ["a", "b", "b"]
    assert gateway.slept == [2.0]
    assert (response.status, response.header("retry-after")) == (429, "2")


@pytest.mark.parametrize("value", ["9" * 400, "1e300", "inf", "nan", "-5", "٣", "²"])
def test_an_odd_retry_after_breaks_nothing(gateway: Several, value: str) -> None:
    gateway.answers(a=answer_json({}, 429, [("retry-after-ms", value.encode().decode("latin-1"))]))
    assert gateway.ask().body == whole()
    (first, _) = gateway.states.recorded
    assert first.retry_after is None or 0 <= first.retry_after <= 86_400
