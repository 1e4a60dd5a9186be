"""Runs the function, which this is copied beside, and counts its blocks of memory when SIGUSR1 asks for it.

It counts only while the function waits for its next event, when a request's own objects are gone: who asks does so until there
is a line. Blocks are those of objects up to 512 bytes; what is larger shows in the resident memory alone.
"""

from __future__ import annotations

import gc
import os
import runpy
import signal
import sys
from types import FrameType

MESSAGE = "blocks of memory"


def waits(frame: FrameType | None) -> bool:
    """Whether it waits for an event there."""
    while frame is not None:
        if frame.f_code.co_name == "get" and frame.f_code.co_filename.endswith("runtime_client.py"):
            return True
        frame = frame.f_back
    return False


def blocks() -> int:
    """How many there are, garbage left out."""
    gc.collect()
    return sys.getallocatedblocks()


def _say(_signal: int, frame: FrameType | None) -> None:
    if waits(frame):
        # Not by way of sys.stdout, which may be in use where this interrupts.
        os.write(1, b'{"level":"INFO","message":"%b","blocks":%d}\n' % (MESSAGE.encode(), blocks()))


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, _say)
    runpy.run_path(os.path.join(os.environ["LAMBDA_TASK_ROOT"], "lambda_runtime", "__main__.py"), run_name="__main__")  # noqa: PTH118  as little as can be is imported
