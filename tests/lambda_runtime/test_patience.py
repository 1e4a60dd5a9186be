"""How long is waited: unit tests with a clock of their own, and requests that run into each limit."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from lambda_runtime import patience as patience_module
from lambda_runtime.config import ModelRoute, Timeouts
from lambda_runtime.errors import DeadlineError, UpstreamTimeoutError
from lambda_runtime.patience import NOBODY, Patience
from tests.lambda_runtime.failing_upstreams import ROLE, silent_after, status
from tests.lambda_runtime.failover_kit import several, whole
from tests.lambda_runtime.samples import CHAT, CHAT_STREAM, FRAMES, MESSAGES, MESSAGES_STREAM, STREAMS
from tests.lambda_runtime.upstream_server import Connection, Received, answer_with_silence

TIMEOUTS = Timeouts(connect=3.0, idle=60.0)


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def time(self) -> float:
        return self.now


class Beats:
    """A silence of ten seconds."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.last = clock.now
        self.beaten: list[float] = []

    def next_beat(self) -> float:
        return self.last + 10

    def beat(self) -> None:
        self.last = self.clock.now
        self.beaten.append(self.clock.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(patience_module, "time", SimpleNamespace(time=clock.time))
    return clock


def test_the_first_content_has_one_limit_for_all_reads(clock: Clock) -> None:
    patience = Patience(TIMEOUTS, clock.now + 900, 30, NOBODY)
    clock.now += 2  # to connect
    patience.extensions()["connected"]()
    for left in (30, 20, 10):
        assert patience.next_timeout() == left
        clock.now += 10
    assert patience.next_timeout() <= 0
    assert patience.waited() == 0


def test_after_it_each_read_has_its_own(clock: Clock) -> None:
    patience = Patience(TIMEOUTS, clock.now + 900, 30, NOBODY)
    patience.extensions()["connected"]()
    patience.flowing()
    for _ in range(5):
        assert patience.next_timeout() == 60
        clock.now += 50
    clock.now += 10
    assert patience.waited() == 0


def test_the_end_goes_before_everything(clock: Clock) -> None:
    patience = Patience(TIMEOUTS, clock.now + 5, 30, NOBODY)
    assert patience.extensions()["timeout"] == {"connect": 3.0, "write": 5}
    patience.extensions()["connected"]()
    assert patience.next_timeout() == 5
    patience.flowing()
    clock.now += 4
    assert patience.next_timeout() == 1
    clock.now += 1
    assert patience.next_timeout() <= 0
    assert isinstance(patience.timed_out(httpx.ReadTimeout("")), DeadlineError)


def test_without_any_time_there_is_no_patience(clock: Clock) -> None:
    with pytest.raises(DeadlineError):
        Patience(TIMEOUTS, clock.now, 30, NOBODY)


def test_heartbeats_divide_a_wait(clock: Clock) -> None:
    beats = Beats(clock)
    patience = Patience(TIMEOUTS, clock.now + 900, 25, beats)
    patience.extensions()["connected"]()
    assert patience.next_timeout() == 10
    clock.now += 10
    assert patience.waited() == 10
    clock.now += 9.995  # a wait may end a little early
    assert patience.waited() == pytest.approx(5.005)
    clock.now += 5.005
    assert patience.waited() == 0
    assert beats.beaten == [1010.0, pytest.approx(1019.995)]


def test_a_heartbeat_that_is_due_is_sent_before_a_read(clock: Clock) -> None:
    beats = Beats(clock)
    patience = Patience(TIMEOUTS, clock.now + 900, 30, beats)
    clock.now += 12  # another upstream was waited for
    patience.extensions()["connected"]()
    assert patience.next_timeout() == 10
    assert beats.beaten == [1012.0]


def test_the_wind_up_is_short_and_silent(clock: Clock) -> None:
    beats = Beats(clock)
    patience = Patience(TIMEOUTS, clock.now + 900, 30, beats)
    patience.extensions()["connected"]()
    patience.flowing()
    patience.wind_up()
    assert patience.next_timeout() == patience_module._WIND_UP
    clock.now += patience_module._WIND_UP
    assert patience.next_timeout() <= 0
    assert beats.beaten == []


def test_who_is_not_admitted_is_not_sent_anything(clock: Clock) -> None:
    def admitted() -> None:
        raise LookupError

    patience = Patience(TIMEOUTS, clock.now + 900, 30, NOBODY, admitted)
    with pytest.raises(LookupError):
        patience.extensions()["connected"]()
    assert not patience.sent


@pytest.mark.parametrize(
    ("error", "flowing", "words"),
    [
        (httpx.ConnectTimeout(""), False, "connected"),
        (httpx.ReadTimeout(""), False, "no content within 30 seconds"),
        (httpx.ReadTimeout(""), True, "nothing for 60 seconds"),
    ],
)
def test_a_time_out_says_which(clock: Clock, error: httpx.TimeoutException, flowing: bool, words: str) -> None:
    patience = Patience(TIMEOUTS, clock.now + 900, 30, NOBODY)
    if flowing:
        patience.flowing()
    found = patience.timed_out(error)
    assert isinstance(found, UpstreamTimeoutError)
    assert words in found.message


# In requests


def dripping(pieces: list[bytes], pause: float = 0.01) -> object:
    """Pieces without end, a pause after each."""

    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        while True:
            for piece in pieces:
                connection.chunk(piece)
                if connection.wait_until_peer_closes(pause):
                    return

    return answer


@pytest.mark.parametrize(
    ("operation", "frames"),
    [(CHAT, [ROLE]), (CHAT, [b": still here\n\n"]), (CHAT, [b"x"]), (MESSAGES, [MESSAGES_STREAM[1]])],
)
def test_pings_and_frames_do_not_prolong_the_first_content(operation: object, frames: list[bytes]) -> None:
    with several(names="ab", timeouts=Timeouts(first_content=0.5)) as gateway:
        gateway.answers(a=dripping(frames))  # type: ignore[arg-type]
        began = time.monotonic()
        assert gateway.ask(operation).body == whole(operation)  # type: ignore[arg-type]
    assert gateway.asked == ["a", "b"]
    assert time.monotonic() - began >= 0.5


def test_content_may_take_its_time() -> None:
    stream = [*CHAT_STREAM[:3], *CHAT_STREAM[2:3] * 10, *CHAT_STREAM[3:]]

    def answer(_received: Received, connection: Connection) -> None:
        connection.start()
        for chunk in stream:
            connection.chunk(chunk)
            connection.wait_until_peer_closes(0.1)
        connection.end()

    # Fifteen pauses are longer than either limit together, and each is a tenth of it.
    with several(names="a", timeouts=Timeouts(first_content=1, idle=1)) as gateway:
        gateway.answers(a=answer)
        assert gateway.ask().body == b"".join(stream)


def test_idle_counts_from_the_first_content() -> None:
    for operation, stream in STREAMS.items():
        with several(names="a", timeouts=Timeouts(idle=0.1)) as gateway:
            gateway.answers(a=silent_after(*stream[: FRAMES[operation] + 1]))
            body = gateway.ask(operation).body
        assert b"nothing for 0.1 seconds" in body


def test_an_unstreamed_answer_has_one_limit_for_all_of_it() -> None:
    with several(names="ab", timeouts=Timeouts(unstreamed=0.2)) as gateway:
        gateway.answers(a=dripping([b" "]))  # type: ignore[arg-type]
        assert gateway.ask(stream=False).status == 200
    assert gateway.asked == ["a", "b"]


@pytest.mark.parametrize(
    ("fields", "route", "waits"),
    [
        ({}, None, 0.1),
        ({"reasoning_effort": "high"}, None, 0.4),
        ({"thinking": {"type": "enabled"}}, None, 0.4),
        ({"reasoning_effort": "high"}, 0.1, 0.1),
        ({}, 0.4, 0.4),
    ],
)
def test_who_thinks_has_longer(fields: dict[str, Any], route: float | None, waits: float) -> None:
    timeouts = Timeouts(first_content=0.1, first_content_reasoning=0.4)
    with several(names="a", timeouts=timeouts, route=ModelRoute(["a/m"], first_content=route)) as gateway:
        gateway.answers(a=answer_with_silence)
        began = time.monotonic()
        response = gateway.ask(**fields)
    assert response.status == 504
    assert f"{waits:g} seconds" in response.json()["error"]["message"]
    assert time.monotonic() - began >= waits - 0.02


@pytest.mark.parametrize(
    ("model", "reasons"),
    [
        ("o3", True),
        ("o1-mini", True),
        ("gpt-5.2", True),
        ("org/deepseek-r1", True),
        ("x-thinking", True),
        ("gpt-4o", False),
        ("grok-4", False),
    ],
)
def test_some_models_think_by_their_name(model: str, reasons: bool) -> None:
    timeouts = Timeouts(first_content=0.05, first_content_reasoning=0.06)
    with several(f"a/{model}", names="a", timeouts=timeouts) as gateway:
        gateway.answers(a=answer_with_silence)
        message = gateway.ask().json()["error"]["message"]
    assert ("0.06" if reasons else "0.05") in message


def test_the_total_is_for_all_attempts_together() -> None:
    with several(timeouts=Timeouts(total=1.0, first_content=0.6)) as gateway:
        gateway.answers(a=answer_with_silence, b=answer_with_silence)
        began = time.monotonic()
        response = gateway.ask()
    assert (response.status, response.json()["error"]["code"]) == (504, "gateway_deadline_exceeded")
    assert response.header("x-should-retry") == "false"
    assert time.monotonic() - began >= 0.98
    assert gateway.asked == ["a", "b"]


def test_a_deadline_in_the_function_counts_too() -> None:
    with several(names="ab", deadline_in=2.5) as gateway:
        gateway.answers(a=status(500), b=answer_with_silence)
        assert gateway.ask().status == 504
