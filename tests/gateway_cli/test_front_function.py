"""What the front makes of what the function does."""

import http.client
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError

from tests.gateway_cli.front_kit import INTEGRATION, Running, api, function, serving
from tests.local_gateway import until


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_stream_arrives_as_it_is_written(authorizer: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with serving(api(authorizer)) as front:
        reply = front.ask(do=f"gated={gate}")
        assert reply.headers["content-type"] == "text/event-stream"
        assert reply.response.readline() == b"data: first\n"
        gate.touch()
        assert reply.read() == b"\ndata: second\n\n"


def test_headers_arrive_before_the_first_byte_of_the_body(authorizer: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with serving(api(authorizer)) as front:
        reply = front.ask(do=f"silent-head={gate}")
        assert reply.status == 200
        gate.touch()
        assert reply.read() == b""


def test_a_buffered_answer_works_too(authorizer: Path) -> None:
    with serving(api(authorizer)) as front:
        reply = front.ask(do="buffered")
        assert (reply.status, reply.headers["x-one"], reply.read()) == (201, "1", b"hi")
        # API Gateway renames some headers of functions.
        assert reply.headers["x-amzn-Remapped-date"] == "then"


@pytest.mark.parametrize(
    ("do", "printed"),
    [
        ("die", "ended with status 3"),
        ("error", "no luck"),
        ("nonsense", "not a JSON object"),
        ("big-headers", "more than 10240 bytes"),
    ],
)
def test_failures_before_the_first_byte_are_a_502(authorizer: Path, do: str, printed: str) -> None:
    with serving(api(authorizer)) as front:
        reply = front.ask(do=do)
        assert (reply.status, json.loads(reply.read())) == (502, {"message": "Internal server error"})
        assert printed in front.printed
        assert front.ask().status == 200


@pytest.mark.parametrize("do", ["die-midway", "trailers"])
def test_failures_after_the_first_byte_cut_the_connection(authorizer: Path, tmp_path: Path, do: str) -> None:
    gate = tmp_path / "gate"
    with serving(api(authorizer)) as front:
        reply = front.ask(do=f"{do}={gate}")
        assert reply.status == 200
        assert reply.response.readline() == b"data: first\n"
        gate.touch()
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            reply.read()
        assert "broke off after it had started" in front.printed


def test_a_worker_that_dies_takes_one_request_with_it(authorizer: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with serving(api(authorizer)) as front:
        beside = front.ask(do=f"gated={gate}")
        assert beside.response.readline() == b"data: first\n"
        assert front.ask(do="die").status == 502
        assert front.ask().status == 200
        gate.touch()
        assert beside.read().endswith(b"second\n\n")


def test_a_function_that_runs_out_of_time_is_killed(authorizer: Path, tmp_path: Path) -> None:
    with serving(api(authorizer), function(timeout=1.5)) as front:
        assert front.ask(do=f"hold={tmp_path / 'never'}").status == 502
        assert "Task timed out after 1.50 seconds" in front.printed
        assert front.ask().status == 200


def test_api_gateway_gives_up_before_the_function_does(authorizer: Path, tmp_path: Path) -> None:
    rest_api = api(authorizer, integration=replace(INTEGRATION, timeout=0.2))
    with serving(rest_api) as front:
        reply = front.ask(do=f"hold={tmp_path / 'never'}")
        assert (reply.status, json.loads(reply.read())) == (504, {"message": "Endpoint request timed out"})


def test_a_stream_that_is_silent_for_too_long_is_cut(authorizer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway_cli.local.relay.IDLE_SECONDS", 0.2)
    with serving(api(authorizer)) as front:
        reply = front.ask(do=f"gated={tmp_path / 'never'}")
        assert reply.response.readline() == b"data: first\n"
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            reply.read()
        assert "silent for" in front.printed


def test_an_emulator_that_is_gone_is_a_500(authorizer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def choose(_: object) -> None:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")

    monkeypatch.setattr("tests.gateway_cli.front_kit.Versions.choose", choose)
    with serving(api(authorizer)) as front:
        reply = front.ask()
        assert (reply.status, json.loads(reply.read())) == (500, {"message": "Internal server error"})
        assert "the embedded AWS does not answer" in front.printed


def test_an_init_error_is_a_502_and_is_printed(authorizer: Path) -> None:
    with serving(api(authorizer), function(DUMMY_INIT="error")) as front:
        assert front.ask().status == 502
        assert "Init: no configuration" in front.printed


def test_a_function_that_cannot_be_run(authorizer: Path, tmp_path: Path) -> None:
    with serving(api(authorizer), function(directory=tmp_path)) as front:
        assert front.ask().status == 502
        assert "cannot be run" in front.printed


def pid(front: Running) -> int:
    return json.loads(front.ask().read())["pid"]


def test_workers_are_reused(authorizer: Path) -> None:
    with serving(api(authorizer), workers=1) as front:
        assert len({pid(front) for _ in range(5)}) == 1


def test_requests_at_once_run_on_workers_of_their_own_up_to_the_limit(authorizer: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with serving(api(authorizer), workers=2) as front:
        streams = [front.ask(do=f"gated={gate}") for _ in range(2)]
        for stream in streams:
            assert stream.response.readline() == b"data: first\n"
        assert len(set(front.pool.pids)) == 2
        # Lambda refuses the invocation at its limit, which API Gateway makes a 500.
        assert front.ask().status == 500
        assert "--workers" in front.printed
        gate.touch()
        assert all(stream.read().endswith(b"second\n\n") for stream in streams)


def test_a_new_version_takes_the_place_of_an_idle_worker(authorizer: Path) -> None:
    with serving(api(authorizer), function("1"), function("2"), workers=1) as front:
        versions = [json.loads(front.ask().read())["version"] for _ in range(2)]
        assert versions == ["1", "2"]
        assert len(front.pool.pids) == 1


def test_the_function_goes_on_when_the_client_leaves(authorizer: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with serving(api(authorizer), workers=1) as front:
        before = pid(front)
        reply = front.ask(do=f"gated={gate}")
        assert reply.response.readline() == b"data: first\n"
        front.close()
        gate.touch()
        # The only worker becomes free again, in its own time.
        while (after := front.ask()).status == 500:
            pass
        assert json.loads(after.read())["pid"] == before


def test_workers_end_with_the_front(authorizer: Path) -> None:
    with serving(api(authorizer)) as front:
        running = pid(front)
        assert not gone(running)
    assert gone(running)


def test_what_the_function_prints_is_shown_if_it_needs_attention(authorizer: Path) -> None:
    with serving(api(authorizer)) as front:
        front.ask(do="complain").read()
        front.ask(do="echo").read()
    assert "[1] something is odd" in front.printed
    assert "doing" not in front.printed
    with serving(api(authorizer), verbose=True) as front:
        front.ask().read()
    assert "doing echo" in front.printed
    assert "GET /prod/v1/models 200" in front.printed


def test_a_client_that_does_not_read_is_cut_off_at_the_end_of_the_integration(authorizer: Path) -> None:
    with serving(api(authorizer, integration=replace(INTEGRATION, timeout=2))) as front:
        reply = front.ask(do="flood")
        assert reply.status == 200
        until(lambda: "broke off after it had started" in front.printed)
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            reply.read()
