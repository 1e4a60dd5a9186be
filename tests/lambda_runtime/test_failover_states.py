"""What the shared state says of upstreams, and who is asked then."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import inf

import pytest

from lambda_runtime.config import Target, Timeouts
from lambda_runtime.state.outcome import Attempted, Outcome
from lambda_runtime.state.target_states import Availability
from tests.lambda_runtime.failing_upstreams import status
from tests.lambda_runtime.failover_kit import FakeStates, Several, several, well, whole
from tests.lambda_runtime.gateway_kit import RecordingWriter, event
from tests.lambda_runtime.samples import CHAT, MESSAGES
from tests.lambda_runtime.upstream_server import answer_with_silence

CLOSED, HALF_OPEN, OPEN = Availability.CLOSED, Availability.HALF_OPEN, Availability.OPEN


@pytest.mark.parametrize("stream", [True, False])
def test_an_open_one_is_left_out(stream: bool) -> None:
    with several(states=FakeStates(a=OPEN)) as gateway:
        assert gateway.ask(stream=stream).body == whole(stream=stream)
    assert gateway.asked == ["b"]
    assert gateway.states.recorded == [Attempted("b/m", Outcome.SUCCESS)]


def test_a_half_open_one_is_asked_by_whoever_gets_the_probe() -> None:
    with several(states=FakeStates(a=HALF_OPEN)) as gateway:
        assert gateway.ask().body == whole()
    assert gateway.asked == ["a"]
    assert gateway.states.recorded == [Attempted("a/m", Outcome.SUCCESS, probe=True)]
    with several(states=FakeStates(a=HALF_OPEN)) as gateway:
        gateway.states.probes["a/m"] = 0
        gateway.ask()
    assert gateway.asked == ["b"]


def test_a_probe_that_fails_is_not_repeated() -> None:
    with several(names="ab", states=FakeStates(a=HALF_OPEN)) as gateway:
        gateway.answers(a=status(500))
        assert gateway.ask().body == whole()
    assert gateway.asked == ["a", "b"]
    assert gateway.states.recorded == [Attempted("a/m", Outcome.FAILURE, probe=True), Attempted("b/m", Outcome.SUCCESS)]


@pytest.mark.parametrize("failing", [status(500), status(429, ("retry-after", "1"))])
def test_alone_a_probe_is_not_repeated_either(failing: object) -> None:
    for state in (HALF_OPEN, OPEN):
        with several(names="a", states=FakeStates(a=state)) as gateway:
            gateway.states.since["a/m"] = 1.0
            gateway.answers(a=failing)  # type: ignore[arg-type]
            assert gateway.ask().status in {500, 429}
        assert (gateway.asked, gateway.slept) == (["a"], [])


def test_of_all_that_are_open_the_one_opened_longest_ago_is_tried() -> None:
    with several(states=FakeStates(a=OPEN, b=OPEN, c=OPEN)) as gateway:
        gateway.states.since = {"a/m": 30.0, "b/m": 10.0, "c/m": 20.0}
        assert gateway.ask().body == whole()
        assert gateway.asked == ["b"]
        gateway.states.recorded.clear()
        # Nobody else is then: they are known to be ill.
        gateway.answers(b=status(500))
        assert gateway.ask().status == 500
    assert gateway.asked == ["b", "b"]


def test_one_that_waits_for_its_probe_counts_among_them() -> None:
    with several(names="ab", states=FakeStates(a=HALF_OPEN, b=OPEN)) as gateway:
        gateway.states.since = {"a/m": 5.0, "b/m": 10.0}
        gateway.states.probes["a/m"] = 0
        assert gateway.ask().body == whole()
    assert gateway.asked == ["a"]


def test_what_the_operator_has_stopped_is_never_tried() -> None:
    with several(states=FakeStates(a=OPEN, b=OPEN, c=OPEN)) as gateway:
        gateway.states.since = {"a/m": inf, "b/m": 10.0, "c/m": inf}
        gateway.ask()
    assert gateway.asked == ["b"]


@pytest.mark.parametrize("operation", [CHAT, MESSAGES])
def test_if_the_operator_has_stopped_all_the_client_is_told(operation: object) -> None:
    with several(names="ab", states=FakeStates(a=OPEN, b=OPEN)) as gateway:
        gateway.states.since = {"a/m": inf, "b/m": inf}
        response = gateway.ask(operation)  # type: ignore[arg-type]
    assert (response.status, response.header("x-should-retry")) == (503, "false")
    assert "stopped" in response.json()["error"]["message"]
    if operation is CHAT:
        assert response.json()["error"]["code"] == "upstreams_stopped"
    assert (gateway.asked, gateway.states.recorded) == ([], [])


def test_after_a_failure_the_open_ones_are_not_tried_and_the_repeat_is_free() -> None:
    with several(states=FakeStates(b=OPEN, c=OPEN)) as gateway:
        gateway.states.since = {"b/m": 1.0, "c/m": 1.0}
        gateway.answers(a=status(500))
        assert gateway.ask().status == 500
    assert gateway.asked == ["a", "a"]


# What is learned while the connection is made


def becomes(gateway: Several, **states: Availability) -> Callable[[], None]:
    def learn() -> None:
        gateway.states.states |= {f"{name}/m": state for name, state in states.items()}

    return learn


@pytest.mark.parametrize("state", [OPEN, HALF_OPEN])
def test_one_that_turns_out_to_be_open_is_not_sent_anything_and_its_connection_is_kept(state: Availability) -> None:
    with several(names="ab") as gateway:
        gateway.states.settling = [becomes(gateway, a=state)]
        gateway.states.probes["a/m"] = 0
        assert gateway.ask().body == whole()
        assert gateway.asked == ["b"]
        assert gateway.states.recorded == [Attempted("b/m", Outcome.SUCCESS)]
        assert (gateway.servers["a"].connections, gateway.servers["a"].received) == (1, [])
        becomes(gateway, a=CLOSED)()
        gateway.states.recorded.clear()
        assert gateway.ask().body == whole()
        assert gateway.servers["a"].connections == 1
    assert gateway.asked == ["b", "a"]


def test_one_that_turns_out_to_be_half_open_may_have_its_probe() -> None:
    with several(names="ab") as gateway:
        gateway.states.settling = [becomes(gateway, a=HALF_OPEN)]
        assert gateway.ask().body == whole()
    assert gateway.asked == ["a"]
    assert gateway.states.recorded == [Attempted("a/m", Outcome.SUCCESS, probe=True)]
    assert gateway.servers["a"].connections == 1


def test_if_all_turn_out_to_be_open_one_is_tried() -> None:
    with several(names="ab") as gateway:
        gateway.states.since = {"a/m": 20.0, "b/m": 10.0}
        gateway.states.settling = [becomes(gateway, a=OPEN, b=OPEN)]
        assert gateway.ask().body == whole()
    assert gateway.asked == ["b"]


def test_if_all_turn_out_to_be_stopped_nobody_is_asked() -> None:
    with several(names="ab") as gateway:
        gateway.states.since = {"a/m": inf, "b/m": inf}
        gateway.states.settling = [becomes(gateway, a=OPEN, b=OPEN)]
        assert gateway.ask().status == 503
    assert (gateway.asked, gateway.states.recorded) == ([], [])


def test_after_a_failure_the_next_may_turn_out_to_be_open() -> None:
    with several() as gateway:
        gateway.states.settling = [lambda: None, becomes(gateway, b=OPEN)]
        gateway.answers(a=status(500))
        assert gateway.ask().body == whole()
    assert gateway.asked == ["a", "c"]


def test_the_state_is_read_beside_the_connect_and_told_after_the_end() -> None:
    class Writer(RecordingWriter):
        told = -1

        def end(self) -> None:
            super().end()
            self.told = len(gateway.states.recorded)

    with several(names="ab") as gateway:
        gateway.answers(a=status(500), b=status(500))
        writer = Writer()
        gateway.ask(writer=writer)
    assert writer.told == 0
    assert gateway.states.calls == ["refresh", "settle", "settle", "settle"]
    assert [attempt.target for attempt in gateway.states.recorded] == ["a/m", "a/m", "b/m"]


def test_of_a_request_that_is_refused_nothing_is_recorded() -> None:
    with several() as gateway:
        assert gateway.ask(model=5).status == 400
    assert gateway.states.recorded == []


# A probe that comes to nothing is given back: nobody else could take it until its lease ends


def test_a_request_that_cannot_be_sent_gives_its_probe_back() -> None:
    with several(names="a", states=FakeStates(a=HALF_OPEN)) as gateway:
        response = gateway.kit.call(event(CHAT, {"model": "m"}, query={"x": ["y" * 70_000]}))
    assert response.status == 400
    assert gateway.states.recorded == [Attempted("a/m", Outcome.IGNORED, probe=True)]


@pytest.mark.parametrize("timeouts", [Timeouts(total=0.2), Timeouts(total=1.5, heartbeat=0.05)])
def test_our_deadline_gives_the_probe_back(timeouts: Timeouts) -> None:
    with several(names="ab", states=FakeStates(a=HALF_OPEN), timeouts=timeouts) as gateway:
        gateway.answers(a=answer_with_silence)
        response = gateway.ask()
    assert b'"gateway_deadline_exceeded"' in response.body
    assert response.status == (504 if timeouts.heartbeat > 1 else 200)
    assert gateway.asked == ["a"]
    assert gateway.states.recorded == [Attempted("a/m", Outcome.IGNORED, probe=True)]


@pytest.mark.parametrize("gone_after", [0, 1])
def test_a_client_that_is_gone_gives_the_probe_back(gone_after: int) -> None:
    with several(names="a", states=FakeStates(a=HALF_OPEN), timeouts=Timeouts(heartbeat=0.05)) as gateway:
        gateway.answers(a=answer_with_silence)
        gateway.ask(writer=RecordingWriter(gone_after=gone_after))
    assert gateway.states.recorded == [Attempted("a/m", Outcome.IGNORED, probe=True)]
    assert gateway.kit.transport._idle == {}


def test_a_defect_of_ours_gives_the_probe_back(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def defect(*_arguments: object, **_more: object) -> None:
        raise ZeroDivisionError

    with several(names="a", states=FakeStates(a=HALF_OPEN)) as gateway:
        monkeypatch.setattr("lambda_runtime.attempt.secure_stream", defect)
        response = gateway.ask()
    assert response.status == 500
    assert gateway.states.recorded == [Attempted("a/m", Outcome.IGNORED, probe=True)]
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["error"] == "internal_error"


# The operator's weights


def test_the_operators_weight_says_who_is_first() -> None:
    with several(Target("a/m", weight=5), "b/m") as gateway:
        for weight, first in ((100.0, "a"), (0.0, "b")):
            gateway.states.weights = {("m", "a/m"): weight}
            for _ in range(5):
                gateway.states.recorded.clear()
                gateway.ask()
            assert gateway.asked == [first] * 5
            gateway.asked.clear()


def test_a_weight_of_nothing_is_still_a_last_resort() -> None:
    with several(Target("a/m", weight=0), "b/m") as gateway:
        gateway.answers(a=well, b=status(501))
        assert gateway.ask().body == whole()
    assert gateway.asked == ["b", "a"]


def test_what_an_instance_remembers_from_before_it_slept_refuses_nobody() -> None:
    """The operator has closed it meanwhile; the read that says so is under way when the request comes."""
    with several(names="a", states=FakeStates(a=OPEN)) as gateway:
        gateway.states.since["a/m"] = inf
        gateway.states.settling.append(gateway.states.states.clear)
        assert gateway.ask().body == whole()
    assert gateway.asked == ["a"]
    with several(names="ab", states=FakeStates(a=OPEN)) as gateway:
        gateway.states.settling.append(gateway.states.states.clear)
        assert gateway.ask().body == whole()
    assert gateway.asked == ["a"]


def test_nobody_waits_for_the_table_before_the_connection_if_all_seems_well() -> None:
    with several(names="ab") as gateway:
        gateway.ask()
    assert gateway.states.calls == ["refresh", "settle"]


def test_a_weight_that_is_read_while_connecting_counts_for_this_request() -> None:
    with several(Target("a/m", weight=100), Target("b/m", weight=0), names="ab") as gateway:
        gateway.states.settling.append(lambda: gateway.states.weights.update({("m", "a/m"): 0.0, ("m", "b/m"): 100.0}))
        assert gateway.ask().body == whole()
        assert gateway.asked == ["b"]
        assert len(gateway.servers["a"].received) == 0


def test_a_weight_that_changes_after_a_failure_changes_nothing() -> None:
    with several(Target("a/m", weight=100), Target("b/m", weight=0), Target("c/m", weight=0)) as gateway:
        gateway.answers(a=status(500))
        gateway.states.settling += [
            lambda: None,
            lambda: gateway.states.weights.update({("m", "a/m"): 0.0, ("m", "c/m"): 100.0}),
        ]
        assert gateway.ask().body == whole()
    assert gateway.asked == ["a", "b"]
