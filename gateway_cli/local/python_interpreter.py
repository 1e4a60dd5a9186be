"""Finds the Python that runs the function: the version that Lambda runs, where this machine has it."""

from __future__ import annotations

import shutil
import sys

from gateway_cli.local.processes import run

_QUESTION = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable)"


async def function_python(wanted: str = "3.13") -> tuple[str, str]:
    """The interpreter for the worker processes.

    Args:
        wanted: the version of the function's runtime. Default: 3.13.

    Returns:
        Its path and its version; another version than the wanted one if this machine has none that runs.
    """
    own = "{}.{}".format(*sys.version_info[:2])
    if own == wanted:
        return sys.executable, own
    found = shutil.which(f"python{wanted}")
    if found:
        # Being on the PATH is not enough: version managers put scripts there that may refuse to run, and are slow when they do.
        status, printed = await run([found, "-I", "-c", _QUESTION])
        version, _, path = printed.strip().partition(" ")
        if status == 0 and version == wanted and path:
            return path, version
    return sys.executable, own
