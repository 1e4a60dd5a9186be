"""Virtual environments for tools that pin other versions than their users do: made on first use, from a lock with hashes."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

from gateway_cli.console import Output
from gateway_cli.local.errors import LocalGatewayError
from gateway_cli.local.processes import run
from gateway_cli.running import cache_base

_LOCKS = Path(__file__).parent


def environment_directory(tool: str) -> Path:
    """Where a tool's environment is kept. It changes with its lock and with the Python that runs it."""
    lock = (_LOCKS / f"{tool}.lock").read_bytes()
    digest = hashlib.sha256(lock + sys.version.encode() + sys.prefix.encode()).hexdigest()[:16]
    return cache_base() / "cdk-ai-gateway" / f"{tool}-{digest}"


async def tool_python(tool: str, output: Output) -> Path:
    """The Python interpreter of a tool's environment, which is made if need be.

    Args:
        tool: name of the lock file beside this module, without its suffix.
        output: shows the progress.

    Raises:
        LocalGatewayError: if the environment cannot be made.
    """
    home = environment_directory(tool)
    python = home / "bin" / "python"
    if python.exists():
        return python
    with output.step(f"Installing {tool} into {home} (first use only)"):
        # Made elsewhere and renamed: an interrupted installation leaves nothing that looks finished, and of two one wins.
        try:
            home.parent.mkdir(parents=True, exist_ok=True)
            scratch = Path(tempfile.mkdtemp(prefix=f".{tool}-", dir=home.parent))
        except OSError as error:
            raise LocalGatewayError(
                f"{tool} cannot be installed into {str(home.parent)!r}: {error.strerror}; "
                "let XDG_CACHE_HOME name a directory that can be written to"
            ) from error
        try:
            await _install(tool, scratch)
            _keep(scratch, home)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return python


def _keep(scratch: Path, home: Path) -> None:
    try:
        scratch.rename(home)
    except OSError:
        if not home.exists():
            raise


async def _install(tool: str, directory: Path) -> None:
    lock = str(_LOCKS / f"{tool}.lock")
    python = str(directory / "bin" / "python")
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv:
        commands = [
            [uv, "venv", "--quiet", "--no-project", "--allow-existing", "--python", sys.executable, str(directory)],
            [uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "--compile-bytecode", "-r", lock],
        ]
    else:
        commands = [
            [sys.executable, "-m", "venv", str(directory)],
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", lock],
        ]
    for command in commands:
        status, printed = await run(command)
        if status:
            raise LocalGatewayError(
                f"{tool} cannot be installed: '{' '.join(command)}' ended with status {status}; "
                f"the first use needs the network (or a package index that pip can reach). It printed:\n{printed.strip()}"
            )
