"""Writes the function as it is published, for upstreams at a URL: `python -m tests.soak.function DIRECTORY URL`."""

from __future__ import annotations

import sys
from pathlib import Path

from gateway_construct.function_asset import stage
from tests.soak.configuration import WRAPPER, config

# The process keeps its id through it, and is known by it: by the name of the file that has its lines, and by the access key
# with which it signs what it asks of AWS.
_WRAPPER = """#!/bin/sh
export AWS_ACCESS_KEY_ID=$$
exec "$LAMBDA_TASK_ROOT/exec-wrapper" "$@" >"$SOAK_LINES/$$"
"""


def main() -> None:
    """Write the files."""
    directory = Path(sys.argv[1])
    stage(directory, config(sys.argv[2]))
    wrapper = directory / WRAPPER
    wrapper.write_text(_WRAPPER)
    wrapper.chmod(0o755)


if __name__ == "__main__":
    main()
