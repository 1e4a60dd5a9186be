"""Puts what was measured into docs/performance.md, between its markers, and says on what machine."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path

PERFORMANCE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"


def with_block(document: str, name: str, text: str) -> str:
    """A document with another text between the markers `<!-- begin NAME ... -->` and `<!-- end NAME -->`.

    Args:
        document: all of it.
        name: of the markers.
        text: what goes between them.

    Raises:
        ValueError: if the document has no such markers.
    """
    before, begin, rest = _cut(document, rf"<!-- begin {name}\b[^>]*-->\n")
    _, end, after = _cut(rest, rf"<!-- end {name} -->")
    return f"{before}{begin}\n{text}\n\n{end}{after}"


def write_block(name: str, text: str) -> None:
    """Put it into docs/performance.md."""
    PERFORMANCE.write_text(with_block(PERFORMANCE.read_text("utf-8"), name, text), "utf-8")


def machine() -> str:
    """Date and machine, in a line."""
    cores = os.cpu_count() or 1
    return f"{datetime.now(UTC):%d %B %Y}; {cores} cores of {_processor()}, {platform.system()} {platform.machine()}".lstrip(
        "0"
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE) if cpuinfo.exists() else None
    return found[1] if found else platform.processor() or "an unnamed processor"


def _cut(text: str, pattern: str) -> tuple[str, str, str]:
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(f"docs/{PERFORMANCE.name} has no marker {pattern}")
    return text[: found.start()], found[0], text[found.end() :]
