"""What a translated request is, and how its parts are read: bodies come from clients, so that nothing in them is certain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from lambda_runtime.errors import RequestError

NAMES_AT_MOST = 32
"""Names that are reported; further ones are not. The header that holds them shares ten kilobytes with all others."""

NAME_LENGTH = 64
"""Longest name that is reported as it is, in characters."""

EMPTY: tuple[Any, ...] = (None, "", [], {})
"""Values of which nothing is lost when they are left out."""


class TranslatedRequest(NamedTuple):
    """A request in the upstream's format.

    Args:
        body: the body, to be sent as JSON. Parts of it may be the very objects of the client's body.
        dropped: names of the client's fields that are not in it, or not as the client said, in the order in which they were
            met. Letters, digits and `_.-[]` only: they go into a header.
    """

    body: dict[str, Any]
    dropped: tuple[str, ...]


class Dropped:
    """Collects the names of what a translation leaves out or changes, each of them once."""

    __slots__ = ("_names",)

    def __init__(self) -> None:
        self._names: dict[str, None] = {}

    def add(self, name: str) -> None:
        """Note a field. A name that a header could not hold becomes `unknown`."""
        if len(self._names) < NAMES_AT_MOST:
            self._names[name if _plain(name) else "unknown"] = None

    def others(self, found: Mapping[str, Any], known: Iterable[str], prefix: str = "") -> None:
        """Note the fields of an object that nothing is known of, but for empty ones.

        Args:
            found: the object.
            known: its fields that are looked after elsewhere.
            prefix: what the fields' names begin with. Default: nothing.
        """
        for name, value in found.items():
            if name not in known and value not in EMPTY:
                self.add(prefix + name)

    def names(self) -> tuple[str, ...]:
        """All of them, in the order in which they were met."""
        return tuple(self._names)


def _plain(name: str) -> bool:
    return 0 < len(name) <= NAME_LENGTH and name.isascii() and all(c.isalnum() or c in "_.-[]" for c in name)


def object_at(value: Any, path: str) -> dict[str, Any]:
    """The value, which must be an object.

    Raises:
        RequestError: if it is not.
    """
    if not isinstance(value, dict):
        raise RequestError(f"{path} must be an object", param=path)
    return value


def list_at(value: Any, path: str) -> list[Any]:
    """The value, which must be a list.

    Raises:
        RequestError: if it is not.
    """
    if not isinstance(value, list):
        raise RequestError(f"{path} must be a list", param=path)
    return value


def text_at(value: Any, path: str, *, empty: bool = True) -> str:
    """The value, which must be a string.

    Args:
        value: the value.
        path: its name.
        empty: whether it may be empty. Default: True.

    Raises:
        RequestError: if it is none, or empty and must not be.
    """
    if not isinstance(value, str) or not (value or empty):
        raise RequestError(f"{path} must be a string{'' if empty else ' that is not empty'}", param=path)
    return value


def number_at(value: Any, path: str) -> float:
    """The value, which must be a number.

    Raises:
        RequestError: if it is not.
    """
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise RequestError(f"{path} must be a number", param=path)
    return value


def whole_at(value: Any, path: str) -> int:
    """The value, which must be a whole number above zero.

    Raises:
        RequestError: if it is not.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise RequestError(f"{path} must be a whole number above zero", param=path)
    return value
