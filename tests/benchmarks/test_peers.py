"""The comparison itself, with stand-ins for the peers: no network, nothing installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.calls import Kind, Times
from benchmarks.latency import Call
from benchmarks.peers.__main__ import KEYS, main
from benchmarks.peers.catalogue import SERVERS
from benchmarks.peers.function_peers import ThisGateway
from benchmarks.peers.http_call import Answer, HttpCall, unchunked
from benchmarks.peers.http_peer import HttpPeer, Place
from benchmarks.peers.installing import UnavailableError, node
from benchmarks.peers.measuring import DIRECT, Measurement, Rounds
from benchmarks.peers.probes import Findings, broken
from benchmarks.peers.report import render
from benchmarks.upstream_process import running_upstream
from tests.templates import ROOT

_SERVE = "import socket; from benchmarks.upstream import serve; serve(socket.create_server(('127.0.0.1', {port})))"


class Nothing:
    """Installs nothing, or cannot."""

    def __init__(self, why_not: str = "") -> None:
        self._why_not = why_not

    def digest(self) -> str:
        return "none"

    def install(self, home: Path) -> None:
        assert home.is_dir()
        if self._why_not:
            raise UnavailableError(self._why_not)

    def version(self, package: str) -> str:
        return f"1.0 of {package}"

    def content(self, home: Path) -> Path:
        return home


def peer(key: str, program: str, why_not: str = "") -> HttpPeer:
    def command(place: Place) -> list[str | Path]:
        return [sys.executable, "-c", program.format(port=place.port)]

    return HttpPeer(
        key=key,
        package=key,
        title=key.title(),
        how="a stand-in",
        installation=Nothing(why_not),
        command=command,
        env=lambda _: {"PYTHONPATH": str(ROOT)},
    )


def pids() -> list[str]:
    return [path.name for path in Path("/proc").iterdir() if path.name.isdecimal()]


def working_directory(pid: str) -> str:
    try:
        return str(Path("/proc", pid, "cwd").readlink())
    except OSError:  # ended meanwhile, or a zombie
        return ""


def test_one_that_cannot_take_part_does_not_stop_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.peers.installing.TOOLS", tmp_path / "tools")
    mute = peer("mute", "raise SystemExit('no such option')")
    absent = peer("absent", "", "cannot be installed: not for this machine")
    # Plays the upstream itself, so that it has nothing in between.
    whole = peer("whole", _SERVE)
    peers = [mute, absent, whole]
    with running_upstream() as (port,):
        results = Measurement([*peers], tmp_path, port, Rounds(10, 1, 0.05)).run()
    assert results.missing == {
        "absent": "cannot be installed: not for this machine",
        "mute": "does not answer: no such option",
    }
    assert results.findings == {"whole": Findings(retry_after="yes, 429", usage="yes", broken="cut connection")}
    assert set(results.rates) == {DIRECT, "whole"}
    table = render([*peers], results)
    assert "- **Mute** was left out: does not answer: no such option" in table
    assert [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| ")] == [
        "| ",
        "| a direct call",
        "| Whole",
    ]
    # Nobody is left behind, whatever became of him.
    assert not [pid for pid in pids() if str(tmp_path) in working_directory(pid)]


class Ours(ThisGateway):
    """Stands in for this gateway; its instances are a direct call each.

    Args:
        other: who is started in its place.
    """

    setting = "a stand-in"

    def __init__(self, other: HttpPeer) -> None:
        self._other = other
        self.direct: list[Call] = []

    def prepare(self) -> None:
        self._other.prepare()

    def size(self) -> float:
        return 1.0

    def start(self, work: Path, upstream: int, within: Sequence[str] = ()) -> Any:
        self._upstream = upstream
        return self._other.start(work, upstream, within)

    @contextmanager
    def instances(self, count: int) -> Iterator[list[Call]]:
        with ExitStack() as stack:
            self.direct += [stack.enter_context(closing(HttpCall(self._upstream))) for _ in range(count)]
            yield self.direct


def test_instances_take_their_turns_with_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.peers.installing.TOOLS", tmp_path / "tools")
    ours, whole = Ours(peer("stand-in", _SERVE)), peer("whole", _SERVE)
    loads: list[bool] = []

    def rate(calls: Sequence[Call], seconds: float) -> float:
        loads.append(bool(ours.direct) and calls[0] is ours.direct[0])
        # Whoever is measured now, the others still run.
        assert len([pid for pid in pids() if str(tmp_path) in working_directory(pid)]) >= 2
        return seconds + len(loads)

    monkeypatch.setattr("benchmarks.peers.measuring.requests_per_second", rate)
    with running_upstream() as (port,):
        results = Measurement([ours, whole], tmp_path, port, Rounds(10, 1, 0.5)).run()
    assert results.missing == {}
    # The direct calls, this gateway, the other one, and the instances: twice, of which the better counts.
    assert loads == [False, False, False, True] * 2
    assert results.instances == (len(ours.direct), 8.5)


def test_a_hundredth_of_few_calls_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.peers.installing.TOOLS", tmp_path / "tools")
    whole = peer("whole", _SERVE)
    with running_upstream() as (port,):
        results = Measurement([whole], tmp_path, port, Rounds(10, 1, 0.05)).run()
    few = render([whole], results)
    assert "| JSON p50 ms |" in few
    assert " / " not in few
    results.calls = 100
    assert "| JSON p50 / p99 ms |" in render([whole], results)


def test_times_are_those_of_the_first_token_and_of_the_end() -> None:
    with running_upstream() as (port,):
        call = HttpCall(port)
        steady, json = call(Kind.STEADY), call(Kind.JSON)
        call.close()
    assert steady.first < steady.total
    assert json.first <= json.total


@pytest.mark.parametrize(
    ("body", "complete", "words"),
    [
        (b'data: {"choices":[]}\n\ndata: {"error":{}}\n\n', True, "error event"),
        (b'data: {"choices":[]}\n\ndata: {"error":{}}\n\n', False, "error event"),
        (b'data: {"error":{}}\n\ndata: [DONE]\n\n', True, "error event, then [DONE]"),
        (b'data: {"choices":[]}\n\n', True, "as if whole"),
        (b'data: {"choices":[]}\n\n', False, "cut connection"),
    ],
)
def test_how_a_stream_ended_is_told_by_its_body_and_by_http(body: bytes, complete: bool, words: str) -> None:
    def exchange(marker: str, **fields: object) -> Answer:
        assert (marker, fields) == ("[broken]", {"stream": True})
        return Answer(200, {}, body, complete, Times(1, 1))

    assert broken(exchange) == words


def test_chunks_make_up_a_body() -> None:
    assert unchunked(b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n") == b"hello world"
    assert unchunked(b"5\r\nhello\r\n6\r\n wo") == b"hello wo"


def test_node_is_measured_itself_and_not_what_starts_it() -> None:
    assert Path(node()).read_bytes()[:2] != b"#!"


def test_locks_pin_the_versions_that_are_told() -> None:
    versions = {server.key: server.setting.split(";")[0] for server in SERVERS}
    assert all(version[0].isdecimal() for version in versions.values())
    assert versions["litellm"] == "1.106.0"
    lock = (ROOT / "benchmarks/peers/npm/portkey/package-lock.json").read_text()
    assert lock.count('"node_modules/@hono/node-server"') == lock.count('node_modules/@hono/node-server"')


@pytest.mark.parametrize(
    ("arguments", "way_out"),
    [
        (["--only", "ours,nobody"], f"--only knows {', '.join(KEYS)}; not nobody"),
        (["--only", "ours", "--write"], "leave out --only"),
    ],
)
def test_options_that_make_no_sense_are_refused(arguments: list[str], way_out: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(arguments)
    assert way_out in capsys.readouterr().err
