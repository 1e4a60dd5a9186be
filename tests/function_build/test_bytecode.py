"""The bytecode archive: for the function's Python, never compared with its source, free of this machine's paths."""

import os
import struct
import subprocess
import zipfile
from pathlib import Path

import pytest

from function_build import bytecode
from function_build.bytecode import bytecode_archive, compile_tree, find_function_python
from function_build.sources import RUNTIME, digest, runtime_sources

needs_function_python = pytest.mark.skipif(find_function_python() is None, reason="this machine has no Python 3.13")


@needs_function_python
def test_every_module_has_unchecked_bytecode() -> None:
    archive = bytecode_archive()
    assert archive is not None
    with zipfile.ZipFile(archive) as opened:
        names = [name for name in opened.namelist() if not name.endswith("/")]
        for path in runtime_sources():
            if path.suffix == ".py":
                place = path.parent.relative_to(RUNTIME.parent).as_posix()
                assert f"{place}/__pycache__/{path.stem}.cpython-313.pyc" in names
        # PEP 552: flags 0b01 is "hash-based, not checked".
        assert {struct.unpack("<I", opened.read(name)[4:8])[0] for name in names} == {0b01}


@needs_function_python
def test_archives_of_other_sources_do_not_gather(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bytecode, "BUILT", tmp_path)
    outdated, recent = tmp_path / "bytecode-1.zip", tmp_path / "bytecode-2.zip"
    outdated.touch()
    recent.touch()
    os.utime(outdated, (0, 0))
    archive = bytecode_archive()
    assert archive is not None
    assert sorted(tmp_path.iterdir()) == sorted([archive, recent])


@needs_function_python
def test_the_function_python_reports_paths_of_the_function(tmp_path: Path) -> None:
    archive = bytecode_archive()
    assert archive is not None
    with zipfile.ZipFile(archive) as opened:
        opened.extract("lambda_runtime/config/__pycache__/gateway.cpython-313.pyc", tmp_path)
    compiled = tmp_path / "lambda_runtime/config/__pycache__/gateway.cpython-313.pyc"
    source = f"import marshal; print(marshal.loads(open({str(compiled)!r}, 'rb').read()[16:]).co_filename)"
    python = find_function_python()
    assert python is not None
    printed = subprocess.run([python, "-c", source], capture_output=True, text=True, check=True).stdout.strip()
    assert printed == "/var/task/lambda_runtime/config/gateway.py"


def test_sources_are_those_of_packages_too_but_not_the_authorizers() -> None:
    names = {path.relative_to(RUNTIME).as_posix() for path in runtime_sources()}
    assert {"handler.py", "config/__init__.py", "config/gateway.py", "exec-wrapper"} <= names
    assert not any(name.startswith("authorizer/") for name in names)
    assert digest(RUNTIME / "gateway.py") != digest(RUNTIME / "config" / "gateway.py")


@needs_function_python
def test_modules_that_cannot_be_compiled_are_left_out_on_request(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    python = find_function_python()
    assert python is not None
    (tmp_path / "good.py").write_text("")
    (tmp_path / "bad.py").write_text("print 'hello'")
    with pytest.raises(subprocess.CalledProcessError):
        compile_tree(tmp_path, python)
    capfd.readouterr()
    compile_tree(tmp_path, python, below="hooks", strict=False)
    assert capfd.readouterr() == ("", "")
    assert [path.name for path in tmp_path.rglob("*.pyc")] == ["good.cpython-313.pyc"]


def test_without_the_function_python_there_is_no_archive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bytecode, "BUILT", tmp_path)
    monkeypatch.setattr(bytecode, "find_function_python", lambda: None)
    assert bytecode_archive() is None


@needs_function_python
def test_an_unwritable_place_is_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bytecode, "BUILT", tmp_path)
    monkeypatch.setattr(bytecode.os, "access", lambda *_: False)
    assert bytecode_archive() is None


def test_the_function_python_is_one_that_runs_and_is_of_that_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A script on the PATH that refuses, one of pyenv's that is another version, one of pyenv's that is right."""

    def script(path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    script(tmp_path / "bin" / "python3.99", "exit 127")
    script(tmp_path / ".pyenv/versions/3.99.1/bin/python", "echo 3.98 /else/where")
    monkeypatch.setattr(bytecode, "FUNCTION_PYTHON", (3, 99))
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert find_function_python() is None
    script(tmp_path / ".pyenv/versions/3.99.2/bin/python", "echo 3.99 /real/python")
    assert find_function_python() == "/real/python"
