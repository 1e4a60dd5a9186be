"""Lines on standard output, one JSON object each: what Lambda puts into CloudWatch Logs.

Python's `logging` is not used: a line is one `write`, and importing and configuring it is not free at start-up. Line breaks
and control characters of a value are escaped by JSON, so that no client can forge a line.
"""

from __future__ import annotations

import json
import sys
from types import TracebackType
from typing import Any

MAX_TEXT = 200
"""Characters of a text that a client chose, for example a model's name."""


def bounded(text: str) -> str:
    """A client's text, cut so that it cannot fill the log."""
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def cause_of(exception: BaseException) -> str:
    """Type and text of what led to an upstream's error, empty if nothing did.

    httpx's texts name hosts and system errors, and nothing of what was sent.
    """
    cause = exception.__cause__
    return "" if cause is None else f"{type(cause).__name__}: {bounded(str(cause))}"


def write_line(fields: dict[str, Any]) -> None:
    """Write one line and flush it: the process may be frozen the moment it asks for the next event."""
    sys.stdout.write(json.dumps(fields, separators=(",", ":")) + "\n")
    sys.stdout.flush()


def warning(message: str, **fields: Any) -> None:
    """Something the operator should look at; the request may have gone on."""
    write_line({"level": "WARNING", "message": message, **fields})


def error(message: str, **fields: Any) -> None:
    """Something the operator must mend."""
    write_line({"level": "ERROR", "message": message, **fields})


def unexpected(exception: BaseException, **fields: Any) -> None:
    """A defect of ours: where it happened.

    Frames and the exception's type only. Its text and the locals may quote the request, and prompts are never logged.
    """
    frames: list[str] = []
    trace: TracebackType | None = exception.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename}:{trace.tb_lineno} in {code.co_name}")
        trace = trace.tb_next
    error(f"unexpected {type(exception).__name__}", traceback=frames[-20:], **fields)
