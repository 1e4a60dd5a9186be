"""The comparison itself, with stand-ins for the peers: no network, nothing installed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.calls import Kind, Times
from benchmarks.peers.__main__ import KEYS, main
from benchmarks.peers.catalogue import SERVERS
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
