"""Python's C scanner for JSON, without the wrapping that makes half of the cost of `json.loads` for a small text."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NoReturn

MAX_CONTAINERS = 1_000_000
"""Arrays and objects that a document may have. Each takes a few bytes of text and about a hundred of memory: 6 MB of empty ones
would fill a function of 256 MB, and Lambda would end it. An honest document of that size has some thousands."""


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


scan: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder(parse_constant=_no_constant).scan_once  # type: ignore[attr-defined]
"""Reads the value at a position: the value, and where it ends. Undocumented; a property test holds it to `json.loads`.

Raises:
    StopIteration: if there is no value at that position; its value is the position.
    ValueError: if the value is malformed.
    RecursionError: if it is nested too deeply.
"""


def too_many_containers(text: str) -> bool:
    """Whether a text has more than `MAX_CONTAINERS`. Those inside of strings count, too: to tell them apart takes a parser."""
    return len(text) > MAX_CONTAINERS and text.count("[") + text.count("{") > MAX_CONTAINERS


def parse_object(data: bytes) -> dict[str, Any] | None:
    """A JSON object, or None if the bytes are anything else, or have more than `MAX_CONTAINERS`."""
    if len(data) > MAX_CONTAINERS and data.count(b"[") + data.count(b"{") > MAX_CONTAINERS:
        return None
    try:
        text = data.decode()
        value, end = scan(text, 0)
        if end != len(text):
            value = json.loads(text)
    except (ValueError, StopIteration, RecursionError):
        try:
            value = json.loads(data)  # white space before it; and what is really malformed
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None
