"""The notes that local gateways leave, and how `--local` reads them."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway_cli.aws.connection import connect
from gateway_cli.errors import FAILED, MISTAKEN, CommandError
from gateway_cli.running import noted, notes_directory, running_gateways


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path / "cdk-ai-gateway" / "running"


@pytest.fixture
def endpoint() -> Iterator[str]:
    """Something that takes connections, as the embedded AWS does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def local(gateway: str | None = None) -> str:
    connection = connect(region=None, profile=None, local=True, gateway=gateway)
    assert connection.local
    return connection.local.endpoint_url


def write(notes: Path, name: str, endpoint: str, *gateways: str) -> None:
    """Another process's note."""
    notes.mkdir(parents=True, exist_ok=True)
    note = {"pid": 1, "endpoint_url": endpoint, "region": "eu-central-1", "gateways": gateways}
    (notes / f"{name}.json").write_text(json.dumps(note))


def test_a_note_is_there_while_the_gateway_runs(notes: Path, endpoint: str) -> None:
    with noted(endpoint, "eu-central-1", ["Product/Gateway"]):
        (run,) = running_gateways()
        assert (run.pid, run.region, run.gateways) == (os.getpid(), "eu-central-1", ("Product/Gateway",))
        assert local() == endpoint
        client = connect(region=None, profile=None, local=True, gateway=None).client("dynamodb")
        assert (client.meta.endpoint_url, client.meta.region_name) == (endpoint, "eu-central-1")
    assert list(notes.iterdir()) == []
    with pytest.raises(
        CommandError, match="no local gateway runs on this machine; start one with 'ai-gateway local'"
    ) as caught:
        local()
    assert caught.value.status == FAILED


def test_what_a_killed_gateway_left_behind_is_taken_away(notes: Path, endpoint: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        gone = f"http://127.0.0.1:{closed.getsockname()[1]}"
    write(notes, "1", gone, "Killed/Gateway")
    write(notes, "3", endpoint, "Product/Gateway")
    (notes / "2.json").write_text("{half a note")
    (notes / "4.json").write_text("{}")
    assert [run.gateways for run in running_gateways()] == [("Product/Gateway",)]
    assert [path.name for path in notes.iterdir()] == ["3.json"]


def test_several_are_told_apart_by_their_gateways(notes: Path, endpoint: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as second:
        other = f"http://127.0.0.1:{second.getsockname()[1]}"
        write(notes, "1", endpoint, "First/Gateway")
        write(notes, "2", other, "Second/Gateway", "Second/Other")
        assert local("First/Gateway") == endpoint
        assert local("Other") == other
        with pytest.raises(CommandError) as caught:
            local()
        assert caught.value.status == FAILED
        assert "several local gateways run; name one with --gateway" in str(caught.value)
        assert f"\n  Second/Gateway, Second/Other: AWS_ENDPOINT_URL={other} AWS_REGION=eu-central-1 " in str(caught.value)
        with pytest.raises(CommandError, match="no local gateway is called 'Third'; these run:") as caught:
            local("Third")
        assert caught.value.status == MISTAKEN


def test_without_a_session_directory_notes_are_in_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert notes_directory() == tmp_path / "cdk-ai-gateway" / "running"


def test_the_users_own_settings_do_not_matter(notes: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write(notes, "1", endpoint, "First/Gateway")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    client = connect(region=None, profile=None, local=True, gateway=None).client("dynamodb")
    assert client.meta.endpoint_url == endpoint
