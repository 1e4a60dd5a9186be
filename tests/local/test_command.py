"""Start and end of the command: nothing is left running, and what stops it is said."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.local_gateway import ENVIRONMENT, ROOT, running, runtime_directory, until

pytestmark = pytest.mark.local


def processes() -> dict[int, int]:
    """Parent by process id. One that has ended, and waits for whoever inherited it to notice, is none."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                if state != "Z":
                    found[int(entry.name)] = int(parent)
    return found


def descendants(pid: int) -> set[int]:
    parents, family = processes(), {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return family - {pid}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes through /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda number: number.name)
def test_nothing_is_left_running(app_assembly: Path, tmp_path: Path, number: signal.Signals) -> None:
    with running(app_assembly, scratch=tmp_path) as gateway:
        headers = {"Authorization": f"Bearer {gateway.key}"}
        assert httpx.get(f"{gateway.openai_base_url}/models", headers=headers, trust_env=False).status_code == 200
        family = descendants(gateway.pid)
        # The embedded AWS, the stand-in provider, a worker.
        assert len(family) >= 3
        gateway.process.send_signal(number)
        gateway.process.wait(20)
        if number is not signal.SIGKILL:
            assert gateway.process.returncode == 0
            assert family.isdisjoint(processes())
            assert list(tmp_path.iterdir()) == []
            assert list(runtime_directory(tmp_path).rglob("*.*")) == [], "its note for --local"
        # Where the command could not clean up, its children notice and end by themselves.
        until(lambda: family.isdisjoint(processes()))
        port = int(gateway.url.rsplit(":", 1)[1].partition("/")[0])
        with socket.socket() as connection:
            assert connection.connect_ex(("127.0.0.1", port))


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds processes through /proc")
def test_it_does_not_go_on_without_the_embedded_aws(app_assembly: Path, tmp_path: Path) -> None:
    with running(app_assembly, scratch=tmp_path) as gateway:
        family = descendants(gateway.pid)
        emulator = next(pid for pid in family if b"ministack.app" in Path(f"/proc/{pid}/cmdline").read_bytes())
        os.kill(emulator, signal.SIGKILL)
        assert gateway.process.wait(20) == 1
        gateway.wait_for("error: the embedded AWS ended with status -9")
        assert family.isdisjoint(processes())
        assert list(tmp_path.iterdir()) == []


def test_a_signal_while_it_starts_ends_it(app_assembly: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway_cli", "local", "--assembly", str(app_assembly), "--port", "0"],
        cwd=ROOT,
        env={**ENVIRONMENT, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    with process.stdout as lines:
        for line in lines:
            if "Starting the embedded AWS" in line:
                break
        family = descendants(process.pid)
        process.send_signal(signal.SIGINT)
        rest = lines.read()
    assert process.wait(20) == 0
    assert "Traceback" not in rest
    assert family.isdisjoint(processes())
    assert list(tmp_path.iterdir()) == []


def command(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway_cli", "local", *options],
        cwd=ROOT,
        env={**ENVIRONMENT, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_no_assembly(tmp_path: Path) -> None:
    done = command("--assembly", str(tmp_path))
    assert done.returncode == 1
    assert f"no cloud assembly at '{tmp_path}'; run 'cdk synth' first or name one with --assembly" in done.stderr


def test_a_port_in_use(app_assembly: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = command("--assembly", str(app_assembly), "--port", str(port))
    assert done.returncode == 1
    assert f"port {port} is in use; name another one with --port" in done.stderr


def test_a_stack_that_does_not_exist(app_assembly: Path) -> None:
    done = command("--assembly", str(app_assembly), "--stack", "Nope", "--port", "0")
    assert done.returncode == 1
    assert "there is no stack 'Nope'; the assembly has: AiGateway" in done.stderr


@pytest.mark.parametrize("module", ["typer", "aiohttp", "boto3"])
def test_a_missing_extra(tmp_path: Path, module: str) -> None:
    (tmp_path / f"{module}.py").write_text(f"raise ModuleNotFoundError('not installed', name={module!r})\n")
    done = command(PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]))
    assert done.returncode == 1
    assert f"ai-gateway needs the package '{module}'; install it with: pip install 'cdk-ai-gateway[cli]'" in done.stderr


def test_the_help_names_every_option() -> None:
    done = command("--help", COLUMNS="200")
    assert done.returncode == 0
    for option in ("--assembly", "--port", "--stack", "--stand-in", "--no-stand-in", "--workers", "--ready-file", "--verbose"):
        assert option in done.stdout


def test_a_ready_file_that_cannot_be_written(app_assembly: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = command("--assembly", str(app_assembly), "--port", "0", "--ready-file", str(tmp_path / "file" / "ready.json"))
    assert done.returncode == 1
    assert "ready.json' cannot be written: Not a directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_cache_that_cannot_be_written(app_assembly: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = command("--assembly", str(app_assembly), "--port", "0", XDG_CACHE_HOME=str(tmp_path / "file"))
    assert done.returncode == 1
    assert "let XDG_CACHE_HOME name a directory that can be written to" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_option() -> None:
    done = command("--port", "99999")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--port" in done.stderr


def test_control_c_while_it_is_still_importing(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    done = command(PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]))
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")
