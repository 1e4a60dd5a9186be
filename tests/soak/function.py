"""Writes the function as it is published, for upstreams at a URL: `python -m tests.soak.function DIRECTORY URL SECONDS`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from gateway_construct.function_asset import stage
from tests.soak import counted
from tests.soak.configuration import WRAPPER, config

_COUNTED = "soak-counted.py"

# The process keeps its id through it, and is known by it: by the name of the file that has its lines, and by the access key
# with which it signs what it asks of AWS. In place of the function's own wrapper: its options, and its entry point by way of
# what counts the blocks of memory.
_WRAPPER = f"""#!/bin/sh
export AWS_ACCESS_KEY_ID=$$
exec "$1" -B -S "$LAMBDA_TASK_ROOT/{_COUNTED}" >"$SOAK_LINES/$$"
"""


def main() -> None:
    """Write the files."""
    directory = Path(sys.argv[1])
    stage(directory, config(sys.argv[2], float(sys.argv[3])))
    shutil.copyfile(counted.__file__, directory / _COUNTED)
    wrapper = directory / WRAPPER
    wrapper.write_text(_WRAPPER)
    wrapper.chmod(0o755)


if __name__ == "__main__":
    main()
