"""Bytecode for the function's version of Python, which need not be the version that runs here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from function_build.sources import BUILT, LOCK, RUNTIME, VENDOR, digest, runtime_sources

FUNCTION_PYTHON = (3, 13)
"""Version of the managed runtime. Bytecode of another minor version would be ignored there."""

_TASK_ROOT = "/var/task"
"""Where Lambda puts the asset."""

_IN_USE = 3600.0
"""Seconds for which an archive may still be of use to another synth."""


def bytecode_archive() -> Path | None:
    """An archive to unpack over the asset: bytecode of its sources for the function's Python, compiled where it is missing.

    Publishing sets every file's time to 1980, which makes ordinary bytecode stale and costs 100 ms at each cold start; the
    unchecked-hash kind is never compared with its source.

    Returns:
        None where there is no such Python on this machine, or nothing can be written beside the package.

    Raises:
        RuntimeError: if that Python did not compile every module.
        subprocess.CalledProcessError: if it failed.
    """
    # An archive, because build tools leave `__pycache__` directories out of a wheel.
    ready = BUILT / f"bytecode-{digest(LOCK, Path(__file__), *runtime_sources())[:32]}.zip"
    if ready.exists():
        return ready
    python = find_function_python()
    if python is None or not os.access(BUILT, os.W_OK):
        return None
    with tempfile.TemporaryDirectory(dir=BUILT) as temporary:
        tree = Path(temporary, "asset")
        shutil.copytree(VENDOR, tree, ignore=shutil.ignore_patterns("certs", "licenses"))
        for path in runtime_sources():
            copy = tree / "lambda_runtime" / path.relative_to(RUNTIME)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        compile_tree(tree, python, lean=True)
        modules, compiled = (len(list(tree.rglob(pattern))) for pattern in ("*.py", "*.pyc"))
        if compiled != modules:
            raise RuntimeError(f"{python} compiled {compiled} of {modules} modules; is its compileall as it came?")
        for path in [path for path in tree.rglob("*") if path.is_file() and path.suffix != ".pyc"]:
            path.unlink()
        # Renamed, so that another synth at the same moment sees all of it or none.
        Path(shutil.make_archive(str(Path(temporary, "bytecode")), "zip", tree)).rename(ready)
    _remove_outdated(ready)
    return ready


def _remove_outdated(ready: Path) -> None:
    """Remove what was compiled from other sources, which a wheel would carry: not what another synth may be unpacking."""
    for archive in BUILT.glob("bytecode-*.zip"):
        if archive != ready and archive.stat().st_mtime < time.time() - _IN_USE:
            archive.unlink(missing_ok=True)


def compile_tree(tree: Path, python: str, *, below: str = "", strict: bool = True, lean: bool = False) -> None:
    """Write the bytecode of a directory's modules beside them.

    Args:
        tree: the asset, or a part of it.
        python: a Python of the function's version.
        below: where in the asset the directory belongs. Default: it is the asset.
        strict: whether a module that cannot be compiled is an error, or is left without bytecode. Default: True.
        lean: whether docstrings and assertions are left out. Default: False.

    Raises:
        subprocess.CalledProcessError: if a module cannot be compiled, unless that is no error.
    """
    # -s and -p make the recorded paths those of the function, whatever machine compiles.
    # -I, because variables of the environment would send the bytecode elsewhere. Without columns it is a sixth smaller;
    # a traceback keeps its lines.
    command = [python, "-I", "-X", "no_debug_ranges", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    if lean:  # docstrings are a third of the bytecode, in the archive as in the function's memory
        command += ["-o", "2"]
    place = f"{_TASK_ROOT}/{below}".rstrip("/")
    subprocess.run(  # noqa: S603
        [*command, "-s", str(tree), "-p", place, str(tree)],
        check=strict,
        # compileall writes what is wrong with a module on standard output, where `cdk synth` may write the template.
        stdout=None if strict else subprocess.DEVNULL,
    )
    # Under the name that an interpreter without `-OO` looks for: Lambda starts ours without.
    for path in tree.rglob("*.opt-2.pyc"):
        path.rename(path.with_name(path.name.replace(".opt-2.pyc", ".pyc")))


def find_function_python() -> str | None:
    """Path of a Python of the function's minor version on this machine, or None.

    It is this one, or one on the PATH, or one that pyenv has installed without putting it there.
    """
    if sys.version_info[:2] == FUNCTION_PYTHON:
        return sys.executable
    version = ".".join(map(str, FUNCTION_PYTHON))
    candidates = [
        shutil.which(f"python{version}"),
        *map(str, sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))),
    ]
    question = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"
    for candidate in filter(None, candidates):
        # A version manager's script may be on PATH and yet refuse to run, or be slow each time: what it leads to is not.
        asked = subprocess.run([candidate, "-I", "-c", question], capture_output=True, text=True, check=False)  # noqa: S603
        found, _, path = asked.stdout.strip().partition(" ")
        if asked.returncode == 0 and found == version and path:
            return path
    return None
