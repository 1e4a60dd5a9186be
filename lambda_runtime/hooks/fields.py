"""What a hook may set on a request, checked as it is set: the error then points at the hook's own line."""

from __future__ import annotations

import re
from collections.abc import Iterator, MutableMapping
from typing import Generic, TypeVar

from lambda_runtime.log import bounded

Scalar = str | int | float | bool
Value = TypeVar("Value")

_TOKEN = re.compile(r"[0-9a-z!#$%&'*+.^_`|~-]+").fullmatch
# A line break in a value would begin a new header.
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*").fullmatch
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}").fullmatch
_MAX_FIELDS = 20
_MAX_NUMBER = 2**63

_RESERVED = frozenset(
    {
        # How a message is framed and where it goes.
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        # The upstream's key.
        "api-key",
        "authorization",
        "x-api-key",
        # What the relay sends and what it can read.
        "accept-encoding",
        "content-encoding",
        "content-type",
    }
)


class HookUsageError(ValueError):
    """A hook did what it may not do. The text quotes nothing of a request, so that it can be logged."""


class _Checked(MutableMapping[str, Value], Generic[Value]):
    __slots__ = ("_items",)

    def __init__(self) -> None:
        self._items: dict[str, Value] = {}

    def __getitem__(self, name: str) -> Value:
        return self._items[name]

    def __delitem__(self, name: str) -> None:
        del self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


class UpstreamHeaders(_Checked[str]):
    """Headers for upstreams, by lower-case name."""

    __slots__ = ()

    def __setitem__(self, name: str, value: str) -> None:
        if not isinstance(name, str) or not _TOKEN(name := name.lower()):
            raise HookUsageError("a header's name must be letters, digits and hyphens")
        if name in _RESERVED:
            raise HookUsageError(f"the header {name} is the gateway's own and cannot be set by a hook")
        if not isinstance(value, str) or not _HEADER_VALUE(value):
            raise HookUsageError(f"the value of the header {bounded(name)} must be a text of Latin-1 without line breaks")
        self._items[name] = value


class LogFields(_Checked[Scalar]):
    """Fields for the log line."""

    __slots__ = ()

    def __setitem__(self, name: str, value: Scalar) -> None:
        if not isinstance(name, str) or not _FIELD(name):
            raise HookUsageError("the name of a log field must be 1 to 64 letters, digits and underscores, no digit first")
        if isinstance(value, str):
            value = bounded(value)
        elif not isinstance(value, int | float) or not -_MAX_NUMBER < value < _MAX_NUMBER:  # of which nan is neither
            raise HookUsageError(f"the log field {name} must be a text, a truth value or a number below 2**63")
        if len(self._items) >= _MAX_FIELDS and name not in self._items:
            raise HookUsageError(f"a request takes {_MAX_FIELDS} log fields of hooks")
        self._items[name] = value
